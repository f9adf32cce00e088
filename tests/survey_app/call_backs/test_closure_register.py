"""The register of contradicted closures: by company with intervals, no ranking, and nothing that tells of few."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from analytics.statistics.intervals import wilson
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.call_backs.closure_register import read_register
from survey_app.complaints.cases import take_step
from survey_app.models import CallBack
from survey_app.models.vocabulary import Area, CaseAction, CaseActor, CaseStatus
from tests.survey_app.call_backs.conftest import FILED, LATER
from tests.survey_app.call_backs.test_call_results import FIXED, UNFIXED, record
from tests.survey_app.call_backs.test_samples import drawn

DAY = timedelta(days=1)
WEEK_LATER = LATER + timedelta(days=7)


def register(city, *, scope=EVERYWHERE, now=WEEK_LATER):
    with city.database.reading() as session:
        return read_register(session, scope=scope, now=now)


def companies(found):
    return [
        (each.name.zh_hans if each.name else None, each.contradicted, each.verified, each.is_watched)
        for each in found.companies
    ]


def test_companies_stand_by_name_with_shares_and_intervals(city):
    city.close(end="confirmed_fixed", count=24)
    city.close(end="rejected", count=6)
    city.close(place=1, end="confirmed_fixed", count=40)
    city.close(place=1, end="rejected", count=8)
    city.close(place=1, count=30)

    found = register(city)

    assert companies(found) == [("安居物业", 6, 30, True), ("滨河物业", 8, 48, False)]
    assert [each.name.zh_hans for each in found.watched] == ["安居物业"], "20 % is the bound of the file"
    limits = wilson(6, 30, level=0.95)
    share = found.companies[0].share
    assert (share.lower, share.upper) == pytest.approx((float(limits.lower), float(limits.upper)))
    assert (found.verified.some, found.verified.of) == (14, 78), "silence verifies nothing"


def test_numbers_of_few_residents_are_not_told_nor_what_would_give_them_away(city):
    city.close(end="confirmed_fixed", count=30)
    city.close(end="rejected", count=2)
    city.close(place=1, end="confirmed_fixed", count=3)

    (own, others) = register(city).companies

    assert (own.contradicted, own.share) == (None, None)
    assert others.name is None
    assert (others.contradicted, others.verified, others.share) == (None, None, None)


def test_a_call_back_contradicts_what_was_closed_without_a_word(city):
    [reference, _other] = city.close(count=2)
    drawn(city)
    with city.database.reading() as session:
        numbers = {row.complaint.reference: row.number for row in session.scalars(select(CallBack))}
    for drawn_case, number in numbers.items():
        record(city, UNFIXED if drawn_case == reference else FIXED, number=number)

    found = register(city)

    [case] = found.cases
    assert (case.reference, case.is_by_call_back, case.status) == (reference, True, CaseStatus.CLOSED)
    assert case.company.zh_hans == "安居物业"
    assert (found.verified.some, found.verified.of) == (1, 2)
    assert register(city, now=LATER - timedelta(days=1)).cases == [], "nobody had called then"


def test_what_was_put_right_since_is_not_to_be_looked_at_again(city):
    [reference] = city.close(end="rejected")
    before = register(city)

    for action, actor in (
        (CaseAction.DISPATCH, CaseActor.BUREAU),
        (CaseAction.START, CaseActor.BUREAU),
        (CaseAction.RESPOND, CaseActor.BUREAU),
        (CaseAction.CONFIRM, CaseActor.RESIDENT),
    ):
        with city.database.writing() as session:
            take_step(session, reference=reference, action=action, actor=actor, by="resident", now=FILED + 2 * DAY)
    after = register(city)

    assert [(case.reference, case.is_by_call_back) for case in before.cases] == [(reference, False)]
    assert after.cases == []
    assert (after.verified.some, after.verified.of) == (1, 2), "that it had been contradicted stays"


def test_a_district_reads_its_own_register(city):
    city.close(end="rejected")

    found = [register(city, scope=Scope(Area.DISTRICT, (district,))) for district in city.districts]

    assert [len(each.cases) for each in found] == [1, 0]


def test_what_the_office_answered_itself_is_no_companys(city):
    city.close(end="rejected", company=False, count=12)

    found = register(city)

    assert found.companies == []
    assert {case.company for case in found.cases} == {None}
    assert found.verified.of == 12


def test_a_city_without_cases_has_an_empty_register(city):
    found = register(city)

    assert (found.companies, found.cases, found.verified.of) == ([], [], 0)


def test_the_register_holds_twelve_months(city):
    city.close(end="rejected")

    assert len(register(city, now=LATER + timedelta(days=300)).cases) == 1
    assert register(city, now=LATER + timedelta(days=400)).cases == []
