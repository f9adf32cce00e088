"""Case records: what the events of a case amount to before a moment, worked by hand and over simulated lives."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import event as sqlalchemy_event

from analytics.casework.case_frame import CASE_COLUMNS, SPELL_COLUMNS
from analytics.casework.closures import CLOSURE_COLUMNS
from analytics.casework.flow import monthly_flow
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.complaints import case_records
from survey_app.complaints.calendars import calendar
from survey_app.complaints.case_records import NAME_COLUMNS, read_case_records
from survey_app.complaints.cases import inconsistent_references, record_history, settle_case, state_of
from survey_app.complaints.casework_files import rules_at
from survey_app.complaints.categories import categories, category_of
from survey_app.complaints.deadlines import Clock
from survey_app.complaints.state_machine import ENDED, Event
from survey_app.demo.simulation.case_histories import draw_case_history
from survey_app.models import Community, Complaint, PropertyCompany
from survey_app.models.vocabulary import Area, CaseAction, CaseActor, CaseEndReason
from survey_app.register.contracts import take_over
from tests.factories import NOW, make_community, make_complaint, make_round

ZONE = ZoneInfo("Asia/Shanghai")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG_AGO, LATER = NOW - 400 * DAY, NOW + 60 * DAY
BUREAU, COMPANY, RESIDENT = CaseActor.BUREAU, CaseActor.COMPANY, CaseActor.RESIDENT
UNTIL_STARTED = [
    (HOUR, CaseAction.ACCEPT, BUREAU),
    (2 * HOUR, CaseAction.DISPATCH, BUREAU),
    (DAY, CaseAction.START, COMPANY),
]


@pytest.fixture
def community(database):
    with database.writing() as session:
        make_round(session)
        return make_community(session).id


def file(database, community, steps=(), *, category="CL01", submitted_at=NOW, **values):
    """File a case with its life: each step says how long after the submission, what, by whom, and why if it must."""
    with database.writing() as session:
        complaint = make_complaint(
            session, session.get_one(Community, community), category=category, submitted_at=submitted_at, **values
        )
        events = [Event(action, actor, submitted_at + after, *reason) for after, action, actor, *reason in steps]
        record_history(session, reference=complaint.reference, events=events)
        assert list(inconsistent_references(session)) == []
        return complaint.id


def read(database, *, since=LONG_AGO, cut_off=LATER, scope=EVERYWHERE):
    with database.reading() as session:
        return read_case_records(session, scope=scope, since=since, cut_off=cut_off)


def only(database, **asked):
    records = read(database, **asked)
    [row] = records.cases.to_dict("records")
    return row


def local(day, time="00:00"):
    return pd.Timestamp(f"2026-{day}T{time}+08:00")


def test_a_case_that_was_answered_and_confirmed(database, community):
    file(
        database,
        community,
        [*UNTIL_STARTED, (3 * DAY, CaseAction.RESPOND, COMPANY), (4 * DAY, CaseAction.CONFIRM, RESIDENT)],
    )

    row = only(database)

    assert row["acknowledged_in_time"] is True
    assert row["acknowledged_at"] == row["acknowledgement_judged_at"] == local("09-15", "13:00")
    assert row["answered_in_time"] is True
    assert row["answered_at"] == row["answer_judged_at"] == local("09-18", "12:00")
    assert row["is_companys"]
    assert (row["verdict"], row["verdict_at"], row["ended_at"]) == ("confirmed", *[local("09-19", "12:00")] * 2)
    assert row["working_days_waited"] == 3, "Wednesday, Thursday and Friday"
    assert (row["status"], row["waits_for"], row["reopened"], row["stage"]) == ("closed", None, 0, 1)
    assert (row["district"], row["channel"], row["kind"]) == (row["district"], "code", "complaint")


def test_a_case_that_no_company_got_stands_beside_the_one_in_charge_when_it_was_filed(database, community):
    with database.writing() as session:
        place = session.get_one(Community, community)
        first, second = (PropertyCompany(name=name, sort_key=name) for name in ("甲物业", "乙物业"))
        session.add_all([first, second])
        place.company = first
        session.flush()
        day = (NOW + DAY).date()
        take_over(session, place, second, starts_on=day, today=day, by="test", now=NOW + DAY)
    for after in (timedelta(), DAY, 2 * DAY):
        file(database, community, submitted_at=NOW + after)

    assert read(database).cases["company"].tolist() == ["甲物业", "乙物业", "乙物业"]


def test_the_frames_have_the_columns_that_are_stated(database, community):
    empty = read(database)
    file(database, community)
    filled = read(database)

    for records in (empty, filled):
        assert records.cases.columns.tolist() == [*CASE_COLUMNS, *NAME_COLUMNS]
        assert records.spells.columns.tolist() == list(SPELL_COLUMNS)
        assert records.closures.columns.tolist() == list(CLOSURE_COLUMNS)
    assert (empty.cases.dtypes == filled.cases.dtypes).all()
    assert (len(empty), len(filled)) == (0, 2)


def test_each_answer_is_a_closure_with_what_was_said_of_it_last(database, community):
    again = [(5 * DAY, CaseAction.DISPATCH, BUREAU), (5 * DAY, CaseAction.START, BUREAU)]
    file(
        database,
        community,
        [
            *UNTIL_STARTED,
            (3 * DAY, CaseAction.RESPOND, COMPANY),
            (4 * DAY, CaseAction.REJECT, RESIDENT),
            *again,
            (6 * DAY, CaseAction.RESPOND, BUREAU),
            (7 * DAY, CaseAction.CONFIRM, RESIDENT),
            (8 * DAY, CaseAction.REOPEN, RESIDENT),
        ],
    )
    with database.writing() as session:
        company = PropertyCompany(name="安居物业", english_name=None, sort_key="a")
        session.get_one(Community, community).company = company

    first, second = read(database).closures.to_dict("records")

    assert (first["company"], first["verdict"], first["verdict_at"]) == (
        "安居物业",
        "rejected",
        local("09-19", "12:00"),
    )
    assert (second["company"], second["verdict"]) == (None, "rejected"), "the office answered, and it was opened again"
    assert second["verdict_at"] == local("09-23", "12:00")
    earlier = read(database, cut_off=NOW + 7 * DAY + HOUR).closures
    assert earlier["verdict"].tolist() == ["rejected", "confirmed"]


def test_what_is_none_to_be_answered_has_no_closures(database, community):
    answered = [*UNTIL_STARTED, (3 * DAY, CaseAction.RESPOND, COMPANY)]
    file(database, community, [*answered, (4 * DAY, CaseAction.INVALIDATE, BUREAU, CaseEndReason.NOT_A_CASE)])

    assert read(database).closures.empty


def test_what_is_not_due_yet_is_neither_kept_nor_missed(database, community):
    file(database, community)

    row = only(database, cut_off=NOW + HOUR)

    assert row["acknowledged_in_time"] is None
    assert row["answered_in_time"] is None
    assert (row["status"], row["waits_for"], row["working_days_waited"]) == ("submitted", "office", 0)


def test_a_missed_acknowledgement_is_judged_at_its_deadline_and_nobody_has_acknowledged(database, community):
    file(database, community)

    row = only(database, cut_off=NOW + 3 * DAY)

    assert row["acknowledged_in_time"] is False
    assert row["acknowledgement_judged_at"] == local("09-17")
    assert row["acknowledged_at"] is pd.NaT
    assert (row["stage"], row["stage2_at"], row["status"]) == (2, local("09-17"), "stage2")
    assert row["answered_in_time"] is None, "the review has its own time"


def test_a_missed_answer_is_the_companys_once_it_had_the_case(database, community):
    file(database, community, UNTIL_STARTED)

    row = only(database, cut_off=NOW + 20 * DAY)

    assert (row["answered_in_time"], row["answer_judged_at"]) == (False, local("09-30"))
    assert row["is_companys"]
    assert row["answered_at"] is pd.NaT


def test_an_answer_that_the_company_never_owed_is_not_its_own(database, community):
    file(database, community, UNTIL_STARTED[:1])
    with database.writing() as session:
        [about_the_law] = [each.code for each in categories() if each.bypasses_company][:1]
        other = make_community(session).id
    file(database, other, UNTIL_STARTED[:2], category=about_the_law)

    records = read(database, cut_off=NOW + 20 * DAY)

    assert records.cases["answered_in_time"].tolist() == [False, False]
    assert records.cases["is_companys"].tolist() == [False, False]


def test_a_deadline_that_passes_in_stage_2_is_missed_though_nothing_happens(database, community):
    file(database, community, [(HOUR, CaseAction.ESCALATE, RESIDENT)])

    before, after = only(database, cut_off=local("09-30").to_pydatetime()), only(database)

    assert before["answered_in_time"] is None
    assert (after["answered_in_time"], after["answer_judged_at"]) == (False, local("09-30"))
    assert after["acknowledged_in_time"] is None, "the resident ended that period"
    assert not after["is_companys"]


def test_a_late_answer_in_stage_2_is_judged_when_it_was_due(database, community):
    work = [(30 * DAY, CaseAction.DISPATCH, BUREAU), (30 * DAY, CaseAction.START, BUREAU)]
    file(database, community, [(HOUR, CaseAction.ESCALATE, RESIDENT), *work, (31 * DAY, CaseAction.RESPOND, BUREAU)])

    row = only(database)

    assert (row["answered_in_time"], row["answer_judged_at"]) == (False, local("09-30"))
    assert row["answered_at"] == local("10-16", "12:00")


def test_the_last_word_counts_and_work_begun_anew_is_counted(database, community):
    again = [(5 * DAY, CaseAction.DISPATCH, BUREAU), (5 * DAY, CaseAction.START, COMPANY)]
    file(
        database,
        community,
        [
            *UNTIL_STARTED,
            (3 * DAY, CaseAction.RESPOND, COMPANY),
            (4 * DAY, CaseAction.PARTLY, RESIDENT),
            *again,
            (6 * DAY, CaseAction.RESPOND, COMPANY),
        ],
    )

    before, after = only(database, cut_off=NOW + 7 * DAY), only(database)

    assert (before["verdict"], before["reopened"], before["waits_for"]) == ("partly", 1, "resident")
    assert before["answered_at"] == local("09-18", "12:00"), "the first answer"
    assert (after["verdict"], after["verdict_at"], after["ended_at"]) == ("silent", *[local("09-28", "12:00")] * 2)
    assert after["reopened_at"] == local("09-19", "12:00")


def test_a_case_that_is_opened_again_was_open_twice_and_is_not_fixed(database, community):
    reopened = (9 * DAY, CaseAction.REOPEN, RESIDENT)
    closed = [*UNTIL_STARTED, (3 * DAY, CaseAction.RESPOND, COMPANY), (4 * DAY, CaseAction.CONFIRM, RESIDENT)]
    file(database, community, [*closed, reopened])

    records = read(database, cut_off=NOW + 10 * DAY)

    [row] = records.cases.to_dict("records")
    assert (row["verdict"], row["reopened"], row["ended_at"]) == ("rejected", 1, pd.NaT)
    assert records.spells["is_reopening"].tolist() == [False, True]
    assert records.spells["ended_at"].tolist() == [local("09-19", "12:00"), pd.NaT]
    earlier = only(database, cut_off=NOW + 5 * DAY)
    assert (earlier["verdict"], earlier["status"]) == ("confirmed", "closed"), "a past month reads as it did"


@pytest.mark.parametrize("reason", [CaseEndReason.OTHER_AUTHORITY, CaseEndReason.PRIVATE_DISPUTE])
def test_an_excluded_case_is_acknowledged_and_owes_no_answer(database, community, reason):
    file(database, community, [(HOUR, CaseAction.REFUSE, BUREAU, reason)])

    row = only(database)

    assert (row["exclusion"], row["status"], row["waits_for"]) == (reason, "out_of_scope", None)
    assert row["acknowledged_in_time"] is True
    assert row["answered_in_time"] is None


def test_a_withdrawn_case_waited_until_then_and_owes_nothing(database, community):
    file(database, community, [(DAY, CaseAction.WITHDRAW, RESIDENT)])

    row = only(database)

    assert (row["working_days_waited"], row["answered_at"]) == (1, pd.NaT)
    assert row["answered_in_time"] is None
    assert row["acknowledged_in_time"] is None


def test_nothing_that_happens_at_the_cut_off_or_later_is_told(database, community):
    file(database, community, UNTIL_STARTED)
    file(database, community, submitted_at=NOW + HOUR)

    records = read(database, cut_off=NOW + HOUR)

    assert records.cases["status"].tolist() == ["submitted"]
    assert len(records.spells) == 1


def test_cases_that_ended_before_the_period_are_not_read_and_open_ones_are(database, community):
    ended = file(database, community, [(HOUR, CaseAction.WITHDRAW, RESIDENT)], submitted_at=NOW - 90 * DAY)
    waiting = file(database, community, [(HOUR, CaseAction.ACCEPT, BUREAU)], submitted_at=NOW - 90 * DAY)

    assert read(database, since=NOW - 30 * DAY).cases["case"].tolist() == [waiting]
    assert read(database).cases["case"].tolist() == [ended, waiting]


def test_an_account_reads_the_cases_of_its_own_places(database, community):
    file(database, community)
    with database.writing() as session:
        other = make_community(session)
        district, neighbour = other.district_id, other.id
    file(database, neighbour)

    assert len(read(database).cases) == 2
    own = read(database, scope=Scope(Area.DISTRICT, (district,)))
    assert len(own.cases) == len(own.spells) == 1
    assert len(read(database, scope=Scope(Area.COMMUNITY, (neighbour, community))).cases) == 2
    assert read(database, scope=Scope(Area.COMPANY, (99,))).cases.empty


@pytest.fixture
def simulated(database, community):
    """Many lives of cases as the demonstration draws them, with the moment until which they go."""
    random = np.random.default_rng(11)
    codes = [category.code for category in categories()]
    now = NOW + 20 * DAY
    with database.reading() as session:
        rules, known = rules_at(session, NOW), calendar(session)
    for _case in range(120):
        submitted_at = NOW - timedelta(hours=float(random.uniform(0, 24 * 120)))
        category = str(random.choice(codes))
        life = draw_case_history(
            random,
            submitted_at=submitted_at,
            category=category_of(category),
            company_id=None,
            clock=Clock(category_of(category).safety, rules, known, ZONE),
            now=now,
        )
        steps = [
            (each.at - submitted_at, each.action, each.actor, each.reason, each.original_id, each.until)
            for each in life
        ]
        file(database, community, steps, category=category, submitted_at=submitted_at)
    return now


def test_each_record_agrees_with_the_case_as_it_is_read_by_itself(database, simulated):
    cases = read(database, cut_off=simulated).cases.set_index("case")

    assert len(cases) == 120
    with database.reading() as session:
        for complaint in session.query(Complaint):
            _clock, state = state_of(session, complaint, now=simulated)
            row = cases.loc[complaint.id]
            assert (row["status"], row["stage"]) == (state.status, state.stage)
            assert pd.isna(row["ended_at"]) == (state.status not in ENDED)
    assert {"confirmed", "silent"} <= set(cases["verdict"].dropna())
    assert (cases["reopened"] > 0).any()


def test_the_same_month_reads_the_same_before_and_after_cases_are_settled(database, simulated):
    moment = simulated - 15 * DAY
    before = read(database, cut_off=moment)
    with database.writing() as session:
        for reference in [complaint.reference for complaint in session.query(Complaint)]:
            settle_case(session, reference=reference, now=simulated)

    after = read(database, cut_off=moment)

    pd.testing.assert_frame_equal(before.cases, after.cases)
    pd.testing.assert_frame_equal(before.spells, after.spells)


def test_the_flow_of_the_months_ends_with_the_cases_that_are_open(database, simulated):
    records = read(database, cut_off=simulated)

    flow = monthly_flow(
        records.spells, start=pd.Timestamp("2026-05-01", tz=ZONE), cut_off=pd.Timestamp(records.cut_off)
    )

    assert flow["open"].iloc[-1] == records.cases["waits_for"].notna().sum()
    assert flow["filed"].sum() == 120


def test_events_are_read_in_two_queries_however_many_cases_there_are(database, community, monkeypatch):
    monkeypatch.setattr(case_records, "_ROWS_AT_ONCE", 2)
    for _case in range(5):
        file(database, community, UNTIL_STARTED)
    asked = []
    with database.reading() as session:
        connection = session.connection()
        sqlalchemy_event.listen(connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
        records = read_case_records(session, scope=EVERYWHERE, since=LONG_AGO, cut_off=NOW + 3 * DAY)

    assert len(records.cases) == 5
    assert sum("complaint" in statement for statement in asked) == 2


def test_a_moment_before_the_first_round_is_told_in_utc(database):
    with database.writing() as session:
        make_complaint(session, make_community(session))

    assert str(read(database).cases["submitted_at"].dt.tz) == "UTC"
    assert read(database).cut_off == datetime.fromisoformat(LATER.isoformat())
