"""Results stored a few rows at a time, and at last the evaluation by which they are found.

A city of a hundred thousand communities has four hundred thousand rows: in one transaction they would keep every phone
waiting. Nobody finds a row without its evaluation, so that a process that dies on the way leaves nothing that is shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from survey_app.audit import record
from survey_app.evaluations.earlier_results import newest_result
from survey_app.evaluations.given_up_results import delete_parts
from survey_app.models import Evaluation, EvaluationNumber, Round
from survey_app.models.vocabulary import AuditAction
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit
from survey_app.storage.database import Base, Database
from survey_app.storage.short_transactions import ShortTransactions


@dataclass(frozen=True)
class Part:
    """Rows of one table, still without their evaluation."""

    table: type[Base]
    rows: pd.DataFrame


def store_result(
    database: Database,
    evaluation: Evaluation,
    parts: Sequence[Part],
    *,
    after: int | None,
    by: str,
    now: datetime,
    report: Callable[[float], None],
) -> Evaluation | None:
    """Store a result or return the stored one that is the same; None where a newer one came in between.

    `after` is the id of the result that this one was compared with. Parts that refer to each other come in order.
    `report` is told which share of the rows is stored.
    """
    with database.writing() as session:
        if (stored := _find_same(session, evaluation)) is not None:
            return stored
        taken = EvaluationNumber(taken_at=now)
        session.add(taken)
    done, total = 0, sum(len(part.rows) for part in parts)
    transactions = ShortTransactions(database)
    for part in parts:
        for places in transactions.parts(range(len(part.rows))):
            rows = _rows_of(part, places, taken.id)
            with transactions.writing() as session:
                session.execute(insert(part.table), rows)
            done += len(rows)
            report(done / total)
    with database.writing() as session:
        # Two clerks may evaluate at once: the second waits here and then finds the first one's.
        lock_until_commit(session, AdvisoryLock.EVALUATION, of=evaluation.round_id)
        stored = _find_same(session, evaluation)
        if stored is None and newest_result(session, session.get_one(Round, evaluation.round_id)) == after:
            evaluation.id = taken.id
            session.add(evaluation)
            session.flush()
            record(
                session,
                by=by,
                action=AuditAction.EVALUATED,
                subject=f"evaluation:{evaluation.id}",
                after={
                    "round": evaluation.round_id,
                    "provisional": evaluation.provisional,
                    "standings": evaluation.standings_sha256,
                },
                now=now,
            )
            return evaluation
    delete_parts(database, taken.id)
    return stored


def _find_same(session: Session, evaluation: Evaluation) -> Evaluation | None:
    return session.scalar(
        select(Evaluation).filter_by(
            round_id=evaluation.round_id,
            rule_file_id=evaluation.rule_file_id,
            inputs_sha256=evaluation.inputs_sha256,
            cut_off=evaluation.cut_off,
            code_version=evaluation.code_version,
            provisional=evaluation.provisional,
            evidence_method=evaluation.evidence_method,
        )
    )


def _rows_of(part: Part, places: Sequence[int], number: int) -> list[dict[str, Any]]:
    columns = [column.name for column in part.table.__table__.columns]
    piece = part.rows.iloc[list(places)].assign(evaluation_id=number)[columns]
    values = piece.astype(object).where(piece.notna(), None).to_numpy().tolist()
    return [dict(zip(columns, row, strict=True)) for row in values]
