from datetime import timedelta

import pytest
from sqlalchemy import func, select

from survey_app.accounts.scope import EVERYWHERE
from survey_app.evaluations import stored_results
from survey_app.evaluations.evaluate_round import evaluate_round, verify_evaluation
from survey_app.evaluations.given_up_results import GIVEN_UP_AFTER, delete_given_up
from survey_app.evaluations.standings import read_standings
from survey_app.models import (
    CommunityProfile,
    Evaluation,
    EvaluationNumber,
    RegionProfile,
    Standing,
    StandingEvidence,
)
from tests.factories import SETTLED, make_community, make_district, make_response, make_round

pytestmark = pytest.mark.usefixtures("two_rows_at_once")

COMMUNITIES = 6


@pytest.fixture
def survey_round(database):
    with database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        for number in range(COMMUNITIES):
            community = make_community(session, district=district)
            for _ in range(12 + number):
                make_response(session, survey_round, community)
    return survey_round


class Killed(BaseException):
    """End of the process."""


@pytest.fixture
def die_after(monkeypatch):
    """Have the process die when so many pieces of a result are stored."""

    def arrange(pieces):
        store, stored = stored_results.insert, []

        def insert(table):
            stored.append(table)
            if len(stored) > pieces:
                raise Killed
            return store(table)

        monkeypatch.setattr(stored_results, "insert", insert)

    return arrange


def rows_of(database):
    tables = (EvaluationNumber, Evaluation, Standing, StandingEvidence, CommunityProfile, RegionProfile)
    with database.reading() as session:
        return {table.__name__: session.scalar(select(func.count()).select_from(table)) for table in tables}


# Three pieces each of standings, evidence and profiles, and one region.
@pytest.mark.parametrize("pieces", [0, 1, 4, 8, 9])
def test_a_result_whose_process_died_on_the_way_is_nowhere_and_is_made_again(
    database, survey_round, die_after, monkeypatch, pieces
):
    with monkeypatch.context():
        die_after(pieces)
        with pytest.raises(Killed):
            evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    half = rows_of(database)
    assert (half["EvaluationNumber"], half["Evaluation"]) == (1, 0)
    assert half["Standing"] == min(2 * pieces, COMMUNITIES)
    monkeypatch.undo()

    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    with database.reading() as session:
        assert verify_evaluation(session, evaluation.id).is_same
        assert len(read_standings(session, evaluation_id=evaluation.id, scope=EVERYWHERE)) == COMMUNITIES
        with pytest.raises(LookupError):
            read_standings(session, evaluation_id=evaluation.id - 1, scope=EVERYWHERE)


def test_what_was_given_up_is_deleted_after_a_day_and_nothing_else(database, survey_round, die_after, monkeypatch):
    with monkeypatch.context():
        die_after(4)
        with pytest.raises(Killed):
            evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    monkeypatch.undo()
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    with_leftovers = rows_of(database)

    assert delete_given_up(database, now=SETTLED + GIVEN_UP_AFTER - timedelta(seconds=1)) == 0
    assert rows_of(database) == with_leftovers
    assert delete_given_up(database, now=SETTLED + GIVEN_UP_AFTER) == 1

    assert rows_of(database) == {
        "EvaluationNumber": 1,
        "Evaluation": 1,
        "Standing": COMMUNITIES,
        "StandingEvidence": COMMUNITIES,
        "CommunityProfile": COMMUNITIES,
        "RegionProfile": 1,
    }
    assert delete_given_up(database, now=SETTLED + GIVEN_UP_AFTER) == 0


def test_whoever_stores_the_same_result_later_finds_the_first_and_leaves_nothing(database, survey_round, monkeypatch):
    look, looked = stored_results._find_same, []

    def overtaken(session, evaluation):
        looked.append(evaluation)
        return None if len(looked) == 1 else look(session, evaluation)

    first = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    monkeypatch.setattr(stored_results, "_find_same", overtaken)

    assert evaluate_round(database, round_id=survey_round.id, now=SETTLED + timedelta(hours=1)).id == first.id
    assert rows_of(database)["EvaluationNumber"] == 1
    assert rows_of(database)["Standing"] == COMMUNITIES
