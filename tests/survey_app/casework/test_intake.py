"""What comes by telephone, at the desk or by letter is taken in at the office, and can be followed like any other."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from survey_app.complaints.contacts import read_contact
from survey_app.models import AuditEvent, Complaint
from survey_app.models.vocabulary import AuditAction
from tests.accounts import SECRET_KEY, csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_district, make_round

NOW = datetime.now(UTC).replace(microsecond=0)
TOLD = {
    "channel": "telephone",
    "community": "滨河家园",
    "category": "CL01",
    "kind": "complaint",
    "text": "楼道一周没有打扫",
    "place": "3号楼",
}


@pytest.fixture
def client(app, sqlite_database):
    with sqlite_database.writing() as session:
        make_round(session)
        here, there = make_district(session), make_district(session)
        make_community(session, district=here, name="滨河家园", english_name="Binhe Homes", number="150302001")
        make_community(session, district=here, name="滨河家园东区", english_name="Binhe East", number="150302002")
        make_community(session, district=there, name="学府花园", english_name="Xuefu", number="150304001")
        make_account(session, "clerk", district=here, now=NOW)
    return signed_in_client(app, "clerk")


def send(client, **told):
    page = client.get("/staff/cases/new")
    form = {"csrf_token": csrf_token(page), "key": re.search(r'name="key" value="([^"]+)"', page.text)[1]}
    return client.post("/staff/cases/new", data=form | TOLD | told)


def stored(database):
    with database.reading() as session:
        return session.scalars(select(Complaint)).all()


def test_what_is_told_is_a_case_with_a_reference_and_a_secret_that_opens_it(app, client, sqlite_database):
    page = send(client)

    assert page.status_code == 200
    reference, secret = (re.sub(r"\D", "", number) for number in re.findall(r'<p class="number">([^<]+)<', page.text))
    (case,) = stored(sqlite_database)
    assert (case.reference, case.channel, case.code_id) == (reference, "telephone", None)
    opened = app.test_client().post(f"/complaint/{reference}/open", data={"secret": secret})
    assert "楼道一周没有打扫" in opened.text


def test_how_to_reach_a_person_is_kept_by_consent_alone(client, sqlite_database):
    refused = send(client, contact="13800138000")
    assert refused.status_code == 422
    assert 'value="13800138000"' in refused.text
    assert stored(sqlite_database) == []

    send(client, contact="13800138000", consent="yes")
    with sqlite_database.reading() as session:
        case = session.scalars(select(Complaint)).one()
        assert read_contact(session, complaint=case, secret_key=SECRET_KEY) == "13800138000"


def test_a_name_that_several_communities_have_in_common_is_asked_for(client, sqlite_database):
    asked = send(client, community="滨河")
    assert asked.status_code == 422
    assert "楼道一周没有打扫" in asked.text
    number = re.search(r'name="community_id" value="(\d+)" required>滨河家园东区', asked.text)[1]

    assert send(client, community="滨河", community_id=number).status_code == 200
    (case,) = stored(sqlite_database)
    assert case.community_id == int(number)


@pytest.mark.parametrize("told", [{"community": "学府花园"}, {"channel": "code"}, {"text": ""}, {"category": "XX99"}])
def test_what_is_missing_or_lies_elsewhere_is_said_and_nothing_is_stored(client, sqlite_database, told):
    assert send(client, **told).status_code == 422
    assert stored(sqlite_database) == []


def test_the_same_form_sent_twice_is_one_case(client, sqlite_database):
    page = client.get("/staff/cases/new")
    form = {"csrf_token": csrf_token(page), "key": re.search(r'name="key" value="([^"]+)"', page.text)[1]}
    first, second = (client.post("/staff/cases/new", data=form | TOLD).text for _tap in range(2))

    assert re.findall(r'class="number">([^<]+)<', first) == re.findall(r'class="number">([^<]+)<', second)
    other = client.post("/staff/cases/new", data=form | TOLD | {"text": "灯坏了"})
    assert other.status_code == 409
    assert "灯坏了" in other.text
    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Complaint)) == 1
        moved = select(func.count()).select_from(AuditEvent).filter_by(action=AuditAction.COMPLAINT_MOVED)
        assert session.scalar(moved) == 1
