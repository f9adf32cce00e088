"""Exact ratios of integers for scores and complaint rates, so that standings never depend on rounding."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.counting.composites import common_unit
from analytics.decision.ranks import order_ratios
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.rules import SatisfactionRule
from analytics.statistics.validation import FloatArray, IntegerArray

EXPOSURE_UNITS: Final = 1_000_000
"""Units of exposure per household-year: a millionth of it is half a minute of one household."""

MEAN_TOLERANCE: Final = 1e-6
"""Tolerance between a mean and the sum of points that it comes from: means have at least six decimals."""

SCORE_TOLERANCE: Final = 1e-9
"""Relative tolerance between a given score and a multiple of its precision."""

COMPOSITE_PRECISION: Final = 1e-6
"""Precision of mean composites in points: they are rounded to it, half to even, from their exact value."""


@dataclass(frozen=True)
class Scores:
    """Ranked score of each community as a ratio of integers.

    `known` marks the communities with a score; for the others the ratio is 0/1 and the value NaN. `misfits` marks
    scores that no whole numbers can give. `shown` are the ratios as floats, in the unit that people read.
    """

    numerators: IntegerArray
    denominators: IntegerArray
    known: npt.NDArray[np.bool_]
    misfits: npt.NDArray[np.bool_]
    shown: FloatArray

    def places(self, ranked: npt.NDArray[np.bool_]) -> FloatArray:
        """Return the place of each ranked score in the exact order, NaN for the others."""
        places = np.full(ranked.shape, np.nan)
        places[ranked] = order_ratios(self.numerators[ranked], self.denominators[ranked])
        return places


def read_scores(table: pd.DataFrame, rule: SatisfactionRule) -> Scores:
    """Read the score that the satisfaction route ranks, as exact ratios.

    Parameters
    ----------
    table : DataFrame
        A community table with `score` and `score_precision`, or the columns that `MEASURE_COLUMNS` names.
    rule : SatisfactionRule

    Returns
    -------
    Scores
        Rates are 0 to 1, indices and composites in points, given scores as given.

    Notes
    -----
    A mean index is the sum of points divided by the responses. The sum is a whole multiple of the largest unit that
    all points share (25 for 100, 75, 50, 25, 0), so it can be recovered from the mean, and equal sums of equally
    many responses tie however the mean was rounded. A given score is a whole multiple of its precision. A mean
    composite is a multiple of `COMPOSITE_PRECISION`: residents who answered different domains have composites with
    different denominators, whose common denominator is unbounded (for twelve domains in whole percents it can exceed
    10⁴⁰), so the table cannot hold their sum as a ratio.

    Examples
    --------
    A mean of 83.333333 from 3 responses is a sum of 250 points, or ten units of 25:

    >>> from pathlib import Path
    >>> from dataclasses import replace
    >>> from analytics.rules import load_rules
    >>> rule = load_rules(Path("data/rules/wuhai/2021-08-23.yaml")).satisfaction
    >>> table = pd.DataFrame({"responses": [3, 6], "mean_index": [83.333333, 83.3333333], "satisfied": [2, 5]})
    >>> scores = read_scores(table, replace(rule, measure="satisfaction_index"))
    >>> scores.numerators.tolist(), scores.places(scores.known).tolist()
    ([10, 20], [0.0, 0.0])
    >>> read_scores(table, rule).places(scores.known).tolist()
    [0.0, 1.0]
    """
    if "score" in table:
        return _given_scores(float_column(table, "score"), float_column(table, "score_precision"))
    measured = MEASURE_COLUMNS[rule.measure]
    responses, values = float_column(table, measured.responses), float_column(table, measured.value)
    if rule.measure == "composite":
        means = np.where(responses > 0, values, np.nan)
        return _given_scores(means, np.full_like(means, COMPOSITE_PRECISION))
    if rule.measure == "satisfaction_index":
        return _mean_indices(responses, values, common_unit(rule.index_points.values()))
    known = (responses > 0) & ~np.isnan(values)
    tops = whole(np.where(known, values, 0))
    bottoms = whole(np.where(known, responses, 1))
    return Scores(tops, bottoms, known, np.zeros(known.shape, dtype=bool), np.where(known, tops / bottoms, np.nan))


def order_complaint_rates(complaints: IntegerArray, exposure: IntegerArray, *, zeros_by_exposure: bool) -> IntegerArray:
    """Return the place of each community in the exact order of complaint rates, 0 for the lowest.

    Parameters
    ----------
    complaints : ndarray of int
        Not negative.
    exposure : ndarray of int
        Millionths of a household-year, positive.
    zeros_by_exposure : bool
        Order communities without complaints by their exact upper bounds, 3.69 ÷ exposure: the largest exposure first.
        Otherwise they all tie.

    Returns
    -------
    ndarray of int64
        Equal only if the rates (and, for ordered zeros, the exposures) are equal.

    Examples
    --------
    >>> complaints, exposure = np.array([0, 0, 0, 2, 1]), np.array([100, 300, 100, 800, 400])
    >>> order_complaint_rates(complaints, exposure, zeros_by_exposure=False).tolist()
    [0, 0, 0, 1, 1]
    >>> order_complaint_rates(complaints, exposure, zeros_by_exposure=True).tolist()
    [1, 0, 1, 2, 2]
    """
    places = order_ratios(complaints, exposure)
    if not zeros_by_exposure:
        return places
    within_zeros = np.where(complaints == 0, -exposure, 0)
    order = np.lexsort((within_zeros, places))
    differs = (np.diff(places[order]) != 0) | (np.diff(within_zeros[order]) != 0)
    finer = np.zeros(len(places), dtype=np.int64)
    finer[order[1:]] = np.cumsum(differs)
    return finer


def compute_complaint_rates(complaints: IntegerArray, exposure: IntegerArray) -> FloatArray:
    """Return complaint rates per 1,000 household-years.

    Parameters
    ----------
    complaints : ndarray of int
        Not negative.
    exposure : ndarray of int
        Millionths of a household-year, positive.

    Returns
    -------
    ndarray of float
        Equal for equal ratios, to the last bit.

    Examples
    --------
    >>> compute_complaint_rates(np.array([3, 9]), np.array([100_100_000, 300_300_000])).round(4).tolist()
    [29.97, 29.97]
    """
    return _divide(complaints, exposure, 1000.0 * EXPOSURE_UNITS)


def exposure_units(exposure: FloatArray) -> IntegerArray:
    """Convert household-years to whole millionths, rounded half to even; unknown exposure is 0.

    Examples
    --------
    >>> exposure_units(np.array([1234.5, np.nan])).tolist()
    [1234500000, 0]
    """
    return whole(np.rint(np.where(np.isnan(exposure), 0, exposure) * EXPOSURE_UNITS))


def whole(values: FloatArray) -> IntegerArray:
    """Convert whole floats to integers.

    Examples
    --------
    >>> whole(np.array([3.0])).tolist()
    [3]
    """
    return values.astype(np.int64)


def _divide(tops: IntegerArray, bottoms: IntegerArray, scale: float) -> FloatArray:
    """Return scale × tops ÷ bottoms, reduced to lowest terms first, so that equal ratios give equal floats."""
    divisors = np.gcd(tops, bottoms)
    return scale * (tops // divisors) / (bottoms // divisors)


def _given_scores(scores: FloatArray, precisions: FloatArray) -> Scores:
    known = ~np.isnan(scores) & (precisions > 0)
    multiples = np.where(known, scores, 0) / np.where(known, precisions, 1)
    units = np.rint(multiples)
    misfits = known & (np.abs(multiples - units) > SCORE_TOLERANCE * np.maximum(1, np.abs(units)))
    return Scores(whole(units), np.ones(len(units), dtype=np.int64), known, misfits, np.where(known, scores, np.nan))


def _mean_indices(responses: FloatArray, means: FloatArray, unit: Fraction) -> Scores:
    known = (responses > 0) & ~np.isnan(means)
    counts, size = np.where(known, responses, 1), float(unit)
    units = np.rint(np.where(known, means, 0) * counts / size)
    values = _divide(whole(units), whole(counts), size)
    # With more responses two different sums could lie within the tolerance of one mean.
    too_many = counts * MEAN_TOLERANCE >= size / 2
    misfits = known & (too_many | (np.abs(values - np.where(known, means, values)) > MEAN_TOLERANCE))
    return Scores(whole(units), whole(counts), known, misfits, np.where(known, values, np.nan))
