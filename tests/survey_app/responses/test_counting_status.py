"""The recount against a naive one: sorted lists in Python, one response after the other."""

import csv
import io
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from analytics.rules import parse_rules
from survey_app.accounts.scope import EVERYWHERE
from survey_app.config import DATA
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.exports.answer_tables import export_answer_tables
from survey_app.models import Response
from survey_app.models.vocabulary import ResponseStatus, Tenure
from survey_app.responses.answer_batches import all_responses, selected_responses
from survey_app.responses.counting_status import status_of_response, superseded_within
from survey_app.rounds.rounds import GRACE_PERIOD
from tests import counting
from tests.factories import NOW, make_community, make_poster_code, make_response, make_round, move_rounds_aside

RULES_TEXT = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_text("utf-8")
RULES = {
    population: parse_rules(RULES_TEXT.replace("population: owners", f"population: {population}").encode(), "rules")
    for population in ("owners", "residents")
}
CUT_OFF = NOW + timedelta(days=10)  # when `make_round` closes
OWNER, TENANT, OTHER = Tenure


@dataclass(frozen=True)
class Sent:
    """One response as the naive recount sees it; `minute` is when it came, and two may come in the same one."""

    community: int
    household: int | None
    tenure: int
    code: int
    minute: int
    is_correction: bool
    is_withdrawn: bool


SENT = st.builds(
    Sent,
    community=st.integers(0, 1),
    household=st.none() | st.integers(0, 2),
    tenure=st.sampled_from((OWNER, TENANT, OTHER)),
    code=st.sampled_from((1, 2, 4, 5, 9)),
    minute=st.integers(-3, 3),
    is_correction=st.booleans(),
    is_withdrawn=st.booleans(),
)


def naive_statuses(responses, population, before):
    """Decide each response by looking at all the others, as one would on paper."""
    statuses = {}
    for response in responses:
        if response.submitted_at >= before:
            continue
        others = [each for each in responses if each.submitted_at < before]
        is_corrected = any(each.corrects_id == response.id for each in others)
        household = [
            each
            for each in others
            if response.household_key is not None
            and each.household_key == response.household_key
            and (population == "residents" or each.tenure == response.tenure)
        ]
        is_newest = max([*household, response], key=lambda each: (each.submitted_at, each.id)) is response
        if response.answers is None:
            statuses[response.id] = ResponseStatus.WITHDRAWN
        else:
            statuses[response.id] = (
                ResponseStatus.SUPERSEDED if is_corrected or not is_newest else ResponseStatus.COUNTED
            )
    return statuses


def store(session, survey_round, communities, poster, sent):
    """Store what was sent; a correction stands for the newest response of its household or community before it."""
    stored = []
    for each in sorted(sent, key=lambda item: item.minute):
        household = None if each.household is None else f"{each.community}-{each.household}"
        candidates = [row for row in stored if row.household_key == household and row.answers is not None]
        uncorrected = [row for row in candidates if not any(other.corrects_id == row.id for other in stored)]
        corrects = uncorrected[-1].id if each.is_correction and uncorrected else None
        erased = {"answers": None, "tenure": None, "nonce": None, "household_key": None, "code_id": None}
        row = make_response(
            session,
            survey_round,
            communities[each.community],
            code_id=poster.id,
            household_key=household,
            tenure=each.tenure,
            answers={"q01": each.code},
            corrects_id=corrects,
            submitted_at=NOW + timedelta(minutes=each.minute),
        )
        if each.is_withdrawn and corrects is None:
            for column, value in erased.items():
                setattr(row, column, value)
            session.flush()
        stored.append(row)
    return stored


def recount(session, survey_round, population, before):
    return counting.recount(session, survey_round, rules=RULES[population], before=before)


@pytest.mark.parametrize("population", ["owners", "residents"])
@given(sent=st.lists(SENT, max_size=14), minute=st.integers(-3, 4))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_recount_is_the_naive_one_and_all_that_came_in_is_accounted_for(database, population, sent, minute):
    before = NOW + timedelta(minutes=minute)
    with database.writing() as session:
        session.execute(delete(Response))
        move_rounds_aside(session)
        survey_round = make_round(session)
        communities = [make_community(session), make_community(session)]
        poster = make_poster_code(session, communities[0])
        stored = store(session, survey_round, communities, poster, sent)
        statuses = naive_statuses(stored, population, before)
        expression = status_of_response(population, before=before)
        found = dict(session.execute(select(Response.id, expression).where(Response.submitted_at < before)).all())
        counts = recount(session, survey_round, population, before)

        assert found == statuses
        for community in communities:
            ours = [row for row in stored if row.community_id == community.id and row.id in statuses]
            counted = [row for row in ours if statuses[row.id] is ResponseStatus.COUNTED]
            line = counts.loc[community.id]
            assert line["received"] == len(ours) == len(counted) + line["superseded"] + line["withdrawn"]
            assert line["withdrawn"] == sum(row.answers is None for row in ours)
            assert line["owners"] == sum(row.tenure == OWNER for row in counted)
            ranked = [row for row in counted if population == "residents" or row.tenure == OWNER]
            valid = [row for row in ranked if '"q01":9' not in row.answers]
            assert line["responses"] == len(valid)
            assert line["satisfied"] == sum('"q01":4' in row.answers or '"q01":5' in row.answers for row in valid)
        session.execute(delete(Response))


@given(sent=st.lists(SENT, max_size=14), minute=st.integers(-3, 4), rows=st.integers(1, 5))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_replaces_each_response_is_the_same_for_one_and_for_all_however_many_are_read_at_once(
    database, sent, minute, rows
):
    before = NOW + timedelta(minutes=minute)
    with database.writing() as session:
        session.execute(delete(Response))
        move_rounds_aside(session)
        survey_round = make_round(session)
        communities = [make_community(session), make_community(session)]
        stored = store(session, survey_round, communities, make_poster_code(session, communities[0]), sent)
        one_by_one = dict(session.execute(select(Response.id, superseded_within(before=before))).all())
        for portions in (
            all_responses(session, survey_round, before=before, rows=rows),
            selected_responses(session, select(Response.id), before=before),
        ):
            found = select(Response.id, portions.replaced).where(portions.condition)
            at_once = dict(row for part in portions.parameters for row in session.execute(found, part))

            assert at_once == {row.id: one_by_one[row.id] for row in stored}
        session.execute(delete(Response))


@pytest.mark.parametrize("population", ["owners", "residents"])
@given(sent=st.lists(SENT, max_size=14))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_household_is_counted_twice_among_those_who_are_ranked(sqlite_database, population, sent):
    with sqlite_database.writing() as session:
        session.execute(delete(Response))
        survey_round = make_round(session)
        communities = [make_community(session), make_community(session)]
        store(session, survey_round, communities, make_poster_code(session, communities[0]), sent)
        statement = select(Response.household_key, Response.tenure).where(
            status_of_response(population, before=CUT_OFF) == ResponseStatus.COUNTED,
            Response.household_key.is_not(None),
        )
        counted = session.execute(statement).all()

        ranked = [row.household_key for row in counted if population == "residents" or row.tenure == OWNER]
        assert len(ranked) == len(set(ranked))
        session.execute(delete(Response))


def test_of_a_household_the_owners_answer_stands_beside_a_later_one_of_its_tenant(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        for hour, tenure, code in ((1, OWNER, 2), (2, OWNER, 5), (3, TENANT, 1)):
            make_response(
                session,
                survey_round,
                community,
                household_key="ours",
                tenure=tenure,
                answers={"q01": code},
                submitted_at=NOW + timedelta(hours=hour),
            )
        owners = recount(session, survey_round, "owners", CUT_OFF).loc[community.id]
        residents = recount(session, survey_round, "residents", CUT_OFF).loc[community.id]

    assert (owners["responses"], owners["satisfied"], owners["tenants"], owners["superseded"]) == (1, 1, 1, 1)
    assert (residents["responses"], residents["satisfied"], residents["superseded"]) == (1, 0, 2)


def test_answers_through_a_poster_replace_nobodys(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        poster = make_poster_code(session, community)
        for _ in range(3):
            make_response(session, survey_round, community, code_id=poster.id)

        assert recount(session, survey_round, "owners", CUT_OFF).loc[community.id, "responses"] == 3


def test_the_tables_say_of_every_response_what_became_of_it(database):
    with database.writing() as session:
        survey_round, community = make_round(session), make_community(session)
        store(
            session,
            survey_round,
            [community, community],
            make_poster_code(session, community),
            [
                Sent(0, 1, OWNER, 5, 0, is_correction=False, is_withdrawn=False),
                Sent(0, 1, OWNER, 4, 1, is_correction=False, is_withdrawn=False),
                Sent(0, None, OWNER, 2, 2, is_correction=False, is_withdrawn=True),
                Sent(0, None, OWNER, 2, 3, is_correction=False, is_withdrawn=False),
                Sent(0, None, TENANT, 4, 4, is_correction=True, is_withdrawn=False),
            ],
        )
    evaluation = evaluate_round(database, round_id=survey_round.id, now=CUT_OFF + GRACE_PERIOD)

    text = "".join(export_answer_tables(database, evaluation_id=evaluation.id, scope=EVERYWHERE, language="zh-Hans"))
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))

    became = {
        row["答案代码"]: int(row["人数（空为不予公布）"]) for row in rows if row["题目"] == "答卷（含业主和租户）"
    }
    assert became == {"received": 5, "counted": 2, "superseded": 2, "withdrawn": 1, "excluded": 0, "erased": 0}
