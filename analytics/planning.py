"""What a survey can settle: how many more answers a community needs, and whether a round can fill its quota at all.

Everything here is a forecast under stated expectations. Nothing of it enters a decision.
"""

from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from analytics.arrays import FloatArray, IntegerArray, finite_numbers, refuse, row_codes, whole_numbers
from analytics.criterion import count_positions
from analytics.evidence import LEAST_RELIABILITY, LIKELY_FROM, with_nonresponse
from analytics.rules import Rounding, Ties
from analytics.shrinkage import reliability

# More than this share of the households seldom answers.
REACHABLE_SHARE: Final = Fraction(3, 5)

_SETTLED: Final = float(special.ndtri(LIKELY_FROM))


def needed_responses(
    mean: npt.ArrayLike,
    variance: npt.ArrayLike,
    *,
    answer_variance: npt.ArrayLike,
    n: npt.ArrayLike,
    households: npt.ArrayLike,
    threshold: npt.ArrayLike,
    nonresponse_spread: float = 0.0,
    reachable_share: Fraction = REACHABLE_SHARE,
) -> pd.DataFrame:
    """Return how many more answers would settle the evidence of each community.

    Parameters
    ----------
    mean, variance : array_like
        m and V of the posterior now, without the nonresponse term.
    answer_variance : array_like
        Variance of single answers, p(1 − p) for a rate, at least 0.
    n, households : array_like
        Valid answers now, at least 1, and households H, at least n; whole numbers.
    threshold : array_like
        T, the true score that separates the best, `TopProbability.threshold`.
    nonresponse_spread : float
        ω ≥ 0, in units of the score.
    reachable_share : Fraction
        ρ in (0, 1]: at most this share of the households answers.

    Returns
    -------
    DataFrame
        One row for each community, columns `needed_responses` (Int64: further answers, 0 where settled already, missing
        where not reachable), `predicted_top_probability` (at that number, or at the reachable one where that is not
        enough) and `assurance` (probability that the evidence then is settled indeed).

    Raises
    ------
    ValueError
        If a value is missing, n > H, a variance negative, or ρ outside (0, 1].

    Notes
    -----
    Settled means P ≥ .80 or P ≤ .20. The smallest M ≤ ⌊ρH⌋ − n is taken at which |m − T|/√V′ ≥ Φ⁻¹(.80), that is, if
    the score stays where it is expected. V′ = 1/(1/V − 1/v + 1/v′) + ω²(1 − f′)² with v = s²/n · (1 − n/H) and v′ the
    same for n + M answers: what is known besides the answers, 1/V − 1/v, stays. The posterior mean moves by a normal
    variable of variance V − V′ (without ω), and the assurance is the probability that |m′ − T| is still enough: the
    limit of drawing ever more answers from their predictive distribution. Where m = T nothing settles while V′ > 0.

    Examples
    --------
    >>> needed_responses(
    ...     [0.93, 0.90, 0.80],
    ...     [0.0009] * 3,
    ...     answer_variance=0.09,
    ...     n=[60, 60, 60],
    ...     households=[400, 400, 400],
    ...     threshold=0.91,
    ... )["needed_responses"].tolist()
    [39, <NA>, 0]
    """
    centre, spread, single, answers, total, limit = np.broadcast_arrays(
        finite_numbers("mean", mean),
        finite_numbers("variance", variance, lowest=0),
        finite_numbers("answer_variance", answer_variance, lowest=0),
        whole_numbers("n", n, lowest=1),
        whole_numbers("households", households, lowest=1),
        np.asarray(threshold, dtype=np.float64),
    )
    refuse(answers > total, "n exceeds households", n=answers, households=total)
    refuse(np.isnan(limit), "threshold is missing", threshold=limit)
    if not 0 < reachable_share <= 1:
        raise ValueError(f"reachable_share must lie in (0, 1], got {reachable_share}")
    distance = np.abs(centre - limit)

    def variances(more: FloatArray) -> tuple[FloatArray, FloatArray]:
        after = _later_variance(spread, single, answers, total, more)
        fraction = np.minimum((answers + more) / total, 1)
        return after, with_nonresponse(after, sampling_fraction=fraction, nonresponse_spread=nonresponse_spread)

    def settled(more: FloatArray) -> npt.NDArray[np.bool_]:
        after = variances(more)[1]
        return np.asarray((distance >= _SETTLED * np.sqrt(after)) & ((distance > 0) | (after == 0)))

    reach = total * reachable_share.numerator // reachable_share.denominator
    most = np.maximum(reach - answers, 0)
    reachable = settled(most)
    # Variances fall with every answer, so that halving the range finds the first number that settles.
    low, high = np.full(most.shape, -1.0), most.copy()
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = settled(np.maximum(middle, 0)) & (middle >= 0)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    after, uncertain = variances(high)
    sign = np.where(np.isfinite(limit), centre - limit, np.where(limit < 0, 1, -1) * np.inf)
    return pd.DataFrame(
        {
            "needed_responses": pd.Series(high).astype("Int64").mask(~reachable),
            "predicted_top_probability": _chance(sign, uncertain),
            "assurance": _assurance(sign, spread - after, uncertain),
        }
    )


def minimum_eligible(quota: int, *, share: Fraction, rounding: Rounding) -> int:
    """Return the smallest number of eligible communities of which one route names `quota`.

    Parameters
    ----------
    quota : int
        Nominations to fill, at least 1.
    share : Fraction
        Of the eligible communities, in (0, 1].
    rounding : {"floor", "ceil", "at_least_one"}
        How share × N becomes a whole number.

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
    if rounding == "ceil":
        return int((quota - 1) / share) + 1
    if rounding == "at_least_one" and quota == 1:
        return 1
    return int(-(-quota // share))


def eligible_chance(
    households: npt.ArrayLike,
    response_rate: npt.ArrayLike,
    *,
    least: int,
    enough: int,
    or_share_of_households: Fraction,
) -> FloatArray:
    """Return the probability that a community has answers enough to be ranked.

    Parameters
    ----------
    households : array_like
        H, whole numbers, at least 1.
    response_rate : array_like
        Expected share of households that answer, in [0, 1].
    least, enough : int
        Eligible with n ≥ least and (n ≥ enough or n ≥ share · H).
    or_share_of_households : Fraction
        That share, in (0, 1].

    Returns
    -------
    ndarray of float
        With n binomial: households answer independently of each other.

    Raises
    ------
    ValueError
        If a value is missing or out of range.

    Examples
    --------
    >>> half = Fraction(1, 2)
    >>> eligible_chance([150, 40, 8], 0.2, least=10, enough=30, or_share_of_households=half).round(3)
    array([0.533, 0.   , 0.   ])
    """
    total = whole_numbers("households", households, lowest=1)
    rate = finite_numbers("response_rate", response_rate, lowest=0)
    refuse(rate > 1, "response_rate exceeds 1", response_rate=rate)
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
) -> pd.DataFrame:
    """Return how precisely a round would measure each community, and how likely its evidence stays undecided.

    Parameters
    ----------
    households : array_like
        H, whole numbers, at least 1.
    response_rate : array_like
        Expected share of households that answer, in [0, 1].
    share : Fraction
        Of the region's communities that are to be named, in (0, 1).
    expected_rate : float
        Mean satisfaction rate, in (0, 1).
    expected_spread : float
        τ ≥ 0, standard deviation of the true rates.
    nonresponse_spread : float
        ω ≥ 0, standard deviation of the difference between those who answer and those who don't.

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
    v = p(1 − p)/n · (1 − f) + ω²(1 − f)² at the expected n; true rates N(p, τ²), posterior means N(p, Bτ²) around them,
    T = p + τΦ⁻¹(1 − share). Undecided is |m − T| < Φ⁻¹(.80)√V, and all m below T where B < .5. Without any expected
    answer B = 0 and the chance is 1; without any spread nothing can be told apart, and it is 1 too.

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
        whole_numbers("households", households, lowest=1), finite_numbers("response_rate", response_rate, lowest=0)
    )
    refuse(rate > 1, "response_rate exceeds 1", response_rate=rate)
    if not 0 < share < 1:
        raise ValueError(f"share must lie in (0, 1), got {share}")
    if not 0 < expected_rate < 1:
        raise ValueError(f"expected_rate must lie in (0, 1), got {expected_rate}")
    if not 0 <= expected_spread < np.inf:
        raise ValueError(f"expected_spread must be at least 0, got {expected_spread}")
    answers = total * rate
    answered = answers > 0
    single = expected_rate * (1 - expected_rate)
    sampling = with_nonresponse(
        single / np.where(answered, answers, 1) * (1 - rate),
        sampling_fraction=rate,
        nonresponse_spread=nonresponse_spread,
    )
    own = np.where(answered, reliability(sampling, prior_variance=expected_spread**2), 0.0)
    width = np.where(answered, special.ndtri(0.975) * np.sqrt(sampling), np.nan)
    margin = _SETTLED * np.sqrt(np.where(answered, own * sampling, expected_spread**2))
    spread_of_means = np.sqrt(own) * expected_spread
    moving = spread_of_means > 0
    divisor = np.where(moving, spread_of_means, 1)
    cut = expected_spread * special.ndtri(1 - float(share))
    above = special.ndtr(-(cut + margin) / divisor)
    below = np.where(own >= LEAST_RELIABILITY, special.ndtr((cut - margin) / divisor), 0.0)
    return pd.DataFrame(
        {
            "expected_responses": answers,
            "half_width": width,
            "reliability": own,
            "undecided_chance": np.where(moving, 1 - above - below, 1.0),
        }
    )


def forecast_quota(
    eligible_chances: npt.ArrayLike,
    exposed: npt.ArrayLike,
    *,
    region: npt.ArrayLike,
    quota: npt.ArrayLike,
    share: Fraction,
    rounding: Rounding,
    ties: Ties,
) -> pd.DataFrame:
    """Return for each region whether the routes can name enough communities for its quota.

    Parameters
    ----------
    eligible_chances : array_like
        Of each community, the probability to be ranked on the satisfaction route (`eligible_chance`).
    exposed : array_like of bool
        True where the community reaches the minimum exposure of the complaint route; all False if there is no such
        route.
    region : array_like
        Label of each community's region.
    quota : array_like
        Nominations of the region: one number, or one for each community; whole, at least 1.
    share, rounding, ties
        Of the rules, the same on both routes.

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
    `ties: exclude` a tie across the last place can empty either list, so that nothing is sure. Ties that are included
    can name more than k; that is not counted on. The chance takes the number of eligible communities as normal with
    continuity correction.

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
    chance = finite_numbers("eligible_chances", eligible_chances, lowest=0)
    refuse(chance > 1, "eligible_chances exceeds 1", eligible_chances=chance)
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


def _later_variance(
    variance: FloatArray, single: FloatArray, answers: FloatArray, households: FloatArray, more: FloatArray
) -> FloatArray:
    """Return the posterior variance after `more` answers."""
    now = single / answers * (1 - answers / households)
    later = answers + more
    then = single / later * (1 - later / households)
    known = (variance == 0) | (then <= 0)
    gained = 1 / np.where(known, 1, then) - 1 / np.where(now > 0, now, 1)
    return np.where(known, 0.0, 1 / (1 / np.where(known, 1, variance) + np.maximum(gained, 0)))


def _chance(distance: FloatArray, variance: FloatArray) -> FloatArray:
    deviation = np.sqrt(variance)
    known = np.where(distance == 0, 0.5, (distance > 0).astype(np.float64))
    return np.where(deviation > 0, special.ndtr(distance / np.where(deviation > 0, deviation, 1)), known)


def _assurance(distance: FloatArray, moving: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the probability that a mean that moves by N(0, `moving`) ends far enough from the threshold."""
    margin = _SETTLED * np.sqrt(variance)
    return _chance(distance - margin, np.maximum(moving, 0)) + _chance(-distance - margin, np.maximum(moving, 0))
