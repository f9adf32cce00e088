"""Local time of the city, its months, and its name: zone and name stand in the rule file."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Self
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.models import Round, RuleFile
from survey_app.stored_rules import rules_of

_SELECT_LATEST = select(RuleFile.content).join(Round).order_by(Round.opens_at.desc()).limit(1)


_WRITTEN: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, order=True)
class Month:
    """Month of a year, written `2026-09`."""

    year: int
    number: int

    @classmethod
    def read(cls, written: str) -> Self | None:
        """Return the month that is written, or None where none is.

        >>> Month.read("2026-09"), Month.read("2026-9"), Month.read("2026-13")
        (Month(year=2026, number=9), None, None)
        """
        found = _WRITTEN.fullmatch(written)
        return None if found is None else cls(*map(int, found.groups()))

    @classmethod
    def of(cls, day: date) -> Self:
        """Return the month in which a day lies."""
        return cls(day.year, day.month)

    def plus(self, count: int) -> Self:
        """Return the month so many months later, or earlier.

        >>> str(Month(2026, 1).plus(-1)), str(Month(2026, 9).plus(14))
        ('2025-12', '2027-11')
        """
        months = self.year * 12 + self.number - 1 + count
        return type(self)(months // 12, months % 12 + 1)

    @property
    def first(self) -> date:
        """The first day of the month."""
        return date(self.year, self.number, 1)

    def start(self, zone: tzinfo) -> datetime:
        """Return the local midnight with which the month begins."""
        return datetime.combine(self.first, time(), zone)

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"


def zone_of(rule_file: bytes) -> ZoneInfo:
    """Return the time zone that the content of a stored rule file states."""
    return ZoneInfo(rules_of(rule_file).time_zone)


def city_zone(session: Session) -> tzinfo:
    """Return the time zone of the latest round, for what belongs to none; UTC before the first round."""
    rules = session.scalar(_SELECT_LATEST)
    return UTC if rules is None else zone_of(rules)


def local_today(session: Session, *, now: datetime) -> date:
    """Return the local date of the city."""
    return now.astimezone(city_zone(session)).date()


def city_name(session: Session) -> Wording | None:
    """Return what the city is called, by the rule file of the latest round; None before the first round."""
    rules = session.scalar(_SELECT_LATEST)
    return None if rules is None else rules_of(rules).city


def last_day(closes_at: datetime, zone: tzinfo) -> date:
    """Return the last local day before an exclusive end: a round until midnight ends on the day before."""
    return (closes_at.astimezone(zone) - timedelta(seconds=1)).date()
