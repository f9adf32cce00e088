"""Waves of answers: counted in batches as one by one, and what becomes of ω in an evaluation."""

import json
from collections import defaultdict
from itertools import pairwise
from random import Random

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from analytics.canonical import canonical_json
from analytics.decision.community_table import read_table
from analytics.decision.evaluate import evaluate
from analytics.evidence.nonresponse import raised_spreads
from analytics.rules import parse_rules
from survey_app.accounts.scope import EVERYWHERE
from survey_app.config import DATA
from survey_app.evaluations.answer_waves import Waves
from survey_app.evaluations.evaluate_round import evaluate_round, verify_evaluation
from survey_app.exports.community_table import export_community_table
from survey_app.models import Response
from survey_app.responses import answer_batches
from survey_app.responses.counting_status import ERASED_VALUES
from tests.counting import count_whole_round
from tests.factories import (
    CLOSED,
    SETTLED,
    make_account,
    make_community,
    make_district,
    make_poster_code,
    make_response,
    make_round,
)

RULES = parse_rules((DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes(), "rules")


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["web", "paper", "telephone"])), max_size=60), st.data())
def test_waves_are_thirds_of_the_order_however_answers_are_divided_into_batches(sent, data):
    ends = sorted({0, len(sent), *data.draw(st.lists(st.integers(0, len(sent)), max_size=4))})
    sizes = {community: sum(each == (community, "web") for each in sent) for community in (1, 2, 3)}
    waves, found = Waves(pd.Series(sizes)), []
    for start, end in pairwise(ends):
        rows = list(range(start, end))
        # The database need not hand over the rows of a batch in order.
        data.draw(st.randoms()).shuffle(rows)
        batch = pa.RecordBatch.from_pydict(
            {
                "response_id": rows,
                "community": pa.array([sent[row][0] for row in rows], pa.int64()),
                "mode": pa.array([sent[row][1] for row in rows], pa.string()),
            }
        )
        found += sorted(zip(rows, waves.find(batch).to_pylist(), strict=True))

    before = defaultdict(int)
    for (community, mode), (_row, wave) in zip(sent, found, strict=True):
        if mode != "web":
            assert wave is None
            continue
        assert wave == before[community] * 3 // sizes[community]
        before[community] += 1


@pytest.mark.parametrize("rows_at_once", [7, 20_000])
def test_waves_of_a_round_hold_the_valid_answers_that_owners_sent_themselves(database, monkeypatch, rows_at_once):
    monkeypatch.setattr(answer_batches.all_responses, "__kwdefaults__", {"rows": rows_at_once})
    random = Random(4)
    with database.writing() as session:
        survey_round = make_round(session)
        communities, clerk = [make_community(session) for _ in range(3)], make_account(session)
        sent = []
        for _ in range(100):
            community = random.choice(communities)
            code, tenure, mode = random.choice((5, 4, 2, 9)), random.choice((1, 1, 2)), random.choice(("web", "paper"))
            values = {} if mode == "web" else {"entered_by_id": clerk.id, "code_id": None}
            make_response(session, survey_round, community, tenure=tenure, mode=mode, answers={"q01": code}, **values)
            sent.append((community.id, code, tenure, mode))
    with database.reading() as session:
        counted = count_whole_round(session, survey_round, rules=RULES, before=CLOSED).waves

    for community in communities:
        own = [(code, tenure) for place, code, tenure, mode in sent if (place, mode) == (community.id, "web")]
        expected = defaultdict(int)
        for place, (code, tenure) in enumerate(own):
            name = {0: "first", 2: "last"}.get(place * 3 // len(own))
            if name and tenure == 1 and code != 9:
                expected[name] += 1
                expected[f"{name}_satisfied"] += code >= 4
        assert counted.loc[community.id].to_dict() == {
            name: expected[name] for name in ("first", "first_satisfied", "last", "last_satisfied")
        }


def answer_in_waves(session, survey_round, district, *, codes, communities=12):
    """Let each community answer `codes` in this order."""
    for _ in range(communities):
        community = make_community(session, district=district)
        code_id = make_poster_code(session, community).id
        for code in codes:
            make_response(session, survey_round, community, code_id=code_id, answers={"q01": code})


def test_late_answers_that_differ_raise_the_assumption_about_nonresponse(database, tmp_path):
    with database.writing() as session:
        survey_round = make_round(session)
        drifting, steady = make_district(session), make_district(session)
        answer_in_waves(session, survey_round, drifting, codes=[5] * 11 + [2] + [5] * 12 + [2] * 4 + [5] * 8)
        answer_in_waves(session, survey_round, steady, codes=([5] * 5 + [2]) * 6)

    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    regions = json.loads(evaluation.summary)["evidence"]["regions"]
    waves = regions[drifting.name]["satisfaction"]["waves"]
    assert (waves["communities"], waves["first"], waves["last"], waves["differs"]) == (12, 144, 144, True)
    assert waves["difference"] == pytest.approx(-0.25)
    assert waves["spread"] == pytest.approx(0.1875, abs=0.001)
    assert regions[steady.name]["satisfaction"]["waves"]["spread"] == 0
    table = pd.DataFrame(json.loads(evaluation.inputs))
    spreads = table.groupby("region")["late_answers_spread"].unique()
    assert spreads[drifting.name].tolist() == [waves["spread"]]
    assert spreads[steady.name].tolist() == [0]
    with database.reading() as session:
        assert verify_evaluation(session, evaluation.id).is_same
    # The evaluator reads the same from the file.
    file = tmp_path / "communities.csv"
    file.write_text("".join(export_community_table(database, evaluation_id=evaluation.id, scope=EVERYWHERE)), "utf-8")
    again = evaluate(read_table(file, RULES), RULES)
    assert again.inputs_sha256 == evaluation.inputs_sha256
    assert raised_spreads(again.communities, RULES) == {drifting.name: waves["spread"]}


def test_what_was_said_of_waves_stays_where_answers_are_erased_later(database):
    with database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        answer_in_waves(session, survey_round, district, codes=[5] * 12 + [2] * 6 + [5] * 18)
    first = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    with database.writing() as session:
        # Enough that the community's own numbers change with them.
        late = select(Response.id).order_by(Response.id.desc()).limit(18)
        session.execute(
            update(Response)
            .where(Response.id.in_(session.scalars(late).all()))
            .values(**ERASED_VALUES, erased_at=SETTLED)
        )

    later = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    assert later.id != first.id
    said = [json.loads(each.summary)["evidence"]["regions"][district.name]["satisfaction"] for each in (first, later)]
    assert said[0]["waves"] == said[1]["waves"] is not None


def test_what_few_answered_changes_nothing_that_is_said_of_early_and_late_answers(database):
    with database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        answer_in_waves(session, survey_round, district, codes=([5] * 5 + [2]) * 6)
        of_few = [make_community(session, district=district) for _ in range(6)]
        for community in of_few:
            for code in [5, 5, 5, 5, 5, 5, 2, 2, 2]:
                make_response(session, survey_round, community, answers={"q01": code})
    first = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    with database.writing() as session:
        own = Response.community_id.in_([community.id for community in of_few])
        session.execute(update(Response).where(own).values(answers=canonical_json({"q01": 5, "q16": 1})))
    second = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    # The very same result is not stored again.
    assert second.id == first.id
    assert json.loads(first.summary)["evidence"]["regions"][district.name]["satisfaction"]["waves"] is not None


def test_nothing_is_said_of_few_communities(database):
    with database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        answer_in_waves(session, survey_round, district, codes=[5] * 20 + [2] * 16, communities=9)

    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    assert json.loads(evaluation.summary)["evidence"]["regions"][district.name]["satisfaction"]["waves"] is None
    assert "late_answers_spread" not in json.loads(evaluation.inputs)
