import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr, ndtri
from scipy.stats import norm, studentized_range

from analytics.statistics.critical_values import (
    marginal_critical_values,
    remaining_critical_values,
    simultaneous_critical_value,
    studentised_range_critical_value,
)


def coverage_by_direct_quadrature(c, community, errors, side):
    """The defining integral, one community against the others, by adaptive quadrature."""
    own, others = errors[community], np.delete(errors, community)
    positive, times = np.unique(others[others > 0], return_counts=True)
    spread = np.sqrt(own**2 + positive**2)

    def integrand(z):
        upper = ndtr((c * spread + own * z) / positive)
        lower = ndtr((own * z - c * spread) / positive) if side == "two-sided" else 0
        return norm.pdf(z) * np.prod((upper - lower) ** times)

    without_error = times.sum() < others.size
    first = -c if without_error else -12
    last = c if without_error and side == "two-sided" else 12
    return quad(integrand, first, last, points=sorted({max(-c, first), min(c, last)}), limit=400, epsabs=1e-11)[0]


@pytest.mark.parametrize("side", ["two-sided", "lower"])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize(
    ("count", "ratio", "without_error"),
    [(2, 3, 0), (5, 2, 0), (5, 2, 2), (14, 20, 1), (15, 1.2, 0), (40, 40, 0), (100, 6, 3), (400, 6, 0)],
)
def test_marginal_values_solve_the_defining_integral(count, ratio, without_error, level, side):
    errors = np.random.default_rng(count).uniform(0, 1, count)
    errors = np.exp(errors * np.log(ratio)) * 0.02
    errors[:without_error] = 0

    values = marginal_critical_values(errors, level=level, side=side)

    for community in {int(errors[without_error:].argmin()) + without_error, int(errors.argmax()), count // 2}:
        error = 1e-5
        below = coverage_by_direct_quadrature(values[community] - error, community, errors, side)
        above = coverage_by_direct_quadrature(values[community] + error, community, errors, side)
        assert below <= level <= above


@pytest.mark.parametrize("each", [12, 7_500])
def test_very_many_communities_keep_the_precision_of_the_values(each):
    errors = np.repeat(np.geomspace(0.02, 0.2, 40), each)

    values = marginal_critical_values(errors, level=0.95)

    for community in (0, errors.size // 2, errors.size - 1):
        below = coverage_by_direct_quadrature(values[community] - 1e-5, community, errors, "two-sided")
        above = coverage_by_direct_quadrature(values[community] + 1e-5, community, errors, "two-sided")
        assert below <= 0.95 <= above


def test_regions_in_one_call_have_the_values_of_calls_of_their_own():
    first, second, third = np.linspace(0.01, 0.05, 20), np.array([0.3, 0.1, 0.0]), np.linspace(0.02, 0.03, 30)

    values = marginal_critical_values(np.concatenate([first, second, third]), level=0.9, sizes=[20, 3, 30])

    alone = [marginal_critical_values(errors, level=0.9) for errors in (first, second, third)]
    assert values == pytest.approx(np.concatenate(alone), abs=1e-9)


def test_sizes_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match="sizes add up to 3, but there are 2"):
        marginal_critical_values([0.1, 0.1], level=0.9, sizes=[1, 2])


def test_values_stay_within_a_ten_thousandth_when_errors_differ_a_thousandfold():
    errors = np.exp(np.random.default_rng(4).uniform(0, np.log(1000), 30))

    values = marginal_critical_values(errors, level=0.95)

    for community in (int(errors.argmin()), int(errors.argmax())):
        below = coverage_by_direct_quadrature(values[community] - 1e-4, community, errors, "two-sided")
        above = coverage_by_direct_quadrature(values[community] + 1e-4, community, errors, "two-sided")
        assert below <= 0.95 <= above


def test_a_community_without_error_faces_independent_differences():
    values = marginal_critical_values([0, 0, 0.1, 0.2, 0.4], level=0.9)

    assert values[:2] == pytest.approx(ndtri((1 + 0.9 ** (1 / 3)) / 2), abs=1e-8)


def test_nothing_to_compare_needs_no_critical_value():
    assert marginal_critical_values([], level=0.9).tolist() == []
    assert marginal_critical_values([0.3], level=0.9).tolist() == [0]
    assert marginal_critical_values([0, 0, 0], level=0.9).tolist() == [0, 0, 0]


def test_values_remaining_for_all_pairs_are_the_marginal_ones():
    errors = np.array([0, 0.01, 0.02, 0.02, 0.05])
    others = ~np.eye(5, dtype=bool)

    values = remaining_critical_values(errors, errors, others, others, level=0.95)

    assert values == pytest.approx(marginal_critical_values(errors, level=0.95), abs=1e-8)


def test_one_remaining_direction_is_one_normal_quantile():
    above = np.array([[False, True, False]])
    none = np.zeros((1, 3), dtype=bool)

    upwards = remaining_critical_values([1, 2, 3], [1], above, none, level=0.95)
    downwards = remaining_critical_values([1, 2, 3], [1], none, above, level=0.95)
    nothing = remaining_critical_values([1, 2, 3], [1], none, none, level=0.95)

    assert upwards == pytest.approx(ndtri(0.95), abs=1e-8)
    assert downwards == pytest.approx(ndtri(0.95), abs=1e-8)
    assert nothing.tolist() == [0]


@pytest.mark.parametrize("count", [2, 10, 37, 300])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_studentised_range_is_that_of_scipy(count, level):
    ours = studentised_range_critical_value(count, level=level)

    assert ours * np.sqrt(2) == pytest.approx(studentized_range.ppf(level, count, np.inf), abs=2e-4)


def test_equal_errors_need_no_simulation():
    value = simultaneous_critical_value([0.9, 0.8, 0.7], [0.1, 0.1, 0.1], level=0.95)

    assert value.value == studentised_range_critical_value(3, level=0.95)
    assert value.standard_error == value.draws == 0


def test_the_simulation_agrees_with_a_plain_one_within_its_stated_error():
    errors = np.geomspace(0.01, 0.1, 8)
    normals = np.random.default_rng(11).standard_normal((40_000, 8)) * errors
    first, second = np.triu_indices(8, 1)
    spread = np.hypot(errors[first], errors[second])
    largest = np.abs((normals[:, first] - normals[:, second]) / spread).max(axis=1)

    value = simultaneous_critical_value(np.zeros(8), errors, level=0.95)

    combined = value.standard_error * np.sqrt(1 + value.draws / largest.size)
    assert 0 < value.standard_error < 0.01
    assert value.value == pytest.approx(np.quantile(largest, 0.95), abs=4 * combined)


def test_pairs_taken_out_lower_the_simulated_value_as_a_plain_simulation_says():
    scores, errors = np.array([0.9, 0.9, 0.5, 0.1]), np.array([0.01, 0.02, 0.03, 0.04])
    normals = np.random.default_rng(12).standard_normal((60_000, 4)) * errors
    spread = np.hypot(errors[:, None], errors)
    remains = (scores[:, None] - scores <= 3 * spread) & ~np.eye(4, dtype=bool)
    differences = (normals[:, :, None] - normals[:, None, :]) / spread
    largest = np.where(remains, differences, -np.inf).max(axis=(1, 2))

    value = simultaneous_critical_value(scores, errors, level=0.95, beyond=3)

    assert remains.sum() == 7
    assert value.value == pytest.approx(np.quantile(largest, 0.95), abs=0.03)
    assert value.value < simultaneous_critical_value(scores, errors, level=0.95).value


def test_the_order_of_communities_does_not_move_the_simulated_value():
    scores, errors = np.array([0.5, 0.5, 0.7, 0.9]), np.array([0.1, 0.2, 0.05, 0.1])
    shuffled = [2, 0, 3, 1]

    value = simultaneous_critical_value(scores, errors, level=0.95, beyond=2.0)

    assert simultaneous_critical_value(scores[shuffled], errors[shuffled], level=0.95, beyond=2.0) == value


def test_nothing_is_simulated_without_a_pair_or_an_error():
    assert simultaneous_critical_value([0.5], [0.1], level=0.95).value == 0
    assert simultaneous_critical_value([0.5, 0.6], [0, 0], level=0.95).value == 0


@pytest.mark.parametrize("level", [0.49, 1.0, float("nan")])
def test_a_level_that_is_no_confidence_is_refused(level):
    with pytest.raises(ValueError, match=r"level must lie in \[0.5, 1\)"):
        marginal_critical_values([0.1, 0.1], level=level)


def test_an_unusable_error_is_refused_with_its_row():
    with pytest.raises(ValueError, match="standard_errors is below 0 in 1 of 2 rows: row 1"):
        marginal_critical_values([0.1, -0.1], level=0.95)


def test_a_range_of_no_communities_is_refused():
    with pytest.raises(ValueError, match="count must be at least 1"):
        studentised_range_critical_value(0, level=0.95)
