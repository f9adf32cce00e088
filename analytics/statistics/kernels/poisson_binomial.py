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
    means: FloatArray,
    deviations: FloatArray,
    window: FloatArray,
    reach: float,
    widest: float,
    breaks: FloatArray,
    found: IntegerArray,
) -> None:
    """Fill `breaks` with rising scores of the window between which the normal densities are smooth: limits of panels.

    `found[0]` becomes their number. A step is `widest` deviations of the most precise community whose mean is within
    `reach` of its deviations; where there is none, one step leads to the next such community.
    """
    place, last = np.inf, -np.inf
    for row in range(means.size):
        place = min(place, means[row] - reach * deviations[row])
        last = max(last, means[row] + reach * deviations[row])
    place, last = max(place, window[0]), min(last, window[1])
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
def add_count_moments(exceeding: FloatArray, moments: FloatArray) -> None:
    """Add to `moments`, shape (3, places), mean, variance and third cumulant of the number of rows above each place.

    `exceeding` holds P(θ > place) with a row for each community.
    """
    for row in range(exceeding.shape[0]):
        for place in range(exceeding.shape[1]):
            chance = exceeding[row, place]
            variance = chance * (1.0 - chance)
            moments[0, place] += chance
            moments[1, place] += variance
            moments[2, place] += variance * (1.0 - 2.0 * chance)


@compiled
def find_window(  # noqa: PLR0917  compiled functions take no keywords
    means: FloatArray,
    deviations: FloatArray,
    held: IntegerArray,
    edges: FloatArray,
    cumulative: NDArray[np.float32],
    places: int,
    reach: float,
    negligible: float,
    window: FloatArray,
) -> None:
    """Fill `window` with two scores between which the k-th best lies, except for a negligible probability.

    Arguments as in `fill_exceeding`; `places` is k, and no normal score lies farther than `reach` deviations from its
    mean.
    """
    lowest, highest = np.inf, -np.inf
    for row in range(means.size):
        if held[row] >= 0:
            lowest, highest = min(lowest, edges[0]), max(highest, edges[-1])
        else:
            lowest = min(lowest, means[row] - reach * deviations[row])
            highest = max(highest, means[row] + reach * deviations[row])
    # A known score at an end lies within.
    margin = 1e-9 * max(1.0, highest - lowest)
    lowest, highest = lowest - margin, highest + margin
    place, exceeding, moments = np.empty(1), np.empty((means.size, 1)), np.empty((3, 1))
    # Each end twice: as far as a hundredth of what is between them, which the other end makes smaller.
    for turn in range(4):
        is_low = turn % 2 == 0
        outside, inside = (lowest, highest) if is_low else (highest, lowest)
        while abs(inside - outside) > 0.01 * (highest - lowest):
            place[0] = (inside + outside) / 2.0
            if place[0] == inside or place[0] == outside:
                break
            fill_exceeding(means, deviations, held, edges, cumulative, place, exceeding)
            moments[:] = 0.0
            add_count_moments(exceeding, moments)
            if _is_beyond(moments[0, 0], moments[1, 0], places, is_low, math.log(negligible)):
                outside = place[0]
            else:
                inside = place[0]
        if is_low:
            lowest = outside
        else:
            highest = outside
    window[0], window[1] = lowest, highest


@compiled
def _is_beyond(  # compiled functions take no keywords
    mean: float,
    variance: float,
    places: int,
    is_low: bool,  # noqa: FBT001
    logarithm: float,
) -> bool:
    """Return whether fewer than k, or at least k, of the others lie above with a negligible probability.

    By Bernstein's inequality or Chernoff's; below, the community itself is left out.
    """
    apart = mean - 1.0 - places if is_low else places - mean
    if apart <= 0.0:
        return False
    if apart * apart > -2.0 * logarithm * (variance + apart / 3.0):
        return True
    if is_low:
        return apart * apart > -2.0 * logarithm * (mean - 1.0)
    few = max(mean, 1e-300)
    return places * math.log(few / places) + apart < logarithm


@compiled
def fewer_than(places: float, mean: float, variance: float, third: float) -> float:
    """Return P(count < k) for a count with these cumulants: a gamma distribution with the same three.

    The count is smoothed by a uniform variable of one unit, which leaves P(count < k) at k − ½ as it is and adds 1/12
    to the variance. Its gamma distribution function is the one of Wilson and Hilferty, so that without skewness it is
    the normal one.
    """
    spread = variance + 1.0 / 12.0
    standardised = (places - 0.5 - mean) / math.sqrt(spread)
    skew = third / (2.0 * spread * math.sqrt(spread))
    if abs(skew) > 1e-6:
        base = 1.0 + standardised * skew
        if base <= 0.0:
            return 0.0 if skew > 0.0 else 1.0
        standardised = 3.0 / skew * (base ** (1.0 / 3.0) - 1.0 + skew * skew / 9.0)
    return 0.5 * math.erfc(-standardised / math.sqrt(2.0))


@compiled
def fill_shares_of_tied(moments: FloatArray, tied: IntegerArray, places: int, shares: FloatArray) -> None:
    """Fill `shares` with the share of k places, less those above, that each of the `tied` at a score can expect.

    `moments` are of the number above; for one that is tied with nobody it is P(fewer than k lie above).
    """
    for score in range(tied.size):
        total = 0.0
        for left in range(max(places - tied[score], 0) + 1, places + 1):
            total += fewer_than(left, moments[0, score], moments[1, score], moments[2, score])
        shares[score] = total / tied[score]


@compiled
def approximate_top_probability(
    exceeding: FloatArray, weights: FloatArray, moments: FloatArray, places: int, probability: FloatArray
) -> None:
    """Add to `probability` what `integrate_top_probability` does, with `fewer_than` of the moments of the others.

    `moments` are of all rows at each node, from `add_count_moments`. P(fewer than k of the others) changes little with
    the row's own chance p to lie above; it is the polynomial in p through p = 0, 1/3, 2/3 and 1.
    """
    nodes = exceeding.shape[1]
    coefficients = np.empty((4, nodes))
    for node in range(nodes):
        at_0 = _fewer_of_the_others(0.0, moments[:, node], places)
        at_1 = _fewer_of_the_others(1.0 / 3.0, moments[:, node], places)
        at_2 = _fewer_of_the_others(2.0 / 3.0, moments[:, node], places)
        at_3 = _fewer_of_the_others(1.0, moments[:, node], places)
        coefficients[0, node] = at_0
        coefficients[1, node] = -5.5 * at_0 + 9.0 * at_1 - 4.5 * at_2 + at_3
        coefficients[2, node] = 9.0 * at_0 - 22.5 * at_1 + 18.0 * at_2 - 4.5 * at_3
        coefficients[3, node] = -4.5 * at_0 + 13.5 * at_1 - 13.5 * at_2 + 4.5 * at_3
    for row in range(exceeding.shape[0]):
        total = 0.0
        for node in range(nodes):
            chance = exceeding[row, node]
            fewer = coefficients[3, node]
            for power in range(2, -1, -1):
                fewer = fewer * chance + coefficients[power, node]
            total += weights[row, node] * fewer
        probability[row] += total


@compiled
def fill_fewer_of_the_others(chances: FloatArray, moments: FloatArray, places: int, fewer: FloatArray) -> None:
    """Fill `fewer` with P(fewer than k of the others lie above), for communities that do with the given chances."""
    for row in range(chances.size):
        fewer[row] = _fewer_of_the_others(chances[row], moments[:, row], places)


@compiled
def _fewer_of_the_others(chance: float, moments: FloatArray, places: int) -> float:
    own = chance * (1.0 - chance)
    fewer: float = fewer_than(
        places, moments[0] - chance, max(moments[1] - own, 0.0), moments[2] - own * (1.0 - 2.0 * chance)
    )
    return fewer


@compiled
def interpolate_moments(
    points: FloatArray, breaks: FloatArray, nodes: FloatArray, moments: FloatArray, between: FloatArray
) -> None:
    """Fill `between` with the moments at each point, from the polynomial through the nodes of its panel.

    Each panel between breaks has the same number of nodes.
    """
    each = nodes.size // (breaks.size - 1)
    for point in range(points.size):
        panel = min(max(np.searchsorted(breaks, points[point]) - 1, 0), breaks.size - 2)
        between[:, point] = 0.0
        for node in range(each * panel, each * (panel + 1)):
            share = 1.0
            for other in range(each * panel, each * (panel + 1)):
                if other != node:
                    share *= (points[point] - nodes[other]) / (nodes[node] - nodes[other])
            for order in range(3):
                between[order, point] += share * moments[order, node]


@compiled
def find_cells(edges: FloatArray, places: FloatArray, cells: IntegerArray, parts: FloatArray) -> None:
    """Fill `cells` with the cell of each place, the nearest if outside, and `parts` with the fraction of it below."""
    for place in range(places.size):
        cell = min(max(np.searchsorted(edges, places[place]) - 1, 0), edges.size - 2)
        cells[place] = cell
        parts[place] = min(max((places[place] - edges[cell]) / (edges[cell + 1] - edges[cell]), 0.0), 1.0)
