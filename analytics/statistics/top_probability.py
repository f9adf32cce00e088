"""Probability that a community is truly among the best k of its region, given its posterior.

The official list names the k best observed communities; P is the probability that each belongs there. Within a region
the probabilities add up to k, so ΣP over a list is the expected number of its rightful members.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.statistics.kernels.poisson_binomial import (
    add_count_moments,
    approximate_top_probability,
    fill_exceeding,
    fill_fewer_of_the_others,
    fill_shares_of_tied,
    fill_weights,
    find_panel_breaks,
    find_window,
    integrate_top_probability,
    interpolate_moments,
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

# The number of others above a score is counted exactly where communities × places × panels are no more.
MOST_COUNTED: Final = 150_000
# Gauss–Legendre rule within each panel, and by how much the sum of a region may miss k before panels are halved.
NODES: Final = np.polynomial.legendre.leggauss(3)
WANTED_ERROR: Final = 1e-7
MOST_HALVINGS: Final = 6
# Panels of normal posteriors, in deviations of the narrowest one; beyond the reach its density is below 10⁻¹³.
PANEL_WIDTH: Final = 0.8
REACH: Final = 7.5
# Scores that are the k-th best with less than this probability are left out of the integral.
NEGLIGIBLE: Final = 1e-12
# The same where the number is approximated: panels, each about as wide as one deviation of the k-th best score, with
# four nodes. Normal posteriors that are narrower than a panel have nodes of their own, of a Gauss–Hermite rule.
WIDE_PANELS: Final = 16
WIDE_NODES: Final = np.polynomial.legendre.leggauss(4)
NARROW_NODES: Final = special.roots_hermitenorm(24)
# Known and nearly known scores that are edges of panels; where there are more, each is a small step.
MOST_STEPS: Final = 400
# Nodes that are processed at once: with 100 communities and 5 places they fit into the processor's cache.
NODES_AT_ONCE: Final = 16
ROWS_AT_ONCE: Final = 2_048


@dataclass(frozen=True)
class TopProbability:
    """Probabilities of being among the best k, one element per community.

    Attributes
    ----------
    probability : ndarray of float
        P in [0, 1]; over a region they add up to its k.
    threshold : ndarray of float
        The true score T that separates the best k of the region: the mean of the k-th best true score. −inf where all
        are among the best (k = N), inf where none is (k = 0).
    threshold_variance : ndarray of float
        Variance of the k-th best true score.
    quadrature_error : ndarray of float
        By how much the integrals of the region missed k before the difference was distributed; 0 where nothing was
        integrated. In large regions it includes what the approximation misses, see the Notes of `top_probability`.
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
        Posteriors of some communities on a grid, `Shrinkage.grids`; the others are normal. Of a region that has several
        the one with the most communities counts: the others, narrower than its cells, are normal as well.

    Returns
    -------
    TopProbability
        Empty for empty columns.

    Raises
    ------
    ValueError
        If a value is missing, a variance negative, k fractional, negative, above N or not the same throughout a region,
        or a column has another length.

    Notes
    -----
    Pᵢ = ∫ fᵢ(x) P(fewer than k of the others lie above x) dx for independent posteriors. Only scores that are the k-th
    best with more than a `NEGLIGIBLE` probability are integrated over; who lies above or below all of them is counted
    as certain. So the uncertainty of the k-th best score itself is part of every P.

    Where communities × places × panels that remain are at most `MOST_COUNTED`, the number of others above x is counted
    exactly, one community after the other. Panels end at the edges of the grids and at known scores, and follow the
    narrowest normal posterior elsewhere; each has three Gauss–Legendre nodes. The exact integrals add up to k, so the
    difference from k shows the quadrature error: panels are halved until it is below `WANTED_ERROR`, at most
    `MOST_HALVINGS` times, and the rest is distributed in proportion to P(1 − P). Communities with equal known scores
    share the places that remain for them. Neither the order nor other regions matter.

    Otherwise the number of others is approximated by a gamma distribution with the same mean, variance and skewness,
    the community itself left out of all three. In regions so large P is then within .0001 of the exact count, and
    within .002 where many scores are known or nearly so, because almost all households answered.

    If k = N all have P = 1, if k = 0 all have 0; so a community that is alone in its region has one or the other.

    References
    ----------
    Aitkin M, Longford N (1986), Statistical modelling issues in school effectiveness, J. R. Stat. Soc. A 149, 1–43.
    Wilson EB, Hilferty MM (1931), The distribution of chi-square, Proc. Natl. Acad. Sci. 17, 684–688.
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
            held = np.full(rows.size, -1)
            held[place[grid.rows]] = np.arange(grid.rows.size)
            posteriors = _Posteriors(centre[rows], np.sqrt(spread[rows]), grid, held)
            probability[rows], threshold[rows], uncertainty[rows], error[rows] = posteriors.top_probability(k)

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
    """Return the grid of each region that has any, of several the one with the most communities."""
    fewest_first = sorted((grid for grid in grids if grid.rows.size), key=lambda grid: grid.rows.size)
    return {int(codes[grid.rows[0]]): grid for grid in fewest_first}


class _Posteriors:
    """Posteriors of one region's true scores, sorted: `held` is the row of the grid that has each, −1 if none has.

    Scores that are not on the grid are normal, or known where they have no deviation.
    """

    def __init__(self, means: FloatArray, deviations: FloatArray, grid: GridPosterior, held: IntegerArray) -> None:
        self.mean, self.deviation = means, deviations
        self.grid, self.held = grid, held
        self.normal = np.flatnonzero((self.held < 0) & (deviations > 0))
        self.known = np.flatnonzero((self.held < 0) & (deviations == 0))

    def top_probability(self, k: int) -> tuple[FloatArray, float, float, float]:
        """Return P of each row, mean and variance of the k-th best score, and by how much ΣP missed k."""
        window = np.empty(2)
        find_window(*self.columns, k, REACH, NEGLIGIBLE, window)
        ends = self.exceeding(window)
        probability = np.zeros(self.mean.size)
        certain = ends[:, 1] >= 1 - NEGLIGIBLE
        probability[certain] = 1.0
        open_rows = np.flatnonzero(~certain & (ends[:, 0] > NEGLIGIBLE))
        places = k - int(np.count_nonzero(certain))
        rest = self.only(open_rows)
        if 0 < places < open_rows.size:
            work = open_rows.size * places
            breaks = rest.breaks(window) if work <= MOST_COUNTED else window
            integrate = rest.count if work * breaks.size <= MOST_COUNTED else rest.approximate
            found, threshold, uncertainty, missed = integrate(breaks, places)
        else:
            # The k-th best lies between those who certainly have a place and those who certainly have none.
            found, threshold, uncertainty, missed = np.full(open_rows.size, float(places > 0)), window.mean(), 0.0, 0.0
        probability[open_rows] = found
        return probability, float(threshold), uncertainty, missed

    def only(self, rows: IntegerArray) -> "_Posteriors":
        """Return the posteriors of some rows, in their order; the grid, the largest thing in memory, is not copied."""
        return _Posteriors(self.mean[rows], self.deviation[rows], self.grid, self.held[rows])

    def count(self, breaks: FloatArray, k: int) -> tuple[FloatArray, float, float, float]:
        """Integrate with the others counted exactly."""
        for _ in range(MOST_HALVINGS):
            probability, threshold, uncertainty = self.integral(breaks, k)
            missed = k - float(probability.sum())
            if abs(missed) <= WANTED_ERROR:
                break
            breaks = np.sort(np.concatenate([breaks, (breaks[1:] + breaks[:-1]) / 2]))
        return _adding_up(probability, missed), threshold, uncertainty, abs(missed)

    def breaks(self, window: FloatArray) -> FloatArray:
        """Return scores of the window between which every posterior is smooth."""
        deviation = self.deviation[self.normal]
        room = np.empty(int(deviation.size * (2 * REACH / PANEL_WIDTH + 4)))
        found = np.zeros(1, dtype=np.int64)
        if deviation.size:
            find_panel_breaks(self.mean[self.normal], deviation, window, REACH, PANEL_WIDTH, room, found)
        return self.breaks_with(room[: found[0]], self.mean[self.known], window)

    def breaks_with(self, panels: FloatArray, known: FloatArray, window: FloatArray) -> FloatArray:
        edges = self.grid.edges if np.any(self.held >= 0) else self.grid.edges[:0]
        return np.unique(np.clip(np.concatenate([panels, known, edges, window]), *window))

    def integral(self, breaks: FloatArray, k: int) -> tuple[FloatArray, float, float]:
        places, lengths = _nodes_between(breaks, *NODES)
        scores, inverse, tied = np.unique(self.mean[self.known], return_inverse=True, return_counts=True)
        nodes = np.concatenate([places, scores, breaks[-1:]])
        weights = np.zeros((self.mean.size, nodes.size))
        fill_weights(*self.columns, places, lengths, weights)
        at_most, probability = np.empty((k, nodes.size)), np.empty(self.mean.size)
        before = np.empty((self.mean.size, k, NODES_AT_ONCE))
        exceeding = self.exceeding(nodes)
        integrate_top_probability(exceeding, weights, before, at_most, probability)
        # A community above all panels is among the best.
        probability += exceeding[:, -1]
        # If A communities lie above a known score, min(tied, k − A) places remain for those exactly at it.
        left = np.array([at_most[max(k - size, 0) :, places.size + place].sum() for place, size in enumerate(tied)])
        if tied.size:
            probability[self.known] = (left / tied)[inverse]
        return np.clip(probability, 0, 1), *_moments_of_threshold(
            at_most[-1, : places.size], places, lengths, breaks[-1]
        )

    def approximate(self, breaks: FloatArray, k: int) -> tuple[FloatArray, float, float, float]:
        """Integrate between the first and the last break, the number of others approximated by its three moments.

        Scores that are known or nearly so make steps in these, which no quadrature of a whole panel sees.
        """
        window = breaks[[0, -1]]
        is_sharp = (self.held < 0) & (self.deviation < np.ptp(window) / WIDE_PANELS)
        wide, sharp = np.flatnonzero(~is_sharp), self.only(np.flatnonzero(is_sharp))
        steps = np.unique(sharp.mean)
        breaks = self.breaks_with(
            np.linspace(window[0], window[1], WIDE_PANELS + 1), steps if steps.size <= MOST_STEPS else steps[:0], window
        )
        nodes, lengths = _nodes_between(breaks, *WIDE_NODES)
        smooth = self.only(wide).count_moments(nodes)
        moments = smooth + sharp.count_moments(nodes)

        def moments_at(points: FloatArray) -> FloatArray:
            between = np.empty((3, points.size))
            interpolate_moments(np.clip(points, *window), breaks, nodes, smooth, between)
            return between + sharp.count_moments(points)

        probability = np.empty(self.mean.size)
        for rows in _in_parts(wide):
            part = self.only(rows)
            weights, found = np.zeros((rows.size, nodes.size)), part.exceeding(window[1:])[:, 0]
            fill_weights(*part.columns, nodes, lengths, weights)
            approximate_top_probability(part.exceeding(nodes), weights, moments, k, found)
            probability[rows] = found
        probability[is_sharp] = sharp.sharp_probability(moments_at, k)
        missed = k - float(probability.sum())
        below = np.empty(nodes.size)
        fill_shares_of_tied(moments, np.ones(nodes.size, dtype=np.int64), k, below)
        threshold, uncertainty = _moments_of_threshold(below, nodes, lengths, window[1])
        return _adding_up(probability, missed), threshold, uncertainty, abs(missed)

    def sharp_probability(self, moments_at: Callable[[FloatArray], FloatArray], k: int) -> FloatArray:
        """Return P of normal scores that are narrow and of known ones, from the moments of the number above a score."""
        probability = np.empty(self.mean.size)
        places, weights = NARROW_NODES
        points = (self.mean[self.normal, None] + self.deviation[self.normal, None] * places).ravel()
        fewer = np.empty(points.size)
        fill_fewer_of_the_others(np.tile(special.ndtr(-places), self.normal.size), moments_at(points), k, fewer)
        probability[self.normal] = fewer.reshape(-1, places.size) @ (weights / weights.sum())
        scores, inverse, tied = np.unique(self.mean[self.known], return_inverse=True, return_counts=True)
        shares = np.empty(scores.size)
        fill_shares_of_tied(moments_at(scores), tied, k, shares)
        probability[self.known] = shares[inverse]
        return probability

    def count_moments(self, places: FloatArray) -> FloatArray:
        """Return mean, variance and third cumulant of the number of communities above each place."""
        moments = np.zeros((3, places.size))
        for rows in _in_parts(np.arange(self.mean.size)):
            part = self.only(rows)
            for some in _in_parts(np.arange(places.size)):
                counted = np.zeros((3, some.size))
                add_count_moments(part.exceeding(places[some]), counted)
                moments[:, some] += counted
        return moments

    @property
    def columns(self) -> tuple[FloatArray, FloatArray, IntegerArray, FloatArray, SingleArray]:
        return self.mean, self.deviation, self.held, self.grid.edges, self.grid.cumulative

    def exceeding(self, places: FloatArray) -> FloatArray:
        """Return P(θ > place), with a row for each community."""
        result = np.empty((self.mean.size, places.size))
        fill_exceeding(*self.columns, places, result)
        return result


def _in_parts(rows: IntegerArray) -> list[IntegerArray]:
    return np.split(rows, range(ROWS_AT_ONCE, rows.size, ROWS_AT_ONCE))


def _nodes_between(breaks: FloatArray, nodes: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the places and lengths of a quadrature rule in each panel between breaks."""
    half = np.diff(breaks)[:, None] / 2
    return (breaks[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()


def _moments_of_threshold(
    below: FloatArray, places: FloatArray, lengths: FloatArray, highest: float
) -> tuple[float, float]:
    """Return mean and variance of the k-th best score from P(it is at most each place), integrating by parts."""
    covered = below * lengths
    mean = float(highest - covered.sum())
    return mean, max(float((highest - mean) ** 2 - 2 * ((places - mean) @ covered)), 0.0)


def _adding_up(probability: FloatArray, missed: float) -> FloatArray:
    """Return probabilities with what they miss of their sum distributed over those that are open."""
    open_to = probability * (1 - probability)
    share = missed / max(float(open_to.sum()), np.finfo(np.float64).tiny)
    # By rounding, the nearly certain would end beyond 0 or 1.
    return np.clip(probability + (share * open_to if missed else 0.0), 0.0, 1.0)
