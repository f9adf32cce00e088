import json
import subprocess
import sys
from datetime import timedelta

import pandas as pd
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from analytics.canonical import sha256_hex
from analytics.evidence.method import EVIDENCE_METHOD
from survey_app.config import DATA
from survey_app.evaluations.counts import community_table
from survey_app.evaluations.evaluate_round import evaluate_round, verify_evaluation
from survey_app.models import Evaluation, RuleFile, Standing, StandingEvidence
from survey_app.rounds.rounds import RoundStillOpen, add_rule_file
from tests.analytics.rule_files import rule_text_2
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
from tests.together import all_at_once


@pytest.fixture
def survey(database):
    """A round with 21 communities of one district: 5 % are one. The first one leads."""
    with database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        communities = [make_community(session, district=district) for _ in range(21)]
        answer(session, survey_round, communities[0], codes=[5] * 30)
        for community in communities[1:]:
            answer(session, survey_round, community, codes=[5, 2])
        return survey_round, communities


def answer(session, survey_round, community, *, codes, **values):
    code_id = make_poster_code(session, community).id
    for code in codes:
        make_response(session, survey_round, community, answers={"q01": code}, code_id=code_id, **values)


def standings_of(database, evaluation):
    with database.reading() as session:
        statement = select(*Standing.__table__.columns).filter_by(evaluation_id=evaluation.id)
        return {row.community_id: row for row in session.execute(statement)}


def test_an_official_evaluation_needs_a_closed_round(database, survey):
    survey_round, _ = survey
    with pytest.raises(RoundStillOpen):
        evaluate_round(database, round_id=survey_round.id, now=SETTLED - timedelta(microseconds=1))

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Evaluation)) == 0


def test_every_community_gets_a_standing_that_agrees_with_its_answers(database, survey):
    survey_round, communities = survey
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    standings = standings_of(database, evaluation)
    assert set(standings) == {community.id for community in communities}
    leader, other = standings[communities[0].id], standings[communities[1].id]
    assert (leader.responses, leader.satisfied, leader.satisfaction_rate) == (30, 30, 1.0)
    assert (other.responses, other.satisfied, other.satisfaction_status) == (2, None, "not_assessed")
    assert (evaluation.responses, evaluation.cut_off, evaluation.provisional) == (70, CLOSED, False)


def test_the_evidence_is_stored_beside_the_decision(database, survey):
    survey_round, communities = survey
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    with database.reading() as session:
        stored = {row.community_id: row for row in session.scalars(select(StandingEvidence))}
    assert set(stored) == {community.id for community in communities}
    leader, other = stored[communities[0].id], stored[communities[1].id]
    assert (leader.satisfaction_upper, leader.satisfaction_evidence_reason) == (1.0, "not_applicable")
    assert (other.satisfaction_evidence, other.satisfaction_evidence_reason) == (None, "not_assessed")
    assert (other.satisfaction_needed_responses, other.satisfaction_needed_assurance) == (None, None)
    said = json.loads(evaluation.summary)["evidence"]["regions"]
    assert [region["satisfaction"]["listed"] for region in said.values()] == [0]


def test_an_answer_at_the_close_or_later_is_not_evaluated(database, survey):
    survey_round, communities = survey
    with database.writing() as session:
        answer(session, survey_round, communities[0], codes=[1], submitted_at=CLOSED)

    evaluation = evaluate_round(database, round_id=survey_round.id, now=CLOSED + timedelta(days=3))

    assert standings_of(database, evaluation)[communities[0].id].responses == 30
    assert evaluation.cut_off == CLOSED


def test_evaluating_again_finds_the_stored_evaluation(database, survey):
    survey_round, _ = survey
    first = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    again = evaluate_round(database, round_id=survey_round.id, now=CLOSED + timedelta(hours=1))

    assert again.id == first.id
    assert again.evaluated_at == SETTLED


def test_two_who_evaluate_at_once_get_one_evaluation(database, survey):
    survey_round, communities = survey

    ids = all_at_once(lambda _clerk: evaluate_round(database, round_id=survey_round.id, now=SETTLED).id, range(4))

    assert len(set(ids)) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Standing)) == len(communities)


def test_no_evaluation_is_left_without_its_standings(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round = make_round(session)
        make_community(session)
        session.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON standing BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        )

    with pytest.raises(DBAPIError, match="disk full"):
        evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)

    with sqlite_database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Evaluation)) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evaluation SET responses = 0",
        "DELETE FROM evaluation",
        "UPDATE standing_evidence SET satisfaction_evidence = 'certain'",
        "DELETE FROM standing_evidence",
        "UPDATE standing SET satisfaction_rank = 1",
        "DELETE FROM standing",
    ],
)
def test_an_evaluation_never_changes(database, survey, statement):
    survey_round, _ = survey
    evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    with pytest.raises(DBAPIError, match="frozen"), database.writing() as session:
        session.execute(text(statement))


def test_stored_inputs_and_rules_give_the_stored_standings_again(database, survey):
    survey_round, communities = survey
    with database.writing() as session:
        for status in ("closed", "duplicate_of"):
            make_complaint(session, communities[0], status=status)
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    with database.reading() as session:
        assert verify_evaluation(session, evaluation.id).is_same
    assert sha256_hex(evaluation.inputs) == evaluation.inputs_sha256
    assert sum(json.loads(evaluation.inputs)["complaints_excluded"]) == 1


def test_inputs_of_before_without_what_was_set_aside_still_verify(database, survey, monkeypatch):
    survey_round, _ = survey

    def table_of_before(session, **counting):
        return community_table(session, **counting).drop(columns="complaints_excluded")

    monkeypatch.setattr("survey_app.evaluations.evaluate_round.community_table", table_of_before)
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    with database.reading() as session:
        assert verify_evaluation(session, evaluation.id).is_same


SHIPPED = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        # Issued before readers refused 030, which was 24 then.
        pytest.param(SHIPPED.replace(b"enough: 30", b"enough: 030"), id="format 1 as it was issued"),
        pytest.param(rule_text_2({}).encode(), id="format 2"),
    ],
)
def test_an_evaluation_by_a_rule_file_of_any_format_verifies(sqlite_database, content):
    with sqlite_database.writing() as session:
        rule_file = RuleFile(name="wuhai-issued", content=content, sha256=sha256_hex(content), added_at=NOW)
        survey_round, district = make_round(session, rule_file=rule_file), make_district(session)
        for _ in range(21):
            answer(session, survey_round, make_community(session, district=district), codes=[5] * 20 + [2] * 5)
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)

    with sqlite_database.reading() as session:
        verification = verify_evaluation(session, evaluation.id)
    assert (verification.is_same, verification.differing) == (True, [])
    # 25 answers are enough by 24, and too few by 30.
    assessed = {row.satisfaction_status for row in standings_of(sqlite_database, evaluation).values()} != {
        "not_assessed"
    }
    assert assessed == (b"030" in content)


@pytest.mark.parametrize("column", ["inputs_sha256", "standings_sha256"])
def test_an_altered_evaluation_does_not_verify(sqlite_database, column):
    with sqlite_database.writing() as session:
        survey_round = make_round(session)
        answer(session, survey_round, make_community(session), codes=[5, 4])
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)
    with sqlite_database.writing() as session:
        session.execute(text("DROP TRIGGER evaluation_refuses_update"))
        session.execute(text(f"UPDATE evaluation SET {column} = '{'0' * 64}'"))

    with sqlite_database.reading() as session:
        assert not verify_evaluation(session, evaluation.id).is_same


def test_an_altered_input_does_not_verify(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round, community = make_round(session), make_community(session, name="阳光家园")
        answer(session, survey_round, community, codes=[5] * 12)
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)
    with sqlite_database.writing() as session:
        session.execute(text("DROP TRIGGER evaluation_refuses_update"))
        session.execute(text("UPDATE evaluation SET inputs = replace(inputs, '阳光家园', '朝阳家园')"))

    with sqlite_database.reading() as session:
        assert not verify_evaluation(session, evaluation.id).is_same


def test_altered_evidence_is_found_and_rounding_is_not(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round, district = make_round(session), make_district(session)
        communities = [make_community(session, district=district) for _ in range(21)]
        for place, community in enumerate(communities):
            answer(session, survey_round, community, codes=[5] * (30 - place) + [2] * (place + 2))
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)
    changed = communities[3]

    def verify_after(change):
        with sqlite_database.writing() as session:
            session.execute(text("DROP TRIGGER IF EXISTS standing_evidence_refuses_update"))
            session.execute(text(f"UPDATE standing_evidence SET {change} WHERE community_id = {changed.id}"))
        with sqlite_database.reading() as session:
            return verify_evaluation(session, evaluation.id)

    rounded = verify_after("satisfaction_top_probability = satisfaction_top_probability + 1e-9")
    altered = verify_after("satisfaction_top_probability = satisfaction_top_probability + 1e-5")

    assert (rounded.is_same, rounded.differing) == (True, [])
    assert (altered.is_same, altered.is_decided_so, altered.differing) == (False, True, [changed.number])


def test_evidence_of_another_method_is_kept_beside_and_not_compared(database, survey, monkeypatch):
    survey_round, _ = survey
    monkeypatch.setattr("survey_app.evaluations.evaluate_round.EVIDENCE_METHOD", 1)
    earlier = evaluate_round(database, round_id=survey_round.id, now=SETTLED)
    monkeypatch.undo()
    later = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    assert (earlier.evidence_method, later.evidence_method) == (1, EVIDENCE_METHOD)
    assert earlier.standings_sha256 == later.standings_sha256
    with database.reading() as session:
        found = verify_evaluation(session, earlier.id)
        assert (found.is_same, found.differing) == (True, None)
        assert verify_evaluation(session, later.id).differing == []


def test_an_unknown_round_and_an_unknown_evaluation_are_refused(database):
    with pytest.raises(LookupError, match="no round 5"):
        evaluate_round(database, round_id=5, now=NOW)
    with database.reading() as session, pytest.raises(LookupError, match="no evaluation 5"):
        verify_evaluation(session, 5)


def test_a_preview_is_marked_and_official_evaluations_stay_apart(database, survey):
    survey_round, _ = survey
    preview = evaluate_round(database, round_id=survey_round.id, now=SETTLED, provisional=True)
    official = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    assert preview.provisional
    assert preview.cut_off == CLOSED
    assert official.id != preview.id
    assert not official.provisional


@pytest.mark.parametrize("before", [timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=9)])
def test_no_preview_is_made_before_the_round_has_settled(database, survey, before):
    with pytest.raises(RoundStillOpen):
        evaluate_round(database, round_id=survey[0].id, now=SETTLED - before, provisional=True)

    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Evaluation)) == 0


def test_what_fewer_answered_than_are_ever_ranked_is_not_stored(database, survey):
    survey_round, communities = survey
    with database.writing() as session:
        answer(session, survey_round, communities[1], codes=[4] * 8)
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    inputs = pd.DataFrame(json.loads(evaluation.inputs)).set_index("community_id")
    enough, few = (inputs.loc[communities[place].number] for place in (1, 2))
    measures = ["satisfied", "mean_index", "sd_index"]
    assert (enough["responses"], few["responses"]) == (10, 2)
    assert enough[measures].notna().all()
    assert few[measures].isna().all()
    row = standings_of(database, evaluation)[communities[2].id]
    assert (row.satisfaction_rate, row.satisfaction_index, row.satisfaction_reason) == (None, None, "too_few_responses")


def composite_rules(session):
    content = (DATA / "rules" / "wuhai" / "2021-08-23.yaml").read_bytes()
    content = content.replace(b"measure: satisfaction_rate", b"measure: composite\n  domains: {q02: 3/4, q03: 1/4}")
    return add_rule_file(session, content=content, source="rules.yaml", now=NOW)


def test_composites_are_decided_from_the_answers_to_the_domains(database):
    with database.writing() as session:
        survey_round, district = make_round(session, rule_file=composite_rules(session)), make_district(session)
        communities = [make_community(session, district=district) for _ in range(21)]
        for place, community in enumerate(communities):
            codes = {"q01": 1, "q02": 5} if place == 0 else {"q01": 5, "q02": 4, "q03": 9}
            for _ in range(30):
                make_response(session, survey_round, community, answers=codes)
    evaluation = evaluate_round(database, round_id=survey_round.id, now=SETTLED)

    standings = standings_of(database, evaluation)
    leader, other = standings[communities[0].id], standings[communities[1].id]
    assert (leader.satisfaction_score, leader.satisfaction_status, leader.satisfaction_rate) == (100, "met", 0)
    assert (other.responses, other.satisfaction_score, other.satisfaction_status) == (30, 75, "not_met")
    with database.reading() as session:
        assert verify_evaluation(session, evaluation.id).is_same


def test_the_summary_says_what_computed_it(sqlite_database):
    with sqlite_database.writing() as session:
        survey_round = make_round(session)
        make_community(session)
    evaluation = evaluate_round(sqlite_database, round_id=survey_round.id, now=SETTLED)

    assert {"numpy", "pandas", "python"} <= json.loads(evaluation.summary)["versions"].keys()


def test_an_evaluation_is_loaded_without_all_of_the_statistical_library():
    program = "import sys, survey_app.evaluations.evaluate_round; print('scipy.stats' in sys.modules)"

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "False"
