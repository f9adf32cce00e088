import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.statistics.empirical_bayes import shrink_scores
from analytics.statistics.trends import (
    compare_rounds,
    control_chart,
    fit_slopes,
    overlap_covariance,
    regression_to_the_mean,
)

NAN = float("nan")
unit = st.floats(0.01, 0.99)


def compare(earlier, later, variance=0.001, **options):
    variances = {"earlier_variance": variance, "later_variance": variance}
    return compare_rounds(earlier, later, level=0.95, **(variances | options))


def regress(earlier, later, **options):
    given_facts = {"earlier_variance": 0.001, "later_variance": 0.001, "region": ["wuda"] * len(earlier), "size": 1}
    return regression_to_the_mean(earlier, later, level=0.95, **(given_facts | options))


def answers(households, points, community="a"):
    return pd.DataFrame({"community_id": community, "household": households, "points": points})


def test_a_change_is_tested_against_both_errors():
    row = compare([0.80], [0.86], earlier_variance=0.0009, later_variance=0.0016).iloc[0]
    assert row["standard_error"] == pytest.approx(0.05)
    assert row["p"] == pytest.approx(2 * stats.norm.sf(1.2))
    assert (row["lower"], row["upper"]) == (
        pytest.approx(0.06 - 1.959964 * 0.05),
        pytest.approx(0.06 + 1.959964 * 0.05),
    )


def test_households_that_answer_twice_make_a_change_surer():
    independent = compare([0.80], [0.86])
    overlapping = compare([0.80], [0.86], covariance=0.0005)
    assert overlapping["standard_error"][0] == pytest.approx(np.sqrt(0.002 - 0.001))
    assert overlapping["p"][0] < independent["p"][0]


def test_a_community_without_answers_in_a_round_keeps_its_row():
    table = compare([NAN, 0.8, 0.8], [0.8, NAN, 0.9], variance=[NAN, NAN, 0.001])
    assert table["z"].isna().tolist() == [True, True, False]


def test_full_coverage_makes_a_change_certain_and_no_change_none():
    table = compare([0.8, 0.8], [0.79, 0.8], variance=0.0)
    assert table["z"].tolist() == [-np.inf, 0.0]
    assert table["p"].tolist() == [0.0, 1.0]


@given(earlier=unit, later=unit, v=st.floats(1e-5, 0.1))
def test_exchanging_the_rounds_turns_the_sign_alone(earlier, later, v):
    there, back = compare([earlier], [later], variance=v), compare([later], [earlier], variance=v)
    assert there["z"][0] == pytest.approx(-back["z"][0])
    assert there["p"][0] == pytest.approx(back["p"][0])
    assert there["lower"][0] == pytest.approx(-back["upper"][0])


def test_unchanged_communities_are_significant_as_often_as_the_level_says():
    generator = np.random.default_rng(1)
    earlier, later = generator.normal(0.8, 0.03, (2, 4000))
    assert (compare(earlier, later, variance=0.0009)["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.01)


def test_faults_of_rounds_are_named():
    with pytest.raises(ValueError, match="earlier_variance is missing or negative in 1 of 2 rows: row 1"):
        compare([0.8, 0.8], [0.8, 0.8], earlier_variance=[0.001, -0.001])
    with pytest.raises(ValueError, match="later_variance is missing or negative in 1 of 1 rows"):
        compare([0.8], [0.8], later_variance=NAN)
    with pytest.raises(ValueError, match="covariance is missing or beyond what the variances allow in 1 of 1 rows"):
        compare([0.8], [0.8], covariance=0.0011)
    with pytest.raises(ValueError, match="level must lie in"):
        compare_rounds([0.8], [0.8], earlier_variance=0, later_variance=0, level=95)


def test_covariance_of_a_whole_panel_is_that_of_its_means():
    earlier, later = np.array([1, 0, 1, 1, 0]), np.array([1, 0, 0, 1, 1])
    table = overlap_covariance(answers(range(5), earlier), answers(range(5), later))
    assert table.loc["a", "covariance"] == pytest.approx(np.cov(earlier, later)[0, 1] / 5)


def test_covariance_reproduces_that_of_simulated_overlapping_samples():
    generator = np.random.default_rng(2)
    mood = generator.normal(size=400)
    population = [mood + generator.normal(size=400) for _ in range(2)]
    means, estimates = [], []
    for _ in range(600):
        order = generator.permutation(400)
        chosen = [order[:100], order[50:200]]
        means.append([population[wave][rows].mean() for wave, rows in enumerate(chosen)])
        rounds = [answers(rows, population[wave][rows]) for wave, rows in enumerate(chosen)]
        if len(estimates) < 40:
            table = overlap_covariance(*rounds, households=pd.Series({"a": 400}))
            estimates.append(table.loc["a", "covariance"])
    assert table.loc["a", ["answers_earlier", "answers_later", "overlap"]].tolist() == [100, 150, 50]
    assert np.mean(estimates) == pytest.approx(np.cov(np.transpose(means))[0, 1], abs=0.0006)


def test_without_overlap_rounds_are_independent_and_without_answers_unknown():
    earlier = pd.concat([answers([1, 2], [1, 0]), answers([1], [1], "b")])
    later = pd.concat([answers([3, 4], [1, 0]), answers([9], [1], "c")])
    table = overlap_covariance(earlier, later)
    assert table["covariance"].fillna(-1).tolist() == [0, -1, -1]


def test_a_household_that_occurs_twice_or_too_few_households_are_named():
    with pytest.raises(ValueError, match="a household occurs twice in later in 1 of 2 rows: row 1 \\(household 7\\)"):
        overlap_covariance(answers([7], [1]), answers([7, 7], [1, 0]))
    with pytest.raises(ValueError, match="households are missing or fewer than answers in 1 of 1 rows"):
        overlap_covariance(answers([1, 2], [1, 0]), answers([1], [1]), households=pd.Series({"a": 1}))


def test_slopes_equal_the_weighted_regression_of_statsmodels():
    regression = pytest.importorskip("statsmodels.regression.linear_model")
    years, scores = np.array([2021, 2022, 2024.5, 2025]), np.array([0.7, 0.76, 0.71, 0.82])
    variance = np.array([0.001, 0.002, 0.0005, 0.004])
    row = fit_slopes([scores], [variance], years=years, level=0.95).iloc[0]
    fit = regression.WLS(scores, np.column_stack([np.ones(4), years]), weights=1 / variance).fit()
    assert row["slope_per_year"] == pytest.approx(fit.params[1], rel=1e-9)
    assert row["standard_error"] == pytest.approx(fit.bse[1] / np.sqrt(fit.scale), rel=1e-6)


def test_missing_rounds_are_left_out_of_a_slope():
    full = fit_slopes([[0.7, 0.8, 0.75]], [[0.001, 0.002, 0.001]], years=[1, 2, 4], level=0.9)
    gap = fit_slopes([[0.7, 0.8, NAN, 0.75]], [[0.001, 0.002, NAN, 0.001]], years=[1, 2, 3, 4], level=0.9)
    pd.testing.assert_frame_equal(gap, full)


@pytest.mark.parametrize("rounds", [1, 2])
def test_fewer_than_three_rounds_have_no_slope(rounds):
    table = fit_slopes(np.full((2, rounds), 0.8), np.full((2, rounds), 0.001), years=np.arange(rounds), level=0.95)
    assert table["rounds"].tolist() == [rounds, rounds]
    assert table.drop(columns="rounds").isna().all(axis=None)


def test_rounds_known_without_error_make_a_slope_certain():
    row = fit_slopes([[0.7, 0.75, 0.8]], [[0.0, 0.0, 0.0]], years=[1, 2, 3], level=0.95).iloc[0]
    assert row["slope_per_year"] == pytest.approx(0.05)
    assert (row["standard_error"], row["z"], row["p"]) == (0, np.inf, 0)


def test_one_exact_round_among_others_keeps_the_slope_finite():
    row = fit_slopes([[0.7, 0.75, 0.8]], [[0.001, 0.0, 0.001]], years=[1, 2, 3], level=0.95).iloc[0]
    assert row["slope_per_year"] == pytest.approx(0.05)
    assert row["standard_error"] == pytest.approx(np.sqrt(0.001 / 2), rel=1e-6)


def test_faults_of_slopes_are_named():
    with pytest.raises(ValueError, match="a variance is missing or negative in 1 of 2 rows: row 1"):
        fit_slopes([[0.7] * 3] * 2, [[0.1] * 3, [0.1, NAN, 0.1]], years=[1, 2, 3], level=0.95)
    with pytest.raises(ValueError, match="years must all differ"):
        fit_slopes([[0.7] * 3], [[0.1] * 3], years=[1, 2, 2], level=0.95)
    with pytest.raises(ValueError, match="do not fit"):
        fit_slopes([0.7] * 3, [0.1] * 3, years=[1, 2, 3], level=0.95)


def test_control_limits_by_hand():
    chart = control_chart([[45, 80, 100]], [[50, 100, 150]], dispersion="binomial")
    reach = 3 * np.sqrt(0.75 * 0.25 / np.array([50, 100, 150]))
    np.testing.assert_allclose(chart.lower[0], 0.75 - reach)
    np.testing.assert_allclose(chart.upper[0], np.minimum(0.75 + reach, 1))
    assert chart.outside.tolist() == [[False, False, False]]


def test_limits_stay_within_what_rates_can_be():
    chart = control_chart([[10, 10], [0, 1]], [[10, 10], [8, 8]], dispersion="binomial")
    assert chart.lower.min() >= 0
    assert chart.upper.max() <= 1
    assert not chart.outside.any()


def test_a_round_without_answers_and_a_single_round_have_no_limits():
    chart = control_chart(
        [[8, 0, 9], [8, 0, 0], [0, 0, 0]], [[10, 0, 10], [10, 0, 0], [0, 0, 0]], dispersion="binomial"
    )
    assert np.isnan(chart.lower).tolist() == [[False, True, False], [True] * 3, [True] * 3]
    assert np.isnan(chart.centre).tolist() == [False, False, True]
    assert not chart.outside.any()


def test_limits_follow_what_moves_all_communities_between_rounds():
    generator = np.random.default_rng(6)
    truth = generator.uniform(0.5, 0.8, (200, 1)) + generator.normal(0, 0.06, (200, 8))
    count = generator.binomial(400, np.clip(truth, 0, 1))
    narrow = control_chart(count, np.full(count.shape, 400), dispersion="binomial")
    wide = control_chart(count, np.full(count.shape, 400), dispersion="between_rounds")
    # Σ of the variances ÷ the binomial one; about 1 + 400·.06²/(.65·.35).
    assert wide.dispersion == pytest.approx(np.sqrt(1 + 400 * 0.06**2 / (0.65 * 0.35)), rel=0.1)
    assert narrow.outside.mean() > 0.1
    assert wide.outside.mean() < 0.005


def test_without_more_than_sampling_both_limits_agree():
    generator = np.random.default_rng(7)
    count = generator.binomial(200, 0.7, (300, 6))
    assert control_chart(count, np.full(count.shape, 200), dispersion="between_rounds").dispersion < 1.05
    assert control_chart([[5]], [[10]], dispersion="between_rounds").dispersion == 1


def test_faults_of_counts_are_named():
    with pytest.raises(ValueError, match="satisfied exceeds n in 1 of 2 rows: row 1"):
        control_chart([[1, 2], [3, 9]], [[5, 5], [5, 5]], dispersion="binomial")
    with pytest.raises(ValueError, match="communities × rounds"):
        control_chart([1, 2], [5, 5], dispersion="binomial")


def test_of_a_winners_fall_regression_explains_what_its_reliability_says():
    # x = 95, μ = 80, B = .8: the next round is expected 3 points lower.
    earlier, later = [0.95, 0.80, 0.80, 0.65], [0.909, 0.80, 0.80, 0.65]
    winner = regress(earlier, later, reliability=0.8).iloc[0]
    assert winner["former_winner"]
    assert winner["change"] == pytest.approx(-0.041)
    assert winner["by_regression"] == pytest.approx(-0.030)


def test_the_parts_of_a_change_add_up():
    generator = np.random.default_rng(3)
    earlier, later = generator.normal(0.8, 0.05, (2, 50))
    table = regress(earlier, later, size=5)
    parts = table[["by_regression", "region_change", "own_change"]].sum(axis=1)
    np.testing.assert_allclose(parts, table["change"])
    assert table["former_winner"].sum() == 5


def test_expected_scores_are_those_of_shrinkage_unless_reliability_is_given():
    earlier, region = np.array([0.95, 0.8, 0.7, 0.9, 0.6]), ["wuda", "wuda", "wuda", "hainan", "hainan"]
    shrunk = shrink_scores(earlier, [0.001] * 5, region=region, prior="normal")
    table = regress(earlier, earlier, region=region)
    np.testing.assert_allclose(table["by_regression"], shrunk.mean - earlier)
    own = regress(earlier, earlier, region=region, reliability=[0.5] * 5)
    np.testing.assert_allclose(
        own["by_regression"], -0.5 * (earlier - np.array([0.8167, 0.8167, 0.8167, 0.75, 0.75])), atol=1e-4
    )


def test_where_nothing_truly_changed_winners_fall_by_what_regression_says():
    generator = np.random.default_rng(11)
    truth = generator.normal(0.8, 0.05, 20_000)
    earlier, later = truth + generator.normal(0, 0.04, (2, 20_000))
    options = {"earlier_variance": 0.0016, "later_variance": 0.0016, "region": ["wuda"] * 20_000, "size": 1000}
    table = regression_to_the_mean(earlier, later, level=0.95, **options)
    winners = table[table["former_winner"]]
    assert winners["change"].mean() < -0.03
    assert winners["by_regression"].mean() == pytest.approx(winners["change"].mean(), abs=0.003)
    assert (winners["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.02)


def test_ties_for_the_last_place_all_were_winners_and_no_place_has_none():
    scores = [0.9, 0.8, 0.8, 0.7]
    assert regress(scores, scores, size=2)["former_winner"].tolist() == [True, True, True, False]
    assert not regress(scores, scores, size=0)["former_winner"].any()


@pytest.mark.parametrize("reliability", [0.0, 1.0])
def test_full_reliability_regresses_nothing_and_none_everything(reliability):
    table = regress([0.9, 0.8, 0.7], [0.9, 0.8, 0.7], reliability=reliability)
    np.testing.assert_allclose(table["by_regression"], -(1 - reliability) * np.array([0.1, 0, -0.1]), atol=1e-12)


def test_a_community_alone_or_missing_in_a_round_does_not_regress_or_is_unknown():
    table = regress([0.9, 0.8, NAN, 0.7], [0.8, NAN, 0.9, 0.7], region=["hainan", "wuda", "wuda", "wuda"])
    assert table["by_regression"][0] == 0
    assert table["change"].isna().tolist() == [False, True, True, False]
    assert table["by_regression"].isna().tolist() == [False, False, True, False]
    assert table["p"].isna().tolist() == [False, True, True, False]
    assert table["former_winner"].tolist() == [True, True, False, False]


@given(order=st.permutations(range(6)))
def test_the_order_of_communities_changes_nothing(order):
    order = list(order)
    earlier, later = np.array([0.9, 0.85, 0.85, 0.7, 0.6, 0.8]), np.array([0.8, 0.9, 0.8, 0.7, 0.65, 0.8])
    region = np.array(["wuda", "wuda", "wuda", "wuda", "hainan", "hainan"])
    plain = regress(earlier, later, region=region)
    shuffled = regress(earlier[order], later[order], region=region[order])
    pd.testing.assert_frame_equal(shuffled, plain.iloc[order].reset_index(drop=True), rtol=1e-9)


def test_faults_of_regression_are_named():
    with pytest.raises(ValueError, match="reliability is not in \\[0, 1\\] in 1 of 2 rows: row 1"):
        regress([0.9, 0.8], [0.9, 0.8], reliability=[0.5, 1.5])
    with pytest.raises(ValueError, match="size must be at least 0"):
        regress([0.9], [0.9], size=-1)
    with pytest.raises(ValueError, match="later_variance is missing or negative in 1 of 2 rows: row 0"):
        regress([0.9, 0.8], [0.9, 0.8], later_variance=[NAN, 0.1])
    with pytest.raises(ValueError, match="region must hold one label"):
        regress([0.9, 0.8], [0.9, 0.8], region=["wuda"])


def test_no_communities_give_empty_tables():
    assert compare([], [], variance=[]).empty
    assert regress([], [], earlier_variance=[], later_variance=[], region=[]).empty
    assert fit_slopes(np.empty((0, 3)), np.empty((0, 3)), years=[1, 2, 3], level=0.95).empty
    assert control_chart(np.empty((0, 3)), np.empty((0, 3)), dispersion="between_rounds").rate.shape == (0, 3)
