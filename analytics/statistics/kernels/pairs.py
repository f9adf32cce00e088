"""Compiled loops over pairs of communities, for regions too large for a matrix of all pairs.

They release the GIL and start no threads, see `analytics.statistics.kernels.compilation`.
"""

import numpy as np

from analytics.statistics.kernels.compilation import compiled
from analytics.statistics.validation import FloatArray, IntegerArray

# Longest path of the tree; 64 levels hold more communities than any computer.
_GREATEST_TREE_DEPTH = 64


@compiled
def count_larger(  # noqa: PLR0917  compiled functions take no keywords
    start: int,
    stop: int,
    estimates: FloatArray,
    variances: FloatArray,
    critical_values: FloatArray,
    bounds: FloatArray,
    firsts: IntegerArray,
    counts: IntegerArray,
) -> None:
    """Fill `counts[start:stop]` with the number of j whose estimate is larger by more than c_i √(v_i + v_j).

    Communities are in the order of the tree's leaves. Node 1 is the root, 2k and 2k+1 are the children of k; `bounds`
    has a row (least, greatest estimate, least, greatest variance) for each node, `firsts` the first community of
    each leaf and one past the last. Rounding is monotone, so accepting or rejecting a whole node gives exactly the
    result of testing its communities one by one.
    """
    leaves = firsts.size - 1
    pending = np.empty(_GREATEST_TREE_DEPTH, np.int64)
    for i in range(start, stop):
        estimate, variance, critical = estimates[i], variances[i], critical_values[i]
        found = 0
        waiting = 1
        pending[0] = 1
        while waiting > 0:
            waiting -= 1
            node = pending[waiting]
            if bounds[node, 1] - estimate <= critical * np.sqrt(variance + bounds[node, 2]):
                continue
            if bounds[node, 0] - estimate > critical * np.sqrt(variance + bounds[node, 3]):
                first, beyond = node, node + 1
                while first < leaves:
                    first, beyond = 2 * first, 2 * beyond
                found += firsts[beyond - leaves] - firsts[first - leaves]
            elif node >= leaves:
                for j in range(firsts[node - leaves], firsts[node - leaves + 1]):
                    found += estimates[j] - estimate > critical * np.sqrt(variance + variances[j])
            else:
                pending[waiting] = 2 * node
                pending[waiting + 1] = 2 * node + 1
                waiting += 2
        counts[i] = found


@compiled
def largest_differences(  # noqa: C901, PLR0917  one loop over pairs; compiled functions take no keywords
    start: int,
    stop: int,
    draws: FloatArray,
    estimates: FloatArray,
    standard_errors: FloatArray,
    beyond: float,
    largest: FloatArray,
) -> None:
    """Fill `largest[start:stop]` with each draw's largest studentised difference over the remaining pairs.

    A row of `draws` holds one standard normal z per community. The ordered pair (a, b) remains unless
    x_a − x_b > beyond·σ_ab; its difference is (s_a z_a − s_b z_b)/σ_ab, σ_ab² = s_a² + s_b². By Cauchy and Schwarz
    it is at most √(z_a² + z_b²), so most pairs can be skipped once a large difference is known.
    """
    count = standard_errors.size
    for row in range(start, stop):
        outermost = 0
        for a in range(count):
            if abs(draws[row, a]) > abs(draws[row, outermost]):
                outermost = a
        reach = draws[row, outermost] ** 2
        best = 0.0
        for turn in range(-1, count):
            a = outermost if turn < 0 else turn
            square = draws[row, a] ** 2
            if square + reach <= best * best:
                continue
            for b in range(count):
                if square + draws[row, b] ** 2 <= best * best:
                    continue
                spread = np.sqrt(standard_errors[a] ** 2 + standard_errors[b] ** 2)
                if spread == 0.0:
                    continue
                difference = (standard_errors[a] * draws[row, a] - standard_errors[b] * draws[row, b]) / spread
                if difference > best and estimates[a] - estimates[b] <= beyond * spread:
                    best = difference
                elif -difference > best and estimates[b] - estimates[a] <= beyond * spread:
                    best = -difference
        largest[row] = best
