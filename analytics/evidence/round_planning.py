"""Planning of a round: expected eligibility, precision and quota of a survey before it starts.

Everything here is a forecast under stated assumptions. No decision uses it.
"""

from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from analytics.decision.criterion import count_positions, count_until_next_position
from analytics.evidence.bands import with_nonresponse
from analytics.evidence.needed_responses import SETTLED_DISTANCE
from analytics.rules import Rounding, Ties
from analytics.statistics.empirical_bayes import reliability
from analytics.statistics.validation import FloatArray, IntegerArray, finite_numbers, refuse, row_codes, whole_numbers

RELIABLE_FROM: Final = 0.7
"""Reliability from which a ranking is usually called reliable."""


def minimum_eligible(quota: int, *, share: Fraction, rounding: Rounding) -> int:
    """Return the smallest number of eligible communities for which one route names `quota`.

    Parameters
    ----------
    quota : int
        Nominations to fill, at least 1.
    share : Fraction
        Share of the eligible communities that is named, in (0, 1].
    rounding
        As for `analytics.decision.criterion.count_positions`.

    Raises
    ------
    ValueError
        If the quota is below 1 or the share outside (0, 1].

    Examples
    --------
    >>> [minimum_eligible(10, share=Fraction(1, 20), rounding=rounding) for rounding in ("floor", "ceil")]
    [200, 181]
    """
    if quota < 1:
        raise ValueError(f"quota must be at least 1, got {quota}")
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], got {share}")
    eligible = 0
    while count_positions(share, eligible, rounding=rounding) < quota:
        eligible += count_until_next_position(share, eligible, rounding=rounding)
    return eligible


def eligibility_probability(
    households: npt.ArrayLike,
    response_rate: npt.ArrayLike,
    *,
    least: int,
    enough: int,
    or_share_of_households: Fraction,
) -> FloatArray:
    """Return the probability that a community has enough answers to be ranked.

    Parameters
    ----------
    households : array_like
        H, whole numbers, at least 1.
    response_rate : array_like
        Expected share of households that respond, in [0, 1].
    least, enough : int
        Eligible with n ≥ least and (n ≥ enough or n ≥ share · H).
    or_share_of_households : Fraction
        That share, in (0, 1].

    Returns
    -------
    ndarray of float
        n is binomial: households respond independently of each other.

    Raises
    ------
    ValueError
        If a value is missing or out of range.

    Examples
    --------
    >>> half = Fraction(1, 2)
    >>> eligibility_probability([150, 40, 8], 0.2, least=10, enough=30, or_share_of_households=half).round(3)
    array([0.533, 0.   , 0.   ])
    """
    total = whole_numbers("households", households, lowest=1)
    rate = finite_numbers("response_rate", response_rate, lowest=0, highest=1)
    share = or_share_of_households
    needed = np.maximum(least, np.minimum(enough, -(-total * share.numerator // share.denominator)))
    return np.asarray(stats.binom.sf(needed - 1, total, rate), dtype=np.float64)


def forecast_precision(
    households: npt.ArrayLike,
    response_rate: npt.ArrayLike,
    *,
    share: Fraction,
    expected_rate: float,
    expected_spread: float,
    nonresponse_spread: float,
    design_effect: float = 1.0,
) -> pd.DataFrame:
    """Forecast the precision of each community's rate, and the probability that its evidence is undecided.

    Parameters
    ----------
    households : array_like
        H, whole numbers, at least 1.
    response_rate : array_like
        Expected share of households that respond, in [0, 1].
    share : Fraction
        Share of the region's communities that is named, in (0, 1).
    expected_rate : float
        Mean satisfaction rate, in (0, 1).
    expected_spread : float
        τ ≥ 0, standard deviation of the true rates.
    nonresponse_spread : float
        ω ≥ 0, standard deviation of the difference between respondents and non-respondents.
    design_effect : float
        D ≥ 1: several answers of one household are worth fewer.

    Returns
    -------
    DataFrame
        One row for each community, columns `expected_responses`, `half_width` (of a 95 % interval for the rate),
        `reliability` (B) and `undecided_chance`.

    Raises
    ------
    ValueError
        If a value is missing or out of range.

    Notes
    -----
    v = D · p(1 − p)/n · (1 − f) + ω²(1 − f)² at the expected n; true rates N(p, τ²), posterior means N(p, Bτ²) around
    them, T = p + τΦ⁻¹(1 − share). Undecided is |m − T| < Φ⁻¹(.80)√V. With zero expected answers, or with τ = 0,
    communities cannot be distinguished, and the probability is 1.

    Examples
    --------
    >>> frame = forecast_precision(
    ...     [300, 300],
    ...     [0.15, 0.5],
    ...     share=Fraction(1, 20),
    ...     expected_rate=0.8,
    ...     expected_spread=0.07,
    ...     nonresponse_spread=0.03,
    ... )
    >>> frame["half_width"].round(3).tolist(), frame["undecided_chance"].round(3).tolist()
    ([0.119, 0.054], [0.072, 0.058])
    """
    total, rate = np.broadcast_arrays(
        whole_numbers("households", households, lowest=1),
        finite_numbers("response_rate", response_rate, lowest=0, highest=1),
    )
    if not 0 < share < 1:
        raise ValueError(f"share must lie in (0, 1), got {share}")
    if not 0 < expected_rate < 1:
        raise ValueError(f"expected_rate must lie in (0, 1), got {expected_rate}")
    if not 1 <= design_effect < np.inf:
        raise ValueError(f"design_effect must be at least 1, got {design_effect}")
    if not 0 <= expected_spread < np.inf:
        raise ValueError(f"expected_spread must be at least 0, got {expected_spread}")
    answers = total * rate
    answered = answers > 0
    single = expected_rate * (1 - expected_rate)
    sampling = with_nonresponse(
        design_effect * single / np.where(answered, answers, 1) * (1 - rate),
        sampling_fraction=rate,
        nonresponse_spread=nonresponse_spread,
    )
    own = np.where(answered, reliability(sampling, prior_variance=expected_spread**2), 0.0)
    width = np.where(answered, special.ndtri(0.975) * np.sqrt(sampling), np.nan)
    margin = SETTLED_DISTANCE * np.sqrt(np.where(answered, own * sampling, expected_spread**2))
    spread_of_means = np.sqrt(own) * expected_spread
    moving = spread_of_means > 0
    divisor = np.where(moving, spread_of_means, 1)
    cut = expected_spread * special.ndtri(1 - float(share))
    above = special.ndtr(-(cut + margin) / divisor)
    below = special.ndtr((cut - margin) / divisor)
    return pd.DataFrame(
        {
            "expected_responses": answers,
            "half_width": width,
            "reliability": own,
            "undecided_chance": np.where(moving, 1 - above - below, 1.0),
        }
    )


def answers_for_reliability(
    expected_rate: float, expected_spread: float, *, wanted: float = RELIABLE_FROM, design_effect: float = 1.0
) -> float:
    """Return the number of answers with which rates tell communities apart with the wanted reliability.

    Parameters
    ----------
    expected_rate : float
        p in (0, 1), the mean satisfaction rate.
    expected_spread : float
        τ ≥ 0, standard deviation of the true rates.
    wanted : float
        B in (0, 1): the share of the variance of rates that is due to true differences.
    design_effect : float
        D ≥ 1: several answers of one household are worth fewer.

    Returns
    -------
    float
        A whole number of answers in each community; infinite where τ = 0.

    Raises
    ------
    ValueError
        If a value is out of range.

    Notes
    -----
    By the formula of Spearman and Brown n answers have the reliability B = nB₁/(1 + (n - 1)B₁), with B₁ = τ²/(τ² + v)
    that of one answer and v = D p(1 - p) its variance, so n = v/τ² · B/(1 - B), rounded up. As often as all answers are
    independent and nobody's silence means anything: with the nonresponse term ω a ranking may never be so reliable.

    References
    ----------
    Brown W (1910), Some experimental results in the correlation of mental abilities, Br. J. Psychol. 3, 296–322.

    Examples
    --------
    >>> answers_for_reliability(0.85, 0.06), answers_for_reliability(0.85, 0.03)
    (83.0, 331.0)
    """
    if not 0 < expected_rate < 1:
        raise ValueError(f"expected_rate must lie in (0, 1), got {expected_rate}")
    if not 0 <= expected_spread < np.inf:
        raise ValueError(f"expected_spread must be at least 0, got {expected_spread}")
    if not 0 < wanted < 1:
        raise ValueError(f"wanted must lie in (0, 1), got {wanted}")
    if not 1 <= design_effect < np.inf:
        raise ValueError(f"design_effect must be at least 1, got {design_effect}")
    if expected_spread == 0:
        return np.inf
    single = design_effect * expected_rate * (1 - expected_rate)
    # A hair above a whole number is rounding.
    return float(np.ceil(single / expected_spread**2 * wanted / (1 - wanted) - 1e-9))


def forecast_quota(
    eligibility_probabilities: npt.ArrayLike,
    exposed: npt.ArrayLike,
    *,
    region: npt.ArrayLike,
    quota: npt.ArrayLike,
    share: Fraction,
    rounding: Rounding,
    ties: Ties,
) -> pd.DataFrame:
    """Forecast for each region whether the routes can name enough communities for its quota.

    Parameters
    ----------
    eligibility_probabilities : array_like
        Probability of each community to be ranked on the satisfaction route (`eligibility_probability`).
    exposed : array_like of bool
        True where the community reaches the minimum exposure of the complaint route; all False without such a
        route.
    region : array_like
        Label of each community's region.
    quota : array_like
        Nominations of the region: one number, or one per community; whole, at least 1.
    share, rounding, ties
        From the rules, the same for both routes.

    Returns
    -------
    DataFrame
        Indexed by region, columns `communities`, `expected_eligible` (on the satisfaction route), `minimum_eligible`
        (for the quota from that route alone), `satisfaction_places`, `complaint_places` (k at the expected number),
        `surely_named` and `possibly_named` (fewest and most different communities that both routes name), `quota`,
        `quota_fillable` (possibly_named ≥ quota) and `one_route_chance` (probability that the satisfaction route alone
        has enough eligible communities).

    Raises
    ------
    ValueError
        If a value is missing or out of range, or the quota is not the same throughout a region.

    Notes
    -----
    The routes may name the same communities or different ones: together from the larger k to the sum of both. With
    `ties: exclude` a tie across the last place can empty either list, so `surely_named` is 0. Included ties can name
    more than k; the forecast does not rely on that. The probability uses a normal approximation, with continuity
    correction, of the number of eligible communities.

    Examples
    --------
    >>> frame = forecast_quota(
    ...     [1.0] * 120,
    ...     [True] * 120,
    ...     region=["wuda"] * 120,
    ...     quota=10,
    ...     share=Fraction(1, 20),
    ...     rounding="floor",
    ...     ties="include",
    ... )
    >>> [int(frame.loc["wuda", column]) for column in ("satisfaction_places", "surely_named", "possibly_named")]
    [6, 6, 12]
    """
    chance = finite_numbers("eligibility_probabilities", eligibility_probabilities, lowest=0, highest=1)
    exposure = np.broadcast_to(np.asarray(exposed, dtype=bool), chance.shape)
    labels, codes = row_codes("region", region, rows=chance.size)
    wanted = np.broadcast_to(whole_numbers("quota", quota, lowest=1), chance.shape)
    first = np.zeros(labels.size)
    first[codes] = wanted
    refuse(wanted != first[codes], "quota differs within a region", quota=wanted)
    expected = np.bincount(codes, chance, minlength=labels.size)
    spread = np.sqrt(np.bincount(codes, chance * (1 - chance), minlength=labels.size))
    needed = np.array([minimum_eligible(int(number), share=share, rounding=rounding) for number in first])
    by_satisfaction = _positions(np.rint(expected), share, rounding)
    by_complaints = _positions(np.bincount(codes, exposure, minlength=labels.size), share, rounding)
    possibly = np.minimum(by_satisfaction + by_complaints, np.bincount(codes, minlength=labels.size))
    excess = (expected - needed + 0.5) / np.where(spread > 0, spread, 1)
    return pd.DataFrame(
        {
            "communities": np.bincount(codes, minlength=labels.size),
            "expected_eligible": expected,
            "minimum_eligible": needed,
            "satisfaction_places": by_satisfaction,
            "complaint_places": by_complaints,
            "surely_named": np.maximum(by_satisfaction, by_complaints) if ties == "include" else 0 * by_satisfaction,
            "possibly_named": possibly,
            "quota": first.astype(np.int64),
            "quota_fillable": possibly >= first,
            "one_route_chance": np.where(spread > 0, special.ndtr(excess), (expected >= needed).astype(np.float64)),
        },
        index=pd.Index(labels, name="region"),
    )


def _positions(eligible: npt.NDArray[np.generic], share: Fraction, rounding: Rounding) -> IntegerArray:
    return np.array([count_positions(share, int(number), rounding=rounding) for number in eligible], dtype=np.int64)
