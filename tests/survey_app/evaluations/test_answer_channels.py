"""Answers through slips and through posters: counted apart, and what becomes of ω in an evaluation."""

import json
from collections import defaultdict
from random import Random

import pandas as pd
import pytest
from sqlalchemy import func, select, update

from analytics.decision.community_table import read_table
from analytics.decision.evaluate import evaluate
from analytics.decision.survey_channels import SLIP_RESPONSES
from analytics.evidence.nonresponse import raised_spreads
from survey_app.accounts.scope import EVERYWHERE
from survey_app.evaluations.evaluate_round import evaluate_round, verify_evaluation
from survey_app.exports.community_table import export_community_table
from survey_app.models import Code, Response
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
    make_slip,
)
from tests.survey_app.evaluations.test_answer_waves import RULES


def answer(session, survey_round, community, codes, *, code_id):
    for code in codes:
        make_response(session, survey_round, community, code_id=code_id, answers={"q01": code})


def answer_through_both(session, survey_round, district, *, posters, slips, communities=12):
    """Let each community answer in this way through posters and through slips, which have lost their link since."""
    for _ in range(communities):
        community = make_community(session, district=district)
        answer(session, survey_round, community, posters, code_id=make_poster_code(session, community).id)
        answer(session, survey_round, community, slips, code_id=None)


def facts_of(evaluation, district):
    return json.loads(evaluation.summary)["evidence"]["regions"][district.name]["satisfaction"]["channels"]


def test_valid_answers_that_owners_sent_themselves_are_counted_by_their_channel(database):
    random = Random(8)
    with database.writing() as session:
        survey_round = make_round(session, accepts_households=True)
        communities, clerk = [make_community(session) for _ in range(3)], make_account(session)
        poster_of = {community.id: make_poster_code(session, community).id for community in communities}
        expected = {community.id: defaultdict(int) for community in communities}
        for _ in range(150):
            community = random.choice(communities)
            given, tenure, through = (
                random.choice((5, 4, 2, 9)),
                random.choice((1, 1, 2)),
                random.choice(("poster", "slip", "lost", "paper")),
            )
            code_id = {"poster": poster_of[community.id]}.get(through)
            if through == "slip":
                make_slip(session, survey_round, community)
                code_id = session.scalar(select(func.max(Code.id)))
            typed = {"mode": "paper", "entered_by_id": clerk.id} if through == "paper" else {}
            make_response(
                session, survey_round, community, tenure=tenure, code_id=code_id, answers={"q01": given}, **typed
            )
            if tenure == 1 and given != 9 and through != "paper":
                name = "poster" if through == "poster" else "slip"
                expected[community.id][name] += 1
                expected[community.id][f"{name}_satisfied"] += given >= 4
    with database.reading() as session:
        counts = count_whole_round(session, survey_round, rules=RULES, before=CLOSED)

    columns = ("poster", "poster_satisfied", "slip", "slip_satisfied")
    for community_id, found in expected.items():
        assert counts.through.loc[community_id].to_dict() == {name: found[name] for name in columns}
    assert counts.through["slip"].tolist() == counts.channels[SLIP_RESPONSES].tolist()


def test_slips_that_answer_otherwise_raise_the_assumption_about_nonresponse(database, tmp_path):
    with database.writing() as session:
        survey_round = make_round(session)
        apart, alike = make_district(session), make_district(session)
        # In turns, so that early and late answers are alike.
        answer_through_both(session, survey_round, apart, posters=[5] * 18 + [2] * 2, slips=[5] * 12 + [2] * 8)
        answer_through_both(session, survey_round, alike, posters=([5] * 4 + [2]) * 4, slips=([5] * 4 + [2]) * 4)

    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    channels = facts_of(evaluation, apart)
    assert (channels["communities"], channels["poster"], channels["slip"], channels["differs"]) == (12, 240, 240, True)
    assert channels["difference"] == pytest.approx(-0.3)
    assert channels["spread"] == pytest.approx(0.15, abs=0.001)
    assert facts_of(evaluation, alike)["spread"] == 0
    table = pd.DataFrame(json.loads(evaluation.inputs))
    spreads = table.groupby("region")["slip_answers_spread"].unique()
    assert spreads[apart.name].tolist() == [channels["spread"]]
    assert spreads[alike.name].tolist() == [0]
    with database.reading() as session:
        assert verify_evaluation(session, evaluation.id).is_same
    # The evaluator reads the same from the file.
    file = tmp_path / "communities.csv"
    file.write_text("".join(export_community_table(database, evaluation_id=evaluation.id, scope=EVERYWHERE)), "utf-8")
    again = evaluate(read_table(file, RULES), RULES)
    assert again.inputs_sha256 == evaluation.inputs_sha256
    assert raised_spreads(again.communities, RULES)[apart.name] >= channels["spread"]


def test_what_was_said_of_channels_stays_where_answers_are_erased_later(database):
    with database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        answer_through_both(session, survey_round, district, posters=[5] * 18, slips=[5] * 6 + [2] * 12)
    first = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    with database.writing() as session:
        # Enough that the community's own numbers change with them.
        late = session.scalars(select(Response.id).order_by(Response.id.desc()).limit(18)).all()
        erasing = update(Response).where(Response.id.in_(late)).values(**ERASED_VALUES, erased_at=SETTLED)
        session.execute(erasing)

    later = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    assert later.id != first.id
    assert facts_of(first, district) == facts_of(later, district) is not None


def test_nothing_is_said_where_few_communities_have_both(database):
    with database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        answer_through_both(session, survey_round, district, posters=[5] * 20, slips=[2] * 16, communities=9)
        community = make_community(session, district=district)
        answer(session, survey_round, community, [2] * 40, code_id=None)

    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    assert facts_of(evaluation, district) is None
    assert "slip_answers_spread" not in json.loads(evaluation.inputs)
