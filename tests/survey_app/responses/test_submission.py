import hashlib
import hmac
import json
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from survey_app.errors import (
    InvalidSubmissionKey,
    NoOpenRound,
    OtherAnswersSubmitted,
    RevokedCode,
    UnknownCode,
)
from survey_app.models import Response
from survey_app.responses.commitments import BY_QUESTION
from survey_app.responses.submission import open_visit, record_response, resume_visit
from survey_app.security.submission_keys import Form, SubmissionKey, read_key, sign_key
from tests.factories import NOW, SECRET, make_community, make_poster_code, make_round
from tests.together import all_at_once

SATISFIED = {"q01": ["4"], "q16": ["1"], "q24": ["电梯 🛗"]}
DISSATISFIED = {"q01": ["2"], "q16": ["2"]}


@pytest.fixture
def token(database):
    with database.writing() as session:
        make_round(session)
        return make_poster_code(session).token


def open_form(database, token, now=NOW):
    with database.reading() as session:
        visit = open_visit(session, token=token, secret_key=SECRET, now=now)
    return visit, SubmissionKey.new(form=Form.RESPONSE, code_id=visit.code_id, round_id=visit.round_id, now=now)


def send(database, visit, key, given=SATISFIED, now=NOW):
    answers = visit.questionnaire.check_answers(given)
    with database.writing() as session:
        return record_response(
            session, visit=visit, key=key, answers=answers, language="zh-Hans", secret_key=SECRET, now=now
        )


def stored(database):
    with database.reading() as session:
        return list(session.execute(select(Response.__table__)))


def test_a_scanned_code_leads_to_its_community_in_the_open_round(database):
    with database.writing() as session:
        current = make_round(session, name="秋季调查", english_name="Autumn survey")
        make_round(session, opens_at=NOW - timedelta(days=90), closes_at=NOW - timedelta(days=60))
        make_round(session, opens_at=NOW + timedelta(days=60), closes_at=NOW + timedelta(days=90))
        code = make_poster_code(session, make_community(session, name="滨河家园"))

        visit = open_visit(session, token=code.token, secret_key=SECRET, now=NOW)

    assert (visit.community.zh_hans, visit.round_id, visit.round.en) == ("滨河家园", current.id, "Autumn survey")
    assert visit.questionnaire.key == "resident-satisfaction"


def test_of_two_open_rounds_the_later_one_asks(sqlite_database):
    with sqlite_database.writing() as session:
        make_round(session, opens_at=NOW - timedelta(days=20))
        later = make_round(session, opens_at=NOW - timedelta(days=1))
        code = make_poster_code(session)

        assert open_visit(session, token=code.token, secret_key=SECRET, now=NOW).round_id == later.id


def test_a_round_opens_on_its_moment_and_is_closed_on_its_last(sqlite_database):
    with sqlite_database.writing() as session:
        a_round = make_round(session)
        token = make_poster_code(session).token

        assert open_visit(session, token=token, secret_key=SECRET, now=a_round.opens_at).round_id == a_round.id
        assert open_visit(session, token=token, secret_key=SECRET, now=a_round.closes_at - timedelta(microseconds=1))
        with pytest.raises(NoOpenRound):
            open_visit(session, token=token, secret_key=SECRET, now=a_round.closes_at)


def test_between_rounds_the_next_first_day_and_the_last_day_are_told_in_local_dates(database):
    with database.writing() as session:
        token = make_poster_code(session).token
        # 16:00 UTC is midnight in Wuhai: the round until then has the 1st as its last day, the next begins on the 1st.
        make_round(session, opens_at=NOW.replace(month=8, day=1), closes_at=NOW.replace(month=9, day=1, hour=16))
        make_round(session, opens_at=NOW.replace(month=9, day=30, hour=16), closes_at=NOW.replace(month=11))

        with pytest.raises(NoOpenRound) as caught:
            open_visit(session, token=token, secret_key=SECRET, now=NOW)

    assert caught.value.closed_on == date(2026, 9, 1)
    assert caught.value.opens_on == date(2026, 10, 1)


def test_before_the_first_round_no_date_is_told(sqlite_database):
    with sqlite_database.writing() as session, pytest.raises(NoOpenRound) as caught:
        open_visit(session, token=make_poster_code(session).token, secret_key=SECRET, now=NOW)

    assert (caught.value.opens_on, caught.value.closed_on) == (None, None)


@pytest.mark.parametrize("token", ["", "unknown", "\x00", "码"])
def test_an_unknown_code_opens_nothing(database, token):
    with database.reading() as session, pytest.raises(UnknownCode):
        open_visit(session, token=token, secret_key=SECRET, now=NOW)


def test_a_revoked_code_opens_nothing_and_takes_no_form_that_was_opened_before(database, token):
    _, key = open_form(database, token)
    with database.writing() as session:
        session.execute(Response.metadata.tables["code"].update().values(revoked_at=NOW))

    with database.reading() as session:
        with pytest.raises(RevokedCode):
            open_visit(session, token=token, secret_key=SECRET, now=NOW)
        with pytest.raises(RevokedCode):
            resume_visit(session, token=token, secret_key=SECRET, key=key)


def test_a_response_is_stored_with_all_that_was_answered(database, token):
    visit, key = open_form(database, token, NOW - timedelta(minutes=3))

    receipt = send(database, visit, key)

    (row,) = stored(database)
    assert json.loads(row.answers) == {"q01": 4, "q16": 1, "q24": "电梯 🛗"}
    assert (row.receipt, row.submission_key, row.tenure, row.mode) == (receipt, key.value, 1, "web")
    assert (row.round_id, row.community_id, row.code_id) == (visit.round_id, visit.community_id, visit.code_id)
    assert (row.started_at, row.submitted_at) == (NOW - timedelta(minutes=3), NOW)


def test_the_commitment_binds_every_question_of_one_place_under_a_random_nonce(database, token):
    for _ in range(2):
        visit, key = open_form(database, token)
        send(database, visit, key)

    first, second = stored(database)
    assert first.answers == second.answers
    assert first.commitment != second.commitment
    for row in (first, second):
        assert (len(row.nonce), row.commitment_algorithm) == (32, BY_QUESTION)
        # Written out: what an evaluator would compute without this program.
        answers, digests = json.loads(row.answers), b""
        for name in re.findall(r'"key":"(q\d+)"', visit.questionnaire.canonical_text):
            opened = json.dumps([name, answers.get(name)], ensure_ascii=False, separators=(",", ":")).encode()
            salt = hmac.digest(row.nonce, name.encode(), "sha256")
            digests += hashlib.sha256(b"jiayuan answer digest 2\n" + salt + opened).digest()
        place = f'[{row.round_id},{row.community_id},"{visit.questionnaire.sha256}"]\n'.encode()
        expected = hashlib.sha256(b"jiayuan response commitment 2\n" + place + digests).hexdigest()
        assert row.commitment == expected
        handle = hashlib.sha256(b"jiayuan response handle 2\n" + row.handle_nonce + row.receipt.encode()).hexdigest()
        assert row.handle == handle


def test_the_same_form_sent_again_gets_the_first_receipt(database, token):
    visit, key = open_form(database, token)

    receipts = {send(database, visit, key), send(database, visit, key, now=NOW + timedelta(hours=1))}

    assert len(receipts) == 1
    assert [row.submitted_at for row in stored(database)] == [NOW]


def test_the_same_form_with_other_answers_changes_nothing_and_names_the_first_receipt(database, token):
    visit, key = open_form(database, token)
    receipt = send(database, visit, key)
    before = stored(database)

    with pytest.raises(OtherAnswersSubmitted) as caught:
        send(database, visit, key, DISSATISFIED)

    assert caught.value.number == receipt
    assert stored(database) == before


def test_a_double_tap_at_one_moment_is_one_response_with_one_receipt(database, token):
    visit, key = open_form(database, token)

    receipts = all_at_once(lambda _tap: send(database, visit, key), range(6))

    assert len(set(receipts)) == 1
    assert len(stored(database)) == 1


def test_a_receipt_number_that_is_taken_is_drawn_again(database, token, monkeypatch):
    numbers = iter(["10000000000009", "10000000000009", "20000000000008"])
    monkeypatch.setattr("survey_app.responses.submission.new_number", lambda _digits: next(numbers))

    receipts = [send(database, *open_form(database, token)) for _ in range(2)]

    assert receipts == ["10000000000009", "20000000000008"]


def test_a_form_that_arrives_after_the_close_is_refused_and_leaves_nothing(database, token):
    visit, key = open_form(database, token)

    with pytest.raises(NoOpenRound) as caught:
        send(database, visit, key, now=visit.closes_at)

    assert caught.value.closed_on == visit.last_day
    assert stored(database) == []


def test_a_repeat_after_the_close_still_gets_the_receipt_of_what_arrived_in_time(database, token):
    visit, key = open_form(database, token)
    receipt = send(database, visit, key)

    assert send(database, visit, key, now=visit.closes_at + timedelta(days=1)) == receipt


def test_a_form_is_good_for_its_own_code_and_round_only(database, token):
    visit, key = open_form(database, token)
    with database.writing() as session:
        other_token = make_poster_code(session).token
    other_visit, _ = open_form(database, other_token)

    with pytest.raises(InvalidSubmissionKey):
        send(database, other_visit, key)
    with database.reading() as session, pytest.raises(InvalidSubmissionKey):
        resume_visit(session, token=other_token, secret_key=SECRET, key=key)
    assert stored(database) == []
    assert visit.code_id != other_visit.code_id


def test_a_form_resumes_in_its_own_round_after_the_next_has_opened(sqlite_database):
    with sqlite_database.writing() as session:
        first = make_round(session, closes_at=NOW + timedelta(days=1))
        token = make_poster_code(session).token
    visit, key = open_form(sqlite_database, token)
    with sqlite_database.writing() as session:
        make_round(session, opens_at=NOW + timedelta(days=1), closes_at=NOW + timedelta(days=9))

        resumed = resume_visit(session, token=token, secret_key=SECRET, key=key)

    assert resumed.round_id == first.id == visit.round_id


def test_faulty_answers_are_never_recorded(sqlite_database):
    with sqlite_database.writing() as session:
        make_round(session)
        token = make_poster_code(session).token
    visit, key = open_form(sqlite_database, token)

    with pytest.raises(ValueError, match="faulty answers"):
        send(sqlite_database, visit, key, {"q01": ["7"], "q16": ["1"]})


def test_what_was_recorded_is_gone_when_the_transaction_fails(database, token):
    visit, key = open_form(database, token)
    answers = visit.questionnaire.check_answers(SATISFIED)

    def record_and_fail():
        with database.writing() as session:
            record_response(session, visit=visit, key=key, answers=answers, language="en", secret_key=SECRET, now=NOW)
            raise RuntimeError("before the commit")

    with pytest.raises(RuntimeError):
        record_and_fail()
    assert stored(database) == []


def test_a_clock_that_was_set_back_makes_nobody_finish_before_they_began(sqlite_database):
    with sqlite_database.writing() as session:
        make_round(session)
        token = make_poster_code(session).token
    visit, key = open_form(sqlite_database, token, NOW + timedelta(hours=2))

    send(sqlite_database, visit, key)

    (row,) = stored(sqlite_database)
    assert row.started_at == row.submitted_at == NOW


def test_a_thousand_responses_fit_in_one_transaction(database, token):
    visit, _ = open_form(database, token)
    answers = visit.questionnaire.check_answers(SATISFIED)

    with database.writing() as session:
        for _ in range(1000):
            key = SubmissionKey.new(form=Form.RESPONSE, code_id=visit.code_id, round_id=visit.round_id, now=NOW)
            record_response(session, visit=visit, key=key, answers=answers, language="en", secret_key=SECRET, now=NOW)

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Response)) == 1000


@pytest.mark.parametrize(("code_id", "round_id"), [(3, 4), (3, None), (None, 4), (None, None)])
def test_a_signed_key_keeps_what_it_is_for(code_id, round_id):
    key = SubmissionKey.new(form=Form.RESPONSE, code_id=code_id, round_id=round_id, now=NOW)

    assert read_key(sign_key(key, secret_key="ours"), form=Form.RESPONSE, secret_key="ours") == key


def test_a_signed_key_reads_back_and_an_altered_or_foreign_one_does_not():
    key = SubmissionKey.new(form=Form.RESPONSE, code_id=3, round_id=4, now=NOW)
    text = sign_key(key, secret_key="ours")

    assert read_key(text, form=Form.RESPONSE, secret_key="ours") == key
    altered = ("x" if text[3] != "x" else "y").join([text[:3], text[4:]])
    for forged, form, secret in (
        (altered, Form.RESPONSE, "ours"),
        (text[:-1], Form.RESPONSE, "ours"),
        ("", Form.RESPONSE, "ours"),
        ("码.\x00", Form.RESPONSE, "ours"),
        (text, Form.RESPONSE, "theirs"),
        (text, Form.COMPLAINT, "ours"),
    ):
        with pytest.raises(InvalidSubmissionKey):
            read_key(forged, form=form, secret_key=secret)


def test_keys_hold_128_random_bits():
    keys = {SubmissionKey.new(form=Form.RESPONSE, code_id=1, round_id=1, now=NOW).value for _ in range(100)}

    assert len(keys) == 100
    assert {len(key) for key in keys} == {22}
