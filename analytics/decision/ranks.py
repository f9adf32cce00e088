"""Competition ranks with shared ties, percentiles, and the exact order of ratios of integers."""

from fractions import Fraction
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from analytics.statistics.validation import FloatArray, IntegerArray

Best = Literal["high", "low"]

LARGEST_EXACT = 2**53
"""Largest integer up to which all integers are exact as floats."""


def order_ratios(numerators: npt.ArrayLike, denominators: npt.ArrayLike) -> IntegerArray:
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


def _resolve_equal_quotients(tops: IntegerArray, bottoms: IntegerArray, quotients: FloatArray) -> IntegerArray:
    """Return the places of different ratios sorted by quotient, comparing equal quotients as fractions."""
    places = np.arange(tops.size, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(quotients) != 0)))
    ends = np.append(starts[1:], tops.size)
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        ratios = [Fraction(int(tops[index]), int(bottoms[index])) for index in range(start, end)]
        for place, offset in enumerate(sorted(range(end - start), key=ratios.__getitem__)):
            places[start + offset] = start + place
    return places


def percentile_of_ranks(rank: FloatArray, last: FloatArray, *, ranked: npt.ArrayLike) -> FloatArray:
    """Return the mid-rank percentile: the share of ranked communities that are worse, plus half of the ties.

    Parameters
    ----------
    rank, last : ndarray of float
        From `ranks_within`; NaN is not ranked.
    ranked : array_like of int
        Number of communities ranked together: one number, or one per community.

    Returns
    -------
    ndarray of float
        (below + ½ equal) / N in (0, 1), where a community is equal to itself; NaN where a rank is. For display only: no
        decision uses it.

    Examples
    --------
    >>> percentile_of_ranks(np.array([1.0, 2.0, 2.0, np.nan, 4.0]), np.array([1.0, 3.0, 3.0, np.nan, 4.0]), ranked=4)
    array([0.875, 0.5  , 0.5  ,   nan, 0.125])
    """
    number = np.asarray(ranked)
    return np.asarray((number - last + (last - rank + 1) / 2) / np.maximum(number, 1))


def ranks_within(scores: FloatArray, region: IntegerArray, *, best: Best) -> tuple[FloatArray, FloatArray]:
    """Return the competition rank of each community in its region, and the last position of its tie.

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
    rank : ndarray of float
        1 + the number of better scores of the region, so that ties share the better position; NaN where the score is.
    last : ndarray of float
        The number of scores of the region at least as good; NaN where the score is.

    Raises
    ------
    ValueError
        If `best` is neither "high" nor "low".

    Notes
    -----
    The number of communities that are not ranked has no effect on ranks.

    Examples
    --------
    >>> ranks_within(np.array([90.0, 85.0, 85.0, np.nan, 80.0]), np.array([0, 0, 0, 0, 1]), best="high")
    (array([ 1.,  2.,  2., nan,  1.]), array([ 1.,  3.,  3., nan,  1.]))
    """
    if best not in get_args(Best):
        raise ValueError(f'best must be "high" or "low", got {best!r}')
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
