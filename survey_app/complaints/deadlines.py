"""Deadlines of a complaint for acknowledgement and answer, and what happens by itself when a period is over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from analytics.canonical import sha256_hex
from survey_app.complaints.state_machine import DEADLINE_STATUSES, SILENCE_PERIOD, CaseState, Event, advance
from survey_app.complaints.working_days import Calendar, end_of
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseStatus

# Lift entrapment, fire and gas do not wait for an office to open.
SAFETY_ACKNOWLEDGEMENT = timedelta(hours=2)
SAFETY_ANSWER = timedelta(hours=24)
ACKNOWLEDGEMENT_WORKING_DAYS = 1
ANSWER_WORKING_DAYS = 10
LONGEST_PAUSE_WORKING_DAYS = 5
LONGEST_EXTENSION_WORKING_DAYS = 10


@dataclass(frozen=True)
class Clock:
    """Deadline clock of a case: hours for a matter of safety, working days of the city for any other."""

    is_safety: bool
    calendar: Calendar
    zone: tzinfo

    @property
    def basis(self) -> str:
        """Digest of the calendar and the zone: a deadline that was computed by others may be another."""
        return sha256_hex(f"{self.zone} {self.calendar.digest}")[:16]

    def local_day(self, moment: datetime) -> date:
        """Return the local date of the city at a moment."""
        return moment.astimezone(self.zone).date()

    def after_working_days(self, moment: datetime, count: int) -> datetime:
        """Return the end of the `count`-th working day after the day of a moment."""
        return end_of(self.calendar.after(self.local_day(moment), count), self.zone)


def pause_end(asked_at: datetime, clock: Clock) -> datetime:
    """Return until when a question to the resident may pause the clock."""
    return clock.after_working_days(asked_at, LONGEST_PAUSE_WORKING_DAYS)


def acknowledge_by(state: CaseState, clock: Clock) -> datetime:
    """Return when a submitted case must have been accepted or refused."""
    if clock.is_safety:
        return state.clock_started_at + SAFETY_ACKNOWLEDGEMENT
    return clock.after_working_days(state.clock_started_at, ACKNOWLEDGEMENT_WORKING_DAYS)


def answer_by(state: CaseState, clock: Clock) -> datetime:
    """Return when the resident must have an answer; the one pause is not counted, and an extension holds."""
    regular = _regular_answer_by(state, clock)
    return regular if state.extended_until is None else max(regular, state.extended_until)


def extension_end(state: CaseState, clock: Clock) -> datetime:
    """Return until when the office may extend the deadline for the answer."""
    return clock.after_working_days(_regular_answer_by(state, clock), LONGEST_EXTENSION_WORKING_DAYS)


def _regular_answer_by(state: CaseState, clock: Clock) -> datetime:
    started, pause = state.clock_started_at, pause_of(state)
    if clock.is_safety:
        return started + SAFETY_ANSWER + (pause[1] - pause[0] if pause else timedelta())
    days = ANSWER_WORKING_DAYS
    if pause:
        # A pause until midnight ends with the day before.
        last = pause[1] - timedelta(microseconds=1)
        days += clock.calendar.count_between(clock.local_day(pause[0]), clock.local_day(last))
    return clock.after_working_days(started, days)


def next_deadline(state: CaseState, clock: Clock) -> datetime | None:
    """Return the next deadline, or None while the case waits for the resident or is over."""
    if state.status not in DEADLINE_STATUSES:
        return None
    return acknowledge_by(state, clock) if state.status is CaseStatus.SUBMITTED else answer_by(state, clock)


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
    # A case may have come to where it stands after that time, such as when a pause ends or it is taken out of another.
    if state.status is CaseStatus.RESPONDED:
        over = state.last_contact_at + SILENCE_PERIOD
        return Event(CaseAction.AUTO_CLOSE, CaseActor.SYSTEM, max(over, state.since))
    if state.status is CaseStatus.AWAITING_RESIDENT:
        assert state.paused_until is not None
        return Event(CaseAction.RESUME, CaseActor.SYSTEM, max(state.paused_until, state.since))
    deadline = next_deadline(state, clock)
    # A breach in stage 2 changes nothing more: somebody else has the case already.
    if deadline is None or state.stage != 1:
        return None
    return Event(CaseAction.ESCALATE, CaseActor.SYSTEM, max(deadline, state.since))


def pause_of(state: CaseState) -> tuple[datetime, datetime] | None:
    """Return from when until when the present clock was paused, or None where it was not."""
    if state.paused_at is None or state.paused_until is None or state.paused_at < state.clock_started_at:
        return None
    return state.paused_at, min(state.resumed_at or state.paused_until, state.paused_until)
