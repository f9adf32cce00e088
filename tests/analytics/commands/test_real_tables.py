"""Public data sets through the evaluate command: messy input is handled or reported as a fault."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analytics.__main__ import main
from tests.analytics.rule_files import rule_text


@pytest.fixture
def evaluate_table(tmp_path):
    """Return a function that runs the command and returns its result, the standings and the evaluation."""

    def run(frame, choices):
        table, rules, out = tmp_path / "table.csv", tmp_path / "rules.yaml", tmp_path / "out"
        frame.to_csv(table, index=False)
        rules.write_text(rule_text(choices), "utf-8")
        result = CliRunner().invoke(
            main, ["evaluate", str(table), "--rules", str(rules), "--out", str(out), "--language", "en"]
        )
        if result.exit_code:
            return result, None, None
        standings = pd.read_csv(out / "standings.csv", dtype={"community_id": str})
        return result, standings, json.loads((out / "evaluation.json").read_text("utf-8"))

    return run


def hospitals(shared_data):
    frame = pd.read_csv(shared_data / "real" / "hcahps_2022_wide_slim.csv", dtype=str)
    return pd.DataFrame(
        {
            "community_id": frame["facility_id"],
            "region": "US",
            "name": frame["facility_name"],
            "score": frame["H_HSP_RATING_9_10"],
            "score_precision": "1",
        }
    )


@pytest.mark.parametrize(("ties", "met"), [("include", 197), ("exclude", 160)])
def test_hospitals_tie_at_the_cut_off_by_whole_percentages(shared_data, evaluate_table, ties, met):
    frame = hospitals(shared_data)
    _, standings, evaluation = evaluate_table(frame, {"satisfaction.ties": ties})

    route = evaluation["summary"]["regions"]["US"]["satisfaction"]
    assert (route["k"], route["cut_off_score"], route["above_cut_off"], route["tied_at_cut_off"]) == (161, 83, 160, 37)
    assert route["met"] == (standings["satisfaction_status"] == "met").sum() == met
    assert len(standings) == len(frame)
    assert "minimum_responses_not_tested" in {warning["code"] for warning in evaluation["warnings"]}


def test_hospitals_with_few_completed_surveys_are_not_ranked_where_their_number_is_known(shared_data, evaluate_table):
    counted = pd.read_csv(shared_data / "real" / "hcahps_2022_wide_slim.csv", dtype=str)["num_completed_surveys"]
    frame = hospitals(shared_data).assign(responses=counted)
    minimum = {"satisfaction.minimum_responses": {"least": 300, "enough": 300, "or_share_of_households": "1/2"}}
    _, standings, evaluation = evaluate_table(frame, minimum)

    few = pd.to_numeric(counted).fillna(0) < 300
    assert few.any()
    assert set(standings["satisfaction_status"][few]) == {"not_assessed"}
    assert evaluation["summary"]["regions"]["US"]["satisfaction"]["N"] == (~few & frame["score"].notna()).sum()


def test_a_list_of_hospitals_is_not_expected_to_be_all_rightful(shared_data, evaluate_table):
    source = pd.read_csv(shared_data / "real" / "hcahps_2022_wide_slim.csv", dtype=str)
    completed = pd.to_numeric(source["num_completed_surveys"], errors="coerce")
    satisfied = (completed * pd.to_numeric(source["H_HSP_RATING_9_10"], errors="coerce") / 100).round()
    frame = hospitals(shared_data)[["community_id", "region", "name"]].assign(
        responses=completed.where(satisfied.notna()).astype("Int64"), satisfied=satisfied.astype("Int64")
    )
    _, standings, evaluation = evaluate_table(frame, {})

    route = evaluation["evidence"]["regions"]["US"]["satisfaction"]
    k = evaluation["summary"]["regions"]["US"]["satisfaction"]["k"]
    assert standings["satisfaction_top_probability"].sum() == pytest.approx(k, abs=1e-3)
    assert route["expected_rightful"] == pytest.approx(_drawn_rightful(standings, k), rel=0.03)
    assert route["expected_rightful"] < 0.8 * k
    # A first place by a handful of answers convinces nobody, and nobody certain is left out of the list.
    assert set(standings["satisfaction_status"][standings["satisfaction_evidence"] == "certain"]) == {"met"}
    assert "undecided" in set(standings["satisfaction_evidence"][standings["satisfaction_status"] == "met"])


def _drawn_rightful(standings, k):
    """Return how many of those that met the criterion belong to the top k on average, by draws from the posterior."""
    score, deviation = standings["satisfaction_shrunk"], standings["satisfaction_shrunk_deviation"]
    size = score * (1 - score) / deviation**2 - 1
    draws = np.random.default_rng(20220401).beta(score * size, (1 - score) * size, (500, len(standings)))
    top = np.argpartition(-draws, k, axis=1)[:, :k]
    return (standings["satisfaction_status"] == "met").to_numpy()[top].sum(axis=1).mean()


def test_areas_of_new_york_without_units_are_not_assessed(shared_data, evaluate_table):
    areas = pd.read_csv(shared_data / "real" / "nyc_nta_housing_health_index.csv", dtype=str)
    frame = pd.DataFrame(
        {
            "community_id": areas["nta_code"].fillna(areas["nta"]),  # two areas have neither code nor borough
            "region": "New York",
            "name": areas["nta"],
            "responses": "",
            "satisfied": "",
            "complaints": areas["complaint_count"],
            "exposure_household_years": areas["total_units"],
        }
    )
    _, standings, evaluation = evaluate_table(frame, {"region": "city"})

    without = areas["total_units"].isna()
    assert without.sum() == 29
    assert set(standings["complaint_reason"][without]) == {"denominator_missing"}
    six = standings[standings["complaint_reason"] == "exposure_too_small"]
    assert (41, 6.0) in set(six[["complaints", "exposure_household_years"]].itertuples(index=False, name=None))
    assert len(standings) == len(areas)
    assert evaluation["summary"]["total"]["complaints"]["met"] > 0


def toronto(shared_data, column):
    frame = pd.read_csv(
        shared_data / "real" / "toronto_rentsafe_evaluations_2023on.csv", dtype=str, keep_default_na=False
    )
    frame = frame[frame["YEAR EVALUATED"] == "2024"]
    return pd.DataFrame(
        {
            "community_id": frame["RSN"],
            "region": frame["WARDNAME"],
            "name": frame["SITE ADDRESS"],
            "score": frame[column],
            "score_precision": "1",
            "households": frame["CONFIRMED UNITS"],
        }
    )


def test_repeated_buildings_and_marks_of_toronto_are_named(shared_data, evaluate_table):
    frame = toronto(shared_data, "INTERCOM")
    result, standings, _ = evaluate_table(frame, {})

    assert result.exit_code == 2
    assert standings is None
    said = result.stderr.splitlines()
    marks = (frame["score"] == "N/A").sum()
    assert marks > 0
    assert sum("score: this must be a number, it is “N/A”" in line for line in said) == marks
    assert sum("stands already in row" in line for line in said) == frame["community_id"].duplicated().sum()


def test_a_year_that_is_no_year_stays_out_of_a_toronto_year(shared_data):
    years = pd.read_csv(shared_data / "real" / "toronto_rentsafe_evaluations_2023on.csv", dtype=str)["YEAR EVALUATED"]

    assert "202510" in set(years)
    assert len(toronto(shared_data, "CURRENT BUILDING EVAL SCORE")) == (years == "2024").sum()


def test_small_wards_of_toronto_have_no_position(shared_data, evaluate_table):
    frame = toronto(shared_data, "CURRENT BUILDING EVAL SCORE").drop_duplicates("community_id")
    _, standings, evaluation = evaluate_table(frame, {})

    regions = evaluation["summary"]["regions"]
    small = [ward for ward, facts in regions.items() if facts["satisfaction"]["N"] < 20]
    assert small
    for ward in small:
        assert regions[ward]["satisfaction"]["k"] == 0
        assert set(standings["satisfaction_status"][standings["region"] == ward]) <= {"not_applicable", "not_assessed"}
    assert len(standings) == len(frame)
