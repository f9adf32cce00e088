import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from analytics.statistics.normal_sums import sum_larger


def sum_one_by_one(points, mean, deviation):
    distance = mean - points[:, None]
    known = deviation == 0
    larger = np.where(known, distance > 0, ndtr(distance / np.where(known, 1, deviation)))
    return larger.sum(axis=1), (larger * (1 - larger)).sum(axis=1)


@pytest.mark.parametrize(("lowest", "highest"), [(0.02, 0.05), (0.25, 0.25), (0.03125, 0.0625), (1e-3, 10.0)], ids=str)
def test_very_many_scores_have_the_sums_of_each_by_itself(lowest, highest):
    random = np.random.default_rng(1)
    mean = random.normal(0.8, 0.1, 40_000).round(2)
    deviation = np.exp(random.uniform(np.log(lowest), np.log(highest), mean.size))
    deviation[::9] = 0
    points = np.concatenate([np.linspace(0.2, 1.4, 40), mean[:20]])

    found = sum_larger(points, mean, deviation)

    for sums, expected in zip(found, sum_one_by_one(points, mean, deviation), strict=True):
        np.testing.assert_allclose(sums, expected, rtol=0, atol=1e-10 * mean.size)


@given(st.lists(st.tuples(st.integers(-20, 20), st.sampled_from([0, 0, 1, 3, 40])), max_size=8), st.data())
@settings(deadline=None)
def test_a_few_scores_have_the_sums_of_the_formula_ties_included(scores, data):
    mean, deviation = np.array(scores, dtype=float).reshape(-1, 2).T / 10
    points = np.array(data.draw(st.lists(st.integers(-20, 20), max_size=5)), dtype=float) / 10

    found = sum_larger(points, mean, deviation)

    for sums, expected in zip(found, sum_one_by_one(points, mean, deviation), strict=True):
        np.testing.assert_allclose(sums, expected, rtol=0, atol=1e-13)
