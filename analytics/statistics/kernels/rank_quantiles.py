"""Compiled quantiles of the ranks of very many communities, for `analytics.statistics.rank_confidence_sets`.

They release the GIL and start no threads, see `analytics.statistics.kernels.compilation`.
"""

import math

import numpy as np

from analytics.statistics.kernels.compilation import compiled
from analytics.statistics.validation import FloatArray, IntegerArray

# Deviations beyond which the normal distribution is 0 or 1 to the last digit.
_FARTHEST = 8.5


@compiled
def interpolate_evenly(points: FloatArray, start: float, step: float, polynomials: FloatArray) -> FloatArray:
    """Return cubic polynomials between equidistant nodes at points, highest power first: shape of the points."""
    values = np.empty(points.shape)
    for i in range(points.shape[0]):
        for k in range(points.shape[1]):
            piece = min(max(int((points[i, k] - start) / step), 0), polynomials.shape[1] - 1)
            beyond = points[i, k] - (start + step * piece)
            value = 0.0
            for power in range(polynomials.shape[0]):
                value = value * beyond + polynomials[power, piece]
            values[i, k] = value
    return values


@compiled
def fill_least_ranks(  # noqa: PLR0917  compiled functions take no keywords
    expected: FloatArray, spread: FloatArray, weights: FloatArray, share: float, size: int, ranks: IntegerArray
) -> None:
    """Fill `ranks` with the least rank of 1 to `size` whose cumulative probability reaches `share`, by bisection.

    The probability is the weighted mean of normal distributions, with a continuity correction, of the number of larger
    others: row i of `expected` and `spread` holds those of community i.
    """
    for i in range(ranks.size):
        low, high = 1, size
        while low < high:
            middle = (low + high) // 2
            reached = 0.0
            for k in range(weights.size):
                deviations = (middle - 0.5 - expected[i, k]) / spread[i, k]
                if deviations > _FARTHEST:
                    reached += weights[k]
                elif deviations > -_FARTHEST:
                    reached += weights[k] * 0.5 * math.erfc(-deviations * math.sqrt(0.5))
            if reached >= share:
                high = middle
            else:
                low = middle + 1
        ranks[i] = low
