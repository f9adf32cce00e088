import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics.design_effects import LEAST_PAIRS, design_effects, household_correlation
from analytics.statistics.empirical_bayes import credible_interval, shrink_rates


def answers_of_households(random, rates, households, correlation, most=3):
    """Return satisfied answers, answers, pairs and unlike pairs: each household answers 1 to `most` times."""
    found = np.zeros((4, rates.size), dtype=np.int64)
    for place, rate in enumerate(rates):
        for size in random.integers(1, most + 1, households):
            # Of one mind, or each of their own.
            share = float(random.random() < rate) if random.random() < correlation else rate
            yes = random.binomial(size, share)
            found[:, place] += yes, size, size * (size - 1) // 2, yes * (size - yes)
    return found


def test_the_correlation_that_made_the_answers_is_found():
    # Either of one mind or each of their own: two answers are correlated exactly by the share of the former.
    random = np.random.default_rng(3)
    satisfied, n, pairs, unlike = answers_of_households(random, random.uniform(0.6, 0.95, 60), 60, 0.6)

    assert household_correlation(satisfied, n, pairs=pairs, unlike=unlike) == pytest.approx(0.6, abs=0.04)


def test_the_variance_of_a_score_is_that_of_independent_answers_times_the_design_effect():
    random = np.random.default_rng(4)
    satisfied, n, pairs, _ = answers_of_households(random, np.full(1500, 0.8), 30, 0.7)
    effect = design_effects(n, pairs=pairs, correlation=0.7)

    measured = ((satisfied / n - 0.8) ** 2 / (0.8 * 0.2 / n)).mean()
    assert measured == pytest.approx(effect.mean(), rel=0.1)


@given(homes=st.integers(1, 50), size=st.integers(1, 6))
def test_like_answers_of_a_household_are_worth_one(homes, size):
    pairs = homes * size * (size - 1) // 2

    assert design_effects([homes * size], pairs=[pairs], correlation=1.0)[0] == pytest.approx(size)


def test_few_pairs_show_nothing():
    assert np.isnan(household_correlation([80], [100], pairs=[LEAST_PAIRS - 1], unlike=[0]))
    assert household_correlation([160], [200], pairs=[LEAST_PAIRS], unlike=[0]) == 1
    assert np.isnan(household_correlation([200], [200], pairs=[LEAST_PAIRS], unlike=[0]))


def posterior_by_sum(satisfied_homes, homes, centre, spread):
    """Return mean and 95 % limits under a normal prior, from the households themselves, by summing over a grid."""
    rate = np.linspace(0.0005, 0.9995, 4000)
    log = satisfied_homes * np.log(rate) + (homes - satisfied_homes) * np.log1p(-rate)
    weight = np.exp(log - log.max() - (rate - centre) ** 2 / (2 * spread**2))
    cumulative = np.cumsum(weight) / weight.sum()
    return (rate * weight).sum() / weight.sum(), *np.interp([0.025, 0.975], cumulative, rate)


def test_a_design_effect_of_two_gives_the_posterior_of_half_the_answers():
    random = np.random.default_rng(6)
    rates = random.normal(0.8, 0.06, 1000).clip(0.5, 0.98)
    homes = random.integers(25, 120, rates.size)
    yes = random.binomial(homes, rates)
    found = shrink_rates(2 * yes, 2 * homes, region=np.zeros(rates.size), prior="normal", design_effect=2)
    lower, upper = credible_interval(found, level=0.95)

    for place in range(0, rates.size, 50):
        mean, low, high = posterior_by_sum(
            yes[place], homes[place], found.prior_mean[place], np.sqrt(found.prior_variance[place])
        )
        assert (found.mean[place], lower[place], upper[place]) == pytest.approx((mean, low, high), abs=0.02)


def test_intervals_of_the_best_hold_the_truth_where_households_answer_twice():
    random = np.random.default_rng(7)
    region = np.repeat(np.arange(5), 400)
    rates = random.beta(16, 4, region.size)
    homes = random.integers(15, 150, region.size)
    yes = random.binomial(homes, rates)
    observed = yes / homes
    best = np.concatenate(
        [np.flatnonzero(region == own)[np.argsort(-observed[region == own])[:20]] for own in range(5)]
    )

    def held(effect):
        shrunk = shrink_rates(2 * yes, 2 * homes, region=region, prior="nonparametric", design_effect=effect)
        lower, upper = credible_interval(shrunk, level=0.95)
        return ((lower <= rates) & (rates <= upper))[best].mean()

    assert held(1) < 0.8
    assert held(2) >= 0.93


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: household_correlation([3], [2], pairs=[1], unlike=[0]), "satisfied exceeds n"),
        (lambda: household_correlation([2], [3], pairs=[1], unlike=[2]), "unlike exceeds pairs"),
        (lambda: design_effects([2], pairs=[1], correlation=1.5), "correlation must lie in"),
        (lambda: shrink_rates([2], [3], region=["a"], prior="normal", design_effect=0.5), "design_effect is below 1"),
    ],
)
def test_numbers_that_cannot_be_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
