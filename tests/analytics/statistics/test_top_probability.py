from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analytics.statistics.empirical_bayes import shrink_rates
from analytics.statistics.nonparametric_prior import GridPosterior
from analytics.statistics.top_probability import top_probability


def posteriors(communities, *, seed=1):
    random = np.random.default_rng(seed)
    return random.normal(0.8, 0.06, communities), random.uniform(0.0002, 0.003, communities)


@given(
    communities=st.integers(1, 230),
    share=st.floats(0, 1),
    known=st.floats(0, 1),
    seed=st.integers(0, 10),
)
@settings(max_examples=40, deadline=None)
def test_probabilities_of_a_region_add_up_to_its_places(communities, share, known, seed):
    mean, variance = posteriors(communities, seed=seed)
    mean = mean.round(2)
    variance[: int(known * communities)] = 0
    size = int(share * communities)

    result = top_probability(mean, variance, region=np.zeros(communities), size=size)

    assert result.probability.sum() == pytest.approx(size, abs=1e-9)
    assert ((result.probability >= 0) & (result.probability <= 1)).all()


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_reordering_communities_changes_no_probability(seed):
    mean, variance = posteriors(250)
    region = np.repeat(["haibowan", "wuda"], [210, 40])
    order = np.random.default_rng(seed).permutation(250)

    result = top_probability(mean, variance, region=region, size=3)
    shuffled = top_probability(mean[order], variance[order], region=region[order], size=3)

    np.testing.assert_array_equal(result.probability[order], shuffled.probability)


@pytest.mark.parametrize("communities", [40, 240])
def test_with_equal_variances_the_higher_posterior_never_has_the_smaller_probability(communities):
    mean, _ = posteriors(communities)

    result = top_probability(mean, np.full(communities, 0.001), region=np.zeros(communities), size=5)

    ranked = result.probability[np.argsort(mean)]
    assert (np.diff(ranked) >= -1e-12).all()


def test_communities_with_equal_posteriors_have_equal_probabilities():
    mean, variance = posteriors(30)
    mean[[3, 17]], variance[[3, 17]] = 0.9, 0.001

    result = top_probability(mean, variance, region=np.zeros(30), size=2)

    assert result.probability[3] == result.probability[17]


def test_large_regions_agree_with_draws_of_the_same_posterior():
    mean, variance = posteriors(1000)
    random = np.random.default_rng(2)

    result = top_probability(mean, variance, region=np.zeros(1000), size=50)

    count = np.zeros(1000)
    for _ in range(4000):
        scores = random.normal(mean, np.sqrt(variance))
        count[np.argpartition(-scores, 50)[:50]] += 1
    np.testing.assert_allclose(result.probability, count / 4000, atol=0.035)


@pytest.mark.parametrize(("known", "size"), [(0, 1), (0, 3), (4, 3), (24, 5)])
def test_small_regions_agree_with_many_draws(known, size):
    mean, variance = posteriors(25)
    variance[:known] = 0
    random = np.random.default_rng(2)

    result = top_probability(mean, variance, region=np.zeros(25), size=size)

    scores = random.normal(mean, np.sqrt(variance), (400_000, 25))
    last = np.partition(scores, -size, axis=1)[:, -size]
    drawn = (scores >= last[:, None]).mean(axis=0)
    np.testing.assert_allclose(result.probability, drawn, atol=5 * 0.5 / np.sqrt(400_000))
    assert result.threshold[0] == pytest.approx(last.mean(), abs=5 * 0.03 / np.sqrt(400_000))


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_the_better_of_two_normal_posteriors_is_the_one_whose_difference_is_positive(scale):
    mean, variance = np.array([0.9, 0.82]), np.array([0.01, 0.002 * scale])

    result = top_probability(mean, variance, region=[1, 1], size=1)

    expected = stats.norm.cdf((mean[0] - mean[1]) / np.sqrt(variance.sum()))
    np.testing.assert_allclose(result.probability, [expected, 1 - expected], atol=1e-6)
    assert result.quadrature_error.max() <= 1e-6


@given(
    masses=st.lists(st.lists(st.integers(0, 4), min_size=4, max_size=4), min_size=2, max_size=5),
    known=st.lists(st.integers(0, 3), max_size=2),
    size=st.integers(1, 4),
)
@settings(max_examples=40, deadline=None)
def test_tiny_regions_on_grids_agree_with_every_way_the_cells_can_fall(masses, known, size):
    masses = np.array(masses, dtype=float) + 0.1
    masses /= masses.sum(axis=1, keepdims=True)
    unsure, communities = len(masses), len(masses) + len(known)
    size = min(size, communities)
    cumulative = np.concatenate([np.zeros((unsure, 1)), masses.cumsum(axis=1)], axis=1).astype(np.float32)
    cumulative[:, -1] = 1
    grid = GridPosterior(np.arange(unsure), np.arange(5.0), cumulative)
    mean = np.concatenate([masses @ (np.arange(4) + 0.5), np.array(known, dtype=float) + 1])
    # Those with equal means and variances would be taken for equal.
    variance = np.concatenate([1 + np.arange(unsure), np.zeros(len(known))])

    result = top_probability(mean, variance, region=np.zeros(communities), size=size, grids=[grid])

    expected = np.zeros(communities)
    for cells in product(range(4), repeat=unsure):
        # In one cell all orders are equally likely; a known score is the upper edge of its cell, and above the cell.
        order = np.concatenate([np.array(cells) + 0.5, mean[unsure:]])
        above = (order > order[:, None]).sum(axis=1)
        tied = (order == order[:, None]).sum(axis=1)
        chance = np.prod(masses[np.arange(unsure), list(cells)])
        expected += chance * np.clip((size - above) / tied, 0, 1)
    np.testing.assert_allclose(result.probability, expected, atol=1e-6)


def test_what_the_integrals_miss_is_stated_and_tiny():
    random = np.random.default_rng(3)
    answers = random.integers(30, 301, 400)
    satisfied = random.binomial(answers, random.beta(16, 4, 400))
    region = np.arange(400) % 4
    shrinkage = shrink_rates(satisfied, answers, region=region, prior="nonparametric")

    result = top_probability(shrinkage.mean, shrinkage.variance, region=region, size=5, grids=shrinkage.grids)

    assert (result.quadrature_error > 0).all()
    assert result.quadrature_error.max() < 1e-6


@pytest.mark.parametrize(
    ("kind", "off"), [("normal", 2e-4), ("grid", 2e-4), ("known", 2e-3), ("nearly known", 2e-3), ("tied", 2e-3)]
)
def test_counting_the_others_by_their_moments_is_as_good_as_the_notes_say(kind, off, monkeypatch):
    mean, variance = posteriors(1000)
    grids = ()
    if kind == "grid":
        random = np.random.default_rng(1)
        answers = random.integers(30, 301, 1000)
        shrinkage = shrink_rates(
            random.binomial(answers, random.beta(16, 4, 1000)), answers, region=np.zeros(1000), prior="nonparametric"
        )
        mean, variance, grids = shrinkage.mean, shrinkage.variance, shrinkage.grids
    elif kind != "normal":
        variance[::3] *= 1e-6 if kind == "nearly known" else 0
        mean = mean.round(2) if kind == "tied" else mean

    def probability(most):
        monkeypatch.setattr("analytics.statistics.top_probability.MOST_COUNTED", most)
        return top_probability(mean, variance, region=np.zeros(1000), size=50, grids=grids)

    counted, approximate = probability(1e12), probability(0)
    np.testing.assert_allclose(approximate.probability, counted.probability, atol=off)
    assert approximate.threshold_variance[0] == pytest.approx(counted.threshold_variance[0], rel=0.02)


def chance_by_counting(mean, deviation, row, size):
    """Return P(fewer than `size` of the others lie above) for one community, by the definition and a fine sum."""
    others = np.delete(np.arange(len(mean)), row)
    steps = np.linspace(-8, 8, 1601) if deviation[row] else np.zeros(1)
    weights = stats.norm.pdf(steps) / stats.norm.pdf(steps).sum()
    fewer = np.zeros((steps.size, size))
    fewer[:, 0] = 1
    for other in others:
        score = mean[row] + deviation[row] * steps
        above = (stats.norm.sf(score, mean[other], deviation[other]) if deviation[other] else mean[other] > score)[
            :, None
        ]
        moved = np.zeros_like(fewer)
        moved[:, 1:] = fewer[:, :-1]
        fewer = fewer * (1 - above) + moved * above
    return float(weights @ fewer.sum(axis=1))


@pytest.mark.parametrize("most", [0, 1e12])
def test_a_fully_counted_community_near_the_threshold_of_a_large_region_is_not_certain(most, monkeypatch):
    monkeypatch.setattr("analytics.statistics.top_probability.MOST_COUNTED", most)
    mean, variance = posteriors(400)
    threshold = top_probability(mean, variance, region=np.zeros(400), size=20).threshold[0]
    mean[:2], variance[:2] = (threshold + 0.003, threshold - 0.003), 0

    result = top_probability(mean, variance, region=np.zeros(400), size=20)

    for row in (0, 1, int(np.argmax(mean)), int(np.argmin(np.abs(mean - threshold)))):
        expected = chance_by_counting(mean, np.sqrt(variance), row, 20)
        assert result.probability[row] == pytest.approx(expected, abs=2e-3)
    assert 0.5 < result.probability[0] < 0.8


@given(
    lead=st.floats(0.01, 0.3),
    variance=st.floats(1e-9, 1e-3),
    communities=st.integers(2, 40),
    size=st.integers(1, 3),
)
@settings(max_examples=150, deadline=None)
def test_no_runaway_winner_or_loser_takes_a_probability_beyond_its_range(lead, variance, communities, size):
    mean = np.linspace(0.6, 0.8, communities)
    mean[-1], mean[0] = 0.8 + lead, 0.6 - lead

    result = top_probability(
        mean, np.full(communities, variance), region=np.zeros(communities), size=min(size, communities)
    )

    assert (result.probability >= 0).all()
    assert (result.probability <= 1).all()


def test_a_region_is_ranked_as_if_it_were_alone():
    mean, variance = posteriors(260)
    region = np.repeat([1, 2, 3], [210, 25, 25])
    size = np.repeat([10, 2, 1], [210, 25, 25])

    together = top_probability(mean, variance, region=region, size=size)

    for label, places in ((1, 10), (2, 2), (3, 1)):
        rows = region == label
        alone = top_probability(mean[rows], variance[rows], region=region[rows], size=places)
        np.testing.assert_array_equal(together.probability[rows], alone.probability)


@pytest.mark.parametrize("communities", [30, 300])
def test_known_scores_are_in_or_out_and_ties_share_what_is_left(communities):
    mean = np.full(communities, 0.7)
    mean[:2], mean[2:6] = 0.95, 0.9

    result = top_probability(mean, np.zeros(communities), region=np.zeros(communities), size=3)

    np.testing.assert_allclose(result.probability[:2], 1)
    np.testing.assert_allclose(result.probability[2:6], 0.25)
    np.testing.assert_allclose(result.probability[6:], 0)
    np.testing.assert_allclose(result.threshold, 0.9)


@pytest.mark.parametrize("most", [0, 1e12])
def test_tied_known_scores_share_with_unsure_ones(most, monkeypatch):
    monkeypatch.setattr("analytics.statistics.top_probability.MOST_COUNTED", most)
    mean, variance = posteriors(400)
    mean[:40], variance[:40] = 0.9, 0

    result = top_probability(mean, variance, region=np.zeros(400), size=50)

    above = np.random.default_rng(5).random((20_000, 360)) < stats.norm.sf(0.9, mean[40:], np.sqrt(variance[40:]))
    expected = (np.clip(50 - above.sum(axis=1), 0, 40) / 40).mean()
    np.testing.assert_allclose(result.probability[:40], expected, atol=0.005)


@pytest.mark.parametrize("communities", [1, 20, 250])
def test_no_place_names_nobody_and_as_many_places_as_communities_name_all(communities):
    mean, variance = posteriors(communities)
    region = np.zeros(communities)

    none = top_probability(mean, variance, region=region, size=0)
    everybody = top_probability(mean, variance, region=region, size=communities)

    np.testing.assert_array_equal(none.probability, 0)
    np.testing.assert_array_equal(everybody.probability, 1)


def test_communities_tied_in_every_number_share_the_places_equally():
    result = top_probability([0.8] * 240, [0.001] * 240, region=[1] * 240, size=12)

    np.testing.assert_allclose(result.probability, 0.05, atol=1e-12)


@pytest.mark.parametrize("communities", [50, 250])
def test_grids_give_what_the_distribution_they_hold_gives(communities):
    mean, variance = posteriors(communities)
    edges = np.linspace(0.4, 1.2, 801)
    cumulative = stats.norm.cdf(edges, mean[:, None], np.sqrt(variance)[:, None]).astype(np.float32)
    cumulative[:, 0], cumulative[:, -1] = 0, 1
    region = np.zeros(communities)

    normal = top_probability(mean, variance, region=region, size=5)
    gridded = top_probability(
        mean, variance, region=region, size=5, grids=[GridPosterior(np.arange(communities), edges, cumulative)]
    )

    np.testing.assert_allclose(gridded.probability, normal.probability, atol=2e-3)


def test_probabilities_under_the_nonparametric_prior_agree_with_draws_from_its_posteriors():
    random = np.random.default_rng(3)
    answers = random.integers(30, 301, 300)
    satisfied = random.binomial(answers, random.beta(16, 4, 300))
    shrinkage = shrink_rates(satisfied, answers, region=np.zeros(300), prior="nonparametric")

    result = top_probability(shrinkage.mean, shrinkage.variance, region=np.zeros(300), size=15, grids=shrinkage.grids)

    (grid,) = shrinkage.grids
    uniform = random.random((300, 4000))
    scores = np.array([np.interp(u, row, grid.edges) for u, row in zip(uniform, grid.cumulative, strict=True)])
    drawn = (scores > np.partition(scores, -16, axis=0)[-16]).mean(axis=1)
    np.testing.assert_allclose(result.probability[grid.rows], drawn, atol=0.06)
    assert np.abs(result.probability[grid.rows] - drawn).mean() < 0.004


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": [0.8, np.nan]}, "mean is missing or infinite in 1 of 2 rows: row 1"),
        ({"variance": [0.1, -0.1]}, "variance is below 0 in 1 of 2 rows: row 1"),
        ({"size": 3}, "size exceeds the communities of the region"),
        ({"size": -1}, "size is below 0"),
        ({"size": 0.5}, "size is not a whole number"),
        ({"size": [1, 0]}, "size differs within a region"),
        ({"region": [1]}, "region must hold one label"),
        ({"variance": [0.1]}, "columns of one length"),
    ],
)
def test_what_cannot_be_ranked_is_refused(changes, message):
    arguments = {"mean": [0.8, 0.7], "variance": [0.1, 0.1], "region": [1, 1], "size": 1, **changes}

    with pytest.raises(ValueError, match=message):
        top_probability(arguments.pop("mean"), arguments.pop("variance"), **arguments)
