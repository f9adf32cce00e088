"""Held answers are counted alone as the rules of the evaluation count them: whom they rank, and by which measure."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from analytics.canonical import sha256_hex
from analytics.decision.table_columns import MEASURE_COLUMNS
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.held_answers import count_held_answers
from survey_app.models import Community, Response, ResponseReview, RuleFile
from survey_app.models.vocabulary import Area, ReviewState
from tests.factories import DATA, NOW, SETTLED, make_account, make_community, make_response, make_round

RULES = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_text("utf-8")
HELD = ((1, 5), (1, 4), (1, 9), (2, 5))
"""Tenure and answer of those that wait for a decision: two owners rate, one does not know, and a tenant."""


@pytest.fixture(params=["owners", "residents"])
def evaluated(request, database):
    """A round with held answers in one of two communities, evaluated by rules that rank owners or all residents."""
    with database.writing() as session:
        text = RULES.replace("population: owners ", f"population: {request.param} ").encode()
        rule_file = RuleFile(name="rules", content=text, sha256=sha256_hex(text), added_at=NOW)
        survey_round = make_round(session, rule_file=rule_file)
        held, other = make_community(session), make_community(session)
        account = make_account(session)
        for community in (held, other):
            for answer in range(12):
                make_response(session, survey_round, community, answers={"q01": 1 + answer % 5})
        for state, answers in ((ReviewState.HELD, HELD), (ReviewState.RELEASED, ((1, 5),) * 3)):
            for tenure, code in answers:
                response = make_response(session, survey_round, held, tenure=tenure, answers={"q01": code})
                review = {"response_id": response.id, "families": "burst, haste", "at": NOW}
                session.add(ResponseReview(state=ReviewState.HELD, **review))
                session.flush()
                if state is ReviewState.RELEASED:
                    later = review | {"at": NOW + timedelta(hours=1), "reason": "核实无误", "account_id": account.id}
                    session.add(ResponseReview(state=state, **later))
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED, provisional=True)
    return request.param, evaluation.id, held


def test_only_answers_of_those_who_are_ranked_are_held_and_none_that_was_released(database, evaluated):
    population, evaluation_id, community = evaluated

    with database.reading() as session:
        held = count_held_answers(session, evaluation_id=evaluation_id, scope=EVERYWHERE)

    own = held.set_index("number").loc[community.number, list(MEASURE_COLUMNS["satisfaction_rate"].columns)]
    assert len(held) == 1
    assert own.tolist() == ([2, 2] if population == "owners" else [3, 3])
    assert held["mean_index"].tolist() == [87.5 if population == "owners" else pytest.approx(275 / 3)]


def test_another_district_reads_nothing_of_held_answers(database, evaluated):
    _population, evaluation_id, community = evaluated

    with database.reading() as session:
        elsewhere = Scope(Area.DISTRICT, (session.get_one(Community, community.id).district_id + 100,))
        assert count_held_answers(session, evaluation_id=evaluation_id, scope=elsewhere).empty
        with pytest.raises(LookupError):
            count_held_answers(session, evaluation_id=evaluation_id + 1, scope=EVERYWHERE)


def test_answers_that_were_erased_are_held_no_more(database, evaluated):
    _population, evaluation_id, _community = evaluated
    with database.writing() as session:
        for response in session.scalars(select(Response)):
            response.answers = response.tenure = response.nonce = response.code_id = None
            response.erased_at = SETTLED

    with database.reading() as session:
        assert count_held_answers(session, evaluation_id=evaluation_id, scope=EVERYWHERE)["responses"].sum() == 0
