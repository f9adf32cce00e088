"""Repeat complaints: how much more the counts of complaints vary if households complain again, and their limits."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.statistics.intervals import Interval, poisson_exact, tail_probability
from analytics.statistics.validation import BooleanArray, FloatArray, refuse, whole_numbers

LEAST_COMPLAINTS: Final = 100
"""Least number of complaints with known households that show how often a household complains again."""

# A dispersion nearer to 1 changes no digit that is shown.
_POISSON_TO: Final = 1 + 1e-6
_HALVINGS: Final = 100


def repeat_share(complaints: npt.ArrayLike, households: npt.ArrayLike) -> float:
    """Return the share of complaints whose household had complained before.

    Parameters
    ----------
    complaints : array_like
        Valid complaints of each community, whole numbers.
    households : array_like
        Distinct households among them, at most as many.

    Returns
    -------
    float
        π = 1 − Σ households ÷ Σ complaints, over all communities together, in [0, 1); NaN for fewer than
        `LEAST_COMPLAINTS` complaints.

    Raises
    ------
    ValueError
        If a value is missing, negative or fractional, or there are more households than complaints, or none of some.

    Examples
    --------
    >>> repeat_share([90, 30], [60, 30]), repeat_share([9, 3], [6, 3])
    (0.25, nan)
    """
    cases, homes = np.broadcast_arrays(whole_numbers("complaints", complaints), whole_numbers("households", households))
    refuse(homes > cases, "households exceed complaints", households=homes, complaints=cases)
    refuse((homes == 0) & (cases > 0), "complaints without a household", complaints=cases)
    total = float(cases.sum())
    return float("nan") if total < LEAST_COMPLAINTS else 1 - float(homes.sum()) / total


def repeat_dispersion(share: float) -> float:
    """Return the dispersion φ of counts of complaints, their variance ÷ their mean, if a share of them is repeated.

    Parameters
    ----------
    share : float
        π in [0, 1), from `repeat_share`.

    Returns
    -------
    float
        φ = (1 + π)/(1 − π), at least 1.

    Raises
    ------
    ValueError
        If the share is not in [0, 1).

    Notes
    -----
    Households that complain are Poisson distributed, and each complains again with probability π, after every complaint
    anew: geometric numbers m with mean 1/(1 − π). The sum has variance ÷ mean E(m²)/E(m) = (1 + π)/(1 − π).

    Examples
    --------
    >>> repeat_dispersion(0.0), repeat_dispersion(0.25)
    (1.0, 1.6666666666666667)
    """
    if not 0 <= share < 1:
        raise ValueError(f"share must lie in [0, 1), got {share}")
    return (1 + share) / (1 - share)


def negative_binomial(events: npt.ArrayLike, *, dispersion: float, level: float) -> Interval:
    """Return exact negative binomial limits for the expected number of events, given the observed count.

    Parameters
    ----------
    events : array_like
        Events counted, whole numbers, at least 0. Divide the limits by the exposure for limits of the rate.
    dispersion : float
        φ ≥ 1, variance ÷ mean; 1 gives the limits of `analytics.statistics.intervals.poisson_exact`.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Interval
        In events; they contain the count. Zero events have the lower limit 0.

    Raises
    ------
    ValueError
        If a count is missing, fractional or negative, φ below 1, or the level not in (0, 1).

    Notes
    -----
    The means M that neither one-sided exact test rejects, at (1 − level)/2 each, for the negative binomial distribution
    with mean M and variance φM: size r = M/(φ − 1), success probability 1/φ. P(Y ≤ y) = I(1/φ; r, y + 1), I the
    regularised incomplete beta function; its root in M is found by bisection, once for each distinct count.

    References
    ----------
    Cameron AC, Trivedi PK (2013), Regression Analysis of Count Data, 2nd ed., section 3.3, the form NB1.

    Examples
    --------
    >>> limits = negative_binomial([0, 10], dispersion=5 / 3, level=0.95)
    >>> limits.lower.round(3), limits.upper.round(3)
    (array([0.   , 3.677]), array([ 4.814, 20.901]))
    """
    counts = whole_numbers("events", events)
    if not 1 <= dispersion < np.inf:
        raise ValueError(f"dispersion must be at least 1, got {dispersion}")
    if dispersion <= _POISSON_TO:
        return poisson_exact(counts, level=level)
    tail = tail_probability(level)
    distinct, places = np.unique(counts, return_inverse=True)
    sizes = dispersion - 1

    def too_many(mean: FloatArray) -> FloatArray:
        return np.asarray(special.betainc(mean / sizes, distinct + 1, 1 / dispersion))

    def too_few(mean: FloatArray) -> FloatArray:
        return np.asarray(special.betainc(np.maximum(distinct, 1), mean / sizes, 1 - 1 / dispersion))

    highest = poisson_exact(distinct, level=level).upper * dispersion
    while (near := too_many(highest) > tail).any():
        highest = np.where(near, 2 * highest, highest)
    upper = _root(lambda mean: too_many(mean) > tail, distinct, highest)
    lower = _root(lambda mean: too_few(mean) < tail, np.zeros(distinct.size), distinct)
    limits = np.where(distinct == 0, 0.0, lower)[places], upper[places]
    return Interval(*(limit.reshape(counts.shape) for limit in limits))


def _root(is_below: Callable[[FloatArray], BooleanArray], lowest: FloatArray, highest: FloatArray) -> FloatArray:
    """Return where each element of a condition that holds from `lowest` on ceases to hold."""
    for _ in range(_HALVINGS):
        middle = (lowest + highest) / 2
        below = is_below(middle)
        lowest, highest = np.where(below, middle, lowest), np.where(below, highest, middle)
    return (lowest + highest) / 2
