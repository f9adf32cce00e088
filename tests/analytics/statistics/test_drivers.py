import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.calibration.simulated_city import QUESTIONS, simulate_honest_city
from analytics.statistics.drivers import Drivers, find_drivers, importance_performance, relative_weights


def survey(seed=1, respondents=600, effects=(0.8, 0.4, 0.0), spread=1.0):
    """Return ratings that share a common mood, an overall answer made of them, and communities of 20."""
    generator = np.random.default_rng(seed)
    mood = generator.normal(size=(respondents, 1))
    ratings = mood + generator.normal(size=(respondents, len(effects)))
    overall = ratings @ effects + spread * generator.normal(size=respondents)
    names = [f"domain {number}" for number in range(len(effects))]
    return pd.DataFrame(ratings, columns=names), overall, np.arange(respondents) // 20


def compute_drivers(ratings, overall, community, **options):
    return find_drivers(ratings, overall, community=community, level=0.95, **{"resamples": 200} | options)


def with_gaps(ratings, share=0.2, seed=9):
    return ratings.mask(np.random.default_rng(seed).random(ratings.shape) < share)


def regression_r_squared(ratings, overall):
    design = np.column_stack([np.ones(len(overall)), ratings])
    residual = overall - design @ np.linalg.lstsq(design, overall, rcond=None)[0]
    return 1 - residual.var() / np.var(overall)


def johnsons_weights(ratings, overall):
    """Relative weights from the nearest orthonormal variables, by a singular value decomposition."""
    x = (ratings - ratings.mean(axis=0)) / ratings.std(axis=0) / np.sqrt(len(ratings))
    y = (overall - overall.mean()) / overall.std() / np.sqrt(len(overall))
    left, _, right = np.linalg.svd(x, full_matrices=False)
    nearest = left @ right
    return (nearest.T @ x).T ** 2 @ (nearest.T @ y) ** 2


def test_two_correlated_domains_by_hand():
    # For two domains correlated by ρ = 0.6, Λ has √(1.6) and √(0.4): a = (√1.6 + √0.4)/2 on, b = (√1.6 − √0.4)/2 off
    # the diagonal; with r = (0.5, 0.5), β = 0.5/(a + b) = 0.5/√1.6 for both, and ε = (a² + b²)β² = 0.25/1.6.
    weights = relative_weights([[1, 0.6], [0.6, 1]], [0.5, 0.5])
    np.testing.assert_allclose(weights, 0.25 / 1.6, rtol=1e-12)


def test_weights_follow_the_definition():
    ratings, overall, community = survey()
    result = compute_drivers(ratings, overall, community)
    np.testing.assert_allclose(result.domains["weight"], johnsons_weights(ratings.to_numpy(), overall), rtol=1e-9)


def test_weights_add_up_to_r_squared_of_the_regression():
    ratings, overall, community = survey()
    result = compute_drivers(ratings, overall, community)
    assert result.r_squared == pytest.approx(regression_r_squared(ratings, overall), rel=1e-10)
    assert result.domains["weight"].sum() == pytest.approx(result.r_squared)
    assert result.domains["share"].sum() == pytest.approx(1)
    assert not result.repaired


@given(seed=st.integers(0, 2**32 - 1), domains=st.integers(1, 6))
def test_weights_are_never_negative_and_add_up_to_r_squared(seed, domains):
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(40, domains + 1)) @ generator.normal(size=(domains + 1, domains + 1))
    matrix = np.corrcoef(points, rowvar=False)
    weights = relative_weights(matrix[:-1, :-1], matrix[:-1, -1])
    assert (weights >= 0).all()
    explained = matrix[:-1, -1] @ np.linalg.lstsq(matrix[:-1, :-1], matrix[:-1, -1], rcond=None)[0]
    assert weights.sum() == pytest.approx(explained, rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(4)))
def test_the_order_of_domains_changes_only_their_order(order):
    ratings, overall, community = survey(effects=(0.8, 0.4, 0.1, 0.0), respondents=200)
    gappy = with_gaps(ratings)
    plain = compute_drivers(gappy, overall, community).domains
    permuted = compute_drivers(gappy.iloc[:, list(order)], overall, community).domains
    pd.testing.assert_frame_equal(permuted, plain.iloc[list(order)].reset_index(drop=True), rtol=1e-9)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_respondents_changes_nothing(seed):
    ratings, overall, community = survey(respondents=200)
    gappy, order = with_gaps(ratings), np.random.default_rng(seed).permutation(200)
    plain = compute_drivers(gappy, overall, community)
    shuffled = compute_drivers(gappy.iloc[order], overall[order], community[order])
    pd.testing.assert_frame_equal(shuffled.domains, plain.domains, rtol=1e-12)


def test_units_of_ratings_do_not_matter():
    ratings, overall, community = survey()
    plain = compute_drivers(ratings, overall, community).domains
    scaled = compute_drivers(ratings * [25, 1, 0.1] + [7, -3, 0], 10 * overall - 4, community).domains
    np.testing.assert_allclose(scaled[["weight", "lower", "upper"]], plain[["weight", "lower", "upper"]], rtol=1e-8)


def test_what_is_associated_exceeds_noise_and_what_is_not_does_not():
    generator = np.random.default_rng(4)
    ratings = pd.DataFrame(generator.normal(size=(2000, 3)), columns=["strong", "weak", "none"])
    overall = ratings["strong"] + 0.3 * ratings["weak"] + generator.normal(size=2000)
    table = compute_drivers(ratings, overall, np.arange(2000) // 40).domains
    assert table["above_noise"].tolist() == [True, True, False]
    assert ((table["lower"] <= table["weight"]) & (table["weight"] <= table["upper"])).tolist()[:2] == [True, True]


def test_unrelated_domains_seldom_exceed_noise():
    found = []
    for seed in range(40):
        generator = np.random.default_rng([8, seed])
        ratings = pd.DataFrame(generator.normal(size=(300, 4)), columns=list("abcd"))
        table = compute_drivers(ratings, generator.normal(size=300), np.arange(300) // 10, seed=seed).domains
        found.append(table["above_noise"].mean())
    assert np.mean(found) < 0.05


def test_intervals_are_wider_where_communities_answer_alike():
    generator = np.random.default_rng(5)
    place = np.repeat(np.arange(30), 40)
    own_effect = generator.normal(0.5, 0.5, 30)[place]
    ratings = pd.DataFrame({"a": generator.normal(size=1200), "b": generator.normal(size=1200)})
    overall = own_effect * ratings["a"] + generator.normal(size=1200)
    clustered = compute_drivers(ratings, overall, place).domains
    alone = compute_drivers(ratings, overall, np.arange(1200)).domains
    width = [table["upper"][0] - table["lower"][0] for table in (clustered, alone)]
    assert width[0] > 1.3 * width[1]


def test_every_pair_of_answers_counts_though_few_rate_everything():
    ratings, overall, community = survey(respondents=3000)
    complete = compute_drivers(ratings, overall, community)
    gappy = compute_drivers(with_gaps(ratings, share=0.5), overall, community)
    assert gappy.respondents > 2500
    np.testing.assert_allclose(gappy.domains["weight"], complete.domains["weight"], atol=0.05)
    assert gappy.domains["n"].between(1400, 1600).all()


def test_contradicting_pairwise_correlations_are_repaired_and_reported():
    # a and b, and b and c, correlate positively, a and c negatively, each pair among other respondents.
    up, none = np.arange(12.0), np.full(12, np.nan)
    a, b, c = np.r_[up, none, up], np.r_[up, up, none], np.r_[none, up, -up]
    overall = np.r_[up, up, up] + np.tile([0.0, 1.0], 18)
    result = compute_drivers(pd.DataFrame({"a": a, "b": b, "c": c}), overall, np.tile(np.arange(4), 9))
    assert result.repaired
    assert 0 <= result.r_squared <= 1 + 1e-9


def test_a_domain_that_all_rate_alike_or_hardly_anybody_rates_has_no_weight():
    ratings, overall, community = survey()
    ratings["same"] = 4.0
    ratings["rare"] = ratings["domain 0"].where(np.arange(600) < 9)
    result = compute_drivers(ratings, overall, community)
    assert result.domains["weight"].isna().tolist() == [False, False, False, True, True]
    assert result.r_squared == pytest.approx(regression_r_squared(ratings.iloc[:, :3], overall))
    assert not result.domains["above_noise"][3:].any()


@pytest.mark.parametrize(
    ("rows", "constant"), [(0, False), (4, False), (12, True)], ids=["nobody", "fewer than predictors", "all alike"]
)
def test_weights_that_cannot_be_estimated_are_missing_not_zero(rows, constant):
    ratings, overall, community = survey(respondents=rows, effects=(1.0, 1.0, 1.0))
    result = compute_drivers(ratings, np.full(rows, 4.0) if constant else overall, community)
    assert result.domains[["weight", "share", "lower", "upper"]].isna().all(axis=None)
    assert np.isnan(result.r_squared)
    assert result.respondents == rows


def test_as_many_predictors_as_respondents_would_explain_anything():
    ratings, overall, community = survey(respondents=12, effects=(0.1,) * 11)
    assert np.isnan(compute_drivers(ratings, overall, community).r_squared)


def test_one_community_has_weights_without_limits():
    ratings, overall, _ = survey()
    table = compute_drivers(ratings, overall, np.zeros(600)).domains
    assert table["weight"].notna().all()
    assert table[["lower", "upper"]].isna().all(axis=None)
    assert not table["above_noise"].any()


def test_a_simulated_city_puts_every_domain_above_noise():
    responses, answers = simulate_honest_city(3, 60)
    result = compute_drivers(answers[QUESTIONS[1:]], answers["q01"], responses["community_id"])
    assert result.communities == 60
    assert result.domains["above_noise"].all()


def test_bad_input_is_named():
    ratings, overall, community = survey(respondents=20)
    with pytest.raises(ValueError, match="overall must hold one answer for each of 20 rows"):
        compute_drivers(ratings, overall[:5], community)
    with pytest.raises(ValueError, match="community must hold one label for each of 20 rows"):
        compute_drivers(ratings, overall, community[:5])
    with pytest.raises(ValueError, match="a rating is infinite in 1 of 20 rows: row 3"):
        compute_drivers(ratings.replace(ratings.iloc[3, 0], np.inf), overall, community)
    with pytest.raises(ValueError, match="level"):
        find_drivers(ratings, overall, community=community, level=95)
    with pytest.raises(ValueError, match="resamples"):
        compute_drivers(ratings, overall, community, resamples=0)
    with pytest.raises(ValueError, match="do not fit"):
        relative_weights([[1, 0], [0, 1]], [0.5])


def table_of(shares, means):
    rows = pd.DataFrame({"domain": [f"d{number}" for number in range(len(shares))], "share": shares, "mean": means})
    return Drivers(rows, 0.5, 100, 10, repaired=False)


def test_equal_rooms_share_the_better_place():
    result = importance_performance(table_of([0.5, 0.25, 0.25], [4.0, 3.0, 3.0]), highest=5)
    assert result["room"].tolist() == [0.5, 0.5, 0.5]
    assert result["place"].tolist() == [1, 1, 1]


def test_each_field_of_importance_and_performance():
    result = importance_performance(table_of([0.4, 0.4, 0.1, 0.1, np.nan], [3.0, 4.5, 3.0, 4.5, 1.0]), highest=5)
    assert result["field"].tolist() == ["mend_first", "keep_up", "watch", "leave", "unknown"]
    assert result["place"].isna().tolist() == [False] * 4 + [True]


def test_contributions_add_up_to_the_weighted_mean():
    ratings, overall, community = survey()
    drivers = compute_drivers(ratings, overall, community)
    result = importance_performance(drivers, highest=10)
    expected = np.average(ratings.mean(), weights=drivers.domains["weight"])
    assert result["contribution"].sum() == pytest.approx(expected)


def test_a_mean_above_the_best_rating_is_refused():
    with pytest.raises(ValueError, match="a mean exceeds 5 in 1 of 2 rows: row 1"):
        importance_performance(table_of([0.5, 0.5], [4, 60]), highest=5)
