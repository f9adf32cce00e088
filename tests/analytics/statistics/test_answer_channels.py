"""Answers through slips beside those through posters: against the comparison of groups and cities of known truth."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics import answer_groups
from analytics.statistics.answer_channels import compare_channels
from analytics.statistics.answer_groups import compare_groups
from tests.analytics.statistics.test_answer_waves import COUNTS


@given(st.lists(COUNTS, min_size=12, max_size=20))
def test_who_answers_on_a_slip_differs_from_all_by_the_share_of_the_posters(counts):
    found, groups = (compare(*np.transpose(counts)) for compare in (compare_channels, compare_groups))
    if groups is None:
        assert found is None
        return
    pooled = groups.first + groups.second

    assert (found.poster, found.slip) == (groups.first, groups.second)
    difference = groups.found
    assert (found.difference, found.error, found.deviation) == (
        difference.difference,
        difference.error,
        difference.deviation,
    )
    assert found.spread == pytest.approx(groups.distance * groups.first / pooled)
    assert 0 <= found.spread <= groups.distance


@pytest.mark.parametrize(("answers", "share"), [(2, Fraction(1, 2)), (5, Fraction(4, 5)), (9, Fraction(2, 3))])
def test_the_variance_of_single_answers_is_estimated_without_bias(answers, share):
    chances = [comb(answers, y) * share**y * (1 - share) ** (answers - y) for y in range(answers + 1)]
    estimates = [Fraction(y * (answers - y), answers * (answers - 1)) for y in range(answers + 1)]
    found = answer_groups._spread_of(np.arange(answers + 1.0), np.full(answers + 1, float(answers)))

    assert found == pytest.approx([float(each) for each in estimates])
    assert sum(chance * each for chance, each in zip(chances, estimates, strict=True)) == share * (1 - share)


@pytest.mark.parametrize(("posters", "slips"), [(30, 10), (10, 30), (25, 25)])
def test_the_spread_is_how_far_those_on_slips_lie_from_the_mean_of_all(posters, slips):
    random = np.random.default_rng(7)
    rates = random.uniform(0.7, 0.9, 400)
    spreads = []
    for _ in range(100):
        through = random.binomial(posters, rates), random.binomial(slips, rates - 0.1)
        found = compare_channels(through[0], [posters] * 400, through[1], [slips] * 400)
        spreads.append(found.spread)
    of_all = (posters * 0.0 + slips * -0.1) / (posters + slips)

    # The median, since chance raises one in twenty.
    assert np.median(spreads) == pytest.approx(abs(-0.1 - of_all), rel=0.05)


def test_chance_alone_seldom_raises_anything():
    random = np.random.default_rng(3)
    found = []
    for _ in range(1_000):
        rates = random.uniform(0.6, 0.95, 60)
        posters, slips = random.integers(5, 40, 60), random.integers(3, 20, 60)
        found.append(compare_channels(random.binomial(posters, rates), posters, random.binomial(slips, rates), slips))

    # Two findings, each by chance in one of twenty.
    assert np.mean([each.spread > 0 for each in found]) < 0.12


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (([11], [10], [5], [10]), "poster_satisfied exceeds poster"),
        (([5], [10], [11], [10]), "slip_satisfied exceeds slip"),
    ],
)
def test_counts_that_cannot_be_are_refused_by_their_names(counts, message):
    with pytest.raises(ValueError, match=message):
        compare_channels(*counts)
