"""Bad input: each kind is reported as faults that name every row, or gives a documented result."""

import numpy as np
import pandas as pd
import pytest

from analytics.decision.evaluate import evaluate
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.files.table_cells import TableError
from analytics.statistics.complaint_rates import complaint_rates
from analytics.statistics.funnel import rate_funnel
from analytics.statistics.rank_confidence_sets import rank_confidence_set, top_confidence_set
from tests.analytics.rule_files import rules_with

RULES = rules_with({})


def forty(**columns):
    ids = [f"{number:02}" for number in range(40)]
    base = {"community_id": ids, "region": "r", "responses": 100, "satisfied": [*range(50, 90)], "households": 500}
    return pd.DataFrame(base | {"complaints": [*range(40)], "exposure_household_years": 500.0} | columns)


def changed(column, values):
    """Return the table with other values in its third and fifth rows."""
    frame = forty()
    frame[column] = frame[column].astype(object)
    frame.loc[[2, 4], column] = values
    return frame


def faults_of(frame):
    with pytest.raises(TableError) as caught:
        evaluate(frame, RULES)
    return [(fault.line, fault.key, fault.text()) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("column", "values", "texts"),
    [
        (
            "responses",
            [np.inf, "NaN"],
            ["this must be a whole number, it is “inf”", "this must be a whole number, it is “NaN”"],
        ),
        ("satisfied", [-1, -2], ["this cannot be negative, it is -1", "this cannot be negative, it is -2"]),
        ("satisfied", [101, 102], ["101 satisfied of 100 responses", "102 satisfied of 100 responses"]),
        ("satisfied", [np.nan, None], ["this is missing for 100 responses"] * 2),
        ("community_id", ["00", "00"], ["00 stands already in row 1"] * 2),
        ("region", ["", None], ["this cell is empty"] * 2),
        ("complaints", [1.5, -3], ["this must be a whole number, it is “1.5”", "this cannot be negative, it is -3"]),
        (
            "exposure_household_years",
            ["x", -1],
            ["this must be a number, it is “x”", "this cannot be negative, it is -1"],
        ),
    ],
)
def test_every_row_that_cannot_be_is_named(column, values, texts):
    assert faults_of(changed(column, values)) == [(row, column, text) for row, text in zip((3, 5), texts, strict=True)]


def test_more_responses_than_households_are_warned_of_and_kept():
    result = evaluate(changed("households", [99, 99]), RULES)

    [warning] = [w for w in result.summary["regions"]["r"]["warnings"] if w["code"] == "more_responses_than_households"]
    assert warning["facts"] == {"communities": 2}
    assert len(result.standings) == 40


@pytest.mark.parametrize("exposure", [0, None])
def test_zero_and_missing_exposure_are_not_ranked_and_keep_their_rows(exposure):
    standings = evaluate(changed("exposure_household_years", [exposure] * 2), RULES).standings

    assert standings["complaint_reason"][[2, 4]].tolist() == ["denominator_missing"] * 2
    assert standings["complaint_rank"][[2, 4]].isna().all()
    assert standings["complaint_rank"].notna().sum() == 38


def test_a_region_of_one_has_no_position_of_its_own():
    frame = forty(region=["alone", *["r"] * 39])
    standings = evaluate(frame, RULES).standings
    evidence = weigh_evidence(evaluate(frame, RULES))

    assert standings.loc[0, ["satisfaction_rank", "satisfaction_status", "satisfaction_reason"]].tolist() == [
        1,
        "not_applicable",
        "k_is_zero",
    ]
    assert evidence.loc[0, "satisfaction_evidence_reason"] == "not_applicable"
    assert rank_confidence_set([0.9], [0.01])[["lower", "rank", "upper"]].to_numpy().tolist() == [[1, 1, 1]]
    assert top_confidence_set([0.9], [0.01], size=1).tolist() == [True]


@pytest.mark.parametrize(("ties", "status", "met"), [("include", "met", 40), ("exclude", "not_met", 0)])
def test_communities_that_all_tie_are_decided_alike_and_it_is_reported(ties, status, met):
    rules = rules_with({"satisfaction.ties": ties})
    result = evaluate(forty(satisfied=80), rules)

    assert set(result.standings["satisfaction_status"]) == {status}
    route = result.summary["regions"]["r"]["satisfaction"]
    assert (route["k"], route["tied_at_cut_off"], route["met"]) == (2, 40, met)
    codes = [w["code"] for w in result.summary["regions"]["r"]["warnings"] if w["route"] == "satisfaction"]
    assert codes == ["tied_within_k" if ties == "include" else "tied_across_k"]
    evidence = weigh_evidence(result)
    assert evidence["satisfaction_top_probability"].tolist() == pytest.approx([2 / 40] * 40, abs=1e-6)
    assert set(evidence["satisfaction_evidence"]) == {"undecided"}


@pytest.mark.parametrize("satisfied", [0, 100])
def test_all_zero_and_all_perfect_scores_tie_and_nothing_is_certain(satisfied):
    result = evaluate(forty(satisfied=satisfied, complaints=0), RULES)
    evidence = weigh_evidence(result)

    assert set(result.standings["satisfaction_rank"]) == {1}
    assert set(result.standings["complaint_rank"]) == {1}
    assert np.isfinite(evidence["satisfaction_top_probability"]).all()
    assert not set(evidence["satisfaction_evidence"].dropna()) & {"certain", "likely"}
    assert not set(evidence["complaint_evidence"].dropna()) & {"certain", "likely"}


def test_zero_variance_is_known_exactly():
    found = rank_confidence_set([0.9, 0.8, 0.8], [0.0, 0.0, 0.0])

    assert found[["lower", "rank", "upper"]].to_numpy().tolist() == [[1, 1, 1], [2, 2, 3], [2, 2, 3]]
    assert top_confidence_set([0.9, 0.8, 0.8], [0.0, 0.0, 0.0], size=1).tolist() == [True, False, False]


def test_nothing_observed_has_no_rate_and_keeps_its_row():
    rates = complaint_rates([0, 3], [0, 100], level=0.95, method="exact")
    funnel = rate_funnel([0, 3], [0, 100], multiplier=1000, rule="exact_tail")

    assert np.isnan(rates.loc[0, "rate_per_1000_households"])
    assert funnel.table["position"].tolist() == ["not_assessed", "inside"]
    with pytest.raises(ValueError, match=r"events without exposure in 1 of 2 rows: row 0"):
        complaint_rates([1, 3], [0, 100], level=0.95, method="exact")


@pytest.mark.parametrize(
    ("scores", "errors"), [([0.9, np.nan], [0.1, 0.1]), ([0.9, 0.8], [0.1, -0.1]), ([0.9, np.inf], [0.1, 0.1])]
)
def test_numbers_that_cannot_be_ranked_are_named(scores, errors):
    with pytest.raises(ValueError, match="in 1 of 2 rows: row 1"):
        rank_confidence_set(scores, errors)
    with pytest.raises(ValueError, match="in 1 of 2 rows: row 1"):
        top_confidence_set(scores, errors, size=1)
