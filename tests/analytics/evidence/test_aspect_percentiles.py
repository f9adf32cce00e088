"""Percentiles by aspect are those counted by hand, and their intervals hold the true ones as often as they say."""

from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.evidence.aspect_percentiles import LEAST_TOGETHER, aspect_percentiles
from analytics.statistics.empirical_bayes import shrink_rates
from analytics.statistics.rank_confidence_sets import rank_confidence_set
from tests.analytics.rule_files import rules_with

RULES = rules_with({})
ONE_ANSWER = rules_with({"evidence.one_answer_per_household": True})


def shares_of(counts, *, question="q02", households=np.nan, design_effect=1.0):
    satisfied, answered = zip(*counts, strict=True) if counts else ((), ())
    return pd.DataFrame(
        {
            "question": pd.Series([question] * len(counts), dtype="str"),
            "satisfied": np.array(satisfied, dtype=np.int64),
            "answered": np.array(answered, dtype=np.int64),
            "households": households,
            "design_effect": design_effect,
        }
    )


COUNTS = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
REGIONS = st.lists(COUNTS, min_size=LEAST_TOGETHER, max_size=25)


def by_hand(counts):
    """Count who is behind and half of who is level, share by share."""
    shares = [Fraction(*each) for each in counts]
    return [
        Fraction(sum(other < share for other in shares), len(shares)) + Fraction(shares.count(share), 2 * len(shares))
        for share in shares
    ]


@settings(max_examples=40, deadline=None)
@given(REGIONS)
def test_a_percentile_counts_who_is_behind_and_half_of_who_is_level(counts):
    found = aspect_percentiles(shares_of(counts), RULES)

    np.testing.assert_allclose(found["percentile"], [float(each) for each in by_hand(counts)], rtol=1e-12)
    assert (found["ranked"] == len(counts)).all()


@settings(max_examples=40, deadline=None)
@given(REGIONS)
def test_a_better_share_has_a_higher_percentile_which_its_interval_holds(counts):
    found = aspect_percentiles(shares_of(counts), RULES)

    rows = list(zip((Fraction(*each) for each in counts), found["percentile"], strict=True))
    for (share, percentile), (other, others) in product(rows, repeat=2):
        assert (share < other) == (percentile < others)
    assert found["percentile"].sum() == pytest.approx(len(counts) / 2)
    assert (found["percentile_lower"] <= found["percentile"] + 1e-12).all()
    assert (found["percentile"] <= found["percentile_upper"] + 1e-12).all()
    assert found[["percentile_lower", "percentile_upper"]].gt(0).all(axis=None)
    assert found[["percentile_lower", "percentile_upper"]].lt(1).all(axis=None)


@settings(max_examples=15, deadline=None)
@given(REGIONS, REGIONS, st.randoms(use_true_random=False))
def test_an_aspect_depends_on_no_other_aspect_and_on_no_order(counts, others, random):
    shares = pd.concat([shares_of(counts), shares_of(others, question="q03")], ignore_index=True)
    order = random.sample(range(len(shares)), len(shares))

    together = aspect_percentiles(shares.iloc[order], RULES).loc[range(len(counts))]

    pd.testing.assert_frame_equal(together, aspect_percentiles(shares_of(counts), RULES), check_exact=False)


@pytest.mark.parametrize("rules", [RULES, ONE_ANSWER])
def test_an_interval_is_that_of_the_possible_ranks_of_the_share(rules):
    random = np.random.default_rng(1)
    answered = random.integers(10, 90, 30)
    counts = list(zip(random.binomial(answered, random.beta(16, 4, 30)).tolist(), answered.tolist(), strict=True))
    households, effects = random.integers(90, 900, 30), random.uniform(1, 1.6, 30)

    found = aspect_percentiles(shares_of(counts, households=households, design_effect=effects), rules)

    fraction = answered / households if rules is ONE_ANSWER else 0.0
    satisfied = np.array([each for each, _of in counts])
    variance = shrink_rates(
        satisfied,
        answered,
        region=["all"] * 30,
        prior="normal",
        sampling_fraction=fraction,
        nonresponse_spread=0.03,
        design_effect=effects,
    ).sampling_variance
    ranks = rank_confidence_set(satisfied / answered, np.sqrt(variance), level=0.95)
    np.testing.assert_allclose(found["percentile_lower"], (30 - ranks["upper"] + 0.5) / 30)
    np.testing.assert_allclose(found["percentile_upper"], (30 - ranks["lower"] + 0.5) / 30)


@pytest.mark.parametrize("people", [12, 60, 600])
def test_intervals_hold_the_true_percentile_as_often_as_they_say_however_few_answered(people):
    random = np.random.default_rng(people)
    held = []
    for _ in range(30):
        true = random.beta(8, 3, 60)
        counts = [(int(each), people) for each in random.binomial(people, true)]
        found = aspect_percentiles(shares_of(counts), RULES)
        percentile = (true[:, None] > true).mean(axis=1) + 0.5 / 60
        lower, upper = found["percentile_lower"].to_numpy(), found["percentile_upper"].to_numpy()
        held.append((lower - 1e-9 <= percentile) & (percentile <= upper + 1e-9))

    assert np.mean(held) >= 0.95
    # Many answers tell who is above the middle, few do not.
    assert (found["percentile_lower"] > 0.5).any() == (people == 600)


@pytest.mark.parametrize("count", [0, 1, LEAST_TOGETHER - 1])
def test_among_few_no_percentile_is_given(count):
    found = aspect_percentiles(shares_of([(30 - place, 40) for place in range(count)]), RULES)

    assert len(found) == count
    assert (found["ranked"] == count).all()
    assert found.drop(columns="ranked").isna().all(axis=None)


def test_few_in_one_aspect_leave_the_others_theirs():
    many = shares_of([(30 + place, 60) for place in range(LEAST_TOGETHER)])
    found = aspect_percentiles(pd.concat([shares_of([(20, 30)], question="q03"), many]), RULES)

    assert found["percentile"].isna().tolist() == [True, *[False] * LEAST_TOGETHER]


def test_equal_shares_are_level_however_many_answered():
    found = aspect_percentiles(shares_of([(2, 3), (40, 60), (200, 300), *[(1, 9)] * 7]), RULES)

    assert found["percentile"].head(3).tolist() == [0.85] * 3
    assert found[["rank", "last_rank"]].head(3).to_numpy().tolist() == [[1, 3]] * 3


@pytest.mark.parametrize(
    ("counts", "message"),
    [([(5, 4)], "satisfied exceeds answered"), ([(0, 0)], "answered"), ([(-1, 4)], "satisfied")],
)
def test_counts_that_nobody_gave_are_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        aspect_percentiles(shares_of([*counts, *[(3, 4)] * 12]), RULES)
