"""Clerk effects: against permutations, a chi-squared test by hand, and simulated clerks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.statistics.clerk_effects import LEAST_ANSWERS, compare_clerks


def simulated(random, *, clerks=6, communities=20, answers=8, deviation=0.0):
    """Return pairs of clerks and communities whose clerks shift satisfaction by a known amount."""
    place, person = (codes.ravel() for codes in np.meshgrid(range(communities), range(clerks), indexing="ij"))
    took_part = random.random(place.size) < 0.6
    place, person = place[took_part], person[took_part]
    n = random.integers(1, 2 * answers, place.size)
    rate = np.clip(random.uniform(0.5, 0.8, communities)[place] + random.normal(0, deviation, clerks)[person], 0, 1)
    return random.binomial(n, rate), n, {"community": place, "clerk": person}


def test_of_one_community_it_is_the_chi_squared_test_of_its_table():
    satisfied, n = np.array([30, 25, 38]), np.array([40, 45, 42])
    found = compare_clerks(satisfied, n, community=[1, 1, 1], clerk=[1, 2, 3])
    pearson = stats.chi2_contingency(np.array([satisfied, n - satisfied]), correction=False).statistic
    total = n.sum()

    assert found.p_value == pytest.approx(stats.chi2.sf(pearson * (total - 1) / total, 2))


def test_the_p_value_is_that_of_dealing_answers_out_anew():
    random = np.random.default_rng(3)
    satisfied, n, labels = simulated(random, clerks=3, communities=4, answers=30, deviation=0.06)
    found = compare_clerks(satisfied, n, **labels)
    place, person = labels["community"], labels["clerk"]
    assert found.answers == n.sum()

    def sums(counts):
        share = np.bincount(place, counts) / np.bincount(place, n)
        return np.bincount(person, counts - n * share[place])

    dealt = np.zeros((4_000, n.size))
    for community in np.unique(place):
        own = np.flatnonzero(place == community)
        dealt[:, own] = random.multivariate_hypergeometric(n[own], satisfied[own].sum(), 4_000)
    drawn = np.array([sums(counts) for counts in dealt])
    spread = np.linalg.pinv(np.cov(drawn.T), rcond=1e-9, hermitian=True)
    statistics = np.einsum("ij,jk,ik->i", drawn, spread, drawn)
    observed = sums(satisfied) @ spread @ sums(satisfied)

    assert found.p_value == pytest.approx((statistics >= observed).mean(), abs=0.03)


def test_chance_is_found_as_often_as_stated():
    random = np.random.default_rng(1)
    found = [
        compare_clerks(satisfied, n, **labels).p_value
        for satisfied, n, labels in (simulated(random) for _ in range(1_500))
    ]

    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("deviation", [0.05, 0.12])
def test_what_clerks_differ_by_is_found(deviation):
    random = np.random.default_rng(2)
    found = []
    for _ in range(300):
        satisfied, n, labels = simulated(random, clerks=10, communities=60, deviation=deviation)
        found.append(compare_clerks(satisfied, n, **labels))

    assert np.sqrt(np.mean([each.deviation**2 for each in found])) == pytest.approx(deviation, rel=0.1)
    assert np.mean([each.p_value < 0.05 for each in found]) > 0.8


@given(st.integers(0, 2**32 - 1))
def test_neither_the_order_nor_the_names_of_clerks_matter(seed):
    random = np.random.default_rng(seed)
    satisfied, n, labels = simulated(random, clerks=4, communities=6)
    found = compare_clerks(satisfied, n, **labels)
    order = random.permutation(n.size)
    renamed = {name: np.array([f"{name} {99 - code}" for code in codes[order]]) for name, codes in labels.items()}
    again = compare_clerks(satisfied[order], n[order], **renamed)
    if found is None:
        assert again is None
        return

    assert (again.clerks, again.communities, again.answers) == (found.clerks, found.communities, found.answers)
    assert again.p_value == pytest.approx(found.p_value, abs=1e-6)
    assert again.deviation == pytest.approx(found.deviation, abs=1e-9)


def test_few_answers_and_communities_of_one_clerk_take_no_part():
    both = {"community": ["a", "a"], "clerk": ["Li", "Wu"]}

    assert compare_clerks([15, 15], [LEAST_ANSWERS, LEAST_ANSWERS], **both).answers == 2 * LEAST_ANSWERS
    assert compare_clerks([15, 15], [LEAST_ANSWERS, LEAST_ANSWERS - 1], **both) is None
    assert compare_clerks([15, 15], [30, 30], community=["a", "b"], clerk=["Li", "Wu"]) is None
    # Wu has enough answers only with those of a community of her own.
    assert compare_clerks([15, 5, 15], [30, 8, 30], community=["a", "a", "b"], clerk=["Li", "Wu", "Wu"]) is None


def test_answers_that_are_all_alike_differ_in_nothing():
    found = compare_clerks([30, 30], [30, 30], community=[1, 1], clerk=[1, 2])

    assert (found.p_value, found.deviation) == (1.0, 0.0)


def test_clerks_without_a_community_in_common_are_compared_within_their_own():
    satisfied, n = [38, 26, 20, 35], [40, 40, 40, 40]
    found = compare_clerks(satisfied, n, community=[1, 1, 2, 2], clerk=[1, 2, 3, 4])
    alone = [
        compare_clerks(satisfied[first : first + 2], n[:2], community=[1, 1], clerk=[1, 2]).p_value for first in (0, 2)
    ]
    joined = sum(stats.chi2.isf(each, 1) for each in alone)

    assert found.clerks == 4
    assert found.p_value == pytest.approx(stats.chi2.sf(joined, 2))


@pytest.mark.parametrize(
    ("satisfied", "n", "message"), [([3], [2], "exceeds n"), ([1.5], [2], "satisfied"), ([1, 1], [2], "one length")]
)
def test_counts_that_cannot_be_are_refused(satisfied, n, message):
    with pytest.raises(ValueError, match=message):
        compare_clerks(satisfied, n, community=[1], clerk=[1])
