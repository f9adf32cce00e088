import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from analytics.disclosure.rules import rules_in_force
from analytics.statistics.complaint_rates import CHANNELS
from survey_app.evaluations import evaluate_round as evaluate_round_module
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.models import CommunityProfile, RegionProfile
from tests.factories import (
    CLOSED,
    NOW,
    SETTLED,
    make_community,
    make_complaint,
    make_district,
    make_poster_code,
    make_response,
    make_round,
)


@pytest.fixture(autouse=True)
def no_minimum(monkeypatch):
    """Break down the answers of the smallest community too; what the minimum does has tests of its own."""
    rules = replace(rules_in_force(NOW.date()), minimum_base=0)
    monkeypatch.setattr(evaluate_round_module, "disclosure_of", lambda _day, _rules: rules)


@pytest.fixture
def city(database):
    """A closed round with two districts: answers of owners and tenants, complaints of several kinds."""
    with database.writing() as session:
        survey_round = make_round(session)
        district = make_district(session, name="海勃湾区")
        here, neighbour = (make_community(session, district=district) for _ in range(2))
        there = make_community(session, district=make_district(session, name="乌达区"))
        for community, overall, cleaning, tenure in (
            *[(here, 5, 4, 1)] * 7,
            *[(here, 2, 9, 1)] * 3,
            *[(here, 1, 1, 2)] * 4,
            *[(neighbour, 4, 5, 1)] * 5,
            *[(there, 3, 3, 1)] * 2,
        ):
            code_id = make_poster_code(session, community).id
            answers = {"q01": overall, "q02": cleaning, "q19": [1, 2]}
            make_response(session, survey_round, community, answers=answers, tenure=tenure, code_id=code_id)
        make_complaint(session, here, category="EQ01")
        make_complaint(session, here, category="EQ01", kind="repair")
        make_complaint(session, here, category="GV04")
        make_complaint(session, neighbour, category="EQ01", channel="telephone")
        make_complaint(session, there, category="EQ01", submitted_at=CLOSED)
        places = {"here": here.id, "neighbour": neighbour.id, "there": there.id}
    return survey_round, places


def profile_of(database, places, name):
    with database.reading() as session:
        row = session.scalar(select(CommunityProfile).filter_by(community_id=places[name]))
        return {column: json.loads(getattr(row, column)) for column in ("answers", "complaints", "other_population")}


def region_of(database, name):
    with database.reading() as session:
        row = session.scalar(select(RegionProfile).filter_by(region=name))
        return {column: json.loads(getattr(row, column)) for column in ("answers", "complaints", "drivers", "channels")}


def test_answers_of_the_ranked_population_are_counted_code_by_code(database, city):
    survey_round, places = city
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    answers = profile_of(database, places, "here")["answers"]

    assert answers["q01"] == {"5": 7, "2": 3}
    assert answers["q02"] == {"4": 7, "9": 3}
    assert answers["q03"] == {}
    # Of a question with several answers how many gave each, and how many answered at all.
    assert answers["q19"] == {"1": 10, "2": 10, "answered": 10}


def test_a_region_adds_up_its_communities(database, city):
    survey_round, places = city
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    parts = [profile_of(database, places, name)["answers"] for name in ("here", "neighbour")]

    for question, codes in region_of(database, "海勃湾区")["answers"].items():
        assert codes == sum((Counter(part[question]) for part in parts), Counter())


def test_complaints_stand_by_month_and_category_whether_the_rate_counts_them_or_not(database, city):
    survey_round, places = city
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    assert profile_of(database, places, "here")["complaints"] == [
        ["2026-09", "EQ01", 0, 1],
        ["2026-09", "EQ01", 1, 1],
        ["2026-09", "GV04", 0, 1],
    ]
    assert profile_of(database, places, "there")["complaints"] == []
    assert region_of(database, "海勃湾区")["complaints"][1] == ["2026-09", "EQ01", 1, 2]


def test_a_region_keeps_by_which_way_its_valid_complaints_came_and_of_how_many_households(database, city):
    survey_round, _places = city
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    channels = region_of(database, "海勃湾区")["channels"]

    assert channels == dict.fromkeys(CHANNELS, 0) | {"code": 1, "telephone": 1, "household_years": 800}


def test_what_all_residents_would_make_of_it_is_kept_beside_what_owners_made(database, city):
    survey_round, places = city
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    other = profile_of(database, places, "here")["other_population"]

    assert (other["responses"], other["satisfied"], other["households"]) == (14, 7, 400)
    assert other["tenures"] == [[1, 10, 7], [2, 4, 0]]


def test_a_later_tenant_of_a_household_stands_beside_its_owner_and_in_the_place_of_it_among_all(database):
    with database.writing() as session:
        survey_round, community = make_round(session, accepts_households=True), make_community(session)
        for hours, code, tenure in ((1, 5, 1), (2, 1, 2)):
            make_response(
                session,
                survey_round,
                community,
                answers={"q01": code},
                tenure=tenure,
                household_key="a household",
                submitted_at=NOW + timedelta(hours=hours),
            )
        places = {"here": community.id}
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    other = profile_of(database, places, "here")["other_population"]

    assert other["tenures"] == [[1, 1, 1], [2, 1, 0]]
    assert (other["responses"], other["satisfied"]) == (1, 0)


def test_drivers_say_on_how_many_answers_they_rest(database, city):
    survey_round, _places = city
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    drivers = region_of(database, "海勃湾区")["drivers"]

    cleaning = next(domain for domain in drivers["domains"] if domain["domain"] == "q02")
    assert cleaning["n"] == 12
    assert drivers["respondents"] == 12
    assert drivers["communities"] == 2
    assert "q01" not in {domain["domain"] for domain in drivers["domains"]}


def test_a_preview_has_no_profiles(database, city):
    survey_round, _places = city
    evaluate_round(database, round_id=survey_round.id, now=SETTLED, provisional=True)

    with database.reading() as session:
        assert session.scalar(select(CommunityProfile.evaluation_id)) is None
        assert session.scalar(select(RegionProfile.evaluation_id)) is None


@pytest.mark.parametrize("table", ["community_profile", "region_profile"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET answers = '{{}}'", "DELETE FROM {}"])
def test_what_lies_behind_a_result_cannot_be_changed(database, city, table, statement):
    survey_round, _places = city
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    with pytest.raises(DBAPIError, match="frozen"), database.writing() as session:
        session.execute(text(statement.format(table)))
