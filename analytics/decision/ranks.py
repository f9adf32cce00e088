"""Competition ranks with shared ties, percentiles, and the exact order of ratios of integers."""

from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from analytics.statistics.rank_confidence_sets import rank_confidence_set, top_confidence_set

__all__ = [
    "LARGEST_EXACT",
    "Best",
    "competition_rank",
    "last_rank",
    "order_ratios",
    "percentile",
    "percentile_of_ranks",
    "rank_confidence_set",
    "ranks_within",
    "top_confidence_set",
]

Best = Literal["high", "low"]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LARGEST_EXACT = 2**53
"""Largest integer up to which all integers are exact as floats."""


def order_ratios(numerators: npt.ArrayLike, denominators: npt.ArrayLike) -> Integers:
    """Return the dense rank of each ratio of two integers, compared exactly, counted from 0 for the smallest.

    Parameters
    ----------
    numerators : array_like of int
        Not negative, at most 2⁵³.
    denominators : array_like of int
        Positive, at most 2⁵³, of the same length.

    Returns
    -------
    ndarray of int64
        Equal ratios have equal places, a larger ratio has a larger place. No tolerance is involved.

    Raises
    ------
    ValueError
        If a number is outside its range.

    Notes
    -----
    Ratios are equal if they are equal in lowest terms. Division rounds correctly, so quotients never reverse the order
    of two ratios; different ratios with equal quotients, which need numbers above 2²⁶, are compared as fractions.

    Examples
    --------
    2/3 and 4/6 are one value, however large the numbers, and 10 of 30 is less than 1 of 2:

    >>> order_ratios([2, 4, 1, 10], [3, 6, 2, 30])
    array([2, 2, 1, 0])
    >>> order_ratios([2**52 - 1, 2**52 - 2], [2**52, 2**52 - 1])
    array([1, 0])
    """
    tops, bottoms = np.asarray(numerators, dtype=np.int64), np.asarray(denominators, dtype=np.int64)
    if tops.size == 0:
        return np.empty(0, dtype=np.int64)
    if tops.min() < 0 or bottoms.min() <= 0 or max(tops.max(), bottoms.max()) > LARGEST_EXACT:
        raise ValueError("numerators must lie in [0, 2**53] and denominators in [1, 2**53]")
    divisors = np.gcd(tops, bottoms)
    tops, bottoms = tops // divisors, bottoms // divisors
    quotients = tops / bottoms
    order = np.lexsort((bottoms, tops, quotients))
    differs = (np.diff(tops[order]) != 0) | (np.diff(bottoms[order]) != 0)
    places_in_order = np.concatenate(([0], np.cumsum(differs)))
    firsts = order[np.concatenate(([True], differs))]
    places = np.empty(tops.size, dtype=np.int64)
    places[order] = _resolve_equal_quotients(tops[firsts], bottoms[firsts], quotients[firsts])[places_in_order]
    return places


def _resolve_equal_quotients(tops: Integers, bottoms: Integers, quotients: Floats) -> Integers:
    """Return the places of different ratios sorted by quotient, comparing equal quotients as fractions."""
    places = np.arange(tops.size, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(quotients) != 0)))
    ends = np.append(starts[1:], tops.size)
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        ratios = [Fraction(int(tops[index]), int(bottoms[index])) for index in range(start, end)]
        for place, offset in enumerate(sorted(range(end - start), key=ratios.__getitem__)):
            places[start + offset] = start + place
    return places


def competition_rank(scores: npt.ArrayLike, *, best: Best) -> Floats:
    """Return the competition rank of each score, 1 for the best; ties share the better position.

    Parameters
    ----------
    scores : array_like of float
        One score per community; NaN is not ranked.
    best : {"high", "low"}
        Whether the highest or the lowest score ranks first.

    Returns
    -------
    ndarray of float
        1 + the number of better scores; NaN where the score is NaN.

    Raises
    ------
    ValueError
        If `best` is neither "high" nor "low".

    Notes
    -----
    The number of communities that are not ranked has no effect on ranks.

    Examples
    --------
    >>> competition_rank([90, 85, 85, float("nan"), 80], best="high")
    array([ 1.,  2.,  2., nan,  4.])
    >>> competition_rank([90, 85, 85, float("nan"), 80], best="low")
    array([ 4.,  2.,  2., nan,  1.])
    """
    return _rank(scores, best, "min")


def last_rank(scores: npt.ArrayLike, *, best: Best) -> Floats:
    """Return the last position of each score's tie; a score without ties has its own rank.

    Parameters
    ----------
    scores : array_like of float
        One score per community; NaN is not ranked.
    best : {"high", "low"}
        Whether the highest or the lowest score ranks first.

    Returns
    -------
    ndarray of float
        The number of scores at least as good; NaN where the score is NaN.

    Raises
    ------
    ValueError
        If `best` is neither word.

    Examples
    --------
    >>> last_rank([90, 85, 85, float("nan"), 80], best="high")
    array([ 1.,  3.,  3., nan,  4.])
    """
    return _rank(scores, best, "max")


def percentile(scores: npt.ArrayLike, *, best: Best) -> Floats:
    """Return the mid-rank percentile: the share of ranked communities that are worse, plus half of the ties.

    Parameters
    ----------
    scores : array_like of float
        One score per community; NaN is not ranked.
    best : {"high", "low"}
        Whether the highest or the lowest score ranks first.

    Returns
    -------
    ndarray of float
        (below + ½ equal) / N in (0, 1), where a community is equal to itself; NaN where the score is NaN. For display
        only: no decision uses it.

    Raises
    ------
    ValueError
        If `best` is neither word.

    Examples
    --------
    >>> percentile([90, 85, 85, float("nan"), 80], best="high")
    array([0.875, 0.5  , 0.5  ,   nan, 0.125])
    """
    rank = competition_rank(scores, best=best)
    return percentile_of_ranks(rank, last_rank(scores, best=best), ranked=np.count_nonzero(~np.isnan(rank)))


def percentile_of_ranks(rank: Floats, last: Floats, *, ranked: npt.ArrayLike) -> Floats:
    """Return the percentile of ranks, as `percentile` defines it.

    Parameters
    ----------
    rank, last : ndarray of float
        From `competition_rank` and `last_rank`, or both from `ranks_within`; NaN is not ranked.
    ranked : array_like of int
        Number of communities ranked together: one number, or one per community.

    Returns
    -------
    ndarray of float

    Examples
    --------
    >>> percentile_of_ranks(np.array([1.0, 2.0, 2.0, np.nan, 4.0]), np.array([1.0, 3.0, 3.0, np.nan, 4.0]), ranked=4)
    array([0.875, 0.5  , 0.5  ,   nan, 0.125])
    """
    number = np.asarray(ranked)
    return np.asarray((number - last + (last - rank + 1) / 2) / np.maximum(number, 1))


def ranks_within(scores: Floats, region: Integers, *, best: Best) -> tuple[Floats, Floats]:
    """Return `competition_rank` and `last_rank` of all communities within their regions.

    Parameters
    ----------
    scores : ndarray of float
        NaN is not ranked.
    region : ndarray of int
        Number of each community's region.
    best : {"high", "low"}
        Whether the highest or the lowest score ranks first.

    Returns
    -------
    rank, last : ndarray of float
        NaN where the score is NaN.

    Examples
    --------
    >>> ranks_within(np.array([90.0, 85.0, 85.0, np.nan, 80.0]), np.array([0, 0, 0, 0, 1]), best="high")
    (array([ 1.,  2.,  2., nan,  1.]), array([ 1.,  3.,  3., nan,  1.]))
    """
    values = -scores if best == "high" else scores
    order = np.lexsort((values, region))
    # Missing values sort last in their region and differ from each other.
    starts_tie = np.ones(order.size, dtype=bool)
    starts_tie[1:] = (np.diff(region[order]) != 0) | (values[order][1:] != values[order][:-1])
    firsts = np.flatnonzero(starts_tie)
    sizes = np.diff(firsts, append=order.size)
    before = np.searchsorted(region[order], region[order][firsts])
    rank, last = np.empty((2, order.size))
    rank[order] = np.repeat(firsts - before + 1, sizes)
    last[order] = np.repeat(firsts - before + sizes, sizes)
    missing = np.isnan(scores)
    rank[missing] = last[missing] = np.nan
    return rank, last


def _rank(scores: npt.ArrayLike, best: Best, method: Literal["min", "max"]) -> Floats:
    if best not in {"high", "low"}:
        raise ValueError(f'best must be "high" or "low", got {best!r}')
    values = np.asarray(scores, dtype=np.float64)
    ranks = np.full(values.shape, np.nan)
    ranked = ~np.isnan(values)
    if ranked.any():
        ranks[ranked] = rankdata(-values[ranked] if best == "high" else values[ranked], method=method)
    return ranks
