"""Percentiles by aspect of service as an account reads them: among all that were ranked together, and its own alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from flask_login import login_user

from analytics.canonical import sha256_hex
from analytics.disclosure.rules import rules_in_force
from survey_app.accounts.guard import SignedIn
from survey_app.config import DATA
from survey_app.evaluations import dashboard_source, stored_profiles
from survey_app.evaluations.dashboard_source import StoredEvaluations
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.models import RuleFile
from tests.accounts import make_account
from tests.factories import make_community, make_district, make_poster_code, make_response, make_round

NOW = datetime.now(UTC).replace(microsecond=0)
CITY_WIDE = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes().replace(b"region: district", b"region: city")
CITY = "乌海市"
PEOPLE = 20
# Who is satisfied with cleanliness of how many, by community; in the last three few are not, or few answered.
ANSWERED = {f"1{place:02}": (5 + place, PEOPLE) for place in range(11)}
ANSWERED |= {"201": (17, PEOPLE), "202": (6, 9), "203": (5, 6)}
SHOWN = [number for number in ANSWERED if number < "200"]
DISTRICT = ("101", "104", "201", "202", "203")


@pytest.fixture
def evaluated(sqlite_database):
    """A city whose districts are ranked together, evaluated twice: first as a preview; the accounts by role."""
    with sqlite_database.writing() as session:
        rule_file = RuleFile(name="city-wide", content=CITY_WIDE, sha256=sha256_hex(CITY_WIDE), added_at=NOW)
        session.add(rule_file)
        districts = [make_district(session, name=name) for name in ("海勃湾区", "乌达区")]
        closed = {"opens_at": NOW - timedelta(days=40), "closes_at": NOW - timedelta(days=10)}
        survey_round = make_round(session, rule_file=rule_file, **closed)
        for number, (satisfied, people) in ANSWERED.items():
            place = make_community(session, district=districts[number in DISTRICT], number=number)
            code_id = make_poster_code(session, place).id
            for person in range(people):
                answers = {"q01": 5, "q02": 4 if person < satisfied else 2, "q03": 9 if person else 5}
                moment = survey_round.opens_at + timedelta(minutes=person)
                make_response(session, survey_round, place, code_id=code_id, answers=answers, submitted_at=moment)
        accounts = {
            "city": SignedIn.of(make_account(session, "city", now=NOW)),
            "district": SignedIn.of(make_account(session, "district", district=districts[1], now=NOW)),
        }
    evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW, provisional=True)
    evaluate_round(sqlite_database, round_id=survey_round.id, now=NOW)
    return accounts


@pytest.fixture
def read_as(app, sqlite_database, evaluated):
    """Return a function that reads from one source as the account of a role."""
    source = StoredEvaluations(sqlite_database)

    def read(role, ask, *asked):
        with app.test_request_context("/dashboards/"):
            login_user(evaluated[role])
            return getattr(source, ask)(*asked)

    return read


def test_counts_are_those_of_communities_whose_share_may_be_shown(read_as):
    standings = read_as("city", "aspect_standings", 2, CITY)

    assert set(standings["question"]) == {"q02"}
    counted = dict(zip(standings["number"], standings["satisfied"], strict=True))
    assert counted == {number: ANSWERED[number][0] for number in SHOWN}
    assert (standings["answered"] == PEOPLE).all()
    ordered = standings.set_index("number")["percentile"].loc[SHOWN]
    np.testing.assert_allclose(ordered, (np.arange(11) + 0.5) / 11)
    assert (standings["percentile_lower"] < standings["percentile_upper"]).any()


def test_a_district_reads_its_own_percentiles_among_all_of_the_city_and_no_other_counts(read_as):
    everyone = read_as("city", "aspect_standings", 2, CITY)

    own = read_as("district", "aspect_standings", 2, CITY)

    assert own["number"].tolist() == ["101", "104"]
    assert own["number"].cat.categories.tolist() == ["101", "104"]
    assert (own["ranked"] == 11).all()
    expected = everyone[everyone["number"].isin(DISTRICT)].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, expected, check_categorical=False)


def test_percentiles_are_computed_once_for_all_accounts(read_as, monkeypatch):
    computed = []
    read = dashboard_source.read_aspect_standings
    monkeypatch.setattr(
        dashboard_source, "read_aspect_standings", lambda *asked, **of: computed.append(of) or read(*asked, **of)
    )

    for role in ("district", "city", "district"):
        assert len(read_as(role, "aspect_standings", 2, CITY)) > 0

    assert len(computed) == 1


def test_the_share_of_a_region_is_told_in_whole_percents(read_as, monkeypatch):
    one_percent_of_fewer = replace(rules_in_force(NOW.date()), minimum_cell=1)
    monkeypatch.setattr(stored_profiles, "disclosure_in", lambda *_asked: one_percent_of_fewer)

    aspects = read_as("district", "aspects", 2)

    assert aspects["region"].unique().tolist() == [CITY]
    first = aspects.iloc[0]
    assert first[["question", "label", "english_label"]].tolist() == ["q02", "清洁卫生", "Cleanliness"]
    satisfied, answered = (sum(counts) for counts in zip(*ANSWERED.values(), strict=True))
    assert first["share"] == round(satisfied / answered, 2)
    # One answered in each community; the others do not know.
    assert np.isnan(aspects["share"][1])


def test_the_share_of_few_people_is_told_nowhere(read_as):
    aspects = read_as("city", "aspects", 2)

    assert len(aspects) > 8
    assert aspects["share"].isna().all()


@pytest.mark.parametrize("role", ["city", "district"])
def test_a_preview_and_a_region_that_is_not_there_have_none(read_as, role):
    assert len(read_as(role, "aspects", 1)) == 0
    assert len(read_as(role, "aspect_standings", 1, CITY)) == 0
    assert len(read_as(role, "aspect_standings", 2, "nowhere")) == 0


@pytest.mark.parametrize(("ask", "asked"), [("aspects", (77,)), ("aspect_standings", (77, CITY))])
def test_an_unknown_evaluation_is_a_lookup_error(read_as, ask, asked):
    with pytest.raises(LookupError):
        read_as("city", ask, *asked)
