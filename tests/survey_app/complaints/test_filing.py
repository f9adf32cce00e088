from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from analytics.statistics.complaint_rates import CHANNELS
from survey_app.codes.codes import find_code
from survey_app.complaints.case_secrets import hash_secret, reissue_secret
from survey_app.complaints.cases import stored_state
from survey_app.complaints.categories import categories
from survey_app.complaints.filing import LONGEST_PLACE, LONGEST_TEXT, ComplaintFault, check_complaint, file_complaint
from survey_app.errors import InvalidSubmissionKey, OtherAnswersSubmitted
from survey_app.models import Complaint
from survey_app.models.vocabulary import CaseKind, CaseStatus, Channel
from survey_app.security.submission_keys import Form, SubmissionKey
from tests.factories import NOW, SECRET, make_poster_code
from tests.together import all_at_once

TODAY = date(2026, 9, 15)


def complaint(**values):
    return check_complaint({"category": "EQ01", "kind": "complaint", "text": "电梯停了三天"} | values, today=TODAY)


@pytest.fixture
def code(database):
    with database.writing() as session:
        return find_code(session, token=make_poster_code(session).token, secret_key=SECRET)


def new_key(code):
    return SubmissionKey.new(form=Form.COMPLAINT, code_id=code.id, round_id=None, now=NOW)


def send(database, code, key, checked=None, now=NOW, *, channel=Channel.CODE):
    with database.writing() as session:
        return file_complaint(
            session,
            code=code,
            key=key,
            complaint=checked or complaint(),
            channel=channel,
            language="zh-Hans",
            secret_key=SECRET,
            now=now,
        )


def stored(database):
    with database.reading() as session:
        return list(session.execute(select(Complaint.__table__)))


def test_the_channels_are_those_that_rates_are_counted_by(database, code):
    assert tuple(Channel) == CHANNELS
    for channel in Channel:
        send(database, code, new_key(code), channel=channel)

    assert {row.channel: row.code_id for row in stored(database)} == {
        channel: code.id if channel is Channel.CODE else None for channel in Channel
    }


def test_a_complaint_is_stored_as_a_submitted_case_of_its_community(database, code):
    filed = send(database, code, new_key(code))

    (row,) = stored(database)
    assert (row.reference, row.community_id, row.code_id) == (filed.reference, code.community_id, code.id)
    assert (row.category, row.kind, row.text, row.status) == ("EQ01", "complaint", "电梯停了三天", "submitted")
    assert row.submitted_at == row.status_since == NOW
    assert row.secret_hash == hash_secret(filed.secret, reference=filed.reference, secret_key=SECRET)
    assert filed.secret not in repr(row)
    with database.reading() as session:
        state = stored_state(session, session.scalars(select(Complaint)).one())
    assert (state.status, state.since) == (CaseStatus.SUBMITTED, NOW)


def test_the_secret_is_twelve_digits_and_its_stored_hash_says_nothing_of_them(database, code):
    first, second = (send(database, code, new_key(code)) for _ in range(2))

    assert first.secret != second.secret
    assert [len(filed.secret) for filed in (first, second)] == [12, 12]
    assert first.secret.isdigit()
    assert hash_secret(first.secret, reference=first.reference, secret_key="other") not in repr(stored(database))


def test_a_replaced_secret_is_not_shown_again_by_the_old_form(database, code):
    key = new_key(code)
    filed = send(database, code, key)
    with database.writing() as session:
        reissue_secret(session, reference=filed.reference, by="operator", secret_key=SECRET, now=NOW)

    again = send(database, code, key)

    assert (again.reference, again.secret) == (filed.reference, None)


def test_the_same_complaint_sent_again_gets_the_first_reference_and_secret(database, code):
    key = new_key(code)

    first, again = send(database, code, key), send(database, code, key, now=NOW + timedelta(days=3))

    assert (first.is_new, again) == (True, replace(first, is_new=False))
    assert len(stored(database)) == 1


@pytest.mark.parametrize(
    "other",
    [{"category": "EQ02"}, {"kind": "repair"}, {"text": "又停了"}, {"place": "南门"}, {"occurred": "2026-09-14"}],
)
def test_the_same_form_with_other_words_changes_nothing(database, code, other):
    key = new_key(code)
    filed = send(database, code, key)

    with pytest.raises(OtherAnswersSubmitted) as caught:
        send(database, code, key, complaint(**other))

    assert caught.value.number == filed.reference
    assert [row.text for row in stored(database)] == ["电梯停了三天"]


def test_a_double_tap_at_one_moment_is_one_case(database, code):
    key = new_key(code)

    filed = all_at_once(lambda _tap: send(database, code, key), range(4))

    assert len({each.reference for each in filed}) == 1
    assert sum(each.is_new for each in filed) == 1
    assert len(stored(database)) == 1


def test_a_form_of_another_code_files_nothing(database, code):
    with database.writing() as session:
        other = find_code(session, token=make_poster_code(session).token, secret_key=SECRET)

    with pytest.raises(InvalidSubmissionKey):
        send(database, code, new_key(other))
    assert stored(database) == []


def test_a_reference_that_is_taken_is_drawn_again(database, code, monkeypatch):
    numbers = iter(["10000000000009", "10000000000009", "20000000000008"])
    monkeypatch.setattr("survey_app.complaints.filing.new_number", lambda _digits: next(numbers))

    assert [send(database, code, new_key(code)).reference for _ in range(2)] == ["10000000000009", "20000000000008"]


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ({"category": ""}, ComplaintFault.CATEGORY_MISSING),
        ({"category": "XX99"}, ComplaintFault.CATEGORY_UNKNOWN),
        ({"kind": "wish"}, ComplaintFault.KIND_UNKNOWN),
        ({"text": " \n\x00"}, ComplaintFault.TEXT_MISSING),
        ({"text": "字" * (LONGEST_TEXT + 1)}, ComplaintFault.TEXT_TOO_LONG),
        ({"place": "字" * (LONGEST_PLACE + 1)}, ComplaintFault.PLACE_TOO_LONG),
        ({"occurred": "昨天"}, ComplaintFault.OCCURRED_UNREADABLE),
        ({"occurred": "2026-02-30"}, ComplaintFault.OCCURRED_UNREADABLE),
        ({"occurred": "2026-09-16"}, ComplaintFault.OCCURRED_IN_FUTURE),
    ],
)
def test_each_fault_is_named_and_keeps_what_was_typed(typed, fault):
    checked = complaint(**typed)

    assert checked.faults == (fault,)
    assert (checked.category, checked.occurred) == (typed.get("category", "EQ01"), typed.get("occurred", ""))


@pytest.mark.parametrize("typed", ["2026-09-15", "20260915", "2026年9月15日", "２０２６/９/１５", "2026 09 15"])
def test_a_date_is_read_however_it_is_typed(typed):
    assert complaint(occurred=typed).occurred_on == TODAY


def test_when_and_where_may_be_left_out():
    checked = complaint()

    assert (checked.faults, checked.occurred_on, checked.place) == ((), None, "")


def test_a_text_of_the_greatest_length_is_taken():
    assert complaint(text="字" * LONGEST_TEXT).faults == ()


def test_a_faulty_complaint_is_never_filed(database, code):
    with pytest.raises(ValueError, match="faulty complaint"):
        send(database, code, new_key(code), complaint(category="XX99"))


def test_every_category_and_kind_can_be_filed():
    for category in categories():
        for kind in CaseKind:
            assert complaint(category=category.code, kind=kind.value).faults == ()


@pytest.mark.parametrize("text", ["\u200b", "\u3164\u2800", "\u2060 \n\ufeff", "\u202e\u202c", "\ufe0f"])
def test_a_text_in_which_nothing_is_seen_is_no_text(text):
    assert complaint(text=text).faults == (ComplaintFault.TEXT_MISSING,)
    assert complaint(contact=text).faults == ()


@pytest.mark.parametrize("occurred", ["1026-09-01", "0001-01-01", "1899-12-31"])
def test_a_year_in_which_nobody_lived_is_a_typing_error(occurred):
    assert complaint(occurred=occurred).faults == (ComplaintFault.OCCURRED_UNREADABLE,)


def test_a_year_to_come_is_refused():
    assert complaint(occurred="9999-01-01").faults == (ComplaintFault.OCCURRED_IN_FUTURE,)
