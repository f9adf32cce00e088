"""Sums of normal probabilities over very many communities, as exact as one by one and many times as fast."""

from typing import Final

import numpy as np
from scipy.special import ndtr

from analytics.statistics.validation import FloatArray

# Largest number of elements in one block of points and communities.
_BLOCK: Final = 1_000_000
# Nodes between which functions of the deviation, within a factor of two, and of the mean are interpolated.
_DEVIATION_NODES: Final = 16
_MEAN_NODES: Final = 10
# Distance of the nodes of the mean, in the least deviation among them.
_MEAN_STEP: Final = 0.125
_ANGLES: Final = (np.arange(_DEVIATION_NODES) + 0.5) * np.pi / _DEVIATION_NODES
_LOGARITHMS: Final = (1 - np.cos(_ANGLES)) / 2
_BARYCENTRIC: Final = np.sin(_ANGLES) * (-1.0) ** np.arange(_DEVIATION_NODES)


def sum_larger(points: FloatArray, mean: FloatArray, deviation: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of the number of normal scores that are larger than each point.

    Parameters
    ----------
    points : ndarray of float, shape (M,)
        In the unit of the scores, finite.
    mean, deviation : ndarray of float, shape (N,)
        Of independent normal scores, finite; deviations ≥ 0, and 0 where a score is known.

    Returns
    -------
    expected : ndarray of float, shape (M,)
        Σ p, with p = Φ((mean − point) / deviation), 1 or 0 where the deviation is 0; a score that is known and equal
        to the point is not larger. Between 0 and N.
    variance : ndarray of float, shape (M,)
        Σ p (1 − p), between 0 and N/4.

    Notes
    -----
    p is a smooth function of mean and deviation. Scores whose deviations are within a factor of two, if they are many,
    are replaced by weighted nodes: Chebyshev nodes of the logarithm of the deviation times equidistant ones of the
    mean, a score weighing on each as in Lagrange's interpolation. That is off by less than 10⁻¹⁰ N. The time grows with
    N + M × nodes, instead of N × M.

    No scores give sums of 0. Ties make no difference.

    References
    ----------
    Berrut JP, Trefethen LN (2004), Barycentric Lagrange interpolation, SIAM Review 46: 501–517.

    Examples
    --------
    Two scores that are known, one of them tied with the second point:

    >>> expected, variance = sum_larger(np.array([0.0, 1.0]), np.array([1.0, 2.0, 1.0]), np.array([0.0, 0.0, 1.0]))
    >>> expected.round(4).tolist(), variance.round(4).tolist()
    ([2.8413, 1.5], [0.1335, 0.25])
    """
    known = deviation == 0
    order = np.sort(mean[known])
    sums = np.zeros((2, points.size))
    sums[0] = order.size - np.searchsorted(order, points, side="right")
    octave = np.frexp(deviation)[1]
    for exponent in np.unique(octave[~known]):
        rows = ~known & (octave == exponent)
        sums += _sum_octave(points, mean[rows], deviation[rows])
    return sums[0], sums[1]


def _sum_octave(points: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return both sums over scores whose deviations lie between two powers of two."""
    least = np.ldexp(0.5, np.frexp(deviation[0])[1])
    step = _MEAN_STEP * least
    # A score lies between the two nodes in the middle of those that it weighs on.
    before = _MEAN_NODES // 2 - 1
    start = mean.min() - step * before
    count = int((mean.max() - start) / step) + before + 3
    if mean.size <= count * _DEVIATION_NODES:
        return _sum_weighted(points, mean, deviation, np.ones(mean.size))
    weights = np.zeros((_DEVIATION_NODES, count))
    at_once = _BLOCK // _DEVIATION_NODES
    for begin in range(0, mean.size, at_once):
        rows = slice(begin, begin + at_once)
        places = (mean[rows] - start) / step
        first = np.floor(places).astype(np.int64) - before
        beside = _deviation_weights(np.log2(deviation[rows] / least))
        for node, own in enumerate(_mean_weights(places - first)):
            for level in range(_DEVIATION_NODES):
                weights[level] += np.bincount(first + node, own * beside[level], count)
    means = np.tile(start + step * np.arange(count), _DEVIATION_NODES)
    return _sum_weighted(points, means, np.repeat(least * 2**_LOGARITHMS, count), weights.ravel())


def _sum_weighted(points: FloatArray, mean: FloatArray, deviation: FloatArray, weights: FloatArray) -> FloatArray:
    sums = np.empty((2, points.size))
    at_once = max(1, _BLOCK // mean.size)
    for first in range(0, points.size, at_once):
        larger = ndtr((mean - points[first : first + at_once, None]) / deviation)
        sums[:, first : first + at_once] = larger @ weights, (larger * (1 - larger)) @ weights
    return sums


def _deviation_weights(logarithms: FloatArray) -> FloatArray:
    """Return the weight of each score, by log₂ of its deviation in the least one, on each of `_LOGARITHMS`."""
    distance = logarithms - _LOGARITHMS[:, None]
    at_node = distance == 0
    ratios = _BARYCENTRIC[:, None] / np.where(at_node, 1, distance)
    return np.asarray(np.where(at_node.any(axis=0), at_node, ratios / ratios.sum(axis=0)))


def _mean_weights(places: FloatArray) -> FloatArray:
    """Return the weight of each score, by its place among its nodes 0, 1, …, on each of them."""
    nodes = np.arange(_MEAN_NODES)
    weights = np.ones((_MEAN_NODES, places.size))
    for node in nodes:
        for other in nodes[nodes != node]:
            weights[node] *= (places - other) / (node - other)
    return weights
