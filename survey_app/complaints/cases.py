"""Cases in the database: every step is one event, and the stored status repeats what the events amount to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from sqlalchemy import Select, func, insert, or_, select
from sqlalchemy.orm import Session, joinedload

from analytics.languages import Wording
from survey_app import audit
from survey_app.accounts.scope import Scope
from survey_app.attachments.attachments import KeptAttachment, attachments_by_step, attachments_of_complaint
from survey_app.attachments.kinds import PHOTO, REPLY_PHOTO
from survey_app.city_time import city_zone
from survey_app.complaints.calendars import calendar
from survey_app.complaints.casework_rules import casework_rules_of
from survey_app.complaints.categories import category_of
from survey_app.complaints.deadlines import (
    Clock,
    basis_of,
    due_at,
    due_events,
    judged_deadline,
    next_deadline,
    pause_end,
)
from survey_app.complaints.state_machine import (
    ENDED,
    INTERNAL_ACTIONS,
    CaseState,
    Event,
    advance,
    fold,
    possible_actions,
)
from survey_app.errors import JiayuanError, OtherAnswersSubmitted, UnknownNumber
from survey_app.models import (
    Community,
    Complaint,
    ComplaintAppeal,
    ComplaintAssignment,
    ComplaintContact,
    ComplaintEvent,
    ComplaintNote,
    ComplaintSupport,
)
from survey_app.models.vocabulary import (
    AppealDecision,
    AuditAction,
    CaseAction,
    CaseActor,
    CaseEndReason,
    CaseOffice,
    CaseStatus,
)


class CaseMovedOn(JiayuanError):
    """Somebody took a step of the case since the page was opened on which another one was asked for."""

    status = 409

    def __init__(self, reference: str) -> None:
        super().__init__(f"case {reference} has moved on")
        self.reference = reference


class MergedIntoEnded(JiayuanError):
    """The case that a duplicate would repeat has ended, so that nobody would deal with either."""

    status = 409

    def __init__(self, reference: str) -> None:
        super().__init__(f"case {reference} has ended")
        self.reference = reference


# Fields of an event that stand in a table of their own, since most events give the case to nobody.
_OF_ASSIGNMENT = ("company_id", "handler_id", "office")


@dataclass(frozen=True)
class PublicCase:
    """Public view of a case, for anyone who holds the reference: never a word of the resident's."""

    reference: str
    community: Wording
    category: Wording
    kind: str
    status: CaseStatus
    stage: int
    submitted_at: datetime
    status_since: datetime
    deadline: datetime | None
    supporters: int
    words_erased_at: datetime | None


@dataclass(frozen=True)
class Step:
    """Step of a case as whoever filed it reads it, in the city's time."""

    action: CaseAction
    actor: CaseActor
    at: datetime
    reason: CaseEndReason | None
    text: str
    photos: Sequence[KeptAttachment]


@dataclass(frozen=True)
class PastEvent:
    """An event of a case as it is stored, with the words and the state before and after it.

    `before` is None for the first one. `id` and `account_id` are None where the event is due and not stored yet, and
    `account_id` where no account took the step.
    """

    id: int | None
    account_id: int | None
    action_key: str | None
    event: Event
    text: str
    before: CaseState | None
    after: CaseState


@dataclass(frozen=True)
class OwnCase:
    """Full view of a case, for anyone who knows its secret: all of it, and what they can do now."""

    public: PublicCase
    text: str
    place: str
    occurred_on: date | None
    has_contact: bool
    photos: Sequence[KeptAttachment]
    steps: Sequence[Step]
    possible: Sequence[CaseAction]
    waits_until: datetime | None
    left_out_at: datetime | None


def find_case(session: Session, *, reference: str, now: datetime) -> PublicCase:
    """Return the public view of the case with this reference, in the city's time."""
    complaint = find_complaint(session, reference=reference)
    return _public_case(session, complaint, *state_of(session, complaint, now=now))


def find_own_case(session: Session, *, reference: str, now: datetime) -> OwnCase:
    """Return the full view of a case, for anyone who knows its secret."""
    complaint = find_complaint(session, reference=reference)
    clock, state = state_of(session, complaint, now=now)
    waits_until = due_at(state, clock)
    return OwnCase(
        public=_public_case(session, complaint, clock, state),
        text=complaint.text,
        place=complaint.place,
        occurred_on=complaint.occurred_on,
        has_contact=session.get(ComplaintContact, complaint.id) is not None,
        photos=attachments_of_complaint(session, kind=PHOTO, complaint_id=complaint.id),
        steps=_steps(session, complaint, clock, now=now),
        possible=possible_actions(state, actor=CaseActor.RESIDENT, now=now),
        waits_until=waits_until.astimezone(clock.zone) if waits_until else None,
        left_out_at=_left_out_at(session, complaint, clock.zone),
    )


def _left_out_at(session: Session, complaint: Complaint, zone: tzinfo) -> datetime | None:
    """Return when it was decided on appeal that the complaint rate leaves the case out."""
    upheld = select(ComplaintAppeal.decided_at).filter_by(complaint_id=complaint.id, decision=AppealDecision.UPHELD)
    decided_at = session.scalar(upheld)
    return None if decided_at is None else decided_at.astimezone(zone)


def _public_case(session: Session, complaint: Complaint, clock: Clock, state: CaseState) -> PublicCase:
    deadline = next_deadline(state, clock)
    return PublicCase(
        reference=complaint.reference,
        community=Wording.of(complaint.community.name, complaint.community.english_name),
        category=category_of(complaint.category).name,
        kind=complaint.kind,
        status=state.status,
        stage=state.stage,
        submitted_at=complaint.submitted_at.astimezone(clock.zone),
        status_since=state.since.astimezone(clock.zone),
        deadline=deadline.astimezone(clock.zone) if deadline else None,
        supporters=count_supporters(session, complaint_id=complaint.id),
        words_erased_at=complaint.words_erased_at.astimezone(clock.zone) if complaint.words_erased_at else None,
    )


def count_supporters(session: Session, *, complaint_id: int) -> int:
    """Return how many neighbours have the same trouble."""
    counting = select(func.count()).select_from(ComplaintSupport).filter_by(complaint_id=complaint_id)
    return session.scalar(counting) or 0


def find_complaint(session: Session, *, reference: str) -> Complaint:
    """Return the row of the case with this reference."""
    complaint = session.scalar(
        select(Complaint).filter_by(reference=reference).options(joinedload(Complaint.community, innerjoin=True))
    )
    if complaint is None:
        raise UnknownNumber
    return complaint


def cases_in(scope: Scope) -> Select[Complaint]:
    """Return a select over the cases of the communities in a scope."""
    # Not joined: each case would look its community up, only to be counted.
    of_scope = Complaint.community_id.in_(scope.communities(select(Community.id)))
    return select(Complaint) if scope.is_city else select(Complaint).where(of_scope)


def find_in_scope(session: Session, *, reference: str, scope: Scope) -> Complaint:
    """Return the case with this reference if its community lies in the scope, or raise `UnknownNumber`."""
    found = session.scalar(cases_in(scope).where(Complaint.reference == reference))
    if found is None:
        raise UnknownNumber
    return found


def state_of(session: Session, complaint: Complaint, *, now: datetime) -> tuple[Clock, CaseState]:
    """Return the deadline clock of a case and its present state: periods that are over have had their effect."""
    clock = clock_of(session, complaint)
    state = stored_state(session, complaint)
    for event in due_events(state, clock, now=now):
        state = advance(state, event)
    return clock, state


def stored_state(session: Session, complaint: Complaint) -> CaseState:
    """Return the state that the stored events amount to."""
    return _fold(complaint, _stored_events(session, complaint))


def _stored_events(session: Session, complaint: Complaint) -> list[Event]:
    rows = (
        select(ComplaintEvent, ComplaintAssignment)
        .outerjoin(ComplaintAssignment)
        .where(ComplaintEvent.complaint_id == complaint.id)
        .order_by(ComplaintEvent.number)
    )
    return [event_of(row, assignment) for row, assignment in session.execute(rows)]


def _steps(session: Session, complaint: Complaint, clock: Clock, *, now: datetime) -> list[Step]:
    """Return the steps that the resident is told of, those due since by time alone among them."""
    photos = attachments_by_step(session, kind=REPLY_PHOTO, complaint_id=complaint.id)
    return [
        Step(
            action=past.event.action,
            actor=past.event.actor,
            at=past.event.at.astimezone(clock.zone),
            reason=past.event.reason,
            text=past.text,
            photos=photos[past.action_key] if past.event.action is CaseAction.RESPOND else (),
        )
        for past in present_history(session, complaint, clock, now=now)
        if past.event.action not in INTERNAL_ACTIONS
    ]


def read_history(session: Session, complaint: Complaint) -> list[PastEvent]:
    """Return the stored events of a case, in their order."""
    rows = session.execute(
        select(ComplaintEvent, ComplaintAssignment, ComplaintNote.text)
        .outerjoin(ComplaintAssignment)
        .outerjoin(ComplaintNote, ComplaintNote.event_id == ComplaintEvent.id)
        .where(ComplaintEvent.complaint_id == complaint.id)
        .order_by(ComplaintEvent.number)
    )
    history: list[PastEvent] = []
    before: CaseState | None = None
    for row, assignment, text in rows:
        event = event_of(row, assignment)
        after = _fold(complaint, [event]) if before is None else advance(before, event)
        history.append(PastEvent(row.id, row.account_id, row.action_key, event, text or "", before, after))
        before = after
    return history


def present_history(session: Session, complaint: Complaint, clock: Clock, *, now: datetime) -> list[PastEvent]:
    """Return the stored events and those due since by time alone, which are stored when the case is settled."""
    history = read_history(session, complaint)
    state = history[-1].after
    for event in due_events(state, clock, now=now):
        after = advance(state, event)
        history.append(PastEvent(None, None, None, event, "", state, after))
        state = after
    return history


def open_case(session: Session, *, complaint: Complaint, now: datetime) -> None:
    """Store the first event of a case that was just filed."""
    event = Event(CaseAction.SUBMIT, CaseActor.RESIDENT, now)
    session.execute(insert(ComplaintEvent), event_values(complaint.id, 1, event, due_at=None))
    _store_state(complaint, _fold(complaint, [event]), clock_of(session, complaint))
    session.flush()


def take_step(
    session: Session,
    *,
    reference: str,
    action: CaseAction,
    actor: CaseActor,
    by: str,
    now: datetime,
    account_id: int | None = None,
    reason: CaseEndReason | None = None,
    original: str | None = None,
    text: str = "",
    action_key: str | None = None,
    until: datetime | None = None,
    company_id: int | None = None,
    handler_id: int | None = None,
    office: CaseOffice | None = None,
    seen: int | None = None,
) -> CaseState:
    """Take one step of the case, or raise `TransitionRefused`; the same form sent again changes nothing.

    `seen` is how many events the page showed on which the step was asked for; `CaseMovedOn` where there are others.

    `by` is the actor in the audit chain; `original` the reference of the case that a duplicate repeats; `until` the new
    deadline of an extension. Whom a step gives the case to is a company, a person of the office or another office.
    """
    complaint = _lock(session, reference)
    if action_key is not None and was_taken(session, complaint, action_key, action, text):
        return stored_state(session, complaint)
    if seen is not None and seen != _last_number(session, complaint):
        raise CaseMovedOn(reference)
    clock = clock_of(session, complaint)
    before = _settle(session, complaint, clock, now=now)
    event = Event(
        action,
        actor,
        at=max(now, before.since),  # a server's clock that was set back must not undo the order of things
        reason=reason,
        original_id=_original_id(session, complaint, original) if original is not None else None,
        until=pause_end(now, clock) if action is CaseAction.ASK_RESIDENT else until,
        company_id=company_id,
        handler_id=handler_id,
        office=office,
    )
    after = advance(before, event)
    judged = judged_deadline(before, event, clock)
    row = _append(session, complaint, event, after, clock, judged=judged, account_id=account_id, action_key=action_key)
    if text:
        session.add(ComplaintNote(event_id=row.id, text=text))
        session.flush()
    if actor is not CaseActor.RESIDENT:
        _audit(session, complaint, event, before, after, by=by, now=now)
    return after


def settle_case(session: Session, *, reference: str, now: datetime) -> None:
    """Store the steps that are due by time alone, and when the next one will be."""
    complaint = _lock(session, reference)
    clock = clock_of(session, complaint)
    _store_state(complaint, _settle(session, complaint, clock, now=now), clock)


def due_references(session: Session, *, now: datetime) -> Sequence[str]:
    """Return the references of the cases that time moves now, and of those to which another calendar applies."""
    basis = basis_of(calendar(session), city_zone(session))
    # One after the other, so that each is found by its index.
    is_due = or_(Complaint.next_step_at <= now, Complaint.next_step_basis != basis)
    has_time = or_(Complaint.next_step_at.is_not(None), Complaint.deadline_at.is_not(None))
    statement = select(Complaint.reference).where(has_time, is_due)
    return session.scalars(statement.order_by(Complaint.next_step_at, Complaint.id)).all()


def record_history(session: Session, *, reference: str, events: Iterable[Event]) -> None:
    """Append many steps of one case at once, each checked as by `take_step`, in a fraction of its statements."""
    complaint = _lock(session, reference)
    earlier = _stored_events(session, complaint)
    state, clock = _fold(complaint, earlier), clock_of(session, complaint)
    values, given = [], {}
    for number, event in enumerate(events, len(earlier) + 1):
        values.append(event_values(complaint.id, number, event, due_at=judged_deadline(state, event, clock)))
        state = advance(state, event)
        given[number] = _assignment(event)
    if values:
        session.execute(insert(ComplaintEvent), values)
        _insert_assignments(session, complaint, given)
        _store_state(complaint, state, clock)


def inconsistent_references(session: Session) -> Iterator[str]:
    """Yield each case whose stored status is not what its events amount to."""
    complaints = select(Complaint).order_by(Complaint.id).execution_options(yield_per=500)
    for complaint in session.scalars(complaints):
        state = stored_state(session, complaint)
        if (state.status, state.since) != (complaint.status, complaint.status_since):
            yield complaint.reference


def _lock(session: Session, reference: str) -> Complaint:
    # Two steps at one moment come one after the other: the second sees what the first has done.
    complaint = session.scalar(select(Complaint).filter_by(reference=reference).with_for_update())
    if complaint is None:
        raise UnknownNumber
    return complaint


def was_taken(session: Session, complaint: Complaint, action_key: str, action: CaseAction, text: str) -> bool:
    """Return whether the form with this key took its step already; `OtherAnswersSubmitted` if it was another one."""
    earlier = session.execute(
        select(ComplaintEvent.action, ComplaintNote.text)
        .outerjoin(ComplaintNote, ComplaintNote.event_id == ComplaintEvent.id)
        .where(ComplaintEvent.action_key == action_key)
    ).first()
    if earlier is None:
        return False
    if earlier != (action, text or None):
        raise OtherAnswersSubmitted(complaint.reference)
    return True


def _settle(session: Session, complaint: Complaint, clock: Clock, *, now: datetime) -> CaseState:
    state = stored_state(session, complaint)
    for event in due_events(state, clock, now=now):
        after = advance(state, event)
        _append(session, complaint, event, after, clock, judged=judged_deadline(state, event, clock))
        _audit(session, complaint, event, state, after, by=audit.SITE, now=now)
        state = after
    return state


def _append(
    session: Session,
    complaint: Complaint,
    event: Event,
    after: CaseState,
    clock: Clock,
    *,
    judged: datetime | None,
    account_id: int | None = None,
    action_key: str | None = None,
) -> ComplaintEvent:
    number = _last_number(session, complaint) + 1
    values = event_values(complaint.id, number, event, due_at=judged)
    row = ComplaintEvent(**values, account_id=account_id, action_key=action_key)
    session.add(row)
    _store_state(complaint, after, clock)
    session.flush()
    if (given := _assignment(event)) is not None:
        session.add(ComplaintAssignment(event_id=row.id, **given))
        session.flush()
    return row


def _store_state(complaint: Complaint, state: CaseState, clock: Clock) -> None:
    for name, value in state_values(state, clock).items():
        setattr(complaint, name, value)


def state_values(state: CaseState, clock: Clock) -> dict[str, object]:
    """Return what is noted on a case: what its events amount to, and when time alone moves it on."""
    next_step_at, deadline_at = due_at(state, clock), next_deadline(state, clock)
    return {
        "status": state.status,
        "status_since": state.since,
        "stage": state.stage,
        "office": state.office,
        "company_id": state.company_id,
        "handler_id": state.handler_id,
        "is_supervised": state.is_supervised,
        "proposal": state.proposal,
        "next_step_at": next_step_at,
        "deadline_at": deadline_at,
        "next_step_basis": None if next_step_at is None and deadline_at is None else clock.basis,
    }


def _last_number(session: Session, complaint: Complaint) -> int:
    return session.scalar(select(func.max(ComplaintEvent.number)).filter_by(complaint_id=complaint.id)) or 0


def event_values(complaint_id: int, number: int, event: Event, *, due_at: datetime | None) -> dict[str, object]:
    """Return the columns of an event as it is stored; whom it gives the case to stands in another table."""
    of_event = {name: value for name, value in vars(event).items() if name not in _OF_ASSIGNMENT}
    return {"complaint_id": complaint_id, "number": number, "due_at": due_at, **of_event}


def _assignment(event: Event) -> dict[str, object] | None:
    """Return whom the event gives the case to, or None where it gives it to nobody."""
    given = {name: getattr(event, name) for name in _OF_ASSIGNMENT}
    return given if any(value is not None for value in given.values()) else None


def _insert_assignments(session: Session, complaint: Complaint, given: Mapping[int, dict[str, object] | None]) -> None:
    numbers = [number for number, assignment in given.items() if assignment is not None]
    if not numbers:
        return
    of_case = select(ComplaintEvent.number, ComplaintEvent.id).where(
        ComplaintEvent.complaint_id == complaint.id, ComplaintEvent.number.in_(numbers)
    )
    values = [{"event_id": event_id, **(given[number] or {})} for number, event_id in session.execute(of_case)]
    session.execute(insert(ComplaintAssignment), values)


def event_of(row: ComplaintEvent, assignment: ComplaintAssignment | None) -> Event:
    """Return the event of a stored row, with whom it gave the case to."""
    return Event(
        CaseAction(row.action),
        CaseActor(row.actor),
        row.at,
        CaseEndReason(row.reason) if row.reason else None,
        row.original_id,
        row.until,
        None if assignment is None else assignment.company_id,
        None if assignment is None else assignment.handler_id,
        None if assignment is None or assignment.office is None else CaseOffice(assignment.office),
    )


def _original_id(session: Session, complaint: Complaint, original: str) -> int:
    """Return the id of the case that this one repeats: an open one of the same community."""
    found = session.scalar(
        select(Complaint).where(
            Complaint.reference == original,
            Complaint.id != complaint.id,
            Complaint.community_id == complaint.community_id,
        )
    )
    if found is None:
        raise UnknownNumber
    if found.status in ENDED:
        raise MergedIntoEnded(original)
    return found.id


def _audit(
    session: Session, complaint: Complaint, event: Event, before: CaseState, after: CaseState, *, by: str, now: datetime
) -> None:
    audit.record(
        session,
        by=by,
        action=AuditAction.COMPLAINT_MOVED,
        subject=f"complaint:{complaint.id}",
        before={"status": before.status},
        after={"status": after.status, "step": event.action, "reason": event.reason},
        now=now,
    )


def clock_of(session: Session, complaint: Complaint) -> Clock:
    """Return the deadline clock of a case."""
    is_safety = category_of(complaint.category).safety
    return Clock(is_safety, casework_rules_of(complaint.casework_file.text), calendar(session), city_zone(session))


def _fold(complaint: Complaint, events: Iterable[Event]) -> CaseState:
    return fold(
        events,
        bypasses_company=category_of(complaint.category).bypasses_company,
        rules=casework_rules_of(complaint.casework_file.text),
    )
