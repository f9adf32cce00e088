"""Counts of the communities that lie significantly above or below each community."""

import numpy as np
from numpy.typing import ArrayLike

from analytics.statistics.threads import run_in_threads
from analytics.statistics.validation import FloatArray, IntegerArray, finite_numbers

# Up to this many communities a matrix of all pairs is faster than a tree and needs no compiled code.
LARGEST_MATRIX = 1_500
_LEAF = 16


def count_significant_differences(
    estimates: ArrayLike, standard_errors: ArrayLike, critical_values: ArrayLike
) -> tuple[IntegerArray, IntegerArray]:
    """Count the communities significantly above, and significantly below, each community.

    Parameters
    ----------
    estimates : array_like of float, shape (N,)
        Scores x, finite, in any unit.
    standard_errors : array_like of float, shape (N,)
        Standard errors s in the unit of the scores, finite and ≥ 0.
    critical_values : array_like of float, shape (N,) or scalar
        Critical values c, finite and ≥ 0, without unit.

    Returns
    -------
    above : ndarray of int64, shape (N,)
        #{j : x_j − x_i > c_i √(s_i² + s_j²)}.
    below : ndarray of int64, shape (N,)
        #{j : x_i − x_j > c_i √(s_i² + s_j²)}.

    Raises
    ------
    ValueError
        If the shapes differ, or a value is not finite, or an error or critical value is negative.

    Notes
    -----
    Equal scores are never counted. If both standard errors are zero the difference is known, and any difference
    counts. Empty arrays give empty counts. Above `LARGEST_MATRIX` communities a k-d tree over (x, s²) accepts or
    rejects whole nodes; the counts are exactly those of comparing every pair, rounding included, in about N^1.5 steps.

    Examples
    --------
    >>> above, below = count_significant_differences([90, 90, 80, 60], [2, 2, 2, 2], 2.5)
    >>> above.tolist(), below.tolist()
    ([0, 0, 2, 3], [2, 2, 1, 0])
    """
    x = finite_numbers("estimates", estimates)
    s = finite_numbers("standard_errors", standard_errors, lowest=0)
    if x.ndim != 1 or s.shape != x.shape:
        raise ValueError(f"estimates and standard_errors must be two lists of one length, got {x.shape} and {s.shape}")
    c = np.broadcast_to(finite_numbers("critical_values", critical_values, lowest=0), x.shape)
    if x.size <= LARGEST_MATRIX:
        return _count_by_matrix(x, s * s, c)
    return _count_by_tree(x, s * s, c)


def _count_by_matrix(x: FloatArray, v: FloatArray, c: FloatArray) -> tuple[IntegerArray, IntegerArray]:
    allowed = v[:, None] + v
    np.sqrt(allowed, out=allowed)
    allowed *= c[:, None]
    difference = x - x[:, None]
    above = np.count_nonzero(difference > allowed, axis=1)
    np.negative(difference, out=difference)
    return above, np.count_nonzero(difference > allowed, axis=1)


def _count_by_tree(x: FloatArray, v: FloatArray, c: FloatArray) -> tuple[IntegerArray, IntegerArray]:
    from analytics.statistics.kernels.pairs import count_larger  # noqa: PLC0415  small regions need no compiled code

    order, firsts = _split(x, v)
    x, v, c = x[order], v[order], np.ascontiguousarray(c[order])
    counts = np.empty((2, x.size), np.int64)
    for side, values in enumerate((x, -x)):
        bounds = _bounds(values, v, firsts)
        run_in_threads(
            lambda start, stop, values=values, bounds=bounds, found=counts[side]: count_larger(  # type: ignore[misc]
                start, stop, values, v, c, bounds, firsts, found
            ),
            x.size,
        )
    above, below = np.empty_like(counts)
    above[order], below[order] = counts
    return above, below


def _split(x: FloatArray, v: FloatArray) -> tuple[IntegerArray, IntegerArray]:
    """Order communities for the k-d tree: halves, quarters … are split at the median of x and of v alternately."""
    depth = max(1, int(np.ceil(np.log2(x.size / _LEAF))))
    order = np.arange(x.size)
    for level in range(depth):
        edges = np.arange(2**level + 1) * x.size // 2**level
        node = np.repeat(np.arange(2**level), np.diff(edges))
        order = order[np.lexsort(((v if level % 2 else x)[order], node))]
    return order, np.arange(2**depth + 1) * x.size // 2**depth


def _bounds(x: FloatArray, v: FloatArray, firsts: IntegerArray) -> FloatArray:
    """Return the bounds (least x, greatest x, least v, greatest v) of tree nodes 1, 2, …; row 0 is not used."""
    leaves = firsts.size - 1
    bounds = np.empty((2 * leaves, 4))
    for column, (smaller_or_larger, values) in enumerate(
        ((np.minimum, x), (np.maximum, x), (np.minimum, v), (np.maximum, v))
    ):
        bounds[leaves:, column] = smaller_or_larger.reduceat(values, firsts[:-1])
        first = leaves
        while first > 1:
            children = bounds[first : 2 * first, column]
            first //= 2
            bounds[first : 2 * first, column] = smaller_or_larger(children[::2], children[1::2])
    return bounds
