"""Compiled loops for the Poisson-binomial number of communities above a score, for independent true scores.

They release the GIL and start no threads, see `analytics.statistics.kernels.compilation`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from analytics.statistics.kernels.compilation import compiled
from analytics.statistics.validation import FloatArray, IntegerArray


@compiled
def integrate_top_probability(  # noqa: C901, PLR0912  one loop nest
    exceeding: FloatArray, weights: FloatArray, before: FloatArray, at_most: FloatArray, probability: FloatArray
) -> None:
    """Fill `probability` with Σ weights · P(fewer than k of the others lie above), summed over the nodes for each row.

    `exceeding` holds P(θ > node) with a row for each community; `weights` has the same shape. `at_most`, shape
    (k, nodes), is filled with P(number above ≤ 0, …, k − 1) over all communities. `before`, shape
    (communities, k, nodes at once), is a work array.

    The others before a row and those after it are counted separately and then combined, so that nothing is divided by
    a probability that may be close to 0.
    """
    count, nodes = exceeding.shape
    places, at_once = before.shape[1], before.shape[2]
    above, not_above, fewer = np.empty(at_once), np.empty(at_once), np.empty(at_once)
    # P(≤ c) for the number of rows after the current one; nodes beyond the last are computed too and ignored.
    after = np.empty((places, at_once))
    for row in range(count):
        probability[row] = 0.0
    for start in range(0, nodes, at_once):
        width = min(at_once, nodes - start)
        after[:] = 1.0
        before[0] = 0.0
        before[0, 0] = 1.0
        above[:] = 0.0
        for row in range(count - 1):
            for q in range(width):
                above[q] = exceeding[row, start + q]
            for q in range(at_once):
                not_above[q] = 1.0 - above[q]
                before[row + 1, 0, q] = before[row, 0, q] * not_above[q]
            for c in range(1, places):
                for q in range(at_once):
                    before[row + 1, c, q] = before[row, c, q] * not_above[q] + before[row, c - 1, q] * above[q]
        for row in range(count - 1, -1, -1):
            for q in range(width):
                above[q] = exceeding[row, start + q]
            for q in range(at_once):
                not_above[q] = 1.0 - above[q]
                fewer[q] = 0.0
            for c in range(places):
                for q in range(at_once):
                    fewer[q] += before[row, c, q] * after[places - 1 - c, q]
            for q in range(width):
                probability[row] += fewer[q] * weights[row, start + q]
            for c in range(places - 1, 0, -1):
                for q in range(at_once):
                    after[c, q] = after[c, q] * not_above[q] + after[c - 1, q] * above[q]
            for q in range(at_once):
                after[0, q] *= not_above[q]
        for c in range(places):
            for q in range(width):
                at_most[c, start + q] = after[c, q]


@compiled
def find_panel_breaks(  # noqa: PLR0917  compiled functions take no keywords
    means: FloatArray, deviations: FloatArray, reach: float, widest: float, breaks: FloatArray, found: IntegerArray
) -> None:
    """Fill `breaks` with rising scores between which the normal densities are smooth: limits of quadrature panels.

    `found[0]` becomes their number. A step is `widest` deviations of the most precise community whose mean is within
    `reach` of its deviations; where there is none, one step leads to the next such community.
    """
    place, last = np.inf, -np.inf
    for row in range(means.size):
        place = min(place, means[row] - reach * deviations[row])
        last = max(last, means[row] + reach * deviations[row])
    number = 0
    while number < breaks.size:
        breaks[number] = place
        number += 1
        if place >= last:
            break
        following = last
        for row in range(means.size):
            step = widest * deviations[row]
            nearest = means[row] - reach * deviations[row]
            if place < nearest:
                following = min(following, nearest)
            elif place < means[row] + reach * deviations[row]:
                following = min(following, place + step)
        place = following
    found[0] = number


@compiled
def fill_exceeding(  # noqa: PLR0917  compiled functions take no keywords
    means: FloatArray,
    deviations: FloatArray,
    held: IntegerArray,
    edges: FloatArray,
    cumulative: NDArray[np.float32],
    places: FloatArray,
    exceeding: FloatArray,
) -> None:
    """Fill `exceeding` with P(θ > place): one row per community, one column per place.

    `held` is each community's row in `cumulative`, P(θ ≤ edge), or −1: its true score is then normal, or known if its
    deviation is 0.
    """
    cells, parts = np.empty(places.size, np.int64), np.empty(places.size)
    find_cells(edges, places, cells, parts)
    for row in range(means.size):
        if held[row] >= 0:
            own = cumulative[held[row]]
            for place in range(places.size):
                below, next_below = np.float64(own[cells[place]]), np.float64(own[cells[place] + 1])
                exceeding[row, place] = 1.0 - (below + parts[place] * (next_below - below))
        elif deviations[row] > 0.0:
            for place in range(places.size):
                standardised = (places[place] - means[row]) / deviations[row]
                exceeding[row, place] = 0.5 * math.erfc(standardised / math.sqrt(2.0))
        else:
            for place in range(places.size):
                exceeding[row, place] = 1.0 if means[row] > places[place] else 0.0


@compiled
def fill_weights(  # noqa: PLR0917  compiled functions take no keywords
    means: FloatArray,
    deviations: FloatArray,
    held: IntegerArray,
    edges: FloatArray,
    cumulative: NDArray[np.float32],
    places: FloatArray,
    lengths: FloatArray,
    weights: FloatArray,
) -> None:
    """Fill the first columns of `weights` with the density of θ at each place, times its length.

    Arguments as in `fill_exceeding`; no place may be an edge. Known true scores have no density and are skipped.
    """
    cells, parts = np.empty(places.size, np.int64), np.empty(places.size)
    find_cells(edges, places, cells, parts)
    for row in range(means.size):
        if held[row] >= 0:
            own = cumulative[held[row]]
            for place in range(places.size):
                cell = cells[place]
                inside = 0.0 < parts[place] < 1.0
                mass = np.float64(own[cell + 1]) - np.float64(own[cell])
                weights[row, place] = mass / (edges[cell + 1] - edges[cell]) * lengths[place] if inside else 0.0
        elif deviations[row] > 0.0:
            for place in range(places.size):
                standardised = (places[place] - means[row]) / deviations[row]
                density = math.exp(-0.5 * standardised * standardised) / (deviations[row] * math.sqrt(2.0 * math.pi))
                weights[row, place] = density * lengths[place]


@compiled
def find_cells(edges: FloatArray, places: FloatArray, cells: IntegerArray, parts: FloatArray) -> None:
    """Fill `cells` with the cell of each place, the nearest if outside, and `parts` with the fraction of it below."""
    for place in range(places.size):
        cell = min(max(np.searchsorted(edges, places[place]) - 1, 0), edges.size - 2)
        cells[place] = cell
        parts[place] = min(max((places[place] - edges[cell]) / (edges[cell + 1] - edges[cell]), 0.0), 1.0)
