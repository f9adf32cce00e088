"""Waves of answers: against sums by hand, permutations and simulated cities of which the truth is known."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.statistics.answer_groups import LEAST_ANSWERS, LEAST_COMMUNITIES
from analytics.statistics.answer_waves import compare_waves

COUNTS = st.tuples(st.integers(2, 30), st.integers(2, 30)).flatmap(
    lambda sizes: st.tuples(st.integers(0, sizes[0]), st.just(sizes[0]), st.integers(0, sizes[1]), st.just(sizes[1]))
)


def simulated(random, *, communities=60, wave=40, shift=0.0, deviation=0.0):
    """Return waves of communities whose true difference of the last wave from the first is known."""
    rate = random.uniform(0.65, 0.85, communities)
    apart = random.normal(shift, deviation, communities)
    first = random.binomial(wave, np.clip(rate - apart / 2, 0, 1))
    last = random.binomial(wave, np.clip(rate + apart / 2, 0, 1))
    return first, np.full(communities, wave), last, np.full(communities, wave)


@given(st.lists(COUNTS, min_size=LEAST_COMMUNITIES, max_size=20))
def test_the_difference_is_the_mantel_haenszel_one_in_exact_fractions(counts):
    found = compare_waves(*np.transpose(counts))
    answers = min(sum(row[1] for row in counts), sum(row[3] for row in counts))
    if answers < LEAST_ANSWERS:
        assert found is None
        return
    weights = [Fraction(n1 * n2, n1 + n2) for _, n1, _, n2 in counts]
    apart = [Fraction(y2, n2) - Fraction(y1, n1) for y1, n1, y2, n2 in counts]
    expected = sum(w * d for w, d in zip(weights, apart, strict=True)) / sum(weights)

    assert found.difference == pytest.approx(float(expected), abs=1e-12)
    assert 0 <= found.spread <= 1
    assert found.error >= 0


@given(st.lists(COUNTS, min_size=12, max_size=20), st.randoms())
def test_neither_the_order_of_communities_nor_the_direction_of_the_waves_matters(counts, random):
    before = compare_waves(*np.transpose(counts))
    shuffled = random.sample(counts, len(counts))
    mirrored = compare_waves(*np.transpose([(y2, n2, y1, n1) for y1, n1, y2, n2 in shuffled]))
    if before is None:
        assert mirrored is None
        return

    assert mirrored.difference == pytest.approx(-before.difference, abs=1e-12)
    assert mirrored.spread == pytest.approx(before.spread, abs=1e-9)


def test_chance_alone_seldom_raises_anything():
    random = np.random.default_rng(20261202)
    found = [compare_waves(*simulated(random, wave=int(random.integers(4, 40)))) for _ in range(2_000)]

    # Two findings, each by chance in one of twenty.
    assert np.mean([each.spread > 0 for each in found]) < 0.12
    assert np.mean([each.differs for each in found]) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(("shift", "deviation"), [(-0.08, 0.0), (0.0, 0.15), (-0.06, 0.12), (0.08, 0.0)])
def test_a_true_drift_is_found_and_extrapolated(shift, deviation):
    random = np.random.default_rng(11)
    found = [compare_waves(*simulated(random, communities=400, shift=shift, deviation=deviation)) for _ in range(200)]

    assert np.mean([each.difference for each in found]) == pytest.approx(shift, abs=0.003)
    assert np.mean([each.spread for each in found]) == pytest.approx(0.75 * np.hypot(shift, deviation), rel=0.06)
    within = [abs(each.difference - shift) < 1.96 * each.error for each in found]
    assert np.mean(within) == pytest.approx(0.95, abs=0.04)


def test_the_last_to_answer_lie_three_quarters_of_the_difference_beyond_the_mean():
    # A straight line over the order of very many answers.
    line = np.linspace(0.9, 0.6, 30_000)
    first, last = line[:10_000].mean(), line[-10_000:].mean()

    assert line.mean() - line[-1] == pytest.approx(0.75 * (first - last), abs=1e-4)


def test_households_that_answer_twice_are_no_drift():
    random = np.random.default_rng(5)
    raised = {1.0: [], 2.0: []}
    for _ in range(500):
        first, _n1, last, _n2 = simulated(random, wave=20)
        for effect, found in raised.items():
            found.append(compare_waves(2 * first, [40] * 60, 2 * last, [40] * 60, design_effect=effect).deviation > 0)

    assert np.mean(raised[1.0]) > 0.9
    assert np.mean(raised[2.0]) < 0.1


def test_nothing_is_said_of_few_communities_or_answers():
    rows = [(8, 10, 7, 10)] * LEAST_COMMUNITIES

    assert compare_waves(*np.transpose(rows)) is not None
    assert compare_waves(*np.transpose(rows[1:])) is None
    assert compare_waves(*np.transpose([*rows[1:], (1, 1, 7, 10)])) is None
    assert compare_waves(*np.transpose([(8, 9, 7, 10)] * LEAST_COMMUNITIES)) is None


def test_communities_of_one_mind_differ_in_nothing():
    found = compare_waves([10] * 12, [10] * 12, [10] * 12, [10] * 12)

    assert (found.difference, found.error, found.differs, found.deviation, found.spread) == (0, 0, False, 0, 0)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (([11], [10], [5], [10]), "first_satisfied exceeds first"),
        (([5], [10], [11], [10]), "last_satisfied exceeds last"),
        (([5.5], [10], [5], [10]), "first_satisfied"),
    ],
)
def test_counts_that_cannot_be_are_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        compare_waves(*counts)


def test_a_design_effect_below_one_is_refused():
    with pytest.raises(ValueError, match="design_effect"):
        compare_waves([5], [10], [5], [10], design_effect=0.5)
