"""Staff see photos of a closed round whose answers count, with their community, and nothing that links them."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.disclosure.rules import rules_in_force
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.attachments.attachments import erase_attachments
from survey_app.models import ResponseReview, Round
from survey_app.models.vocabulary import Area, ReviewState
from survey_app.responses.released_photos import find_released_photo, places_with_photos, released_photos
from tests.accounts import make_account, signed_in_client
from tests.factories import NOW, make_community, make_district, make_photo, make_poster_code, make_response, make_round


@pytest.fixture
def city(database):
    """Two communities: one sent two photos with one response and one with another, the other sent one."""
    with database.writing() as session:
        survey_round = make_round(session)
        here, there = (make_community(session, district=make_district(session)) for _ in range(2))
        first, second, third = (make_response(session, survey_round, place) for place in (here, here, there))
        for place in (here, there):
            make_responses(session, survey_round, place)
        names = [make_photo(session, response).name for response in (first, first, second, third)]
        return {"round": survey_round, "here": here, "there": there, "second": second, "names": names}


def make_responses(session, survey_round, community, **values):
    """Add as many responses as it takes for opinions to be told of a community."""
    code_id = make_poster_code(session, community).id
    for _ in range(rules_in_force(NOW.date()).minimum_opinion_base):
        make_response(session, survey_round, community, code_id=code_id, **values)


def shown(database, city, *, scope=EVERYWHERE, number="", limit=100, offset=0):
    with database.reading() as session:
        survey_round = session.get(Round, city["round"].id)
        wanted = {"survey_round": survey_round, "scope": scope}
        photos = released_photos(session, **wanted, number=number, limit=limit, offset=offset)
        assert sum(place.photos for place in places_with_photos(session, **wanted)) >= len(photos)
        return photos


def test_photos_tell_their_community_and_question(database, city):
    photos = shown(database, city)

    assert {photo.name for photo in photos} == set(city["names"])
    assert {photo.community.zh_hans for photo in photos} == {city["here"].name, city["there"].name}
    assert all(photo.thumbnail.startswith("data:image/jpeg;base64,") for photo in photos)


def test_photos_come_a_page_at_a_time_and_of_one_community_where_asked(database, city):
    pages = [photo.name for offset in range(4) for photo in shown(database, city, limit=1, offset=offset)]

    assert sorted(pages) == sorted(city["names"])
    assert [photo.name for photo in shown(database, city, number=city["there"].number)] == city["names"][3:]


def test_a_district_sees_its_own_and_finds_no_others(database, city):
    own = Scope(Area.DISTRICT, (city["there"].district_id,))

    assert [photo.name for photo in shown(database, city, scope=own)] == city["names"][3:]
    with database.reading() as session:
        survey_round = session.get(Round, city["round"].id)
        assert find_released_photo(session, survey_round=survey_round, scope=own, name=city["names"][3])
        with pytest.raises(LookupError):
            find_released_photo(session, survey_round=survey_round, scope=own, name=city["names"][0])


@pytest.mark.parametrize(
    ("state", "is_shown"), [(ReviewState.HELD, False), (ReviewState.EXCLUDED, False), (ReviewState.RELEASED, True)]
)
def test_photos_of_answers_that_are_held_or_excluded_are_not_shown(database, city, state, is_shown):
    with database.writing() as session:
        account_id = make_account(session, "city", now=NOW).id
        held = {"response_id": city["second"].id, "families": "burst", "at": NOW}
        session.add(ResponseReview(state=ReviewState.HELD, **held))
        session.flush()
        if state is not ReviewState.HELD:
            session.add(ResponseReview(state=state, reason="核实", account_id=account_id, **held))

    assert (city["names"][2] in {photo.name for photo in shown(database, city)}) is is_shown


def test_a_photo_that_was_erased_is_gone(database, city):
    with database.writing() as session:
        erase_attachments(session, response_ids=[city["second"].id])

    assert city["names"][2] not in {photo.name for photo in shown(database, city)}


def test_the_page_shows_each_photo_and_sends_it_whole(app, sqlite_database):
    now = datetime.now(UTC)
    sent = {"started_at": now - timedelta(days=20), "submitted_at": now - timedelta(days=20)}
    with sqlite_database.writing() as session:
        closed = make_round(session, opens_at=now - timedelta(days=30), closes_at=now - timedelta(days=10))
        opened = make_round(session, opens_at=now - timedelta(days=5), closes_at=now + timedelta(days=5))
        community = make_community(session, name="阳光家园")
        make_responses(session, closed, community, **sent)
        photo = make_photo(session, make_response(session, closed, community, **sent))
        make_account(session, "city", now=now)
    client = signed_in_client(app, "city")

    page = client.get(f"/staff/rounds/{closed.id}/photos")
    whole = client.get(f"/staff/rounds/{closed.id}/photos/{photo.name}.jpg")

    assert f"/staff/rounds/{closed.id}/photos" in client.get("/staff/").text
    assert "阳光家园" in page.text
    assert (whole.mimetype, whole.data) == ("image/jpeg", photo.content)
    assert whole.headers["Cache-Control"] == "no-store"
    assert client.get(f"/staff/rounds/{opened.id}/photos").status_code == 404
    assert client.get(f"/staff/rounds/{opened.id}/photos/{photo.name}.jpg").status_code == 404
