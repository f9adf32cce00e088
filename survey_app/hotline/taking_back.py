"""An import of a hotline's file taken back as a whole, while no later step rests on it."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from analytics.files.csv_files import in_parts
from survey_app import audit
from survey_app.complaints.cases import event_values, state_values
from survey_app.complaints.deadlines import judged_deadline
from survey_app.complaints.state_machine import Event, advance
from survey_app.errors import JiayuanError
from survey_app.hotline.ledger_store import AT_ONCE, OWN_COLUMNS, RulesByDay, insert_all, read_known, update_each
from survey_app.kept_files import NoSuchFile
from survey_app.models import Complaint, ComplaintEvent, HotlineCase, HotlineChange, HotlineImport, HotlineMatch
from survey_app.models.vocabulary import AuditAction, CaseAction, CaseActor, CaseEndReason, MatchStatus
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit

_MOST_NAMED = 20


class StepsRestOnImport(JiayuanError):
    """Cases of an import have moved since, by the desk, a later file or a match: it can no longer be taken back."""

    status = 409

    def __init__(self, references: Sequence[str]) -> None:
        super().__init__(f"{len(references)} cases have moved since")
        self.references = tuple(references[:_MOST_NAMED])


def take_back(session: Session, *, import_id: int, account_id: int, by: str, now: datetime) -> int:
    """Undo an import and return of how many cases; `StepsRestOnImport` names those that stand in the way.

    Events are never deleted: what the file said is taken back by one more, and a case that it brought ends as no case.
    The hotline's number is free again, so that a corrected file can bring it.
    """
    lock_until_commit(session, AdvisoryLock.HOTLINE)
    kept = session.get(HotlineImport, import_id, with_for_update=True)
    if kept is None or kept.imported_at is None or kept.taken_back_at is not None:
        raise NoSuchFile
    if moved := cases_that_moved(session, import_id=import_id):
        raise StepsRestOnImport(moved)
    changes = session.scalars(select(HotlineChange).filter_by(import_id=import_id)).all()
    rules = RulesByDay(session)
    for part in in_parts(changes, rows_at_once=AT_ONCE):
        _undo(session, part, rules, account_id=account_id, now=now)
    kept.taken_back_at, kept.taken_back_by_id = now, account_id
    session.flush()
    subject, facts = f"hotline:{import_id}", {"cases": len(changes)}
    audit.record(session, by=by, action=AuditAction.HOTLINE_TAKEN_BACK, subject=subject, after=facts, now=now)
    return len(changes)


def cases_that_moved(session: Session, *, import_id: int) -> Sequence[str]:
    """Return the references of the cases of an import on which something later rests."""
    events = (
        select(func.max(ComplaintEvent.number))
        .where(ComplaintEvent.complaint_id == HotlineChange.complaint_id)
        .correlate(HotlineChange)
        .scalar_subquery()
    )
    matched = (
        select(HotlineMatch.id)
        .where(HotlineMatch.complaint_id == HotlineChange.complaint_id, HotlineMatch.status == MatchStatus.CONFIRMED)
        .exists()
    )
    statement = (
        select(Complaint.reference)
        .join(HotlineChange, HotlineChange.complaint_id == Complaint.id)
        .join(HotlineCase, HotlineCase.complaint_id == Complaint.id)
        .where(
            HotlineChange.import_id == import_id,
            or_(events != HotlineChange.events, HotlineCase.import_id != import_id, matched),
        )
        .order_by(Complaint.id)
    )
    return session.scalars(statement).all()


def _undo(
    session: Session, changes: Sequence[HotlineChange], rules: RulesByDay, *, account_id: int, now: datetime
) -> None:
    ids = [change.complaint_id for change in changes]
    numbers = session.scalars(select(HotlineCase.external_number).where(HotlineCase.complaint_id.in_(ids))).all()
    known = {case.complaint_id: case for case in read_known(session, numbers).values()}
    events: list[dict[str, Any]] = []
    states: list[dict[str, Any]] = []
    for change in changes:
        case = known[change.complaint_id]
        clock, state = rules.clock(case.state.rules, case.category), case.state
        for number, event in enumerate(_steps_back(change, at=max(now, state.since)), case.events + 1):
            due_at = judged_deadline(state, event, clock)
            events.append(event_values(change.complaint_id, number, event, due_at=due_at) | {"account_id": account_id})
            state = advance(state, event)
        states.append({"of_case": change.complaint_id} | state_values(state, clock))
    insert_all(session, ComplaintEvent, events)
    update_each(session, Complaint, "id", states)
    earlier = [
        {"of_case": change.complaint_id} | _parsed(change.before) for change in changes if change.before is not None
    ]
    update_each(session, HotlineCase, "complaint_id", earlier)
    brought = [change.complaint_id for change in changes if change.before is None]
    session.execute(delete(HotlineMatch).where(HotlineMatch.complaint_id.in_(brought)))
    session.execute(delete(HotlineCase).where(HotlineCase.complaint_id.in_(brought)))


def _steps_back(change: HotlineChange, *, at: datetime) -> Iterator[Event]:
    if change.has_steps:
        yield Event(CaseAction.RETRACT, CaseActor.BUREAU, at)
    if change.before is None:
        yield Event(CaseAction.INVALIDATE, CaseActor.BUREAU, at, CaseEndReason.NOT_A_CASE)


def _parsed(text: str) -> dict[str, Any]:
    """Return the columns that were kept as text."""
    # Without what is erased with words: the next file states it anew, since no row of it is known as it stands.
    stored: dict[str, Any] = json.loads(text) | {"call_back": "", "row_sha256": ""}
    times = {name for name in OWN_COLUMNS if name.endswith("_at") or name == "extended_until"}
    return {
        name: datetime.fromisoformat(value) if name in times and value is not None else value
        for name, value in stored.items()
    }
