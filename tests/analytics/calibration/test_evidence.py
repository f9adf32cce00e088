import numpy as np
import pytest

from analytics.calibration.evidence import SATISFACTION_DISTRIBUTIONS, calibrate


def coverage(result, group, interval="credible"):
    return result.coverage.set_index(["group", "interval"])["coverage"][group, interval]


@pytest.mark.parametrize("truth", ["normal", "skewed", "beta"])
def test_credible_intervals_hold_the_truth_overall_and_among_the_observed_best(truth):
    result = calibrate(truth, prior="nonparametric", communities=1000, regions=4, seed=1)

    assert 0.93 <= coverage(result, "all") <= 0.97
    # 200 communities or a few more: two standard errors are .03.
    assert 0.90 <= coverage(result, "observed_top") <= 1


def test_the_normal_prior_fails_among_the_observed_best_of_two_kinds_of_communities():
    # Why the nonparametric prior exists.
    normal, nonparametric = (
        calibrate("two_point", prior=prior, communities=1000, regions=2, seed=1)
        for prior in ("normal", "nonparametric")
    )

    assert coverage(normal, "observed_top") < 0.75
    assert coverage(nonparametric, "observed_top") > 0.9


def test_intervals_of_the_answers_alone_miss_the_observed_best():
    # Why the credible interval is printed.
    result = calibrate("beta", prior="nonparametric", communities=200, regions=20, seed=1)

    assert coverage(result, "observed_top", "answers") < 0.85
    assert coverage(result, "observed_top") > 0.93


def test_predicted_and_realised_places_have_the_same_sum():
    result = calibrate("beta", prior="nonparametric", communities=400, regions=2, seed=3)

    for frame in (result.curve, result.bands):
        for column in ("predicted", "realised"):
            assert (frame[column] * frame["communities"]).sum() == pytest.approx(40)


def test_the_same_seed_gives_the_same_figures():
    first, second = (calibrate("skewed", prior="normal", communities=200, regions=1, seed=5) for _ in range(2))

    assert first.bands.equals(second.bands)


def test_an_unknown_truth_is_refused():
    with pytest.raises(ValueError, match="truth must be one of normal, skewed, two_point, beta, poster_pairs"):
        calibrate("flat", prior="normal", communities=200, regions=1, seed=1)


@pytest.mark.parametrize("truth", list(SATISFACTION_DISTRIBUTIONS))
def test_intervals_of_the_observed_best_of_small_regions_hold_the_truth(truth):
    # The communities that the list is about: 1,000 of them, two standard errors are .014. Of two kinds of communities
    # twenty to forty do not show that there are two.
    result = calibrate(truth, prior="nonparametric", communities=40, regions=500, seed=1)

    least = 0.9 if truth == "two_point" else 0.93
    assert least - 0.014 <= coverage(result, "observed_top") <= 0.97 + 0.014


@pytest.mark.long
@pytest.mark.parametrize(("communities", "regions"), [(20, 3000), (40, 1500), (200, 300), (2000, 30)])
@pytest.mark.parametrize("truth", list(SATISFACTION_DISTRIBUTIONS))
def test_the_evidence_is_calibrated_for_every_distribution_and_size(truth, communities, regions):
    result = calibrate(truth, prior="nonparametric", communities=communities, regions=regions, seed=2)

    # Two kinds of communities: an interval around one of two possible values nearly always contains it.
    highest = 1.0 if truth == "two_point" else 0.97
    assert 0.93 <= coverage(result, "all") <= highest
    for group in ("fewer_than_60", "from_60_to_149", "from_150"):
        assert 0.93 <= coverage(result, group) <= highest
    # Two standard errors of some 3,000 communities.
    least = 0.9 if truth == "two_point" else 0.93
    assert least - 0.008 <= coverage(result, "observed_top") <= highest + 0.008
    curve = result.curve[result.curve["communities"] >= 100]
    error = np.sqrt(curve["predicted"] * (1 - curve["predicted"]) / curve["communities"])
    tolerance = 3 * error + (0.25 if truth == "two_point" else 0.05)
    assert ((curve["realised"] - curve["predicted"]).abs() <= tolerance).all()
