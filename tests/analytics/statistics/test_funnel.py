import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.statistics.funnel import (
    LEVELS,
    binomial_limits,
    dispersion,
    poisson_limit_points,
    poisson_limits,
    proportion_funnel,
    rate_dispersion,
    rate_funnel,
    widened_rate_limits,
    winsorise,
)
from tests.analytics.reference import columns, published

PHE = published("phe-indicator-methods")
HEART = published("heart-surgery-1991")

communities = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=12).filter(
    lambda rows: sum(map(sum, rows)) > 0
)


def heart_surgery(**options):
    hospitals, operations, deaths = columns(HEART["hospitals"])
    funnel = proportion_funnel(deaths, operations, rule="exact_tail", **options)
    return funnel, funnel.table.set_axis(hospitals)


def test_bristol_has_the_published_z_and_exact_tail():
    _, table = heart_surgery()
    assert table.loc["Bristol", "z"] == pytest.approx(HEART["bristol"]["z"], abs=5e-5)
    assert table.loc["Bristol", "upper_tail"] == pytest.approx(HEART["bristol"]["upper_tail"], rel=0.01)
    assert table.loc["Bristol", "position"] == "above_99_8"


def test_typed_heart_surgery_is_the_outside_file(shared_data):
    with (shared_data / "reference" / "aos_02-5-child-heart-surgery-1991-x.csv").open(encoding="utf-8") as file:
        rows = [[row["Hospital"], int(row["Operations"]), int(row["Deaths"])] for row in csv.DictReader(file)]
    assert rows == HEART["hospitals"]


def test_bristol_stays_outside_once_the_other_hospitals_differences_are_allowed_for():
    funnel, table = heart_surgery()
    assert funnel.dispersion.phi > 1
    assert 0 < table.loc["Bristol", "adjusted_z"] < table.loc["Bristol", "z"]
    assert table.loc["Bristol", "adjusted_position"] == "above_99_8"
    assert table.loc["Leeds", ["position", "adjusted_position"]].tolist() == ["below_95", "inside"]


def test_normal_limits_are_the_proportion_funnel_of_the_english_public_health_indicators():
    population, lower95, upper95, lower998, upper998 = columns(PHE["funnel_proportions"])
    for level, lower, upper in ((0.95, lower95, upper95), (0.998, lower998, upper998)):
        limits = binomial_limits(population, target=0.80642448, level=level, rule="normal")
        np.testing.assert_allclose(np.multiply(limits, 100), (lower, upper), atol=2e-6)


def test_limit_points_are_the_rate_funnel_of_the_english_public_health_indicators():
    events, lower95, upper95, lower998, upper998 = columns(PHE["funnel_rates"])
    for level, lower, upper in ((0.95, lower95, upper95), (0.998, lower998, upper998)):
        points = poisson_limit_points(events, target=116.1720835, level=level)
        # Their bisection of the exact limits stops at a step of 1e-7 of an odds.
        np.testing.assert_allclose(points["lower"], lower, rtol=1e-4)
        np.testing.assert_allclose(points["upper"], upper, rtol=1e-3)


@given(n=st.integers(1, 400), target=st.floats(0.01, 0.99), level=st.sampled_from([0.95, 0.998]))
def test_published_limits_interpolate_the_distribution_at_the_tail_probability(n, target, level):
    limits = binomial_limits(n, target=target, level=level, rule="spiegelhalter")
    for limit, probability in ((limits.lower, (1 - level) / 2), (limits.upper, (1 + level) / 2)):
        count = float(limit) * n
        if count > 0:
            below, share = np.ceil(count - 1e-9) - 1, count - (np.ceil(count - 1e-9) - 1)
            between = stats.binom.cdf(below, n, target) + share * stats.binom.pmf(below + 1, n, target)
            assert between == pytest.approx(probability, abs=1e-7)


@given(n=st.integers(1, 200), target=st.floats(0.02, 0.98), level=st.sampled_from([0.8, 0.95, 0.998]))
def test_points_beyond_exact_tail_limits_are_those_with_a_small_exact_tail(n, target, level):
    counts, tail = np.arange(n + 1), (1 - level) / 2
    limits = binomial_limits(n, target=target, level=level, rule="exact_tail")
    lower_tail, upper_tail = stats.binom.cdf(counts, n, target), stats.binom.sf(counts - 1, n, target)
    clear = (np.abs(lower_tail - tail) > 1e-9) & (np.abs(upper_tail - tail) > 1e-9)
    np.testing.assert_array_equal((counts / n < limits.lower)[clear], (lower_tail < tail)[clear])
    np.testing.assert_array_equal((counts / n > limits.upper)[clear], (upper_tail < tail)[clear])


@given(exposure=st.floats(0.01, 200), target=st.floats(0.01, 5), level=st.sampled_from([0.95, 0.998]))
def test_points_beyond_exact_tail_limits_of_a_rate_are_those_with_a_small_exact_tail(exposure, target, level):
    mean, tail = exposure * target, (1 - level) / 2
    counts = np.arange(int(mean + 10 * np.sqrt(mean) + 10))
    limits = poisson_limits(exposure, target=target, level=level, rule="exact_tail")
    lower_tail, upper_tail = stats.poisson.cdf(counts, mean), stats.poisson.sf(counts - 1, mean)
    clear = (np.abs(lower_tail - tail) > 1e-9) & (np.abs(upper_tail - tail) > 1e-9)
    np.testing.assert_array_equal((counts / exposure < limits.lower)[clear], (lower_tail < tail)[clear])
    np.testing.assert_array_equal((counts / exposure > limits.upper)[clear], (upper_tail < tail)[clear])


@given(n=st.integers(1, 300), events=st.integers(0, 300), target=st.floats(0.05, 0.95))
def test_satisfied_and_dissatisfied_funnels_mirror_each_other(n, events, target):
    events = min(events, n)
    funnel = proportion_funnel([events], [n], rule="exact_tail", target=target)
    mirror = proportion_funnel([n - events], [n], rule="exact_tail", target=1 - target)
    assert funnel.table["z"][0] == pytest.approx(-mirror.table["z"][0], abs=1e-9)
    assert funnel.table["lower_95"][0] == pytest.approx(1 - mirror.table["upper_95"][0], abs=1e-7)


def test_published_upper_limit_lets_five_of_five_through():
    published_rule, exact = (
        proportion_funnel([5], [5], rule=rule, target=0.9).table["position"][0]
        for rule in ("spiegelhalter", "exact_tail")
    )
    assert (published_rule, exact) == ("above_99_8", "inside")


def test_normal_limits_of_a_rate_are_cut_at_zero():
    limits = poisson_limits([1.0, 100.0], target=2.0, level=0.95, rule="normal")
    half = 1.959963984540054 * np.sqrt(2 / np.array([1, 100]))
    np.testing.assert_allclose(limits, (np.maximum(2 - half, 0), 2 + half))
    assert limits.lower[0] == 0


def test_wider_levels_have_wider_limits():
    for limits in (
        lambda level: binomial_limits([5, 50, 500], target=0.8, level=level, rule="exact_tail"),
        lambda level: poisson_limits([0.1, 5, 50], target=2.0, level=level, rule="spiegelhalter"),
    ):
        narrow, wide = limits(0.95), limits(0.998)
        assert np.all(wide.lower <= narrow.lower)
        assert np.all(wide.upper >= narrow.upper)


def test_winsorising_pulls_each_tail_to_its_quantile():
    pulled = winsorise(np.append(np.arange(11.0), np.nan), share=0.1)
    assert pulled[:11].tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]
    assert np.isnan(pulled[11])


def test_between_variance_by_hand():
    # Σz² = 20, N = 4; w = 1, 2, 4, 5: Σw = 12, Σw² = 46; τ² = (20 − 3) ÷ (12 − 46/12)
    found = dispersion([-3, -1, 1, 3], [1, 1 / 2, 1 / 4, 1 / 5], winsorised_share=0)
    assert found.phi == 5
    assert found.between_variance == pytest.approx(17 / (12 - 46 / 12))


def test_less_spread_than_chance_leaves_no_between_variance():
    assert dispersion([-0.1, 0.1, 0.0], [1, 1, 1], winsorised_share=0).between_variance == 0


def test_winsorised_dispersion_of_pure_chance_is_biased_low():
    z = np.random.default_rng(1).standard_normal(20_000)
    assert dispersion(z, np.ones_like(z), winsorised_share=0.1).phi == pytest.approx(0.68, abs=0.02)


def test_between_variance_recovers_planted_differences():
    generator = np.random.default_rng(2)
    n = generator.integers(50, 400, 3000)
    truth = np.clip(generator.normal(0.8, 0.05, n.size), 0, 1)
    funnel = proportion_funnel(generator.binomial(n, truth), n, rule="normal", winsorised_share=0.0)
    assert np.sqrt(funnel.dispersion.between_variance) == pytest.approx(0.05, rel=0.05)


def test_one_community_has_no_measure_of_spread_between():
    funnel = proportion_funnel([4], [10], rule="exact_tail")
    assert np.isnan(funnel.dispersion.between_variance)
    assert funnel.table["adjusted_position"].tolist() == ["not_assessed"]


@given(rows=communities, seed=st.integers(0, 99))
def test_reordering_communities_changes_no_position(rows, seed):
    events, others = np.array(rows).T
    order = np.random.default_rng(seed).permutation(len(rows))
    table = proportion_funnel(events, events + others, rule="exact_tail").table
    shuffled = proportion_funnel(events[order], (events + others)[order], rule="exact_tail").table
    pd.testing.assert_frame_equal(table.iloc[order].reset_index(drop=True), shuffled)


def test_a_common_rate_of_zero_or_one_leaves_nobody_outside():
    for events in ([0, 0], [7, 3]):
        table = proportion_funnel(events, [7, 3], rule="exact_tail").table
        assert table["position"].tolist() == ["inside", "inside"]
        assert table["z"].isna().all()
    assert rate_funnel([0, 0], [7, 3], multiplier=1, rule="normal").table["position"].tolist() == ["inside", "inside"]


def test_communities_without_observation_are_not_assessed():
    proportions = proportion_funnel([0, 3], [0, 5], rule="exact_tail").table.loc[0]
    rates = rate_funnel([0, 3], [0, 5], multiplier=1000, rule="spiegelhalter").table.loc[0]
    for row, rest in ((proportions, ["events", "n"]), (rates, ["events", "exposure"])):
        assert row[["position", "adjusted_position"]].tolist() == ["not_assessed"] * 2
        assert row.drop([*rest, "position", "adjusted_position"]).isna().all()


def test_rates_do_not_depend_on_the_unit_of_exposure():
    events, exposure = [3, 20, 8], [1000, 2000, 1500]
    single = rate_funnel(events, exposure, multiplier=1, rule="exact_tail")
    thousand = rate_funnel(events, exposure, multiplier=1000, rule="exact_tail")
    assert thousand.target == pytest.approx(1000 * single.target)
    assert thousand.dispersion.between_variance == pytest.approx(1e6 * single.dispersion.between_variance)
    for name in ("z", "adjusted_z", "upper_tail", "position", "adjusted_position"):
        np.testing.assert_array_equal(
            thousand.table[name].astype(str).str[:12], single.table[name].astype(str).str[:12]
        )


def test_transformations_by_hand():
    # Arcsine: 2√n (asin √y − asin √θ); square root: 2(√O − √E).
    proportion = proportion_funnel([9], [10], rule="exact_tail", target=0.5, transformation="arcsine").table
    rate = rate_funnel([9], [2], multiplier=1, rule="exact_tail", target=2.0, transformation="square_root").table
    assert proportion["z"][0] == pytest.approx(2 * np.sqrt(10) * (np.arcsin(np.sqrt(0.9)) - np.pi / 4))
    assert rate["z"][0] == pytest.approx(2 * (3 - 2))


def test_adjusted_limits_of_a_transformed_rate_come_back_to_its_scale():
    events, exposure = [1, 30, 16, 9], [10, 10, 10, 10]
    funnel = rate_funnel(
        events, exposure, multiplier=1, rule="exact_tail", transformation="square_root", winsorised_share=0
    )
    half = 1.959963984540054 * np.sqrt(1 / 40 + funnel.dispersion.between_variance)
    center = np.sqrt(funnel.target)
    assert funnel.table["adjusted_upper_95"][0] == pytest.approx((center + half) ** 2)
    assert funnel.table["adjusted_lower_95"][0] == pytest.approx(max(center - half, 0) ** 2)


@given(
    counts=st.lists(st.tuples(st.integers(0, 200), st.floats(0.5, 5_000)), min_size=2, max_size=30).filter(
        lambda pairs: any(events for events, _exposure in pairs)
    ),
    level=st.sampled_from(LEVELS),
)
def test_widened_limits_at_any_exposure_are_the_adjusted_lines_of_the_funnel(counts, level):
    events, exposure = (np.array(column, dtype=float) for column in zip(*counts, strict=True))
    funnel = rate_funnel(events, exposure, multiplier=1, rule="exact_tail", transformation="square_root")

    spread = rate_dispersion(events, exposure)
    limits = widened_rate_limits(exposure, target=funnel.target, level=level, between_variance=spread.between_variance)

    name = "95" if level == 0.95 else "99_8"
    found, expected = ((each.communities, each.phi, each.between_variance) for each in (spread, funnel.dispersion))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)
    np.testing.assert_allclose(limits.lower, funnel.table[f"adjusted_lower_{name}"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(limits.upper, funnel.table[f"adjusted_upper_{name}"], rtol=1e-9)


def test_widened_limits_refuse_what_is_no_variance_and_leave_out_no_exposure():
    limits = widened_rate_limits([0, 4], target=1.0, level=0.95, between_variance=0.0)
    assert np.isnan([limits.lower[0], limits.upper[0]]).all()
    for variance in (-0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="between_variance"):
            widened_rate_limits([1], target=1.0, level=0.95, between_variance=variance)
    with pytest.raises(ValueError, match="exposure"):
        rate_dispersion([1, 2], [0, 3])


def test_weighted_counts_may_be_fractional():
    table = proportion_funnel([35078.488, 24803.6256], [41980, 31824], rule="normal", target=0.80642448).table
    assert table["position"].tolist() == ["above_99_8", "below_99_8"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: proportion_funnel([3], [2], rule="normal"), "events exceed n in 1 of 1 rows"),
        (lambda: proportion_funnel([0], [0], rule="normal"), "nothing was observed"),
        (lambda: proportion_funnel([1], [2], rule="normal", target=1.5), "target must lie in"),
        (lambda: proportion_funnel([1], [2], rule="normal", transformation="log"), "transformation must be"),
        (lambda: proportion_funnel([1], [2], rule="other"), "rule must be"),
        (lambda: rate_funnel([1], [0], multiplier=1, rule="normal", target=1), "events without exposure"),
        (lambda: rate_funnel([1], [2], multiplier=0, rule="normal"), "multiplier must be above 0"),
        (lambda: rate_funnel([1], [2], multiplier=1, rule="normal", target=-1), "target must be at least 0"),
        (lambda: rate_funnel([1], [2], multiplier=1, rule="normal", transformation="log"), "transformation must be"),
        (lambda: poisson_limit_points([0], target=1, level=0.95), "events is below 1"),
        (lambda: poisson_limit_points([1], target=0, level=0.95), "target must be above 0"),
        (lambda: winsorise([1], share=0.5), "share must lie in"),
        (lambda: dispersion([1, 2], [1, 0], winsorised_share=0), "sampling_variance is not above 0 in 1 of 2 rows"),
        (lambda: dispersion([1, 2], [1], winsorised_share=0), "columns of one length"),
    ],
)
def test_impossible_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(
    st.lists(st.floats(0.001, 1e6), min_size=1, max_size=5), st.floats(1e-3, 1e3), st.sampled_from([0.5, 0.95, 0.998])
)
def test_poisson_limits_are_those_of_scipys_distribution(exposure, target, level):
    limits = poisson_limits(exposure, target=target, level=level, rule="spiegelhalter")

    mean = np.array(exposure) * target
    for limit, chance in zip(limits, ((1 - level) / 2, 1 - (1 - level) / 2), strict=True):
        count = stats.poisson.ppf(chance, mean)
        between = (stats.poisson.cdf(count, mean) - chance) / stats.poisson.pmf(count, mean)
        np.testing.assert_allclose(limit, np.maximum((count - between) / exposure, 0), rtol=1e-12, atol=1e-300)
