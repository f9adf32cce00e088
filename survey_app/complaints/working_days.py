"""Working days by the official calendar, make-up days (调休) among them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cached_property, lru_cache
from pathlib import Path

from analytics.canonical import canonical_json, sha256_hex
from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node
from survey_app.complaints.canonical_files import as_day, canonical_text

FORMAT = "jiayuan-calendar-1"
_SATURDAY = 5
# A year has thirty and some days off, weekends between them included; more would be slips of the finger.
_MOST_DAYS_OFF = 60
# A calendar is the same until a year is published.
_MOST_KEPT = 8


@dataclass(frozen=True)
class Calendar:
    """Differences from “Monday to Friday”; a year without a file has none."""

    holidays: frozenset[date]
    make_up_days: frozenset[date]

    @property
    def years(self) -> frozenset[int]:
        """The years whose holidays are known."""
        return frozenset(day.year for day in self.holidays)

    @cached_property
    def digest(self) -> str:
        """Digest of what it says, which changes with every day that it says otherwise."""
        return sha256_hex(
            canonical_json([[str(day) for day in sorted(days)] for days in (self.holidays, self.make_up_days)])
        )

    def is_working_day(self, day: date) -> bool:
        """Return whether offices work on this day."""
        if day in self.make_up_days:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def after(self, day: date, count: int) -> date:
        """Return the `count`-th working day after `day`, which itself does not count."""
        while count:
            day += timedelta(days=1)
            count -= self.is_working_day(day)
        return day

    def count_between(self, start: date, end: date) -> int:
        """Return the working days after `start`, up to and including `end`."""
        return sum(self.is_working_day(start + timedelta(days=days)) for days in range(1, (end - start).days + 1))


def spans(days: Iterable[date]) -> list[tuple[date, date]]:
    """Return the first and the last day of each row of days without a gap.

    >>> [(str(first), str(last)) for first, last in spans({date(2026, 10, 2), date(2026, 10, 1), date(2026, 10, 10)})]
    [('2026-10-01', '2026-10-02'), ('2026-10-10', '2026-10-10')]
    """
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day == found[-1][1] + timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def end_of(day: date, zone: tzinfo) -> datetime:
    """Return the local midnight that ends a day."""
    return datetime.combine(day + timedelta(days=1), time(), zone)


@dataclass(frozen=True)
class CalendarYear:
    """What was announced of one year, on what basis; `canonical_text` is what is stored and hashed."""

    year: int
    basis: str
    holidays: frozenset[date]
    make_up_days: frozenset[date]
    canonical_text: str = field(default="", repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical text."""
        return sha256_hex(self.canonical_text)


def joined(years: Iterable[CalendarYear]) -> Calendar:
    """Return the calendar of some years."""
    known = tuple(years)
    return Calendar(
        frozenset(day for each in known for day in each.holidays),
        frozenset(day for each in known for day in each.make_up_days),
    )


def load_calendar(paths: Iterable[Path]) -> Calendar:
    """Return the calendar in these files, each of one year; `DocumentError` with every fault of a file."""
    return joined(parse_calendar_year(path.read_bytes(), path.name) for path in paths)


@lru_cache(maxsize=_MOST_KEPT)
def calendar_of(texts: tuple[str, ...]) -> Calendar:
    """Return the calendar whose years were stored as these canonical texts; read once per process."""
    return joined(parse_calendar_year(text.encode("utf-8"), "stored calendar") for text in texts)


def parse_calendar_year(content: bytes, source: str) -> CalendarYear:
    """Return a year in a YAML file, or raise `DocumentError` with every fault of it."""
    document = Document(content, source)
    root = Node.root(document)
    root.expect_keys(("format", "year", "basis", "holidays"))
    root["format"].expect(FORMAT)
    year = root["year"].integer(2000, 2999)
    holidays: set[date] = set()
    made_up: dict[date, Node] = {}
    for node in root["holidays"].items(least=1):
        holidays |= _read_holiday(node, year)
        made_up |= {_day(day, year): day for day in node["make_up"].items()}
    for day in sorted(made_up.keys() & holidays):
        made_up[day].fault("{day} is a day off, and cannot make up for one", day=day)
    if len(holidays) > _MOST_DAYS_OFF:
        root["holidays"].fault(
            "no year has more than {most} days off, these are {count}", most=_MOST_DAYS_OFF, count=len(holidays)
        )
    announced = CalendarYear(year, root["basis"].text(), frozenset(holidays), frozenset(made_up))
    document.raise_faults()
    return replace(announced, canonical_text=canonical_text(document.root))


def _read_holiday(node: Node, year: int) -> set[date]:
    node.expect_keys(("name", "from", "to"), ("make_up",))
    node["name"].text()
    first, last = _day(node["from"], year), _day(node["to"], year)
    if last < first:
        node["to"].fault("this day lies before the first one")
    return {first + timedelta(days=days) for days in range((last - first).days + 1)}


def _day(node: Node, year: int) -> date:
    day = as_day(node.value)
    if day is not None and day.year == year:
        return day
    if node.exists:
        node.fault("this must be a day of {year}", year=year)
    return date(year, 1, 1)
