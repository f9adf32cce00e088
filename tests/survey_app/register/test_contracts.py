"""Contracts by date: at most one company a day, and changes that are recorded before, on and after their day."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from survey_app.models import AuditEvent, Community, PropertyCompany, PropertyContract
from survey_app.models.vocabulary import AuditAction
from survey_app.register.communities_file import CommunityTable
from survey_app.register.community_imports import plan_import, record_import, store_import, stored_communities
from survey_app.register.contracts import (
    AlreadyInCharge,
    LaterContractRecorded,
    company_id_on,
    company_in_charge,
    contracts_of,
    follow_contracts,
    is_in_charge,
    last_day_in_charge,
    take_over,
    withdraw_contract,
)
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_round

NAMES = ("甲物业", "乙物业", "丙物业")
FIRST = date(2026, 9, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DATES = {"starts_on": FIRST, "today": FIRST}
DAYS = st.integers(0, 20).map(lambda number: FIRST + timedelta(days=number))


def make_companies(session):
    companies = [PropertyCompany(name=name, sort_key=name) for name in NAMES]
    session.add_all(companies)
    session.flush()
    return companies


def change(session, community, company, *, starts_on, today):
    now = datetime.combine(today, time(9), UTC)
    take_over(session, community, company, starts_on=starts_on, today=today, by="test", now=now)


def import_with_company(session, community, name, *, today):
    """Import the stored list once more, with another company of this community."""
    (row,) = (each for each in stored_communities(session).rows if each.number == community.number)
    table = CommunityTable((replace(row, company=name),))
    result = store_import(session, plan=plan_import(session, table=table, are_new_places_confirmed=True))
    record_import(session, result=result, by="test", now=datetime.combine(today, time(9), UTC))


def in_charge(session, community, day):
    company = company_in_charge(session, community, day)
    own = select(company_id_on(day)).select_from(Community).where(Community.id == community.id)
    assert session.scalars(own).one() == (company and company.id)
    return company and company.name


def test_a_community_without_recorded_contracts_has_its_company_on_every_day(database):
    with database.writing() as session:
        first, *_others = make_companies(session)
        community = make_community(session, company=first)

        assert in_charge(session, community, date(1999, 1, 1)) == in_charge(session, community, FIRST) == "甲物业"
        assert contracts_of(session, community.id) == []
        assert last_day_in_charge(session, community_id=community.id, company_id=first.id) is None


def test_the_company_before_ends_the_day_before_another_takes_over(database):
    with database.writing() as session:
        first, second, _third = make_companies(session)
        community = make_community(session, company=first)

        change(session, community, second, starts_on=FIRST, today=FIRST)

        assert in_charge(session, community, FIRST - timedelta(days=1)) == "甲物业"
        assert in_charge(session, community, FIRST) == "乙物业"
        assert community.company is second
        last = last_day_in_charge(session, community_id=community.id, company_id=first.id)
        assert last == FIRST - timedelta(days=1)


def test_a_change_to_come_is_followed_on_its_day_and_not_before(database):
    with database.writing() as session:
        first, second, _third = make_companies(session)
        community, day = make_community(session, company=first), FIRST + timedelta(days=5)
        change(session, community, second, starts_on=day, today=FIRST)
        found = []
        for today in (FIRST, day - timedelta(days=1), day, day):
            changed = follow_contracts(session, today=today, by="site", now=datetime.combine(today, time(1), UTC))
            found.append((changed, community.company.name))

        assert found == [(0, "甲物业"), (0, "甲物业"), (1, "乙物业"), (0, "乙物业")]
    with database.reading() as session:
        actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.position)).all()
        assert actions == [AuditAction.CONTRACT_RECORDED, AuditAction.COMPANY_CHANGED]


def test_a_community_can_be_left_by_its_company_with_none_to_follow(database):
    with database.writing() as session:
        first, *_others = make_companies(session)
        community = make_community(session, company=first)

        change(session, community, None, starts_on=FIRST, today=FIRST + timedelta(days=3))

        assert in_charge(session, community, FIRST) is None
        assert community.company is None


def test_what_changes_nothing_or_comes_before_a_recorded_change_is_refused_and_nothing_is_stored(database):
    with database.writing() as session:
        first, second, third = make_companies(session)
        community = make_community(session, company=first)
        change(session, community, second, starts_on=FIRST, today=FIRST)

        with pytest.raises(AlreadyInCharge):
            change(session, community, second, starts_on=FIRST + timedelta(days=1), today=FIRST)
        with pytest.raises(LaterContractRecorded) as refused:
            change(session, community, third, starts_on=FIRST - timedelta(days=9), today=FIRST)

        assert (refused.value.company, refused.value.starts_on) == ("乙物业", FIRST)
        assert [each.company.name for each in contracts_of(session, community.id)] == ["甲物业", "乙物业"]


def test_a_change_that_has_not_come_can_be_withdrawn_and_one_that_has_can_not(database):
    with database.writing() as session:
        first, second, _third = make_companies(session)
        community = make_community(session, company=first)
        day = FIRST + timedelta(days=5)
        change(session, community, second, starts_on=day, today=FIRST)
        coming = contracts_of(session, community.id)[-1].id
        asked = {"by": "test", "now": datetime(2026, 9, 1, 9, tzinfo=UTC)}

        assert not withdraw_contract(session, community, coming, today=day, **asked)
        assert not withdraw_contract(session, community, None, today=FIRST, **asked)
        assert withdraw_contract(session, community, coming, today=FIRST, **asked)

        assert in_charge(session, community, day) == "甲物业"
        assert last_day_in_charge(session, community_id=community.id, company_id=first.id) is None


def test_an_imported_list_that_names_another_company_dates_the_change(database):
    with database.writing() as session:
        first, *_others = make_companies(session)
        community = make_community(session, company=first)

        import_with_company(session, community, "乙物业", today=FIRST)

        assert in_charge(session, community, FIRST - timedelta(days=1)) == "甲物业"
        assert in_charge(session, community, FIRST) == "乙物业"


def test_a_list_corrected_on_the_same_day_leaves_no_contract_of_the_wrong_company(database):
    with database.writing() as session:
        first, second, _third = make_companies(session)
        community = make_community(session, company=first)
        import_with_company(session, community, "乙物业", today=FIRST)
        import_with_company(session, community, "丙物业", today=FIRST)

        assert in_charge(session, community, FIRST) == "丙物业"
        assert second.id not in {each.company_id for each in contracts_of(session, community.id)}


def test_a_plan_that_was_made_before_a_company_changed_is_made_anew(database):
    with database.writing() as session:
        first, second, _third = make_companies(session)
        community = make_community(session, company=first)
        community_id, second_id = community.id, second.id
        plan = plan_import(session, table=stored_communities(session))
    with database.writing() as session:
        change(session, session.get(Community, community_id), session.get(PropertyCompany, second_id), **DATES)
    with database.writing() as session:
        assert store_import(session, plan=plan).changed == 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["take_over", "import", "withdraw"]), DAYS, st.integers(-1, 2), st.integers(-3, 9)),
        max_size=8,
    )
)
def test_whatever_is_recorded_no_two_companies_are_in_charge_on_a_day(sqlite_database, steps):
    """The company of the register is that of today, and the past stays what it was when it was today."""
    with sqlite_database.writing() as session:
        companies = session.scalars(select(PropertyCompany).where(PropertyCompany.name.in_(NAMES))).all()
        companies = companies or make_companies(session)
        community = make_community(session, company=companies[0])
        past = {}
        for today, (kind, _day, number, ahead) in zip(sorted(step[1] for step in steps), steps, strict=True):
            now = datetime.combine(today, time(9), UTC)
            follow_contracts(session, today=today, by="site", now=now)
            company = companies[number] if number >= 0 else None
            if kind == "import":
                import_with_company(session, community, company and company.name, today=today)
                session.refresh(community)
            elif kind == "withdraw":
                recorded = contracts_of(session, community.id)
                withdraw_contract(
                    session, community, recorded[-1].id if recorded else None, today=today, by="t", now=now
                )
            else:
                with suppress(LaterContractRecorded, AlreadyInCharge):
                    change(session, community, company, starts_on=today + timedelta(days=max(ahead, 0)), today=today)
            assert in_charge(session, community, today) == (community.company and community.company.name)
            past[today] = in_charge(session, community, today)
            for day in (today + timedelta(days=number) for number in range(-5, 12)):
                holding = [
                    each
                    for each in contracts_of(session, community.id)
                    if (each.starts_on or date.min) <= day <= (each.ends_on or date.max)
                ]
                assert len(holding) <= 1
                for each in companies:
                    told = session.scalar(
                        select(func.count()).where(Community.id == community.id, is_in_charge(day, company_id=each.id))
                    )
                    assert bool(told) == (company_in_charge(session, community, day) is each)
        assert {day: in_charge(session, community, day) for day in past} == past


@pytest.fixture
def place(app, sqlite_database):
    """A community with its company, an account of its district, and one of another."""
    with sqlite_database.writing() as session:
        make_round(session)
        first, second, _third = make_companies(session)
        community, elsewhere = make_community(session, company=first), make_community(session, company=second)
        make_account(session, "ours", role="district", district=community.district, now=NOW)
        make_account(session, "theirs", role="district", district=elsewhere.district, now=NOW)
        make_account(session, "clerk", role="clerk", district=community.district, now=NOW)
        return {"app": app, "address": f"/staff/communities/{community.id}/contracts", "id": community.id}


def send(place, username, **given):
    client = signed_in_client(place["app"], username)
    page = client.get(place["address"])
    return client.post(place["address"], data={"csrf_token": csrf_token(page), **given})


def test_a_district_records_who_takes_over_its_own_communities(place, sqlite_database):
    day = (datetime.now(UTC) + timedelta(days=30)).date()

    answer = send(place, "ours", company="乙物业", starts_on=day.isoformat())

    assert answer.status_code == HTTPStatus.SEE_OTHER
    page = signed_in_client(place["app"], "ours").get(place["address"]).text
    assert "乙物业" in page
    assert 'name="contract"' in page
    assert signed_in_client(place["app"], "theirs").get(place["address"]).status_code == HTTPStatus.NOT_FOUND
    assert 'name="starts_on"' not in signed_in_client(place["app"], "clerk").get(place["address"]).text
    with sqlite_database.reading() as session:
        assert session.get(Community, place["id"]).company.name == "甲物业"


def test_a_company_that_the_register_does_not_know_has_to_be_called_new(place, sqlite_database):
    given = {"company": "丁物业", "starts_on": "2026-09-01"}

    refused = send(place, "ours", **given)

    assert refused.status_code == HTTPStatus.BAD_REQUEST
    assert "丁物业" in refused.text
    assert send(place, "ours", **given, is_new="1").status_code == HTTPStatus.SEE_OTHER
    with sqlite_database.reading() as session:
        assert session.get(Community, place["id"]).company.name == "丁物业"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"company": "乙物业", "starts_on": "yesterday"}, HTTPStatus.BAD_REQUEST),
        ({"company": "", "starts_on": "2026-09-01"}, HTTPStatus.BAD_REQUEST),
        ({"company": "乙" * 101, "starts_on": "2026-09-01", "is_new": "1"}, HTTPStatus.BAD_REQUEST),
        ({"company": "甲 物业", "starts_on": "2026-09-01", "is_new": "1"}, HTTPStatus.BAD_REQUEST),
        ({"company": "甲物业", "starts_on": "2026-09-01"}, HTTPStatus.CONFLICT),
    ],
)
def test_what_cannot_be_recorded_is_told_and_nothing_is_stored(place, sqlite_database, given, status):
    answer = send(place, "ours", **given)

    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(PropertyContract)) == 0


def test_a_change_to_come_is_withdrawn_on_the_page(place, sqlite_database):
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    send(place, "ours", company="乙物业", starts_on=day.isoformat())
    with sqlite_database.reading() as session:
        coming = contracts_of(session, place["id"])[-1].id
    client = signed_in_client(place["app"], "ours")
    token = csrf_token(client.get(place["address"]))

    client.post(f"{place['address']}/withdrawal", data={"csrf_token": token, "contract": str(coming)})

    with sqlite_database.reading() as session:
        (kept,) = contracts_of(session, place["id"])
        assert (kept.company.name, kept.ends_on) == ("甲物业", None)
