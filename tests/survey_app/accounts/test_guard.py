import re
from itertools import combinations

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from survey_app.accounts import guard
from survey_app.accounts.accounts import WrongArea
from survey_app.accounts.scope import Scope
from survey_app.models import Account, AccountCommunity, Community, PropertyCompany
from survey_app.models.vocabulary import AREAS_OF_ROLE, Area, Role
from tests.accounts import PASSWORD, current_code, give_password, make_account, sign_in
from tests.factories import NOW, make_community, make_district, make_neighbourhood


@pytest.fixture
def city(sqlite_database):
    with sqlite_database.writing() as session:
        return make_account(session, "city", now=NOW)


@pytest.mark.usefixtures("city")
def test_a_form_without_its_token_is_refused(client):
    sign_in(client, "city")

    assert client.post("/sign-out").status_code == 400
    assert client.get("/staff/").status_code == 200


@pytest.mark.usefixtures("city")
def test_signing_in_without_the_token_is_refused(client):
    assert client.post("/sign-in", data={"username": "city", "password": PASSWORD}).status_code == 400
    give_password(client, "city")
    assert client.post("/sign-in/code", data={"code": current_code()}).status_code == 400
    assert client.get("/staff/").status_code == 302


@pytest.mark.usefixtures("city")
def test_a_page_that_needs_an_account_leads_to_signing_in_and_back(client):
    refused = client.get("/staff/communities?search=a")
    assert refused.status_code == 302
    assert refused.location == "/sign-in?next=/staff/communities?search%3Da"

    form = client.get(refused.location)
    target = re.search(r'name="next" value="([^"]+)"', form.text)[1]
    assert sign_in(client, "city", next=target).location == "/staff/communities?search=a"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/staff/",
        "//evil.example/staff/",
        "/\\evil.example",
        "\\\\evil.example",
        "/staff\\@evil.example",
        "javascript:alert(1)",
        "/staff/\n//evil.example",
        "/staffing",
        "/s/123",
        "",
    ],
)
@pytest.mark.usefixtures("city")
def test_signing_in_never_leads_off_the_staff_pages(client, target):
    assert sign_in(client, "city", next=target).location == "/staff/"


@pytest.mark.parametrize("path", ["/dashboards/", "/dashboards/anything", "/staff/", "/staff/communities"])
def test_pages_send_strangers_to_signing_in(client, path):
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in?")


@pytest.mark.parametrize("path", ["/dashboards/_dash-layout", "/dashboards/_dash-dependencies"])
def test_what_dashboard_scripts_fetch_is_refused_to_strangers(client, path):
    assert client.get(path).status_code == 401


def test_a_dashboard_callback_is_refused_to_strangers(client):
    assert client.post("/dashboards/_dash-update-component", json={}).status_code == 401


@pytest.mark.usefixtures("city")
def test_a_dashboard_callback_needs_the_token_of_its_page(client):
    sign_in(client, "city")

    assert client.post("/dashboards/_dash-update-component", json={}).status_code == 400


def test_residents_get_no_cookie(client):
    answer = client.get("/")

    assert "Set-Cookie" not in answer.headers


@pytest.fixture
def places(database):
    """Two districts with a community each, in two neighbourhoods, managed by two companies."""
    with database.writing() as session:
        neighbourhoods = [make_neighbourhood(session) for _each in range(2)]
        return [
            make_community(
                session,
                district=neighbourhood.subdistrict.district,
                subdistrict=neighbourhood.subdistrict,
                neighbourhood=neighbourhood,
                company=PropertyCompany(name=name, english_name=None, sort_key=name),
            )
            for name, neighbourhood in zip(("甲物业", "乙物业"), neighbourhoods, strict=True)
        ]


@pytest.mark.parametrize(
    ("role", "bound_to", "sees"),
    [
        ("city", None, "both"),
        ("evaluator", None, "both"),
        ("district", "district", "own"),
        ("company", "company", "own"),
        ("clerk", "district", "own"),
        ("clerk", "subdistrict", "own"),
        ("clerk", "neighbourhood", "own"),
        ("clerk", "community", "own"),
        ("administrator", None, "none"),
    ],
)
def test_an_account_sees_the_communities_it_is_bound_to(database, places, role, bound_to, sees):
    own, other = places
    bound = {bound_to: own if bound_to == "community" else getattr(own, bound_to)} if bound_to else {}
    with database.writing() as session:
        for place in (own, other):
            session.add(place)
        account = make_account(session, "li.na", role=role, now=NOW, **bound)
        scope = guard.SignedIn.of(account).scope
        seen = set(session.scalars(scope.communities(select(Community.id))))

    assert seen == {"both": {own.id, other.id}, "own": {own.id}, "none": set()}[sees]


def test_a_district_without_communities_sees_none(database):
    with database.writing() as session:
        make_community(session)
        empty = make_district(session)

        assert session.scalars(Scope(Area.DISTRICT, (empty.id,)).communities(select(Community.id))).all() == []


def test_a_clerk_sees_every_community_of_the_list_and_no_other(database, places):
    with database.writing() as session:
        third = make_community(session)
        clerk = make_account(session, "li.na", role="clerk", communities=[session.merge(places[0]), third], now=NOW)
        scope = guard.SignedIn.of(clerk).scope

        assert set(session.scalars(scope.communities(select(Community.id)))) == {places[0].id, third.id}


def test_a_clerk_whose_list_is_empty_sees_nothing(database, places):
    with database.writing() as session:
        clerk = make_account(session, "li.na", role="clerk", community=session.merge(places[0]), now=NOW)
        session.execute(delete(AccountCommunity))
        session.expire_all()

        assert session.scalars(guard.SignedIn.of(clerk).scope.communities(select(Community.id))).all() == []


PLACES = ("district", "subdistrict", "neighbourhood", "company")


def test_role_and_area_agree_in_the_code_and_in_the_database(database, places):
    ids = {kind: getattr(places[0], kind).id for kind in PLACES}
    for role in Role:
        for bound_to in ((), *combinations(PLACES, 1), *combinations(PLACES, 2)):
            area = Area(bound_to[0]) if bound_to else _area_without_place(role)
            values = {f"{kind}_id": ids[kind] for kind in bound_to} | {"username": f"{role} {bound_to}"}
            account = Account(**values, password_hash="", role=role, created_at=NOW)
            with database.writing() as session:
                if len(bound_to) < 2 and area in AREAS_OF_ROLE[role]:
                    session.add(account)
                else:
                    with pytest.raises(IntegrityError, match="scope"), session.begin_nested():
                        session.add(account)


def _area_without_place(role):
    """What an account is bound to that no column binds: a clerk to a list of communities."""
    return {Role.ADMINISTRATOR: Area.NOWHERE, Role.CLERK: Area.COMMUNITY}.get(role, Area.CITY)


@pytest.mark.parametrize("role", ["district", "company", "clerk"])
def test_an_account_without_its_area_is_refused(sqlite_database, role):
    with pytest.raises(WrongArea, match=f"the role {role} is bound to"), sqlite_database.writing() as session:
        make_account(session, "a", role=role, now=NOW)
