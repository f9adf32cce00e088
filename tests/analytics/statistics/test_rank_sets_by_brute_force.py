"""Rank confidence sets against a literal simulation of the pairwise procedure of Mogstad and others (2024)."""

from functools import cache

import numpy as np
import pytest

from analytics.statistics.rank_confidence_sets import rank_confidence_set, top_confidence_set

DRAWS = 50_000
# Simulated critical values are uncertain in their third digit: sets may differ only by pairs that are so close.
CLOSE = 0.03


def league(seed):
    random = np.random.default_rng(seed)
    errors = random.uniform(0.5, 2.0, 7)
    return random.normal(0, 4, 7) + random.normal(0, errors), errors


@cache
def draws(errors):
    """Return for each ordered pair the differences of scores that are all truly equal, in their standard errors."""
    noise = np.random.default_rng(9).normal(0, errors, (DRAWS, len(errors)))
    places = range(len(errors))
    return {
        (j, k): (noise[:, j] - noise[:, k]) / np.hypot(errors[j], errors[k]) for j in places for k in places if j != k
    }


def rejected_pairs(scores, errors, pairs, *, level, stepdown, shift):
    """Return the ordered pairs (j, k) with j significantly better, after one step or until nothing new is rejected."""
    by_luck = draws(tuple(errors))
    rejected, left = set(), set(pairs)
    while left:
        largest = np.max([by_luck[pair] for pair in left], axis=0)
        critical = np.quantile(largest, level) + shift
        new = {(j, k) for j, k in left if (scores[j] - scores[k]) / np.hypot(errors[j], errors[k]) > critical}
        rejected, left = rejected | new, left - new
        if not new or not stepdown:
            break
    return rejected


def bounds(scores, errors, *, level, simultaneous, stepdown, side, shift):
    everyone = range(len(scores))
    ordered = [(j, k) for j in everyone for k in everyone if j != k]
    found = []
    for own in everyone:
        better, worse = [(j, k) for j, k in ordered if k == own], [(j, k) for j, k in ordered if j == own]
        chosen = {"two-sided": better + worse, "lower": better, "upper": worse}[side]
        pairs = ordered if simultaneous else chosen
        rejected = rejected_pairs(scores, errors, pairs, level=level, stepdown=stepdown, shift=shift)
        lower = 1 + len(rejected & set(better)) if side != "upper" else 1
        upper = len(scores) - len(rejected & set(worse)) if side != "lower" else len(scores)
        found.append((lower, upper))
    return np.array(found).T


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("side", ["two-sided", "lower", "upper"])
@pytest.mark.parametrize("stepdown", [False, True])
@pytest.mark.parametrize("simultaneous", [False, True])
def test_sets_are_those_of_the_literal_procedure(seed, side, stepdown, simultaneous):
    scores, errors = league(seed)
    options = {"level": 0.95, "simultaneous": simultaneous, "stepdown": stepdown, "side": side}

    found = rank_confidence_set(scores, errors, method="mrsw", **options)

    wide_lower, wide_upper = bounds(scores, errors, **options, shift=CLOSE)
    narrow_lower, narrow_upper = bounds(scores, errors, **options, shift=-CLOSE)
    assert found["rank"].tolist() == (1 + (scores[None] > scores[:, None]).sum(axis=1)).tolist()
    assert (found["lower"] >= wide_lower).all()
    assert (found["lower"] <= narrow_lower).all()
    assert (found["upper"] <= wide_upper).all()
    assert (found["upper"] >= narrow_upper).all()


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("stepdown", [False, True])
def test_top_sets_are_those_of_the_literal_procedure(size, stepdown):
    scores, errors = league(3)
    options = {"level": 0.9, "simultaneous": True, "stepdown": stepdown, "side": "lower"}

    found = top_confidence_set(scores, errors, size=size, level=0.9, stepdown=stepdown)

    largest, smallest = (bounds(scores, errors, **options, shift=shift)[0] <= size for shift in (CLOSE, -CLOSE))
    assert found.dtype == bool
    assert (found <= largest).all()
    assert (found >= smallest).all()
