"""Deadlines of a complaint for acknowledgement and answer, and what happens by itself when a period is over."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from analytics.canonical import sha256_hex
from survey_app.complaints.casework_rules import CaseworkRules, Period
from survey_app.complaints.state_machine import DEADLINE_STATUSES, OPEN, CaseState, Event, advance
from survey_app.complaints.working_days import Calendar, end_of
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseStatus


@dataclass(frozen=True)
class Clock:
    """Deadline clock of a case: hours for a matter of safety, working days of the city for any other.

    `rules` are those that were in force when the case was submitted.
    """

    is_safety: bool
    rules: CaseworkRules
    calendar: Calendar
    zone: tzinfo

    @property
    def basis(self) -> str:
        """Digest of the calendar and the zone: a deadline that was computed by others may be another."""
        return basis_of(self.calendar, self.zone)

    def local_day(self, moment: datetime) -> date:
        """Return the local date of the city at a moment."""
        return moment.astimezone(self.zone).date()

    def after_working_days(self, moment: datetime, count: int) -> datetime:
        """Return the end of the `count`-th working day after the day of a moment."""
        return end_of(self.calendar.after(self.local_day(moment), count), self.zone)


def basis_of(calendar: Calendar, zone: tzinfo) -> str:
    """Return the digest of what deadlines of all open cases rest on; each case has its rules for itself."""
    return sha256_hex(f"{zone} {calendar.digest}")[:16]


def pause_end(asked_at: datetime, clock: Clock) -> datetime:
    """Return until when a question to the resident may pause the clock."""
    return clock.after_working_days(asked_at, clock.rules.longest_pause)


def acknowledge_by(state: CaseState, clock: Clock) -> datetime:
    """Return when a submitted case must have been accepted or refused."""
    owed = clock.rules.acknowledgement
    if clock.is_safety:
        return state.clock_started_at + owed.safety
    return clock.after_working_days(state.clock_started_at, owed.working_days)


def answer_by(state: CaseState, clock: Clock) -> datetime:
    """Return when the resident must have an answer; the one pause is not counted, and an extension holds."""
    regular = _regular_answer_by(state, clock)
    return regular if state.extended_until is None else max(regular, state.extended_until)


def extension_end(state: CaseState, clock: Clock) -> datetime:
    """Return until when the office may extend the deadline for the answer."""
    return clock.after_working_days(_regular_answer_by(state, clock), clock.rules.extension.longest_working_days)


def _regular_answer_by(state: CaseState, clock: Clock) -> datetime:
    started, pause, owed = state.clock_started_at, pause_of(state), _answer_period(state, clock)
    if clock.is_safety:
        return started + owed.safety + (pause[1] - pause[0] if pause else timedelta())
    days = owed.working_days
    if pause:
        # A pause until midnight ends with the day before.
        last = pause[1] - timedelta(microseconds=1)
        days += clock.calendar.count_between(clock.local_day(pause[0]), clock.local_day(last))
    return clock.after_working_days(started, days)


def next_deadline(state: CaseState, clock: Clock) -> datetime | None:
    """Return the next deadline, or None while the case waits for the resident or is over."""
    if state.status not in DEADLINE_STATUSES:
        return None
    if state.is_external:
        return state.extended_until
    return acknowledge_by(state, clock) if state.status is CaseStatus.SUBMITTED else answer_by(state, clock)


def judged_deadline(state: CaseState, event: Event, clock: Clock) -> datetime | None:
    """Return the deadline of the period that a step ends, as it stands at that step, or None where it ends none.

    It is stored with the event and never computed again: the period was kept if `is_kept`, and breached otherwise. What
    the resident ends in time, by withdrawing the case or asking for a review, is neither.
    """
    if state.status not in _OWED:
        return None
    after = advance(state, event)
    if state.is_external:
        # The limit of the hotline is for the answer; its own clock measures what came before.
        ends_limit = state.status in DEADLINE_STATUSES and event.action in {CaseAction.RESPOND, CaseAction.CLOSE}
        return state.extended_until if ends_limit else None
    if _OWED.get(after.status) is _OWED[state.status] and after.clock_started_at == state.clock_started_at:
        return None
    if state.status is CaseStatus.AWAITING_RESIDENT and state.resumed_at is None:
        # The question is answered by the step itself.
        state = replace(state, resumed_at=event.at)
    deadline = _OWED[state.status](state, clock)
    return None if event.actor is CaseActor.RESIDENT and is_kept(event.at, deadline) else deadline


def is_kept(at: datetime, deadline: datetime) -> bool:
    """Return whether a period was kept that was ended then: a deadline is the first moment that is too late."""
    return at < deadline


def due_events(state: CaseState, clock: Clock, *, now: datetime) -> Iterator[Event]:
    """Yield the steps that are due by time alone at `now`, each dated when it fell due."""
    while (event := _next_event(state, clock)) is not None and event.at <= now:
        yield event
        state = advance(state, event)


def due_at(state: CaseState, clock: Clock) -> datetime | None:
    """Return when the next step is due by time alone, or None where none will be."""
    event = _next_event(state, clock)
    return None if event is None else event.at


def _next_event(state: CaseState, clock: Clock) -> Event | None:
    if state.is_external:
        return None
    # A case may have come to where it stands after that time, such as when a pause ends or it is taken out of another.
    if state.status is CaseStatus.RESPONDED:
        over = state.last_contact_at + clock.rules.silence
        return Event(CaseAction.AUTO_CLOSE, CaseActor.SYSTEM, max(over, state.since))
    if state.status is CaseStatus.AWAITING_RESIDENT:
        assert state.paused_until is not None
        return Event(CaseAction.RESUME, CaseActor.SYSTEM, max(state.paused_until, state.since))
    deadline = next_deadline(state, clock)
    # A breach in stage 2 changes nothing more: somebody else has the case already.
    if deadline is None or state.stage != 1:
        return None
    return Event(CaseAction.ESCALATE, CaseActor.SYSTEM, max(deadline, state.since))


def _answer_period(state: CaseState, clock: Clock) -> Period:
    return clock.rules.answer if state.stage == 1 else clock.rules.stage_2


def pause_of(state: CaseState) -> tuple[datetime, datetime] | None:
    """Return from when until when the present clock was paused, or None where it was not."""
    if state.paused_at is None or state.paused_until is None or state.paused_at < state.clock_started_at:
        return None
    return state.paused_at, min(state.resumed_at or state.paused_until, state.paused_until)


# What is owed to the resident in a status, and until when.
_OWED: Mapping[CaseStatus, Callable[[CaseState, Clock], datetime]] = {
    CaseStatus.SUBMITTED: acknowledge_by,
    **dict.fromkeys(OPEN - {CaseStatus.SUBMITTED, CaseStatus.RESPONDED}, answer_by),
}
