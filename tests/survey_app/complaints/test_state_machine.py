"""The life cycle as a machine: what DOMAIN names can happen, and nothing else can."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.complaints.state_machine import (
    ENDED,
    ENDING_ACTIONS,
    INTERNAL_ACTIONS,
    NOT_VALID,
    OPEN,
    Event,
    advance,
    fold,
    possible_actions,
    submitted,
)
from survey_app.errors import TransitionRefused
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseOffice, CaseStatus
from tests.casework import RULES

START = datetime(2026, 9, 15, 4, 0, tzinfo=UTC)
RESIDENT, BUREAU, COMPANY, SYSTEM = CaseActor.RESIDENT, CaseActor.BUREAU, CaseActor.COMPANY, CaseActor.SYSTEM

# Every change of status that the rules name, and by whom.
NAMED = {
    (CaseStatus.SUBMITTED, CaseAction.ACCEPT, CaseStatus.ACCEPTED): {BUREAU},
    (CaseStatus.ACCEPTED, CaseAction.DISPATCH, CaseStatus.DISPATCHED): {BUREAU},
    (CaseStatus.REOPENED, CaseAction.DISPATCH, CaseStatus.DISPATCHED): {BUREAU},
    (CaseStatus.STAGE2, CaseAction.DISPATCH, CaseStatus.DISPATCHED): {BUREAU},
    (CaseStatus.DISPATCHED, CaseAction.START, CaseStatus.IN_PROGRESS): {BUREAU, COMPANY},
    (CaseStatus.IN_PROGRESS, CaseAction.ASK_RESIDENT, CaseStatus.AWAITING_RESIDENT): {BUREAU, COMPANY},
    (CaseStatus.AWAITING_RESIDENT, CaseAction.ADD, CaseStatus.IN_PROGRESS): {RESIDENT},
    (CaseStatus.AWAITING_RESIDENT, CaseAction.RESUME, CaseStatus.IN_PROGRESS): {SYSTEM},
    (CaseStatus.IN_PROGRESS, CaseAction.RESPOND, CaseStatus.RESPONDED): {BUREAU, COMPANY},
    (CaseStatus.RESPONDED, CaseAction.CONFIRM, CaseStatus.CLOSED): {RESIDENT},
    (CaseStatus.RESPONDED, CaseAction.AUTO_CLOSE, CaseStatus.CLOSED): {SYSTEM},
    (CaseStatus.RESPONDED, CaseAction.PARTLY, CaseStatus.REOPENED): {RESIDENT},
    (CaseStatus.RESPONDED, CaseAction.REJECT, CaseStatus.REOPENED): {RESIDENT},
    (CaseStatus.RESPONDED, CaseAction.REJECT, CaseStatus.STAGE2): {RESIDENT},
    (CaseStatus.CLOSED, CaseAction.REOPEN, CaseStatus.REOPENED): {RESIDENT},
    **{(status, CaseAction.WITHDRAW, CaseStatus.WITHDRAWN): {RESIDENT} for status in OPEN},
    **{
        (status, CaseAction.ESCALATE, CaseStatus.STAGE2): {RESIDENT}
        for status in set(CaseStatus) - {CaseStatus.WITHDRAWN}
    },
    **{(status, action, end): {BUREAU} for status in OPEN for action, (end, _reasons) in ENDING_ACTIONS.items()},
    # Once more, to another company or back to the same.
    (CaseStatus.IN_PROGRESS, CaseAction.DISPATCH, CaseStatus.DISPATCHED): {BUREAU},
    **{(CaseStatus.DUPLICATE, CaseAction.SPLIT, status): {BUREAU} for status in OPEN},
    **{
        (status, CaseAction.REDO, CaseStatus.REOPENED): {BUREAU} for status in (CaseStatus.RESPONDED, CaseStatus.CLOSED)
    },
}
# What can be said or arranged without the case standing elsewhere.
UNMOVING = {CaseAction.ADD, CaseAction.PROPOSE, CaseAction.DISPATCH, CaseAction.EXTEND, *INTERNAL_ACTIONS}
for missed in (
    CaseStatus.SUBMITTED,
    CaseStatus.ACCEPTED,
    CaseStatus.DISPATCHED,
    CaseStatus.IN_PROGRESS,
    CaseStatus.REOPENED,
):
    NAMED[missed, CaseAction.ESCALATE, CaseStatus.STAGE2] = {RESIDENT, SYSTEM}

gaps = st.timedeltas(timedelta(0), timedelta(days=120))
steps = st.tuples(
    st.sampled_from(CaseAction),
    st.sampled_from(CaseActor),
    gaps,
    st.none() | st.sampled_from(CaseEndReason),
    st.none() | st.integers(1, 9),
)


def event(action, actor, after=timedelta(0), **values):
    return Event(action, actor, START + after, **values)


def run(*steps, bypasses_company=False):
    """Take steps an hour apart, from the submission on."""
    state = submitted(START, bypasses_company=bypasses_company, rules=RULES)
    for hours, (action, actor, *rest) in enumerate(steps, 1):
        state = advance(state, event(action, actor, timedelta(hours=hours), **(rest[0] if rest else {})))
    return state


UNTIL_STARTED = ((CaseAction.ACCEPT, BUREAU), (CaseAction.DISPATCH, BUREAU), (CaseAction.START, COMPANY))
UNTIL_ANSWERED = (*UNTIL_STARTED, (CaseAction.RESPOND, COMPANY))
AGAIN = ((CaseAction.DISPATCH, BUREAU), (CaseAction.START, BUREAU), (CaseAction.RESPOND, BUREAU))


@given(st.lists(steps, max_size=40), st.booleans())
def test_no_case_ever_takes_a_step_that_the_rules_do_not_name(tried, bypasses_company):
    state, at = submitted(START, bypasses_company=bypasses_company, rules=RULES), START
    for action, actor, gap, reason, original in tried:
        at += gap
        try:
            after = advance(state, Event(action, actor, at, reason, original, until=at + gap))
        except TransitionRefused:
            continue
        if after.status is not state.status:
            assert actor in NAMED[state.status, action, after.status]
        else:
            assert action in UNMOVING
        assert after.stage >= state.stage
        state = after


@given(st.lists(st.integers(0, 10**6), max_size=30), st.booleans())
def test_whatever_is_possible_can_be_done_and_leaves_every_promise_kept(choices, bypasses_company):
    """Walks through allowed steps only, which random ones hardly ever reach."""
    state, at, pauses = submitted(START, bypasses_company=bypasses_company, rules=RULES), START, 0
    for choice in choices:
        at += timedelta(hours=choice % 400)
        options = [(action, actor) for actor in CaseActor for action in possible_actions(state, actor=actor, now=at)]
        if not options:
            break
        action, actor = options[choice % len(options)]
        reasons = ENDING_ACTIONS[action][1] if action in ENDING_ACTIONS else {CaseEndReason.OTHER_PLACE}
        taken = Event(
            action,
            actor,
            at,
            min(reasons),
            1 if action is CaseAction.MERGE else None,
            until=at,
            handler_id=2,
            office=next(office for office in CaseOffice if office is not state.office),
        )
        after = advance(state, taken)
        if action is CaseAction.SPLIT:
            assert after.clock_started_at == state.clock_started_at, "a split case keeps its own clock"
        pauses += action is CaseAction.ASK_RESIDENT
        assert pauses <= 1, "the clock is paused once"
        if actor is COMPANY:
            assert not bypasses_company, "a case about retaliation never reaches the company"
            assert state.stage == 1, "stage 2 is handled by someone else"
            assert after.status not in ENDED, "the company may only propose"
        if CaseStatus.WITHDRAWN is after.status is not state.status:
            assert actor is RESIDENT
        if after.status in NOT_VALID:
            assert actor is BUREAU
        state = after


@given(st.lists(steps, max_size=30))
def test_folding_the_events_gives_the_state_in_which_they_were_taken(tried):
    events, at = [event(CaseAction.SUBMIT, RESIDENT)], START
    state = submitted(START, bypasses_company=False, rules=RULES)
    for action, actor, gap, reason, original in tried:
        at += gap
        taken = Event(action, actor, at, reason, original, until=at)
        try:
            state = advance(state, taken)
        except TransitionRefused:
            continue
        events.append(taken)

    assert fold(events, bypasses_company=False, rules=RULES) == state


def test_a_case_goes_from_submission_to_the_residents_yes():
    assert run(*UNTIL_ANSWERED, (CaseAction.CONFIRM, RESIDENT)).status is CaseStatus.CLOSED


def test_a_case_begins_with_its_submission_by_a_resident():
    with pytest.raises(TransitionRefused):
        fold([event(CaseAction.ACCEPT, BUREAU)], bypasses_company=False, rules=RULES)


def test_silence_of_seven_days_closes_and_an_hour_less_does_not():
    answered = run(*UNTIL_ANSWERED)

    with pytest.raises(TransitionRefused):
        advance(answered, Event(CaseAction.AUTO_CLOSE, SYSTEM, answered.since + RULES.silence - timedelta(hours=1)))
    closed = advance(answered, Event(CaseAction.AUTO_CLOSE, SYSTEM, answered.since + RULES.silence))
    assert closed.status is CaseStatus.CLOSED


def test_a_word_from_the_resident_is_no_silence():
    answered = run(*UNTIL_ANSWERED)
    heard = advance(answered, Event(CaseAction.ADD, RESIDENT, answered.since + timedelta(days=6)))

    with pytest.raises(TransitionRefused):
        advance(heard, Event(CaseAction.AUTO_CLOSE, SYSTEM, answered.since + RULES.silence))


def test_the_first_rejection_reopens_and_the_second_goes_to_somebody_else():
    once = run(*UNTIL_ANSWERED, (CaseAction.REJECT, RESIDENT))
    twice = run(*UNTIL_ANSWERED, (CaseAction.REJECT, RESIDENT), *AGAIN, (CaseAction.REJECT, RESIDENT))

    assert (once.status, once.stage) == (CaseStatus.REOPENED, 1)
    assert (twice.status, twice.stage) == (CaseStatus.STAGE2, 2)


def test_what_is_partly_fixed_is_reopened_and_is_no_rejection():
    state = run(*UNTIL_ANSWERED, (CaseAction.PARTLY, RESIDENT), *AGAIN, (CaseAction.REJECT, RESIDENT))

    assert (state.status, state.stage, state.rejections) == (CaseStatus.REOPENED, 1, 1)


def test_a_rejection_in_stage_2_is_reopened_there():
    state = run(
        (CaseAction.ESCALATE, RESIDENT), *AGAIN, (CaseAction.REJECT, RESIDENT), *AGAIN, (CaseAction.REJECT, RESIDENT)
    )

    assert (state.status, state.stage) == (CaseStatus.REOPENED, 2)


def test_a_case_goes_to_stage_2_once():
    with pytest.raises(TransitionRefused):
        run((CaseAction.ESCALATE, RESIDENT), (CaseAction.ESCALATE, RESIDENT))


@pytest.mark.parametrize("action", ENDING_ACTIONS)
def test_a_resident_can_have_the_bureaus_refusal_looked_at_by_somebody_else(action):
    reason = min(ENDING_ACTIONS[action][1])
    original = 1 if action is CaseAction.MERGE else None
    refused = run((action, BUREAU, {"reason": reason, "original_id": original}))

    assert refused.status in NOT_VALID
    assert advance(refused, replace(event(CaseAction.ESCALATE, RESIDENT), at=refused.since)).status is CaseStatus.STAGE2


@pytest.mark.parametrize("action", ENDING_ACTIONS)
def test_a_case_ends_without_work_only_for_a_reason_that_fits(action):
    for reason in (None, *(set(CaseEndReason) - ENDING_ACTIONS[action][1])):
        with pytest.raises(TransitionRefused):
            run((action, BUREAU, {"reason": reason, "original_id": 1 if action is CaseAction.MERGE else None}))


def test_a_duplicate_names_the_case_that_it_repeats():
    with pytest.raises(TransitionRefused):
        run((CaseAction.MERGE, BUREAU, {"reason": CaseEndReason.SAME_CASE}))


def test_a_proposal_of_the_company_changes_nothing():
    before = run(*UNTIL_STARTED)
    after = advance(
        before, event(CaseAction.PROPOSE, COMPANY, timedelta(hours=9), reason=CaseEndReason.PRIVATE_DISPUTE)
    )

    assert after == replace(before, proposal=CaseEndReason.PRIVATE_DISPUTE)


@pytest.mark.parametrize(
    "step",
    [
        (CaseAction.DISPATCH, BUREAU),
        (CaseAction.RESPOND, COMPANY),
        (CaseAction.ESCALATE, RESIDENT),
        (CaseAction.REFUSE, BUREAU, {"reason": CaseEndReason.PRIVATE_DISPUTE}),
    ],
)
def test_a_proposal_waits_until_it_is_decided_or_somebody_goes_on_with_the_case(step):
    proposed = (CaseAction.PROPOSE, COMPANY, {"reason": CaseEndReason.PRIVATE_DISPUTE})

    assert run(*UNTIL_STARTED, proposed).proposal is CaseEndReason.PRIVATE_DISPUTE
    assert run(*UNTIL_STARTED, proposed, step).proposal is None


def test_a_case_is_with_the_company_to_which_it_was_given_last():
    given = {"company_id": 7}
    first = run((CaseAction.ACCEPT, BUREAU), (CaseAction.DISPATCH, BUREAU, given))
    second = run((CaseAction.ACCEPT, BUREAU), (CaseAction.DISPATCH, BUREAU, given), (CaseAction.DISPATCH, BUREAU))

    assert first.company_id == 7
    assert second.company_id is None


def test_no_company_is_given_a_case_in_stage_2_or_one_that_bypasses_it():
    given = {"company_id": 7}
    with pytest.raises(TransitionRefused):
        run((CaseAction.ESCALATE, RESIDENT), (CaseAction.DISPATCH, BUREAU, given))
    with pytest.raises(TransitionRefused):
        run((CaseAction.ACCEPT, BUREAU), (CaseAction.DISPATCH, BUREAU, given), bypasses_company=True)


def test_a_case_goes_to_another_office_and_back_to_the_one_from_which_it_came():
    to_street = (CaseAction.TRANSFER, BUREAU, {"office": CaseOffice.SUBDISTRICT})
    there = run((CaseAction.ASSIGN, BUREAU, {"handler_id": 3}), to_street)
    back = run((CaseAction.ASSIGN, BUREAU, {"handler_id": 3}), to_street, (CaseAction.RETURN, BUREAU))

    assert (there.office, there.handler_id) == (CaseOffice.SUBDISTRICT, None)
    assert (back.office, back.returns_to) == (CaseOffice.DISTRICT, None)
    with pytest.raises(TransitionRefused):
        run((CaseAction.RETURN, BUREAU))
    with pytest.raises(TransitionRefused):
        run((CaseAction.TRANSFER, BUREAU, {"office": CaseOffice.DISTRICT}))


def test_a_deadline_is_extended_once_until_the_answer_is_owed_anew():
    extended = (CaseAction.EXTEND, BUREAU, {"until": START + timedelta(days=20)})
    with pytest.raises(TransitionRefused):
        run(*UNTIL_STARTED, extended, extended)
    with pytest.raises(TransitionRefused):
        run(*UNTIL_STARTED, (CaseAction.EXTEND, BUREAU))

    answered = (CaseAction.RESPOND, COMPANY)
    again = run(*UNTIL_STARTED, extended, answered, (CaseAction.REJECT, RESIDENT))
    assert again.extended_until is None
    assert run(*UNTIL_STARTED, extended, answered).extended_until == START + timedelta(days=20)


def test_an_office_that_finds_an_answer_not_good_enough_has_it_dealt_with_again():
    for end in ((), ((CaseAction.CONFIRM, RESIDENT),)):
        state = run(*UNTIL_ANSWERED, *end, (CaseAction.REDO, BUREAU))
        assert (state.status, state.rejections) == (CaseStatus.REOPENED, 0)
        assert state.clock_started_at == state.since


def test_a_case_is_watched_over_once():
    assert run((CaseAction.SUPERVISE, BUREAU)).is_supervised
    with pytest.raises(TransitionRefused):
        run((CaseAction.SUPERVISE, BUREAU), (CaseAction.SUPERVISE, BUREAU))


@pytest.mark.parametrize("before", [UNTIL_STARTED, UNTIL_ANSWERED])
def test_a_case_that_is_taken_apart_stands_where_it_stood_with_its_own_clock(before):
    merged = (CaseAction.MERGE, BUREAU, {"reason": CaseEndReason.SAME_CASE, "original_id": 1})
    whole, split = run(*before), run(*before, merged, (CaseAction.SPLIT, BUREAU))

    assert (split.status, split.clock_started_at) == (whole.status, whole.clock_started_at)
    with pytest.raises(TransitionRefused):
        run(*before, (CaseAction.SPLIT, BUREAU))


@pytest.mark.parametrize("reopened", [(CaseAction.REJECT, RESIDENT), (CaseAction.ESCALATE, RESIDENT)])
def test_what_is_arranged_within_the_office_starts_no_clock_anew(reopened):
    owed = run(*UNTIL_ANSWERED, reopened)
    noted = run(*UNTIL_ANSWERED, reopened, (CaseAction.NOTE, BUREAU), (CaseAction.ASSIGN, BUREAU, {"handler_id": 3}))

    assert noted.clock_started_at == owed.clock_started_at


def test_what_is_arranged_within_the_office_ends_no_pause():
    asked = (CaseAction.ASK_RESIDENT, COMPANY, {"until": START + timedelta(days=5)})
    noted = run(*UNTIL_STARTED, asked, (CaseAction.NOTE, BUREAU))

    assert (noted.status, noted.resumed_at) == (CaseStatus.AWAITING_RESIDENT, None)


def test_an_ended_case_can_be_reopened_for_ninety_days():
    closed = run(*UNTIL_ANSWERED, (CaseAction.CONFIRM, RESIDENT))

    assert (
        advance(closed, Event(CaseAction.REOPEN, RESIDENT, closed.since + RULES.reopening)).status
        is CaseStatus.REOPENED
    )
    with pytest.raises(TransitionRefused):
        advance(closed, Event(CaseAction.REOPEN, RESIDENT, closed.since + RULES.reopening + timedelta(seconds=1)))


def test_what_was_withdrawn_stays_withdrawn():
    withdrawn = run((CaseAction.WITHDRAW, RESIDENT))

    for actor in CaseActor:
        possible = possible_actions(withdrawn, actor=actor, now=START + timedelta(hours=2))
        assert possible == ((CaseAction.NOTE,) if actor is BUREAU else ())


def test_a_pause_ends_with_the_residents_answer_or_when_it_is_over_and_comes_once():
    asked = (CaseAction.ASK_RESIDENT, COMPANY, {"until": START + timedelta(days=5)})
    waiting = run(*UNTIL_STARTED, asked)

    assert waiting.status is CaseStatus.AWAITING_RESIDENT
    with pytest.raises(TransitionRefused):
        advance(waiting, event(CaseAction.RESUME, SYSTEM, timedelta(days=4)))
    answered = run(*UNTIL_STARTED, asked, (CaseAction.ADD, RESIDENT))
    assert answered.status is CaseStatus.IN_PROGRESS
    with pytest.raises(TransitionRefused):
        advance(answered, event(CaseAction.ASK_RESIDENT, COMPANY, timedelta(days=9), until=START + timedelta(days=14)))


def test_no_step_goes_back_in_time():
    with pytest.raises(TransitionRefused):
        advance(run((CaseAction.ACCEPT, BUREAU)), event(CaseAction.DISPATCH, BUREAU))
