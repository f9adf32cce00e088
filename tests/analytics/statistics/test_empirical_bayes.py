import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from analytics.statistics.empirical_bayes import (
    credible_interval,
    paule_mandel,
    shrink_complaint_rates,
    shrink_rates,
    shrink_scores,
)
from analytics.statistics.nonparametric_prior import FITTED_COMMUNITIES
from tests.analytics.reference import columns, published


def simulated_rates(communities, *, seed=1):
    random = np.random.default_rng(seed)
    truth = random.beta(16, 4, communities)
    answers = random.integers(30, 301, communities)
    return random.binomial(answers, truth), answers, truth


def test_paule_mandel_makes_the_weighted_scatter_equal_its_degrees_of_freedom():
    random = np.random.default_rng(3)
    variances = random.uniform(0.001, 0.01, 50)
    scores = random.normal(0.8, np.sqrt(variances + 0.005))

    tau2 = paule_mandel(scores, variances)

    weights = 1 / (variances + tau2)
    centre = np.average(scores, weights=weights)
    assert (weights * (scores - centre) ** 2).sum() == pytest.approx(49, abs=1e-9)


def test_paule_mandel_of_the_vaccine_trials_is_that_of_metafor():
    figures = published("bcg-vaccine")
    _, ill, well, others_ill, others_well = columns(figures["trials"])
    ill, well, others_ill, others_well = map(np.array, (ill, well, others_ill, others_well))
    risks = np.log(ill / (ill + well)) - np.log(others_ill / (others_ill + others_well))
    variances = 1 / ill - 1 / (ill + well) + 1 / others_ill - 1 / (others_ill + others_well)

    tau2 = paule_mandel(risks, variances)

    weights = 1 / (variances + tau2)
    expected = figures["paule_mandel"]
    assert tau2 == pytest.approx(expected["between_variance"], abs=5e-5)
    assert np.average(risks, weights=weights) == pytest.approx(expected["mean"], abs=5e-5)
    assert weights.sum() ** -0.5 == pytest.approx(expected["standard_error"], abs=5e-5)


def test_scores_known_exactly_have_their_sample_variance_as_paule_mandels():
    scores = [0.7, 0.8, 0.95]

    assert paule_mandel(scores, [0, 0, 0]) == pytest.approx(np.var(scores, ddof=1), rel=1e-9)


def test_paule_mandel_is_zero_for_equal_scores_and_for_one_alone():
    assert paule_mandel([0.8, 0.8, 0.8], [0.01, 0.0, 0.0]) == 0
    assert paule_mandel([0.8], [0.01]) == 0


def reference_posterior(scores, variances):
    """Mean and variance of the first true score by adaptive integration over τ, μ in closed form."""
    scores, variances = np.array(scores), np.array(variances)
    scale = variances.size / (1 / variances).sum()

    def density(share):
        tau2 = scale * (1 - share) / share
        total = variances + tau2
        precision = (1 / total).sum()
        middle = (scores / total).sum() / precision
        log = -0.5 * (np.log(total).sum() + np.log(precision) + ((scores - middle) ** 2 / total).sum())
        own = tau2 / total[0]
        mean = own * scores[0] + (1 - own) * middle
        return np.exp(log + 20 - 5 * scores.size), mean, own * variances[0] + (1 - own) ** 2 / precision

    def moment(function):
        return integrate.quad(lambda share: density(share)[0] * function(density(share)), 1e-9, 1 - 1e-9, limit=500)[0]

    whole = moment(lambda _: 1)
    mean = moment(lambda d: d[1]) / whole
    return mean, moment(lambda d: d[1] ** 2 + d[2]) / whole - mean**2


@pytest.mark.parametrize(
    ("scores", "variances"),
    [
        ([0.95, 0.8, 0.78, 0.82, 0.7], [0.002, 0.001, 0.004, 0.002, 0.003]),
        ([0.81, 0.8, 0.8, 0.79], [0.004, 0.004, 0.003, 0.004]),
        ([0.9, 0.5], [0.0001, 0.0002]),
    ],
)
def test_the_grid_over_the_prior_agrees_with_a_fine_integration(scores, variances):
    result = shrink_scores(scores, variances, region=[1] * len(scores), prior="normal")

    mean, variance = reference_posterior(scores, variances)
    assert result.integrated.all()
    assert result.mean[0] == pytest.approx(mean, abs=1e-5)
    assert result.variance[0] == pytest.approx(variance, rel=2e-3)


def test_a_community_alone_in_its_region_keeps_its_own_score_and_variance():
    result = shrink_scores([0.9], [0.002], region=["wuda"], prior="nonparametric")

    assert result.mean[0] == pytest.approx(0.9, abs=1e-12)
    assert result.variance[0] == pytest.approx(0.002, rel=1e-9)


def test_no_communities_give_empty_columns():
    result = shrink_rates([], [], region=[], prior="nonparametric")

    assert result.mean.size == result.variance.size == len(result.grids) == 0


def test_each_region_is_estimated_as_if_it_were_alone():
    satisfied, answers, _ = simulated_rates(330)
    region = np.repeat([1, 2, 3], [220, 60, 50])

    together = shrink_rates(satisfied, answers, region=region, prior="nonparametric")

    for label in (1, 2, 3):
        rows = region == label
        alone = shrink_rates(satisfied[rows], answers[rows], region=region[rows], prior="nonparametric")
        np.testing.assert_allclose(together.mean[rows], alone.mean, atol=1e-12)
        np.testing.assert_allclose(together.variance[rows], alone.variance, atol=1e-12)


@pytest.mark.parametrize("prior", ["normal", "nonparametric"])
def test_reordering_communities_changes_no_digit(prior):
    satisfied, answers, _ = simulated_rates(260)
    region = np.repeat([1, 2], [230, 30])
    order = np.random.default_rng(5).permutation(260)

    result = shrink_rates(satisfied, answers, region=region, prior=prior)
    shuffled = shrink_rates(satisfied[order], answers[order], region=region[order], prior=prior)

    np.testing.assert_array_equal(result.mean[order], shuffled.mean)
    np.testing.assert_array_equal(result.variance[order], shuffled.variance)


@pytest.mark.parametrize("prior", ["normal", "nonparametric"])
@given(more=st.integers(2, 8), share=st.sampled_from([0.6, 0.9, 1.0]))
@settings(max_examples=15, deadline=None)
def test_more_answers_with_the_same_rate_bring_the_posterior_closer_to_the_own_score(prior, more, share):
    satisfied, answers, _ = simulated_rates(60)
    few = np.append(satisfied, 40 * share), np.append(answers, 40)
    many = np.append(satisfied, more * 40 * share), np.append(answers, more * 40)

    fewer, further = (shrink_rates(s, n, region=np.zeros(61), prior=prior) for s, n in (few, many))

    assert abs(further.mean[-1] - share) < abs(fewer.mean[-1] - share)
    assert further.reliability[-1] > fewer.reliability[-1]


def test_everybody_asked_leaves_nothing_to_shrink():
    satisfied, answers, _ = simulated_rates(40)
    fraction = np.where(np.arange(40) < 3, 1.0, 0.3)

    result = shrink_rates(satisfied, answers, region=np.zeros(40), prior="nonparametric", sampling_fraction=fraction)

    np.testing.assert_array_equal(result.variance[:3], 0)
    np.testing.assert_allclose(result.mean[:3], (satisfied / answers)[:3], rtol=1e-12)


def test_the_nonresponse_term_widens_every_posterior():
    satisfied, answers, _ = simulated_rates(300)

    plain, wider = (
        shrink_rates(satisfied, answers, region=np.zeros(300), prior="normal", nonresponse_spread=spread)
        for spread in (0.0, 0.03)
    )

    np.testing.assert_allclose(np.median(wider.sampling_variance - plain.sampling_variance), 0.0009, rtol=0.05)
    assert (wider.reliability < plain.reliability).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_learned_prior_is_about_as_likely_as_a_true_normal_one_and_far_likelier_than_a_wrong_one(seed):
    random = np.random.default_rng(seed)
    truth = np.where(random.random(400) < 0.05, 0.95, 0.78) if seed % 2 else random.normal(0.8, 0.05, 400)
    variances = random.uniform(0.0005, 0.003, 400)
    scores = random.normal(truth, np.sqrt(variances))

    result = shrink_scores(scores, variances, region=np.zeros(400), prior="nonparametric")

    # A posterior is prior × likelihood ÷ marginal: cell by cell the prior's weight, and so the marginal, comes back.
    grid = result.grids[0]
    middles = (grid.edges[1:] + grid.edges[:-1]) / 2
    chances = np.diff(grid.cumulative.astype(float), axis=1)
    row = int(np.argmax(variances[grid.rows]))
    likelihood = stats.norm.pdf(scores[grid.rows][:, None], middles, np.sqrt(variances[grid.rows])[:, None])
    weights = chances[row] / likelihood[row]
    weights = np.where(likelihood[row] > 1e-6 * likelihood[row].max(), weights, 0)
    weights /= weights.sum()
    learned = np.log(likelihood @ weights).sum()
    spread = np.sqrt(variances[grid.rows] + result.prior_variance[0])
    normal = stats.norm.logpdf(scores[grid.rows], result.prior_mean[0], spread).sum()
    assert learned >= normal + (10 if seed % 2 else -5)


def test_credible_intervals_hold_the_truth_as_often_as_they_say():
    satisfied, answers, truth = simulated_rates(3000, seed=8)

    result = shrink_rates(satisfied, answers, region=np.zeros(3000), prior="nonparametric")
    lower, upper = credible_interval(result, level=0.95)

    assert 0.93 <= ((lower <= truth) & (truth <= upper)).mean() <= 0.97


def test_complaint_posteriors_are_those_of_a_gamma_prior():
    cases, years = np.array([0, 12, 4, 7]), np.array([100.0, 100.0, 150.0, 80.0])

    result = shrink_complaint_rates(cases, years, region=[1] * 4, prior="normal")

    shape, mean = result.prior_shape[0], result.prior_mean[0]
    np.testing.assert_allclose(result.mean, (shape + cases) / (shape / mean + years))
    grid = result.grids[0]
    place = {int(row): index for index, row in enumerate(grid.rows)}[1]
    expected = stats.gamma.sf(-grid.edges, result.shape[1], scale=1 / result.rate[1])
    np.testing.assert_allclose(grid.cumulative[place], expected, atol=1e-6)


def test_complaint_rates_that_luck_explains_are_all_the_mean():
    result = shrink_complaint_rates([5, 5, 5], [100, 100, 100], region=[1] * 3, prior="normal")

    np.testing.assert_array_equal(result.mean, 0.05)
    np.testing.assert_array_equal(result.reliability, 0)


def test_a_region_without_complaints_has_rate_zero():
    result = shrink_complaint_rates([0, 0], [100, 50], region=[1, 1], prior="normal")

    np.testing.assert_array_equal(result.mean, 0)


def test_the_moment_estimate_finds_the_shape_that_made_the_rates():
    random = np.random.default_rng(4)
    rates = random.gamma(3, 0.05 / 3, 20_000)

    result = shrink_complaint_rates(
        random.poisson(400 * rates), np.full(20_000, 400.0), region=np.zeros(20_000), prior="normal"
    )

    assert result.prior_shape[0] == pytest.approx(3, rel=0.06)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"satisfied": [np.nan], "n": [5]}, "satisfied is missing"),
        ({"satisfied": [6, 1], "n": [5, 5]}, "satisfied exceeds n in 1 of 2 rows: row 0"),
        ({"satisfied": [0], "n": [0]}, "n is below 1"),
        ({"satisfied": [1], "n": [5], "sampling_fraction": [1.2]}, "sampling_fraction exceeds 1"),
        ({"satisfied": [1], "n": [5], "sampling_fraction": [np.nan]}, "sampling_fraction is missing"),
        ({"satisfied": [1], "n": [5], "nonresponse_spread": -1}, "nonresponse_spread"),
        ({"satisfied": [1], "n": [5], "prior": "flat"}, "prior must be one of normal, nonparametric"),
    ],
)
def test_rates_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        shrink_rates(**{"region": np.zeros(len(arguments["n"])), "prior": "normal", **arguments})


def test_the_root_is_where_a_bracketing_solver_finds_it():
    random = np.random.default_rng(9)
    variances = np.append(random.uniform(0.001, 0.01, 30), 1e-9)
    scores = random.normal(0.8, 0.1, 31)

    def excess(tau2):
        weights = 1 / (variances + tau2)
        return (weights * (scores - np.average(scores, weights=weights)) ** 2).sum() - 30

    assert paule_mandel(scores, variances) == pytest.approx(optimize.brentq(excess, 1e-12, 1), rel=1e-9)


def test_an_outlier_of_a_large_region_keeps_a_variance():
    # In large regions only some communities are in the totals, and the outlier is none of them.
    size = 4 * FITTED_COMMUNITIES
    cases, years = np.full(size, 20), np.full(size, 1000.0)
    cases[0] = 130

    found = shrink_complaint_rates(cases, years, region=np.zeros(size), prior="nonparametric")

    # The posterior of a rate has the variance mean ÷ rate.
    assert np.all(found.mean / found.rate > 0)
    assert found.mean[0] > found.mean[1]


@pytest.mark.parametrize("dispersion", [1.0, 2.0])
def test_the_reliability_of_complaint_rates_is_that_of_the_gamma_prior_whatever_prior_is_learned(dispersion):
    random = np.random.default_rng(4)
    years = random.uniform(100, 3000, 60)
    cases = random.poisson(random.gamma(2, 0.005, 60) * years)
    gamma, learned = (
        shrink_complaint_rates(cases, years, region=np.zeros(60), prior=prior, dispersion=dispersion)
        for prior in ("normal", "nonparametric")
    )

    np.testing.assert_array_equal(learned.reliability, gamma.reliability)
    worth = years / dispersion
    expected = worth / (worth + learned.prior_shape / learned.prior_mean)
    np.testing.assert_allclose(learned.reliability, expected, rtol=1e-12)
