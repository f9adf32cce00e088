import numpy as np
import pytest

from analytics.calibration.complaint_rates import COMPLAINT_RATE_DISTRIBUTIONS, calibrate_complaints


def shares(truth, prior, **options):
    result = calibrate_complaints(truth, prior=prior, **({"communities": 200, "regions": 10, "seed": 3} | options))
    coverage = result.coverage.query("interval == 'credible'").set_index("group")["coverage"]
    return result, coverage


@pytest.mark.parametrize("truth", COMPLAINT_RATE_DISTRIBUTIONS)
def test_learned_intervals_hold_what_they_promise_among_all_and_among_the_best(truth):
    _, coverage = shares(truth, "nonparametric")

    assert (coverage[["all", "observed_top"]] >= 0.93).all()
    assert (coverage[["fewer_than_300", "from_300_to_999", "from_1000"]] >= 0.92).all()


def test_the_gamma_prior_misses_the_best_where_there_are_two_kinds():
    assert shares("two_rates", "normal")[1]["observed_top"] < 0.8


def test_the_probabilities_add_up_and_come_true():
    result, _ = shares("gamma_rates", "nonparametric", regions=30)
    curve = result.curve

    assert np.average(curve["predicted"], weights=curve["communities"]) == pytest.approx(0.05, abs=1e-6)
    assert np.average(curve["realised"], weights=curve["communities"]) == pytest.approx(0.05, abs=1e-6)
    bands = result.bands.set_index("evidence")
    assert bands.loc["no", "realised"] <= 0.05
    assert bands.loc["likely", "realised"] >= 0.7


def test_an_unknown_truth_is_refused():
    with pytest.raises(ValueError, match="truth must be one of gamma_rates"):
        calibrate_complaints("normal", prior="normal", communities=20, regions=1, seed=1)
