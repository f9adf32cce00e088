import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics.mean_scores import sample_variance, standard_error
from analytics.statistics.raking_weights import (
    Margin,
    SamplingDesign,
    effective_sample_size,
    margin_deviations,
    rake,
    raked_mean,
    trim_weights,
    weighted_mean,
)
from tests.analytics.reference import published

API = published("survey-api")
ROWS, COLUMNS = ["top", "top", "bottom", "bottom"], ["left", "right", "left", "right"]


@pytest.fixture
def stratified_schools(shared_data):
    return pd.read_csv(shared_data / "reference" / "survey_apistrat.csv")


@pytest.fixture
def sampled_schools(shared_data):
    return pd.read_csv(shared_data / "reference" / "survey_apisrs.csv")


def survey(seed=3, size=120):
    """Answers of residents that depend on age, tenure and chance."""
    generator = np.random.default_rng(seed)
    age = generator.choice(["young", "middle", "old"], size, p=[0.5, 0.3, 0.2])
    tenure = generator.choice(["owner", "tenant"], size, p=[0.6, 0.4])
    points = 3 * (age == "old") + 2 * (tenure == "owner") + generator.normal(0, 1, size)
    margins = [
        Margin("age", age, {"young": 300, "middle": 400, "old": 300}),
        Margin("tenure", tenure, {"owner": 800, "tenant": 200}),
    ]
    return points, margins


def test_raking_a_table_of_two_by_two_by_hand():
    # Cells 10, 20, 30, 40 keep their odds ratio 2/3 while rows become 40, 60 and columns 50, 50:
    # x(x + 10) ÷ ((40 − x)(50 − x)) = 2/3, so x² + 210x − 4000 = 0.
    x = (-210 + np.sqrt(60100)) / 2
    raking = rake(
        [10, 20, 30, 40],
        [Margin("row", ROWS, {"top": 40, "bottom": 60}), Margin("column", COLUMNS, {"left": 50, "right": 50})],
    )
    np.testing.assert_allclose(raking.weights, [x, 40 - x, 50 - x, 10 + x], rtol=1e-10)


def test_raking_to_what_holds_already_changes_nothing():
    raking = rake([1, 2, 3, 4], [Margin("row", ROWS, {"top": 3, "bottom": 7})])
    assert raking.weights.tolist() == [1, 2, 3, 4]
    assert raking.passes == 1


@given(counts=st.lists(st.integers(1, 50), min_size=4, max_size=4), top=st.integers(1, 99), left=st.integers(1, 99))
def test_raked_weights_meet_every_margin(counts, top, left):
    margins = [
        Margin("row", ROWS, {"top": top, "bottom": 100 - top}),
        Margin("column", COLUMNS, {"left": left, "right": 100 - left}),
    ]
    gaps = margin_deviations(rake(counts, margins).weights, margins)
    assert max(abs(gap) for margin in gaps.values() for gap in margin.values()) <= 1e-11


def test_neither_order_of_rows_nor_of_margins_changes_the_weights():
    _, margins = survey()
    order = np.random.default_rng(0).permutation(120)
    shuffled = [Margin(margin.name, np.asarray(margin.categories)[order], margin.totals) for margin in margins[::-1]]
    straight = rake(np.ones(120), margins).weights
    np.testing.assert_allclose(rake(np.ones(120), shuffled).weights, straight[order], rtol=1e-10)


def test_cells_with_counts_rake_like_the_rows_they_stand_for():
    margins = [Margin("row", ROWS, {"top": 40, "bottom": 60}), Margin("column", COLUMNS, {"left": 50, "right": 50})]
    counts = [3, 1, 2, 4]
    rows = [Margin(margin.name, np.repeat(margin.categories, counts), margin.totals) for margin in margins]
    cells, people = rake(counts, margins).weights, rake(np.ones(10), rows).weights
    np.testing.assert_allclose(np.repeat(cells / counts, counts), people, rtol=1e-10)


def test_stratified_sample_has_the_mean_and_standard_error_of_r_survey(stratified_schools):
    schools = stratified_schools
    result = weighted_mean(
        schools["api00"], schools["pw"], design=SamplingDesign(schools["stype"], population=schools["fpc"])
    )
    assert result.mean == pytest.approx(API["stratified_sample"]["mean"], abs=1e-7)
    assert result.standard_error == pytest.approx(API["stratified_sample"]["standard_error"], abs=1e-7)
    assert result.degrees_of_freedom == 197


def test_simple_random_sample_has_the_mean_and_standard_error_of_r_survey(sampled_schools):
    schools, expected = sampled_schools, API["simple_random_sample"]
    result = weighted_mean(schools["api00"], schools["pw"], design=SamplingDesign(population=schools["fpc"]))
    assert (result.mean, result.standard_error) == pytest.approx(
        (expected["mean"], expected["standard_error"]), abs=1e-7
    )
    without = weighted_mean(schools["api00"], schools["pw"])
    assert without.standard_error == pytest.approx(expected["without_correction"], abs=1e-7)


def test_raking_to_one_margin_is_poststratification(sampled_schools):
    schools = sampled_schools
    population = {stype: schools_in for stype, schools_in, *_ in API["strata"]}
    margin = Margin("stype", schools["stype"].to_numpy(), population)
    result = raked_mean(
        schools["api00"], rake(schools["pw"], [margin]), design=SamplingDesign(population=schools["fpc"])
    )
    groups = schools.groupby("stype")["api00"]
    share = pd.Series(population) / 6194
    residual = (schools["api00"] - groups.transform("mean")) * schools["stype"].map(share / groups.size())
    assert result.mean == pytest.approx((share * groups.mean()).sum(), abs=5e-7)
    assert result.standard_error == pytest.approx(np.sqrt((1 - 200 / 6194) * 200 / 199 * (residual**2).sum()), rel=1e-9)


def test_standard_error_of_a_raked_mean_is_near_the_jackknife():
    points, margins = survey()
    result = raked_mean(points, rake(np.ones(points.size), margins))
    left_out = []
    for row in range(points.size):
        kept = np.arange(points.size) != row
        some = [Margin(margin.name, np.asarray(margin.categories)[kept], margin.totals) for margin in margins]
        weights = rake(np.ones(points.size - 1), some).weights
        left_out.append((weights * points[kept]).sum() / weights.sum())
    jackknife = np.sqrt((points.size - 1) * np.var(left_out))
    assert result.standard_error == pytest.approx(jackknife, rel=0.05)
    assert (
        result.standard_error < 0.8 * weighted_mean(points, rake(np.ones(points.size), margins).weights).standard_error
    )


def test_raked_scores_end_at_the_sixth_decimal():
    points, margins = survey()
    raking = rake(np.ones(points.size), margins)
    unrounded = weighted_mean(points, raking.weights).mean
    assert raked_mean(points, raking).mean == np.round(unrounded, 6) != unrounded


def test_a_community_within_the_survey_has_its_own_mean():
    points, margins = survey()
    owners = np.asarray(margins[1].categories) == "owner"
    raking = rake(np.ones(points.size), margins)
    result = raked_mean(points, raking, within=owners)
    assert result.mean == pytest.approx(np.average(points[owners], weights=raking.weights[owners]), abs=5e-7)
    assert result.effective_n == pytest.approx(effective_sample_size(raking.weights[owners]))


def test_equal_weights_give_the_plain_standard_error():
    points = [5, 4, 4, 1, 2]
    result = weighted_mean(points, np.full(5, 7.0), design=SamplingDesign(population=20))
    variance = sample_variance(5, sum(points), sum(point**2 for point in points))
    assert result.standard_error == pytest.approx(float(standard_error(variance, 5, sampling_fraction=0.25)))


def test_clusters_are_the_units_that_vary():
    # Two buildings whose residents agree among themselves: as good as two answers.
    clustered = weighted_mean(
        [1, 1, 1, 0, 0, 0], np.ones(6), design=SamplingDesign(clusters=["a", "a", "a", "b", "b", "b"])
    )
    assert clustered.standard_error == pytest.approx(np.sqrt(sample_variance(2, 1, 1) / 2))
    assert clustered.degrees_of_freedom == 1


def test_a_stratum_of_one_drawn_unit_hides_its_error_unless_it_is_complete():
    points, strata = [1.0, 2.0, 4.0], ["x", "y", "y"]
    partly, whole = (SamplingDesign(strata, population=population) for population in ([5, 9, 9], [1, 2, 2]))
    assert np.isnan(weighted_mean(points, np.ones(3), design=partly).standard_error)
    assert weighted_mean(points, np.ones(3), design=whole).standard_error == 0


@given(weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=30))
def test_effective_sample_size_lies_between_one_and_the_number_of_rows(weights):
    assert 1 - 1e-9 <= effective_sample_size(weights) <= len(weights) + 1e-9
    assert effective_sample_size([0.0, *weights]) == pytest.approx(effective_sample_size(weights))


@given(weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=30), ratio=st.floats(1.01, 6))
def test_trimming_bounds_the_weights_and_keeps_their_sum(weights, ratio):
    trimmed = trim_weights(weights, largest_ratio=ratio)
    assert trimmed.sum() == pytest.approx(sum(weights))
    assert trimmed.max() <= ratio * trimmed.mean() * (1 + 1e-9)
    assert effective_sample_size(trimmed) >= effective_sample_size(weights) * (1 - 1e-9)


def test_no_rows_have_no_effective_sample_size():
    assert effective_sample_size([]) == 0


@pytest.mark.parametrize(
    ("margins", "message"),
    [
        ([Margin("row", ROWS, {"top": 1, "bottom": 1, "middle": 1})], "margin row has no answer in: middle"),
        ([Margin("row", ROWS, {"top": 2})], "margin row has rows but no total for: bottom"),
        ([Margin("row", ROWS, {"top": 2, "bottom": 0})], "margin row needs totals above 0, not so for: bottom"),
        ([Margin("row", ROWS[:3], {"top": 2, "bottom": 2})], "row must hold one label for each of 4 rows"),
        (
            [Margin("row", ROWS, {"top": 2, "bottom": 2}), Margin("column", COLUMNS, {"left": 2, "right": 3})],
            "different sums: row 4, column 5",
        ),
        ([], "at least one margin"),
    ],
)
def test_margins_that_cannot_be_met_are_named(margins, message):
    with pytest.raises(ValueError, match=message):
        rake([1, 1, 1, 1], margins)


def test_a_cell_whose_rows_weigh_nothing_is_empty():
    with pytest.raises(ValueError, match="margin row has no answer in: top"):
        rake([0, 0, 1, 1], [Margin("row", ROWS, {"top": 2, "bottom": 2})])


def test_margins_that_contradict_each_other_are_refused():
    # Every top row is left, but the margins require more tops than lefts.
    margins = [
        Margin("row", ["top", "bottom", "bottom"], {"top": 50, "bottom": 50}),
        Margin("column", ["left", "left", "right"], {"left": 40, "right": 60}),
    ]
    with pytest.raises(ValueError, match="no weights were found that meet the margins row, column"):
        rake([1, 1, 1], margins)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rake([[1.0]], [Margin("row", ["a"], {"a": 1})]), "one dimension"),
        (lambda: trim_weights([1, 2], largest_ratio=1), "largest_ratio must be above 1"),
        (lambda: trim_weights([0, 0], largest_ratio=2), "all weights are 0"),
        (lambda: trim_weights([0, 0, 0, 1], largest_ratio=2), "too few rows carry weight"),
        (lambda: weighted_mean([1, 2], [1]), "columns of one length"),
        (lambda: weighted_mean([1, 2], [0, 0]), "no row of the mean carries weight"),
        (lambda: weighted_mean([1, np.nan], [1, 1]), "values is missing or infinite"),
        (
            lambda: weighted_mean([1, 2], [1, 1], design=SamplingDesign(population=[3, 4])),
            "population differs within a stratum",
        ),
        (
            lambda: weighted_mean([1, 2], [1, 1], design=SamplingDesign(population=1)),
            "more primary units than population",
        ),
        (
            lambda: raked_mean([1.0], rake([1, 1], [Margin("row", ["a", "b"], {"a": 1, "b": 1})])),
            "columns of one length",
        ),
    ],
)
def test_impossible_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
