"""Funnel plots: control limits around a pooled rate by sample size, with overdispersion.

A funnel plot compares each community with one common rate; it ranks nobody. The pooled rate includes the community
itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from analytics.statistics.intervals import Interval, normal_quantile, poisson_exact, tail_probability
from analytics.statistics.validation import FloatArray, finite_numbers, refuse, whole_numbers

LEVELS = (0.95, 0.998)
WINSORISED_SHARE = 0.1

LimitRule = Literal["spiegelhalter", "exact_tail", "normal"]


@dataclass(frozen=True)
class Dispersion:
    """Overdispersion: how much more communities differ than chance explains.

    Attributes
    ----------
    communities : int
        N, the number with a z-score.
    phi : float
        Mean of the winsorised z²; 1 is pure chance. NaN where N = 0.
    between_variance : float
        τ², additive variance between communities on the scale of the z-scores. Biased low, because extreme communities
        are winsorised first. NaN where N < 2.
    """

    communities: int
    phi: float
    between_variance: float


@dataclass(frozen=True)
class Funnel:
    """Data of a funnel plot: target, overdispersion and one row per community.

    Attributes
    ----------
    target : float
        The rate compared with, in the unit of the table's values.
    dispersion : Dispersion
        Overdispersion of the z-scores around the target.
    table : DataFrame
        One row per community in the order given, see `proportion_funnel` and `rate_funnel`.
    """

    target: float
    dispersion: Dispersion
    table: pd.DataFrame


def binomial_limits(n: npt.ArrayLike, *, target: float, level: float, rule: LimitRule) -> Interval:
    """Return control limits of a proportion at given sample sizes.

    Parameters
    ----------
    n : array_like
        Numbers of answers, whole numbers, at least 0.
    target : float
        θ, the common proportion in [0, 1].
    level : float
        Two-sided level in (0, 1), such as 0.95 or 0.998.
    rule : {'spiegelhalter', 'exact_tail', 'normal'}
        How the limits follow from θ, see Notes.

    Returns
    -------
    Interval
        Limits in [0, 1]; NaN where n = 0. With θ = 0 or θ = 1 both limits are θ.

    Raises
    ------
    ValueError
        If n is missing, negative or fractional, or an argument is out of range.

    Notes
    -----
    * ``spiegelhalter``: (r_p − a)/n at p = α/2 and 1 − α/2, r_p the smallest count with P(R ≤ r_p) ≥ p and
      a = (P(R ≤ r_p) − p)/P(R = r_p): the published interpolation between whole counts.
    * ``exact_tail``: the same lower limit; the upper one is one count higher, (r_p + 1 − a)/n. Then a point lies beyond
      a line exactly where its exact tail probability, itself included, is below α/2. The published upper line flags
      points that are not that rare: with θ = 0.9 and n = 5, five of five lie above it.
    * ``normal``: θ ± z √(θ(1 − θ)/n), cut to [0, 1]; the English public health indicators call it Wilson's, because
      Wilson's interval of a point on the line just touches θ.

    References
    ----------
    Spiegelhalter DJ (2005), Funnel plots for comparing institutional performance, Stat Med 24, 1185–1202, appendix A.1.

    Examples
    --------
    >>> limits = binomial_limits([30, 300], target=0.8, level=0.95, rule="exact_tail")
    >>> limits.lower.round(4), limits.upper.round(4)
    (array([0.6321, 0.7521]), array([0.9523, 0.846 ]))
    """
    size = whole_numbers("n", n)
    _check_proportion(target)
    distinct, place = np.unique(size, return_inverse=True)
    if target in {0, 1}:
        limits = Interval(np.full_like(distinct, target), np.full_like(distinct, target))
    elif rule == "normal":
        limits = _normal_limits(distinct, target, target * (1 - target), level=level)
    else:
        from scipy import stats  # noqa: PLC0415  it takes a second to load

        limits = _counting_limits(stats.binom, (distinct, target), distinct, level=level, rule=rule)
    lower, upper = (np.where(distinct > 0, np.clip(limit, 0, 1), np.nan)[place] for limit in limits)
    return Interval(lower.reshape(size.shape), upper.reshape(size.shape))


def poisson_limits(exposure: npt.ArrayLike, *, target: float, level: float, rule: LimitRule) -> Interval:
    """Return control limits of a rate at given exposures.

    Parameters
    ----------
    exposure : array_like
        Exposures, at least 0, in the unit that the rate is quoted for.
    target : float
        θ, the common rate per unit of exposure, at least 0.
    level : float
        Two-sided level in (0, 1).
    rule : {'spiegelhalter', 'exact_tail', 'normal'}
        As in `binomial_limits`, with a Poisson count of mean θ × exposure; normal: θ ± z √(θ/exposure).

    Returns
    -------
    Interval
        Limits per unit of exposure, at least 0; NaN where exposure is 0, both θ where θ = 0.

    Raises
    ------
    ValueError
        If a value is missing or negative.

    References
    ----------
    Spiegelhalter DJ (2005), Stat Med 24, 1185–1202, appendix A.1.

    Examples
    --------
    >>> limits = poisson_limits([1.0, 10.0], target=3.0, level=0.95, rule="exact_tail")
    >>> limits.lower.round(3), limits.upper.round(3)
    (array([0.   , 1.923]), array([7.394, 4.172]))
    """
    size = finite_numbers("exposure", exposure, lowest=0)
    _check_rate(target)
    distinct, place = np.unique(size, return_inverse=True)
    if target == 0:
        limits = Interval(np.zeros_like(distinct), np.zeros_like(distinct))
    elif rule == "normal":
        limits = _normal_limits(distinct, target, target, level=level)
    else:
        limits = _counting_limits(_Poisson(), (distinct * target,), distinct, level=level, rule=rule)
    lower, upper = (np.where(distinct > 0, np.maximum(limit, 0), np.nan)[place] for limit in limits)
    return Interval(lower.reshape(size.shape), upper.reshape(size.shape))


def poisson_limit_points(events: npt.ArrayLike, *, target: float, level: float) -> pd.DataFrame:
    """Return the exposures at which whole numbers of events lie exactly on the control limits of a rate.

    Parameters
    ----------
    events : array_like
        Whole numbers, at least 1; one dimension.
    target : float
        θ, the common rate per unit of exposure, above 0.
    level : float
        Two-sided level in (0, 1).

    Returns
    -------
    DataFrame
        events, lower_exposure, lower, upper_exposure, upper: the exposures, and the limits events ÷ exposure. Joined
        by lines they draw the funnel as the English public health indicators do.

    Raises
    ------
    ValueError
        If events are missing, fractional or below 1, or the target is not above 0.

    Notes
    -----
    On the upper line, θ × exposure is the exact lower confidence limit of the events; on the lower line, the upper one.
    Between the points the ``exact_tail`` limits of `poisson_limits` jump around these lines; at the points themselves
    both agree on which counts are outside.

    References
    ----------
    Office for Health Improvement and Disparities, Fingertips technical guidance: public health methods.

    Examples
    --------
    >>> poisson_limit_points([1, 10], target=0.5, level=0.95).round(4)
       events  lower_exposure   lower  upper_exposure    upper
    0     1.0         11.1433  0.0897          0.0506  19.7489
    1    10.0         36.7807  0.2719          9.5908   1.0427
    """
    count = np.atleast_1d(whole_numbers("events", events, lowest=1))
    _check_rate(target)
    if target == 0:
        raise ValueError("target must be above 0: no exposure puts an event on the limits of a zero rate")
    limits = poisson_exact(count, level=level)
    below, above = limits.upper / target, limits.lower / target
    points = {"lower_exposure": below, "lower": count / below, "upper_exposure": above, "upper": count / above}
    return pd.DataFrame({"events": count} | points)


def winsorise(values: npt.ArrayLike, *, share: float) -> FloatArray:
    """Winsorise `values`: replace the extremes of each tail by the quantile that bounds them.

    Parameters
    ----------
    values : array_like
        One dimension; NaN stays NaN and is ignored.
    share : float
        Share of each tail, in [0, 0.5).

    Returns
    -------
    ndarray of float
        Values below the `share` quantile raised to it, values above the 1 − `share` quantile lowered to it.

    Raises
    ------
    ValueError
        If `share` is not in [0, 0.5).

    Notes
    -----
    Quantiles interpolate linearly between the ordered values (R's type 7). Tied extremes get the same value.

    Examples
    --------
    >>> winsorise([-9, -1, 0, 0, 1, 9], share=0.2)
    array([-1., -1.,  0.,  0.,  1.,  1.])
    """
    if not 0 <= share < 0.5:
        raise ValueError(f"share must lie in [0, 0.5), got {share}")
    numbers = np.asarray(values, dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    if known.size == 0:
        return numbers.copy()
    low, high = np.quantile(known, [share, 1 - share])
    return np.asarray(np.clip(numbers, low, high), dtype=np.float64)


def dispersion(z: npt.ArrayLike, sampling_variance: npt.ArrayLike, *, winsorised_share: float) -> Dispersion:
    """Estimate the overdispersion of z-scores: Spiegelhalter's φ and the variance τ² between communities.

    Parameters
    ----------
    z : array_like
        Naive z-scores, one dimension; NaN where nothing was observed.
    sampling_variance : array_like
        s², sampling variance of each value around the target, above 0 where z is known.
    winsorised_share : float
        Share winsorised at each tail before estimation, in [0, 0.5).

    Returns
    -------
    Dispersion
        N, φ and τ².

    Raises
    ------
    ValueError
        If lengths differ, a variance is not above 0 where z is known, or the share is out of range.

    Notes
    -----
    φ = Σz²/N on winsorised z; w = 1/s²; τ² = max(0, (Nφ − (N − 1)) ÷ (Σw − Σw²/Σw)), the method of moments. Winsorising
    prevents outliers from masking themselves, and biases φ and τ² low: without any outlier φ is about 0.68 at 10 %,
    not 1.

    References
    ----------
    Spiegelhalter DJ (2005), Handling over-dispersion of performance indicators, Qual Saf Health Care 14, 347–351.
    DerSimonian R, Laird N (1986), Control Clin Trials 7, 177–188.

    Examples
    --------
    >>> dispersion([-3, -1, 0, 1, 3], [0.01, 0.01, 0.01, 0.01, 0.01], winsorised_share=0.0)
    Dispersion(communities=5, phi=4.0, between_variance=0.04)
    """
    scores = np.asarray(z, dtype=np.float64)
    variance = np.asarray(sampling_variance, dtype=np.float64)
    if scores.ndim != 1 or variance.shape != scores.shape:
        raise ValueError(f"z and sampling_variance must be columns of one length, got {scores.shape}, {variance.shape}")
    known = ~np.isnan(scores)
    refuse(known & ~(variance > 0), "sampling_variance is not above 0", z=scores, sampling_variance=variance)
    pulled = winsorise(scores[known], share=winsorised_share)
    number = pulled.size
    phi = float(np.mean(pulled**2)) if number else np.nan
    if number < 2:
        return Dispersion(number, phi, np.nan)
    weight = 1 / variance[known]
    spread = weight.sum() - (weight**2).sum() / weight.sum()
    return Dispersion(number, phi, max(0.0, float((number * phi - (number - 1)) / spread)))


def rate_dispersion(
    events: npt.ArrayLike,
    exposure: npt.ArrayLike,
    *,
    target: float | None = None,
    winsorised_share: float = WINSORISED_SHARE,
) -> Dispersion:
    """Estimate the overdispersion of event rates on the scale of their square roots.

    Parameters
    ----------
    events : array_like
        Events counted, at least 0; one dimension.
    exposure : array_like
        Exposures above 0, in the unit that the rate is quoted for.
    target : float, optional
        θ per unit of exposure, at least 0. Without it, the pooled rate.
    winsorised_share : float
        As in `dispersion`.

    Returns
    -------
    Dispersion
        As `rate_funnel` with `transformation="square_root"` finds it.

    Raises
    ------
    ValueError
        If a value is missing or negative, an exposure is 0, lengths differ, or an argument is out of range.

    Notes
    -----
    z = 2(√O − √E) with E = θ × exposure, sampling variance 1/(4 exposure).

    References
    ----------
    Spiegelhalter DJ (2005), Handling over-dispersion of performance indicators, Qual Saf Health Care 14, 347–351.

    Examples
    --------
    >>> found = rate_dispersion([0, 12, 3, 9], [1.0, 2.0, 2.0, 2.0], target=4.0, winsorised_share=0.0)
    >>> round(found.phi, 3), round(found.between_variance, 3)
    (5.636, 0.95)
    """
    count = np.atleast_1d(finite_numbers("events", events, lowest=0))
    size = np.atleast_1d(finite_numbers("exposure", exposure, lowest=0))
    refuse(size == 0, "exposure is not above 0", exposure=size)
    theta = _pooled(count, size) if target is None else target
    _check_rate(theta)
    return dispersion(2 * (np.sqrt(count) - np.sqrt(theta * size)), 0.25 / size, winsorised_share=winsorised_share)


def widened_rate_limits(exposure: npt.ArrayLike, *, target: float, level: float, between_variance: float) -> Interval:
    """Return control limits of a rate at given exposures, widened by how much communities differ beyond chance.

    Parameters
    ----------
    exposure : array_like
        Exposures, at least 0, in the unit that the rate is quoted for.
    target : float
        θ, the common rate per unit of exposure, at least 0.
    level : float
        Two-sided level in (0, 1).
    between_variance : float
        τ² on the scale of the square root of the rate, at least 0, see `rate_dispersion`.

    Returns
    -------
    Interval
        Limits per unit of exposure, at least 0; NaN where exposure is 0.

    Raises
    ------
    ValueError
        If a value is missing or negative, or the level is out of range.

    Notes
    -----
    (√θ ± z √(1/(4 exposure) + τ²))², the lower one 0 where its root would be negative: the adjusted lines of
    `rate_funnel` with `transformation="square_root"`, at any exposure.

    References
    ----------
    Spiegelhalter DJ (2005), Handling over-dispersion of performance indicators, Qual Saf Health Care 14, 347–351.

    Examples
    --------
    >>> limits = widened_rate_limits([1.0, 10.0], target=4.0, level=0.95, between_variance=0.09)
    >>> limits.lower.round(3), limits.upper.round(3)
    (array([0.735, 1.783]), array([9.877, 7.1  ]))
    """
    size = finite_numbers("exposure", exposure, lowest=0)
    _check_rate(target)
    if not 0 <= between_variance < np.inf:
        raise ValueError(f"between_variance must be at least 0, got {between_variance}")
    half = normal_quantile(level) * np.sqrt(0.25 / np.where(size > 0, size, np.nan) + between_variance)
    root = np.sqrt(target)
    return Interval(np.maximum(root - half, 0) ** 2, (root + half) ** 2)


def proportion_funnel(
    events: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    rule: LimitRule,
    target: float | None = None,
    levels: Sequence[float] = LEVELS,
    transformation: Literal["none", "arcsine"] = "none",
    winsorised_share: float = WINSORISED_SHARE,
) -> Funnel:
    """Return the funnel plot of a proportion.

    Parameters
    ----------
    events : array_like
        Number of the n that have the property, 0 to n; one dimension. Weighted counts may be fractional.
    n : array_like
        Numbers of answers, whole numbers, at least 0.
    rule : {'spiegelhalter', 'exact_tail', 'normal'}
        Control limits, as in `binomial_limits`.
    target : float, optional
        θ in [0, 1]. Without it, the pooled proportion Σevents ÷ Σn, each community included.
    levels : sequence of float
        Two-sided levels, each in (0, 1).
    transformation : {'none', 'arcsine'}
        Scale of z and overdispersion: the proportion itself with variance θ(1 − θ)/n, or arcsin √proportion with
        variance 1/4n, which is more stable near 0 and 1.
    winsorised_share : float
        As in `dispersion`.

    Returns
    -------
    Funnel
        Its table has: events, n, proportion; z (naive); lower_tail = P(R ≤ events) and upper_tail = P(R ≥ events),
        exact under θ; for each level ``lower_95``, ``upper_95`` …; position (``below_99_8``, ``below_95``, ``inside``,
        ``above_95``, ``above_99_8``: the widest of these lines that the point lies beyond; on a line is inside);
        adjusted_z, ``adjusted_lower_95`` … and adjusted_position, the same with τ² added to the sampling variance.
        n = 0 is ``not_assessed`` with NaN.

    Raises
    ------
    ValueError
        If a value is missing or negative, events exceed n, an argument is out of range, or no community has an answer
        and no target is given.

    Notes
    -----
    z = (y − θ)/s, adjusted z = (y − θ)/√(s² + τ²). With θ = 0 or 1 the variance is 0 and z is NaN. Adjusted limits are
    θ ± z_level √(s² + τ²) on the scale of the transformation, cut to [0, 1].

    References
    ----------
    Spiegelhalter DJ (2005), Stat Med 24, 1185–1202.

    Examples
    --------
    >>> funnel = proportion_funnel([41, 25, 24, 25], [143, 187, 323, 164], rule="exact_tail")
    >>> round(funnel.target, 4), funnel.table["position"].tolist()
    (0.1408, ['above_99_8', 'inside', 'below_99_8', 'inside'])
    """
    size = np.atleast_1d(whole_numbers("n", n))
    count, size = np.broadcast_arrays(finite_numbers("events", events, lowest=0), size)
    refuse(count > size, "events exceed n", events=count, n=size)
    theta = _pooled(count, size) if target is None else target
    _check_proportion(theta)
    if transformation == "arcsine":
        scale = _Scale(lambda rate: np.arcsin(np.sqrt(rate)), _sine_squared, 0.25)
    elif transformation == "none":
        scale = _Scale(_identity, lambda rate: np.clip(rate, 0, 1), theta * (1 - theta))
    else:
        raise ValueError(f"transformation must be 'none' or 'arcsine', got {transformation!r}")
    from scipy import stats  # noqa: PLC0415  it takes a second to load

    return _build_funnel(
        {"events": count, "n": size},
        "proportion",
        size=size,
        theta=theta,
        scale=scale,
        limits={level: binomial_limits(size, target=theta, level=level, rule=rule) for level in sorted(levels)},
        tails=(stats.binom.cdf(np.floor(count), size, theta), stats.binom.sf(np.ceil(count) - 1, size, theta)),
        winsorised_share=winsorised_share,
    )


def rate_funnel(
    events: npt.ArrayLike,
    exposure: npt.ArrayLike,
    *,
    multiplier: float,
    rule: LimitRule,
    target: float | None = None,
    levels: Sequence[float] = LEVELS,
    transformation: Literal["none", "square_root"] = "none",
    winsorised_share: float = WINSORISED_SHARE,
) -> Funnel:
    """Return the funnel plot of an event rate.

    Parameters
    ----------
    events : array_like
        Events counted, at least 0; one dimension.
    exposure : array_like
        Population or household-years, at least 0.
    multiplier : float
        Units of exposure that the rate is quoted for, above 0.
    rule : {'spiegelhalter', 'exact_tail', 'normal'}
        Control limits, as in `poisson_limits`.
    target : float, optional
        θ per `multiplier`, at least 0. Without it, the pooled rate, each community included.
    levels, winsorised_share
        As in `proportion_funnel`.
    transformation : {'none', 'square_root'}
        Scale of z and overdispersion: the rate with variance θ/exposure, or its square root with variance 1/(4
        exposure), both in units of `multiplier`.

    Returns
    -------
    Funnel
        Its table has events, exposure, rate (per `multiplier`) and the columns of `proportion_funnel` from z on. τ² is
        on the scale of the transformed rate. Exposure 0 is ``not_assessed`` with NaN.

    Raises
    ------
    ValueError
        If a value is missing or negative, there are events without exposure, an argument is out of range, or no
        community has exposure and no target is given.

    Notes
    -----
    z = (O − E)/√E untransformed, 2(√O − √E) with the square root, E = θ × exposure. Where θ = 0 untransformed z is NaN.

    References
    ----------
    Spiegelhalter DJ (2005), Stat Med 24, 1185–1202.

    Examples
    --------
    >>> funnel = rate_funnel([0, 12, 3, 0], [300, 1000, 1000, 0], multiplier=1000, rule="exact_tail")
    >>> funnel.table[["rate", "z", "position"]].round(2)
       rate     z      position
    0   0.0 -1.40        inside
    1  12.0  2.15        inside
    2   3.0 -1.38        inside
    3   NaN   NaN  not_assessed
    """
    if not multiplier > 0:
        raise ValueError(f"multiplier must be above 0, got {multiplier}")
    observed = np.atleast_1d(finite_numbers("exposure", exposure, lowest=0))
    count, observed = np.broadcast_arrays(finite_numbers("events", events, lowest=0), observed)
    refuse((observed == 0) & (count > 0), "events without exposure", events=count, exposure=observed)
    size = observed / multiplier
    theta = _pooled(count, size) if target is None else target
    _check_rate(theta)
    if transformation == "square_root":
        scale = _Scale(np.sqrt, lambda root: np.maximum(root, 0) ** 2, 0.25)
    elif transformation == "none":
        scale = _Scale(_identity, lambda rate: np.maximum(rate, 0), theta)
    else:
        raise ValueError(f"transformation must be 'none' or 'square_root', got {transformation!r}")
    from scipy import stats  # noqa: PLC0415  it takes a second to load

    return _build_funnel(
        {"events": count, "exposure": observed},
        "rate",
        size=size,
        theta=theta,
        scale=scale,
        limits={level: poisson_limits(size, target=theta, level=level, rule=rule) for level in sorted(levels)},
        tails=(stats.poisson.cdf(np.floor(count), size * theta), stats.poisson.sf(np.ceil(count) - 1, size * theta)),
        winsorised_share=winsorised_share,
    )


@dataclass(frozen=True)
class _Scale:
    """A transformation, its inverse clipped to the possible range, and variance × size around the target."""

    forward: Callable[[FloatArray], FloatArray]
    back: Callable[[FloatArray], FloatArray]
    unit_variance: float


def _identity(rate: FloatArray) -> FloatArray:
    return rate


def _sine_squared(angle: FloatArray) -> FloatArray:
    return np.asarray(np.sin(np.clip(angle, 0, np.pi / 2)) ** 2, dtype=np.float64)


def _build_funnel(
    counted: Mapping[str, FloatArray],
    name: str,
    *,
    size: FloatArray,
    theta: float,
    scale: _Scale,
    limits: dict[float, Interval],
    tails: tuple[npt.ArrayLike, npt.ArrayLike],
    winsorised_share: float,
) -> Funnel:
    """Return the funnel of counted data: its columns, the value under its name, then the columns of every funnel."""
    known = size > 0
    some = np.where(known, size, np.nan)
    value = counted["events"] / some
    variance = scale.unit_variance / some
    center = float(scale.forward(np.asarray(theta)))
    distance = scale.forward(value) - center
    z = np.full_like(value, np.nan)
    np.divide(distance, np.sqrt(variance), out=z, where=variance > 0)
    spread = dispersion(z, variance, winsorised_share=winsorised_share)
    wider = np.sqrt(variance + spread.between_variance)
    adjusted_z = np.full_like(value, np.nan)
    np.divide(distance, wider, out=adjusted_z, where=wider > 0)
    adjusted = {
        level: Interval(
            scale.back(center - normal_quantile(level) * wider), scale.back(center + normal_quantile(level) * wider)
        )
        for level in limits
    }
    lower_tail, upper_tail = (np.where(known, tail, np.nan) for tail in tails)
    columns: dict[str, npt.NDArray[np.generic]] = {**counted, name: value, "z": z}
    columns |= {"lower_tail": lower_tail, "upper_tail": upper_tail}
    columns |= _line_columns(limits, "") | {"position": _positions(value, limits)}
    columns |= {"adjusted_z": adjusted_z} | _line_columns(adjusted, "adjusted_")
    columns |= {"adjusted_position": _positions(value, adjusted)}
    return Funnel(theta, spread, pd.DataFrame(columns))


def _line_columns(limits: dict[float, Interval], prefix: str) -> dict[str, npt.NDArray[np.generic]]:
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for level, interval in limits.items():
        columns[f"{prefix}lower_{_percent(level)}"] = interval.lower
        columns[f"{prefix}upper_{_percent(level)}"] = interval.upper
    return columns


def _positions(value: FloatArray, limits: dict[float, Interval]) -> npt.NDArray[np.str_]:
    """Return the outermost control limit that each value lies beyond; `limits` are ordered from narrow to wide."""
    position = np.full(value.shape, "inside", dtype="U24")
    for level, interval in limits.items():
        position[value < interval.lower] = f"below_{_percent(level)}"
        position[value > interval.upper] = f"above_{_percent(level)}"
        position[np.isnan(interval.lower) | np.isnan(value)] = "not_assessed"
    return position


def _percent(level: float) -> str:
    return f"{level * 100:.6g}".replace(".", "_")


def _pooled(count: FloatArray, size: FloatArray) -> float:
    if not size.sum() > 0:
        raise ValueError("nothing was observed: there is no pooled rate to compare with")
    return float(count.sum() / size.sum())


def _check_proportion(target: float) -> None:
    if not 0 <= target <= 1:
        raise ValueError(f"target must lie in [0, 1], got {target}")


def _check_rate(target: float) -> None:
    if not (0 <= target < np.inf):
        raise ValueError(f"target must be at least 0, got {target}")


def _normal_limits(size: FloatArray, target: float, unit_variance: float, *, level: float) -> Interval:
    half = normal_quantile(level) * np.sqrt(unit_variance / np.where(size > 0, size, np.nan))
    return Interval(target - half, target + half)


class _Counts(Protocol):
    """Distribution of a count, as those of `scipy.stats`."""

    def ppf(self, probability: float, /, *parameters: Any) -> Any: ...
    def cdf(self, count: Any, /, *parameters: Any) -> Any: ...
    def pmf(self, count: Any, /, *parameters: Any) -> Any: ...


class _Poisson:
    """The Poisson distribution to the last digit of that of `scipy.stats`, which would be loaded for one chart."""

    def ppf(self, probability: float, mean: FloatArray, /) -> Any:
        count = np.ceil(special.pdtrik(probability, mean))
        before = np.maximum(count - 1, 0)
        return np.where(special.pdtr(before, mean) >= probability, before, count)

    def cdf(self, count: FloatArray, mean: FloatArray, /) -> Any:
        return special.pdtr(count, mean)

    def pmf(self, count: FloatArray, mean: FloatArray, /) -> Any:
        return np.exp(special.xlogy(count, mean) - special.gammaln(count + 1) - mean)


def _counting_limits(
    distribution: _Counts,
    parameters: tuple[Any, ...],
    size: FloatArray,
    *,
    level: float,
    rule: LimitRule,
) -> Interval:
    """Return limits of count ÷ size, interpolated between the whole counts next to the tail probability."""
    if rule not in {"spiegelhalter", "exact_tail"}:
        raise ValueError(f"rule must be 'spiegelhalter', 'exact_tail' or 'normal', got {rule!r}")
    tail = tail_probability(level)
    divisor = np.where(size > 0, size, np.nan)
    higher = 1 if rule == "exact_tail" else 0
    lower = _interpolated_quantile(distribution, parameters, tail)
    upper = _interpolated_quantile(distribution, parameters, 1 - tail) + higher
    return Interval(lower / divisor, upper / divisor)


def _interpolated_quantile(distribution: _Counts, parameters: tuple[Any, ...], probability: float) -> FloatArray:
    count = distribution.ppf(probability, *parameters)
    excess = distribution.cdf(count, *parameters) - probability
    return np.asarray(count - excess / distribution.pmf(count, *parameters), dtype=np.float64)
