import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.statistics.kernels.compilation import compiled
from analytics.statistics.pair_counts import (
    LARGEST_MATRIX,
    _count_by_matrix,
    _count_by_tree,
    count_significant_differences,
)


@st.composite
def communities(draw):
    """Few different scores and errors, so that ties, exact boundaries and zero errors are common."""
    count = draw(st.integers(17, 70))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = generator.integers(0, draw(st.integers(1, 40)), count) / draw(st.sampled_from([1, 7, 100]))
    errors = generator.integers(0, draw(st.integers(1, 12)), count) / draw(st.sampled_from([1, 3, 50]))
    critical = generator.integers(0, 9, count) / draw(st.sampled_from([1, 2, 3]))
    return scores, errors, critical


def brute_force(scores, errors, critical):
    above, below = [], []
    for x, s, c in zip(scores, errors, critical, strict=True):
        allowed = [c * np.sqrt(s * s + t * t) for t in errors]
        above.append(sum(y - x > a for y, a in zip(scores, allowed, strict=True)))
        below.append(sum(x - y > a for y, a in zip(scores, allowed, strict=True)))
    return above, below


@given(communities())
@settings(max_examples=40, deadline=None)
def test_both_ways_of_counting_equal_every_pair_compared_one_by_one(given_communities):
    scores, errors, critical = given_communities
    above, below = brute_force(scores, errors, critical)

    by_matrix = _count_by_matrix(scores, errors * errors, critical)
    by_tree = _count_by_tree(scores, errors * errors, critical)

    assert by_matrix[0].tolist() == by_tree[0].tolist() == above
    assert by_matrix[1].tolist() == by_tree[1].tolist() == below


def test_a_region_too_large_for_a_matrix_is_counted_the_same():
    generator = np.random.default_rng(3)
    count = 2 * LARGEST_MATRIX + 1
    answers = generator.integers(30, 300, count)
    scores = generator.binomial(answers, 0.8) / answers
    errors = np.sqrt(scores * (1 - scores) / answers)
    critical = generator.uniform(0, 5, count)

    above, below = count_significant_differences(scores, errors, critical)

    expected_above, expected_below = _count_by_matrix(scores, errors**2, critical)
    assert (above == expected_above).all()
    assert (below == expected_below).all()
    assert 0 < above.sum() != below.sum()


def test_equal_scores_are_never_beyond_each_other():
    above, below = count_significant_differences([0.8, 0.8, 0.8], [0.0, 0.0, 0.1], 0.0)

    assert not above.any()
    assert not below.any()


def test_without_error_any_difference_counts():
    above, below = count_significant_differences([0.9, 0.8, 0.8], [0.0, 0.0, 0.0], 5.0)

    assert above.tolist() == [0, 1, 1]
    assert below.tolist() == [2, 0, 0]


def test_no_communities_have_no_counts():
    above, below = count_significant_differences([], [], [])

    assert above.tolist() == below.tolist() == []


def test_a_kernel_compiles_where_machine_code_cannot_be_kept():
    # A function without a file has no place for its cache, like a service account without a writable directory.
    namespace = {}
    exec("def fill(values):\n    values[:] = 7.0", namespace)
    values = np.zeros(3)

    compiled(namespace["fill"])(values)

    assert values.tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("scores", "errors", "critical", "message"),
    [
        ([0.8, float("nan")], [0.1, 0.1], 2, "estimates is missing or infinite in 1 of 2 rows: row 1"),
        ([0.8, 0.9], [0.1, -0.1], 2, "standard_errors is below 0 in 1 of 2 rows: row 1"),
        ([0.8, 0.9], [0.1, 0.1], float("inf"), "critical_values is missing or infinite"),
        ([0.8, 0.9], [0.1], 2, "two lists of one length"),
    ],
)
def test_what_cannot_be_counted_is_refused(scores, errors, critical, message):
    with pytest.raises(ValueError, match=message):
        count_significant_differences(scores, errors, critical)
