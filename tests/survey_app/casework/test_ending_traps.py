"""Traps in which other systems for casework have been caught where cases are merged, answered and opened again.

The trackers of osTicket, Zammad, frappe/helpdesk and FixMyStreet tell of them: merges that nobody can undo, words that
were lost with them, cases merged into what nobody looks at, answers that closed a case before the resident had spoken.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select

from survey_app.accounts.scope import EVERYWHERE
from survey_app.casework.inbox import CaseFilter, Queue, list_cases
from survey_app.casework.remaining_time import office_time
from survey_app.complaints.cases import MergedIntoEnded, find_own_case, stored_state, take_step
from survey_app.models import Complaint
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseStatus
from tests.factories import NOW, make_community, make_complaint, make_round

HOUR = timedelta(hours=1)
BUREAU, RESIDENT = CaseActor.BUREAU, CaseActor.RESIDENT
MERGED = {"reason": CaseEndReason.SAME_CASE}
ENDINGS = (
    (CaseAction.INVALIDATE, BUREAU, {"reason": CaseEndReason.NOT_A_CASE}),
    (CaseAction.REFUSE, BUREAU, {"reason": CaseEndReason.OTHER_AUTHORITY}),
    (CaseAction.WITHDRAW, RESIDENT, {}),
)
TO_AN_ANSWER = (CaseAction.ACCEPT, CaseAction.DISPATCH, CaseAction.START, CaseAction.RESPOND)


@pytest.fixture
def two(database):
    """Two cases of one community, filed one after the other."""
    with database.writing() as session:
        make_round(session)
        community = make_community(session)
        return [
            make_complaint(session, community, category="CL01", submitted_at=NOW + number * HOUR).reference
            for number in range(2)
        ]


def step(database, case, action, actor=BUREAU, *, now=NOW + 2 * HOUR, **values):
    with database.writing() as session:
        take_step(session, reference=case, action=action, actor=actor, by="account:1", now=now, **values)


def answer(database, case, *, now=NOW + 2 * HOUR):
    for action in TO_AN_ANSWER:
        text = "已修好" if action is CaseAction.RESPOND else ""
        step(database, case, action, now=now, text=text)


def state(database, case):
    with database.reading() as session:
        return stored_state(session, session.scalars(select(Complaint).filter_by(reference=case)).one())


def words(database, case, *, now=NOW + 9 * HOUR):
    with database.reading() as session:
        return [each.text for each in find_own_case(session, reference=case, now=now).steps if each.text]


def queue(database, case, *, now):
    with database.reading() as session:
        for name in Queue:
            listed = list_cases(session, EVERYWHERE, CaseFilter(queue=name), office_time(session, now), limit=10)
            if case in {each.reference for each in listed}:
                return name
    return None


# ---- 9. Merges without undo or split (osTicket#5325), threads missing after a merge (osTicket#5339), cases merged into
# an ended one that stays ended (zammad#2467, frappe/helpdesk#2260). ----


def test_a_merge_is_undone_with_the_clock_that_never_stopped_and_every_word(database, two):
    first, second = two
    step(database, second, CaseAction.ACCEPT, text="已受理")
    before = state(database, second)
    step(database, second, CaseAction.MERGE, original=first, now=NOW + 3 * HOUR, text="与先前一件相同", **MERGED)
    assert words(database, second) == ["已受理", "与先前一件相同"]
    assert words(database, first) == []

    step(database, second, CaseAction.SPLIT, now=NOW + 5 * HOUR)

    after = state(database, second)
    assert (after.status, after.clock_started_at) == (before.status, before.clock_started_at)
    assert words(database, second) == ["已受理", "与先前一件相同"]
    assert state(database, first).status is CaseStatus.SUBMITTED


@pytest.mark.parametrize(("ending", "actor", "values"), ENDINGS, ids=[str(ending[0]) for ending in ENDINGS])
def test_nothing_is_merged_into_what_nobody_looks_at(database, two, ending, actor, values):
    first, second = two
    step(database, first, ending, actor, **values)

    with pytest.raises(MergedIntoEnded):
        step(database, second, CaseAction.MERGE, original=first, now=NOW + 3 * HOUR, **MERGED)

    assert state(database, second).status is CaseStatus.SUBMITTED


# ---- 10. “Fixed” of the company closes the case (fixmystreet#2357), no word for “in part” (#588) or for closed and not
# fixed (#285, #1339, #1340), what is opened again reaches nobody (#897). ----


def test_an_answer_closes_nothing_before_the_resident_has_had_the_word(database, two):
    case, _other = two
    answer(database, case)

    assert state(database, case).status is CaseStatus.RESPONDED
    assert queue(database, case, now=NOW + 3 * HOUR) is Queue.ANSWERED
    step(database, case, CaseAction.CONFIRM, RESIDENT, now=NOW + 4 * HOUR)
    assert queue(database, case, now=NOW + 5 * HOUR) is Queue.ENDED


@pytest.mark.parametrize("verdict", [CaseAction.PARTLY, CaseAction.REJECT])
def test_what_is_not_fixed_or_in_part_comes_back_to_the_office_with_its_history(database, two, verdict):
    case, _other = two
    answer(database, case)

    step(database, case, verdict, RESIDENT, now=NOW + 4 * HOUR, text="还在漏")

    assert queue(database, case, now=NOW + 5 * HOUR) is Queue.REOPENED
    assert words(database, case) == ["已修好", "还在漏"]


def test_what_was_closed_and_is_not_fixed_is_opened_again_in_sight_of_the_office(database, two):
    case, _other = two
    answer(database, case)
    step(database, case, CaseAction.CONFIRM, RESIDENT, now=NOW + 4 * HOUR)

    step(database, case, CaseAction.REOPEN, RESIDENT, now=NOW + 30 * HOUR, text="又坏了")

    assert queue(database, case, now=NOW + 31 * HOUR) is Queue.REOPENED
    assert words(database, case, now=NOW + 31 * HOUR) == ["已修好", "又坏了"]
