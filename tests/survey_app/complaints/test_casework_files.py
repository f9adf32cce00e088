from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from analytics.files.yaml_documents import DocumentError
from survey_app.complaints.cases import find_case, settle_case, take_step
from survey_app.complaints.casework_files import (
    NoCaseworkFile,
    casework_file_at,
    publish_casework_file,
    published_casework_files,
    rules_at,
)
from survey_app.models import AuditEvent, CaseworkFile
from survey_app.models.vocabulary import CaseAction, CaseActor
from tests.casework import CASEWORK_FILE, RULES
from tests.factories import NOW, make_community, make_complaint, make_round

TOMORROW = date(2026, 9, 16)
TEXT = CASEWORK_FILE.read_text("utf-8")
SHORTER = (("answer: {working_days: 10", "answer: {working_days: 3"), ("silence_days: 7", "silence_days: 2"))


def file_from(day, *changes):
    text = TEXT.replace("in_force_from: 2021-08-23", f"in_force_from: {day}")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


def publish(session, content, now=NOW):
    return publish_casework_file(session, content=content, source="casework.yaml", now=now)


@pytest.fixture
def in_wuhai(database):
    with database.writing() as session:
        make_round(session)
    return database


def test_a_published_file_is_in_force_from_its_local_day_on_and_recorded(in_wuhai):
    with in_wuhai.writing() as session:
        published = publish(session, file_from(TOMORROW, *SHORTER))

    midnight = NOW.replace(hour=16)
    with in_wuhai.reading() as session:
        assert rules_at(session, midnight - timedelta(seconds=1)) == RULES
        assert rules_at(session, midnight).silence == timedelta(days=2)
        assert [each.in_force_from for each in published_casework_files(session)] == [TOMORROW, RULES.in_force_from]
        (event,) = session.scalars(select(AuditEvent).filter_by(action="casework_file_published"))
        assert (event.subject, published.sha256 in event.after) == (f"casework:{published.id}", True)


def test_the_same_content_is_published_once(in_wuhai):
    with in_wuhai.writing() as session:
        first = publish(session, file_from(TOMORROW))
        again = publish(session, file_from(TOMORROW).replace(b"\n# ", b"\n# again: "), now=NOW + timedelta(days=9))
        delivered = publish(session, TEXT.encode())

        assert again.id == first.id
        assert delivered.text == RULES.canonical_text
        assert len(published_casework_files(session)) == 2


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (TOMORROW - timedelta(days=1), "this one is in force from 2026-09-16 at the earliest"),
        (TOMORROW, "another file is in force from this day"),
    ],
)
def test_no_file_reaches_back_to_cases_that_began_by_another(in_wuhai, day, said):
    with in_wuhai.writing() as session:
        publish(session, file_from(TOMORROW, *SHORTER))
        with pytest.raises(DocumentError, match=said):
            publish(session, file_from(day))


def test_there_is_no_file_before_the_first(in_wuhai):
    with in_wuhai.reading() as session, pytest.raises(NoCaseworkFile):
        casework_file_at(session, NOW - timedelta(days=9_000))


@pytest.mark.parametrize("table", ["casework_file", "working_calendar"])
@pytest.mark.parametrize("change", ["UPDATE {} SET text = 'x'", "DELETE FROM {}"])
def test_what_is_published_can_neither_be_changed_nor_deleted(database, table, change):
    with pytest.raises(DBAPIError, match="is frozen"), database.writing() as session:
        session.execute(text(change.format(table)))


def test_an_open_case_follows_the_file_of_its_submission_and_a_new_one_the_new_file(in_wuhai):
    with in_wuhai.writing() as session:
        old = make_complaint(session, make_community(session), category="CL01").reference
        publish(session, file_from(TOMORROW, *SHORTER))
    later = NOW + timedelta(days=1)
    with in_wuhai.writing() as session:
        new = make_complaint(session, make_community(session), category="CL01", submitted_at=later).reference
        for case in (old, new):
            for hours, action in enumerate((CaseAction.ACCEPT, CaseAction.DISPATCH, CaseAction.START), 1):
                at = (NOW if case == old else later) + timedelta(hours=hours)
                take_step(session, reference=case, action=action, actor=CaseActor.BUREAU, by="account:1", now=at)
        old_deadline = find_case(session, reference=old, now=later).deadline
        new_deadline = find_case(session, reference=new, now=later).deadline
        assert old_deadline.isoformat() == "2026-09-30T00:00:00+08:00"
        # Sunday 20 September is worked.
        assert new_deadline.isoformat() == "2026-09-21T00:00:00+08:00"
        for case in (old, new):
            at = later + timedelta(hours=9)
            take_step(session, reference=case, action=CaseAction.RESPOND, actor=CaseActor.BUREAU, by="x", now=at)
            settle_case(session, reference=case, now=at + timedelta(days=3))
        statuses = [find_case(session, reference=case, now=at + timedelta(days=3)).status for case in (old, new)]
    assert statuses == ["responded", "closed"]
    with in_wuhai.reading() as session:
        assert len(session.scalars(select(CaseworkFile)).all()) == 2
