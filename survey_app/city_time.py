"""Local time of the city: its time zone stands in the rule file."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.models import Round, RuleFile
from survey_app.stored_rules import rules_of


def zone_of(rule_file: bytes) -> ZoneInfo:
    """Return the time zone that the content of a stored rule file states."""
    return ZoneInfo(rules_of(rule_file).time_zone)


def city_zone(session: Session) -> tzinfo:
    """Return the time zone of the latest round, for what belongs to none; UTC before the first round."""
    rules = session.scalar(select(RuleFile.content).join(Round).order_by(Round.opens_at.desc()).limit(1))
    return UTC if rules is None else zone_of(rules)


def last_day(closes_at: datetime, zone: tzinfo) -> date:
    """Return the last local day before an exclusive end: a round until midnight ends on the day before."""
    return (closes_at.astimezone(zone) - timedelta(seconds=1)).date()
