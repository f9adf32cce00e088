from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.complaints.deadlines import Clock, acknowledge_by, answer_by, due_events, next_deadline, pause_end
from survey_app.complaints.state_machine import Event, advance, submitted
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseStatus
from tests.casework import CALENDAR, RULES

ZONE = ZoneInfo("Asia/Shanghai")
ORDINARY = Clock(is_safety=False, rules=RULES, calendar=CALENDAR, zone=ZONE)
SAFETY = Clock(is_safety=True, rules=RULES, calendar=CALENDAR, zone=ZONE)
clocks = st.sampled_from([ORDINARY, SAFETY])
moments = st.datetimes(datetime(2024, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC))  # noqa: DTZ001 (made aware)


def filed(at):
    return submitted(at, bypasses_company=False, rules=RULES)


@pytest.mark.parametrize(
    ("sent", "acknowledged", "answered"),
    [
        ("2026-09-15T12:00+08:00", "2026-09-17T00:00+08:00", "2026-09-30T00:00+08:00"),
        # The evening before the National Day: seven days off, and Saturday the 10th is worked.
        ("2026-09-30T23:59+08:00", "2026-10-09T00:00+08:00", "2026-10-21T00:00+08:00"),
        ("2026-10-03T09:00+08:00", "2026-10-09T00:00+08:00", "2026-10-21T00:00+08:00"),
    ],
)
def test_an_ordinary_case_is_acknowledged_in_one_working_day_and_answered_in_ten(sent, acknowledged, answered):
    state = filed(datetime.fromisoformat(sent))

    assert acknowledge_by(state, ORDINARY) == datetime.fromisoformat(acknowledged)
    assert answer_by(state, ORDINARY) == datetime.fromisoformat(answered)


@given(moments)
def test_a_safety_case_is_acknowledged_in_two_hours_and_answered_in_a_day_whatever_day_it_is(at):
    assert acknowledge_by(filed(at), SAFETY) - at == timedelta(hours=2)
    assert answer_by(filed(at), SAFETY) - at == timedelta(hours=24)


@given(moments, clocks, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_pause_moves_the_answer_and_never_beyond_five_working_days(at, clock, waited):
    state = filed(at)
    for action in (CaseAction.ACCEPT, CaseAction.DISPATCH, CaseAction.START):
        state = advance(state, Event(action, CaseActor.BUREAU, at))
    unpaused = answer_by(state, clock)
    waiting = advance(state, Event(CaseAction.ASK_RESIDENT, CaseActor.BUREAU, at, until=pause_end(at, clock)))
    assert next_deadline(waiting, clock) is None
    heard = advance(waiting, Event(CaseAction.ADD, CaseActor.RESIDENT, at + waited))

    paused = answer_by(heard, clock)
    assert paused >= unpaused
    if clock is SAFETY:
        assert paused - unpaused == min(waited, pause_end(at, clock) - at)
    else:
        assert paused <= clock.after_working_days(unpaused - timedelta(microseconds=1), 5)


@given(moments, clocks, st.timedeltas(timedelta(0), timedelta(days=200)))
def test_time_moves_a_case_the_same_way_however_often_one_looks(at, clock, later):
    state, pending_sign_in = filed(at), filed(at)
    for event in due_events(state, clock, now=at + later):
        state = advance(state, event)
    for now in (at + later / 2, at + later):
        for event in due_events(pending_sign_in, clock, now=now):
            pending_sign_in = advance(pending_sign_in, event)

    assert pending_sign_in == state
    assert list(due_events(state, clock, now=at + later)) == []


def test_what_fell_due_is_dated_when_it_did():
    at = datetime(2026, 9, 15, 4, tzinfo=UTC)

    (event,) = due_events(filed(at), SAFETY, now=at + timedelta(days=9))

    assert (event.action, event.actor, event.at) == (CaseAction.ESCALATE, CaseActor.SYSTEM, at + timedelta(hours=2))


def test_a_deadline_missed_in_stage_2_moves_nothing():
    at = datetime(2026, 9, 15, 4, tzinfo=UTC)
    escalated = advance(filed(at), Event(CaseAction.ESCALATE, CaseActor.RESIDENT, at))

    assert list(due_events(escalated, ORDINARY, now=at + timedelta(days=99))) == []
    assert next_deadline(escalated, ORDINARY) is not None


def test_a_case_that_is_over_owes_nothing():
    at = datetime(2026, 9, 15, 4, tzinfo=UTC)
    withdrawn = advance(filed(at), Event(CaseAction.WITHDRAW, CaseActor.RESIDENT, at))

    assert withdrawn.status is CaseStatus.WITHDRAWN
    assert next_deadline(withdrawn, ORDINARY) is None


@given(moments, clocks, st.integers(1, 200))
def test_words_that_the_resident_adds_start_no_clock_anew(at, clock, hours):
    state = filed(at)
    for action in (CaseAction.ACCEPT, CaseAction.DISPATCH, CaseAction.START, CaseAction.RESPOND):
        state = advance(state, Event(action, CaseActor.BUREAU, at))
    reopened = advance(state, Event(CaseAction.REJECT, CaseActor.RESIDENT, at))
    reviewed = advance(state, Event(CaseAction.ESCALATE, CaseActor.RESIDENT, at))

    for waiting in (reopened, reviewed):
        added = advance(waiting, Event(CaseAction.ADD, CaseActor.RESIDENT, at + timedelta(hours=hours)))
        assert answer_by(added, clock) == answer_by(waiting, clock)
