"""Traps in which clocks of other systems for casework have been caught, each by the name of what it guards.

The trackers of GLPI, Zammad and Zendesk tell of them: paused time that was forgotten, solved time that was booked as
paused, clocks that handing a case on started anew, calendars that never ended.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from analytics.files.yaml_documents import DocumentError
from survey_app.complaints.cases import (
    due_references,
    find_case,
    inconsistent_references,
    record_history,
    settle_case,
    take_step,
)
from survey_app.complaints.casework_files import publish_casework_file
from survey_app.complaints.categories import category_of
from survey_app.complaints.deadlines import (
    Clock,
    acknowledge_by,
    answer_by,
    due_at,
    due_events,
    is_kept,
    judged_deadline,
    next_deadline,
    pause_end,
)
from survey_app.complaints.state_machine import (
    ENDED,
    Event,
    advance,
    fold,
    submitted,
)
from survey_app.complaints.working_days import Calendar, parse_calendar_year
from survey_app.demo.simulation.case_histories import draw_case_history
from survey_app.models import Complaint, ComplaintEvent
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseStatus
from tests.casework import CALENDAR, CASEWORK_FILE, RULES, possible_event
from tests.factories import NOW, make_community, make_complaint, make_round

ZONE = ZoneInfo("Asia/Shanghai")
ORDINARY = Clock(is_safety=False, rules=RULES, calendar=CALENDAR, zone=ZONE)
SAFETY = Clock(is_safety=True, rules=RULES, calendar=CALENDAR, zone=ZONE)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNTIL_STARTED = (CaseAction.ACCEPT, CaseAction.DISPATCH, CaseAction.START)
clocks = st.sampled_from([ORDINARY, SAFETY])
moments = st.datetimes(datetime(2024, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC))  # noqa: DTZ001 (made aware)
choices = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 400)), max_size=30)


def started(at):
    return run(submitted(at, bypasses_company=False, rules=RULES), at, *UNTIL_STARTED)


def run(state, at, *actions, actor=CaseActor.BUREAU, **values):
    for action in actions:
        state = advance(state, Event(action, actor, at, **values))
    return state


def paused(state, at, clock, *, until):
    asked = run(state, at, CaseAction.ASK_RESIDENT, until=pause_end(at, clock))
    return run(asked, until, CaseAction.ADD, actor=CaseActor.RESIDENT)


def walk(at, clock, chosen):
    """Yield each state that a case comes to, with the step that it takes next: what is due, or something possible."""
    state = submitted(at, bypasses_company=False, rules=clock.rules)
    for choice, hours in chosen:
        at += timedelta(hours=hours)
        steps = list(due_events(state, clock, now=at))
        if not steps:
            event = possible_event(state, clock, choice=choice, at=at)
            if event is None:
                return
            steps = [event]
        for event in steps:
            yield state, event
            state = advance(state, event)


@pytest.fixture
def case(database):
    """An ordinary case, filed on a Tuesday at noon in Wuhai."""
    with database.writing() as session:
        make_round(session)
        return make_complaint(session, make_community(session), category="CL01").reference


def step(database, case, action, actor=CaseActor.BUREAU, *, now):
    with database.writing() as session:
        take_step(session, reference=case, action=action, actor=actor, by="account:1", now=now)


def judged(database):
    with database.reading() as session:
        rows = select(ComplaintEvent.action, ComplaintEvent.at, ComplaintEvent.due_at).order_by(ComplaintEvent.id)
        return [(action, is_kept(at, due)) for action, at, due in session.execute(rows) if due is not None]


# ---- 1. Other rules after a pause forget the paused time (glpi#6902, #15605). ----


def test_rules_that_are_published_during_a_pause_forget_no_paused_time(database, case):
    for action in (*UNTIL_STARTED, CaseAction.ASK_RESIDENT):
        step(database, case, action, now=NOW + HOUR)
    text = CASEWORK_FILE.read_text("utf-8").replace("in_force_from: 2021-08-23", "in_force_from: 2026-09-16")
    shorter = text.replace("answer: {working_days: 10", "answer: {working_days: 2").encode()
    with database.writing() as session:
        publish_casework_file(session, content=shorter, source="shorter.yaml", now=NOW + 2 * HOUR)
    # Three working days later.
    step(database, case, CaseAction.ADD, CaseActor.RESIDENT, now=NOW + 3 * DAY)

    with database.reading() as session:
        deadline = find_case(session, reference=case, now=NOW + 3 * DAY).deadline
    assert deadline == ORDINARY.after_working_days(NOW, 10 + 3)


# ---- 2. The time between answer and reopening is booked as paused (glpi#23359, zammad#188). ----


@given(moments, clocks, st.integers(0, 100), st.integers(0, 6 * 24))
def test_the_time_between_answer_and_reopening_is_neither_paused_nor_owed(at, clock, waited, silent):
    heard = paused(started(at), at, clock, until=at + timedelta(hours=waited))
    answered_at = at + timedelta(hours=waited)
    answered = run(heard, answered_at, CaseAction.RESPOND)
    reopened_at = answered_at + timedelta(hours=silent)
    reopened = run(answered, reopened_at, CaseAction.REJECT, actor=CaseActor.RESIDENT)

    fresh = submitted(reopened_at, bypasses_company=False, rules=RULES)
    assert next_deadline(answered, clock) is None
    assert answer_by(reopened, clock) >= answer_by(fresh, clock)
    if waited or silent:
        assert answer_by(reopened, clock) == answer_by(fresh, clock)


# ---- 3. Handing a case on leaves the next unit no time, or starts a clock anew (glpi#1911, #14423, zammad#5624). ----


@given(moments, clocks, st.lists(st.integers(0, 20), min_size=3, max_size=3))
def test_handing_a_case_on_moves_no_deadline(at, clock, hours):
    state = submitted(at, bypasses_company=False, rules=RULES)
    owed = answer_by(state, clock)
    for action, gap in zip(UNTIL_STARTED, hours, strict=True):
        at += timedelta(hours=gap)
        state = run(state, at, action)
        assert answer_by(state, clock) == owed


@given(moments, clocks, st.integers(1, 20))
def test_who_reviews_a_case_has_the_whole_time_of_stage_2(at, clock, hours):
    later = at + timedelta(hours=hours)
    reviewed = run(started(at), later, CaseAction.ESCALATE, actor=CaseActor.RESIDENT)

    assert answer_by(reviewed, clock) == answer_by(submitted(later, bypasses_company=False, rules=RULES), clock)


# ---- 4. What happens at one moment loses the figure of the first answer (zammad#3551). ----


def test_steps_at_one_moment_lose_no_judgement(database, case):
    at = NOW + HOUR
    for action in (*UNTIL_STARTED, CaseAction.ASK_RESIDENT):
        step(database, case, action, now=at)
    step(database, case, CaseAction.ADD, CaseActor.RESIDENT, now=at)
    step(database, case, CaseAction.RESPOND, now=at)

    assert judged(database) == [("accept", True), ("respond", True)]


def test_an_end_while_the_resident_is_asked_is_judged_as_if_they_had_answered(database, case):
    for action in (*UNTIL_STARTED, CaseAction.ASK_RESIDENT):
        step(database, case, action, now=NOW + HOUR)
    with database.writing() as session:
        take_step(
            session,
            reference=case,
            action=CaseAction.REFUSE,
            actor=CaseActor.BUREAU,
            by="account:1",
            reason=CaseEndReason.OTHER_AUTHORITY,
            now=NOW + DAY,
        )

    assert judged(database) == [("accept", True), ("refuse", True)]
    with database.reading() as session:
        refused = session.scalars(select(ComplaintEvent).filter_by(action="refuse")).one()
        assert refused.due_at == ORDINARY.after_working_days(NOW, 10 + 1)


# ---- 5. What is over stays escalated and goes on telling so (zammad#4353, #3523). ----


@given(moments, clocks, choices)
def test_a_case_that_has_ended_is_due_no_more(at, clock, chosen):
    for state, _event in walk(at, clock, chosen):
        if state.status in ENDED:
            assert (next_deadline(state, clock), due_at(state, clock)) == (None, None)


def test_no_ended_case_is_looked_for(database, case):
    step(database, case, CaseAction.WITHDRAW, CaseActor.RESIDENT, now=NOW + HOUR)

    with database.reading() as session:
        assert list(due_references(session, now=NOW + 400 * DAY)) == []


# ---- 6. A calendar without working days never ends (zammad#2497, zendesk/biz#130). ----


def test_a_year_without_working_days_is_refused():
    year = "format: jiayuan-calendar-1\nyear: 2027\nbasis: x\nholidays: [{name: x, from: 2027-01-01, to: 2027-12-31}]\n"

    with pytest.raises(DocumentError, match="no year has more than 60 days off, these are 365"):
        parse_calendar_year(year.encode(), "2027.yaml")


@given(st.sets(st.dates(date(2027, 1, 1), date(2027, 12, 31))), st.integers(1, 250))
def test_counting_ends_in_every_calendar(days_off, count):
    calendar = Calendar(frozenset(days_off), frozenset())

    assert calendar.after(date(2026, 12, 31), count) <= date(2027, 12, 31) + timedelta(days=2 * count + 10)


# ---- 7. A minute a night is lost, and a deadline is missed by the clock that states it (zammad#3180). ----


@given(moments)
def test_a_working_day_ends_with_its_midnight_and_no_minute_is_lost(at):
    state = submitted(at, bypasses_company=False, rules=RULES)
    deadline = acknowledge_by(state, ORDINARY)
    last = deadline - timedelta(microseconds=1)

    assert (deadline.hour, deadline.minute, deadline.second) == (0, 0, 0)
    assert CALENDAR.is_working_day(last.date())
    assert list(due_events(state, ORDINARY, now=last)) == []
    assert is_kept(last, judged_deadline(state, Event(CaseAction.ACCEPT, CaseActor.BUREAU, last), ORDINARY))
    (missed, *_more) = due_events(state, ORDINARY, now=deadline)
    assert not is_kept(missed.at, judged_deadline(state, missed, ORDINARY))


# ---- 8. Days that are worked for others cannot be stated (zendesk/biz#103). ----


@pytest.mark.parametrize("worked", sorted(CALENDAR.make_up_days))
def test_a_weekend_that_is_worked_counts_as_a_working_day(worked):
    before = datetime.combine(worked - DAY, datetime.min.time(), ZONE) + 12 * HOUR

    assert worked.weekday() >= 5
    deadline = acknowledge_by(submitted(before, bypasses_company=False, rules=RULES), ORDINARY)
    assert deadline == datetime.combine(worked + DAY, datetime.min.time(), ZONE)


# ---- Whatever happens. ----


@given(moments, clocks, choices)
def test_no_clock_ever_runs_backwards(at, clock, chosen):
    for state, event in walk(at, clock, chosen):
        after = advance(state, event)
        assert after.clock_started_at >= state.clock_started_at
        assert answer_by(state, clock) > state.clock_started_at
        assert acknowledge_by(state, clock) > state.clock_started_at
        is_promised_anew = (after.paused_at, after.extended_until) != (state.paused_at, state.extended_until)
        if after.clock_started_at == state.clock_started_at and not is_promised_anew:
            assert answer_by(after, clock) <= answer_by(state, clock)
        deadline = judged_deadline(state, event, clock)
        if deadline is not None:
            assert deadline > state.clock_started_at
            assert event.actor is not CaseActor.RESIDENT or not is_kept(event.at, deadline)


@given(moments, clocks, choices)
def test_every_period_that_somebody_owes_is_judged_when_it_ends(at, clock, chosen):
    taken = list(walk(at, clock, chosen))
    for (state, event), (after, _next) in pairwise(taken):
        if event.action is CaseAction.RESPOND or (
            state.status is CaseStatus.SUBMITTED and event.action is CaseAction.ACCEPT
        ):
            assert judged_deadline(state, event, clock) is not None
        if after.status is state.status and after.stage == state.stage:
            assert judged_deadline(state, event, clock) is None


def test_what_is_stored_is_what_a_replay_gives(database):
    random, categories = np.random.default_rng(7), ("CL01", "EQ01", "SV04")
    with database.writing() as session:
        make_round(session)
        community = make_community(session)
        for number in range(60):
            category = category_of(categories[number % 3])
            filed_at = NOW - timedelta(days=3 * number)
            case = make_complaint(session, community, category=category.code, submitted_at=filed_at).reference
            clock = Clock(category.safety, RULES, CALENDAR, ZONE)
            life = draw_case_history(
                random, submitted_at=filed_at, category=category, company_id=None, clock=clock, now=NOW
            )
            record_history(session, reference=case, events=life)
            settle_case(session, reference=case, now=NOW)

    with database.reading() as session:
        assert list(inconsistent_references(session)) == []
        kept = set()
        for complaint in session.scalars(select(Complaint)):
            category = category_of(complaint.category)
            clock = Clock(category.safety, RULES, CALENDAR, ZONE)
            rows = session.scalars(
                select(ComplaintEvent).filter_by(complaint_id=complaint.id).order_by(ComplaintEvent.number)
            ).all()
            events = [
                Event(CaseAction(row.action), CaseActor(row.actor), row.at, row.reason, row.original_id, row.until)
                for row in rows
            ]
            for number, row in enumerate(rows[1:], 1):
                before = fold(events[:number], bypasses_company=category.bypasses_company, rules=RULES)
                assert row.due_at == judged_deadline(before, events[number], clock)
                kept.add(row.due_at is not None and is_kept(row.at, row.due_at))
        assert kept == {True, False}
