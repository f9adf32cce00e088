"""Refused sign-ins, counted by the hour and then recorded in the audit chain, a bounded number of events an hour."""

from collections import defaultdict
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session

from survey_app.audit import VISITOR, Facts, account_actor, record
from survey_app.models import FailedSignIn
from survey_app.models.vocabulary import AuditAction
from survey_app.storage.insert_once import insert_once

# Names that nobody has may be passwords typed into the wrong field: they are counted together.
UNKNOWN_NAMES: Final = "usernames"
OTHER_ACCOUNTS: Final = "accounts"
# Each with an event of its own; further accounts are counted together.
MOST_NAMED_AN_HOUR: Final = 20


def count_failed_sign_in(session: Session, *, account_id: int | None, step: str, now: datetime) -> None:
    """Count a refused sign-in at an account, or under a name that nobody has."""
    subject = UNKNOWN_NAMES if account_id is None else account_actor(account_id)
    key = {"hour": now.replace(minute=0, second=0, microsecond=0), "subject": subject, "step": step}
    insert_once(session, cast(Table, FailedSignIn.__table__), key | {"count": 0})
    session.execute(update(FailedSignIn).filter_by(**key).values(count=FailedSignIn.count + 1))


def record_failed_sign_ins(session: Session, *, now: datetime) -> None:
    """Record what was refused in the hours that are over, the accounts with most of it by themselves."""
    is_over = FailedSignIn.hour < now.replace(minute=0, second=0, microsecond=0)
    by_hour: defaultdict[datetime, list[FailedSignIn]] = defaultdict(list)
    rows = select(FailedSignIn).where(is_over).order_by(FailedSignIn.hour, FailedSignIn.count.desc())
    for row in session.scalars(rows.with_for_update()):
        by_hour[row.hour].append(row)
    for hour, counted in by_hour.items():
        _record_hour(session, hour, counted, now)
    session.execute(delete(FailedSignIn).where(is_over))


def _record_hour(session: Session, hour: datetime, counted: list[FailedSignIn], now: datetime) -> None:
    # The first are those with the highest counts.
    named = [*dict.fromkeys(row.subject for row in counted if row.subject != UNKNOWN_NAMES)][:MOST_NAMED_AN_HOUR]
    totals: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in counted:
        subject = row.subject if row.subject in {*named, UNKNOWN_NAMES} else OTHER_ACCOUNTS
        totals[subject, row.step] += row.count
    for (subject, step), count in totals.items():
        facts: Facts = {"step": step, "count": count, "hour": hour.isoformat()}
        record(session, by=VISITOR, action=AuditAction.SIGN_IN_FAILED, subject=subject, after=facts, now=now)
