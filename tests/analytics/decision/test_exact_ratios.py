from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.decision.exact_ratios import exposure_units, order_complaint_rates, read_scores
from tests.analytics.rule_files import rules_with

INDEX = rules_with({"satisfaction.measure": "satisfaction_index"}).satisfaction
POINTS = [100, 75, 50, 25, 0]
answers = st.lists(st.sampled_from(POINTS), min_size=1, max_size=60)


@settings(deadline=None)
@given(st.lists(answers, min_size=1, max_size=12), st.integers(6, 12))
def test_rounded_means_are_ordered_as_the_sums_they_come_from(communities, decimals):
    table = pd.DataFrame(
        {
            "responses": [len(points) for points in communities],
            "mean_index": [round(sum(points) / len(points), decimals) for points in communities],
        }
    )
    scores = read_scores(table, INDEX)
    exact = [Fraction(sum(points), len(points)) for points in communities]

    assert not scores.misfits.any()
    assert scores.places(scores.known).tolist() == [sorted(set(exact)).index(value) for value in exact]


def test_a_mean_that_no_points_give_is_a_misfit():
    table = pd.DataFrame({"responses": [2, 2, 3], "mean_index": [50.0, 51.0, 83.33]})

    assert read_scores(table, INDEX).misfits.tolist() == [False, True, True]


def test_points_may_be_fractions():
    rule = rules_with(
        {
            "satisfaction.measure": "satisfaction_index",
            "satisfaction.index_points": {5: 100, 4: "200/3", 3: "100/3", 2: 0, 1: 0},
        }
    ).satisfaction
    scores = read_scores(pd.DataFrame({"responses": [3, 1], "mean_index": [200 / 3, 100 / 3]}), rule)

    assert scores.numerators.tolist() == [6, 1]
    assert scores.shown == pytest.approx([200 / 3, 100 / 3])


@pytest.mark.parametrize(
    ("score", "precision", "fits"), [(83.2, 0.1, True), (83.25, 0.1, False), (0.3, 0.1, True), (83, 1, True)]
)
def test_a_given_score_is_a_multiple_of_its_precision(score, precision, fits):
    table = pd.DataFrame({"score": [float(score)], "score_precision": [float(precision)]})

    assert read_scores(table, INDEX).misfits.tolist() == [not fits]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), min_size=1, max_size=20), st.booleans())
def test_complaint_rates_are_ordered_exactly_and_zeros_by_exposure(pairs, by_exposure):
    exposure = exposure_units(np.array([tenths / 10 for _, tenths in pairs]))
    found = order_complaint_rates(np.array([count for count, _ in pairs]), exposure, zeros_by_exposure=by_exposure)

    keys = [(Fraction(10 * count, tenths), -tenths if by_exposure and not count else 0) for count, tenths in pairs]
    assert found.tolist() == [sorted(set(keys)).index(key) for key in keys]


def test_tenths_of_household_years_tie_as_written():
    # As floats 3 × 100.1 is not 300.3, and 3/100.1 would not be 9/300.3.
    exposure = exposure_units(np.array([100.1, 300.3]))

    assert order_complaint_rates(np.array([3, 9]), exposure, zeros_by_exposure=False).tolist() == [0, 0]
