"""Files of the hotline are imported as they were shown: once, as a whole, and without starting our clock."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from survey_app.accounts.scope import EVERYWHERE
from survey_app.complaints.case_records import read_case_records
from survey_app.complaints.cases import (
    due_references,
    find_complaint,
    inconsistent_references,
    settle_case,
    state_of,
    take_step,
)
from survey_app.errors import TransitionRefused
from survey_app.hotline.community_names import add_alias, read_community_names
from survey_app.hotline.import_files import LEDGERS, compare_again, erase_expired_files, keep_file
from survey_app.hotline.taking_back import StepsRestOnImport, take_back
from survey_app.kept_files import FileInWork, NoSuchFile
from survey_app.models import AuditEvent, Complaint, ComplaintEvent, HotlineCase, HotlineImport
from survey_app.models.vocabulary import CaseAction, CaseActor
from tests.accounts import make_account
from tests.factories import make_community, make_district, make_round
from tests.survey_app.hotline.ledgers import (
    NOW,
    bring_in,
    confirm,
    csv_of,
    findings,
    kept,
    row,
    send,
    work,
)

DAY = timedelta(days=1)


@pytest.fixture
def city(database):
    with database.writing() as session:
        make_round(session)
        district = make_district(session, name="海勃湾区")
        make_community(session, name="阳光花园", number="HB-1", district=district)
        make_community(session, name="滨河小区", number="HB-2", district=district)
        return make_account(session, "city", now=NOW).id


def case(database, number):
    with database.reading() as session:
        found = session.scalars(select(HotlineCase).filter_by(external_number=number)).one()
        return session.get(Complaint, found.complaint_id)


def actions(database, number):
    with database.reading() as session:
        events = select(ComplaintEvent.action).join(
            HotlineCase, HotlineCase.complaint_id == ComplaintEvent.complaint_id
        )
        return session.scalars(
            events.filter(HotlineCase.external_number == number).order_by(ComplaintEvent.number)
        ).all()


def count(database, table):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_nothing_is_stored_before_somebody_has_confirmed_what_is_shown(database, city):
    import_id = send(database, city, csv_of([row(), row(ended="2026-11-12", answer="已修好"), row(community="不知道")]))

    assert findings(database, import_id).counts == {
        "new": 2,
        "changed": 0,
        "unchanged": 0,
        "ended": 1,
        "undecided": 1,
    }
    assert findings(database, import_id).undecided == {"不知道": 1}
    assert count(database, Complaint) == 0

    confirm(database, import_id)

    assert count(database, Complaint) == 2
    assert kept(database, import_id).imported_at == NOW


def test_a_case_carries_the_number_and_the_limit_of_the_hotline_and_time_moves_nothing(database, city):
    bring_in(database, city, [row(number="WH1", limit="2026-11-24 18:00")])

    complaint = case(database, "WH1")
    assert (complaint.channel, complaint.status, complaint.next_step_at) == ("hotline", "submitted", None)
    assert complaint.deadline_at == datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    assert complaint.secret_hash is None
    later = NOW + 400 * DAY
    with database.writing() as session:
        settle_case(session, reference=complaint.reference, now=later)
        assert due_references(session, now=later) == []
        _clock, state = state_of(session, find_complaint(session, reference=complaint.reference), now=later)
        assert (state.status, state.stage) == ("submitted", 1)
    assert case(database, "WH1").deadline_at == complaint.deadline_at


def test_a_past_case_comes_in_ended_with_its_own_times_and_is_never_escalated(database, city):
    bring_in(
        database,
        city,
        [
            row(
                number="WH1",
                submitted="2025-03-01 09:00",
                dispatched="2025-03-01",
                signed="2025-03-02",
                limit="2025-03-10",
                answer="已修好",
                ended="2025-03-08 10:00",
            )
        ],
    )

    assert actions(database, "WH1") == ["submit", "file", "accept", "respond", "close"]
    complaint = case(database, "WH1")
    assert (complaint.status, complaint.stage, complaint.deadline_at) == ("closed", 1, None)
    assert complaint.status_since == datetime(2025, 3, 8, 2, 0, tzinfo=UTC)


def test_the_same_file_again_changes_nothing(database, city):
    rows = [row(signed="2026-11-11"), row(answer="已修好", ended="2026-11-12")]
    bring_in(database, city, rows)
    before = count(database, ComplaintEvent)

    again = bring_in(database, city, rows)

    assert findings(database, again).counts["unchanged"] == 2
    assert (count(database, Complaint), count(database, ComplaintEvent)) == (2, before)


def test_later_files_move_a_case_on_by_events(database, city):
    first = row(number="WH1")
    bring_in(database, city, [first])
    signed = first | {"signed": "2026-11-11 09:00", "extended": "2026-11-30"}
    bring_in(database, city, [signed], now=NOW + DAY)
    answered = signed | {"answer": "已修好", "ended": "2026-11-19 09:00"}
    bring_in(database, city, [answered], now=NOW + 2 * DAY)
    redone = answered | {"redone": "2026-11-21 09:00"}
    bring_in(database, city, [redone], now=NOW + 3 * DAY)

    assert actions(database, "WH1") == [
        *("submit", "file", "limit", "accept"),
        *("file", "respond", "close"),
        *("file", "redo"),
    ]
    complaint = case(database, "WH1")
    assert (complaint.status, complaint.deadline_at) == ("reopened", datetime(2026, 11, 30, 16, 0, tzinfo=UTC))


def test_a_case_that_the_hotline_took_back_and_sent_again_is_open_again(database, city):
    returned = row(number="WH1", returned="2026-11-11 09:00")
    bring_in(database, city, [returned])
    assert case(database, "WH1").status == "out_of_scope"

    bring_in(database, city, [returned | {"dispatched": "2026-11-12 09:00"}], now=NOW + DAY)

    assert case(database, "WH1").status == "reopened"


def test_a_file_that_says_less_than_an_earlier_one_is_refused_as_a_whole(database, city):
    ended, other = row(number="WH1", answer="已修好", ended="2026-11-12"), row(number="WH2")
    bring_in(database, city, [ended])
    before = count(database, ComplaintEvent)

    import_id = send(database, city, csv_of([ended | {"ended": "", "answer": ""}, other]), now=NOW + DAY)

    found = findings(database, import_id)
    assert [(fault.line, fault.key) for fault in found.faults] == [(2, "答复"), (2, "办结")]
    assert count(database, ComplaintEvent) == before


def test_what_a_case_came_in_with_stays_and_a_difference_is_noted(database, city):
    first = row(number="WH1")
    bring_in(database, city, [first])

    changed = bring_in(database, city, [first | {"category": "咨询-停车费", "community": "滨河"}], now=NOW + DAY)

    assert (case(database, "WH1").category, case(database, "WH1").kind) == ("EQ01", "complaint")
    assert len(findings(database, changed).notes) == 2


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("written", ["HB-1", "hb-1", "阳光花园", "阳光花园小区", " 阳光 花园 ", "海勃湾区阳光花园"])
def test_a_community_is_found_by_number_and_by_name_however_it_is_written(database, written):
    with database.reading() as session:
        names = read_community_names(session)
        assert names.find(written) == names.find("阳光花园") is not None


def test_an_alias_decides_and_one_of_two_communities_decides_nothing(database, city):
    import_id = send(database, city, csv_of([row(community="老电厂家属院")]))
    assert findings(database, import_id).undecided == {"老电厂家属院": 1}
    alias = {"alias": "老电厂家属院", "account_id": city, "by": "city", "now": NOW}
    with database.writing() as session:
        add_alias(session, called="HB-2", **alias)
        add_alias(session, called="HB-2", **alias)
        compare_again(session, import_id=import_id, now=NOW)

    work(database)
    assert findings(database, import_id).counts["new"] == 1
    with database.writing() as session:
        add_alias(session, called="HB-1", **alias)
        assert read_community_names(session).find("老电厂家属院") is None


@pytest.mark.usefixtures("city")
def test_a_name_that_two_communities_have_is_undecided(database):
    with database.writing() as session:
        make_community(session, name="阳光花园", district=make_district(session, name="乌达区"))
        names = read_community_names(session)
        assert names.find("阳光花园") is None
        assert names.find("乌达区阳光花园") != names.find("海勃湾区阳光花园")


def test_the_desk_works_on_a_case_and_neither_extends_it_nor_asks_by_our_clock(database, city):
    bring_in(database, city, [row(number="WH1")])
    reference = case(database, "WH1").reference
    step = {"reference": reference, "actor": CaseActor.BUREAU, "by": "city", "now": NOW}
    with database.writing() as session:
        take_step(session, action=CaseAction.ACCEPT, **step)
    for action, given in ((CaseAction.EXTEND, {"until": NOW + 9 * DAY}), (CaseAction.ASK_RESIDENT, {})):
        with pytest.raises(TransitionRefused), database.writing() as session:
            take_step(session, action=action, **step, **given)
    with database.writing() as session:
        take_step(session, action=CaseAction.RESPOND, text="已修好", **step)

    bring_in(database, city, [row(number="WH1", answer="已修好", ended="2026-11-20 09:30")], now=NOW + DAY)

    assert actions(database, "WH1") == ["submit", "accept", "respond", "file", "close"]
    assert case(database, "WH1").status == "closed"
    with database.reading() as session:
        assert list(inconsistent_references(session)) == []


def test_an_answer_is_judged_by_the_limit_of_the_hotline_and_no_acknowledgement_is(database, city):
    times = {"submitted": "2026-11-02 09:00", "dispatched": "2026-11-02", "signed": "2026-11-09", "answer": "已修好"}
    bring_in(
        database,
        city,
        [
            row(**times, ended="2026-11-10", limit="2026-11-12"),
            row(**times, ended="2026-11-14", limit="2026-11-12"),
            row(limit="2026-11-12"),
        ],
    )

    with database.reading() as session:
        records = read_case_records(session, scope=EVERYWHERE, since=NOW - 30 * DAY, cut_off=NOW).cases
    assert records["answered_in_time"].tolist() == [True, False, False]
    assert records["acknowledged_in_time"].isna().all()


def test_an_import_is_taken_back_as_a_whole_and_a_corrected_file_brings_its_cases_anew(database, city):
    first = row(number="WH1")
    bring_in(database, city, [first])
    before = case(database, "WH1")
    changed = first | {"signed": "2026-11-11", "answer": "已修好", "ended": "2026-11-12"}
    import_id = bring_in(database, city, [changed, row(number="WH2", ended="2026-11-12")], now=NOW + DAY)

    with database.writing() as session:
        assert take_back(session, import_id=import_id, account_id=city, by="city", now=NOW + DAY) == 2

    assert (case(database, "WH1").status, case(database, "WH1").deadline_at) == ("submitted", before.deadline_at)
    with database.reading() as session:
        assert session.scalars(select(HotlineCase.external_number)).all() == ["WH1"]
        assert session.scalars(select(Complaint.status).order_by(Complaint.id)).all() == ["submitted", "invalid"]
        assert list(inconsistent_references(session)) == []
        records = read_case_records(session, scope=EVERYWHERE, since=NOW - 30 * DAY, cut_off=NOW + 2 * DAY).cases
        assert records["answered_at"].isna().all()
        (event,) = session.scalars(select(AuditEvent).filter_by(action="hotline_taken_back"))
        assert event.subject == f"hotline:{import_id}"
    bring_in(database, city, [changed, row(number="WH2")], now=NOW + 2 * DAY)
    assert (case(database, "WH1").status, case(database, "WH2").status) == ("closed", "submitted")


def test_an_import_on_which_a_later_step_rests_is_not_taken_back(database, city):
    import_id = bring_in(database, city, [row(number="WH1"), row(number="WH2")])
    reference = case(database, "WH1").reference
    with database.writing() as session:
        take_step(session, reference=reference, action=CaseAction.ACCEPT, actor=CaseActor.BUREAU, by="city", now=NOW)

    with pytest.raises(StepsRestOnImport) as caught, database.writing() as session:
        take_back(session, import_id=import_id, account_id=city, by="city", now=NOW)

    assert caught.value.references == (reference,)
    assert case(database, "WH2").status == "submitted"


def test_nothing_is_taken_back_twice(database, city):
    import_id = bring_in(database, city, [row()])
    with database.writing() as session:
        take_back(session, import_id=import_id, account_id=city, by="city", now=NOW)

    with pytest.raises(NoSuchFile), database.writing() as session:
        take_back(session, import_id=import_id, account_id=city, by="city", now=NOW)


def test_a_step_between_the_comparison_and_the_import_shows_the_comparison_anew(database, city):
    first = row(number="WH1")
    bring_in(database, city, [first])
    import_id = send(database, city, csv_of([first | {"signed": "2026-11-11"}]))
    reference = case(database, "WH1").reference
    with database.writing() as session:
        take_step(session, reference=reference, action=CaseAction.ACCEPT, actor=CaseActor.BUREAU, by="city", now=NOW)

    confirm(database, import_id)

    assert kept(database, import_id).status == "compared"
    confirm(database, import_id)
    assert kept(database, import_id).status == "imported"


def test_one_file_is_in_work_at_a_time_and_a_waiting_one_is_replaced(database, city):
    import_id = send(database, city, csv_of([row()]))
    again = send(database, city, csv_of([row()]))
    assert kept(database, import_id) is None or again == import_id

    with database.writing() as session:
        keep_file(session, account_id=city, name="ledger.csv", content=csv_of([row()]), now=NOW)
    with pytest.raises(FileInWork), database.writing() as session:
        keep_file(session, account_id=city, name="ledger.csv", content=csv_of([row()]), now=NOW)


def test_the_words_of_a_file_are_erased_a_day_after_its_last_step(database, city):
    bring_in(database, city, [row()])
    send(database, city, csv_of([row()]))
    with database.writing() as session:
        erase_expired_files(session, now=NOW + 2 * DAY)

    with database.reading() as session:
        (imported,) = session.scalars(select(HotlineImport))
        assert imported.imported_at is not None
        assert (imported.rows, imported.content) == (None, None)


def test_the_columns_of_the_last_file_are_those_of_the_next(database, city):
    renamed = csv_of([row()]).replace("工单号".encode(), "流水".encode())
    import_id = send(database, city, renamed)
    assert kept(database, import_id).status == "asked"
    with database.writing() as session:
        LEDGERS.choose_headers(session, import_id, headers={"number": "流水"}, now=NOW)
    work(database)
    confirm(database, import_id)

    another = send(database, city, csv_of([row()]).replace("工单号".encode(), "流水".encode()))

    assert kept(database, another).status == "compared"


def test_references_of_cases_are_found_by_the_desk(database, city):
    bring_in(database, city, [row(number="WH1")])
    with database.reading() as session:
        assert find_complaint(session, reference=case(database, "WH1").reference).channel == "hotline"
