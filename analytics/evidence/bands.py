"""Evidence bands: how far the data support that a community is truly among the best k, on each route and both.

The decision compares observed scores; the evidence is how sure one can be that the true standing agrees. The two are
kept apart: a community can meet the criterion while the evidence is undecided, and usually does when few answered.

The true score of a community is what all its households would answer, its true complaint rate the rate at which they
complain. One probability P of being among the best k stands behind each word, number and order.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from analytics.statistics.empirical_bayes import ComplaintShrinkage, Shrinkage, credible_interval
from analytics.statistics.intervals import Interval
from analytics.statistics.top_probability import top_probability
from analytics.statistics.validation import BooleanArray, FloatArray, finite_numbers, refuse, row_codes, whole_numbers


class Evidence(StrEnum):
    """Evidence bands: how far the data support that a community is among the best, from certain to no."""

    CERTAIN = "certain"
    LIKELY = "likely"
    UNDECIDED = "undecided"
    UNLIKELY = "unlikely"
    NO = "no"


class Reason(StrEnum):
    """Reason why evidence is undecided; by method 1 also why it is weaker than its probability alone implies."""

    PROBABILITY = "probability"  # the probability itself lies in the undecided band
    NONRESPONSE = "nonresponse"  # non-respondents could change it: only method 1 says so
    TOO_LITTLE_INFORMATION = "too_little_information"  # nothing tells the communities of the region apart
    ZERO_BY_LUCK = "zero_by_luck"  # no complaint, and an average community of this size often has none
    ROUTES_DISAGREE = "routes_disagree"  # the two routes together leave it open
    VARIANCE_UNKNOWN = "variance_unknown"  # a given score has no known sampling variance
    NOT_ASSESSED = "not_assessed"  # a route has no result
    NOT_APPLICABLE = "not_applicable"  # k = 0: no position qualifies


CERTAIN_FROM: Final = 0.95
LIKELY_FROM: Final = 0.80
UNLIKELY_TO: Final = 0.20
NO_TO: Final = 0.05

# Gaps between respondents and non-respondents smaller than this are common.
ROBUST_GAP: Final = 0.05

_EACH_BAND: Final = tuple(Evidence)
_BANDS: Final = np.array(_EACH_BAND, dtype=object)
_UNDECIDED: Final = 2
_NO_REASON: Final = ""
# Probabilities that differ by less are equal: the rest is rounding.
_SAME: Final = 1e-9
# Deviations beyond which the normal distribution is 0 or 1 to the last digit.
_FARTHEST: Final = 8.0
# Reasons for which a route says nothing about the criterion.
_UNKNOWN: Final = (Reason.NOT_ASSESSED, Reason.VARIANCE_UNKNOWN, Reason.TOO_LITTLE_INFORMATION)

TextArray = npt.NDArray[np.object_]


def evidence_bands(probability: npt.ArrayLike) -> TextArray:
    """Classify probabilities into evidence bands.

    Parameters
    ----------
    probability : array_like
        In [0, 1].

    Returns
    -------
    ndarray of Evidence
        certain in [.95, 1], likely in [.80, .95), undecided in (.20, .80), unlikely in (.05, .20], no in [0, .05].

    Raises
    ------
    ValueError
        If a probability is missing or outside [0, 1].

    Examples
    --------
    >>> [str(band) for band in evidence_bands([0.95, 0.8, 0.5, 0.2, 0.05])]
    ['certain', 'likely', 'undecided', 'unlikely', 'no']
    """
    return _BANDS[_band_numbers(finite_numbers("probability", probability, lowest=0, highest=1))]


def evidence_band(probability: float) -> Evidence:
    """Classify one probability in [0, 1] as `evidence_bands` does many.

    Examples
    --------
    >>> str(evidence_band(0.8))
    'likely'
    """
    # Without numpy, which takes ten times as long for one number.
    below = (probability < CERTAIN_FROM, probability < LIKELY_FROM, probability <= UNLIKELY_TO, probability <= NO_TO)
    return _EACH_BAND[sum(below)]


def with_nonresponse(
    variances: npt.ArrayLike, *, sampling_fraction: npt.ArrayLike, nonresponse_spread: npt.ArrayLike
) -> FloatArray:
    """Add the nonresponse variance to sampling variances.

    Parameters
    ----------
    variances : array_like
        v ≥ 0, with the finite population correction.
    sampling_fraction : array_like
        f in [0, 1]: responding households ÷ households.
    nonresponse_spread : array_like
        ω ≥ 0, in units of the score: standard deviation over communities of the true difference between respondents and
        non-respondents. An assumption of the rules, or more where late answers differ by more from early ones.

    Returns
    -------
    ndarray of float
        v + ω²(1 − f)², because a community's mean is f·(respondents) + (1 − f)·(others).

    Raises
    ------
    ValueError
        If a value is missing, a variance or ω negative, or f outside [0, 1].

    Examples
    --------
    >>> with_nonresponse([0.001, 0.0], sampling_fraction=[0.5, 1.0], nonresponse_spread=0.03)
    array([0.001225, 0.      ])
    """
    sampling = finite_numbers("variances", variances, lowest=0)
    fraction = finite_numbers("sampling_fraction", sampling_fraction, lowest=0, highest=1)
    spread = finite_numbers("nonresponse_spread", nonresponse_spread, lowest=0)
    return sampling + (spread * (1 - fraction)) ** 2


def score_interval(shrinkage: Shrinkage, *, level: float, lowest: float, highest: float) -> Interval:
    """Return the interval that is printed beside a score: the credible one, within the range of the score.

    Parameters
    ----------
    shrinkage : Shrinkage
        As in `satisfaction_evidence`.
    level : float
        In (0, 1).
    lowest, highest : float
        Range of the score.

    Returns
    -------
    Interval
        With the posterior mean inside, which a long tail can pull beyond the quantile of the other side.

    Raises
    ------
    ValueError
        If the level is not in (0, 1).

    Examples
    --------
    >>> from analytics.statistics.empirical_bayes import shrink_scores
    >>> result = shrink_scores([0.7, 0.8, 0.8, 0.98], [0.002] * 4, region=["wuda"] * 4, prior="normal")
    >>> score_interval(result, level=0.95, lowest=0, highest=1).upper.round(3)
    array([0.816, 0.884, 0.884, 1.   ])
    """
    lower, upper = credible_interval(shrinkage, level=level)
    return Interval(
        np.minimum(np.clip(lower, lowest, highest), shrinkage.mean),
        np.maximum(np.clip(upper, lowest, highest), shrinkage.mean),
    )


def clipped_normal_quantile(probability: npt.ArrayLike) -> FloatArray:
    """Return the normal quantile z of each probability, clipped to ±8: the distance to the threshold in deviations.

    Parameters
    ----------
    probability : array_like
        P(top k) in [0, 1].

    Returns
    -------
    ndarray of float
        z = Φ⁻¹(P), from −8 to 8, beyond which the normal distribution is 0 or 1 to the last digit.

    Raises
    ------
    ValueError
        If a probability is missing or outside [0, 1].

    Examples
    --------
    >>> clipped_normal_quantile([0.8, 0.5, 0.0]).round(2)
    array([ 0.84,  0.  , -8.  ])
    """
    return np.clip(
        special.ndtri(finite_numbers("probability", probability, lowest=0, highest=1)), -_FARTHEST, _FARTHEST
    )


def tipping_point(
    shrinkage: Shrinkage,
    *,
    probability: npt.ArrayLike,
    threshold: npt.ArrayLike,
    threshold_variance: npt.ArrayLike = 0.0,
    sampling_fraction: npt.ArrayLike,
) -> FloatArray:
    """Return the tipping point: the smallest gap between respondents and non-respondents that changes the evidence.

    Parameters
    ----------
    shrinkage : Shrinkage
        Posteriors of the communities.
    probability, threshold, threshold_variance : array_like
        P(top k), T and U from `top_probability`.
    sampling_fraction : array_like
        f in [0, 1]: responding households ÷ households.

    Returns
    -------
    ndarray of float
        δ ≥ 0 in units of the score: how much higher (or lower) than the others' the respondents' mean must be; infinite
        where no gap matters, because everybody answered or a community's own score has no weight.

    Raises
    ------
    ValueError
        If a value is missing, or a probability or f outside [0, 1].

    Notes
    -----
    A gap δ in one community changes its score by δ(1 − f) and its posterior mean by Bδ(1 − f), all else fixed, and its
    P = Φ(z) to Φ(z ± Bδ(1 − f)/√(V + U)). δ is the least that takes z over an edge of the band of P, upwards or
    downwards. For a normal posterior and threshold this is exact; for other posteriors z = Φ⁻¹(P) is that of the normal
    one with the same P, and where P is 0 or 1 to the last digit z = (m − T)/√(V + U). Without variance (V + U = 0) the
    distance is |m − T|. Reaching an edge exactly counts as changing the band.

    Examples
    --------
    >>> from analytics.statistics.empirical_bayes import shrink_rates
    >>> fraction = np.array([0.5, 0.5, 0.5, 1.0])
    >>> result = shrink_rates(
    ...     [196, 160, 150, 140], [200] * 4, region=[1] * 4, prior="normal", sampling_fraction=fraction
    ... )
    >>> top = top_probability(result.mean, result.variance, region=[1] * 4, size=1)
    >>> tipping_point(
    ...     result,
    ...     probability=top.probability,
    ...     threshold=top.threshold,
    ...     threshold_variance=top.threshold_variance,
    ...     sampling_fraction=fraction,
    ... ).round(2)
    array([0.14, 0.3 , 0.4 ,  inf])
    """
    chance, limit, fraction, mean, variance, own = np.broadcast_arrays(
        finite_numbers("probability", probability, lowest=0, highest=1),
        np.asarray(threshold, dtype=np.float64),
        finite_numbers("sampling_fraction", sampling_fraction, lowest=0, highest=1),
        shrinkage.mean,
        shrinkage.variance + finite_numbers("threshold_variance", threshold_variance, lowest=0),
        shrinkage.reliability,
    )
    cuts = special.ndtri([NO_TO, UNLIKELY_TO, LIKELY_FROM, CERTAIN_FROM])
    finite = np.isfinite(limit)
    apart = mean - np.where(finite, limit, 0)
    deviation = np.sqrt(variance)
    place = clipped_normal_quantile(chance)
    far = np.where(variance > 0, np.abs(apart) / np.where(variance > 0, deviation, 1), 0)
    place = np.where(np.abs(place) < _FARTHEST, place, np.sign(place) * np.maximum(far, _FARTHEST))
    distance = np.abs(place[..., None] - cuts).min(axis=-1) * deviation
    distance = np.where(variance > 0, distance, np.abs(apart))
    lever = own * (1 - fraction)
    movable = finite & (lever > 0)
    return np.where(movable, distance / np.where(movable, lever, 1), np.inf)


def satisfaction_evidence(
    shrinkage: Shrinkage, *, region: npt.ArrayLike, size: npt.ArrayLike, sampling_fraction: npt.ArrayLike
) -> pd.DataFrame:
    """Return the evidence on the satisfaction route.

    Parameters
    ----------
    shrinkage : Shrinkage
        Posteriors of what all households of each community would answer: with the finite population correction and the
        nonresponse term ω.
    region : array_like
        Label of each community's region.
    size : array_like
        Nominal k of the region: one number, or one for each community.
    sampling_fraction : array_like
        f in [0, 1]: responding households ÷ households; 0 where unknown, which assumes the largest nonresponse.

    Returns
    -------
    DataFrame
        One row for each community in the given order, columns `satisfaction_top_probability` (P, 0 to 1),
        `satisfaction_quadrature_error` and `satisfaction_threshold_variance` (from `top_probability`, the latter in
        squared units of the score), `satisfaction_reliability` (0 to 1), `satisfaction_tipping_point` (units of the
        score), `satisfaction_robust` (False: “not robust to nonresponse”, the tipping point is below `ROBUST_GAP`),
        `satisfaction_evidence` (Evidence) and `satisfaction_evidence_reason` (Reason, or empty).

    Raises
    ------
    ValueError
        As `top_probability` and `tipping_point`.

    Notes
    -----
    The word is the band of P, with one exception: where all communities of a region have the same P between 0 and 1,
    nothing tells them apart, and all are undecided: forty tied communities have P = k/N = .05, which rules nobody out.

    Examples
    --------
    >>> from analytics.statistics.empirical_bayes import shrink_rates
    >>> satisfied, n, region = [199, 150, 140, 16], [200, 200, 200, 20], [1, 1, 1, 1]
    >>> posteriors = shrink_rates(satisfied, n, region=region, prior="normal", nonresponse_spread=0.03)
    >>> frame = satisfaction_evidence(posteriors, region=region, size=1, sampling_fraction=0.4)
    >>> frame["satisfaction_evidence"].map(str).tolist()
    ['certain', 'no', 'no', 'no']
    """
    top = top_probability(shrinkage.mean, shrinkage.variance, region=region, size=size, grids=shrinkage.grids)
    evidence, reason = _judge(top.probability, region)
    gap = tipping_point(
        shrinkage,
        probability=top.probability,
        threshold=top.threshold,
        threshold_variance=top.threshold_variance,
        sampling_fraction=sampling_fraction,
    )
    return pd.DataFrame(
        {
            "satisfaction_top_probability": top.probability,
            "satisfaction_quadrature_error": top.quadrature_error,
            "satisfaction_threshold_variance": top.threshold_variance,
            "satisfaction_reliability": shrinkage.reliability,
            "satisfaction_tipping_point": gap,
            "satisfaction_robust": gap >= ROBUST_GAP,
            "satisfaction_evidence": evidence,
            "satisfaction_evidence_reason": reason,
        }
    )


def complaint_evidence(
    shrinkage: ComplaintShrinkage,
    complaints: npt.ArrayLike,
    household_years: npt.ArrayLike,
    *,
    region: npt.ArrayLike,
    size: npt.ArrayLike,
    share: float,
    repeat_share: float = 0.0,
) -> pd.DataFrame:
    """Return the evidence on the complaint route, whose best communities have the lowest complaint rates.

    Parameters
    ----------
    shrinkage : ComplaintShrinkage
        Posteriors of the complaint rates.
    complaints : array_like
        Valid complaints y of each community, whole numbers.
    household_years : array_like
        Exposure E of each community, above 0.
    region : array_like
        Label of each community's region.
    size : array_like
        Nominal k of the region: one number, or one for each community.
    share : float
        The share of the rule in (0, 1], as a float: .05.
    repeat_share : float
        π in [0, 1): the share of complaints whose household had complained before.

    Returns
    -------
    DataFrame
        Columns `complaint_top_probability` (P, 0 to 1), `complaint_quadrature_error`, `complaint_reliability`,
        `complaint_zero_probability` (P(0) of an average community of this exposure), `complaint_evidence` (Evidence)
        and `complaint_evidence_reason` (Reason, or empty).

    Raises
    ------
    ValueError
        If a value is missing, E or the share out of range, or as `top_probability`.

    Notes
    -----
    The word is that of `satisfaction_evidence`. A community without complaints is undecided also where P(0) = (a/(a +
    hλ̄))ᵃ, e^(−hλ̄) without excess variation, h = E(1 − π), exceeds the share: an average community of its exposure
    would too often have none. Only a zero can be a zero by luck, and where nothing tells the communities apart it is
    not luck.

    Examples
    --------
    >>> from analytics.statistics.empirical_bayes import shrink_complaint_rates
    >>> cases, years, region = [0, 60, 1, 0], [1000, 1000, 20, 20], [1, 1, 1, 1]
    >>> shrinkage = shrink_complaint_rates(cases, years, region=region, prior="normal")
    >>> frame = complaint_evidence(shrinkage, cases, years, region=region, size=1, share=0.3)
    >>> frame["complaint_evidence"].map(str).tolist(), str(frame["complaint_evidence_reason"].iloc[3])
    (['likely', 'no', 'no', 'undecided'], 'zero_by_luck')
    """
    counts = whole_numbers("complaints", complaints)
    exposure = finite_numbers("household_years", household_years, lowest=0)
    refuse(exposure == 0, "household_years is 0", household_years=exposure)
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], got {share}")
    if not 0 <= repeat_share < 1:
        raise ValueError(f"repeat_share must lie in [0, 1), got {repeat_share}")
    # Without excess variation all rates are known to be equal.
    spread = np.where(np.isinf(shrinkage.shape), 0.0, shrinkage.mean / shrinkage.rate)
    top = top_probability(-shrinkage.mean, spread, region=region, size=size, grids=shrinkage.grids)
    evidence, reason = _judge(top.probability, region)
    # Nobody complains where no household complains a first time.
    expected = exposure * (1 - repeat_share) * shrinkage.prior_mean
    limited = np.isfinite(shrinkage.prior_shape)
    shape = np.where(limited, shrinkage.prior_shape, 1)
    zero = np.where(limited, np.exp(-shape * np.log1p(expected / shape)), np.exp(-expected))
    lucky = (counts == 0) & (zero > share) & (reason != Reason.TOO_LITTLE_INFORMATION)
    return pd.DataFrame(
        {
            "complaint_top_probability": top.probability,
            "complaint_quadrature_error": top.quadrature_error,
            "complaint_reliability": shrinkage.reliability,
            "complaint_zero_probability": zero,
            "complaint_evidence": np.where(lucky, Evidence.UNDECIDED, evidence),
            "complaint_evidence_reason": np.where(lucky, Reason.ZERO_BY_LUCK, reason),
        }
    )


def criterion_evidence(satisfaction: pd.DataFrame, complaints: pd.DataFrame) -> pd.DataFrame:
    """Combine the evidence of both routes on the criterion, which either route meets.

    Parameters
    ----------
    satisfaction, complaints : DataFrame
        From `satisfaction_evidence` and `complaint_evidence`, with the same index; a community that a route does not
        assess has a missing probability there.

    Returns
    -------
    DataFrame
        With the same index, columns `criterion_lower_probability`, `criterion_upper_probability` (0 to 1),
        `criterion_evidence` (Evidence) and `criterion_evidence_reason` (Reason, or empty).

    Raises
    ------
    ValueError
        If the indexes differ, or a probability lies outside [0, 1].

    Notes
    -----
    max(P_A, P_B) ≤ P ≤ min(1, P_A + P_B) whatever the dependence of the routes. A route without probability, or whose
    communities nothing tells apart, has bounds 0 and 1 instead of P and P; one without complaints by luck 0 and P.

    To meet one route is enough: `certain` and `likely` are the band of the lower bound, whatever the upper one is;
    `unlikely` and `no` are the band of the upper bound. Otherwise the evidence is undecided, because both bounds are
    (“probability”), because a route has bounds and no probability (its own reason), or because the routes leave it open
    together (“routes_disagree”).

    Examples
    --------
    >>> columns = ["top_probability", "evidence_reason"]
    >>> satisfaction = pd.DataFrame([[0.97, ""], [0.02, ""], [0.93, ""], [0.15, ""]], columns=columns)
    >>> complaints = pd.DataFrame([[None, "not_assessed"], [0.01, ""], [0.1, ""], [0.15, ""]], columns=columns)
    >>> frame = criterion_evidence(satisfaction.add_prefix("satisfaction_"), complaints.add_prefix("complaint_"))
    >>> frame["criterion_evidence"].map(str).tolist()
    ['certain', 'no', 'likely', 'undecided']
    """
    if not satisfaction.index.equals(complaints.index):
        raise ValueError("satisfaction and complaints must have the same index")
    bounds = [_route_bounds(satisfaction, "satisfaction"), _route_bounds(complaints, "complaint")]
    lower = np.max([route.lower for route in bounds], axis=0)
    upper = np.minimum(np.sum([route.upper for route in bounds], axis=0), 1)
    from_lower, from_upper = _band_numbers(lower), _band_numbers(upper)
    result = np.where(from_lower < _UNDECIDED, from_lower, np.maximum(from_upper, _UNDECIDED))
    reason = np.full(lower.size, _NO_REASON, dtype=object)
    reason[result == _UNDECIDED] = Reason.ROUTES_DISAGREE
    # The last one stands: of several reasons that which says most about the lack of data.
    for cause in (Reason.ZERO_BY_LUCK, *reversed(_UNKNOWN)):
        for route in bounds:
            reason[(result == _UNDECIDED) & (route.cause == cause)] = cause
    reason[(from_lower == _UNDECIDED) & (from_upper == _UNDECIDED)] = Reason.PROBABILITY
    return pd.DataFrame(
        {
            "criterion_lower_probability": lower,
            "criterion_upper_probability": upper,
            "criterion_evidence": _BANDS[result],
            "criterion_evidence_reason": reason,
        },
        index=satisfaction.index,
    )


def list_with_controlled_fdr(
    probability: npt.ArrayLike, *, region: npt.ArrayLike, false_discovery_rate: float
) -> BooleanArray:
    """Return the largest list in each region whose Bayesian false discovery rate is at most a given share.

    Parameters
    ----------
    probability : array_like
        P(top k) of each community.
    region : array_like
        Label of each community's region.
    false_discovery_rate : float
        q in [0, 1).

    Returns
    -------
    ndarray of bool
        True for the communities on the list, which may be empty. Communities with equal P are listed together or not at
        all.

    Raises
    ------
    ValueError
        If a value is missing or out of range, or a column has another length.

    Notes
    -----
    In order of P, the longest list with mean(1 − P) ≤ q: the Bayesian false discovery rate.

    References
    ----------
    Newton MA, Noueiry A, Sarkar D, Ahlquist P (2004), Detecting differential gene expression, Biostatistics 5, 155–176.

    Examples
    --------
    >>> list_with_controlled_fdr([0.99, 0.9, 0.6, 0.6, 0.1], region=[1] * 5, false_discovery_rate=0.1)
    array([ True,  True, False, False, False])
    """
    chance = finite_numbers("probability", probability, lowest=0, highest=1)
    if not 0 <= false_discovery_rate < 1:
        raise ValueError(f"false_discovery_rate must lie in [0, 1), got {false_discovery_rate}")
    codes = row_codes("region", region, rows=chance.size)[1]
    order = np.lexsort((-chance, codes))
    listed = np.zeros(chance.size, dtype=bool)
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    for rows in np.split(order, starts[1:]) if chance.size else []:
        ranked = chance[rows]
        length = np.arange(1, rows.size + 1)
        # Equal probabilities stay together: a list can only end after the last of them.
        ends = np.append(ranked[1:] != ranked[:-1], True)
        within = ends & (np.cumsum(1 - ranked) <= false_discovery_rate * length * (1 + 1e-12))
        listed[rows[: int(length[within].max(initial=0))]] = True
    return listed


def expected_true_members(probability: npt.ArrayLike, listed: npt.ArrayLike, *, region: npt.ArrayLike) -> pd.DataFrame:
    """Return the expected number of truly top communities on each region's list, with its standard deviation.

    Parameters
    ----------
    probability : array_like
        P(top k) of each community.
    listed : array_like of bool
        Communities on the list, for example the official one.
    region : array_like
        Label of each community's region.

    Returns
    -------
    DataFrame
        Indexed by region, columns `listed` (their number), `expected` (ΣP over the list) and `standard_deviation` of
        the number, √ΣP(1 − P). A region with an empty list has zeros.

    Raises
    ------
    ValueError
        If a probability is missing or outside [0, 1], or a column has another length.

    Notes
    -----
    The standard deviation assumes independent communities. They compete for k places, so it is rather too large.

    Examples
    --------
    >>> frame = expected_true_members([0.9, 0.6, 0.5], [True, True, False], region=["wuda"] * 3)
    >>> frame.loc["wuda"].round(3).to_dict()
    {'listed': 2.0, 'expected': 1.5, 'standard_deviation': 0.574}
    """
    chance = finite_numbers("probability", probability, lowest=0, highest=1)
    member = np.asarray(listed, dtype=bool)
    if member.shape != chance.shape:
        raise ValueError(f"probability and listed must be columns of one length, got {chance.shape}, {member.shape}")
    labels, codes = row_codes("region", region, rows=chance.size)
    counted = np.where(member, chance, 0.0)
    return pd.DataFrame(
        {
            "listed": np.bincount(codes[member], minlength=labels.size),
            "expected": np.bincount(codes, counted, minlength=labels.size),
            "standard_deviation": np.sqrt(np.bincount(codes, counted * (1 - counted), minlength=labels.size)),
        },
        index=pd.Index(labels, name="region"),
    )


def overall_reliability(mean: npt.ArrayLike, variance: npt.ArrayLike, *, region: npt.ArrayLike) -> pd.Series:
    """Return the overall reliability of each region: the share of the variance of true scores that the survey explains.

    Parameters
    ----------
    mean, variance : array_like
        Posterior mean and variance of each community's true score.
    region : array_like
        Label of each community's region.

    Returns
    -------
    Series
        Indexed by region, in [0, 1]: variance of the posterior means ÷ (that + mean posterior variance); missing in a
        region of one community and where nothing varies.

    Raises
    ------
    ValueError
        If a value is missing, a variance negative, or a column has another length.

    Examples
    --------
    >>> overall_reliability([0.7, 0.8, 0.9], [0.005] * 3, region=["wuda"] * 3).round(3).to_dict()
    {'wuda': 0.571}
    """
    centre = finite_numbers("mean", mean)
    spread = finite_numbers("variance", variance, lowest=0)
    labels, codes = row_codes("region", region, rows=centre.size)
    count = np.bincount(codes, minlength=labels.size)
    middle = np.bincount(codes, centre, minlength=labels.size) / count
    seen = np.bincount(codes, (centre - middle[codes]) ** 2, minlength=labels.size) / count
    unseen = np.bincount(codes, spread, minlength=labels.size) / count
    known = (count > 1) & (seen + unseen > 0)
    share = np.where(known, seen / np.where(known, seen + unseen, 1), np.nan)
    return pd.Series(share, index=pd.Index(labels, name="region"), name="reliability")


def _judge(probability: FloatArray, region: npt.ArrayLike) -> tuple[TextArray, TextArray]:
    """Return the word of each probability and the reason for it, if it is undecided."""
    band = _band_numbers(probability)
    reason = np.where(band == _UNDECIDED, Reason.PROBABILITY, _NO_REASON).astype(object)
    codes = row_codes("region", region, rows=probability.size)[1]
    by_region = pd.Series(probability).groupby(codes)
    alike = (by_region.transform("max") - by_region.transform("min")).to_numpy() <= _SAME
    alike &= (probability > _SAME) & (probability < 1 - _SAME)
    reason[alike] = Reason.TOO_LITTLE_INFORMATION
    return _BANDS[np.where(alike, _UNDECIDED, band)], reason


@dataclass(frozen=True)
class _Bounds:
    """Bounds of the probability of a route, and the reason where they are apart."""

    lower: FloatArray
    upper: FloatArray
    cause: TextArray


def _route_bounds(route: pd.DataFrame, prefix: str) -> _Bounds:
    chance = route[f"{prefix}_top_probability"].to_numpy(dtype=np.float64, na_value=np.nan)
    refuse((chance < 0) | (chance > 1), "a probability lies outside [0, 1]", probability=chance)
    cause = route[f"{prefix}_evidence_reason"].to_numpy(dtype=object, copy=True)
    missing = np.isnan(chance)
    cause[missing & ~np.isin(cause, _UNKNOWN)] = Reason.NOT_ASSESSED
    unknown = np.isin(cause, _UNKNOWN)
    lower = np.where(unknown | (cause == Reason.ZERO_BY_LUCK), 0, chance)
    return _Bounds(lower, np.where(unknown, 1, chance), cause)


def _band_numbers(probability: FloatArray) -> npt.NDArray[np.int64]:
    return (
        (probability < CERTAIN_FROM).astype(np.int64)
        + (probability < LIKELY_FROM)
        + (probability <= UNLIKELY_TO)
        + (probability <= NO_TO)
    )
