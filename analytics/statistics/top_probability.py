"""Probability that a community is truly among the best k of its region, given its posterior.

The official list names the k best observed communities; P is the probability that each belongs there. Within a region
the probabilities add up to k, so ΣP over a list is the expected number of its rightful members.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from analytics.statistics.empirical_bayes import SMALL_REGION
from analytics.statistics.kernels.poisson_binomial import (
    fill_exceeding,
    fill_weights,
    find_panel_breaks,
    integrate_top_probability,
)
from analytics.statistics.nonparametric_prior import GridPosterior
from analytics.statistics.threads import run_in_threads
from analytics.statistics.validation import (
    FloatArray,
    IntegerArray,
    SingleArray,
    finite_numbers,
    refuse,
    row_codes,
    whole_numbers,
)

# Gauss–Legendre rule within each panel, and by how much the sum of a region may miss k before panels are halved.
NODES: Final = np.polynomial.legendre.leggauss(3)
WANTED_ERROR: Final = 1e-7
MOST_HALVINGS: Final = 6
# Panels of normal posteriors, in deviations of the narrowest one; beyond the reach its density is below 10⁻¹³.
PANEL_WIDTH: Final = 0.8
REACH: Final = 7.5
# Scores that are the k-th best with less than this probability are left out of the integral.
NEGLIGIBLE: Final = 1e-12
# Nodes that are processed at once: with 100 communities and 5 places they fit into the processor's cache.
NODES_AT_ONCE: Final = 16
ROWS_AT_ONCE: Final = 4_096


@dataclass(frozen=True)
class TopProbability:
    """Probabilities of being among the best k, one element per community.

    Attributes
    ----------
    probability : ndarray of float
        P in [0, 1]; over a region they add up to its k.
    threshold : ndarray of float
        The true score T that separates the best k of the region: the one solved for, or the mean of the k-th best true
        score. −inf where all are among the best (k = N), inf where none is (k = 0).
    threshold_variance : ndarray of float
        Variance of the k-th best true score; 0 where T was solved for and treated as known.
    quadrature_error : ndarray of float
        By how much the integrals of the region missed k before the difference was distributed; 0 where nothing was
        integrated. It bounds the quadrature error, not that of the approximation in large regions, for which see the
        Notes of `top_probability`.
    """

    probability: FloatArray
    threshold: FloatArray
    threshold_variance: FloatArray
    quadrature_error: FloatArray


def top_probability(
    mean: npt.ArrayLike,
    variance: npt.ArrayLike,
    *,
    region: npt.ArrayLike,
    size: npt.ArrayLike,
    grids: Sequence[GridPosterior] = (),
) -> TopProbability:
    """Return the probability that each community is among the `size` best true scores of its region.

    Parameters
    ----------
    mean, variance : array_like
        Posterior mean and variance (≥ 0) of each community's true score; the highest is the best.
    region : array_like
        Label of each community's region.
    size : array_like
        k, the nominal number of places in the region: one number for all, or one per community, equal within a region.
        A whole number, from 0 to the number of communities of the region.
    grids : sequence of GridPosterior
        Posteriors of some communities on a grid, `Shrinkage.grids`, at most one grid per region; the others are normal.

    Returns
    -------
    TopProbability
        Empty for empty columns.

    Raises
    ------
    ValueError
        If a value is missing, a variance negative, k fractional, negative, above N or not the same throughout a region,
        a region has two grids, or a column has another length.

    Notes
    -----
    N ≥ `SMALL_REGION`: T solves ΣP(θ > T) = k, with Φ((m − T)/√V) for a normal posterior; the k-th best true score of
    many communities hardly varies. Compared with the integral below, P is off by at most .004 at N = 200 and .002 at
    N = 1,000 (30 to 300 answers, Beta(16, 4), 5 %). A community whose true score is known (V = 0) has P = 1 above T and
    0 below; those exactly at T share the rest of k equally.

    N < `SMALL_REGION`: Pᵢ = ∫ fᵢ(x) P(fewer than k of the others lie above x) dx for independent posteriors; the number
    of others above x is counted exactly, one community after the other. Panels end at the edges of the grids and at
    known scores, and follow the narrowest normal posterior elsewhere; each has three Gauss–Legendre nodes. The exact
    integrals add up to k, so the difference from k shows the quadrature error: panels are halved until it is below
    `WANTED_ERROR`, at most `MOST_HALVINGS` times, and the rest is distributed in proportion to P(1 − P). Communities
    with equal known scores share the places that remain for them. Neither the order nor other regions matter.

    If k = N all have P = 1, if k = 0 all have 0; so a community that is alone in its region has one or the other.

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
    probability, threshold, uncertainty, error = np.zeros((4, centre.size))
    members = np.split(order, starts[1:]) if centre.size else []

    def work(first: int, last: int) -> None:
        for rows in members[first:last]:
            k = int(places[rows[0]])
            if k in (0, rows.size):
                probability[rows], threshold[rows] = k / rows.size, np.inf if k == 0 else -np.inf
                continue
            grid = gridded.get(int(codes[rows[0]]), _NO_GRID)
            posteriors = _Posteriors(centre[rows], np.sqrt(spread[rows]), grid, place[grid.rows])
            if rows.size >= SMALL_REGION:
                probability[rows], threshold[rows] = posteriors.solve_threshold(k)
            else:
                probability[rows], threshold[rows], uncertainty[rows], error[rows] = posteriors.integrate_probabilities(
                    k
                )

    run_in_threads(work, len(members))
    # Equal communities get equal digits, whatever the order of their integrals.
    probability[order] = _averaged_over_ties(probability[order], centre[order], spread[order], codes[order])
    return TopProbability(probability, threshold, uncertainty, error)


def _averaged_over_ties(share: FloatArray, *posteriors: npt.NDArray[np.generic]) -> FloatArray:
    """Return each row's value averaged over the adjacent rows with an equal posterior."""
    new = np.ones(share.size, dtype=bool)
    new[1:] = np.any([column[1:] != column[:-1] for column in posteriors], axis=0)
    group = np.cumsum(new) - 1
    averages: FloatArray = np.clip(np.bincount(group, share) / np.bincount(group), 0.0, 1.0)
    return np.asarray(averages[group])


_NO_GRID: Final = GridPosterior(np.zeros(0, np.int64), np.arange(2.0), np.zeros((0, 2), np.float32))


def _by_region(grids: Sequence[GridPosterior], codes: IntegerArray) -> dict[int, GridPosterior]:
    found = [(int(codes[grid.rows[0]]), grid) for grid in grids if grid.rows.size]
    result = dict(found)
    if len(result) < len(found):
        raise ValueError("the posteriors of a region must be on one grid")
    return result


class _Posteriors:
    """Posteriors of one region's true scores, sorted: those in `places` are on the grid, others normal or known.

    `means` and `deviations` are of all; a score without deviation that is not on the grid is known.
    """

    def __init__(self, means: FloatArray, deviations: FloatArray, grid: GridPosterior, places: IntegerArray) -> None:
        self.mean, self.deviation = means, deviations
        self.grid, self.gridded = grid, places
        self.held = np.full(means.size, -1)
        self.held[places] = np.arange(places.size)
        self.normal = np.flatnonzero((self.held < 0) & (deviations > 0))
        self.known = np.flatnonzero((self.held < 0) & (deviations == 0))

    @cached_property
    def sums_beyond(self) -> FloatArray:
        """Expected number of communities on the grid beyond each of its edges."""
        sums = np.full(self.grid.edges.size, float(self.gridded.size))
        for start in range(0, self.gridded.size, ROWS_AT_ONCE):
            sums -= self.grid.cumulative[start : start + ROWS_AT_ONCE].sum(axis=0, dtype=np.float64)
        return sums

    def solve_threshold(self, k: int) -> tuple[FloatArray, float]:
        """Return P of each row and the threshold T, from solving ΣP(θ > T) = k."""
        known = np.sort(self.mean[self.known])
        # Expected number above each known score, and the same with those exactly at it included.
        distinct = np.unique(known)
        unsure = np.array([self._expected_above(score) for score in distinct])
        above = unsure + known.size - np.searchsorted(known, distinct, side="right")
        at_or_above = unsure + known.size - np.searchsorted(known, distinct, side="left")
        # The lowest known score with at most k above it; counts decrease as scores increase.
        first = int(np.searchsorted(-above, -k))
        if first < distinct.size and at_or_above[first] >= k:
            threshold, share = float(distinct[first]), (k - above[first]) / (at_or_above[first] - above[first])
        else:
            certain = float(known.size - np.searchsorted(known, distinct[first])) if first < distinct.size else 0.0
            lower = distinct[first - 1] if first > 0 else -np.inf
            upper = distinct[first] if first < distinct.size else np.inf
            threshold, share = self._root(k - certain, float(lower), float(upper)), 1.0
        return self._beyond(threshold, share), threshold

    def integrate_probabilities(self, k: int) -> tuple[FloatArray, float, float, float]:
        """Return P of each row by quadrature, mean and variance of the k-th best score, and by how much ΣP missed k."""
        breaks = self._breaks_near_threshold(self._breaks(), k)
        for _ in range(MOST_HALVINGS):
            probability, threshold, uncertainty = self._integral(breaks, k)
            missed = k - float(probability.sum())
            if abs(missed) <= WANTED_ERROR:
                break
            breaks = np.sort(np.concatenate([breaks, (breaks[1:] + breaks[:-1]) / 2]))
        open_to = probability * (1 - probability)
        if missed:
            probability += missed * open_to / max(float(open_to.sum()), np.finfo(np.float64).tiny)
        # By rounding, the nearly certain would end beyond 0 or 1.
        return np.clip(probability, 0.0, 1.0), threshold, uncertainty, abs(missed)

    def _breaks(self) -> FloatArray:
        """Return scores between which every posterior is smooth."""
        if self.gridded.size == self.mean.size:
            return self.grid.edges
        deviation = self.deviation[self.normal]
        room = np.empty(int(deviation.size * (2 * REACH / PANEL_WIDTH + 4)))
        found = np.zeros(1, dtype=np.int64)
        if deviation.size:
            find_panel_breaks(self.mean[self.normal], deviation, REACH, PANEL_WIDTH, room, found)
        edges = self.grid.edges[: self.grid.edges.size * (self.gridded.size > 0)]
        return np.unique(np.concatenate([room[: found[0]], self.mean[self.known], edges]))

    def _breaks_near_threshold(self, breaks: FloatArray, k: int) -> FloatArray:
        """Return the breaks between which the k-th best score lies, except for a negligible probability."""
        above = self._exceeding(breaks).sum(axis=0)
        # Chernoff bounds for sums of independent events; the lower one leaves out the community itself.
        spare = np.maximum(above - 1, np.finfo(np.float64).tiny)
        too_low = (spare > k) & ((spare - k) ** 2 > -2 * np.log(NEGLIGIBLE) * spare)
        few = np.maximum(above, np.finfo(np.float64).tiny)
        too_high = (above < k) & (k * np.log(few / k) + k - few < np.log(NEGLIGIBLE))
        first = int(np.count_nonzero(too_low[1:]))
        return breaks[first : breaks.size - int(np.count_nonzero(too_high[:-1]))]

    def _integral(self, breaks: FloatArray, k: int) -> tuple[FloatArray, float, float]:
        half = np.diff(breaks)[:, None] / 2
        places = (breaks[:-1, None] + half * (1 + NODES[0])).ravel()
        lengths = (half * NODES[1]).ravel()
        scores, inverse, tied = np.unique(self.mean[self.known], return_inverse=True, return_counts=True)
        nodes = np.concatenate([places, scores, breaks[-1:]])
        weights = np.zeros((self.mean.size, nodes.size))
        fill_weights(*self._columns, places, lengths, weights)
        at_most, probability = np.empty((k, nodes.size)), np.empty(self.mean.size)
        before = np.empty((self.mean.size, k, NODES_AT_ONCE))
        exceeding = self._exceeding(nodes)
        integrate_top_probability(exceeding, weights, before, at_most, probability)
        # A community above all panels is among the best.
        probability += exceeding[:, -1]
        # If A communities lie above a known score, min(tied, k − A) places remain for those exactly at it.
        left = np.array([at_most[max(k - size, 0) :, places.size + place].sum() for place, size in enumerate(tied)])
        if tied.size:
            probability[self.known] = (left / tied)[inverse]
        # Integration by parts, from the distribution of the k-th best score.
        below = at_most[-1, : places.size] * lengths
        threshold = float(breaks[-1] - below.sum())
        uncertainty = float((breaks[-1] - threshold) ** 2 - 2 * ((places - threshold) @ below))
        return np.clip(probability, 0, 1), threshold, max(uncertainty, 0.0)

    @property
    def _columns(self) -> tuple[FloatArray, FloatArray, IntegerArray, FloatArray, SingleArray]:
        return self.mean, self.deviation, self.held, self.grid.edges, self.grid.cumulative

    def _exceeding(self, places: FloatArray) -> FloatArray:
        """Return P(θ > place), with a row for each community."""
        result = np.empty((self.mean.size, places.size))
        fill_exceeding(*self._columns, places, result)
        return result

    def _expected_above(self, threshold: float) -> float:
        beyond = (self.mean[self.normal] - threshold) / self.deviation[self.normal]
        total = float(special.ndtr(beyond).sum())
        return total + float(np.interp(threshold, self.grid.edges, self.sums_beyond))

    def _root(self, expected: float, lower: float, upper: float) -> float:
        unsure = np.setdiff1d(np.arange(self.mean.size), self.known)
        reach = 40 * self.deviation[unsure]
        lower = max(lower, float((self.mean[unsure] - reach).min()))
        upper = min(upper, float((self.mean[unsure] + reach).max()))
        return float(
            optimize.brentq(lambda place: self._expected_above(place) - expected, lower, upper, xtol=1e-300, rtol=1e-15)
        )

    def _beyond(self, threshold: float, share_of_tied: float) -> FloatArray:
        result = self._exceeding(np.array([threshold]))[:, 0]
        result[self.known[self.mean[self.known] == threshold]] = share_of_tied
        return result
