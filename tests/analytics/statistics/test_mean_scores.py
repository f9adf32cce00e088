import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics.mean_scores import (
    mean_scores,
    pooled_variance,
    sample_variance,
    stabilised_variance,
    standard_error,
)
from tests.analytics.reference import columns, published

API = published("survey-api")

answers = st.lists(st.sampled_from([0, 25, 50, 75, 100]), min_size=1, max_size=40)


def sums(points):
    return len(points), sum(points), sum(point**2 for point in points)


def test_simple_random_sample_has_the_mean_and_standard_error_of_r_survey():
    sample = API["simple_random_sample"]
    variance = sample_variance(sample["n"], sample["total"], sample["total_of_squares"])
    assert mean_scores(sample["n"], sample["total"]) == pytest.approx(sample["mean"], abs=1e-7)
    error = standard_error(variance, sample["n"], sampling_fraction=sample["n"] / sample["population"])
    assert error == pytest.approx(sample["standard_error"], abs=1e-7)
    assert standard_error(variance, sample["n"]) == pytest.approx(sample["without_correction"], abs=1e-7)


def test_stratified_sample_has_the_mean_and_standard_error_of_r_survey():
    _, schools, n, total, squares = (np.array(column) for column in columns(API["strata"]))
    share = schools / schools.sum()
    errors = standard_error(sample_variance(n, total, squares), n, sampling_fraction=n / schools)
    # R's figure uses the file's weights, which are single precision: 44.2099990844727 for 44.21.
    assert (share * mean_scores(n, total)).sum() == pytest.approx(API["stratified_sample"]["mean"], abs=1e-6)
    combined = np.sqrt((share**2 * errors**2).sum())
    assert combined == pytest.approx(API["stratified_sample"]["standard_error"], abs=1e-7)


def test_a_satisfaction_rate_is_the_mean_of_ones_and_zeros():
    both, sample = API["both_targets"], API["simple_random_sample"]
    variance = sample_variance(200, both["satisfied"], both["satisfied"])
    error = standard_error(variance, 200, sampling_fraction=200 / sample["population"])
    assert error == pytest.approx(both["standard_error"], abs=1e-10)


def test_the_typed_sums_are_those_of_the_outside_samples(shared_data):
    simple = pd.read_csv(shared_data / "reference" / "survey_apisrs.csv")["api00"]
    sample = API["simple_random_sample"]
    assert (simple.size, simple.sum(), (simple**2).sum()) == (sample["n"], sample["total"], sample["total_of_squares"])
    strata = pd.read_csv(shared_data / "reference" / "survey_apistrat.csv").groupby("stype")["api00"]
    assert [strata.size().tolist(), strata.sum().tolist()] == [columns(API["strata"])[2], columns(API["strata"])[3]]


@given(points=answers)
def test_variance_from_sums_is_that_of_the_answers(points):
    variance = sample_variance(*sums(points))
    if len(points) == 1:
        assert np.isnan(variance)
    else:
        assert variance == pytest.approx(np.var(points, ddof=1), abs=1e-9)


def test_equal_answers_have_no_variance():
    assert sample_variance(7, 7 * 0.1, 7 * 0.1**2) == pytest.approx(0, abs=1e-15)


@given(regions=st.lists(st.lists(answers, min_size=1, max_size=4), min_size=1, max_size=3))
def test_pooled_variance_is_the_scatter_within_communities_of_the_region(regions):
    communities = [(label, points) for label, group in enumerate(regions) for points in group]
    n, total, squares = np.array([sums(points) for _, points in communities]).T
    pooled = pooled_variance(sample_variance(n, total, squares), n, region=[label for label, _ in communities])
    for row, (label, _) in enumerate(communities):
        group = regions[label]
        freedom = sum(len(points) - 1 for points in group)
        if freedom == 0:
            assert np.isnan(pooled[row])
        else:
            scatter = sum(np.sum((np.array(points) - np.mean(points)) ** 2) for points in group)
            assert pooled[row] == pytest.approx(scatter / freedom, abs=1e-9)


def test_one_answer_has_the_variance_of_its_region():
    np.testing.assert_allclose(stabilised_variance([np.nan, 0.3], [1, 0], pooled_variance=[0.14, 0.2]), [0.14, 0.2])


def test_many_answers_keep_their_own_variance():
    # (5 · 0.10 + 95 · 0.20) ÷ 100
    assert stabilised_variance(0.20, 96, pooled_variance=0.10) == pytest.approx(0.195)


@given(own=st.floats(0, 1), pooled=st.floats(0, 1), n=st.integers(2, 500))
def test_steadied_variance_lies_between_the_own_and_the_pooled(own, pooled, n):
    stabilised = stabilised_variance(own, n, pooled_variance=pooled)
    assert min(own, pooled) - 1e-12 <= stabilised <= max(own, pooled) + 1e-12


def test_no_answer_has_no_score_and_no_error():
    assert np.isnan(mean_scores(0, 0))
    assert np.isnan(standard_error(0.2, 0))


def test_full_coverage_has_no_sampling_error():
    assert standard_error(0.2, 12, sampling_fraction=1.0) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_variance([3, 3], [6, 6], [12, 11]), "total_of_squares is too small for total in 1 of 2 rows"),
        (lambda: pooled_variance([0.1], [3], region=["a", "b"]), "region must hold one label for each of 1 rows"),
        (lambda: pooled_variance([np.nan], [3], region=["a"]), "sample_variance is missing or negative"),
        (lambda: pooled_variance([0.1, 0.2], [3], region=["a"]), "columns of one length"),
        (lambda: stabilised_variance(np.nan, 3, pooled_variance=0.1), "sample_variance is missing or negative"),
        (lambda: standard_error(0.1, 3, sampling_fraction=1.5), "sampling_fraction exceeds 1"),
        (lambda: standard_error(-0.1, 3), "answer_variance is below 0"),
        (lambda: mean_scores(2.5, 1), "n is not a whole number"),
    ],
)
def test_impossible_rows_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
