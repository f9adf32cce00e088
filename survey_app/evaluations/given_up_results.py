"""Rows of results that were never finished, and their deletion.

It loads no pandas: the process that erases every hour mostly does without.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, exists, select

from survey_app.models import (
    CommunityProfile,
    Evaluation,
    EvaluationNumber,
    RegionProfile,
    Standing,
    StandingEvidence,
)
from survey_app.storage.database import Base, Database
from survey_app.storage.short_transactions import ShortTransactions

# Longer than anybody takes to store a result.
GIVEN_UP_AFTER: Final = timedelta(days=1)

# Evidence refers to standings.
_PARTS: Final[Sequence[type[Base]]] = (StandingEvidence, Standing, CommunityProfile, RegionProfile)


def delete_given_up(database: Database, *, now: datetime) -> int:
    """Delete the rows of results that were never finished, and return of how many."""
    with database.reading() as session:
        is_finished = exists().where(Evaluation.id == EvaluationNumber.id)
        given_up = session.scalars(
            select(EvaluationNumber.id).where(~is_finished, EvaluationNumber.taken_at <= now - GIVEN_UP_AFTER)
        ).all()
    for number in given_up:
        delete_parts(database, number)
    return len(given_up)


def delete_parts(database: Database, number: int) -> None:
    """Delete all that is stored under a number that no evaluation has, and the number."""
    for table in _PARTS:
        # A community or a region: with the number it is what a row is found by.
        (key,) = (column for column in table.__table__.primary_key if column.name != "evaluation_id")
        is_own = table.__table__.columns.evaluation_id == number
        with database.reading() as session:
            keys = session.scalars(select(key).where(is_own)).all()
        transactions = ShortTransactions(database)
        for some in transactions.parts(keys):
            with transactions.writing() as session:
                session.execute(delete(table).where(is_own, key.in_(some)))
    with database.writing() as session:
        session.execute(delete(EvaluationNumber).filter_by(id=number))
