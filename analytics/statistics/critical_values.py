"""Critical values of studentised differences between communities, for confidence sets of ranks.

Estimates x_i are independent and normal with known standard errors s_i; the studentised difference of i and j is
(x_i − x_j)/σ_ij with σ_ij² = s_i² + s_j². With probability `level` all differences of a stated set, less their true
values, lie within the critical value c. Pairs of scores that both have no error are left out: it is known whether they
differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.special import ndtr, ndtri

from analytics.statistics.threads import run_in_threads
from analytics.statistics.validation import BooleanArray, FloatArray, finite_numbers

Side = Literal["two-sided", "lower", "upper"]

# Up to this many different standard errors, sums over communities are computed directly.
_FEW = 14
# With more, a function of log s is interpolated from this many Chebyshev points of each panel of log s.
_POINTS = 12
_WIDEST_PANEL = 2.2
# Gauss–Legendre nodes on each side of |z| = c: the more comparisons, the steeper the integrand.
_NODES = 20
_NODES_FOR_MANY = 64
_MANY = 1_000
_FARTHEST = 7.5
# A secant step of this size leaves an error of about its square.
_TOLERANCE = 1e-6
_MOST_STEPS = 60
_TINY = 1e-300
# Largest size of one array of the quadrature.
_BLOCK = 200_000

_SEED = 20240101
_MOST_DRAWS = 100_000
_FEWEST_DRAWS = 2_000
_NORMALS = 100_000_000
_NORMALS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class SimulatedValue:
    """A critical value with its Monte Carlo standard error (0: not simulated) and number of draws."""

    value: float
    standard_error: float
    draws: int


def marginal_critical_values(
    standard_errors: ArrayLike, *, level: float, side: Side = "two-sided", sizes: ArrayLike | None = None
) -> FloatArray:
    """Return for each community the critical value of its differences from all others of its region.

    Parameters
    ----------
    standard_errors : array_like of float, shape (N,)
        Standard errors s of the scores, finite and ≥ 0, in any unit.
    level : float
        Joint probability, in [0.5, 1).
    side : {"two-sided", "lower", "upper"}
        "two-sided": |differences|. "lower" and "upper": differences in one direction; by symmetry both have the same
        critical values.
    sizes : array_like of int, optional
        Number of communities of each region, in the order of the rows; the sum is N. None: one region.

    Returns
    -------
    ndarray of float64, shape (N,)
        c_i; 0 where there is nothing to compare (N = 1, or no error in any pair).

    Raises
    ------
    ValueError
        If `level` lies outside [0.5, 1) or a standard error is negative or not finite.

    Notes
    -----
    Given community i's own error z s_i the others are independent, so that c_i solves

        ∫ φ(z) ∏_{j≠i} [Φ((c σ_ij + s_i z)/s_j) − Φ((−c σ_ij + s_i z)/s_j)] dz = level,

    with the first term alone for one side; s_j = 0 contributes 1{|z| ≤ c}. Sums of logarithms over j, and c as a
    function of s_i, are smooth in log s: with more than `_FEW` different standard errors both are interpolated by
    piecewise polynomials. The error of c is below 1e-5 if the largest s is at most 50 times the smallest, below 1e-4
    otherwise (tests/analytics/statistics/test_critical_values.py compares with direct quadrature, up to N = 300,000).
    Equal s have equal critical values.

    References
    ----------
    Mogstad, Romano, Shaikh and Wilhelm (2024), Inference for Ranks with Applications to Mobility across Neighbourhoods
    and Academic Achievement across Countries, Review of Economic Studies 91: 476–518.

    Examples
    --------
    Two communities: the difference is one normal variable, whatever its error.

    >>> marginal_critical_values([0.02, 0.05], level=0.95).round(4).tolist()
    [1.96, 1.96]
    >>> marginal_critical_values([0.02, 0.02, 0.05], level=0.95).round(3).tolist()
    [2.23, 2.23, 2.128]
    """
    s = _checked_errors(standard_errors, level)
    edges = np.concatenate(([0], np.cumsum([s.size] if sizes is None else np.asarray(sizes, dtype=np.int64))))
    if edges[-1] != s.size:
        raise ValueError(f"sizes add up to {edges[-1]}, but there are {s.size} standard errors")
    regions = [_Region.of(s[first:last]) for first, last in pairwise(edges)]
    values: list[FloatArray] = [np.empty(0)] * len(regions)
    # Regions with the same number of terms are solved together.
    for terms in {region.grid.size for region in regions}:
        alike = [number for number, region in enumerate(regions) if region.grid.size == terms]
        lanes = _all_comparisons([regions[number] for number in alike], side)
        solved = np.split(_solve(lanes, level), np.cumsum([regions[number].lanes.size for number in alike]))
        for number, own in zip(alike, solved[:-1], strict=True):
            values[number] = regions[number].spread(own)
    return np.concatenate([np.empty(0), *values])


def remaining_critical_values(
    standard_errors: ArrayLike, own: ArrayLike, above: BooleanArray, below: BooleanArray, *, level: float
) -> FloatArray:
    """Return stepdown critical values: those of the differences that are not rejected yet.

    Parameters
    ----------
    standard_errors : array_like of float, shape (N,)
        Standard errors s of all communities, finite and ≥ 0.
    own : array_like of float, shape (M,)
        Standard errors of the communities whose values are wanted (rows of the masks).
    above, below : ndarray of bool, shape (M, N)
        above[i, j]: “j is above i” is not rejected yet, so that (x_j − x_i)/σ_ij must stay within c; `below` likewise
        with (x_i − x_j)/σ_ij. A community's own column must be False in both.
    level : float
        Joint probability, in [0.5, 1).

    Returns
    -------
    ndarray of float64, shape (M,)
        Critical values; 0 where no comparison remains.

    Raises
    ------
    ValueError
        As `marginal_critical_values`.

    Notes
    -----
    The integral of `marginal_critical_values`, with a factor Φ((c σ_ij + s_i z)/s_j) where only `above` remains,
    Φ((c σ_ij − s_i z)/s_j) where only `below` remains, and 1 where neither does.

    Examples
    --------
    >>> rows = np.array([[False, True, True]])
    >>> remaining_critical_values([1, 1, 1], [1], rows, rows, level=0.95).round(3).tolist()
    [2.212]
    >>> remaining_critical_values([1, 1, 1], [1], rows & False, rows & [0, 0, 1], level=0.95).round(3).tolist()
    [1.645]
    """
    region = _Region.of(_checked_errors(standard_errors, level))
    exact = region.exact
    lanes = np.asarray(own, dtype=np.float64)

    def weights(mask: BooleanArray) -> FloatArray:
        return np.asarray(region.basis.T @ mask[:, ~exact].T.astype(np.float64)).T

    return _solve(
        _Lanes(
            lanes,
            region.grid[None],
            weights(above & below),
            weights(above & ~below),
            weights(below & ~above),
            (lanes > 0) & above[:, exact].any(axis=1),
            (lanes > 0) & below[:, exact].any(axis=1),
            with_own=False,
        ),
        level,
    )


def studentised_range_critical_value(count: int, *, level: float) -> float:
    """Return the studentised range critical value of all differences between communities with equal standard errors.

    Parameters
    ----------
    count : int
        Number of communities, ≥ 1.
    level : float
        Joint probability, in [0.5, 1).

    Returns
    -------
    float
        q/√2 with q the quantile of the range of `count` standard normals; 0 for one community.

    Raises
    ------
    ValueError
        If `level` or `count` lies outside its range.

    Notes
    -----
    q solves n ∫ φ(z) [Φ(z) − Φ(z − q)]^{n−1} dz = level. With unequal standard errors it is conservative.

    References
    ----------
    Hayter (1984), A proof of the conjecture that the Tukey–Kramer multiple comparisons procedure is conservative,
    Annals of Statistics 12: 61–75.

    Examples
    --------
    >>> round(studentised_range_critical_value(2, level=0.95), 4)
    1.96
    >>> round(studentised_range_critical_value(37, level=0.95) * 2**0.5, 3)
    5.445
    """
    _checked_errors([], level)
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    if count == 1:
        return 0.0
    z = np.linspace(-_FARTHEST, _FARTHEST, 3_601)
    weight = np.exp(-z * z / 2 - np.log(2 * np.pi) / 2) * (z[1] - z[0]) * count

    def gap(c: FloatArray) -> FloatArray:
        within = np.maximum(ndtr(z) - ndtr(z - np.sqrt(2) * c[:, None]), 0)
        return np.asarray(within ** (count - 1) @ weight)

    hardest = -ndtri((1 - level) / (count * (count - 1)))
    return float(_increasing_root(gap, np.full(1, ndtri(level)), np.full(1, hardest), level)[0])


def simultaneous_critical_value(
    estimates: ArrayLike, standard_errors: ArrayLike, *, level: float, beyond: float = np.inf
) -> SimulatedValue:
    """Simulate the simultaneous critical value of all differences, or of those not rejected yet.

    Parameters
    ----------
    estimates : array_like of float, shape (N,)
        Scores x, finite; only used together with `beyond`.
    standard_errors : array_like of float, shape (N,)
        Standard errors s in the unit of the scores, finite and ≥ 0.
    level : float
        Joint probability, in [0.5, 1).
    beyond : float
        Ordered pairs with x_i − x_j > beyond·σ_ij are rejected and left out. Infinite: all pairs are included.

    Returns
    -------
    SimulatedValue
        The `level` quantile of the largest studentised difference, its Monte Carlo standard error (half the distance
        between the order statistics one binomial standard deviation to either side) and the number of draws.

    Raises
    ------
    ValueError
        If `level` lies outside [0.5, 1) or a standard error is negative or not finite.

    Notes
    -----
    The direction of a difference does not matter: both orders of every pair are in the family. 10⁸ normals are
    drawn, at least 2,000 and at most 100,000 times N, from a fixed seed. The communities are sorted by (x, s) first, so
    that their order makes no difference, and every call uses the same draws: fewer pairs never give a larger value.
    With all pairs, the value is no smaller than the largest marginal one and no larger than that of the studentised
    range; if all standard errors are equal, the latter is exact and nothing is simulated.

    References
    ----------
    As `marginal_critical_values`.

    Examples
    --------
    >>> simultaneous_critical_value([5, 4, 4], [1, 1, 1], level=0.95)
    SimulatedValue(value=2.343..., standard_error=0.0, draws=0)
    """
    s = _checked_errors(standard_errors, level)
    x = np.asarray(estimates, dtype=np.float64)
    order = np.lexsort((s, x))
    x, s = x[order], s[order]
    if s.size < 2 or not s.any():
        return SimulatedValue(0.0, 0.0, 0)
    conservative = studentised_range_critical_value(s.size, level=level)
    if np.isinf(beyond) and np.ptp(s) == 0:
        return SimulatedValue(conservative, 0.0, 0)
    largest = _largest_differences(x, s, beyond)
    quantile, error = _upper_quantile(largest, level)
    if np.isinf(beyond):
        least = float(marginal_critical_values(s, level=level).max())
        quantile = min(max(quantile, least), conservative)
    return SimulatedValue(quantile, error, largest.size)


@dataclass(frozen=True)
class _Region:
    """Standard errors of a region and the interpolation grid that represents them.

    `basis` (positive errors, grid) interpolates from the `grid` to the region's own positive errors; its column sums
    are the numbers of communities that the grid points represent. `exact`: which communities have no error.
    """

    exact: BooleanArray
    grid: FloatArray
    basis: FloatArray | sparse.csr_array

    @classmethod
    def of(cls, s: FloatArray) -> "_Region":
        exact = s == 0
        return cls(exact, *_grid(s[~exact]))

    @property
    def lanes(self) -> FloatArray:
        """Standard errors to solve for: those of the grid, and 0 if a community has no error."""
        return np.append(self.grid, 0.0) if self.exact.any() else self.grid

    @property
    def weights(self) -> FloatArray:
        return np.asarray(self.basis.sum(axis=0), dtype=np.float64)

    def spread(self, values: FloatArray) -> FloatArray:
        """Interpolate the values of the lanes to each community."""
        own = np.empty(self.exact.shape)
        own[~self.exact] = self.basis @ values[: self.grid.size]
        own[self.exact] = values[self.grid.size :]
        return own


@dataclass(frozen=True)
class _Lanes:
    """Comparisons of each community i (a lane) with the others, whose joint probability is solved for.

    For standard errors `grid`, shape (lanes or 1, K), weights of that shape give the number of communities compared in
    `both` directions, only for being `above` i, only for being `below` i; flags (lanes,), whether one without error
    is compared. `with_own`: the weights include i itself, which has to be taken out.
    """

    standard_errors: FloatArray
    grid: FloatArray
    both: FloatArray
    above: FloatArray
    below: FloatArray
    exact_above: BooleanArray
    exact_below: BooleanArray
    with_own: bool

    def comparisons(self) -> FloatArray:
        """Count the one-directional comparisons of each lane."""
        weights = 2 * self.both + self.above + self.below
        own = self.with_own * (self.standard_errors > 0) * (2 if self.both.any() else 1)
        exact = self.exact_above.astype(int) + self.exact_below
        return np.asarray(np.round(weights.sum(axis=1) - own) + exact)

    def part(self, lanes: NDArray[np.intp]) -> "_Lanes":
        """Return the lanes at some positions."""
        grid, both, above, below = (
            each if each.shape[0] == 1 else each[lanes] for each in (self.grid, self.both, self.above, self.below)
        )
        return _Lanes(
            self.standard_errors[lanes],
            grid,
            both,
            above,
            below,
            self.exact_above[lanes],
            self.exact_below[lanes],
            self.with_own,
        )


def _checked_errors(standard_errors: ArrayLike, level: float) -> FloatArray:
    if not 0.5 <= level < 1:
        raise ValueError(f"level must lie in [0.5, 1), got {level}")
    return finite_numbers("standard_errors", standard_errors, lowest=0)


def _all_comparisons(regions: list[_Region], side: Side) -> _Lanes:
    """Return the comparisons of each lane with all others of its region, for regions with grids of equal size."""
    counts = [region.lanes.size for region in regions]
    weights = np.repeat([region.weights for region in regions], counts, axis=0)
    lanes = np.concatenate([region.lanes for region in regions])
    exact = (lanes > 0) & np.repeat([region.exact.any() for region in regions], counts)
    none = np.zeros_like(weights)
    return _Lanes(
        lanes,
        np.repeat([region.grid for region in regions], counts, axis=0),
        weights if side == "two-sided" else none,
        none if side == "two-sided" else weights,
        none,
        exact,
        exact if side == "two-sided" else np.zeros_like(exact),
        with_own=True,
    )


def _grid(s: FloatArray) -> tuple[FloatArray, FloatArray | sparse.csr_array]:
    """Return a grid of standard errors that represents all `s` > 0, and the interpolation matrix (s, grid)."""
    different, which = np.unique(s, return_inverse=True)
    if different.size <= _FEW:
        return different, np.eye(different.size)[which]
    first, last = np.log(different[[0, -1]])
    panels = max(1, int(np.ceil((last - first) / _WIDEST_PANEL)))
    width = max(last - first, 1e-9) / panels
    points = -np.cos((np.arange(_POINTS) + 0.5) * np.pi / _POINTS)
    place = (np.log(s) - first) / width
    panel = np.clip(place.astype(int), 0, panels - 1)
    values = _lagrange(2 * (place - panel) - 1, points)
    grid = np.exp(first + width * (np.arange(panels)[:, None] + (points + 1) / 2)).ravel()
    if panels == 1:
        return grid, values
    columns = panel[:, None] * _POINTS + np.arange(_POINTS)
    starts = np.arange(s.size + 1) * _POINTS
    return grid, sparse.csr_array((values.ravel(), columns.ravel(), starts), (s.size, grid.size))


def _lagrange(place: FloatArray, points: FloatArray) -> FloatArray:
    """Evaluate the Lagrange polynomials of `points` at `place` (barycentric form), shape (place, points)."""
    distance = points[:, None] - points
    np.fill_diagonal(distance, 1)
    offset = place[:, None] - points
    offset[offset == 0] = _TINY
    terms = 1 / (distance.prod(axis=1) * offset)
    return np.asarray(terms / terms.sum(axis=1, keepdims=True))


def _solve(lanes: _Lanes, level: float) -> FloatArray:
    values = np.zeros(lanes.standard_errors.size)
    comparisons = np.broadcast_to(lanes.comparisons(), values.shape)
    (needed,) = np.nonzero(comparisons > 0)
    rule = _rule(_NODES_FOR_MANY if comparisons.max(initial=0) > _MANY else _NODES)
    per_block = max(1, _BLOCK // (2 * rule.shape[1] * max(1, lanes.grid.shape[1])))
    blocks = [needed[first : first + per_block] for first in range(0, needed.size, per_block)]

    def solve(start: int, stop: int) -> None:
        for block in blocks[start:stop]:
            part = lanes.part(block)
            easiest = np.full(block.size, ndtri(level))
            hardest = -ndtri((1 - level) / comparisons[block])  # Bonferroni
            values[block] = _increasing_root(lambda c, part=part: _coverage(c, part, rule), easiest, hardest, level)  # type: ignore[misc]

    run_in_threads(solve, len(blocks))
    return values


@cache
def _rule(nodes: int) -> FloatArray:
    """Return the Gauss–Legendre nodes and weights on (0, 1)."""
    return np.asarray((np.polynomial.legendre.leggauss(nodes) + np.array([[1], [0]])) / 2)


def _coverage(c: FloatArray, lanes: _Lanes, rule: FloatArray) -> FloatArray:
    """Return for each lane the probability that its comparisons stay within c: the integral over z and −z, z > 0."""
    points, weights = rule
    beyond = np.maximum(_FARTHEST - c, 1)[:, None]
    # The nodes of both parts are dense near c, where a community with a far smaller error than i's bends the integrand.
    inner, outer = c[:, None] * (1 - points**2), c[:, None] + beyond * points**2
    z = np.concatenate([inner, outer], axis=1)
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    density *= np.concatenate([c[:, None] * weights, beyond * weights], axis=1) * np.tile(2 * points, 2)

    s = lanes.standard_errors[:, None]
    allowed = c[:, None] * np.sqrt(s * s + lanes.grid**2) / lanes.grid
    moved = z[:, :, None] * (s / lanes.grid)[:, None, :]
    positive, negative = _log_probabilities(lanes, allowed[:, None, :] + moved, allowed[:, None, :] - moved)
    if lanes.with_own:
        own_positive, own_negative = _log_own(lanes, np.sqrt(2) * c[:, None] + z, np.sqrt(2) * c[:, None] - z)
        positive -= own_positive * (s > 0)
        negative -= own_negative * (s > 0)
    # Interpolation error can take the sums out of the range of a probability.
    positive, negative = np.exp(np.minimum(positive, 0)), np.exp(np.minimum(negative, 0))
    # A community without error that may not lie above (below) i keeps i's own error above −c (below c).
    positive[:, points.size :] *= ~lanes.exact_below[:, None]
    negative[:, points.size :] *= ~lanes.exact_above[:, None]
    return np.asarray(((positive + negative) * density).sum(axis=1))


def _log_probabilities(lanes: _Lanes, upper: FloatArray, lower: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the log probability of all comparisons given z, and given −z; each of shape (lanes, nodes)."""
    below_lower = ndtr(lower)
    positive, negative = np.zeros((2, *upper.shape[:2]))
    if lanes.both.any():
        within = _log(below_lower - ndtr(-upper))
        positive += _weighted(within, lanes.both)
        negative += _weighted(within, lanes.both)
    if lanes.above.any() or lanes.below.any():
        below_upper, below_lower = _log(ndtr(upper)), _log(below_lower)
        positive += _weighted(below_upper, lanes.above) + _weighted(below_lower, lanes.below)
        negative += _weighted(below_lower, lanes.above) + _weighted(below_upper, lanes.below)
    return positive, negative


def _log_own(lanes: _Lanes, upper: FloatArray, lower: FloatArray) -> tuple[FloatArray, FloatArray]:
    if lanes.both.any():
        within = _log(ndtr(lower) - ndtr(-upper))
        return within, within
    return _log(ndtr(upper)), _log(ndtr(lower))


def _log(probability: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.maximum(probability, _TINY)))


def _weighted(values: FloatArray, weights: FloatArray) -> FloatArray:
    # Not a matrix product: its threads would wait for each other longer than these sums take.
    sums: FloatArray = np.einsum("lzk,lk->lz", values, np.broadcast_to(weights, (values.shape[0], weights.shape[1])))
    return sums


def _increasing_root(
    probability: Callable[[FloatArray], FloatArray], low: FloatArray, high: FloatArray, level: float
) -> FloatArray:
    """Solve probability(c) = level for each lane between `low` and `high`, by a bracketed secant method.

    log(−log P) is nearly linear in c, which suits the secant; a step that would leave the bracket halves it instead.
    """

    def gap(c: FloatArray) -> FloatArray:
        p = np.clip(probability(c), _TINY, 1 - 1e-16)
        return np.asarray(np.log(-np.log(p)) - np.log(-np.log(level)))

    here, gap_here = high, gap(high)
    # The slope for independent, equally likely comparisons: −φ(c)/(1 − Φ(c)).
    before = here - 1.0
    gap_before = gap_here + np.exp(-here * here / 2) / np.sqrt(2 * np.pi) / ndtr(-here)
    for _ in range(_MOST_STEPS):
        high = np.where(gap_here <= 0, np.minimum(high, here), high)
        low = np.where(gap_here >= 0, np.maximum(low, here), low)
        slope = np.where(
            gap_here == gap_before, -1, (gap_here - gap_before) / np.where(here == before, 1, here - before)
        )
        step = here - gap_here / slope
        step = np.where((step < low) | (step > high), (low + high) / 2, step)
        if (np.abs(step - here) <= _TOLERANCE).all():
            return step
        before, gap_before, here = here, gap_here, step
        gap_here = gap(here)
    return here


def _largest_differences(x: FloatArray, s: FloatArray, beyond: float) -> FloatArray:
    """Simulate errors and return each draw's largest studentised difference over the remaining pairs."""
    from analytics.statistics.kernels.pairs import largest_differences  # noqa: PLC0415  only simulations need compiled code

    draws = int(np.clip(_NORMALS // s.size, _FEWEST_DRAWS, _MOST_DRAWS))
    generator = np.random.Generator(np.random.PCG64(_SEED))
    largest = np.empty(draws)
    at_once = max(1, _NORMALS_AT_ONCE // s.size)
    for first in range(0, draws, at_once):
        part = largest[first : first + at_once]
        normals = generator.standard_normal((part.size, s.size))
        run_in_threads(
            lambda start, stop, normals=normals, part=part: largest_differences(  # type: ignore[misc]
                start, stop, normals, x, s, beyond, part
            ),
            part.size,
        )
    return largest


def _upper_quantile(values: FloatArray, level: float) -> tuple[float, float]:
    """Return the `level` quantile of `values` and its Monte Carlo standard error."""
    deviation = np.sqrt(values.size * level * (1 - level))
    ranks = np.clip(np.ceil(values.size * level + deviation * np.array([-1, 0, 1])).astype(int), 1, values.size) - 1
    lower, quantile, upper = np.sort(values)[ranks]
    return float(quantile), float(upper - lower) / 2
