"""A year of working days as somebody sends it: the YAML file of the year, or a list with a day in each line."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from analytics.files.yaml_documents import DocumentError, Fault, decode_text
from survey_app.complaints.canonical_files import canonical_text
from survey_app.complaints.working_days import FORMAT, CalendarYear, parse_calendar_year

_DATE = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?")
_WORKED = re.compile("班|work", re.IGNORECASE)
_BETWEEN = " \t-–—~至到:：,，、"
# What a day off is called that nobody has named.
_DAY_OFF = "放假"


@dataclass(frozen=True)
class _Line:
    first: date
    last: date
    name: str
    is_worked: bool


def read_year(content: bytes, source: str, *, basis: str) -> CalendarYear:
    """Return the year that a YAML file or a list of days states, or raise `DocumentError` with every fault of it.

    A line of a list is a day or the two ends of a span, and what it is called: ``2027-10-01 至 2027-10-07 国庆节``. One
    that says 班 or “work” is a day that is worked. `basis` is the document that a list was copied from; a file states
    its own.
    """
    text = decode_text(content, source)
    if re.search("^format:", text, re.MULTILINE):
        return parse_calendar_year(text.encode("utf-8"), source)
    lines = _read_lines(text, source)
    if not basis:
        raise DocumentError(source, [Fault("name the document that announced these days")])
    root = {"format": FORMAT, "year": lines[0].first.year, "basis": basis, "holidays": _holidays(lines)}
    try:
        return parse_calendar_year(canonical_text(root).encode("utf-8"), source)
    except DocumentError as error:
        # Their places are those of the text that was made here, which nobody has seen.
        raise DocumentError(source, [replace(each, key="", line=None, column=None) for each in error.faults]) from error


def _read_lines(text: str, source: str) -> list[_Line]:
    lines: list[_Line] = []
    faults: list[Fault] = []
    for number, written in enumerate(text.splitlines(), 1):
        plain = unicodedata.normalize("NFKC", written).strip()
        if not plain or plain.startswith("#"):
            continue
        try:
            line = _read_line(plain)
        except ValueError:
            line = None
        if line is None:
            faults.append(Fault("write a day as 2027-10-01, and a span with its first and its last day", line=number))
        elif {line.first.year, line.last.year} != {(lines or [line])[0].first.year}:
            faults.append(Fault("this must be a day of {year}", {"year": (lines or [line])[0].first.year}, line=number))
        elif line.last < line.first:
            faults.append(Fault("this day lies before the first one", line=number))
        else:
            lines.append(line)
    if not lines and not faults:
        faults.append(Fault("there is no day in it"))
    if faults:
        raise DocumentError(source, faults)
    return lines


def _read_line(plain: str) -> _Line | None:
    """Return what a line says, None if it does not name one day or two; `ValueError` if there is no such day."""
    days = [date(*map(int, found.groups())) for found in _DATE.finditer(plain)]
    if len(days) not in {1, 2}:
        return None
    rest = _DATE.sub(" ", plain).strip(_BETWEEN)
    return _Line(days[0], days[-1], rest or _DAY_OFF, _WORKED.search(rest) is not None)


def _holidays(lines: Sequence[_Line]) -> list[dict[str, object]]:
    """Return the holidays as the YAML file of a year states them, each worked day with the nearest of them."""
    spans: list[_Line] = []
    for line in sorted((each for each in lines if not each.is_worked), key=lambda each: each.first):
        if spans and spans[-1].name == line.name and line.first == spans[-1].last + timedelta(days=1):
            spans[-1] = replace(spans[-1], last=line.last)
        else:
            spans.append(line)
    worked: list[list[date]] = [[] for _span in spans]
    for line in lines:
        if line.is_worked and spans:
            nearest = min(range(len(spans)), key=lambda index: abs(spans[index].first - line.first))
            worked[nearest] += [line.first + timedelta(days=each) for each in range((line.last - line.first).days + 1)]
    return [
        {"name": span.name, "from": span.first, "to": span.last} | ({"make_up": sorted(days)} if days else {})
        for span, days in zip(spans, worked, strict=True)
    ]
