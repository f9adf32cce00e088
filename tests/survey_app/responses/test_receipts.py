import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from survey_app.errors import OtherAnswersSubmitted, UnknownNumber
from survey_app.models import Response, ResponseEvent
from survey_app.models.vocabulary import Mode, ResponseChangeReason, ResponseStatus
from survey_app.responses.receipts import (
    RESIDENT,
    Actor,
    ResponseFrozen,
    ResponseGone,
    correct_response,
    find_receipt,
    prepare_correction,
    withdraw_response,
)
from survey_app.rounds.questionnaires import questionnaire_from_canonical
from survey_app.security.submission_keys import Form, SubmissionKey
from tests.factories import NOW, SECRET, make_account, make_community, make_response, make_round
from tests.together import all_at_once

OTHER_ANSWERS = {"q01": ["2"], "q16": ["1"]}
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def survey(database):
    with database.writing() as session:
        return make_round(session), make_community(session)


def respond(database, survey, **values):
    with database.writing() as session:
        return make_response(session, session.merge(survey[0]), session.merge(survey[1]), **values).receipt


def withdraw(database, number, now=LATER, by=RESIDENT, reason=ResponseChangeReason.WRONG_COMMUNITY):
    with database.writing() as session:
        withdraw_response(session, number=number, reason=reason, by=by, now=now)


def new_key(now=NOW):
    return SubmissionKey.new(form=Form.CORRECTION, code_id=None, round_id=None, now=now)


def correct(database, survey, number, *, key=None, given=OTHER_ANSWERS, now=LATER, by=RESIDENT, mode=Mode.WEB):
    questionnaire = questionnaire_from_canonical(survey[0].questionnaire.text)
    with database.writing() as session:
        return correct_response(
            session,
            number=number,
            key=key or new_key(),
            answers=questionnaire.check_answers(given),
            mode=mode,
            reason=ResponseChangeReason.TYPING_ERROR,
            by=by,
            language="zh-Hans",
            secret_key=SECRET,
            now=now,
        )


def receipt_of(database, number):
    with database.reading() as session:
        return find_receipt(session, number=number, secret_key=SECRET, now=NOW)


def rows(database):
    with database.reading() as session:
        return {row.receipt: row for row in session.execute(select(Response.__table__))}


def events(database):
    with database.reading() as session:
        statement = select(ResponseEvent.kind, ResponseEvent.actor, ResponseEvent.account_id, ResponseEvent.reason)
        return [tuple(row) for row in session.execute(statement.order_by(ResponseEvent.id))]


def test_a_withdrawal_erases_the_answers_and_leaves_that_when_by_whom_and_why(database, survey):
    number = respond(database, survey, household_key="household", answers={"q01": 1, "q24": "李四"})

    withdraw(database, number)

    row = rows(database)[number]
    assert (row.answers, row.tenure, row.nonce, row.household_key, row.code_id) == (None,) * 5
    assert events(database) == [("withdrawn", "resident", None, "wrong_community")]
    receipt = receipt_of(database, number)
    assert (receipt.status, receipt.withdrawn_at) == (ResponseStatus.WITHDRAWN, LATER)


def test_withdrawing_twice_is_withdrawing_once(database, survey):
    number = respond(database, survey)

    all_at_once(lambda _tap: withdraw(database, number), range(4))

    assert len(events(database)) == 1


def test_a_member_of_staff_who_withdraws_for_a_caller_is_named(database, survey):
    number = respond(database, survey)
    with database.writing() as session:
        clerk = make_account(session).id

    withdraw(database, number, by=Actor(clerk), reason=ResponseChangeReason.NOT_MINE)

    assert events(database) == [("withdrawn", "staff", clerk, "not_mine")]


def test_from_the_close_on_nothing_is_withdrawn_or_corrected(database, survey):
    number = respond(database, survey)
    closes_at = survey[0].closes_at
    before = rows(database)

    with pytest.raises(ResponseFrozen) as caught:
        withdraw(database, number, now=closes_at)
    with pytest.raises(ResponseFrozen):
        correct(database, survey, number, now=closes_at)
    assert caught.value.closed_on.isoformat() == "2026-09-25"
    assert rows(database) == before
    withdraw(database, number, now=closes_at - timedelta(microseconds=1))


def test_withdrawing_a_households_newest_answers_does_not_bring_back_those_they_replaced(database, survey):
    first = respond(database, survey, household_key="ours", submitted_at=NOW - timedelta(hours=2))
    tenants = respond(database, survey, household_key="ours", tenure=2, submitted_at=NOW - timedelta(hours=1))
    newest = respond(database, survey, household_key="ours")
    neighbours = respond(database, survey, household_key="theirs")

    withdraw(database, newest)

    gone = {number for number, row in rows(database).items() if row.answers is None}
    assert gone == {first, newest}
    assert {receipt_of(database, number).status for number in (tenants, neighbours)} == {ResponseStatus.COUNTED}
    assert len(events(database)) == 2


def test_withdrawing_replaced_answers_leaves_the_newer_ones(database, survey):
    first = respond(database, survey, household_key="ours", submitted_at=NOW - timedelta(hours=2))
    newest = respond(database, survey, household_key="ours")
    assert receipt_of(database, first).status is ResponseStatus.SUPERSEDED

    withdraw(database, first)

    assert receipt_of(database, first).status is ResponseStatus.WITHDRAWN
    assert receipt_of(database, newest).status is ResponseStatus.COUNTED


def test_a_correction_stands_for_the_earlier_answers_and_both_receipts_lead_to_it(database, survey):
    number = respond(database, survey, household_key="ours")

    second = correct(database, survey, number)

    stored = rows(database)
    assert json.loads(stored[second].answers)["q01"] == 2
    assert stored[second].corrects_id == stored[number].id
    for column in ("round_id", "community_id", "questionnaire_id", "code_id", "household_key"):
        assert getattr(stored[second], column) == getattr(stored[number], column)
    for asked in (number, second):
        receipt = receipt_of(database, asked)
        assert (receipt.number, receipt.current_number, receipt.status) == (asked, second, ResponseStatus.COUNTED)
    assert json.loads(stored[number].answers)["q01"] == 5
    assert events(database) == [("corrected", "resident", None, "typing_error")]


def test_a_correction_can_be_corrected_and_the_chain_be_withdrawn_by_any_of_its_receipts(database, survey):
    first = respond(database, survey)
    second = correct(database, survey, first)
    third = correct(database, survey, first, given={"q01": ["3"], "q16": ["2"]})
    assert receipt_of(database, second).current_number == third

    withdraw(database, second)

    assert {row.answers for row in rows(database).values()} == {None}
    assert {receipt_of(database, number).status for number in (first, second, third)} == {ResponseStatus.WITHDRAWN}


def test_the_same_form_of_a_correction_sent_again_gets_the_same_receipt(database, survey):
    number, key = respond(database, survey), new_key()

    receipts = {correct(database, survey, number, key=key) for _ in range(2)}

    assert len(receipts) == 1
    assert len(rows(database)) == 2
    with pytest.raises(OtherAnswersSubmitted):
        correct(database, survey, number, key=key, given={"q01": ["1"], "q16": ["1"]})


def test_two_corrections_at_one_moment_follow_each_other(database, survey):
    number = respond(database, survey)

    receipts = all_at_once(
        lambda code: correct(database, survey, number, given={"q01": [code], "q16": ["1"]}), ["1", "2"]
    )

    stored = rows(database)
    assert len(stored) == 3
    assert {stored[receipt].corrects_id for receipt in receipts} == {row.id for row in stored.values()} - {
        stored[receipt_of(database, number).current_number].id
    }


def test_what_does_not_count_any_more_is_not_corrected(database, survey):
    withdrawn = respond(database, survey)
    withdraw(database, withdrawn)
    replaced = respond(database, survey, household_key="ours", submitted_at=NOW - timedelta(hours=2))
    respond(database, survey, household_key="ours")

    for number, status in ((withdrawn, ResponseStatus.WITHDRAWN), (replaced, ResponseStatus.SUPERSEDED)):
        with pytest.raises(ResponseGone) as caught:
            correct(database, survey, number)
        assert caught.value.response_status is status


def test_only_who_typed_answers_in_sees_them_again_to_correct_them(database, survey):
    with database.writing() as session:
        clerk = make_account(session).id
    sent = respond(database, survey)
    typed = respond(database, survey, mode="paper", entered_by_id=clerk, answers={"q01": 4})

    with database.reading() as session:
        for number, by in ((sent, RESIDENT), (sent, Actor(clerk)), (typed, RESIDENT), (typed, Actor(clerk + 1))):
            assert prepare_correction(session, number=number, by=by, now=NOW).typed_answers == {}
        correction = prepare_correction(session, number=typed, by=Actor(clerk), now=NOW)
    assert (correction.typed_answers, correction.mode) == ({"q01": 4, "q16": 1}, "paper")


def test_a_receipt_shows_where_and_when_in_local_time_and_no_answer(database, survey):
    number = respond(database, survey)

    receipt = receipt_of(database, number)

    assert receipt.community.zh_hans == survey[1].name
    assert receipt.submitted_at.isoformat() == "2026-09-15T12:00:00+08:00"
    assert "answers" not in vars(receipt)
    with pytest.raises(UnknownNumber):
        receipt_of(database, "12345678901234")
