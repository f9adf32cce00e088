"""Retention: network addresses are erased after 48 hours, household links after the freeze, answers on the stated day.

A round is frozen once it has closed and has an official evaluation: from then on nothing can change what counts. Which
answers were replaced by their household's next is marked on them first, so that every count stays what it was.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Update, and_, func, select, update
from sqlalchemy.orm import Session

from survey_app.attachments.attachments import erase_attachments
from survey_app.audit import record
from survey_app.city_time import zone_of
from survey_app.models import Code, Evaluation, Response, Round, SlipBatch
from survey_app.models.vocabulary import AuditAction
from survey_app.responses.counting_status import ERASED_VALUES, superseded_within
from survey_app.responses.network_digests import erase_network_digests


@dataclass(frozen=True)
class ErasedCounts:
    """Numbers of what one pass erased."""

    terminals: int
    household_links: int
    responses: int


def erase_expired(session: Session, *, by: str, now: datetime) -> ErasedCounts:
    """Erase whatever is past its retention period; a second pass finds nothing."""
    closed = session.scalars(select(Round).where(Round.closes_at <= now).order_by(Round.id)).all()
    frozen = [each for each in closed if _is_frozen(session, each)]
    over = [each for each in closed if _is_over(each, now)]
    return ErasedCounts(
        terminals=erase_network_digests(session, by=by, now=now),
        household_links=sum(_remove_household_links(session, each, by=by, now=now) for each in frozen),
        responses=sum(_erase_responses(session, each, by=by, now=now) for each in over),
    )


def _is_frozen(session: Session, survey_round: Round) -> bool:
    official = select(Evaluation.id).filter_by(round_id=survey_round.id, provisional=False).limit(1)
    return session.scalar(official) is not None


def _is_over(survey_round: Round, now: datetime) -> bool:
    """Return whether the retention day that the privacy notice of the round states is past."""
    kept_until = survey_round.responses_kept_until
    return kept_until is not None and now.astimezone(zone_of(survey_round.rule_file.content)).date() > kept_until


def _remove_household_links(session: Session, survey_round: Round, *, by: str, now: datetime) -> int:
    """Remove the links to slip and household from the answers of a round; return of how many."""
    is_linked = and_(Response.round_id == survey_round.id, Response.household_key.is_not(None))
    linked = _count(session, is_linked)
    if linked:
        _note_answered_households(session, survey_round)
        # One after the other: SQLite would look for newer answers among rows that have lost their link already.
        mark = superseded_within(before=survey_round.closes_at)
        for values in ({"superseded_within": mark}, {"household_key": None, "code_id": None}):
            session.execute(_bulk_update(is_linked).values(values))
        _record(session, AuditAction.HOUSEHOLD_LINKS_REMOVED, survey_round, linked, by=by, now=now)
    return linked


def _note_answered_households(session: Session, survey_round: Round) -> None:
    """Store how many households answered with slips, each with the batch of its first slip."""
    answered = select(Response.household_key).where(Response.round_id == survey_round.id)
    first_batches = select(func.min(Code.batch_id)).where(Code.household_key.in_(answered)).group_by(Code.household_key)
    counts = Counter(session.scalars(first_batches))
    for batch in session.scalars(select(SlipBatch).filter_by(round_id=survey_round.id)):
        batch.households_answered = counts[batch.id]
    session.flush()


def _erase_responses(session: Session, survey_round: Round, *, by: str, now: datetime) -> int:
    """Erase the answers of a round but keep their rows; return how many."""
    is_kept = and_(Response.round_id == survey_round.id, Response.answers.is_not(None))
    kept = _count(session, is_kept)
    if kept:
        erase_attachments(session, response_ids=select(Response.id).where(is_kept))
        session.execute(_bulk_update(is_kept).values(**ERASED_VALUES, erased_at=now))
        _record(session, AuditAction.RESPONSES_ERASED, survey_round, kept, by=by, now=now)
    return kept


def _bulk_update(condition: ColumnElement[bool]) -> Update:
    # Whole rounds: nobody holds these rows in a session.
    return update(Response).where(condition).execution_options(synchronize_session=False)


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Response).where(condition)) or 0


def _record(session: Session, action: AuditAction, survey_round: Round, count: int, *, by: str, now: datetime) -> None:
    subject = f"round:{survey_round.id}"
    record(session, by=by, action=action, subject=subject, after={"responses": count}, now=now)
