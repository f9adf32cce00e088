from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from survey_app.complaints import cases
from survey_app.complaints.cases import (
    MergedIntoEnded,
    due_references,
    find_case,
    inconsistent_references,
    record_history,
    settle_case,
    state_of,
    stored_state,
    take_step,
)
from survey_app.complaints.state_machine import Event
from survey_app.errors import OtherAnswersSubmitted, TransitionRefused, UnknownNumber
from survey_app.models import AuditEvent, Complaint, ComplaintEvent, ComplaintNote
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason, CaseStatus
from tests.casework import CALENDAR
from tests.factories import NOW, make_community, make_complaint, make_round
from tests.together import all_at_once

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
UNTIL_STARTED = (CaseAction.ACCEPT, CaseAction.DISPATCH, CaseAction.START)


@pytest.fixture
def case(database):
    """An ordinary case, filed on a Tuesday at noon in Wuhai."""
    with database.writing() as session:
        make_round(session)
        return make_complaint(session, make_community(session), category="CL01").reference


def step(database, case, action, actor=CaseActor.BUREAU, *, now=NOW + HOUR, **values):
    with database.writing() as session:
        return take_step(session, reference=case, action=action, actor=actor, by="account:1", now=now, **values)


def answer(database, case, *, now=NOW + HOUR):
    for action in (*UNTIL_STARTED, CaseAction.RESPOND):
        step(database, case, action, now=now)


def stored(database, case):
    with database.reading() as session:
        complaint = session.scalars(select(Complaint).filter_by(reference=case)).one()
        assert list(inconsistent_references(session)) == []
        return complaint.status, complaint.status_since


def actions(database):
    with database.reading() as session:
        return session.scalars(select(ComplaintEvent.action).order_by(ComplaintEvent.number)).all()


def test_the_public_sees_where_a_case_stands_in_local_time_but_never_its_text(database, case):
    with database.reading() as session:
        shown = find_case(session, reference=case, now=NOW)
        with pytest.raises(UnknownNumber):
            find_case(session, reference="12345678901234", now=NOW)

    assert (shown.category.zh_hans, shown.status, shown.stage) == ("楼道保洁", "submitted", 1)
    assert shown.submitted_at.isoformat() == "2026-09-15T12:00:00+08:00"
    assert shown.deadline.isoformat() == "2026-09-17T00:00:00+08:00"
    assert "电梯停在五楼" not in repr(shown)


def test_a_step_is_an_event_and_the_new_status_and_a_link_of_the_audit_chain(database, case):
    step(database, case, CaseAction.ACCEPT, account_id=None)

    assert stored(database, case) == (CaseStatus.ACCEPTED, NOW + HOUR)
    with database.reading() as session:
        event = session.scalars(select(ComplaintEvent).filter_by(number=2)).one()
        link = session.scalars(select(AuditEvent)).one()
    assert (event.action, event.actor, event.at) == ("accept", "bureau", NOW + HOUR)
    assert (link.actor, link.action) == ("account:1", "complaint_moved")
    assert '"status":"accepted"' in link.after


def test_what_is_said_with_a_step_is_kept_beside_its_event(database, case):
    for action in UNTIL_STARTED:
        step(database, case, action)
    step(database, case, CaseAction.RESPOND, text="已清扫")

    with database.reading() as session:
        notes = session.execute(select(ComplaintEvent.action, ComplaintNote.text).join(ComplaintNote)).all()
    assert notes == [("respond", "已清扫")]


def test_a_refused_step_leaves_nothing_behind(database, case):
    with pytest.raises(TransitionRefused):
        step(database, case, CaseAction.RESPOND, text="已清扫")

    assert stored(database, case) == (CaseStatus.SUBMITTED, NOW)
    assert actions(database) == ["submit"]


def test_a_residents_step_is_no_link_of_the_audit_chain(database, case):
    step(database, case, CaseAction.WITHDRAW, CaseActor.RESIDENT)

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditEvent)) == 0


def test_the_same_form_sent_again_takes_its_step_once(database, case):
    for _tap in range(2):
        step(database, case, CaseAction.ADD, CaseActor.RESIDENT, text="又脏了", action_key="form 1")

    assert actions(database) == ["submit", "add"]


def test_the_same_form_with_other_words_changes_nothing(database, case):
    step(database, case, CaseAction.ADD, CaseActor.RESIDENT, text="又脏了", action_key="form 1")

    for action, words in ((CaseAction.ADD, "更脏了"), (CaseAction.WITHDRAW, "又脏了")):
        with pytest.raises(OtherAnswersSubmitted):
            step(database, case, action, CaseActor.RESIDENT, text=words, action_key="form 1")
    assert actions(database) == ["submit", "add"]


def test_two_taps_at_one_moment_are_one_step(database, case):
    def tap(_number):
        step(database, case, CaseAction.ADD, CaseActor.RESIDENT, text="又脏了", action_key="form 1")

    all_at_once(tap, range(4))

    assert actions(database) == ["submit", "add"]


@pytest.mark.parametrize("statement", ["UPDATE complaint_event SET action = 'add'", "DELETE FROM complaint_event"])
@pytest.mark.usefixtures("case")
def test_what_happened_can_be_neither_changed_nor_deleted(database, statement):
    with pytest.raises(DBAPIError, match="frozen"), database.writing() as session:
        session.execute(text(statement))


def test_a_status_that_the_events_do_not_amount_to_is_found(database, case):
    with database.writing() as session:
        session.execute(text("UPDATE complaint SET status = 'closed'"))

        assert list(inconsistent_references(session)) == [case]


def test_silence_closes_an_answered_case_when_it_is_read_and_when_it_is_settled(database, case):
    answer(database, case)
    later = NOW + HOUR + 8 * DAY

    with database.reading() as session:
        complaint = session.scalars(select(Complaint)).one()
        assert state_of(session, complaint, now=later)[1].status is CaseStatus.CLOSED
        assert complaint.status == CaseStatus.RESPONDED
    with database.writing() as session:
        settle_case(session, reference=case, now=later)

    assert stored(database, case) == (CaseStatus.CLOSED, NOW + HOUR + 7 * DAY), "dated when it fell due"
    with database.reading() as session:
        assert due_references(session, now=later + 900 * DAY) == []


def test_a_case_is_looked_at_when_time_moves_it_and_not_before(database, case):
    def due(now):
        with database.reading() as session:
            return due_references(session, now=now)

    def settle(now):
        with database.writing() as session:
            settle_case(session, reference=case, now=now)

    assert due(NOW) == [case], "of a case from before it was noted, it is looked up once"
    settle(NOW)
    overdue = datetime.fromisoformat("2026-09-17T00:00+08:00")
    assert due(overdue - timedelta(seconds=1)) == []
    assert due(overdue) == [case]
    answer(database, case)
    assert due(overdue) == []
    silent = NOW + HOUR + 7 * DAY
    assert due(silent - timedelta(seconds=1)) == []
    step(database, case, CaseAction.ADD, CaseActor.RESIDENT, now=NOW + 2 * DAY)
    assert due(silent) == []
    assert due(NOW + 9 * DAY) == [case]
    settle(NOW + 9 * DAY)
    assert due(NOW + 900 * DAY) == []


def test_a_calendar_that_says_otherwise_is_applied_to_the_cases_that_wait(database, case, monkeypatch):
    def noted():
        with database.reading() as session:
            return session.scalar(select(Complaint.next_step_at)), due_references(session, now=NOW)

    with database.writing() as session:
        settle_case(session, reference=case, now=NOW)
    before, waiting = noted()
    assert waiting == []
    changed = replace(CALENDAR, holidays=CALENDAR.holidays | {NOW.date() + DAY, NOW.date() + 2 * DAY})
    monkeypatch.setattr(cases, "calendar", lambda _session: changed)
    assert noted() == (before, [case])
    with database.writing() as session:
        settle_case(session, reference=case, now=NOW)

    after, waiting = noted()
    assert (after > before, waiting) == (True, [])


def test_a_verdict_after_the_silence_finds_the_case_closed(database, case):
    answer(database, case)

    with pytest.raises(TransitionRefused):
        step(database, case, CaseAction.CONFIRM, CaseActor.RESIDENT, now=NOW + HOUR + 8 * DAY)
    step(database, case, CaseAction.REOPEN, CaseActor.RESIDENT, now=NOW + HOUR + 8 * DAY)

    assert actions(database)[-2:] == ["auto_close", "reopen"]


def test_what_is_not_acknowledged_or_answered_in_time_goes_to_somebody_else(database, case):
    with database.writing() as session:
        settle_case(session, reference=case, now=NOW + 2 * DAY)

    assert stored(database, case) == (CaseStatus.STAGE2, datetime.fromisoformat("2026-09-17T00:00+08:00"))


def test_a_pause_ends_after_five_working_days_and_the_answer_is_owed_so_much_later(database, case):
    for action in (*UNTIL_STARTED, CaseAction.ASK_RESIDENT):
        step(database, case, action)
    # Sunday 20 September is worked for the National Day, so the fifth working day is Monday the 21st.
    with database.writing() as session:
        settle_case(session, reference=case, now=datetime.fromisoformat("2026-09-22T00:00+08:00"))
    assert stored(database, case) == (CaseStatus.IN_PROGRESS, datetime.fromisoformat("2026-09-22T00:00+08:00"))

    with database.reading() as session:
        deadline = find_case(session, reference=case, now=NOW + 8 * DAY).deadline
    # Ten working days and the five of the pause: 25–27 September and 1–7 October are holidays, 10 October is worked.
    assert deadline.isoformat() == "2026-10-13T00:00:00+08:00"


def test_a_safety_case_runs_by_the_hour(database):
    with database.writing() as session:
        lift = make_complaint(session, make_community(session), category="EQ01").reference

    with database.reading() as session:
        assert find_case(session, reference=lift, now=NOW).deadline == NOW + 2 * HOUR
    step(database, lift, CaseAction.ACCEPT)
    with database.reading() as session:
        assert find_case(session, reference=lift, now=NOW + HOUR).deadline == NOW + 24 * HOUR


def test_a_case_of_retaliation_is_kept_from_the_company(database):
    with database.writing() as session:
        case = make_complaint(session, make_community(session), category="SV04").reference
    step(database, case, CaseAction.ACCEPT)
    step(database, case, CaseAction.DISPATCH)

    with pytest.raises(TransitionRefused):
        step(database, case, CaseAction.START, CaseActor.COMPANY)


def test_a_duplicate_repeats_another_case_of_its_community_that_is_none_itself(database, case):
    with database.writing() as session:
        elsewhere = make_complaint(session, make_community(session)).reference
        complaint = session.scalars(select(Complaint).filter_by(reference=case)).one()
        same = make_complaint(session, complaint.community).reference

    for wrong in (case, elsewhere, "12345678901234"):
        with pytest.raises(UnknownNumber):
            step(database, case, CaseAction.MERGE, reason=CaseEndReason.SAME_CASE, original=wrong)
    step(database, case, CaseAction.MERGE, reason=CaseEndReason.SAME_CASE, original=same)
    with pytest.raises(MergedIntoEnded):
        step(database, same, CaseAction.MERGE, reason=CaseEndReason.SAME_CASE, original=case)

    assert stored(database, case)[0] == CaseStatus.DUPLICATE


def test_a_clock_that_was_set_back_loses_no_step(database, case):
    step(database, case, CaseAction.ACCEPT, now=NOW + 2 * HOUR)
    step(database, case, CaseAction.DISPATCH, now=NOW)

    assert stored(database, case) == (CaseStatus.DISPATCHED, NOW + 2 * HOUR)


def test_a_history_is_checked_as_single_steps_are(database, case):
    accepted = Event(CaseAction.ACCEPT, CaseActor.BUREAU, NOW + HOUR)
    with database.writing() as session:
        record_history(
            session, reference=case, events=[accepted, Event(CaseAction.WITHDRAW, CaseActor.RESIDENT, NOW + DAY)]
        )
    assert stored(database, case) == (CaseStatus.WITHDRAWN, NOW + DAY)
    assert actions(database) == ["submit", "accept", "withdraw"]

    with pytest.raises(TransitionRefused), database.writing() as session:
        record_history(session, reference=case, events=[accepted])


def test_a_failed_audit_undoes_the_step(database, case, monkeypatch):
    def fail(*_arguments, **_values):
        raise RuntimeError

    monkeypatch.setattr(cases.audit, "record", fail)
    with pytest.raises(RuntimeError):
        step(database, case, CaseAction.ACCEPT)

    assert stored(database, case) == (CaseStatus.SUBMITTED, NOW)


def test_a_step_of_an_unknown_case_is_refused(database):
    with pytest.raises(UnknownNumber):
        step(database, "12345678901234", CaseAction.ACCEPT)


def test_the_state_of_a_case_is_that_of_its_events(database, case):
    step(database, case, CaseAction.ACCEPT)
    with database.reading() as session:
        state = stored_state(session, session.scalars(select(Complaint)).one())

    assert (state.status, state.clock_started_at) == (CaseStatus.ACCEPTED, NOW)
