"""A percentile is what counting by hand finds, and its interval is that of the ranks that a community may have."""

from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.decision.evaluate import evaluate
from analytics.decision.percentiles import percentile_interval, percentile_of
from analytics.decision.ranks import percentile_of_ranks, ranks_within
from tests.analytics.decision.test_hand_worked_standings import CASES, communities_of
from tests.analytics.rule_files import rules_with

SCORES = st.lists(st.integers(0, 6), min_size=1, max_size=30)


def counted(score, scores):
    """The share of worse scores and half of the share of equal ones, one by one."""
    return Fraction(sum(other < score for other in scores), len(scores)) + Fraction(
        scores.count(score), 2 * len(scores)
    )


def ties_of(scores):
    rank, last = ranks_within(np.array(scores, dtype=float), np.zeros(len(scores), dtype=np.int64), best="high")
    return list(zip(rank.astype(int).tolist(), last.astype(int).tolist(), strict=True))


@given(SCORES)
def test_a_percentile_counts_who_is_behind_and_half_of_who_is_level(scores):
    for score, tie in zip(scores, ties_of(scores), strict=True):
        found = percentile_of(*tie, ranked=len(scores))

        assert found.percentile == counted(score, scores)
        assert found.ahead == Fraction(sum(other < score for other in scores), len(scores))
        assert found.is_alone == (scores.count(score) == 1)
        assert 0 < found.percentile < 1


@given(SCORES)
def test_a_better_score_has_a_higher_percentile_and_an_equal_one_the_same(scores):
    percentiles = [percentile_of(*tie, ranked=len(scores)).percentile for tie in ties_of(scores)]

    for (score, percentile), (other, others) in product(zip(scores, percentiles, strict=True), repeat=2):
        assert (score < other) == (percentile < others)
    assert sum(percentiles) == Fraction(len(scores), 2)


@given(SCORES)
def test_many_at_once_have_the_same_percentiles(scores):
    rank, last = np.array(ties_of(scores), dtype=float).T

    together = percentile_of_ranks(rank, last, ranked=len(scores))

    one_by_one = [float(percentile_of(*tie, ranked=len(scores)).percentile) for tie in ties_of(scores)]
    np.testing.assert_allclose(together, one_by_one, rtol=1e-15)


def test_who_is_alone_is_in_the_middle_and_who_is_not_ranked_is_nowhere():
    assert percentile_of(1, 1, ranked=1).percentile == Fraction(1, 2)
    assert np.isnan(percentile_of_ranks(np.array([np.nan]), np.array([np.nan]), ranked=0)).all()


@pytest.mark.parametrize("positions", [(0, 1, 3), (2, 1, 3), (1, 4, 3)])
def test_positions_that_nobody_has_are_refused(positions):
    rank, last, ranked = positions
    with pytest.raises(ValueError, match="are none"):
        percentile_of(rank, last, ranked=ranked)


@pytest.mark.parametrize("case", CASES)
def test_the_percentiles_of_the_hand_worked_standings_are_those_counted_by_hand(case):
    rules = rules_with(case.get("rules", {}))
    result = evaluate(communities_of(case, rules.satisfaction), rules)
    standings = result.standings
    ranked = standings[standings["satisfaction_rank"].notna()]
    for _, row in standings.iterrows():
        if pd.isna(row["satisfaction_rank"]):
            assert np.isnan(row["satisfaction_percentile"])
            continue
        facts = result.summary["regions"][row["region"]]["satisfaction"]
        together = ranked[ranked["region"] == row["region"]] if facts["ranked_with"] == "district" else ranked
        assert len(together) == facts["N"]
        by_hand = counted(row["satisfaction_score"], together["satisfaction_score"].tolist())
        assert row["satisfaction_percentile"] == pytest.approx(float(by_hand))


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n), st.integers(1, n))))
def test_an_interval_reaches_from_the_percentile_at_the_worst_rank_to_that_at_the_best(facts):
    ranked, *ranks = facts
    best, worst = sorted(ranks)

    [lower], [upper] = percentile_interval([best], [worst], ranked=ranked)

    assert lower == pytest.approx(float(percentile_of(worst, worst, ranked=ranked).percentile))
    assert upper == pytest.approx(float(percentile_of(best, best, ranked=ranked).percentile))


def test_where_the_evidence_says_nothing_there_is_no_interval():
    lower, upper = percentile_interval([np.nan, 1], [np.nan, 2], ranked=[0, 2])

    np.testing.assert_array_equal(lower, [np.nan, 0.25])
    np.testing.assert_array_equal(upper, [np.nan, 0.75])


@pytest.mark.parametrize("ranks", [(0, 1), (3, 2), (1, 5)])
def test_ranks_that_nobody_can_have_are_refused(ranks):
    with pytest.raises(ValueError, match="possible ranks"):
        percentile_interval([ranks[0]], [ranks[1]], ranked=4)
