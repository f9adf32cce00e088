"""Staff see what became of household slips where they look after, take them out of use and replace them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from survey_app.codes.codes import count_slips, find_slip, issue_slips, new_slips
from survey_app.models import AuditEvent, Code
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import SECRET, make_community, make_district, make_response, make_round

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def city(sqlite_database):
    with sqlite_database.writing() as session:
        here, there = make_district(session), make_district(session)
        survey_round = make_round(
            session, opens_at=NOW - timedelta(days=5), closes_at=NOW + timedelta(days=5), accepts_households=True
        )
        places = {
            "garden": make_community(session, name="学府花园", number="1", district=here),
            "home": make_community(session, name="滨河家园", number="2", district=there),
        }
        slips = {
            name: issue_slips(
                session, survey_round=survey_round, community=community, new=new_slips(4, secret_key=SECRET), now=NOW
            ).slips
            for name, community in places.items()
        }
        account = make_account(session, "district", district=here, now=NOW)
        return {"round": survey_round, **places, "slips": slips, "account": account}


@pytest.fixture
def district(app, city):
    return signed_in_client(app, city["account"].username)


def address(city, action=""):
    return f"/staff/rounds/{city['round'].id}/slips{action}"


def post(client, city, action, **fields):
    token = csrf_token(client.get(address(city)))
    return client.post(address(city, action), data={"csrf_token": token, **fields})


def slips_in(database, city, name):
    with database.reading() as session:
        return count_slips(session, survey_round=city["round"])[city[name].id]


def test_the_counts_are_those_of_what_the_account_looks_after_as_a_table_and_as_bars(district, city, sqlite_database):
    with sqlite_database.writing() as session:
        for tenure in (1, 2):
            code = find_slip(session, typed=city["slips"]["garden"][0].digits, secret_key=SECRET)
            answered = {"code_id": code.id, "household_key": code.household_key, "tenure": tenure}
            make_response(session, city["round"], city["garden"], submitted_at=NOW, **answered)

    page = district.get(address(city)).text

    assert "学府花园" in page
    assert "滨河家园" not in page
    assert re.findall(r'class="count">(\d+)', page) == ["4", "0", "1", "0", "0", "0"]
    assert re.findall(r'<rect class="(\w+)".*? width="(\d+)"', page) == [
        ("answered", "1"),
        ("waiting", "3"),
        ("unused", "0"),
    ]


def test_what_came_back_is_out_of_use_and_what_is_no_such_slip_is_shown_again(district, city, sqlite_database):
    mine, elsewhere = city["slips"]["garden"], city["slips"]["home"]
    typed = f"{mine[0].digits}\r\n{mine[1].token}\r\n\r\n{elsewhere[0].digits}"

    answer = post(district, city, "/revocations", community="1", because="returned", typed=typed)

    assert answer.status_code == 422
    assert elsewhere[0].digits in answer.text
    assert mine[0].digits not in answer.text
    counts = slips_in(sqlite_database, city, "garden")
    assert (counts.returned, counts.outstanding) == (2, 2)
    assert slips_in(sqlite_database, city, "home").outstanding == 4


def test_a_known_slip_is_replaced_for_the_same_household_and_shown_once(district, city, sqlite_database):
    lost = city["slips"]["garden"][0].digits

    page = post(district, city, "/replacements", digits=lost)

    assert page.status_code == 200
    digits = re.search(r'class="number">([\d ]+)<', page.text).group(1)
    with sqlite_database.reading() as session:
        old, new = (find_slip(session, typed=each, secret_key=SECRET) for each in (lost, digits))
        assert old.household_key == new.household_key
        assert (old.revoked_because, new.revoked_at) == ("lost", None)
        actors = session.scalars(select(AuditEvent.actor).where(AuditEvent.action == "code_revoked")).all()
        assert [actor.partition(":")[0] for actor in actors] == ["account"]
    again = post(district, city, "/replacements", digits=lost)
    assert (again.status_code, "已经停用" in again.text) == (410, True)


@pytest.mark.parametrize("typed", ["12", "of another district"])
def test_no_slip_is_replaced_that_the_account_does_not_look_after(district, city, sqlite_database, typed):
    digits = city["slips"]["home"][0].digits if typed == "of another district" else typed

    answer = post(district, city, "/replacements", digits=digits)

    assert answer.status_code == 404
    with sqlite_database.reading() as session:
        assert session.scalars(select(Code.id).where(Code.revoked_at.is_not(None))).all() == []


def test_a_reason_that_is_none_is_refused(district, city, sqlite_database):
    answer = post(
        district, city, "/revocations", community="1", because="lost", typed=city["slips"]["garden"][0].digits
    )

    assert answer.status_code == 400
    assert slips_in(sqlite_database, city, "garden").outstanding == 4
