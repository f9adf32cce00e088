import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.decision.ranks import order_ratios, percentile_of_ranks, ranks_within

ratios = st.lists(st.tuples(st.integers(0, 2**53), st.integers(1, 2**53)), max_size=30)
small_ratios = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), max_size=30)
scores = st.lists(st.one_of(st.integers(0, 6).map(float), st.just(float("nan"))), max_size=30)
neighbours = st.lists(st.integers(2**50, 2**50 + 5).map(lambda top: (top, top + 1)), max_size=10)


@settings(deadline=None)
@given(st.one_of(ratios, small_ratios, neighbours))
def test_ratios_are_in_the_order_of_fractions(pairs):
    tops, bottoms = [top for top, _ in pairs], [bottom for _, bottom in pairs]
    exact = [Fraction(top, bottom) for top, bottom in pairs]
    expected = [sorted(set(exact)).index(value) for value in exact]
    assert order_ratios(tops, bottoms).tolist() == expected


@pytest.mark.parametrize(("tops", "bottoms"), [([-1], [1]), ([1], [0]), ([2**53 + 1], [1]), ([1], [-1])])
def test_numbers_that_are_no_exact_ratio_are_refused(tops, bottoms):
    with pytest.raises(ValueError, match="must lie in"):
        order_ratios(tops, bottoms)


def ranks_of_one_region(values, best):
    scores = np.asarray(values, dtype=float)
    return ranks_within(scores, np.zeros(scores.size, dtype=np.int64), best=best)


@settings(deadline=None)
@given(scores, st.sampled_from(["high", "low"]))
def test_ranks_count_better_communities_and_ties(values, best):
    better = (lambda other, own: other > own) if best == "high" else (lambda other, own: other < own)
    ranked = [value for value in values if not math.isnan(value)]
    ranks, lasts = ranks_of_one_region(values, best)
    shares = percentile_of_ranks(ranks, lasts, ranked=len(ranked))
    for value, rank, last, share in zip(values, ranks, lasts, shares, strict=True):
        if math.isnan(value):
            assert np.isnan([rank, last, share]).all()
            continue
        above, equal = sum(better(other, value) for other in ranked), ranked.count(value)
        assert (rank, last) == (above + 1, above + equal)
        assert share == pytest.approx((len(ranked) - above - equal + equal / 2) / len(ranked))


@settings(deadline=None)
@given(scores, st.sampled_from(["high", "low"]))
def test_a_monotone_rescaling_keeps_ranks(values, best):
    rescaled = np.exp(np.asarray(values, dtype=float) / 3) - 7
    np.testing.assert_array_equal(ranks_of_one_region(values, best), ranks_of_one_region(rescaled, best))


def test_nobody_ranked_is_no_error():
    assert np.isnan(ranks_of_one_region([float("nan")], "high")).all()
    assert ranks_of_one_region([], "low")[0].size == 0
    assert percentile_of_ranks(np.array([np.nan]), np.array([np.nan]), ranked=0).size == 1


def test_best_is_high_or_low():
    with pytest.raises(ValueError, match="high"):
        ranks_of_one_region([1.0], "largest")


@settings(deadline=None)
@given(
    communities=st.lists(
        st.tuples(st.integers(0, 4), st.one_of(st.just(float("nan")), st.integers(0, 5).map(float))), max_size=40
    ),
    best=st.sampled_from(["high", "low"]),
)
def test_ranks_within_regions_are_the_ranks_of_each_region_alone(communities, best):
    region = np.array([number for number, _ in communities], dtype=np.int64)
    scores = np.array([score for _, score in communities], dtype=float)

    rank, last = ranks_within(scores, region, best=best)

    for number in np.unique(region):
        alone = region == number
        np.testing.assert_array_equal((rank[alone], last[alone]), ranks_of_one_region(scores[alone], best))
