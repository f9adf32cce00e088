"""Local time of the city, and its name: both stand in the rule file."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.models import Round, RuleFile
from survey_app.stored_rules import rules_of

_SELECT_LATEST = select(RuleFile.content).join(Round).order_by(Round.opens_at.desc()).limit(1)


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
