"""Changes of scores between survey rounds: z tests, slopes, control charts and regression to the mean.

A round is a survey of all communities. A community without answers in a round has a missing score (NaN) there and keeps
its row.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from analytics.statistics.empirical_bayes import shrink_scores
from analytics.statistics.intervals import normal_quantile
from analytics.statistics.validation import BooleanArray, FloatArray, finite_numbers, refuse, row_codes, whole_numbers

LimitVariation = Literal["binomial", "between_rounds"]

FEWEST_FOR_SLOPE: Final = 3
# Shewhart's control limits lie three standard errors from the centre.
CONTROL_ERRORS: Final = 3.0
# The mean range of two independent standard normal values, 2 ÷ √π.
MEAN_MOVING_RANGE: Final = 2 / np.sqrt(np.pi)
# Least variance of a round relative to the largest of its community; a round known without error gets this one.
LEAST_RELATIVE_VARIANCE: Final = 1e-9


@dataclass(frozen=True)
class ControlChart:
    """Control chart: rates of communities over rounds with their control limits.

    Attributes
    ----------
    rate, lower, upper : ndarray of float, shape (communities, rounds)
        In [0, 1]; NaN without answers; the limits are also NaN if the community has only one round.
    centre : ndarray of float, shape (communities,)
        The community's rate over all its rounds; NaN without answers.
    outside : ndarray of bool, shape (communities, rounds)
        True where a rate lies beyond its limits.
    dispersion : float
        Factor by which standard errors exceed the binomial ones; 1 for binomial limits.
    """

    rate: FloatArray
    centre: FloatArray
    lower: FloatArray
    upper: FloatArray
    outside: BooleanArray
    dispersion: float


def overlap_covariance(
    earlier: pd.DataFrame, later: pd.DataFrame, *, households: "pd.Series[float] | None" = None
) -> pd.DataFrame:
    """Return the covariance of two rounds' mean scores that is due to households which answered in both.

    Parameters
    ----------
    earlier, later : DataFrame
        One row per valid answer: community_id, household (unique within its community and round), points.
    households : Series, optional
        H by community_id, if variances have the finite population correction; None if they do not.

    Returns
    -------
    DataFrame
        Index community_id, sorted, every community of either round; answers_earlier, answers_later, overlap (int64);
        covariance, in points²: 0 if no household answered twice and there is no finite population correction, NaN if a
        round has no answers.

    Raises
    ------
    ValueError
        If points are missing, a household occurs twice in a round, or H is missing or below the number of answers.

    Notes
    -----
    s₁₂(m/(n₁n₂) − 1/H), m overlapping households, without correction 1/H = 0. s₁₂ is pooled over all communities,
    Σ of products about the means of each community's overlap ÷ Σ(m − 1), because three households alone give noise.
    It is 0 if no community has an overlap of two.

    References
    ----------
    Tam SM (1984), On covariances from overlapping samples, Am. Stat. 38, 288–289.

    Examples
    --------
    >>> first = pd.DataFrame({"community_id": "a", "household": [1, 2, 3, 4], "points": [1, 0, 1, 0]})
    >>> second = pd.DataFrame({"community_id": "a", "household": [1, 2, 5, 6, 7], "points": [1, 0, 1, 1, 1]})
    >>> overlap_covariance(first, second).loc["a"].tolist()
    [4.0, 5.0, 2.0, 0.05]
    """
    for name, rows in (("earlier", earlier), ("later", later)):
        repeated = rows.duplicated(["community_id", "household"])
        refuse(repeated, f"a household occurs twice in {name}", household=rows["household"])
        finite_numbers(f"points of {name}", rows["points"])
    sizes = [rows.groupby("community_id").size() for rows in (earlier, later)]
    table = pd.concat(sizes, axis=1, keys=["answers_earlier", "answers_later"]).fillna(0).astype("int64").sort_index()
    both = earlier.merge(later, on=["community_id", "household"], suffixes=("_earlier", "_later"))
    points = both[["points_earlier", "points_later"]].astype(np.float64)
    deviations = points - points.groupby(both["community_id"]).transform("mean")
    overlap = both.groupby("community_id").size().reindex(table.index, fill_value=0)
    freedom = (overlap - 1).clip(lower=0).sum()
    tied = float(deviations.prod(axis=1).sum() / freedom) if freedom else 0.0
    n_earlier, n_later = (table[name].to_numpy(dtype=np.float64) for name in table)
    fraction = overlap.to_numpy() / np.where(n_earlier * n_later > 0, n_earlier * n_later, np.nan)
    covariance = tied * (fraction - _inverse_households(households, table))
    return table.assign(overlap=overlap.astype("int64"), covariance=covariance)


def compare_rounds(
    earlier: npt.ArrayLike,
    later: npt.ArrayLike,
    *,
    earlier_variance: npt.ArrayLike,
    later_variance: npt.ArrayLike,
    covariance: npt.ArrayLike = 0.0,
    level: float,
) -> pd.DataFrame:
    """Return the change of each community between two rounds, with its standard error and a z test.

    Parameters
    ----------
    earlier, later : array_like
        Mean scores, NaN where a round has no answers.
    earlier_variance, later_variance : array_like
        Their sampling variances v ≥ 0, required for each score.
    covariance : array_like
        From `overlap_covariance`; 0 for independent samples.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    DataFrame
        One row per community in the order given: change, standard_error, z, p (two-sided), lower, upper; all NaN where
        a round is missing.

    Raises
    ------
    ValueError
        If a variance is missing or negative, a covariance impossible (beyond √(v₁v₂)), or the level not in (0, 1).

    Notes
    -----
    z = (x₂ − x₁) ÷ √(v₁ + v₂ − 2c). If both rounds are known without error (v = 0), a change is certain: z = ±∞ and
    p = 0; equal scores have z = 0 and p = 1, with or without error. Of many communities compared, some change by
    chance: adjust p over all of them before singling out any.

    Examples
    --------
    >>> compare_rounds([0.80, 0.80], [0.90, float("nan")], earlier_variance=0.0016, later_variance=[0.0009, 1],
    ...     level=0.95).round(4)
       change  standard_error    z       p  lower  upper
    0     0.1            0.05  2.0  0.0455  0.002  0.198
    1     NaN             NaN  NaN     NaN    NaN    NaN
    """
    quantile = normal_quantile(level)
    before, after, v_before, v_after, shared = np.broadcast_arrays(
        *(np.asarray(values, dtype=np.float64) for values in (earlier, later, earlier_variance, later_variance)),
        np.asarray(covariance, dtype=np.float64),
    )
    known = ~(np.isnan(before) | np.isnan(after))
    for name, variance in (("earlier_variance", v_before), ("later_variance", v_after)):
        refuse(known & ~(variance >= 0), f"{name} is missing or negative", **{name: variance})
    most = np.sqrt(np.where(known, v_before * v_after, 0.0))
    impossible = known & ~(np.abs(shared) <= most * (1 + 1e-9))
    refuse(impossible, "covariance is missing or beyond what the variances allow", covariance=shared)
    change = np.where(known, after - before, np.nan)
    variance = np.where(known, np.maximum(v_before + v_after - 2 * shared, 0.0), np.nan)
    return pd.DataFrame({"change": np.atleast_1d(change)} | _tested(change, np.sqrt(variance), quantile))


def fit_slopes(scores: npt.ArrayLike, variances: npt.ArrayLike, *, years: npt.ArrayLike, level: float) -> pd.DataFrame:
    """Return the yearly trend of each community over three or more rounds, by weighted least squares.

    Parameters
    ----------
    scores : array_like, shape (communities, rounds)
        Mean scores, NaN where a round has no answers.
    variances : array_like, shape (communities, rounds)
        Their sampling variances v ≥ 0, required for each score.
    years : array_like, shape (rounds,)
        Time of each round, in years; all different.
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    DataFrame
        One row per community: rounds (int64), slope_per_year, standard_error, z, p (two-sided), lower, upper; NaN if
        the community has fewer than three rounds, for which a line adds nothing to their difference.

    Raises
    ------
    ValueError
        If a variance is missing or negative, a year missing or given twice, or the shapes do not fit.

    Notes
    -----
    With w = 1/v and t̄ the weighted mean of years: slope Σw(t − t̄)x ÷ Σw(t − t̄)², standard error 1/√Σw(t − t̄)². It is
    the sampling error alone: rounds that scatter about the line by more than sampling do not widen it. Rounds known
    without error (v = 0) outweigh the others; if all are, the least-squares slope is certain.

    Examples
    --------
    >>> fit_slopes([[0.70, 0.74, 0.78], [0.7, 0.8, float("nan")]], [[0.0008] * 3] * 2, years=[2021, 2022, 2023],
    ...     level=0.95).round(3)
       rounds  slope_per_year  standard_error    z      p  lower  upper
    0       3            0.04            0.02  2.0  0.046  0.001  0.079
    1       2             NaN             NaN  NaN    NaN    NaN    NaN
    """
    quantile = normal_quantile(level)
    points, variance = np.asarray(scores, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    time = finite_numbers("years", years)
    if points.ndim != 2 or variance.shape != points.shape or time.shape != points.shape[1:]:
        raise ValueError(f"scores, variances and years do not fit: {points.shape}, {variance.shape}, {time.shape}")
    if np.unique(time).size != time.size:
        raise ValueError(f"years must all differ, got {time.tolist()}")
    known = ~np.isnan(points)
    without = (known & ~(variance >= 0)).any(axis=1)
    refuse(without, "a variance is missing or negative")
    rounds = known.sum(axis=1)
    variance = np.where(known, variance, 0.0)
    largest = variance.max(axis=1, initial=0.0)
    unit = np.where(largest > 0, largest, 1.0)[:, np.newaxis]
    weight = np.where(known, 1 / np.maximum(variance / unit, LEAST_RELATIVE_VARIANCE), 0.0)
    enough = rounds >= FEWEST_FOR_SLOPE
    total = np.where(enough, weight.sum(axis=1), np.nan)
    middle = (weight @ time / total)[:, np.newaxis]
    spread = (weight * (time - middle) ** 2).sum(axis=1)
    slope = (weight * (time - middle) * np.where(known, points, 0.0)).sum(axis=1) / spread
    error = np.where(enough, np.sqrt(largest / spread), np.nan)
    return pd.DataFrame({"rounds": rounds.astype(np.int64), "slope_per_year": slope} | _tested(slope, error, quantile))


def control_chart(satisfied: npt.ArrayLike, n: npt.ArrayLike, *, dispersion: LimitVariation) -> ControlChart:
    """Return a control chart (p chart, or Laney's p′ chart) of each community's rate over rounds.

    Parameters
    ----------
    satisfied, n : array_like, shape (communities, rounds)
        Satisfied among valid answers, whole numbers, the rounds in order of time; n = 0 where a round has no answers.
    dispersion : {"binomial", "between_rounds"}
        Limits from sampling error alone; or widened by the excess variation between successive rounds over all
        communities, so that changes common to every community are not flagged.

    Returns
    -------
    ControlChart
        Empty for empty tables.

    Raises
    ------
    ValueError
        If a count is missing, fractional or negative, satisfied exceeds n, or the tables differ in shape.

    Notes
    -----
    p̄ ± 3σ√(p̄(1 − p̄)/n), cut off at 0 and 1, p̄ = Σsatisfied/Σn over the community's rounds. σ is 1, or Laney's: the
    mean of |z₂ − z₁| over successive rounds of all communities, z = (p − p̄)/√(p̄(1 − p̄)/n), ÷ 1.128, and at least 1.
    With few rounds the limits are wide, because each point is part of its own centre: z of R equal rounds has the
    standard deviation √(1 − 1/R). A single round has no limits, since it would be its own centre.

    References
    ----------
    Laney DB (2002), Improved control charts for attributes, Qual. Eng. 14, 531–537.

    Examples
    --------
    >>> chart = control_chart([[80, 80, 80, 50]], [[100, 100, 100, 100]], dispersion="binomial")
    >>> chart.centre, chart.lower.round(3)[0, 0], chart.outside
    (array([0.725]), np.float64(0.591), array([[False, False, False,  True]]))
    """
    count, size = whole_numbers("satisfied", satisfied), whole_numbers("n", n)
    if count.ndim != 2 or count.shape != size.shape:
        raise ValueError(f"satisfied and n must be communities × rounds, got shapes {count.shape} and {size.shape}")
    refuse((count > size).any(axis=1), "satisfied exceeds n")
    answered = size > 0
    total = size.sum(axis=1)
    centre = np.where(total > 0, count.sum(axis=1) / np.where(total > 0, total, 1), np.nan)
    rate = np.where(answered, count / np.where(answered, size, 1), np.nan)
    several = (answered.sum(axis=1) > 1)[:, np.newaxis]
    middle = np.where(answered & several, centre[:, np.newaxis], np.nan)
    error = np.sqrt(middle * (1 - middle) / np.where(answered, size, 1))
    factor = 1.0 if dispersion == "binomial" else _dispersion_between_rounds(rate - middle, error)
    reach = CONTROL_ERRORS * factor * error
    lower, upper = np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)
    return ControlChart(rate, centre, lower, upper, (rate < lower) | (rate > upper), factor)


def regression_to_the_mean(
    earlier: npt.ArrayLike,
    later: npt.ArrayLike,
    *,
    earlier_variance: npt.ArrayLike,
    later_variance: npt.ArrayLike,
    region: npt.ArrayLike,
    size: int,
    reliability: npt.ArrayLike | None = None,
    level: float,
) -> pd.DataFrame:
    """Return how much of each community's change is expected from regression to the mean alone.

    Parameters
    ----------
    earlier, later : array_like
        Mean scores of two rounds, NaN where a round has no answers.
    earlier_variance, later_variance : array_like
        Their sampling variances v ≥ 0, required for each score.
    region : array_like
        Label of the communities that were ranked together in the earlier round.
    size : int
        k ≥ 0: the former winners are those with at most k − 1 better ones in their region, including all that tie for
        the k-th place.
    reliability : array_like, optional
        B in [0, 1] of the earlier scores, one for all or one each. None: that of `shrink_scores` with a normal prior.
    level : float
        Confidence level in (0, 1) of the limits.

    Returns
    -------
    DataFrame
        One row per community, in the unit of scores: former_winner (bool); change (later − earlier); its parts
        by_regression, region_change (mean of the region's changes) and own_change (the rest); standard_error, z, p,
        lower, upper of own_change. by_regression needs only the earlier round; what needs a missing round is NaN.

    Raises
    ------
    ValueError
        If a variance is missing or negative, B outside [0, 1], k negative, or a column has another length.

    Notes
    -----
    Communities observed at the top were, on average, lucky: given a score x the expected true score is μ + B(x − μ), so
    without any real change the next score is expected to be lower by (1 − B)(x − μ) = −by_regression. Selecting the
    winners by x does not alter this, because it holds at each x. μ is the region's mean with weights 1/(v + τ²), which
    are proportional to B (equal weights if all B are 0). The standard error is √(Bv + v_later); the uncertainty of μ
    and B is left out. With B = 1 nothing regresses, nor does a community that is alone in its region.

    References
    ----------
    Galton F (1886), Regression towards mediocrity in hereditary stature, J. Anthropol. Inst. 15, 246–263.
    Barnett AG, van der Pols JC, Dobson AJ (2005), Regression to the mean, Int. J. Epidemiol. 34, 215–220.

    Examples
    --------
    >>> table = regression_to_the_mean([0.95, 0.80, 0.80, 0.65], [0.91, 0.80, 0.78, 0.67], earlier_variance=0.001,
    ...     later_variance=0.001, region=["wuda"] * 4, size=1, reliability=0.8, level=0.95)
    >>> table[["former_winner", "change", "by_regression", "region_change", "own_change"]].round(3)
       former_winner  change  by_regression  region_change  own_change
    0           True   -0.04          -0.03          -0.01        0.00
    1          False    0.00           0.00          -0.01        0.01
    2          False   -0.02           0.00          -0.01       -0.01
    3          False    0.02           0.03          -0.01        0.00
    """
    quantile = normal_quantile(level)
    before, after, v_before, v_after = np.broadcast_arrays(
        *(np.asarray(values, dtype=np.float64) for values in (earlier, later, earlier_variance, later_variance))
    )
    if before.ndim != 1:
        raise ValueError(f"earlier and later must be columns, got shape {before.shape}")
    if size < 0:
        raise ValueError(f"size must be at least 0, got {size}")
    codes = row_codes("region", region, rows=before.size)[1]
    known, compared = ~np.isnan(before), ~(np.isnan(before) | np.isnan(after))
    refuse(known & ~(v_before >= 0), "earlier_variance is missing or negative", earlier_variance=v_before)
    refuse(compared & ~(v_after >= 0), "later_variance is missing or negative", later_variance=v_after)
    expected, own = np.full((2, before.size), np.nan)
    expected[known], own[known] = _expected_scores(before[known], v_before[known], codes[known], reliability, known)
    frame = pd.DataFrame({"region": codes, "score": before, "change": after - before})
    place = frame.groupby("region")["score"].rank(method="min", ascending=False).to_numpy()
    drift = frame.groupby("region")["change"].transform("mean").to_numpy()
    change = frame["change"].to_numpy()
    rest = change - (expected - before) - drift
    table = {
        "former_winner": place <= size,
        "change": change,
        "by_regression": expected - before,
        "region_change": drift,
        "own_change": rest,
    }
    error = np.where(compared, np.sqrt(own * v_before + np.where(compared, v_after, 0.0)), np.nan)
    return pd.DataFrame(table | _tested(rest, error, quantile))


def _expected_scores(
    score: FloatArray,
    variance: FloatArray,
    codes: npt.NDArray[np.int64],
    reliability: npt.ArrayLike | None,
    known: BooleanArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the expected true scores and B of the communities with a score."""
    if reliability is None:
        shrunk = shrink_scores(score, variance, region=codes, prior="normal")
        return shrunk.mean, shrunk.reliability
    given = np.asarray(reliability, dtype=np.float64)
    own = np.broadcast_to(given, known.shape)[known]
    refuse(~((own >= 0) & (own <= 1)), "reliability is not in [0, 1]", reliability=own)
    regions = int(codes.max(initial=-1)) + 1
    total = np.bincount(codes, own, minlength=regions)
    weight = np.where(total[codes] > 0, own, 1.0)
    mean = np.bincount(codes, weight * score, minlength=regions) / np.maximum(
        np.bincount(codes, weight, minlength=regions), np.finfo(np.float64).tiny
    )
    return mean[codes] + own * (score - mean[codes]), own


def _inverse_households(households: "pd.Series[float] | None", table: pd.DataFrame) -> FloatArray:
    if households is None:
        return np.zeros(len(table))
    homes = households.reindex(table.index).to_numpy(dtype=np.float64)
    answers = table[["answers_earlier", "answers_later"]].max(axis=1)
    refuse(~(homes >= answers.to_numpy()), "households are missing or fewer than answers", community_id=table.index)
    return np.asarray(1 / homes, dtype=np.float64)


def _dispersion_between_rounds(deviation: FloatArray, error: FloatArray) -> float:
    """Return Laney's σ from the moving ranges of successive rounds, at least 1; 1 without successive rounds."""
    z = deviation / np.where(error > 0, error, np.nan)
    ranges = [np.abs(np.diff(row[~np.isnan(row)])) for row in z]
    moved = np.concatenate([*ranges, np.empty(0)])
    return max(1.0, float(moved.mean() / MEAN_MOVING_RANGE)) if moved.size else 1.0


def _tested(effect: FloatArray, error: FloatArray, quantile: float) -> dict[str, FloatArray]:
    certain = np.where(effect == 0, 0.0, np.copysign(np.inf, effect))
    z = np.where(error > 0, effect / np.where(error > 0, error, 1.0), np.where(np.isnan(error), np.nan, certain))
    p = 2 * stats.norm.sf(np.abs(z))
    return {
        "standard_error": error,
        "z": z,
        "p": p,
        "lower": effect - quantile * error,
        "upper": effect + quantile * error,
    }
