from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from survey_app.casework import (
    LONGEST_TEXT,
    ComplaintFault,
    Kind,
    categories,
    check_complaint,
    file_complaint,
    find_case,
)
from survey_app.codes import find_code
from survey_app.errors import InvalidSubmissionKey, OtherAnswersSubmitted, UnknownNumber
from survey_app.models import Complaint
from survey_app.submissions import Form, SubmissionKey
from tests.factories import NOW, SECRET, make_poster_code, make_round


def complaint(**values):
    return check_complaint(**({"category": "EQ01", "kind": "complaint", "text": "电梯停了三天"} | values))


@pytest.fixture
def code(database):
    with database.writing() as session:
        return find_code(session, token=make_poster_code(session).token, secret_key=SECRET)


def new_key(code):
    return SubmissionKey.new(form=Form.COMPLAINT, code_id=code.id, round_id=None, now=NOW)


def send(database, code, key, checked=None, now=NOW):
    with database.writing() as session:
        return file_complaint(
            session, code=code, key=key, complaint=checked or complaint(), language="zh-Hans", now=now
        )


def stored(database):
    with database.reading() as session:
        return list(session.execute(select(Complaint.__table__)))


def test_a_complaint_is_stored_as_a_submitted_case_of_its_community(database, code):
    reference = send(database, code, new_key(code))

    (row,) = stored(database)
    assert (row.reference, row.community_id, row.code_id) == (reference, code.community_id, code.id)
    assert (row.category, row.kind, row.text, row.status) == ("EQ01", "complaint", "电梯停了三天", "submitted")
    assert row.submitted_at == NOW


def test_the_same_complaint_sent_again_gets_the_first_reference(database, code):
    key = new_key(code)

    references = {send(database, code, key), send(database, code, key, now=NOW + timedelta(days=3))}

    assert len(references) == 1
    assert len(stored(database)) == 1


@pytest.mark.parametrize("other", [{"category": "EQ02"}, {"kind": "repair"}, {"text": "又停了"}])
def test_the_same_form_with_other_words_changes_nothing(database, code, other):
    key = new_key(code)
    reference = send(database, code, key)

    with pytest.raises(OtherAnswersSubmitted) as caught:
        send(database, code, key, complaint(**other))

    assert caught.value.number == reference
    assert [row.text for row in stored(database)] == ["电梯停了三天"]


def test_a_double_tap_at_one_moment_is_one_case(database, code):
    key, taps = new_key(code), 4
    together, references = Barrier(taps), []

    def tap():
        together.wait()
        references.append(send(database, code, key))

    threads = [Thread(target=tap) for _ in range(taps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(references) == taps
    assert len(set(references)) == 1
    assert len(stored(database)) == 1


def test_a_form_of_another_code_files_nothing(database, code):
    with database.writing() as session:
        other = find_code(session, token=make_poster_code(session).token, secret_key=SECRET)

    with pytest.raises(InvalidSubmissionKey):
        send(database, code, new_key(other))
    assert stored(database) == []


def test_a_reference_that_is_taken_is_drawn_again(database, code, monkeypatch):
    numbers = iter(["10000000000009", "10000000000009", "20000000000008"])
    monkeypatch.setattr("survey_app.casework.new_number", lambda _digits: next(numbers))

    assert [send(database, code, new_key(code)) for _ in range(2)] == ["10000000000009", "20000000000008"]


def test_the_public_sees_where_a_case_stands_in_local_time_but_never_its_text(database, code):
    with database.writing() as session:
        make_round(session)
    reference = send(database, code, new_key(code))

    with database.reading() as session:
        case = find_case(session, reference=reference)
        with pytest.raises(UnknownNumber):
            find_case(session, reference="12345678901234")

    assert (case.community, case.category.zh_hans, case.status) == (code.community, "电梯", "submitted")
    assert case.submitted_at.isoformat() == "2026-09-15T12:00:00+08:00"
    assert "电梯停了三天" not in repr(case)


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ({"category": ""}, ComplaintFault.CATEGORY_MISSING),
        ({"category": "XX99"}, ComplaintFault.CATEGORY_UNKNOWN),
        ({"kind": "wish"}, ComplaintFault.KIND_UNKNOWN),
        ({"text": " \n\x00"}, ComplaintFault.TEXT_MISSING),
        ({"text": "字" * (LONGEST_TEXT + 1)}, ComplaintFault.TEXT_TOO_LONG),
    ],
)
def test_each_fault_is_named_and_keeps_what_was_typed(typed, fault):
    checked = complaint(**typed)

    assert checked.faults == (fault,)
    assert checked.category == typed.get("category", "EQ01")


def test_a_text_of_the_greatest_length_is_taken():
    assert complaint(text="字" * LONGEST_TEXT).faults == ()


def test_a_faulty_complaint_is_never_filed(database, code):
    with pytest.raises(ValueError, match="faulty complaint"):
        send(database, code, new_key(code), complaint(category="XX99"))


def test_every_category_and_kind_can_be_filed():
    for category in categories():
        for kind in Kind:
            assert complaint(category=category.code, kind=kind.value).faults == ()
