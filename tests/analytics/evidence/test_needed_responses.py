from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from analytics.evidence.needed_responses import ThresholdPosterior, needed_responses


def current(distance, *, n=60, households=400, threshold=0.9, uncertainty=0.0, spread=0.0, **changes):
    """Return the forecast of one community without information from a prior."""
    variance = 0.09 / n * max(1 - n / households, 0) + (spread * (1 - n / households)) ** 2
    place = ThresholdPosterior([0.9 + distance], [variance], threshold, uncertainty)
    arguments = {"answer_variance": 0.09, "n": n, "households": households, "nonresponse_spread": spread, **changes}
    return needed_responses(place, **arguments).iloc[0]


def test_needed_responses_is_the_first_number_that_settles():
    row = current(0.02)

    def chance(more):
        variance = 0.09 / (60 + more) * (1 - (60 + more) / 400)
        return special.ndtr(0.02 / np.sqrt(variance))

    needed = row["needed_responses"]
    assert chance(needed) >= 0.8 > chance(needed - 1)
    assert row["predicted_top_probability"] == pytest.approx(chance(needed))


@given(st.floats(-0.1, 0.1), st.integers(10, 200), st.floats(0, 0.0004), st.floats(0, 0.02))
def test_no_smaller_number_would_do(distance, n, uncertainty, spread):
    facts = {"n": n, "uncertainty": uncertainty, "spread": spread}
    row = current(distance, **facts)

    if pd.notna(row["needed_responses"]) and row["needed_responses"] > 0:
        short = Fraction(n + int(row["needed_responses"]) - 1, 400)
        assert pd.isna(current(distance, **facts, reachable_share=short)["needed_responses"])


def test_assurance_is_what_drawing_the_further_answers_gives():
    random = np.random.default_rng(1)
    row = current(0.02)
    more = int(row["needed_responses"])

    # The truth given the answers so far, then a finite population's further answers, then the score of all of them.
    before = 0.09 / 60 * (1 - 60 / 400)
    after = 0.09 / (60 + more) * (1 - (60 + more) / 400)
    truth = random.normal(0.92, np.sqrt(before), 400_000)
    gained = 1 / (1 / after - 1 / before)
    score = random.normal(truth, np.sqrt(gained))
    mean = after * (0.92 / before + score / gained)
    settled = np.abs(mean - 0.9) >= special.ndtri(0.8) * np.sqrt(after)
    assert row["assurance"] == pytest.approx(settled.mean(), abs=0.004)


def test_a_settled_community_needs_nobody_more():
    row = current(0.2)

    assert row["needed_responses"] == 0
    assert row["assurance"] > 0.99


def test_what_is_known_to_be_settled_needs_nobody_and_what_is_not_needs_somebody():
    forecast, settled, undecided = current(0.2), current(0.001, settled=True), current(0.2, settled=False)

    assert [row["needed_responses"] for row in (forecast, settled, undecided)] == [0, 0, 1]
    assert settled["assurance"] == 1


def test_a_number_of_answers_above_the_expected_response_is_not_reachable():
    assert pd.isna(current(0.001)["needed_responses"])
    assert pd.isna(current(0.0)["needed_responses"])
    assert 0 < current(0.001)["assurance"] < 1


def test_full_response_leaves_undecided_evidence_unreachable():
    assert pd.isna(current(0.01, n=400, settled=False)["needed_responses"])


@pytest.mark.parametrize("side", [1, -1])
def test_nonresponse_calls_for_more_answers_on_either_side_of_the_threshold(side):
    assert current(0.02 * side, spread=0.02)["needed_responses"] > current(0.02 * side)["needed_responses"]


@given(st.floats(0.001, 0.1), st.integers(10, 200), st.floats(0, 0.0004), st.floats(0, 0.02))
def test_the_sides_of_the_threshold_are_alike(distance, n, uncertainty, spread):
    above, below = (current(side * distance, n=n, uncertainty=uncertainty, spread=spread) for side in (1, -1))

    assert pd.isna(above["needed_responses"]) == pd.isna(below["needed_responses"])
    if pd.notna(above["needed_responses"]):
        assert above["needed_responses"] == pytest.approx(below["needed_responses"], abs=1)
    assert above["assurance"] == pytest.approx(below["assurance"], abs=0.01)
    assert above["predicted_top_probability"] == pytest.approx(1 - below["predicted_top_probability"], abs=0.01)


def test_an_uncertain_threshold_calls_for_more_answers():
    assert current(0.02, uncertainty=0.0001)["needed_responses"] > current(0.02)["needed_responses"]


def test_households_without_an_answer_limit_nothing_where_a_household_answers_twice():
    assert current(0.02, one_answer_per_household=False)["needed_responses"] > current(0.02)["needed_responses"]


def test_the_reach_is_exact():
    # One answer more would settle it; 7 % of 100 households leave room for none, although 0.07 × 100 exceeds 7.
    within = {"n": 7, "households": 100}
    needed = current(0.09, **within)["needed_responses"]

    assert needed == 1
    assert pd.isna(current(0.09, **within, reachable_share=Fraction(7, 100))["needed_responses"])
    assert current(0.09, **within, reachable_share=Fraction(8, 100))["needed_responses"] == 1


def test_where_everybody_or_nobody_is_named_nothing_is_needed():
    for threshold, chance in ((-np.inf, 1), (np.inf, 0)):
        row = current(0.02, threshold=threshold)
        assert row["needed_responses"] == 0
        assert row["predicted_top_probability"] == chance
        assert row["assurance"] == 1


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"n": 500}, "n exceeds households in 1 of 1 rows"),
        ({"threshold": np.nan}, "threshold is missing"),
        ({"uncertainty": -1.0}, "threshold_variance"),
        ({"reachable_share": Fraction(3, 2)}, "reachable_share must lie"),
    ],
)
def test_what_cannot_be_forecast_is_refused(facts, message):
    with pytest.raises(ValueError, match=message):
        current(0.1, **facts)
