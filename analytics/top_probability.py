"""Probability that a community truly is among the best k of its region, given what its answers say.

The official list names the k best observed; this says how likely each community belongs there. Within a region the
probabilities add up to k, so that ΣP over a list is the expected number of rightful members.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from analytics.arrays import FloatArray, IntegerArray, finite_numbers, refuse, row_codes, whole_numbers
from analytics.shrinkage import SMALL_REGION, GridPosterior

DRAWS: Final = 20_000
SEED: Final = 20210823
# Draws that are ranked at once: together with 200 communities they stay below 8 MB.
DRAWS_AT_ONCE: Final = 5_000


@dataclass(frozen=True)
class TopProbability:
    """Probabilities of being among the best k, one element for each community.

    Attributes
    ----------
    probability : ndarray of float
        P in [0, 1]; over a region they add up to its k.
    threshold : ndarray of float
        The true score T that separates the best k of the region: the one solved for, or the mean over the draws. −inf
        where all are among the best (k = N), inf where none is (k = 0).
    monte_carlo_error : ndarray of float
        Standard error of P from the finite number of draws, √(P(1 − P)/draws); 0 where P was computed without draws.
    """

    probability: FloatArray
    threshold: FloatArray
    monte_carlo_error: FloatArray


def top_probability(
    mean: npt.ArrayLike,
    variance: npt.ArrayLike,
    *,
    region: npt.ArrayLike,
    size: npt.ArrayLike,
    grids: Sequence[GridPosterior] = (),
    draws: int = DRAWS,
) -> TopProbability:
    """Return the probability of each community to be among the `size` best true scores of its region.

    Parameters
    ----------
    mean, variance : array_like
        Of the posterior of each community's true score, variance ≥ 0; the highest is the best.
    region : array_like
        Label of each community's region.
    size : array_like
        k, the nominal number of places in the region: one number for all, or one for each community that is the same
        throughout a region. Whole, from 0 to the number of communities of the region.
    grids : sequence of GridPosterior
        Whole posteriors of some communities, `Shrinkage.grids`; the others are normal.
    draws : int
        In regions of fewer than `SMALL_REGION` communities: how many times all true scores are drawn.

    Returns
    -------
    TopProbability
        Empty for empty columns.

    Raises
    ------
    ValueError
        If a value is missing, a variance negative, k fractional, negative, above N or not the same throughout a region,
        a column has another length, or there are no draws.

    Notes
    -----
    N ≥ `SMALL_REGION`: T solves ΣP(θ > T) = k, with Φ((m − T)/√V) for a normal posterior; the k-th best true score of
    many communities hardly varies. A community whose true score is known (V = 0) has P = 1 above T and 0 below; those
    that stand at T share equally what is left of k.

    N < `SMALL_REGION`: the true scores are drawn independently, the k best of each draw get 1, ties at the k-th place
    share. The stream of numbers is PCG64's own, which does not change between versions of numpy, and is the same for
    every region; communities take from it in the order of their posteriors, and those with equal posteriors get their
    common mean. So neither the order nor the other regions matter.

    Where k = N all have P = 1, where k = 0 all have 0, without draws. A community that is alone in its region therefore
    has one or the other.

    References
    ----------
    Aitkin M, Longford N (1986), Statistical modelling issues in school effectiveness, J. R. Stat. Soc. A 149, 1–43.
    Henderson NC, Newton MA (2016), Making the cut: improved ranking and selection for large-scale inference,
    J. R. Stat. Soc. B 78, 781–804.

    Examples
    --------
    >>> result = top_probability([0.9, 0.8, 0.8, 0.7], [0.0, 0.0, 0.0, 0.0], region=[1] * 4, size=2)
    >>> result.probability
    array([1. , 0.5, 0.5, 0. ])
    >>> unsure = top_probability([0.9, 0.8, 0.8, 0.7], [0.01] * 4, region=[1] * 4, size=2)
    >>> unsure.probability.round(2), round(float(unsure.probability.sum()), 9)
    (array([0.86, 0.5 , 0.5 , 0.14]), 2.0)
    """
    centre = finite_numbers("mean", mean)
    spread = finite_numbers("variance", variance, lowest=0)
    if centre.ndim != 1 or spread.shape != centre.shape:
        raise ValueError(f"mean and variance must be columns of one length, got {centre.shape}, {spread.shape}")
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    codes = row_codes("region", region, rows=centre.size)[1]
    places = np.broadcast_to(whole_numbers("size", size), centre.shape)
    refuse(places > np.bincount(codes, minlength=1)[codes], "size exceeds the communities of the region", size=places)
    order = np.lexsort((spread, centre, codes))
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    sizes = np.diff(starts, append=centre.size)
    refuse(
        places[order] != places[order[np.repeat(starts, sizes)]],
        "size differs within a region",
        size=places[order],
    )
    place = np.empty(centre.size, dtype=np.int64)
    place[order] = np.arange(centre.size) - np.repeat(starts, sizes)
    gridded = _by_region(grids, codes)
    probability, threshold, error = np.empty((3, centre.size))
    for rows in np.split(order, starts[1:]) if centre.size else []:
        posteriors = _Posteriors(rows, centre, spread, place=place, grids=gridded.get(int(codes[rows[0]]), ()))
        k = int(places[rows[0]])
        if k in (0, rows.size):
            probability[rows], threshold[rows], error[rows] = k / rows.size, np.inf if k == 0 else -np.inf, 0
        elif rows.size >= SMALL_REGION:
            probability[rows], threshold[rows] = posteriors.solved(k)
            error[rows] = 0
        else:
            probability[rows], threshold[rows] = posteriors.drawn(k, draws)
            error[rows] = np.sqrt(np.maximum(probability[rows] * (1 - probability[rows]), 0) / draws)
    return TopProbability(probability, threshold, error)


def _by_region(grids: Sequence[GridPosterior], codes: IntegerArray) -> dict[int, list[GridPosterior]]:
    result: dict[int, list[GridPosterior]] = {}
    for grid in grids:
        if grid.rows.size:
            result.setdefault(int(codes[grid.rows[0]]), []).append(grid)
    return result


class _Posteriors:
    """The true scores of one region: its `rows`, ordered by posterior, each on a grid, normal or known."""

    def __init__(
        self,
        rows: IntegerArray,
        mean: FloatArray,
        variance: FloatArray,
        *,
        place: IntegerArray,
        grids: Sequence[GridPosterior],
    ) -> None:
        self.mean, self.deviation = mean[rows], np.sqrt(variance[rows])
        self.grids = [(place[grid.rows], grid) for grid in grids]
        parametric = np.ones(rows.size, dtype=bool)
        for members, _ in self.grids:
            parametric[members] = False
        self.normal = np.flatnonzero(parametric & (self.deviation > 0))
        self.known = np.flatnonzero(parametric & (self.deviation == 0))
        self.totals = [
            (grid.edges, members.size - grid.cumulative.sum(axis=0, dtype=np.float64)) for members, grid in self.grids
        ]

    def solved(self, k: int) -> tuple[FloatArray, float]:
        """Return P of each row and the threshold at which they add up to k."""
        known = np.sort(self.mean[self.known])
        # How many are expected above each known score, and how many when those that stand at it are counted too.
        distinct = np.unique(known)
        unsure = np.array([self._expected_above(score) for score in distinct])
        above = unsure + known.size - np.searchsorted(known, distinct, side="right")
        at_or_above = unsure + known.size - np.searchsorted(known, distinct, side="left")
        # The lowest known score with at most k above it; counts fall as scores rise.
        first = int(np.searchsorted(-above, -k))
        if first < distinct.size and at_or_above[first] >= k:
            threshold, share = float(distinct[first]), (k - above[first]) / (at_or_above[first] - above[first])
        else:
            certain = float(known.size - np.searchsorted(known, distinct[first])) if first < distinct.size else 0.0
            lower = distinct[first - 1] if first > 0 else -np.inf
            upper = distinct[first] if first < distinct.size else np.inf
            threshold, share = self._root(k - certain, float(lower), float(upper)), 1.0
        return self._beyond(threshold, share), threshold

    def drawn(self, k: int, draws: int) -> tuple[FloatArray, float]:
        """Return the share of draws in which each row is among the k best, and the mean k-th best score."""
        stream = np.random.PCG64(SEED)
        share, threshold = np.zeros(self.mean.size), 0.0
        for start in range(0, draws, DRAWS_AT_ONCE):
            scores = self._draw(stream, min(DRAWS_AT_ONCE, draws - start))
            last = np.partition(scores, self.mean.size - k, axis=1)[:, self.mean.size - k, None]
            above, tied = scores > last, scores == last
            left = (k - above.sum(axis=1)) / tied.sum(axis=1)
            share += above.sum(axis=0) + left @ tied
            threshold += float(last.sum())
        return self._evened(share / draws), threshold / draws

    def _expected_above(self, threshold: float) -> float:
        beyond = (self.mean[self.normal] - threshold) / self.deviation[self.normal]
        total = float(special.ndtr(beyond).sum())
        return total + sum(float(np.interp(threshold, edges, sums)) for edges, sums in self.totals)

    def _root(self, expected: float, lower: float, upper: float) -> float:
        unsure = np.setdiff1d(np.arange(self.mean.size), self.known)
        reach = 40 * self.deviation[unsure]
        lower = max(lower, float((self.mean[unsure] - reach).min()))
        upper = min(upper, float((self.mean[unsure] + reach).max()))
        return float(
            optimize.brentq(lambda place: self._expected_above(place) - expected, lower, upper, xtol=1e-300, rtol=1e-15)
        )

    def _beyond(self, threshold: float, share_of_tied: float) -> FloatArray:
        result = np.empty(self.mean.size)
        result[self.normal] = special.ndtr((self.mean[self.normal] - threshold) / self.deviation[self.normal])
        known = self.mean[self.known]
        result[self.known] = np.where(known == threshold, share_of_tied, known > threshold)
        for members, grid in self.grids:
            cell = int(np.clip(np.searchsorted(grid.edges, threshold) - 1, 0, grid.edges.size - 2))
            part = np.clip((threshold - grid.edges[cell]) / (grid.edges[cell + 1] - grid.edges[cell]), 0, 1)
            below, next_below = grid.cumulative[:, cell : cell + 2].astype(np.float64).T
            result[members] = 1 - (below + part * (next_below - below))
        return result

    def _draw(self, stream: np.random.PCG64, draws: int) -> FloatArray:
        raw = stream.random_raw(draws * self.mean.size).reshape(draws, self.mean.size)
        uniform = ((raw >> np.uint64(11)) + 0.5) * 2.0**-53
        scores = np.broadcast_to(self.mean, uniform.shape).copy()
        scores[:, self.normal] += self.deviation[self.normal] * special.ndtri(uniform[:, self.normal])
        for members, grid in self.grids:
            for member, cumulative in zip(members, grid.cumulative, strict=True):
                scores[:, member] = np.interp(uniform[:, member], cumulative, grid.edges)
        return scores

    def _evened(self, share: FloatArray) -> FloatArray:
        """Return each row's value averaged over the rows with an equal posterior, which stand side by side."""
        new = (np.diff(self.mean, prepend=np.nan) != 0) | (np.diff(self.deviation, prepend=np.nan) != 0)
        group = np.cumsum(new) - 1
        averages: FloatArray = np.minimum(np.bincount(group, share) / np.bincount(group), 1.0)
        return np.asarray(averages[group])
