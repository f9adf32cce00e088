"""Cases of the hotline in the state machine: whatever is done with one, no time of ours runs for it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.complaints.deadlines import Clock, due_at, due_events, judged_deadline, next_deadline
from survey_app.complaints.state_machine import Event, advance, begun, fold
from survey_app.errors import TransitionRefused
from survey_app.models.vocabulary import CaseAction, CaseActor
from tests.casework import CALENDAR, RULES, possible_event

CLOCK = Clock(is_safety=False, rules=RULES, calendar=CALENDAR, zone=ZoneInfo("Asia/Shanghai"))
DECADE = timedelta(days=3650)
filed = st.datetimes(datetime(2024, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC))  # noqa: DTZ001 (made aware)
limits = st.none() | st.integers(0, 60).map(lambda days: timedelta(days=days))
choices = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 400)), max_size=25)


def walk(at, limit, chosen):
    """Yield each event of a case of the hotline with the states before and after it."""
    first = Event(CaseAction.SUBMIT, CaseActor.BUREAU, at, until=None if limit is None else at + limit)
    state = begun(first, bypasses_company=False, rules=RULES)
    yield None, first, state
    for choice, hours in chosen:
        at += timedelta(hours=hours)
        event = possible_event(state, CLOCK, choice=choice, at=at)
        if event is None:
            return
        after = advance(state, event)
        yield state, event, after
        state = after


@given(filed, limits, choices)
def test_nothing_falls_due_by_our_times(at, limit, chosen):
    for _before, event, state in walk(at, limit, chosen):
        assert event.actor is not CaseActor.SYSTEM
        assert due_at(state, CLOCK) is None
        assert list(due_events(state, CLOCK, now=at + DECADE)) == []
        assert next_deadline(state, CLOCK) in {None, state.extended_until}


@given(filed, limits, choices)
def test_the_time_limit_moves_where_a_file_says_so_and_nowhere_else(at, limit, chosen):
    for before, event, state in walk(at, limit, chosen):
        if before is not None and event.action not in {CaseAction.LIMIT, CaseAction.RETRACT}:
            assert state.extended_until == before.extended_until
            assert judged_deadline(before, event, CLOCK) in {None, before.extended_until}


@given(filed, limits, choices)
def test_its_events_replay_to_where_it_stands(at, limit, chosen):
    steps = list(walk(at, limit, chosen))

    assert fold([event for _before, event, _after in steps], bypasses_company=False, rules=RULES) == steps[-1][2]


@given(filed, limits, choices, choices)
def test_a_file_that_is_taken_back_leaves_the_case_as_it_was_before_it(at, limit, chosen, later):
    *_earlier, (_before, _event, state) = walk(at, limit, chosen)
    marked = advance(state, Event(CaseAction.FILE, CaseActor.BUREAU, state.since))
    moved, now = marked, at + DECADE
    for choice, hours in later:
        now += timedelta(hours=hours)
        event = possible_event(moved, CLOCK, choice=choice, at=now)
        if event is not None and event.action not in {CaseAction.FILE, CaseAction.RETRACT}:
            moved = advance(moved, event)

    restored = advance(moved, Event(CaseAction.RETRACT, CaseActor.BUREAU, now))

    assert (restored.status, restored.extended_until, restored.company_id) == (
        state.status,
        state.extended_until,
        state.company_id,
    )


@pytest.mark.parametrize("action", [CaseAction.AUTO_CLOSE, CaseAction.ESCALATE, CaseAction.RESUME])
def test_time_takes_no_step_of_it(action):
    at = datetime(2026, 9, 1, tzinfo=UTC)
    state = begun(Event(CaseAction.SUBMIT, CaseActor.BUREAU, at), bypasses_company=False, rules=RULES)

    with pytest.raises(TransitionRefused):
        advance(state, Event(action, CaseActor.SYSTEM, at + DECADE))
