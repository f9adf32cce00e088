"""Working days by the official calendar, make-up days (调休) among them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cache, cached_property
from pathlib import Path

from analytics.canonical import canonical_json, sha256_hex
from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node
from survey_app.config import DATA

FORMAT = "jiayuan-calendar-1"
_SATURDAY = 5


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


def end_of(day: date, zone: tzinfo) -> datetime:
    """Return the local midnight that ends a day."""
    return datetime.combine(day + timedelta(days=1), time(), zone)


@cache
def calendar() -> Calendar:
    """Return the calendar of the shipped files."""
    return load_calendar(sorted((DATA / "calendars").glob("*.yaml")))


def load_calendar(paths: Iterable[Path]) -> Calendar:
    """Return the calendar in these files, each of one year; `DocumentError` with every fault of a file."""
    holidays: set[date] = set()
    make_up_days: set[date] = set()
    for path in paths:
        document = Document(path.read_bytes(), path.name)
        root = Node.root(document)
        root.expect_keys(("format", "year", "basis", "holidays"))
        root["format"].expect(FORMAT)
        root["basis"].text()
        year = root["year"].integer(2000, 2999)
        for node in root["holidays"].items(least=1):
            holidays |= _read_holiday(node, year)
            make_up_days |= {_day(day, year) for day in node["make_up"].items()}
        document.raise_faults()
    return Calendar(frozenset(holidays), frozenset(make_up_days))


def _read_holiday(node: Node, year: int) -> set[date]:
    node.expect_keys(("name", "from", "to"), ("make_up",))
    node["name"].text()
    first, last = _day(node["from"], year), _day(node["to"], year)
    if last < first:
        node["to"].fault("this day lies before the first one")
    return {first + timedelta(days=days) for days in range((last - first).days + 1)}


def _day(node: Node, year: int) -> date:
    if not isinstance(node.value, date) or node.value.year != year:
        node.fault("this must be a day of {year}", year=year)
        return date(year, 1, 1)
    return node.value
