"""Raking weights (iterative proportional fitting) that match respondents to known population totals; weighted means.

Raking corrects nonresponse bias only as far as the margins distinguish respondents; it is off by default.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.statistics.validation import FloatArray, IntegerArray, finite_numbers, refuse, row_codes

# A published raked score must not depend on how far one machine iterated: the tolerance is fixed and far below the
# sixth decimal that scores are rounded to.
TOLERANCE = 1e-12
MOST_PASSES = 2000
SCORE_DECIMALS = 6


@dataclass(frozen=True)
class Margin:
    """A population margin: the known number of units in each category.

    Attributes
    ----------
    name : str
        The variable of the categories, such as ``building`` or ``tenure``.
    categories : array_like
        The category of each row: integers or text.
    totals : mapping
        Population units (or shares) of each category, above 0.
    """

    name: str
    categories: npt.ArrayLike
    totals: Mapping[Hashable, float]


@dataclass(frozen=True)
class Raking:
    """Raked weights, which meet every margin.

    Attributes
    ----------
    weights : ndarray of float
        One per row.
    initial_weights : ndarray of float
        The weights before raking.
    margins : tuple of Margin
        The margins that the weights meet.
    passes : int
        Number of full passes over all margins that were needed.
    """

    weights: FloatArray
    initial_weights: FloatArray
    margins: tuple[Margin, ...]
    passes: int


@dataclass(frozen=True)
class SamplingDesign:
    """How the rows were sampled; by default each row is its own unit of one stratum, from a population without limit.

    Attributes
    ----------
    strata : array_like, optional
        Stratum of each row; strata are sampled independently. One stratum if left out.
    clusters : array_like, optional
        Primary sampling unit of each row (such as a building, if buildings were sampled), labelled within its stratum;
        each row is its own unit if left out.
    population : array_like, optional
        Number of primary units in the population of each row's stratum, for the finite population correction; no
        correction if left out.
    """

    strata: npt.ArrayLike | None = None
    clusters: npt.ArrayLike | None = None
    population: npt.ArrayLike | None = None


SIMPLE_DESIGN: Final = SamplingDesign()
"""Simple random sample of rows from a population without limit."""


@dataclass(frozen=True)
class WeightedMean:
    """A weighted mean with its linearised standard error.

    Attributes
    ----------
    mean : float
        In the unit of the values.
    standard_error : float
        In the same unit; NaN if a stratum has only one primary unit, so that its variance cannot be estimated.
    effective_n : float
        Kish's effective sample size of the rows used.
    degrees_of_freedom : int
        Primary units minus strata.
    """

    mean: float
    standard_error: float
    effective_n: float
    degrees_of_freedom: int


def rake(initial_weights: npt.ArrayLike, margins: Sequence[Margin]) -> Raking:
    """Return weights that meet every margin, by iterative proportional fitting.

    Parameters
    ----------
    initial_weights : array_like
        Weight of each row before raking, at least 0: design weights, ones, or counts if rows are cells.
    margins : sequence of Margin
        At least one. The totals of all margins must have the same sum.

    Returns
    -------
    Raking
        Weights whose sums by category meet each margin within 1e-12 of its total. A row of weight 0 stays at 0.

    Raises
    ------
    ValueError
        If a margin cell has no row with weight, a row's category has no total, a total is not above 0, the margins'
        sums differ, or no weights meet all margins (the passes do not converge). The message names the cells.

    Notes
    -----
    Each pass multiplies the weights of a category by total ÷ current sum, margin after margin, until after a whole pass
    every sum lies within a relative 1e-12 of its total. The limit does not depend on the order of rows or margins.

    References
    ----------
    Deming WE, Stephan FF (1940), Ann Math Stat 11, 427–444.

    Examples
    --------
    >>> age = Margin("age", ["young", "young", "old", "old"], {"young": 30, "old": 70})
    >>> tenure = Margin("tenure", ["owner", "tenant", "owner", "tenant"], {"owner": 80, "tenant": 20})
    >>> rake([1, 1, 1, 1], [age, tenure]).weights.round(6)
    array([24.,  6., 56., 14.])
    """
    weights = finite_numbers("initial_weights", initial_weights, lowest=0)
    if weights.ndim != 1:
        raise ValueError(f"initial_weights must have one dimension, got {weights.ndim}")
    if not margins:
        raise ValueError("at least one margin is needed")
    tables = [_margin_table(margin, weights) for margin in margins]
    _check_sums(margins, tables)
    raked = weights.copy()
    for passes in range(1, MOST_PASSES + 1):
        for codes, totals in tables:
            sums = np.bincount(codes, raked, minlength=totals.size)
            raked = raked * (totals / sums)[codes]
        if _largest_gap(raked, tables) <= TOLERANCE:
            return Raking(raked, weights, tuple(margins), passes)
    gap = _largest_gap(raked, tables)
    raise ValueError(
        f"no weights were found that meet the margins {', '.join(margin.name for margin in margins)}: "
        f"after {MOST_PASSES} passes a sum is still {gap:.1%} from its total; combine sparse categories"
    )


def trim_weights(weights: npt.ArrayLike, *, largest_ratio: float) -> FloatArray:
    """Trim weights so that none exceeds the mean weight by more than the factor `largest_ratio`.

    Parameters
    ----------
    weights : array_like
        At least 0, with a positive sum.
    largest_ratio : float
        Largest allowed weight ÷ mean weight, above 1, such as 5.

    Returns
    -------
    ndarray of float
        The same sum. The excess of the largest is distributed over the others in proportion to their weights,
        repeatedly until none exceeds the bound; equal weights stay equal. Margins are then met only approximately
        (`margin_deviations`).

    Raises
    ------
    ValueError
        If a weight is missing or negative, all are 0, the ratio is not above 1, or too few rows carry weight for the
        bound.

    References
    ----------
    Potter FJ (1990), A study of procedures to identify and trim extreme sampling weights, ASA Survey Research Methods.

    Examples
    --------
    >>> trim_weights([1, 1, 1, 1, 6], largest_ratio=2)
    array([1.5, 1.5, 1.5, 1.5, 4. ])
    """
    original = finite_numbers("weights", weights, lowest=0)
    if not largest_ratio > 1:
        raise ValueError(f"largest_ratio must be above 1, got {largest_ratio}")
    total = original.sum()
    if not total > 0:
        raise ValueError("all weights are 0")
    bound = largest_ratio * total / original.size
    if np.count_nonzero(original) * bound < total:
        raise ValueError(f"too few rows carry weight for a largest ratio of {largest_ratio:g}")
    cut = np.zeros(original.shape, dtype=bool)
    trimmed = original
    while (over := (trimmed > bound * (1 + TOLERANCE)) & ~cut).any():
        cut |= over
        share = original / original[~cut].sum()
        trimmed = np.where(cut, bound, share * (total - bound * cut.sum()))
    return trimmed


def margin_deviations(weights: npt.ArrayLike, margins: Sequence[Margin]) -> dict[str, dict[Hashable, float]]:
    """Return the relative difference between the weights' sums and each margin's totals.

    Parameters
    ----------
    weights : array_like
        One per row.
    margins : sequence of Margin
        As in `rake`.

    Returns
    -------
    dict
        Margin name → category → (sum − total) ÷ total.

    Raises
    ------
    ValueError
        As in `rake`, for empty cells and unknown categories.

    Examples
    --------
    >>> age = Margin("age", ["young", "old", "old"], {"young": 10, "old": 40})
    >>> margin_deviations([10, 18, 18], [age])
    {'age': {'old': -0.1, 'young': 0.0}}
    """
    numbers = finite_numbers("weights", weights, lowest=0)
    gaps: dict[str, dict[Hashable, float]] = {}
    for margin in margins:
        codes, totals = _margin_table(margin, numbers)
        labels, _ = row_codes(margin.name, margin.categories, rows=numbers.size)
        relative = np.bincount(codes, numbers, minlength=totals.size) / totals - 1
        gaps[margin.name] = dict(zip(labels.tolist(), relative.round(12).tolist(), strict=True))
    return gaps


def effective_sample_size(weights: npt.ArrayLike) -> float:
    """Return Kish's effective sample size of weighted answers.

    Parameters
    ----------
    weights : array_like
        At least 0.

    Returns
    -------
    float
        (Σw)² ÷ Σw², from 1 to the number of rows with weight; 0 without any.

    Raises
    ------
    ValueError
        If a weight is missing or negative.

    References
    ----------
    Kish L (1965), Survey Sampling, section 11.7.

    Examples
    --------
    >>> effective_sample_size([2, 2, 2, 2]), effective_sample_size([1, 1, 4])
    (4.0, 2.0)
    """
    numbers = finite_numbers("weights", weights, lowest=0)
    largest = numbers.max(initial=0.0)
    if largest == 0:
        return 0.0
    scaled = numbers / largest
    return float(scaled.sum() ** 2 / (scaled**2).sum())


def weighted_mean(
    values: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    within: npt.ArrayLike | None = None,
    design: SamplingDesign = SIMPLE_DESIGN,
) -> WeightedMean:
    """Return a weighted mean with its linearised standard error under the sampling design.

    Parameters
    ----------
    values : array_like
        One number per row.
    weights : array_like
        One weight per row, at least 0.
    within : array_like of bool, optional
        Domain of the mean, such as the rows of one community. The other rows still count for the variance.
    design : SamplingDesign

    Returns
    -------
    WeightedMean
        Mean, standard error, effective n and degrees of freedom.

    Raises
    ------
    ValueError
        If a value is missing, no row of the mean has weight, the population differs within a stratum, or a stratum has
        more primary units than its population.

    Notes
    -----
    Σwy/Σw. Taylor linearisation with u = w(y − mean)/Σw (0 outside `within`): V is the sum over strata of
    (1 − n/N) · n/(n − 1) · Σ(u_cluster − mean u)². With one stratum, equal weights and no clusters this is
    s²/n · (1 − n/N).

    References
    ----------
    Lumley T (2010), Complex Surveys, Wiley, chapters 2–3. Binder DA (1983), Int Stat Rev 51, 279–292.

    Examples
    --------
    >>> result = weighted_mean([1, 0, 1, 1], [1, 1, 1, 1], design=SamplingDesign(population=16))
    >>> result.mean, round(result.standard_error, 6), result.degrees_of_freedom
    (0.75, 0.216506, 3)
    """
    scores, factors, chosen = _checked_rows(values, weights, within)
    mean = float((factors * scores)[chosen].sum() / factors[chosen].sum())
    influence = np.where(chosen, factors * (scores - mean), 0.0) / factors[chosen].sum()
    variance, freedom = _linearised_variance(influence, design)
    return WeightedMean(mean, float(np.sqrt(variance)), effective_sample_size(factors[chosen]), freedom)


def raked_mean(
    values: npt.ArrayLike,
    raking: Raking,
    *,
    within: npt.ArrayLike | None = None,
    design: SamplingDesign = SIMPLE_DESIGN,
) -> WeightedMean:
    """Return a mean under raked weights; its standard error is reduced by what the margins explain.

    Parameters
    ----------
    values : array_like
        One number per row of the raking.
    raking : Raking
        From `rake`.
    within, design
        As in `weighted_mean`.

    Returns
    -------
    WeightedMean
        The mean is rounded half to even to 1e-6, so that ties of raked scores are the same on every machine.

    Raises
    ------
    ValueError
        As in `weighted_mean`.

    Notes
    -----
    Like `weighted_mean`, with the linearised values replaced by their residuals from a regression on all margins'
    categories, weighted by the initial weights: the margins remove the variance that they explain. This is R survey's
    ``calibrate(calfun = "raking")``, and its ``rake`` if the initial weights are equal.

    References
    ----------
    Deville JC, Särndal CE, Sautory O (1993), Generalized raking procedures in survey sampling, J Am Stat Assoc 88,
    1013–1020.

    Examples
    --------
    The value is the margin's category, so no variance is left.

    >>> age = Margin("age", ["young", "young", "old", "old"], {"young": 30, "old": 70})
    >>> result = raked_mean([1, 1, 0, 0], rake([1, 1, 1, 1], [age]))
    >>> result.mean, round(result.standard_error, 9)
    (0.3, 0.0)
    """
    scores, factors, chosen = _checked_rows(values, raking.weights, within)
    mean = float((factors * scores)[chosen].sum() / factors[chosen].sum())
    linearised = np.where(chosen, scores - mean, 0.0) / factors[chosen].sum()
    influence = factors * _margin_residuals(linearised, raking)
    variance, freedom = _linearised_variance(influence, design)
    return WeightedMean(
        float(np.round(mean, SCORE_DECIMALS)), float(np.sqrt(variance)), effective_sample_size(factors[chosen]), freedom
    )


def _margin_table(margin: Margin, weights: FloatArray) -> tuple[IntegerArray, FloatArray]:
    """Return each row's category code and the totals by code, after checking the cells."""
    labels, codes = row_codes(margin.name, margin.categories, rows=weights.size)
    names = labels.tolist()
    unknown = [label for label in names if label not in margin.totals]
    if unknown:
        raise ValueError(f"margin {margin.name} has rows but no total for: {', '.join(map(str, unknown))}")
    wrong = [str(label) for label, total in margin.totals.items() if not 0 < total < np.inf]
    if wrong:
        raise ValueError(f"margin {margin.name} needs totals above 0, not so for: {', '.join(wrong)}")
    weighed = dict(zip(names, np.bincount(codes, weights, minlength=len(names)).tolist(), strict=True))
    empty = [str(label) for label in margin.totals if not weighed.get(label)]
    if empty:
        raise ValueError(f"margin {margin.name} has no answer in: {', '.join(empty)}; combine it with another category")
    return codes, np.array([float(margin.totals[label]) for label in names])


def _check_sums(margins: Sequence[Margin], tables: Sequence[tuple[IntegerArray, FloatArray]]) -> None:
    sums = [float(totals.sum()) for _, totals in tables]
    if max(sums) - min(sums) > 1e-9 * max(sums):
        listed = ", ".join(f"{margin.name} {total:g}" for margin, total in zip(margins, sums, strict=True))
        raise ValueError(f"the margins' totals have different sums: {listed}")


def _largest_gap(weights: FloatArray, tables: Sequence[tuple[IntegerArray, FloatArray]]) -> float:
    return max(
        float(np.abs(np.bincount(codes, weights, minlength=totals.size) / totals - 1).max()) for codes, totals in tables
    )


def _checked_rows(
    values: npt.ArrayLike, weights: npt.ArrayLike, within: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    scores = np.atleast_1d(finite_numbers("values", values))
    factors = np.atleast_1d(finite_numbers("weights", weights, lowest=0))
    chosen = np.ones(scores.shape, dtype=bool) if within is None else np.asarray(within, dtype=bool)
    if not scores.shape == factors.shape == chosen.shape or scores.ndim != 1:
        shapes = f"{scores.shape}, {factors.shape}, {chosen.shape}"
        raise ValueError(f"values, weights and within must be columns of one length, got {shapes}")
    if not factors[chosen].sum() > 0:
        raise ValueError("no row of the mean carries weight")
    return scores, factors, chosen


def _margin_residuals(values: FloatArray, raking: Raking) -> FloatArray:
    blocks = []
    for margin in raking.margins:
        labels, codes = row_codes(margin.name, margin.categories, rows=values.size)
        blocks.append(codes[:, None] == np.arange(labels.size))
    categories = np.hstack(blocks).astype(np.float64)
    # Normal equations: one unknown per category, however many rows. The margins share a constant: least norm.
    weighted = categories * raking.initial_weights[:, None]
    coefficients = np.linalg.lstsq(categories.T @ weighted, weighted.T @ values, rcond=None)[0]
    return np.asarray(values - categories @ coefficients, dtype=np.float64)


def _linearised_variance(influence: FloatArray, design: SamplingDesign) -> tuple[float, int]:
    """Return the variance of Σ influence over primary units within strata, and its degrees of freedom."""
    rows = influence.size
    strata = np.zeros(rows, dtype=np.int64) if design.strata is None else design.strata
    clusters = np.arange(rows) if design.clusters is None else design.clusters
    labels, stratum = row_codes("strata", strata, rows=rows)
    _, cluster = row_codes("clusters", clusters, rows=rows)
    pairs, unit = np.unique(np.column_stack([stratum, cluster]), axis=0, return_inverse=True)
    owner = pairs[:, 0]
    totals = np.bincount(unit.ravel(), influence, minlength=len(pairs))
    units = np.bincount(owner, minlength=labels.size)
    center = np.bincount(owner, totals, minlength=labels.size) / units
    scatter = np.bincount(owner, (totals - center[owner]) ** 2, minlength=labels.size)
    unseen = np.ones(labels.size)
    if design.population is not None:
        unseen = 1 - units / _stratum_population(design.population, stratum, units)
    # The variance cannot be estimated from one primary unit, unless it is the whole stratum.
    factor = np.where(units > 1, units / np.maximum(units - 1, 1), np.nan)
    return float(np.where(unseen > 0, unseen * factor * scatter, 0.0).sum()), int(len(pairs) - labels.size)


def _stratum_population(population: npt.ArrayLike, stratum: IntegerArray, units: IntegerArray) -> FloatArray:
    sizes = np.broadcast_to(finite_numbers("population", population, lowest=1), stratum.shape)
    known = np.zeros(units.size)
    known[stratum] = sizes
    refuse(sizes != known[stratum], "population differs within a stratum", population=sizes)
    refuse(units > known, "more primary units than population", primary_units=units, population=known)
    return known
