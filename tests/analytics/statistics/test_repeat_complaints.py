import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.statistics.intervals import poisson_exact
from analytics.statistics.repeat_complaints import negative_binomial, repeat_dispersion, repeat_share


def probabilities(mean, dispersion, most):
    """Probabilities of 0 to `most` complaints: a Poisson number of households, each with a log-series number of them.

    Summed household by household (Panjer), without any formula of the negative binomial distribution.
    """
    q = 1 - 1 / dispersion
    sizes = np.array([0.0, *(q**m / m for m in range(1, most + 1))]) / -np.log1p(-q)
    households = mean * -np.log1p(-q) * (1 - q) / q
    found = np.zeros(most + 1)
    found[0] = np.exp(-households)
    for count in range(1, most + 1):
        of_first = np.arange(1, count + 1)
        found[count] = households / count * (of_first * sizes[1 : count + 1] * found[count - of_first]).sum()
    return found


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 40), dispersion=st.floats(1.05, 6))
def test_the_limits_are_where_the_exact_tests_of_compound_counts_begin_to_reject(count, dispersion):
    lower, upper = (float(limit) for limit in negative_binomial(count, dispersion=dispersion, level=0.95))

    assert probabilities(upper, dispersion, count).sum() == pytest.approx(0.025, rel=1e-6)
    if count:
        assert 1 - probabilities(lower, dispersion, count - 1).sum() == pytest.approx(0.025, rel=1e-6)
    else:
        assert lower == 0


@settings(max_examples=25, deadline=None)
@given(counts=st.lists(st.integers(0, 300), min_size=1, max_size=6), dispersion=st.floats(1, 9))
def test_limits_hold_the_count_and_the_upper_one_rises_with_the_dispersion(counts, dispersion):
    lower, upper = negative_binomial(counts, dispersion=dispersion, level=0.95)
    more = negative_binomial(counts, dispersion=dispersion + 1, level=0.95)

    assert (lower <= counts).all()
    assert (upper >= counts).all()
    assert (more.upper >= upper - 1e-9).all()


def test_without_repeats_the_limits_are_those_of_poisson_counts():
    counts = [0, 1, 7, 200]

    np.testing.assert_array_equal(
        negative_binomial(counts, dispersion=1, level=0.95), poisson_exact(counts, level=0.95)
    )
    near = negative_binomial(counts, dispersion=1.0001, level=0.95)
    np.testing.assert_allclose(near, poisson_exact(counts, level=0.95), rtol=1e-3)


@pytest.mark.parametrize("share", [0.2, 0.4])
def test_rates_of_households_that_complain_again_are_held_as_promised(share):
    random = np.random.default_rng(5)
    expected = random.uniform(3, 60, 4000)
    households = random.poisson(expected * (1 - share))
    again = random.poisson(random.standard_gamma(households) * share / (1 - share))
    complaints = households + again
    dispersion = repeat_dispersion(repeat_share(complaints, households))

    def held(limits):
        return ((limits.lower <= expected) & (expected <= limits.upper)).mean()

    assert dispersion == pytest.approx((1 + share) / (1 - share), rel=0.05)
    assert complaints.var() > households.var()
    assert held(poisson_exact(complaints, level=0.95)) < (0.92 if share < 0.3 else 0.83)
    assert 0.94 <= held(negative_binomial(complaints, dispersion=dispersion, level=0.95)) <= 0.98


def test_the_repeat_share_needs_a_hundred_complaints():
    assert repeat_share([90, 10], [45, 5]) == 0.5
    assert np.isnan(repeat_share([89, 10], [45, 5]))
    assert np.isnan(repeat_share([], []))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: repeat_share([3], [4]), "households exceed complaints"),
        (lambda: repeat_share([3], [0]), "complaints without a household"),
        (lambda: repeat_dispersion(1.0), "share must lie in"),
        (lambda: negative_binomial([3], dispersion=0.9, level=0.95), "dispersion must be at least 1"),
        (lambda: negative_binomial([-3], dispersion=2, level=0.95), "events is below 0"),
        (lambda: negative_binomial([3], dispersion=2, level=95), "level must lie in"),
    ],
)
def test_numbers_that_cannot_be_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
