import csv

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from analytics.statistics.intervals import (
    clopper_pearson,
    hypergeometric_households,
    normal_quantile,
    poisson_byar,
    poisson_exact,
    satisfaction_interval,
    wilson,
)
from tests.analytics.reference import columns, published

PHE = published("phe-indicator-methods")
EPITOOLS = published("epitools")
LEVELS = st.sampled_from([0.8, 0.95, 0.998])


@st.composite
def surveys(draw, largest=400):
    """A community's households H, the n that answered and the c that are satisfied."""
    households = draw(st.integers(1, largest))
    n = draw(st.integers(0, households))
    return draw(st.integers(0, n)), n, households


def test_wilson_agrees_with_the_english_public_health_indicators():
    for events, n, level, lower, upper in PHE["wilson"]:
        limits = wilson(events, n, level=level)
        np.testing.assert_allclose(limits, (lower, upper), rtol=1e-12)


def test_wilson_agrees_with_the_table_of_proportions_at_both_levels():
    events, n, lower95, upper95, lower998, upper998 = columns(PHE["proportions"])
    np.testing.assert_allclose(wilson(events, n, level=0.95), (lower95, upper95), rtol=1e-12)
    np.testing.assert_allclose(wilson(events, n, level=0.998), (lower998, upper998), rtol=1e-12)


def test_wilson_agrees_with_the_whole_outside_table(shared_data):
    with (shared_data / "reference" / "phe_Proportion_testdata_Prop.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["value"]]
    events, n, multiplier = (
        np.array([float(row[key]) for row in rows]) for key in ("Numerator", "Denominator", "multiplier")
    )
    for level, suffix in ((0.95, "95_0cl"), (0.998, "99_8cl")):
        limits = wilson(events, n, level=level)
        np.testing.assert_allclose(
            limits.lower * multiplier, [float(row["lower" + suffix]) for row in rows], rtol=1e-12
        )
        np.testing.assert_allclose(
            limits.upper * multiplier, [float(row["upper" + suffix]) for row in rows], rtol=1e-12
        )


def test_wilson_agrees_with_epitools():
    events, n, lower, upper = columns(EPITOOLS["wilson"])
    np.testing.assert_allclose(wilson(events, n, level=0.95), (lower, upper), rtol=1e-10, atol=1e-16)


def test_clopper_pearson_agrees_with_epitools():
    events, n, lower, upper = columns(EPITOOLS["clopper_pearson"])
    np.testing.assert_allclose(clopper_pearson(events, n, level=0.95), (lower, upper), rtol=1e-10)


def test_exact_poisson_agrees_with_epitools():
    events, lower, upper = columns(EPITOOLS["pois_exact"])
    # epitools searches its roots with R's uniroot, which stops within 1.2e-4 events.
    np.testing.assert_allclose(poisson_exact(events, level=0.95), np.multiply((lower, upper), 1000), atol=1.2e-4)


@given(events=st.integers(1, 5000), level=LEVELS)
def test_exact_poisson_limits_leave_half_of_alpha_in_each_tail(events, level):
    limits = poisson_exact(events, level=level)
    assert stats.poisson.sf(events - 1, limits.lower) == pytest.approx((1 - level) / 2, rel=1e-8)
    assert stats.poisson.cdf(events, limits.upper) == pytest.approx((1 - level) / 2, rel=1e-8)


def test_no_event_leaves_the_well_known_upper_limit():
    limits = poisson_exact(0, level=0.95)
    assert limits.lower == 0
    assert limits.upper == pytest.approx(3.688879454113936, abs=1e-12)


def test_byar_agrees_with_the_english_public_health_indicators():
    for events, level, lower, upper in PHE["byars"]:
        limits = poisson_byar(events, level=level)
        expected = (np.nan if lower is None else lower, upper)
        np.testing.assert_allclose(limits, expected, rtol=1e-12)


def test_epitools_byar_is_the_other_formula():
    events, lower, upper = (np.array(column) for column in columns(EPITOOLS["pois_byar"]))
    shifted = events + 0.5
    step = normal_quantile(0.95) / 3 / np.sqrt(shifted)
    theirs = shifted * (1 - 1 / (9 * shifted) + np.array([[-1], [1]]) * step) ** 3
    np.testing.assert_allclose(theirs, np.multiply((lower, upper), 1000), rtol=1e-9)
    assert np.all(poisson_byar(events, level=0.95).upper > theirs[1])


def test_hypergeometric_limits_cover_every_truth_of_small_communities():
    for households in range(1, 16):
        for n in range(1, households + 1):
            counts = np.arange(n + 1)
            limits = hypergeometric_households(counts, n, households=households, level=0.9)
            for truth in range(households + 1):
                covered = (limits.lower <= truth) & (truth <= limits.upper)
                assert stats.hypergeom.pmf(counts, households, truth, n)[covered].sum() >= 0.9 - 1e-9


def test_hypergeometric_limits_are_those_of_the_exact_tests():
    generator = np.random.default_rng(7)
    for _ in range(40):
        households = int(generator.integers(1, 900))
        n = int(generator.integers(1, households + 1))
        count = int(generator.integers(0, n + 1))
        truths = np.arange(count, households - n + count + 1)
        kept = truths[
            (stats.hypergeom.cdf(count, households, truths, n) > 0.025)
            & (stats.hypergeom.sf(count - 1, households, truths, n) > 0.025)
        ]
        limits = hypergeometric_households(count, n, households=households, level=0.95)
        assert (limits.lower, limits.upper) == (kept[0], kept[-1])


@pytest.mark.parametrize(("households", "n"), [(100, 50), (100, 20), (60, 12), (400, 30), (30, 29)])
def test_satisfaction_intervals_cover_every_truth_of_a_community(households, n):
    # Wilson's with finite population correction covered .8825 at H = 100, n = 50.
    counts = np.arange(n + 1)
    limits = satisfaction_interval(counts, n, households=households, level=0.95)

    for truth in range(households + 1):
        covered = (limits.lower <= truth / households + 1e-12) & (truth / households - 1e-12 <= limits.upper)
        assert stats.hypergeom.pmf(counts, households, truth, n)[covered].sum() >= 0.95 - 1e-9


@given(survey=surveys(), level=LEVELS)
@example(survey=(1, 20, 21), level=0.8)
def test_satisfaction_interval_holds_the_observed_rate_within_the_possible_range(survey, level):
    satisfied, n, households = survey
    limits = satisfaction_interval(satisfied, n, households=households, level=level)
    assert satisfied / households - 1e-12 <= limits.lower <= limits.upper
    assert limits.upper <= (households - n + satisfied) / households + 1e-12
    if n:
        assert limits.lower - 1e-12 <= satisfied / n <= limits.upper + 1e-12


@given(survey=surveys())
def test_a_higher_level_gives_a_wider_interval(survey):
    satisfied, n, households = survey
    for limits in (
        lambda level: wilson(satisfied, n, level=level),
        lambda level: satisfaction_interval(satisfied, n, households=households, level=level),
        lambda level: clopper_pearson(satisfied, n, level=level),
        lambda level: poisson_exact(satisfied, level=level),
    ):
        narrow, wide = limits(0.95), limits(0.998)
        assert wide.lower <= narrow.lower + 1e-12
        assert wide.upper >= narrow.upper - 1e-12


@given(satisfied=st.integers(0, 50), more=st.integers(0, 50), times=st.integers(2, 20))
def test_more_answers_of_the_same_rate_shrink_the_interval(satisfied, more, times):
    n = satisfied + more + 1
    for method in (wilson, clopper_pearson):
        few, many = method(satisfied, n, level=0.95), method(satisfied * times, n * times, level=0.95)
        assert many.upper - many.lower < few.upper - few.lower


@given(rows=st.lists(surveys(), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_reordering_communities_changes_no_interval(rows, seed):
    satisfied, n, households = np.array(rows).T
    order = np.random.default_rng(seed).permutation(len(rows))
    limits = satisfaction_interval(satisfied, n, households=households, level=0.95)
    shuffled = satisfaction_interval(satisfied[order], n[order], households=households[order], level=0.95)
    np.testing.assert_array_equal(np.array(limits)[:, order], np.array(shuffled))


@given(households=st.integers(1, 300), data=st.data())
def test_a_census_leaves_no_interval(households, data):
    satisfied = data.draw(st.integers(0, households))
    limits = satisfaction_interval(satisfied, households, households=households, level=0.998)
    assert limits.lower == limits.upper == satisfied / households


@given(survey=surveys(), level=LEVELS)
def test_satisfied_and_dissatisfied_mirror_each_other(survey, level):
    satisfied, n, households = survey
    limits = satisfaction_interval(satisfied, n, households=households, level=level)
    mirrored = satisfaction_interval(n - satisfied, n, households=households, level=level)
    np.testing.assert_allclose((1 - mirrored.upper, 1 - mirrored.lower), limits, atol=1e-12)


def test_no_answer_excludes_nothing():
    for limits in (
        wilson(0, 0, level=0.95),
        clopper_pearson(0, 0, level=0.95),
        satisfaction_interval(0, 0, households=9, level=0.95),
        satisfaction_interval(0, 0, households=9, responding=9, level=0.95),
    ):
        assert limits == (0, 1)


def test_households_without_an_opinion_count_as_responding():
    # 20 of 40 households responded, 16 with an opinion: as if 16 of 32 had been asked.
    limits = satisfaction_interval(12, 16, households=40, responding=21, level=0.95)
    opinions = round(16 * 40 / 21)
    exact = hypergeometric_households(12, 16, households=opinions, level=0.95)
    np.testing.assert_allclose(limits, np.array(exact) / opinions)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wilson([1, 5, 6], [3, 4, 5], level=0.95), "events exceed n in 2 of 3 rows: row 1"),
        (lambda: wilson([np.nan], [3], level=0.95), "events is missing or infinite in 1 of 1 rows"),
        (lambda: wilson([-1], [3], level=0.95), "events is below 0"),
        (lambda: wilson(1, 3, level=95), "level must lie in"),
        (lambda: clopper_pearson(1.5, 3, level=0.95), "events is not a whole number"),
        (lambda: satisfaction_interval(1, 5, households=4, level=0.95), "n exceeds households"),
        (lambda: satisfaction_interval(1, 5, households=9, responding=4, level=0.95), "n exceeds responding"),
        (lambda: satisfaction_interval(1, 5, households=9, responding=10, level=0.95), "responding exceeds households"),
        (lambda: hypergeometric_households(4, 3, households=9, level=0.95), "satisfied exceeds n"),
        (lambda: poisson_exact([0, -1], level=0.95), "events is below 0"),
    ],
)
def test_impossible_rows_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_only_the_first_bad_rows_are_listed():
    with pytest.raises(ValueError, match=r"in 8 of 8 rows: row 0 .* row 4 \(events 1\.0, n 0\.0\), …$"):
        wilson(np.ones(8), np.zeros(8), level=0.95)
