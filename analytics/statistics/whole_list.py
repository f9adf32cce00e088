"""Test of a whole list: whether the k best that were observed can be said to be the true k best."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.statistics.validation import FloatArray, IntegerArray, finite_numbers

# Pairs that are compared at once.
_AT_ONCE: Final = 1_000_000
_ROUNDING: Final = 1 + 1e-9


class WholeListTest(NamedTuple):
    """Test of the null hypothesis that the list is not that of the true best.

    Attributes
    ----------
    p_value : float
        In [0, 1]; 1 where a listed community has no better score than one that is not.
    inside, outside : int
        Rows of the pair that is told apart the least.
    difference, error : float
        Difference of their scores and its standard error, in the unit of the score.
    """

    p_value: float
    inside: int
    outside: int
    difference: float
    error: float


def whole_list_test(score: npt.ArrayLike, variance: npt.ArrayLike, listed: npt.ArrayLike) -> WholeListTest | None:
    """Test whether all listed communities of a region are truly better than all others of it.

    Parameters
    ----------
    score : array_like
        Observed scores, the highest is the best.
    variance : array_like
        Their variances ≥ 0, the estimates independent of each other.
    listed : array_like of bool
        Communities on the list.

    Returns
    -------
    WholeListTest or None
        None where all or none are listed. Of several pairs that are told apart equally little, the first.

    Raises
    ------
    ValueError
        If a value is missing, a variance negative, or a column has another length.

    Notes
    -----
    The p-value is that of the two-sided test of one difference, 2(1 - Φ(z)), of the pair across the list with the least

        z = (x_i - x_j) / √(v_i + v_j),   i listed, j not,

    and no correction for the number of pairs is needed: the list is wrong as soon as one pair is the other way round,
    and each pair has to be told apart. Two equal scores without variance are not told apart, z = 0; where scores with
    no variance differ, z is infinite.

    References
    ----------
    Sood A (2025), Is the observed top K the true top K? arXiv 2503.01065.

    Examples
    --------
    >>> test = whole_list_test([0.95, 0.9, 0.8, 0.7], [0.0004] * 4, [True, True, False, False])
    >>> round(test.p_value, 4), test.inside, test.outside
    (0.0004, 1, 2)
    """
    scores = finite_numbers("score", score)
    spread = finite_numbers("variance", variance, lowest=0)
    member = np.asarray(listed, dtype=bool)
    if scores.ndim != 1 or spread.shape != scores.shape or member.shape != scores.shape:
        raise ValueError(f"all columns must have one length, got {scores.shape}, {spread.shape}, {member.shape}")
    inside, outside = np.flatnonzero(member), np.flatnonzero(~member)
    if not inside.size or not outside.size:
        return None
    inside = inside[np.argsort(scores[inside], kind="stable")]
    outside = outside[np.argsort(-scores[outside], kind="stable")]
    # A pair that is farther apart than the closest scores, at the largest error of any pair, is told apart better.
    nearest = _told_apart(scores, spread, inside[:1], outside[:1])
    if np.isfinite(nearest.distance):
        farthest = max(nearest.distance, 0.0) * np.sqrt(spread[inside].max() + spread[outside].max()) * _ROUNDING
        worst, best = scores[inside[0]], scores[outside[0]]
        inside, outside = inside[scores[inside] - best <= farthest], outside[worst - scores[outside] <= farthest]
    at_once = max(1, _AT_ONCE // outside.size)
    pairs = [
        _told_apart(scores, spread, inside[start : start + at_once], outside)
        for start in range(0, inside.size, at_once)
    ]
    least = min(pairs, key=lambda pair: pair.distance)
    error = float(np.sqrt(spread[least.inside] + spread[least.outside]))
    return WholeListTest(
        float(min(1.0, 2 * special.ndtr(-max(least.distance, 0.0)))),
        least.inside,
        least.outside,
        float(scores[least.inside] - scores[least.outside]),
        error,
    )


class _Pair(NamedTuple):
    distance: float
    inside: int
    outside: int


def _told_apart(scores: FloatArray, spread: FloatArray, inside: IntegerArray, outside: IntegerArray) -> _Pair:
    """Return the pair with the least standardised difference."""
    apart = scores[inside][:, None] - scores[outside]
    error = np.sqrt(spread[inside][:, None] + spread[outside])
    certain = np.where(apart == 0, 0.0, np.copysign(np.inf, apart))
    distance = np.where(error > 0, apart / np.where(error > 0, error, 1), certain)
    row, column = np.unravel_index(int(np.argmin(distance)), distance.shape)
    return _Pair(float(distance[row, column]), int(inside[row]), int(outside[column]))
