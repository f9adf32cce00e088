"""Changing a round that stands: closing an open one before its last day, dropping one that never opened."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from survey_app.audit import OPERATOR, Action, record
from survey_app.database import Base
from survey_app.errors import JiayuanError
from survey_app.models import Round

LONGEST_REASON = 500


class RoundChangeRefused(JiayuanError):
    """The round cannot be changed as asked; `because` is not_open, no_reason, opened or in_use."""

    status = 409
    page = "staff/round_change_refused.html"

    def __init__(self, round_id: int, because: str) -> None:
        super().__init__(f"round {round_id} cannot be changed: {because}")
        self.round_id, self.because = round_id, because


def close_round_early(session: Session, *, round_id: int, reason: str, by: str = OPERATOR, now: datetime) -> None:
    """Take no more answers in an open round from now on; what came in counts, and the reason is kept with the round.

    Raises `LookupError` if there is no such round.
    """
    survey_round = _locked(session, round_id)
    kept = reason.strip()[:LONGEST_REASON]
    if not survey_round.opens_at < now < survey_round.closes_at:
        raise RoundChangeRefused(round_id, "not_open")
    if not kept:
        raise RoundChangeRefused(round_id, "no_reason")
    planned = survey_round.closes_at
    survey_round.closes_at, survey_round.closed_early_because = now, kept
    record(
        session,
        by=by,
        action=Action.ROUND_CLOSED_EARLY,
        subject=f"round:{round_id}",
        before={"closes_at": planned.isoformat()},
        after={"closes_at": now.isoformat()},
        now=now,
    )


def drop_round(session: Session, *, round_id: int, by: str = OPERATOR, now: datetime) -> None:
    """Remove a round that has not opened, such as one with a wrong date, while nothing belongs to it.

    Raises `LookupError` if there is no such round.
    """
    survey_round = _locked(session, round_id)
    if now >= survey_round.opens_at:
        raise RoundChangeRefused(round_id, "opened")
    if _is_in_use(session, round_id):
        raise RoundChangeRefused(round_id, "in_use")
    facts = {name: getattr(survey_round, name).isoformat() for name in ("opens_at", "closes_at")}
    session.delete(survey_round)
    record(session, by=by, action=Action.ROUND_DROPPED, subject=f"round:{round_id}", before=facts, now=now)


def _locked(session: Session, round_id: int) -> Round:
    survey_round = session.get(Round, round_id, with_for_update=True)
    if survey_round is None:
        raise LookupError(f"there is no round {round_id}")
    return survey_round


def _is_in_use(session: Session, round_id: int) -> bool:
    """Return whether any row of any table belongs to the round, such as a printed slip."""
    identity = Round.__table__.c.id
    columns = [
        key.parent for table in Base.metadata.sorted_tables for key in table.foreign_keys if key.column is identity
    ]
    return any(session.scalar(select(exists().where(column == round_id))) for column in columns)
