"""Confidence intervals for proportions and counts of events.

Every function takes whole columns and returns an `Interval` of the broadcast shape. A missing value is refused, never
skipped; zero answers exclude nothing, so their interval is the whole possible range.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.statistics.validation import BooleanArray, FloatArray, finite_numbers, refuse, whole_numbers

# Terms of a tail sum are ignored once they are smaller than this share of the sum so far.
NEGLIGIBLE = 1e-13

# Wilson's interval is mostly within this many households of the exact limit.
GUESS_MARGIN = 2


class Interval(NamedTuple):
    """Lower and upper limits, both floats of one shape."""

    lower: FloatArray
    upper: FloatArray


def normal_quantile(level: float) -> float:
    """Return z such that a standard normal variable lies within ±z with probability `level`.

    Parameters
    ----------
    level : float
        Two-sided confidence level in (0, 1), for example 0.95 or 0.998.

    Raises
    ------
    ValueError
        If `level` is not in (0, 1).

    Examples
    --------
    >>> round(normal_quantile(0.95), 6), round(normal_quantile(0.998), 6)
    (1.959964, 3.090232)
    """
    return float(-special.ndtri(tail_probability(level)))


def tail_probability(level: float) -> float:
    """Return the probability left in each tail by a two-sided interval, (1 − level) ÷ 2.

    Parameters
    ----------
    level : float
        Two-sided confidence level in (0, 1).

    Raises
    ------
    ValueError
        If `level` is not in (0, 1): 95 is not read as 95 %.

    Examples
    --------
    >>> round(tail_probability(0.95), 6)
    0.025
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")
    return (1 - level) / 2


def wilson(events: npt.ArrayLike, n: npt.ArrayLike, *, level: float) -> Interval:
    """Return Wilson's score interval of a proportion.

    Parameters
    ----------
    events : array_like
        How many of the `n` have the property, 0 to n; fractions are allowed, so that weighted answers can be given as
        proportion × effective n.
    n : array_like
        Number of answers, or the effective number; at least 0.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Interval
        Limits in [0, 1]; n = 0 gives (0, 1), the whole possible range.

    Raises
    ------
    ValueError
        If a value is missing or negative, if events exceed n, or if `level` is not in (0, 1).

    Notes
    -----
    (2c + z² ± z √(z² + 4c(1 − c/n))) ÷ 2(n + z²). At c = 0 the lower limit is 0 and at c = n the upper limit is 1
    exactly, where floating point would leave 1e-17.

    References
    ----------
    Wilson EB (1927), J Am Stat Assoc 22, 209–212. Newcombe RG (1998), Stat Med 17, 857–872, method 3.

    Examples
    --------
    >>> limits = wilson([8, 8, 0], [10, 10, 0], level=0.95)
    >>> limits.lower.round(6), limits.upper.round(6)
    (array([0.490162, 0.490162, 0.      ]), array([0.943318, 0.943318, 1.      ]))
    """
    events, n = _checked_events(events, n)
    z = normal_quantile(level)
    failures = n - events
    spread = z * np.sqrt(z * z + 4 * events * failures / np.where(n > 0, n, 1))
    lower = (2 * events + z * z - spread) / (2 * (n + z * z))
    upper = (2 * events + z * z + spread) / (2 * (n + z * z))
    return Interval(np.where(events == 0, 0.0, lower), np.where(failures == 0, 1.0, upper))


def hypergeometric_households(
    satisfied: npt.ArrayLike, n: npt.ArrayLike, *, households: npt.ArrayLike, level: float
) -> Interval:
    """Return exact confidence limits for the number of satisfied households, by inverting the hypergeometric test.

    Parameters
    ----------
    satisfied : array_like
        c, satisfied households among the n that answered; whole numbers 0 to n.
    n : array_like
        Households that answered, 0 to H.
    households : array_like
        H, all households; at least 1.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Interval
        Whole numbers within [c, H − n + c]; n = H returns c twice, n = 0 returns (0, H).

    Raises
    ------
    ValueError
        If a value is missing, fractional or negative, or if c ≤ n ≤ H does not hold.

    Notes
    -----
    The set of K that neither one-sided exact test rejects: the largest K with P(X ≤ c | K) > α/2 and the smallest with
    P(X ≥ c | K) > α/2, X hypergeometric. Coverage is at least `level` for every K. K is found by bisection over the
    tail probability; the lower limit is H minus the upper limit of the dissatisfied.

    References
    ----------
    Wright T (1991), Exact Confidence Bounds when Sampling from Small Finite Universes, Springer.

    Examples
    --------
    >>> limits = hypergeometric_households([8, 8, 10], [10, 10, 10], households=[20, 10, 12], level=0.95)
    >>> limits.lower, limits.upper
    (array([11.,  8., 11.]), array([18.,  8., 12.]))
    """
    count = _checked_survey(satisfied, n, households, None)
    shape = count.n.shape
    near = Interval(*(limit.ravel() for limit in _finite_wilson(count, level=level)))
    yes, answers, homes = (column.ravel() for column in (count.satisfied, count.n, count.households))
    tail = tail_probability(level)
    upper = _largest_possible(yes, answers, homes, guess=near.upper * homes, tail=tail)
    lower = homes - _largest_possible(answers - yes, answers, homes, guess=(1 - near.lower) * homes, tail=tail)
    return Interval(lower.reshape(shape), upper.reshape(shape))


def satisfaction_interval(
    satisfied: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    households: npt.ArrayLike,
    responding: npt.ArrayLike | None = None,
    level: float,
) -> Interval:
    """Return the confidence interval of a community's satisfaction rate when each household gives one answer.

    Parameters
    ----------
    satisfied : array_like
        Satisfied households among those with a valid answer, whole numbers 0 to n.
    n : array_like
        Valid answers, one per household; 0 to `responding`.
    households : array_like
        H, the households of the community that could answer; at least 1.
    responding : array_like, optional
        Households that responded, with or without a valid answer to this question; n to H. Without it, n.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Interval
        Limits within [c/H, (H − n + c)/H]. n = 0 gives (0, 1); full coverage gives the observed share twice.

    Raises
    ------
    ValueError
        If a value is missing, fractional or negative, or if c ≤ n ≤ responding ≤ H does not hold.

    Notes
    -----
    Exact inversion of the hypergeometric distribution over the households that hold an opinion, H × n ÷ responding
    rounded to the nearest whole number, half up (all H when every responding household gave a valid answer). Wilson's
    interval with finite population correction is narrower, but holds as little as .88 of the samples at 95 % (H = 100,
    n = 50). The true share is one of whole households, so that the observed one can lie just beside all that are
    possible, as 1 of 20 beside 1 of 21 households: the interval is extended to it.
    Those who responded without a valid answer have no opinion to be counted.

    Examples
    --------
    >>> limits = satisfaction_interval([24, 24], [30, 30], households=[600, 40], level=0.95)
    >>> limits.lower.round(4), limits.upper.round(4)
    (array([0.62, 0.7 ]), array([0.92, 0.85]))
    """
    count = _checked_survey(satisfied, n, households, responding)
    answered = count.n > 0
    fraction = np.where(answered, count.fraction, 1)
    opinions = np.where(answered, np.maximum(count.n, np.floor(count.n / fraction + 0.5)), count.households)
    lower, upper = hypergeometric_households(count.satisfied, count.n, households=opinions, level=level)
    observed = count.satisfied / np.where(answered, count.n, 1)
    return Interval(
        np.where(answered, np.minimum(lower / opinions, observed), lower / opinions),
        np.where(answered, np.maximum(upper / opinions, observed), upper / opinions),
    )


def clopper_pearson(events: npt.ArrayLike, n: npt.ArrayLike, *, level: float) -> Interval:
    """Return the Clopper–Pearson (exact binomial) interval of a proportion.

    Parameters
    ----------
    events : array_like
        How many of the `n` have the property, whole numbers 0 to n.
    n : array_like
        Number of answers, at least 0.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Interval
        Limits in [0, 1]; n = 0 gives (0, 1).

    Raises
    ------
    ValueError
        If a value is missing, fractional or negative, or if events exceed n.

    Notes
    -----
    Quantiles of the beta distribution: Be(α/2; c, n − c + 1) and Be(1 − α/2; c + 1, n − c). c = 0 has the lower limit
    0, c = n the upper limit 1.

    References
    ----------
    Clopper CJ, Pearson ES (1934), Biometrika 26, 404–413.

    Examples
    --------
    >>> limits = clopper_pearson([0, 8], [10, 10], level=0.95)
    >>> limits.lower.round(6), limits.upper.round(6)
    (array([0.      , 0.443905]), array([0.308497, 0.974789]))
    """
    events, n = _checked_events(whole_numbers("events", events), whole_numbers("n", n))
    tail = tail_probability(level)
    failures = n - events
    lower = special.betaincinv(np.maximum(events, 1), failures + 1, tail)
    upper = special.betainccinv(events + 1, np.maximum(failures, 1), tail)
    return Interval(np.where(events == 0, 0.0, lower), np.where(failures == 0, 1.0, upper))


def poisson_exact(events: npt.ArrayLike, *, level: float) -> Interval:
    """Return exact Poisson limits (Garwood) for the expected number of events, given the observed count.

    Parameters
    ----------
    events : array_like
        Events counted, whole numbers, at least 0. Divide the limits by the exposure for limits of the rate.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Interval
        In events. Zero events have the lower limit 0 and, at 0.95, the upper limit 3.689 (the tail is not doubled).

    Raises
    ------
    ValueError
        If a count is missing, fractional or negative.

    Notes
    -----
    χ²(α/2; 2y)/2 and χ²(1 − α/2; 2y + 2)/2, written with the gamma distribution.

    References
    ----------
    Garwood F (1936), Biometrika 28, 437–442.

    Examples
    --------
    >>> limits = poisson_exact([0, 10], level=0.95)
    >>> limits.lower.round(4), limits.upper.round(4)
    (array([0.    , 4.7954]), array([ 3.6889, 18.3904]))
    """
    count = whole_numbers("events", events)
    tail = tail_probability(level)
    lower = special.gammaincinv(np.maximum(count, 1), tail)
    upper = np.asarray(special.gammainccinv(count + 1, tail), dtype=np.float64)
    return Interval(np.where(count == 0, 0.0, lower), upper)


def poisson_byar(events: npt.ArrayLike, *, level: float) -> Interval:
    """Return Byar's approximate Poisson limits for the expected number of events.

    Parameters
    ----------
    events : array_like
        Events counted, at least 0; weighted (fractional) counts are allowed.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Interval
        In events. The lower limit is NaN where the approximation gives none: with zero events, or where it would be
        negative (one event at 0.998). The upper limit is never NaN.

    Raises
    ------
    ValueError
        If a count is missing or negative.

    Notes
    -----
    y(1 − 1/9y − z/3√y)³ and (y + 1)(1 − 1/9(y + 1) + z/3√(y + 1))³: the form of Breslow and Day, which the English
    public health indicators (PHEindicatormethods) use from 10 events on, with exact limits below 10. R's epitools
    prints another "Byar" (Rothman and Boice): y + ½ in both limits, narrower, and below 0 for zero events.

    References
    ----------
    Breslow NE, Day NE (1987), Statistical Methods in Cancer Research II, IARC, p. 69. Rothman KJ, Boice JD (1979),
    Epidemiologic Analysis with a Programmable Calculator, NIH, p. 29.

    Examples
    --------
    >>> limits = poisson_byar([0, 65], level=0.95)
    >>> limits.lower.round(4), limits.upper.round(4)
    (array([    nan, 50.1632]), array([ 3.668 , 82.8491]))
    """
    count = finite_numbers("events", events, lowest=0)
    z = normal_quantile(level)
    seen = np.where(count > 0, count, 1.0)
    root = 1 - 1 / (9 * seen) - z / (3 * np.sqrt(seen))
    above = count + 1
    upper = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    lower = np.full_like(count, np.nan)
    np.multiply(seen, root**3, out=lower, where=(count > 0) & (root >= 0))
    return Interval(lower, np.asarray(upper, dtype=np.float64))


class _Survey(NamedTuple):
    """Checked counts of a survey with one answer per household, and the sampling fraction f."""

    satisfied: FloatArray
    n: FloatArray
    households: FloatArray
    fraction: FloatArray


def _checked_events(events: npt.ArrayLike, n: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    count, answers = np.broadcast_arrays(finite_numbers("events", events, lowest=0), finite_numbers("n", n, lowest=0))
    refuse(count > answers, "events exceed n", events=count, n=answers)
    return count, answers


def _checked_survey(
    satisfied: npt.ArrayLike, n: npt.ArrayLike, households: npt.ArrayLike, responding: npt.ArrayLike | None
) -> _Survey:
    count, answers, homes, replies = np.broadcast_arrays(
        whole_numbers("satisfied", satisfied),
        whole_numbers("n", n),
        whole_numbers("households", households, lowest=1),
        whole_numbers("responding", n if responding is None else responding),
    )
    refuse(count > answers, "satisfied exceeds n", satisfied=count, n=answers)
    refuse(answers > replies, "n exceeds responding", n=answers, responding=replies)
    exceeding = "n exceeds households" if responding is None else "responding exceeds households"
    refuse(replies > homes, exceeding, responding=replies, households=homes)
    return _Survey(count, answers, homes, replies / homes)


def _finite_wilson(count: _Survey, *, level: float) -> Interval:
    """Return Wilson's interval with finite population correction, clipped to the possible range."""
    complete = count.fraction == 1
    inflation = 1 / np.where(complete, 1.0, 1 - count.fraction)
    limits = wilson(count.satisfied * inflation, count.n * inflation, level=level)
    lowest = count.satisfied / count.households
    highest = (count.households - count.n + count.satisfied) / count.households
    point = count.satisfied / np.where(count.n > 0, count.n, 1)
    known = complete & (count.n > 0)
    return Interval(
        np.where(known, point, np.maximum(limits.lower, lowest)),
        np.where(known, point, np.minimum(limits.upper, highest)),
    )


def _largest_possible(
    count: FloatArray, n: FloatArray, households: FloatArray, *, guess: FloatArray, tail: float
) -> FloatArray:
    """Return for each row the largest K in [c, H − n + c] with P(X ≤ c | K) > tail, searching first around `guess`."""
    most = households - n + count
    # With K no larger than cH/n the mean of X is at most c, so P(X ≤ c) is at least ½ and K stays possible.
    accepted = np.where(n > 0, np.clip(np.floor(count * households / np.where(n > 0, n, 1)), count, most), most)
    rejected = most + 1
    probes = [np.floor(guess) + GUESS_MARGIN, np.floor(guess) - GUESS_MARGIN]
    while (rows := np.flatnonzero(rejected - accepted > 1)).size:
        low, high = accepted[rows], rejected[rows]
        middle = np.clip(probes.pop(0)[rows], low + 1, high - 1) if probes else np.floor((low + high) / 2)
        possible = _lower_tail(count[rows], middle, n[rows], households[rows]) > tail
        accepted[rows[possible]] = middle[possible]
        rejected[rows[~possible]] = middle[~possible]
    return accepted


def _lower_tail(count: FloatArray, successes: FloatArray, n: FloatArray, households: FloatArray) -> FloatArray:
    """Return P(X ≤ c) for hypergeometric X, summed downwards from c, where c is at or below the mode."""
    failures = households - successes
    first = np.exp(_log_choose(successes, count) + _log_choose(failures, n - count) - _log_choose(households, n))
    total = first.copy()
    term, rows, x = first, np.arange(count.size), count
    while rows.size:
        term = term * (x * (failures[rows] - n[rows] + x)) / ((successes[rows] - x + 1) * (n[rows] - x + 1))
        x = x - 1
        total[rows] += term
        going: BooleanArray = term > NEGLIGIBLE * total[rows]
        rows, term, x = rows[going], term[going], x[going]
    return total


def _log_choose(n: FloatArray, k: FloatArray) -> FloatArray:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
