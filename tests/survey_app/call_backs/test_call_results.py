"""What came of a call: stored once, corrected by another row, and counted in the month of the call."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from analytics.casework.call_backs import CALL_BACK_COLUMNS, OUTCOMES, count_call_backs
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.call_backs.call_results import (
    MOST_TRIES,
    CallMovedOn,
    CallOver,
    Said,
    read_call_backs,
    read_said,
    record_result,
)
from survey_app.call_backs.call_sheets import CallState, read_sheet
from survey_app.complaints.contacts import erase_contacts
from survey_app.models import Account, AuditEvent, CallBack, CallBackResult
from survey_app.models.vocabulary import Area, CallCorrection, CallOutcome, Contacted, Resolved, Satisfied
from tests.survey_app.call_backs.conftest import HOUR, LATER
from tests.survey_app.call_backs.test_samples import drawn

FIXED = Said(CallOutcome.REACHED, Contacted.YES, Resolved.YES, Satisfied.YES)
UNFIXED = Said(CallOutcome.REACHED, Contacted.NO, Resolved.NO, Satisfied.UNSAID)
NOBODY = Said(CallOutcome.NOT_REACHED)


@pytest.fixture
def sample(city):
    city.close(count=2)
    city.close(place=1)
    return drawn(city)


def record(city, said, *, number=1, seen=0, now=LATER, **values):
    with city.database.writing() as session:
        account = session.scalars(select(Account.id).filter_by(username="city")).one()
        call_back = session.scalars(select(CallBack).filter_by(number=number)).one()
        return record_result(session, call_back, said, seen=seen, account_id=account, now=now, **values).number


def frame(city, *, since=LATER - timedelta(days=5), cut_off=LATER + timedelta(days=20), scope=EVERYWHERE):
    with city.database.reading() as session:
        return read_call_backs(session, scope=scope, since=since, cut_off=cut_off)


def states(city, sample):
    with city.database.reading() as session:
        return [call.state for call in read_sheet(session, sample, scope=EVERYWHERE, account_id=0).calls]


def test_outcomes_are_those_that_analytics_counts():
    assert {outcome.value for outcome in CallOutcome} == set(OUTCOMES)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"contacted": "1", "resolved": "1", "satisfied": "1"}, FIXED),
        ({"contacted": "２", "resolved": " 3 ", "satisfied": "３"}, UNFIXED),
        ({"contacted": "1", "resolved": "1", "satisfied": ""}, None),
        ({"contacted": "4", "resolved": "1", "satisfied": "1"}, None),
        ({"contacted": "0", "resolved": "1", "satisfied": "1"}, None),
        ({"outcome": "not_reached", "contacted": "1"}, NOBODY),
        ({"outcome": "else"}, None),
        ({}, None),
    ],
)
def test_answers_are_typed_by_their_numbers(typed, said):
    assert read_said(typed) == said


@pytest.mark.usefixtures("sample")
def test_a_result_stands_and_the_same_form_sent_again_changes_nothing(city):
    assert record(city, FIXED) == record(city, FIXED) == 1

    with pytest.raises(CallMovedOn):
        record(city, UNFIXED)
    with pytest.raises(CallOver):
        record(city, UNFIXED, seen=1)
    with city.database.reading() as session:
        assert len(session.scalars(select(CallBackResult)).all()) == 1
        events = session.scalars(select(AuditEvent).filter_by(action="call_back_recorded")).all()
        assert len(events) == 1
        assert "satisfied" not in events[0].after


def test_after_so_many_calls_a_resident_counts_as_not_reached(city, sample):
    for tries in range(MOST_TRIES):
        assert states(city, sample)[0] is CallState.TO_CALL
        record(city, NOBODY, seen=tries)

    assert states(city, sample)[0] is CallState.NOT_REACHED
    with pytest.raises(CallOver):
        record(city, FIXED, seen=MOST_TRIES)


def test_a_correction_holds_in_the_place_of_what_was_recorded_which_stays(city, sample):
    record(city, FIXED)
    with pytest.raises(CallOver):
        record(city, UNFIXED, number=2, correction=CallCorrection.MISTYPED)

    record(city, UNFIXED, seen=1, correction=CallCorrection.MISTYPED, now=LATER + HOUR)

    assert frame(city)["resolved"].tolist() == ["no"]
    with city.database.reading() as session:
        assert [row.resolved for row in session.scalars(select(CallBackResult))] == ["yes", "no"]
        [event] = session.scalars(select(AuditEvent).filter_by(action="call_back_corrected"))
        assert "mistyped" in event.after
    assert states(city, sample)[0] is CallState.REACHED


def test_who_was_not_the_resident_can_be_called_again(city, sample):
    record(city, FIXED)

    record(city, NOBODY, seen=1, correction=CallCorrection.OTHER_PERSON)
    assert states(city, sample)[0] is CallState.TO_CALL
    record(city, UNFIXED, seen=2)

    assert frame(city)["resolved"].tolist() == ["no"]


def test_the_frame_has_the_stated_columns_and_counts_in_the_month_of_the_call(city, sample):
    october = datetime(2026, 9, 30, 16, tzinfo=UTC)
    record(city, FIXED, now=october - HOUR)
    record(city, UNFIXED, seen=1, correction=CallCorrection.CALLED_AGAIN, now=october + HOUR)
    record(city, NOBODY, number=2, now=october + HOUR)

    september = frame(city, since=october - timedelta(days=30), cut_off=october)
    later = frame(city, since=october - timedelta(days=30), cut_off=LATER)

    assert sample
    assert september.columns.tolist() == list(CALL_BACK_COLUMNS)
    assert september["resolved"].tolist() == ["yes"], "a past month reads the same whenever it is asked for"
    assert later["outcome"].tolist() == ["reached", "not_reached"]
    assert later["resolved"].tolist()[0] == "no"
    assert len(frame(city, since=october, cut_off=LATER)) == 1, "the correction moves no call to another month"
    assert (frame(city, cut_off=october - HOUR).dtypes == september.dtypes).all()


@pytest.mark.usefixtures("sample")
def test_a_district_reads_its_own_call_backs(city):
    for number in (1, 2, 3):
        record(city, FIXED, number=number)

    scopes = [EVERYWHERE, *(Scope(Area.DISTRICT, (district,)) for district in city.districts)]

    assert [count_call_backs(frame(city, scope=scope)).reached for scope in scopes] == [3, 2, 1]


def test_a_drawn_case_whose_contact_is_erased_could_not_be_called(city, sample):
    record(city, FIXED)

    erase_contacts(city.database, by="site", now=LATER + timedelta(days=100))

    assert states(city, sample) == [CallState.REACHED, CallState.UNCALLABLE, CallState.UNCALLABLE]


@pytest.mark.usefixtures("sample")
def test_a_stored_result_stays_as_it_is(city):
    record(city, FIXED)

    for change in ("UPDATE call_back_result SET resolved = 'no'", "DELETE FROM call_back_result"):
        with pytest.raises(DBAPIError, match="refuse"), city.database.writing() as session:
            session.execute(text(change))


@pytest.mark.usefixtures("sample")
def test_who_was_reached_said_something_to_each_question(city):
    for said in (Said(CallOutcome.REACHED, Contacted.YES), Said(CallOutcome.DECLINED, Contacted.YES)):
        with pytest.raises(DBAPIError):
            record(city, said)
