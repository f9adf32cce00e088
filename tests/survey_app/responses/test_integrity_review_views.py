from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from survey_app.models import ResponseReview
from tests.accounts import csrf_token, make_account, signed_in_client
from tests.factories import make_community, make_district, make_response, make_round

# The views look at the clock, so this round has just settled.
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def held(sqlite_database):
    """A round with two held responses in each of two districts, and an account of each kind."""
    with sqlite_database.writing() as session:
        survey_round = make_round(session, opens_at=NOW - timedelta(days=2), closes_at=NOW - timedelta(minutes=2))
        here = make_community(session, name="阳光家园", district=make_district(session))
        there = make_community(session, name="滨河花园", district=make_district(session))
        for community in (here, there):
            for _ in range(2):
                response = make_response(session, survey_round, community, submitted_at=NOW - timedelta(days=1))
                session.add(ResponseReview(response_id=response.id, state="held", families="burst, haste", at=NOW))
        make_account(session, "city", now=NOW)
        make_account(session, "district", district=here.district, now=NOW)
        make_account(session, "clerk", district=here.district, now=NOW)
        return survey_round, here, there


def decide(client, held, community, **changes):
    address = f"/staff/rounds/{held[0].id}/reviews"
    data = {
        "csrf_token": csrf_token(client.get(address)),
        "community": community.number,
        "reason": "核实",
        "decision": "excluded",
        "seen": "yes",
    }
    return client.post(address, data={name: value for name, value in (data | changes).items() if value is not None})


def states(database):
    with database.reading() as session:
        return sorted(session.scalars(select(ResponseReview.state)))


def test_held_responses_are_listed_by_community_and_kind_of_sign(app, held):
    page = signed_in_client(app, "city").get(f"/staff/rounds/{held[0].id}/reviews?lang=en").text

    assert "阳光家园" in page or "Community" in page
    assert page.count("2 held responses") == 2
    assert "Similar answers within minutes" in page
    assert "Answered too fast" in page


def test_a_decision_is_taken_and_leaves_the_others_waiting(app, held, sqlite_database):
    client = signed_in_client(app, "city")

    answer = decide(client, held, held[1])

    assert answer.status_code == 303
    assert states(sqlite_database) == ["excluded"] * 2 + ["held"] * 4
    assert client.get(answer.location + "?lang=en").text.count("2 held responses") == 1


def test_a_district_decides_about_its_own_communities_only(app, held, sqlite_database):
    client = signed_in_client(app, "district")

    assert "滨河花园" not in client.get(f"/staff/rounds/{held[0].id}/reviews").text
    assert decide(client, held, held[2]).status_code == 404
    assert decide(client, held, held[1], decision="released").status_code == 303
    assert states(sqlite_database) == ["held"] * 4 + ["released"] * 2


def test_what_is_no_decision_changes_nothing(app, held, sqlite_database):
    client = signed_in_client(app, "city")

    assert decide(client, held, held[1], decision="held").status_code == 400
    assert decide(client, held, held[1], decision="deleted").status_code == 400
    assert decide(client, held, held[1], reason=" ").status_code == 422
    assert decide(client, held, held[1], seen=None).status_code == 400, "nobody said that the signs were looked at"
    assert states(sqlite_database) == ["held"] * 4


def test_a_clerk_has_no_business_there(app, held):
    assert signed_in_client(app, "clerk").get(f"/staff/rounds/{held[0].id}/reviews").status_code in (403, 404)


def test_the_city_has_the_answers_examined(app, held):
    client = signed_in_client(app, "city")
    token = csrf_token(client.get(f"/staff/rounds/{held[0].id}/reviews"))

    answer = client.post(f"/staff/rounds/{held[0].id}/examinations", data={"csrf_token": token}, follow_redirects=True)

    assert answer.status_code == 200
    assert client.post("/staff/rounds/999/examinations", data={"csrf_token": token}).status_code == 404
