"""Local time of the city: its time zone stands in the rule file."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.rules import parse_rules
from survey_app.models import Round, RuleFile


@lru_cache(maxsize=32)
def zone_of(rule_file: bytes) -> ZoneInfo:
    """Return the time zone that a stored rule file states; read once per process and file."""
    return ZoneInfo(parse_rules(rule_file, "stored rule file").time_zone)


def city_zone(session: Session) -> tzinfo:
    """Return the time zone of the latest round, for what belongs to none; UTC before the first round."""
    rules = session.scalar(select(RuleFile.content).join(Round).order_by(Round.opens_at.desc()).limit(1))
    return UTC if rules is None else zone_of(rules)


def last_day(closes_at: datetime, zone: tzinfo) -> date:
    """Return the last local day before an exclusive end: a round until midnight ends on the day before."""
    return (closes_at.astimezone(zone) - timedelta(seconds=1)).date()
