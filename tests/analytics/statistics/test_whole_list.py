"""The test of a whole list against all pairs, and how often it errs."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from analytics.statistics.whole_list import whole_list_test

COMMUNITIES = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from([0.0, 0.5, 1.0, 9.0]), st.booleans()), min_size=1, max_size=25
)


def p_values_of_pairs(scores, variances, listed):
    """Return the p-value of every pair across the list, from scipy's distribution."""
    apart = scores[listed][:, None] - scores[~listed]
    error = np.sqrt(variances[listed][:, None] + variances[~listed])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(apart > 0, 2 * stats.norm.sf(apart / error), 1.0)


@given(COMMUNITIES)
@example([(0, 0.0, False), (1, 0.0, True)])
def test_the_p_value_is_the_largest_of_all_pairs_across_the_list(communities):
    scores, variances, listed = map(np.array, zip(*communities, strict=True))
    pairs = p_values_of_pairs(scores, variances, listed)
    test = whole_list_test(scores, variances, listed)

    if not pairs.size:
        assert test is None
        return
    assert test.p_value == pytest.approx(pairs.max(), abs=1e-12)
    assert listed[test.inside]
    assert not listed[test.outside]
    assert test.difference == scores[test.inside] - scores[test.outside]
    assert test.error == pytest.approx(np.sqrt(variances[test.inside] + variances[test.outside]))


def test_no_pair_that_decides_is_left_out_among_many():
    random = np.random.default_rng(11)
    scores, variances = random.normal(0, 1, 3_000), random.gamma(0.3, 0.2, 3_000)
    listed = scores >= np.sort(scores)[-300]

    assert whole_list_test(scores, variances, listed).p_value == pytest.approx(
        p_values_of_pairs(scores, variances, listed).max(), abs=1e-12
    )


@pytest.mark.parametrize("deviations", [(1.0, 1.0), (0.2, 2.0)])
def test_a_wrong_list_is_called_right_no_more_often_than_the_level(deviations):
    """Where the last of the list and the first behind it are truly equal, whatever the others."""
    random = np.random.default_rng(7)
    truth, errors = np.array([8.0, 0.0, 0.0, -8.0]), np.array([1.0, *deviations, 1.0])
    called_right = 0
    for scores in random.normal(truth, errors, size=(4_000, 4)):
        best = np.argsort(-scores)[:2]
        called_right += whole_list_test(scores, errors**2, np.isin(np.arange(4), best)).p_value < 0.05

    assert called_right / 4_000 == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize(
    "fault", [{"score": [1.0, np.nan]}, {"variance": [1.0, -1.0]}, {"listed": [True]}, {"variance": [1.0]}]
)
def test_columns_that_cannot_be_tested_are_refused(fault):
    columns = {"score": [1.0, 2.0], "variance": [1.0, 1.0], "listed": [True, False]} | fault

    with pytest.raises(ValueError, match=r"score|variance|length"):
        whole_list_test(**columns)
