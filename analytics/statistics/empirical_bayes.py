"""Empirical Bayes shrinkage: posteriors of true scores and complaint rates from a community and its region.

Scores x with known sampling variances v are modelled as x ~ N(θ, v), and the true scores of a region as θ ~ N(μ, τ²).
Complaints y in e household-years are modelled as Poisson(eλ), and the rates λ of a region as gamma distributed. Each
region is estimated from its own communities alone, all regions in one call.

Every function sorts its rows into a canonical order (region, then numbers), so that reordering the communities changes
no digit of any result, and communities with equal numbers get equal results.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeVar, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.rules import Prior
from analytics.statistics.intervals import Interval, normal_quantile, tail_probability
from analytics.statistics.nonparametric_prior import (
    CELLS,
    LEAST_RATE,
    ROWS_AT_ONCE,
    BinomialLikelihood,
    GridPosterior,
    Likelihood,
    NonparametricPosteriors,
    NormalLikelihood,
    PoissonLikelihood,
    fit_nonparametric_posteriors,
)
from analytics.statistics.threads import run_in_threads
from analytics.statistics.validation import (
    BooleanArray,
    FloatArray,
    IntegerArray,
    finite_numbers,
    refuse,
    row_codes,
    whole_numbers,
)

Scalar = TypeVar("Scalar", bound=np.generic)

# In a region with fewer communities than this, τ² is too uncertain to be treated as known.
SMALL_REGION: Final = 200

# Nodes of logit B₀, B₀ = ṽ ÷ (ṽ + τ²): first over the whole range, then over the range plausible given the data.
WIDE_GRID: Final = np.linspace(-9.0, 9.0, 25)
FINE_NODES: Final = 25
# A node whose density is e⁻¹² of the highest adds less than 10⁻⁴ to any probability.
PLAUSIBLE: Final = 12.0

# Fewer communities do not show the shape of their distribution; a 5 % list needs as many to name one.
LEAST_FOR_NONPARAMETRIC: Final = 20


class NormalPosterior(NamedTuple):
    """Posterior means and variances of true scores, floats of one shape."""

    mean: FloatArray
    variance: FloatArray


@dataclass(frozen=True)
class Shrinkage:
    """Posteriors of the true scores of communities; one element per community, in the caller's order.

    Attributes
    ----------
    mean, variance : ndarray of float
        Posterior mean and variance of the true score, given all scores of the region.
    reliability : ndarray of float
        B = τ² ÷ (τ² + v) in [0, 1]: the weight of a community's own score relative to its region's mean.
    sampling_variance : ndarray of float
        v as used, including the nonresponse term, if any.
    prior_mean, prior_variance : ndarray of float
        μ and τ² of the community's region: Paule–Mandel estimates, or posterior means where integrated.
    integrated : ndarray of bool
        True where μ and τ² were integrated out instead of treated as known.
    grids : tuple of GridPosterior
        Posterior distributions under the nonparametric prior. A community in none of them has a normal posterior.
    """

    mean: FloatArray
    variance: FloatArray
    reliability: FloatArray
    sampling_variance: FloatArray
    prior_mean: FloatArray
    prior_variance: FloatArray
    integrated: BooleanArray
    grids: tuple[GridPosterior, ...]


@dataclass(frozen=True)
class ComplaintShrinkage:
    """Posteriors of the true complaint rates of communities; one element per community, in the caller's order.

    Attributes
    ----------
    mean : ndarray of float
        Posterior mean of the rate, complaints per household-year.
    shape, rate : ndarray of float
        Parameters of the gamma posterior, or of the gamma distribution with the mean and variance of a nonparametric
        one: mean shape ÷ rate, variance shape ÷ rate². Both are infinite if the rates of a region with the gamma prior
        differ no more than by chance; the rate is then known to be the mean.
    reliability : ndarray of float
        B = E ÷ (E + a/λ̄) in [0, 1]: the weight of a community's own rate.
    prior_mean, prior_shape : ndarray of float
        λ̄ and a of the community's region; a is infinite without excess variation.
    grids : tuple of GridPosterior
        Distributions of the *negated* rate, so that the best is the highest, as `top_probability` expects.
    """

    mean: FloatArray
    shape: FloatArray
    rate: FloatArray
    reliability: FloatArray
    prior_mean: FloatArray
    prior_shape: FloatArray
    grids: tuple[GridPosterior, ...]


def paule_mandel(estimates: npt.ArrayLike, variances: npt.ArrayLike) -> float:
    """Return the Paule–Mandel estimate of τ², the variance of true scores behind estimates with known variances.

    Parameters
    ----------
    estimates : array_like
        Scores of the communities of one region, one dimension, at least one.
    variances : array_like
        Their sampling variances v, at least 0, of the same length.

    Returns
    -------
    float
        τ² ≥ 0, in squared units of the scores; 0 if the scores differ no more than their sampling variances explain, if
        all are equal or if there is only one.

    Raises
    ------
    ValueError
        If a value is missing, a variance negative, the columns differ in length or are empty.

    Notes
    -----
    The root of Σ(x − x̄)²/(v + τ²) = N − 1, x̄ the mean with weights 1/(v + τ²). The left side is decreasing and convex
    in τ², so that Newton's method from 0 increases to the root.

    References
    ----------
    Paule RC, Mandel J (1982), Consensus values and weighting factors, J. Res. Natl. Bur. Stand. 87, 377–385.
    DerSimonian R, Kacker R (2007), Random-effects model for meta-analysis, Contemp. Clin. Trials 28, 105–114.

    Examples
    --------
    >>> round(paule_mandel([0.70, 0.80, 0.80, 0.95], [0.002, 0.002, 0.002, 0.002]), 6)
    0.008625
    >>> paule_mandel([0.80, 0.80, 0.81], [0.002, 0.002, 0.002])
    0.0
    """
    scores, sampling = _scores_with_variances(estimates, variances)
    if scores.size == 0:
        raise ValueError("paule_mandel needs at least one estimate")
    regions = _Regions(np.zeros(scores.size, dtype=np.int64), sampling, scores)
    return float(_paule_mandel(regions, regions.sorted(scores), regions.sorted(sampling))[0])


def normal_posterior(
    estimates: npt.ArrayLike, variances: npt.ArrayLike, *, prior_mean: npt.ArrayLike, prior_variance: npt.ArrayLike
) -> NormalPosterior:
    """Return posterior mean and variance of true scores under a known normal prior.

    Parameters
    ----------
    estimates, variances : array_like
        Scores x and their sampling variances v ≥ 0.
    prior_mean, prior_variance : array_like
        μ and τ² ≥ 0, single values or one for each community.

    Returns
    -------
    NormalPosterior
        Of the broadcast shape.

    Raises
    ------
    ValueError
        If a value is missing or a variance negative.

    Notes
    -----
    B = τ²/(τ² + v); mean Bx + (1 − B)μ, variance Bv. A score without sampling variance is kept as it is (B = 1).

    Examples
    --------
    >>> normal_posterior([0.9, 0.9], [0.01, 0.0], prior_mean=0.8, prior_variance=0.01)
    NormalPosterior(mean=array([0.85, 0.9 ]), variance=array([0.005, 0.   ]))
    """
    scores, sampling, centre, spread = np.broadcast_arrays(
        finite_numbers("estimates", estimates),
        finite_numbers("variances", variances, lowest=0),
        finite_numbers("prior_mean", prior_mean),
        finite_numbers("prior_variance", prior_variance, lowest=0),
    )
    own = reliability(sampling, prior_variance=spread)
    return NormalPosterior(own * scores + (1 - own) * centre, own * sampling)


def reliability(variances: npt.ArrayLike, *, prior_variance: npt.ArrayLike) -> FloatArray:
    """Return the reliability B, the share of the variance of scores that is due to true differences.

    Parameters
    ----------
    variances : array_like
        Sampling variances v ≥ 0.
    prior_variance : array_like
        τ² ≥ 0.

    Returns
    -------
    ndarray of float
        τ²/(τ² + v) in [0, 1]; 1 where v = 0, since there is then no sampling error.

    Examples
    --------
    >>> reliability([0.01, 0.03, 0.0], prior_variance=0.01)
    array([0.5 , 0.25, 1.  ])
    """
    sampling = np.asarray(variances, dtype=np.float64)
    spread = np.asarray(prior_variance, dtype=np.float64)
    total = sampling + spread
    return np.where(sampling > 0, spread / np.where(total > 0, total, 1.0), 1.0)


def shrink_scores(
    estimates: npt.ArrayLike, variances: npt.ArrayLike, *, region: npt.ArrayLike, prior: Prior
) -> Shrinkage:
    """Shrink mean scores: return posterior means and variances of the true scores, each region with its own prior.

    Parameters
    ----------
    estimates : array_like
        Scores x, one for each community.
    variances : array_like
        Sampling variances v ≥ 0: pooled within the region, since a community's own s² makes the top over-confident.
    region : array_like
        Label of each community's region.
    prior : {"normal", "nonparametric"}
        The nonparametric prior is estimated in regions of at least `LEAST_FOR_NONPARAMETRIC` communities; smaller ones,
        and communities whose standard error is smaller than a grid cell, keep the normal one.

    Returns
    -------
    Shrinkage
        Empty for empty columns.

    Raises
    ------
    ValueError
        If a value is missing, a variance negative, or a column has another length.

    Notes
    -----
    Regions of at least `SMALL_REGION` communities with τ̂² > 0 treat Paule–Mandel's τ̂² and the weighted mean as known.
    The others integrate over both: μ with a flat prior, in closed form, and τ² with the uniform shrinkage prior, under
    which B₀ = ṽ/(ṽ + τ²) is uniform on (0, 1), ṽ the harmonic mean of the positive v. It is proper, independent of
    units and neither rules out τ² = 0 nor favours it. The integral is a trapezoidal sum over logit B₀ on a fixed rule:
    25 nodes from −9 to 9 find where the density is within e⁻¹² of its maximum, and 25 nodes over that range make the
    sum. A region of one community keeps its own score and variance, whatever τ² is.

    The nonparametric prior is a mixture of the normal one and of narrow normal components, equally spaced over the
    range of the scores and as wide as their spacing: h = (200/N)^⅕ of the lower decile of √v (for rates both on the
    scale of arcsin √θ). The mixture weights have a Dirichlet prior worth ten communities, half of them in the normal
    component. The posterior of community i is f_i(θ) ∝ L_i(θ) E[g(θ) | the others], which is exact; the expectation is
    that of the collapsed variational method: r_ia ∝ L_ia (α_a + Σ_{j≠i} r_ja) for the probability that i is of
    component a, iterated five times from r = 0. Since no community's own answers are in the prior it is shrunk towards,
    the intervals of extreme scores are not too narrow. The mixture is estimated from at most `FITTED_COMMUNITIES`,
    evenly spaced in the order of scores, which then represent all; their number is the N of h.

    References
    ----------
    Daniels MJ (1999), A prior for the variance in hierarchical models, Can. J. Stat. 27, 567–578.
    Morris CN (1983), Parametric empirical Bayes inference, J. Am. Stat. Assoc. 78, 47–55.
    Kiefer J, Wolfowitz J (1956), Consistency of the maximum likelihood estimator, Ann. Math. Stat. 27, 887–906.
    Escobar MD, West M (1995), Bayesian density estimation and inference using mixtures, J. Am. Stat. Assoc. 90,
    577–588.
    Asuncion A, Welling M, Smyth P, Teh YW (2009), On smoothing and inference for topic models, Proc. 25th Conf.
    Uncertainty in Artificial Intelligence, 27–34.

    Examples
    --------
    >>> result = shrink_scores([0.7, 0.8, 0.8, 0.95], [0.002] * 4, region=["wuda"] * 4, prior="normal")
    >>> result.mean.round(4), result.reliability.round(3)
    (array([0.7346, 0.8038, 0.8038, 0.9077]), array([0.692, 0.692, 0.692, 0.692]))
    """
    scores, sampling = _scores_with_variances(estimates, variances)
    regions = _Regions(row_codes("region", region, rows=scores.size)[1], sampling, scores)
    scores, sampling = regions.sorted(scores), regions.sorted(sampling)
    return _shrink(regions, scores, sampling, NormalLikelihood(scores, sampling), prior)


def shrink_rates(
    satisfied: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    region: npt.ArrayLike,
    prior: Prior,
    sampling_fraction: npt.ArrayLike = 0.0,
    nonresponse_spread: npt.ArrayLike = 0.0,
    design_effect: npt.ArrayLike = 1.0,
) -> Shrinkage:
    """Shrink satisfaction rates: return posterior means and variances of the true rates from counts, in two passes.

    Parameters
    ----------
    satisfied, n : array_like
        Satisfied among `n` valid answers, one pair for each community, n ≥ 1.
    region : array_like
        Label of each community's region.
    prior : {"normal", "nonparametric"}
        As in `shrink_scores`.
    sampling_fraction : array_like
        f in [0, 1]: responding households ÷ households; 0 if households can answer more than once.
    nonresponse_spread : array_like
        ω ≥ 0: standard deviation of the difference between respondents and non-respondents. An assumption.
    design_effect : array_like
        D ≥ 1, from `analytics.statistics.design_effects`: several answers of one household are worth fewer.

    Returns
    -------
    Shrinkage
        Means lie between the smallest and the largest rate of the region.

    Raises
    ------
    ValueError
        If a value is missing, n < 1, satisfied > n, f outside [0, 1], ω negative, or D below 1.

    Notes
    -----
    First pass: v = D s²_pool/n · (1 − f) with s²_pool = Σ n p(1 − p) ÷ Σ(n − D) over the region, under the plug-in
    prior. Second pass: v = D m(1 − m)/n · (1 − f), m the first mean clipped to [.01, .99], with the prior of
    `shrink_scores`. Both add ω²(1 − f)². In a region where all have n = 1 the pooled variance is that of the region's
    rate, p̄(1 − p̄). Under the nonparametric prior the second pass treats the answers as n* = m(1 − m)/v independent
    ones, a binomial likelihood with fractional n*, so that the posterior of a community near 1 has the right skewness.

    Examples
    --------
    >>> result = shrink_rates([28, 30, 21, 24, 24], [30] * 5, region=[1] * 5, prior="normal")
    >>> result.mean.round(3)
    array([0.915, 0.975, 0.781, 0.83 , 0.83 ])
    """
    positive, answers = np.broadcast_arrays(
        finite_numbers("satisfied", satisfied, lowest=0), whole_numbers("n", n, lowest=1)
    )
    if answers.ndim != 1:
        raise ValueError(f"satisfied and n must be columns, got shape {answers.shape}")
    refuse(positive > answers, "satisfied exceeds n", satisfied=positive, n=answers)
    fraction = finite_numbers("sampling_fraction", sampling_fraction, lowest=0, highest=1)
    missing = np.broadcast_to(1 - fraction, answers.shape)
    spread = np.broadcast_to(finite_numbers("nonresponse_spread", nonresponse_spread, lowest=0), answers.shape)
    effect = np.broadcast_to(finite_numbers("design_effect", design_effect, lowest=1), answers.shape)
    rate = positive / answers
    regions = _Regions(row_codes("region", region, rows=answers.size)[1], effect, missing, answers, rate, spread)
    answers, rate, missing = regions.sorted(answers), regions.sorted(rate), regions.sorted(missing)
    effect = regions.sorted(effect)
    unheard = (regions.sorted(spread) * missing) ** 2

    freedom = regions.sums(answers - effect)
    overall = regions.sums(answers * rate) / regions.sums(answers)
    within = regions.sums(answers * rate * (1 - rate)) / np.where(freedom > 0, freedom, 1)
    pooled = np.where(freedom > 0, within, overall * (1 - overall))
    sampling = regions.spread(pooled) * effect / answers * missing + unheard
    tau2 = _paule_mandel(regions, rate, sampling)
    first = normal_posterior(
        rate,
        sampling,
        prior_mean=regions.spread(_weighted_mean(regions, rate, sampling, tau2)),
        prior_variance=regions.spread(tau2),
    ).mean
    likely = np.clip(first, LEAST_RATE, 1 - LEAST_RATE)
    single = likely * (1 - likely)
    sampling = single * effect / answers * missing + unheard
    return _shrink(regions, rate, sampling, BinomialLikelihood(rate, sampling / single), prior)


def credible_interval(shrinkage: Shrinkage, *, level: float) -> Interval:
    """Return the credible interval of each community's true score.

    Parameters
    ----------
    shrinkage : Shrinkage
        From `shrink_scores` or `shrink_rates`.
    level : float
        In (0, 1), for example 0.95; each tail holds (1 − level)/2.

    Returns
    -------
    Interval
        Lower and upper limits; both equal the score where V = 0.

    Raises
    ------
    ValueError
        If the level is not in (0, 1).

    Notes
    -----
    m ± z√V for a normal posterior, quantiles of the grid posterior otherwise.

    Examples
    --------
    >>> result = shrink_scores([0.7, 0.8, 0.8, 0.95], [0.002] * 4, region=["wuda"] * 4, prior="normal")
    >>> lower, upper = credible_interval(result, level=0.95)
    >>> lower.round(3), upper.round(3)
    (array([0.648, 0.727, 0.727, 0.816]), array([0.822, 0.881, 0.881, 0.999]))
    """
    tail = tail_probability(level)
    reach = normal_quantile(level) * np.sqrt(shrinkage.variance)
    lower, upper = shrinkage.mean - reach, shrinkage.mean + reach
    for grid in shrinkage.grids:
        lower[grid.rows], upper[grid.rows] = _quantile(grid, tail), _quantile(grid, 1 - tail)
    return Interval(lower, upper)


def _quantile(grid: GridPosterior, probability: float) -> FloatArray:
    cell = np.clip((grid.cumulative < probability).sum(axis=1) - 1, 0, grid.edges.size - 2)
    rows = np.arange(grid.rows.size)
    below = grid.cumulative[rows, cell].astype(np.float64)
    part = (probability - below) / (grid.cumulative[rows, cell + 1] - below)
    return np.asarray(grid.edges[cell] + part * (grid.edges[cell + 1] - grid.edges[cell]))


def shrink_complaint_rates(
    cases: npt.ArrayLike,
    household_years: npt.ArrayLike,
    *,
    region: npt.ArrayLike,
    prior: Prior,
    dispersion: float = 1.0,
) -> ComplaintShrinkage:
    """Shrink complaint rates: return posteriors of the true rates, each region with its own prior.

    Parameters
    ----------
    cases : array_like
        Valid complaints y of each community, whole numbers.
    household_years : array_like
        Exposure E > 0: households times years of observation.
    region : array_like
        Label of each community's region.
    prior : {"normal", "nonparametric"}
        "normal" is the gamma prior. The nonparametric one is estimated in regions with at least
        `LEAST_FOR_NONPARAMETRIC` communities and one complaint; the others keep the gamma prior.
    dispersion : float
        φ ≥ 1, variance ÷ mean of the counts, from `analytics.statistics.repeat_complaints.repeat_dispersion`.

    Returns
    -------
    ComplaintShrinkage
        Empty for empty columns. In a region without complaints all rates are 0.

    Raises
    ------
    ValueError
        If a value is missing, y negative or fractional, E not above 0, φ below 1, or a column has another length.

    Notes
    -----
    Counts that vary φ times as much as Poisson counts are worth y/φ cases in E/φ household-years, which stand below for
    y and E. y ~ Poisson(Eλ), λ ~ gamma with mean λ̄ and shape a. λ̄ = Σy/ΣE, and a = λ̄²/τ² with the excess variance
    τ² = (ΣE(y/E − λ̄)² − (N − 1)λ̄) ÷ (ΣE − ΣE²/ΣE), by moments. Posterior: gamma with shape a + y and rate a/λ̄ + E.
    The distributions are stored at edges equally spaced in √λ, which stabilises the variance of Poisson counts.

    The nonparametric prior is that of `shrink_rates` with Poisson counts: a mixture of one wide component with λ̄ and
    τ² and of narrow components in √λ. Reliability and the prior's moments remain those of the gamma prior.

    References
    ----------
    Clayton D, Kaldor J (1987), Empirical Bayes estimates of age-standardized relative risks, Biometrics 43, 671–681.
    Böhning D (2000), Computer-assisted analysis of mixtures and applications, ch. 5, for the moment estimate.

    Examples
    --------
    >>> result = shrink_complaint_rates([0, 12, 4, 4], [100] * 4, region=["wuda"] * 4, prior="normal")
    >>> result.mean.round(4), result.reliability.round(3)
    (array([0.0099, 0.1062, 0.042 , 0.042 ]), array([0.803, 0.803, 0.803, 0.803]))
    """
    counts, exposure = np.broadcast_arrays(
        whole_numbers("cases", cases), finite_numbers("household_years", household_years, lowest=0)
    )
    if counts.ndim != 1:
        raise ValueError(f"cases and household_years must be columns, got shape {counts.shape}")
    refuse(exposure == 0, "household_years is 0", household_years=exposure)
    if not 1 <= dispersion < np.inf:
        raise ValueError(f"dispersion must be at least 1, got {dispersion}")
    counts, exposure = counts / dispersion, exposure / dispersion
    regions = _Regions(row_codes("region", region, rows=counts.size)[1], exposure, counts)
    counts, exposure = regions.sorted(counts), regions.sorted(exposure)
    average, excess = _rate_moments(regions, counts, exposure)
    varied = excess > 0
    prior_shape = regions.spread(np.where(varied, average**2 / np.where(varied, excess, 1), np.inf))
    prior_mean = regions.spread(average)
    prior_rate = np.where(prior_mean > 0, prior_shape, np.inf) / np.where(prior_mean > 0, prior_mean, 1)
    shape, rate = prior_shape + counts, prior_rate + exposure
    own_weight = exposure / rate
    known = np.isinf(shape)
    mean = np.where(known, prior_mean, np.where(known, 1, shape) / np.where(known, 1, rate))
    grids: list[GridPosterior] = []
    by_gamma = np.isfinite(shape)
    if prior == "nonparametric":
        learned = _learn(
            regions,
            PoissonLikelihood(counts, exposure),
            learnable=(regions.sizes >= LEAST_FOR_NONPARAMETRIC) & (average > 0),
            prior_mean=average,
            prior_variance=np.where(varied, excess, 0.0),
        )
        own = learned.rows
        mean[own], rate[own] = learned.mean, learned.mean / learned.variance
        shape[own] = mean[own] * rate[own]
        by_gamma[own] = False
        grids += [_negated(grid) for grid in learned.grids]
    for start, size in zip(regions.starts, regions.sizes, strict=True):
        left = start + np.flatnonzero(by_gamma[start : start + size])
        if left.size:
            grids.append(_negated_gamma(regions.order[left], shape[left], rate[left]))
    return ComplaintShrinkage(
        mean=regions.restored(mean),
        shape=regions.restored(shape),
        rate=regions.restored(rate),
        reliability=regions.restored(own_weight),
        prior_mean=regions.restored(prior_mean),
        prior_shape=regions.restored(prior_shape),
        grids=tuple(grids),
    )


def _rate_moments(regions: "_Regions", counts: FloatArray, exposure: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return λ̄ and the excess variance τ² of each region, by moments; the variance is 0 or less without excess."""
    total = regions.sums(exposure)
    average = regions.sums(counts) / total
    scatter = regions.sums(exposure * (counts / exposure - regions.spread(average)) ** 2)
    contrast = total - regions.sums(exposure**2) / total
    return average, (scatter - (regions.sizes - 1) * average) / np.where(regions.sizes > 1, contrast, np.inf)


def credible_rate_interval(shrinkage: ComplaintShrinkage, *, level: float) -> Interval:
    """Return the credible interval of each community's true complaint rate.

    Parameters
    ----------
    shrinkage : ComplaintShrinkage
    level : float
        In (0, 1); each tail holds (1 − level)/2.

    Returns
    -------
    Interval
        Complaints per household-year; both limits equal the mean where the gamma prior implies equal rates.

    Raises
    ------
    ValueError
        If the level is not in (0, 1).

    Examples
    --------
    >>> result = shrink_complaint_rates([0, 12, 4, 4], [100] * 4, region=["wuda"] * 4, prior="normal")
    >>> lower, upper = credible_rate_interval(result, level=0.95)
    >>> lower.round(3), upper.round(3)
    (array([0.   , 0.057, 0.014, 0.014]), array([0.033, 0.171, 0.085, 0.085]))
    """
    tail = tail_probability(level)
    lower, upper = shrinkage.mean.copy(), shrinkage.mean.copy()
    for grid in shrinkage.grids:
        lower[grid.rows], upper[grid.rows] = -_quantile(grid, 1 - tail), -_quantile(grid, tail)
    return Interval(lower, upper)


def _negated(grid: GridPosterior) -> GridPosterior:
    """Return the distributions of the negated rates, in the room of those given: there is no larger thing in memory."""
    for first in range(0, grid.rows.size, ROWS_AT_ONCE):
        part = grid.cumulative[first : first + ROWS_AT_ONCE]
        part[:] = 1 - part[:, ::-1]
    return GridPosterior(grid.rows, -grid.edges[::-1], grid.cumulative)


def _negated_gamma(rows: IntegerArray, shape: FloatArray, rate: FloatArray) -> GridPosterior:
    highest = float(special.gammainccinv(shape, 1e-12).max() / rate.min())
    rates = np.linspace(np.sqrt(highest), 0, CELLS + 1) ** 2
    cumulative = special.gammaincc(shape[:, None], rate[:, None] * rates).astype(np.float32)
    cumulative[:, 0] = 0
    return GridPosterior(rows, -rates, cumulative)


class _Regions:
    """Rows sorted into canonical order, region by region, with sums over each region."""

    def __init__(self, codes: IntegerArray, *columns: FloatArray) -> None:
        self.order = np.lexsort((*columns, codes))
        self.codes = codes[self.order]
        self.starts = np.flatnonzero(np.diff(self.codes, prepend=-1))
        self.sizes = np.diff(self.starts, append=self.codes.size)

    def sorted(self, column: npt.NDArray[np.float64]) -> FloatArray:
        return column[self.order]

    def restored(self, column: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        result = np.empty_like(column)
        result[self.order] = column
        return result

    def sums(self, column: FloatArray) -> FloatArray:
        return np.add.reduceat(column, self.starts) if self.starts.size else np.zeros(0)

    def spread(self, by_region: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        return np.repeat(by_region, self.sizes)

    def only(self, numbers: IntegerArray) -> tuple["_Regions", IntegerArray]:
        """Return some of the regions, and the positions of their rows among the sorted ones."""
        sizes = self.sizes[numbers]
        starts = np.cumsum(sizes) - sizes
        rows = np.arange(sizes.sum()) + np.repeat(self.starts[numbers] - starts, sizes)
        part = object.__new__(_Regions)
        part.order, part.codes, part.starts, part.sizes = rows, self.codes[rows], starts, sizes
        return part, rows


def _scores_with_variances(estimates: npt.ArrayLike, variances: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    scores = finite_numbers("estimates", estimates)
    sampling = finite_numbers("variances", variances, lowest=0)
    if scores.ndim != 1 or sampling.shape != scores.shape:
        raise ValueError(f"estimates and variances must be columns of one length, got {scores.shape}, {sampling.shape}")
    return scores, sampling


def _weighted_mean(regions: _Regions, scores: FloatArray, sampling: FloatArray, tau2: FloatArray) -> FloatArray:
    weight = 1 / np.maximum(sampling + regions.spread(tau2), np.finfo(np.float64).tiny)
    weight = weight / regions.spread(np.maximum.reduceat(weight, regions.starts)) if weight.size else weight
    return regions.sums(weight * scores) / regions.sums(weight)


def _paule_mandel(regions: _Regions, scores: FloatArray, sampling: FloatArray) -> FloatArray:
    """Return τ² of each region by Newton's method from just above 0, where the excess is convex and decreasing."""
    freedom = regions.sizes - 1.0
    centred = scores - regions.spread(regions.sums(scores) / regions.sizes)
    least = 1e-12 * regions.sums(centred**2)
    tau2 = np.maximum(least, np.finfo(np.float64).tiny)
    for _ in range(200):
        total = sampling + regions.spread(tau2)
        middle = regions.spread(_weighted_mean(regions, centred, sampling, tau2))
        squares = (centred - middle) ** 2 / total
        excess = regions.sums(squares) - freedom
        slope = regions.sums(squares / total)
        step = np.where(excess > 0, excess / np.where(slope > 0, slope, 1), 0.0)
        tau2 = tau2 + step
        if np.all(step <= 1e-14 * tau2):
            break
    return np.where(tau2 > np.maximum(least, np.finfo(np.float64).tiny), tau2, 0.0)


def _shrink(
    regions: _Regions,
    scores: FloatArray,
    sampling: FloatArray,
    likelihood: Likelihood,
    prior: Prior,
) -> Shrinkage:
    if prior not in get_args(Prior):
        raise ValueError(f"prior must be one of {', '.join(get_args(Prior))}, got {prior!r}")
    tau2 = _paule_mandel(regions, scores, sampling)
    prior_mean = regions.spread(_weighted_mean(regions, scores, sampling, tau2))
    prior_variance = regions.spread(tau2)
    mean, variance = normal_posterior(scores, sampling, prior_mean=prior_mean, prior_variance=prior_variance)
    own = reliability(sampling, prior_variance=prior_variance)
    uncertain = (regions.sizes < SMALL_REGION) | (tau2 == 0)
    numbers = np.flatnonzero(uncertain)

    def integrate(first: int, last: int) -> None:
        part, rows = regions.only(numbers[first:last])
        results = _integrate(part, scores[rows], sampling[rows])
        for column, values in zip((mean, variance, own, prior_mean, prior_variance), results, strict=True):
            column[rows] = values

    run_in_threads(integrate, numbers.size)
    grids: list[GridPosterior] = []
    if prior == "nonparametric":
        learned = _learn(
            regions,
            likelihood,
            learnable=regions.sizes >= LEAST_FOR_NONPARAMETRIC,
            prior_mean=prior_mean[regions.starts],
            prior_variance=prior_variance[regions.starts],
        )
        mean[learned.rows], variance[learned.rows] = learned.mean, learned.variance
        grids = learned.grids
    return Shrinkage(
        mean=regions.restored(mean),
        variance=regions.restored(variance),
        reliability=regions.restored(own),
        sampling_variance=regions.restored(sampling),
        prior_mean=regions.restored(prior_mean),
        prior_variance=regions.restored(prior_variance),
        integrated=regions.restored(regions.spread(uncertain)),
        grids=tuple(grids),
    )


def _learn(
    regions: _Regions,
    likelihood: Likelihood,
    *,
    learnable: BooleanArray,
    prior_mean: FloatArray,
    prior_variance: FloatArray,
) -> NonparametricPosteriors:
    """Return the nonparametric posteriors of the learnable regions: rows as sorted, grids in the caller's order.

    μ and τ² of the normal component are those of each region.
    """
    part, rows = regions.only(np.flatnonzero(learnable))
    learned = fit_nonparametric_posteriors(
        likelihood.only(rows),
        starts=part.starts,
        sizes=part.sizes,
        prior_mean=prior_mean[learnable],
        prior_variance=prior_variance[learnable],
    )
    grids = [replace(grid, rows=regions.order[rows[grid.rows]]) for grid in learned.grids]
    return NonparametricPosteriors(rows[learned.rows], learned.mean, learned.variance, grids)


def _integrate(
    regions: _Regions, scores: FloatArray, sampling: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return mean, variance, reliability, prior mean and prior variance, integrated over τ² and μ."""
    centre = regions.spread(regions.sums(scores) / regions.sizes)
    model = _HierarchicalModel(regions, scores - centre, sampling)
    wide = np.array([model.log_density(np.full(regions.sizes.size, place)) for place in WIDE_GRID])
    plausible = wide >= wide.max(axis=0) - PLAUSIBLE
    spacing = WIDE_GRID[1] - WIDE_GRID[0]
    lower = WIDE_GRID[plausible.argmax(axis=0)] - spacing
    upper = WIDE_GRID[::-1][plausible[::-1].argmax(axis=0)] + spacing
    places = np.linspace(lower, upper, FINE_NODES)
    log_density = np.array([model.log_density(place) for place in places])
    weights = np.exp(log_density - log_density.max(axis=0))
    weights /= weights.sum(axis=0)

    averages = np.zeros((5, scores.size))
    for place, weight in zip(places, weights, strict=True):
        averages += regions.spread(weight) * model.moments(place)
    mean, square, own, middle, tau2 = averages
    variance = np.where(sampling > 0, np.maximum(square - mean**2, 0), 0.0)
    return mean + centre, variance, own, middle + centre, tau2


class _HierarchicalModel:
    """Hierarchical model x ~ N(θ, v), θ ~ N(μ, τ²), μ flat, evaluated at one value of logit B₀ for each region."""

    def __init__(self, regions: _Regions, scores: FloatArray, sampling: FloatArray) -> None:
        self.regions, self.scores, self.sampling = regions, scores, sampling
        positive = sampling > 0
        inverse = regions.sums(1 / np.where(positive, sampling, np.inf))
        # Without sampling variance the scores are the truth whatever τ² is, so any scale will do.
        self.scale = np.where(inverse > 0, regions.sums(positive.astype(np.float64)), 1) / np.where(
            inverse > 0, inverse, 1
        )

    def log_density(self, place: FloatArray) -> FloatArray:
        """Return the log posterior density of logit B₀ given the scores, up to a constant for each region."""
        total = self.sampling + self.regions.spread(self._tau2(place))
        precision = self.regions.sums(1 / total)
        weighted = self.regions.sums(self.scores / total)
        squares = self.regions.sums(self.scores**2 / total) - weighted**2 / precision
        misfit = squares + self.regions.sums(np.log(total)) + np.log(precision)
        return -misfit / 2 + special.log_expit(place) + special.log_expit(-place)

    def moments(self, place: FloatArray) -> FloatArray:
        """Return mean, second moment and B of each θ, μ and τ²: five rows."""
        tau2 = self.regions.spread(self._tau2(place))
        precision = self.regions.sums(1 / (self.sampling + tau2))
        middle = self.regions.sums(self.scores / (self.sampling + tau2)) / precision
        centre, own = self.regions.spread(middle), reliability(self.sampling, prior_variance=tau2)
        mean = own * self.scores + (1 - own) * centre
        variance = own * self.sampling + (1 - own) ** 2 / self.regions.spread(precision)
        return np.array([mean, mean**2 + variance, own, centre, tau2])

    def _tau2(self, place: FloatArray) -> FloatArray:
        return self.scale * np.exp(-place)
