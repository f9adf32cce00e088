"""Comparison of a year of working days with another source: with what is published, and with two public libraries.

The libraries are written by others from the same announcements. Where they differ, somebody has made a slip; they are
never the source of a calendar.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from survey_app.complaints.working_days import Calendar, CalendarYear, joined


class Coverage(StrEnum):
    """What a library knows of a year."""

    ANNOUNCED = "announced"
    STATUTORY = "statutory"  # the days off that the law names, not which days are worked for others
    NOTHING = "nothing"


@dataclass(frozen=True)
class Difference:
    """A day on which two sources differ, and whether it is worked by the one that is to be published."""

    day: date
    is_worked: bool


@dataclass(frozen=True)
class Comparison:
    """Comparison of a year with a library."""

    library: str
    coverage: Coverage
    differences: Sequence[Difference]


def differences(announced: CalendarYear, is_working_day: Callable[[date], bool]) -> list[Difference]:
    """Return the days of the year on which another source says otherwise."""
    calendar = joined([announced])
    return [
        Difference(day, is_worked)
        for day in _days_of(announced.year)
        if (is_worked := calendar.is_working_day(day)) is not is_working_day(day)
    ]


def differences_from(announced: CalendarYear, published: Calendar) -> list[Difference]:
    """Return the days on which the calendar of the city says otherwise so far."""
    return differences(announced, published.is_working_day)


def compare_with_libraries(announced: CalendarYear) -> list[Comparison]:
    """Return how the year compares with `holidays` and `chinesecalendar`."""
    return [_compare_with_holidays(announced), _compare_with_chinesecalendar(announced)]


def _compare_with_holidays(announced: CalendarYear) -> Comparison:
    import holidays  # noqa: PLC0415 (for this page alone)

    days_off = holidays.country_holidays("CN", years=announced.year)
    worked = {day for day in days_off.weekend_workdays if day.year == announced.year}
    if worked:
        found = differences(announced, lambda day: day in worked or (day.weekday() < 5 and day not in days_off))
        return Comparison("holidays", Coverage.ANNOUNCED, found)
    # Of a year that it does not know it computes the statutory days: nobody works on these, whatever is announced.
    calendar = joined([announced])
    found = [Difference(day, is_worked=True) for day in sorted(days_off) if calendar.is_working_day(day)]
    return Comparison("holidays", Coverage.STATUTORY, found)


def _compare_with_chinesecalendar(announced: CalendarYear) -> Comparison:
    import chinese_calendar  # noqa: PLC0415 (for this page alone)

    try:
        found = differences(announced, chinese_calendar.is_workday)
    except NotImplementedError:
        return Comparison("chinesecalendar", Coverage.NOTHING, [])
    return Comparison("chinesecalendar", Coverage.ANNOUNCED, found)


def _days_of(year: int) -> Iterator[date]:
    first = date(year, 1, 1)
    return (first + timedelta(days=days) for days in range((date(year + 1, 1, 1) - first).days))
