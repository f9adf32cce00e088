import numpy as np
import pandas as pd
import pytest

from analytics.decision.evaluate import evaluate
from analytics.evidence.method import differing_evidence
from analytics.evidence.weigh_evidence import EVIDENCE_COLUMNS, weigh_evidence
from tests.analytics.rule_files import rules_with


@pytest.fixture(scope="module")
def evidence():
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "community_id": [f"{number:02}" for number in range(40)],
            "region": "r",
            "responses": [5, *[200] * 39],
            "satisfied": [5, *random.integers(120, 195, 39)],
            "households": 600,
            "complaints": random.integers(0, 9, 40),
            "exposure_household_years": 600,
        }
    )
    return weigh_evidence(evaluate(frame, rules_with({})))


def test_the_order_of_rows_and_the_last_digits_are_no_difference(evidence):
    numbers = evidence.select_dtypes("float64")
    shifted = evidence.assign(**(numbers * (1 + 1e-9)))

    assert differing_evidence(evidence, shifted.sample(frac=1, random_state=1)) == []


@pytest.mark.parametrize("column", [name for name in EVIDENCE_COLUMNS if name != "community_id"])
def test_a_change_of_any_column_is_found(evidence, column):
    changed = evidence.copy()
    kind = EVIDENCE_COLUMNS[column]
    changed[column] = changed[column].astype(object)
    changed.loc[7, column] = "certain?" if kind == "str" else 10_007 if kind == "Int64" else 0.123457
    changed[column] = changed[column].astype(kind)

    assert differing_evidence(evidence, changed) == ["07"]


def test_what_is_missing_differs_from_what_is_known(evidence):
    changed = evidence.copy()
    changed.loc[9, "satisfaction_top_probability"] = np.nan

    assert differing_evidence(evidence, changed) == ["09"]


def test_a_word_may_differ_where_rounding_can_change_it():
    stored = pd.DataFrame(
        {
            "community_id": ["a", "b"],
            "satisfaction_top_probability": [0.95, 0.94],
            "satisfaction_evidence": ["certain", "likely"],
        }
    )
    again = stored.assign(satisfaction_evidence=["likely", "certain"])

    assert differing_evidence(stored, again) == ["b"]
