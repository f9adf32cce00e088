"""Counts of what short transactions erase, which the audit chain records together: one event, not one a transaction.

A count stands in the transaction that erases, so that it says the same as the rows whatever dies when. What a process
that died has counted is recorded with what the next one finds.
"""

from collections import defaultdict
from datetime import datetime
from typing import cast

from sqlalchemy import Table, delete, exists, select, update
from sqlalchemy.orm import Session

from survey_app.audit import record
from survey_app.models import ErasureCount
from survey_app.models.vocabulary import AuditAction
from survey_app.storage.database import Database
from survey_app.storage.insert_once import insert_once


def count_erased(session: Session, *, by: str, action: AuditAction, subject: str, fact: str, count: int) -> None:
    """Count rows in the transaction that erases them."""
    key = {"actor": by, "action": action.value, "subject": subject, "fact": fact}
    insert_once(session, cast(Table, ErasureCount.__table__), key | {"count": 0})
    session.execute(update(ErasureCount).filter_by(**key).values(count=ErasureCount.count + count))


def record_erasures(database: Database, *, now: datetime) -> None:
    """Record what was counted and not recorded yet: an event for each action and what it was done to."""
    with database.reading() as session:
        if not session.scalar(select(exists().where(ErasureCount.id.is_not(None)))):
            return
    with database.writing() as session:
        rows = session.scalars(select(ErasureCount).order_by(ErasureCount.id).with_for_update()).all()
        events: defaultdict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
        for row in rows:
            events[row.actor, row.action, row.subject][row.fact] = row.count
        for (by, action, subject), counts in events.items():
            record(session, by=by, action=AuditAction(action), subject=subject, after=counts, now=now)
        session.execute(delete(ErasureCount).where(ErasureCount.id.in_([row.id for row in rows])))
