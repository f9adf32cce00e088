"""Explanation of a deadline: from when it runs, which days count, what paused or extended it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from survey_app.city_time import last_day
from survey_app.complaints.deadlines import Clock, next_deadline, pause_of
from survey_app.complaints.state_machine import CaseState
from survey_app.models.vocabulary import CaseStatus


@dataclass(frozen=True)
class ClockExplanation:
    """How a deadline came about, in the city's time.

    `free_days` are the days of the week from Monday to Friday on which offices do not work, `make_up_days` those of a
    weekend on which they do. `is_external` is a time limit of the hotline, which nothing of ours explains.
    """

    is_external: bool
    is_acknowledgement: bool
    is_safety: bool
    stage: int
    started_at: datetime
    deadline: datetime
    working_days: int
    free_days: Sequence[date]
    make_up_days: Sequence[date]
    paused_from: datetime | None
    paused_until: datetime | None
    extended_until: datetime | None


def explain_clock(state: CaseState, clock: Clock) -> ClockExplanation | None:
    """Return how the next deadline of a case came about, or None where nothing is owed."""
    deadline = next_deadline(state, clock)
    if deadline is None:
        return None
    start, end = clock.local_day(state.clock_started_at), last_day(deadline, clock.zone)
    days = [start + timedelta(days=count) for count in range(1, (end - start).days + 1)]
    pause = pause_of(state)
    return ClockExplanation(
        is_external=state.is_external,
        is_acknowledgement=state.status is CaseStatus.SUBMITTED,
        is_safety=clock.is_safety,
        stage=state.stage,
        started_at=state.clock_started_at.astimezone(clock.zone),
        deadline=deadline.astimezone(clock.zone),
        working_days=sum(clock.calendar.is_working_day(day) for day in days),
        free_days=[day for day in days if day in clock.calendar.holidays],
        make_up_days=[day for day in days if day in clock.calendar.make_up_days],
        paused_from=None if pause is None else pause[0].astimezone(clock.zone),
        paused_until=None if pause is None else pause[1].astimezone(clock.zone),
        extended_until=None if state.extended_until is None else state.extended_until.astimezone(clock.zone),
    )
