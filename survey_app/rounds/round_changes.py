"""Changes to an existing round: closing an open one early, moving or deleting one that never opened."""

from datetime import date, datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from survey_app.audit import OPERATOR, record
from survey_app.errors import JiayuanError
from survey_app.models import Round
from survey_app.models.vocabulary import AuditAction
from survey_app.rounds.rounds import find_round, move_dates
from survey_app.storage.database import Base

LONGEST_REASON = 500


class RoundChangeRefused(JiayuanError):
    """The round cannot be changed as asked; `because` is not_open, no_reason, opened or in_use."""

    status = 409
    page = "staff/round_change_refused.html"

    def __init__(self, round_id: int, because: str) -> None:
        super().__init__(f"round {round_id} cannot be changed: {because}")
        self.round_id, self.because = round_id, because


def close_round_early(session: Session, *, round_id: int, reason: str, by: str = OPERATOR, now: datetime) -> None:
    """Close an open round now: what came in counts, and the reason is kept with the round.

    Raises `LookupError` if there is no such round.
    """
    survey_round = find_round(session, round_id, for_update=True)
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
        action=AuditAction.ROUND_CLOSED_EARLY,
        subject=f"round:{round_id}",
        before={"closes_at": planned.isoformat()},
        after={"closes_at": now.isoformat()},
        now=now,
    )


def drop_round(session: Session, *, round_id: int, by: str = OPERATOR, now: datetime) -> None:
    """Delete a round that has not opened, such as one with a wrong date, while nothing belongs to it.

    Raises `LookupError` if there is no such round.
    """
    survey_round = _still_planned(session, round_id, now=now)
    facts = _dates(survey_round)
    session.delete(survey_round)
    record(session, by=by, action=AuditAction.ROUND_DROPPED, subject=f"round:{round_id}", before=facts, now=now)


def move_round(
    session: Session,
    *,
    round_id: int,
    opens_on: date,
    closes_on: date,
    responses_kept_until: date,
    by: str = OPERATOR,
    now: datetime,
) -> None:
    """Set other local dates for a round that has not opened, until the start of `closes_on`, while nothing uses it.

    Slips that are printed say until when they are good. Raises `LookupError` if there is no such round, and
    `RoundRefused` with every fault of the dates.
    """
    survey_round = _still_planned(session, round_id, now=now)
    before = _dates(survey_round)
    move_dates(
        session,
        survey_round,
        opens_on=opens_on,
        closes_on=closes_on,
        responses_kept_until=responses_kept_until,
        now=now,
    )
    after = _dates(survey_round)
    if after != before:
        subject = f"round:{round_id}"
        record(session, by=by, action=AuditAction.ROUND_MOVED, subject=subject, before=before, after=after, now=now)


def _still_planned(session: Session, round_id: int, *, now: datetime) -> Round:
    survey_round = find_round(session, round_id, for_update=True)
    if now >= survey_round.opens_at:
        raise RoundChangeRefused(round_id, "opened")
    if _is_in_use(session, round_id):
        raise RoundChangeRefused(round_id, "in_use")
    return survey_round


def _dates(survey_round: Round) -> dict[str, str]:
    return {
        "opens_at": survey_round.opens_at.isoformat(),
        "closes_at": survey_round.closes_at.isoformat(),
        "kept_until": survey_round.responses_kept_until.isoformat(),
    }


def _is_in_use(session: Session, round_id: int) -> bool:
    """Return whether any row of any table belongs to the round, such as a printed slip."""
    identity = Round.__table__.c.id
    columns = [
        key.parent for table in Base.metadata.sorted_tables for key in table.foreign_keys if key.column is identity
    ]
    return any(session.scalar(select(exists().where(column == round_id))) for column in columns)
