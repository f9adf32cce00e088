"""How long until a deadline, in what an office counts by: hours for safety, working days for the rest."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy.orm import Session

from survey_app.city_time import city_zone, last_day
from survey_app.complaints.calendars import calendar
from survey_app.complaints.working_days import Calendar

_HOUR = timedelta(hours=1)


class TimeUnit(StrEnum):
    """What remaining time is counted in."""

    HOURS = "hours"
    WORKING_DAYS = "working_days"


@dataclass(frozen=True)
class RemainingTime:
    """Time until a deadline, or since it was missed; a count of 0 is “within the hour” or “today”."""

    is_overdue: bool
    unit: TimeUnit
    count: int


@dataclass(frozen=True)
class OfficeTime:
    """The time of an office: the working days that it has, its zone, and the moment."""

    calendar: Calendar
    zone: tzinfo
    now: datetime

    @property
    def day(self) -> date:
        """The local day."""
        return self.now.astimezone(self.zone).date()


def office_time(session: Session, now: datetime) -> OfficeTime:
    """Return the time of the city's offices at a moment."""
    return OfficeTime(calendar(session), city_zone(session), now)


def remaining_time(deadline: datetime, at: OfficeTime, *, is_safety: bool) -> RemainingTime:
    """Return how long there is until a deadline, or how long ago it was missed."""
    is_overdue = at.now >= deadline
    if is_safety:
        return RemainingTime(is_overdue, TimeUnit.HOURS, abs(deadline - at.now) // _HOUR)
    due_on, today = last_day(deadline, at.zone), at.day
    first, second = (due_on, today) if is_overdue else (today, due_on)
    return RemainingTime(is_overdue, TimeUnit.WORKING_DAYS, at.calendar.count_between(first, second))
