"""Confidence sets for ranks: the ranks that a community's true score can have, given the errors of all scores."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from analytics.statistics.critical_values import (
    Side,
    SimulatedValue,
    marginal_critical_values,
    remaining_critical_values,
    simultaneous_critical_value,
)
from analytics.statistics.empirical_bayes import shrink_scores
from analytics.statistics.kernels.rank_quantiles import fill_least_ranks, interpolate_evenly
from analytics.statistics.normal_sums import sum_larger
from analytics.statistics.pair_counts import count_significant_differences
from analytics.statistics.threads import run_in_threads
from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray, finite_numbers, refuse

Method = Literal["mrsw", "kww", "eb"]

LARGEST_STEPDOWN = 20_000
"""Marginal stepdown compares every pair anew in each step; larger regions are refused."""

# Largest number of elements in one block of pairs.
_BLOCK = 1_000_000
# Gauss–Hermite nodes for a community's own posterior.
_NODES = 40
# Nodes that weigh less change no sum of probabilities by its last digit.
_LEAST_WEIGHT = 1e-17
_LARGEST_EXACT_COUNT = 200
_LARGEST_DIRECT_SUM = 1_000
_GRID = 512
_LARGEST_EXPONENT = 100


@dataclass(frozen=True)
class _RankSetOptions:
    """Options of a rank confidence set, the same for each region."""

    level: float
    method: Method
    simultaneous: bool
    stepdown: bool
    side: Side


@dataclass(frozen=True)
class _Bounds:
    """Least and greatest ranks of one region's communities, and the simulated critical value, if any."""

    lower: IntegerArray
    upper: IntegerArray
    simulated: SimulatedValue | None = None


def rank_confidence_set(
    estimates: npt.ArrayLike,
    standard_errors: npt.ArrayLike,
    *,
    level: float = 0.95,
    method: Method = "mrsw",
    simultaneous: bool = False,
    stepdown: bool = False,
    side: Side = "two-sided",
    regions: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Return a confidence set for the rank of each community's true score, as least and greatest rank.

    Parameters
    ----------
    estimates : array_like of float, shape (N,)
        Scores x, independent and approximately normal, finite, in any unit; the largest ranks first. The result has
        the index of a Series.
    standard_errors : array_like of float, shape (N,)
        Standard errors s in the unit of the scores, finite and ≥ 0.
    level : float
        Confidence in [0.5, 1), for each region.
    method : {"mrsw", "kww", "eb"}
        "mrsw": from studentised differences (Mogstad, Romano, Shaikh and Wilhelm). "kww": from one interval for each
        community, joint by construction (Klein, Wright and Wieczorek). "eb": quantiles of the rank's posterior under
        a normal prior estimated from the region; a marginal credible set of each community.
    simultaneous : bool
        "mrsw": whether the sets of a region cover all its true ranks jointly, or each its own. No effect on "kww".
    stepdown : bool
        "mrsw": drop the rejected ordered pairs, and compare the others with their own, smaller critical value, until no
        more pairs are rejected.
    side : {"two-sided", "lower", "upper"}
        "lower": only the least rank is bounded, `upper` is N (“at best this rank”); "upper": `lower` is 1.
    regions : array_like, shape (N,), optional
        Labels; communities are ranked within their region. None: one region.

    Returns
    -------
    DataFrame
        Columns `lower`, `rank`, `upper` (int64, 1 to the size of the region), one row per community in the given order.
        `rank` is 1 + the number of larger scores of the region. With simulation, `attrs["critical_values"]` has for
        each region (None without regions) the `value` of the first step, its `standard_error` and `draws`.

    Raises
    ------
    ValueError
        If a number is missing or infinite or a standard error negative, with the rows named; if lengths or indexes
        differ; if a region is missing; if an option is unknown or not available for the method; if marginal stepdown is
        requested for a region of more than `LARGEST_STEPDOWN` communities.

    Notes
    -----
    mrsw: with σ_ij² = s_i² + s_j², lower_i = 1 + #{j : x_j − x_i > c_i σ_ij} and upper_i = N − #{j : x_i − x_j > c_i
    σ_ij}. c_i is the quantile of the largest |difference| (one-sided: difference) of i from the others, or of all pairs
    if simultaneous; see `analytics.statistics.critical_values` for the method and its accuracy. The simultaneous family
    has all ordered pairs, so one side has the same bounds as both.

    kww: intervals x ± z s of individual level (level)^{1/N}; lower_i = 1 + #{j : L_j > U_i}, upper_i =
    N − #{j : U_j < L_i}.

    eb: x_i ~ N(θ_i, s_i²), θ_i ~ N(μ, τ²), moments of θ_i from `analytics.statistics.empirical_bayes.shrink_scores`.
    The set runs from the (1 − level)/2 to the (1 + level)/2 quantile of 1 + #{j : θ_j > θ_i} (one side: 1 − level,
    level). Given θ_i the count is a sum of independent indicators: exact up to 200 communities, normal beyond. Beyond
    1,000 its mean and variance are interpolated between 512 points (`analytics.statistics.normal_sums`), which is off
    by far less than a rank. The set is for the true rank under the prior and need not contain `rank`.

    Cost of N communities in one region: kww N log N; mrsw about N^1.5, with stepdown N² and more; eb 26 N log N, from
    201 to 1,000 communities 26 N², up to 200 40 N³. Of 300,000, kww takes 0.2 s of processors, eb and mrsw 2 s,
    divided among threads, and none more than 200 MB.

    Ties: equal scores share the better `rank`; a tie is never evidence of order, so the sets of tied communities
    overlap. Communities with equal score and error have equal sets. If no score has an error, the sets are the first
    and the last position of the tied scores. A region of one: [1, 1]. Empty input gives an empty frame.

    References
    ----------
    Mogstad M, Romano JP, Shaikh AM, Wilhelm D (2024), Inference for Ranks with Applications to Mobility across
    Neighbourhoods and Academic Achievement across Countries, Review of Economic Studies 91: 476–518; R package csranks.
    Klein M, Wright T, Wieczorek J (2020), A joint confidence region for an overall ranking of populations, Journal of
    the Royal Statistical Society C 69: 589–606.
    Laird NM, Louis TA (1989), Empirical Bayes ranking methods, Journal of Educational Statistics 14: 29–46.

    Examples
    --------
    >>> rates = pd.Series([0.95, 0.85, 0.85, 0.6], index=["Binhe", "Xinhua", "Haida", "Kaiyuan"])
    >>> rank_confidence_set(rates, [0.02, 0.05, 0.05, 0.05])
             lower  rank  upper
    Binhe        1     1      3
    Xinhua       1     2      3
    Haida        1     2      3
    Kaiyuan      4     4      4
    >>> rank_confidence_set(rates, [0.0] * 4)["upper"].tolist()
    [1, 3, 3, 4]
    """
    options = _RankSetOptions(level, method, simultaneous, stepdown, side)
    _check_options(options)
    x, s = _checked(estimates, standard_errors)
    lower, rank, upper = np.empty((3, x.size), np.int64)
    simulated: dict[Hashable, dict[str, float | int]] = {}
    members = list(_regions(x, s, regions))
    for (region, rows), critical in zip(members, _marginal_values(s, members, options), strict=True):
        bounds = _bounds(x[rows], s[rows], critical, options)
        lower[rows], upper[rows] = bounds.lower, bounds.upper
        # Rows are in the order of x.
        rank[rows] = 1 + rows.size - np.searchsorted(x[rows], x[rows], side="right")
        if bounds.simulated:
            simulated[region] = vars(bounds.simulated).copy()
    index = estimates.index if isinstance(estimates, pd.Series) else None
    frame = pd.DataFrame({"lower": lower, "rank": rank, "upper": upper}, index=index)
    if simulated:
        frame.attrs["critical_values"] = simulated
    return frame


def top_confidence_set(
    estimates: npt.ArrayLike,
    standard_errors: npt.ArrayLike,
    *,
    size: int | Mapping[Hashable, int],
    level: float = 0.95,
    stepdown: bool = True,
    regions: npt.ArrayLike | None = None,
) -> BooleanArray:
    """Return a confidence set for the best `size` communities: it contains them all with confidence `level`.

    Parameters
    ----------
    estimates, standard_errors, level, stepdown, regions
        As `rank_confidence_set`.
    size : int or mapping of region to int
        Number of top places, ≥ 0; one for all regions, or one for each. 0 gives the empty set.

    Returns
    -------
    ndarray of bool, shape (N,)
        True where the simultaneous lower bound of the rank is at most `size`.

    Raises
    ------
    ValueError
        As `rank_confidence_set`; if a size is negative or not a whole number, or a region has none.

    Notes
    -----
    Mogstad, Romano, Shaikh and Wilhelm (2024), section 3.4, projection confidence set; csranks' cstaubest. With
    probability `level` it contains every community whose true rank is at most `size`, ties for the last place included.

    Examples
    --------
    >>> top_confidence_set([0.95, 0.85, 0.85, 0.6], [0.02, 0.05, 0.05, 0.05], size=1)
    array([ True,  True,  True, False])
    """
    frame = rank_confidence_set(
        estimates,
        standard_errors,
        level=level,
        simultaneous=True,
        stepdown=stepdown,
        side="lower",
        regions=regions,
    )
    labels = np.asarray(regions, dtype=object) if regions is not None else np.full(len(frame), None)
    different = list(dict.fromkeys(labels.tolist()))
    if isinstance(size, Mapping):
        missing = [label for label in different if label not in size]
        if missing:
            raise ValueError(f"size is not stated for {missing[:5]}")
        sizes = np.array([size[label] for label in labels.tolist()])
    else:
        sizes = np.full(len(frame), size)
    refuse((sizes < 0) | (sizes != np.rint(sizes)), "size is not a whole number of places", size=sizes)
    return frame["lower"].to_numpy() <= sizes


def _check_options(options: _RankSetOptions) -> None:
    if options.method not in get_args(Method):
        raise ValueError(f"method must be one of {get_args(Method)}, got {options.method!r}")
    if options.side not in get_args(Side):
        raise ValueError(f"side must be one of {get_args(Side)}, got {options.side!r}")
    if not 0.5 <= options.level < 1:
        raise ValueError(f"level must lie in [0.5, 1), got {options.level}")
    if options.stepdown and options.method != "mrsw":
        raise ValueError(f'stepdown goes with method "mrsw", not with {options.method!r}')
    if options.simultaneous and options.method == "eb":
        raise ValueError('method "eb" gives a credible set for each community by itself; simultaneous must be False')


def _checked(estimates: npt.ArrayLike, standard_errors: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    x = finite_numbers("estimates", estimates)
    s = finite_numbers("standard_errors", standard_errors, lowest=0)
    if x.ndim != 1 or s.shape != x.shape:
        raise ValueError(f"estimates and standard_errors must be two lists of one length, got {x.shape} and {s.shape}")
    if (
        isinstance(estimates, pd.Series)
        and isinstance(standard_errors, pd.Series)
        and not estimates.index.equals(standard_errors.index)
    ):
        raise ValueError("estimates and standard_errors have different indexes")
    # The unit makes no difference, but squares of very large or very small numbers would overflow or underflow.
    largest = max(np.abs(x).max(initial=0), s.max(initial=0))
    exponent = int(np.frexp(largest)[1])
    return (np.ldexp(x, -exponent), np.ldexp(s, -exponent)) if abs(exponent) > _LARGEST_EXPONENT else (x, s)


def _regions(
    x: FloatArray, s: FloatArray, regions: npt.ArrayLike | None
) -> Iterator[tuple[Hashable, npt.NDArray[np.intp]]]:
    """Yield each region and its rows sorted by score and error, so that the input order makes no difference."""
    if regions is None:
        codes, labels = np.zeros(x.size, np.intp), [None]
    else:
        column = pd.Series(regions).reset_index(drop=True)
        if len(column) != x.size:
            raise ValueError(f"regions must hold one label for each of {x.size} rows, got {len(column)}")
        codes, found = pd.factorize(column)
        refuse(codes < 0, "regions is missing", regions=np.where(codes < 0, "missing", "stated"))
        labels = list(found)
    order = np.lexsort((s, x, codes))
    edges = np.searchsorted(codes[order], np.arange(len(labels) + 1))
    for label, first, last in zip(labels, edges[:-1], edges[1:], strict=True):
        if last > first:
            yield label, order[first:last]


def _marginal_values(
    s: FloatArray, members: list[tuple[Hashable, npt.NDArray[np.intp]]], options: _RankSetOptions
) -> list[FloatArray]:
    """Return the first step's critical values of each region's communities; empty if the method has none."""
    if options.method != "mrsw" or options.simultaneous or not members:
        return [np.empty(0)] * len(members)
    sizes = [rows.size for _, rows in members]
    ordered = s[np.concatenate([rows for _, rows in members])]
    values = marginal_critical_values(ordered, level=options.level, side=options.side, sizes=sizes)
    return np.split(values, np.cumsum(sizes)[:-1])


def _bounds(x: FloatArray, s: FloatArray, critical: FloatArray, options: _RankSetOptions) -> _Bounds:
    if options.method == "kww":
        bounds = _joint(x, s, options.level)
    elif options.method == "eb":
        bounds = _credible(x, s, options)
    elif options.simultaneous:
        bounds = _simultaneous(x, s, options)
    elif options.stepdown:
        bounds = _marginal_stepdown(x, s, critical, options)
    else:
        bounds = _from_counts(*count_significant_differences(x, s, critical))
    lower = np.ones_like(bounds.lower) if options.side == "upper" else bounds.lower
    upper = np.full_like(bounds.upper, x.size) if options.side == "lower" else bounds.upper
    return _Bounds(lower, upper, bounds.simulated)


def _from_counts(above: IntegerArray, below: IntegerArray, simulated: SimulatedValue | None = None) -> _Bounds:
    return _Bounds(1 + above, below.size - below, simulated)


def _joint(x: FloatArray, s: FloatArray, level: float) -> _Bounds:
    reach = -ndtri(-np.expm1(np.log(level) / x.size) / 2) * s
    low, high = x - reach, x + reach
    above = x.size - np.searchsorted(np.sort(low), high, side="right")
    below = np.searchsorted(np.sort(high), low, side="left")
    return _from_counts(above, below)


def _simultaneous(x: FloatArray, s: FloatArray, options: _RankSetOptions) -> _Bounds:
    first = simultaneous_critical_value(x, s, level=options.level)
    critical = first.value
    above, below = count_significant_differences(x, s, critical)
    decided = -1
    while options.stepdown and above.sum() > max(decided, 0):
        decided = above.sum()
        # Fewer pairs cannot need a larger value, but the first value may be smaller than a simulated one.
        critical = min(critical, simultaneous_critical_value(x, s, level=options.level, beyond=critical).value)
        above, below = count_significant_differences(x, s, critical)
    return _from_counts(above, below, first)


def _marginal_stepdown(x: FloatArray, s: FloatArray, first: FloatArray, options: _RankSetOptions) -> _Bounds:
    if x.size > LARGEST_STEPDOWN:
        raise ValueError(f"marginal stepdown is offered up to {LARGEST_STEPDOWN} communities a region, got {x.size}")
    above, below = np.empty((2, x.size), np.int64)
    at_once = max(1, _BLOCK // x.size)
    for start in range(0, x.size, at_once):
        rows = np.arange(start, min(start + at_once, x.size))
        critical, decided = first[rows], np.zeros(rows.size, np.int64)
        while rows.size:
            allowed = critical[:, None] * np.sqrt(s[rows, None] ** 2 + s**2)
            difference = x - x[rows, None]
            higher, lower = difference > allowed, -difference > allowed
            above[rows], below[rows] = higher.sum(axis=1), lower.sum(axis=1)
            counted = (options.side != "upper") * above[rows] + (options.side != "lower") * below[rows]
            (going_on,) = np.nonzero(counted > decided)
            rows, decided = rows[going_on], counted[going_on]
            others = np.arange(x.size) != rows[:, None]
            remaining = remaining_critical_values(
                s,
                s[rows],
                others & ~higher[going_on] & (options.side != "upper"),
                others & ~lower[going_on] & (options.side != "lower"),
                level=options.level,
            )
            critical = np.minimum(critical[going_on], remaining)
    return _from_counts(above, below)


def _credible(x: FloatArray, s: FloatArray, options: _RankSetOptions) -> _Bounds:
    """Return quantiles of each rank's posterior: P(rank ≤ r) averaged over the community's own posterior."""
    posterior = shrink_scores(x, s * s, region=np.zeros(x.size, np.int64), prior="normal")
    mean, deviation = posterior.mean, np.sqrt(posterior.variance)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    tail = 1 - options.level if options.side != "two-sided" else (1 - options.level) / 2
    if x.size <= _LARGEST_EXACT_COUNT:
        larger = _probability_larger(mean[:, None] + deviation[:, None] * nodes, mean, deviation)
        larger[np.arange(x.size), :, np.arange(x.size)] = 0
        cumulative = np.einsum("k,ikr->ir", weights, _distribution_of_count(larger)).cumsum(axis=1)
        lower, upper = (1 + (cumulative < share).sum(axis=1).clip(max=x.size - 1) for share in (tail, 1 - tail))
        return _Bounds(lower, upper)
    tails = np.array([tail, 1 - tail])
    ranks = _quantiles_of_ranks(mean, deviation, nodes, weights, tails)
    return _Bounds(ranks[0], ranks[1])


def _probability_larger(points: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return the probability that each true score is larger than each point: shape (*points, communities)."""
    distance = mean - points[..., None]
    exact = deviation == 0
    standardised = distance / np.where(exact, 1, deviation)
    return np.where(exact, distance > 0, ndtr(standardised))


def _distribution_of_count(probability: FloatArray) -> FloatArray:
    """Return the Poisson-binomial distribution of the number of independent events on the last axis."""
    distribution = np.zeros(probability.shape)
    distribution[..., 0] = 1
    # The number is at most the length of the axis minus one: a community is never above itself.
    for event in range(probability.shape[-1]):
        happens = probability[..., event, None]
        moved = distribution[..., :-1] * happens
        distribution *= 1 - happens
        distribution[..., 1:] += moved
    return distribution


def _quantiles_of_ranks(
    mean: FloatArray, deviation: FloatArray, nodes: FloatArray, weights: FloatArray, shares: FloatArray
) -> IntegerArray:
    """Return for each share the least rank of each community whose cumulative probability reaches it."""
    count_larger = _larger_others(mean, deviation, reach=nodes.max())
    nodes, weights = nodes[weights > _LEAST_WEIGHT], weights[weights > _LEAST_WEIGHT]
    # The probability of being larger than itself is counted for nobody.
    own = ndtr(-nodes)
    ranks = np.empty((shares.size, mean.size), np.int64)

    def fill(start: int, stop: int) -> None:
        rows = slice(start, stop)
        points = mean[rows, None] + deviation[rows, None] * nodes
        expected, variance = count_larger(points)
        uncertain = deviation[rows, None] > 0
        expected -= np.where(uncertain, own, 0)
        spread = np.sqrt(np.maximum(variance - np.where(uncertain, own * (1 - own), 0), 1e-12))
        for share, found in zip(shares.tolist(), ranks, strict=True):
            fill_least_ranks(expected, spread, weights, share, mean.size, found[rows])

    run_in_threads(fill, mean.size)
    return ranks


def _larger_others(
    mean: FloatArray, deviation: FloatArray, *, reach: float
) -> Callable[[FloatArray], tuple[FloatArray, FloatArray]]:
    """Return the function that gives mean and variance of the number of larger true scores at points within reach."""
    if mean.size <= _LARGEST_DIRECT_SUM:

        def directly(points: FloatArray) -> tuple[FloatArray, FloatArray]:
            expected, variance = sum_larger(points.ravel(), mean, deviation)
            return expected.reshape(points.shape), variance.reshape(points.shape)

        return directly
    # Sums over many communities are smooth functions of the point, so a grid is enough. Few need no splines, which
    # load scipy's optimisers with them.
    from scipy.interpolate import CubicSpline  # noqa: PLC0415

    places = np.linspace((mean - reach * deviation).min(), (mean + reach * deviation).max(), _GRID)
    polynomials = [CubicSpline(places, values).c for values in sum_larger(places, mean, deviation)]
    step = (places[-1] - places[0]) / (_GRID - 1)

    def between(points: FloatArray) -> tuple[FloatArray, FloatArray]:
        expected, variance = (interpolate_evenly(points, places[0], step, each) for each in polynomials)
        return expected, variance

    return between
