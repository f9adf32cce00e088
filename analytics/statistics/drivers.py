"""Drivers of overall satisfaction: Johnson's relative weights of the domains and importance–performance analysis.

The weights describe an **association** among answers. A large weight does not mean that improving the domain would make
residents more satisfied, and pages must not say so either.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.statistics.validation import FloatArray, finite_numbers, refuse, row_codes

FEWEST_RESPONDENTS: Final = 10
RESAMPLES: Final = 1_000
SEED: Final = 20210823
# An eigenvalue below this is rounding error: its direction has no variance.
RANK_TOLERANCE: Final = 1e-10
# Least eigenvalue to which a matrix of pairwise correlations is repaired.
LEAST_EIGENVALUE: Final = 1e-6


@dataclass(frozen=True)
class Drivers:
    """Association of the domains with overall satisfaction, as Johnson's relative weights.

    Attributes
    ----------
    domains : DataFrame
        One row per domain, in the order given: domain; n, respondents who rated it and the overall question (int64);
        mean, of all its ratings; weight, its part of R² in [0, 1]; share, weight ÷ R²; lower and upper limits of the
        weight; above_noise (bool), whether its weight exceeds that of a random predictor.
    r_squared : float
        R², to which the weights add up; NaN where it cannot be estimated.
    respondents : int
        Rows with an overall answer and at least one domain.
    communities : int
        Communities of these respondents, the units of the bootstrap.
    repaired : bool
        True if the pairwise correlations were not positive semidefinite and were repaired.
    """

    domains: pd.DataFrame
    r_squared: float
    respondents: int
    communities: int
    repaired: bool


def relative_weights(correlations: npt.ArrayLike, with_overall: npt.ArrayLike) -> FloatArray:
    """Return Johnson's relative weights from correlations.

    Parameters
    ----------
    correlations : array_like, shape (..., p, p)
        Correlation matrices of the domains, positive semidefinite.
    with_overall : array_like, shape (..., p)
        Correlations of the domains with the overall question.

    Returns
    -------
    ndarray of float, shape (..., p)
        Weights ε ≥ 0 with Σε = R², in the order of the domains.

    Raises
    ------
    ValueError
        If a correlation is missing or the shapes do not fit.

    Notes
    -----
    R = VDVᵀ. Λ = VD^½Vᵀ holds the correlations of the domains with the orthogonal variables nearest to them, β = Λ⁻¹r
    the coefficients of overall satisfaction on these; ε_j = Σ_k Λ²_jk β²_k. Collinear domains (λ below 1e-10) share
    their weight: Λ⁻¹ is the pseudoinverse. Uncorrelated domains get their squared correlations.

    References
    ----------
    Johnson JW (2000), A heuristic method for estimating the relative weight of predictor variables in multiple
    regression, Multivariate Behav. Res. 35, 1–19.

    Examples
    --------
    >>> relative_weights([[1.0, 0.0], [0.0, 1.0]], [0.6, 0.3]).round(2)
    array([0.36, 0.09])
    >>> relative_weights([[1.0, 1.0], [1.0, 1.0]], [0.6, 0.6]).round(2)
    array([0.18, 0.18])
    """
    matrix = finite_numbers("correlations", correlations)
    target = finite_numbers("with_overall", with_overall)
    if matrix.ndim < 2 or matrix.shape[:-1] != target.shape or matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(f"correlations and with_overall do not fit: {matrix.shape}, {target.shape}")
    values, vectors = np.linalg.eigh(matrix)
    root = np.sqrt(np.maximum(values, 0.0))
    inverse = np.where(values > RANK_TOLERANCE, 1 / np.where(values > RANK_TOLERANCE, root, 1.0), 0.0)
    transposed = np.swapaxes(vectors, -1, -2)
    loadings = (vectors * root[..., np.newaxis, :]) @ transposed
    coefficients = (vectors * inverse[..., np.newaxis, :]) @ (transposed @ target[..., np.newaxis])
    return np.asarray((loadings**2 @ coefficients**2)[..., 0], dtype=np.float64)


def find_drivers(
    ratings: pd.DataFrame,
    overall: npt.ArrayLike,
    *,
    community: npt.ArrayLike,
    level: float,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Drivers:
    """Return Johnson's relative weight of each domain on overall satisfaction, with bootstrap intervals.

    Parameters
    ----------
    ratings : DataFrame
        One row per respondent, one column per domain: codes or points, higher is better; missing where not rated.
    overall : array_like
        Answers to the separate overall question; missing (NaN) where not answered.
    community : array_like
        Where each respondent lives: integers or text.
    level : float
        Level of the intervals in (0, 1).
    resamples : int
        Bootstrap samples, at least 1.
    seed : int
        Seed of the random numbers: the same data and seed give the same result, whatever the order of rows.

    Returns
    -------
    Drivers
        A domain that fewer than 10 respondents rated together with the overall question, or that all of them rated
        alike, is left out of R² and has the weight NaN. All weights and R² are NaN if all overall answers are equal, or
        if there are fewer respondents than usable domains + 2, since these would explain any answers. Limits are NaN if
        there is only one community: nothing can be resampled.

    Raises
    ------
    ValueError
        If a rating or community is not usable, columns differ in length, or level or resamples are out of range.

    Notes
    -----
    Correlations are **pairwise**, over the respondents who answered both questions. Few residents rate everything
    (those who never complained cannot rate the outcome of complaints), and they differ from the others; keeping only
    complete cases would discard most answers. Pairs may contradict each other: a matrix with an eigenvalue below 1e-6
    is repaired by raising its eigenvalues to that and rescaling to a unit diagonal, and this is reported. With
    complete answers no repair is needed and the weights are Johnson's.

    The bootstrap draws communities with replacement, since neighbours answer alike; limits are percentiles. Relative
    weights are never negative, so an interval above 0 shows nothing. A domain is above noise if, after an unrelated
    standard normal predictor is added, the percentile interval of weight − weight of noise lies above 0.

    References
    ----------
    Johnson JW (2000), Multivariate Behav. Res. 35, 1–19.
    Tonidandel S, LeBreton JM, Johnson JW (2009), Determining the statistical significance of relative weights,
    Psychol. Methods 14, 387–399.

    Examples
    --------
    >>> generator = np.random.default_rng(1)
    >>> cleaning, parking = generator.integers(1, 6, (2, 400))
    >>> answers = pd.DataFrame({"cleaning": cleaning, "parking": parking, "colour": generator.integers(1, 6, 400)})
    >>> result = find_drivers(answers, 2 * cleaning + parking, community=np.arange(400) // 10, level=0.95)
    >>> result.domains[["domain", "share", "above_noise"]].round(2)
         domain  share  above_noise
    0  cleaning   0.78         True
    1   parking   0.22         True
    2    colour   0.00        False
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    mean = _means(ratings)
    points, codes = _usable_rows(ratings, overall, community)
    domains = ratings.shape[1]
    rated = ~np.isnan(points)
    n = rated[:, 1:-1][rated[:, -1]].sum(axis=0)
    varied = np.array([_varies(points[rated[:, -1], column]) for column in range(1, domains + 1)], dtype=bool)
    del rated
    usable = (n >= FEWEST_RESPONDENTS) & varied
    weight, lower, upper = np.full((3, domains), np.nan)
    above, repaired, r_squared = np.zeros(domains, dtype=bool), False, np.nan
    if usable.any() and _varies(points[:, -1]) and len(points) >= usable.sum() + 2:
        points[:, 0] = np.random.default_rng([seed, 1]).standard_normal(len(points))
        sums = _pair_sums(points if usable.all() else points[:, np.r_[True, usable, True]], codes)
        matrix, was_repaired = _repaired(_correlations(sums.sum(axis=0)[np.newaxis])[:, 1:, 1:])
        weight[usable] = _weights(matrix)[0]
        r_squared, repaired = float(weight[usable].sum()), bool(was_repaired[0])
        if len(sums) > 1:
            tails = [(1 - level) / 2, (1 + level) / 2]
            drawn, beyond = _bootstrap(sums, resamples, np.random.default_rng([seed, 2]))
            lower[usable], upper[usable] = np.nanquantile(drawn, tails, axis=0)
            above[usable] = np.nanquantile(beyond, tails[0], axis=0) > 0
    table = {"domain": list(ratings.columns), "n": n.astype(np.int64), "mean": mean, "weight": weight}
    table |= {"share": weight / r_squared if r_squared > 0 else weight, "lower": lower, "upper": upper}
    return Drivers(
        pd.DataFrame(table | {"above_noise": above}), r_squared, len(points), np.unique(codes).size, repaired
    )


def importance_performance(drivers: Drivers, *, highest: float) -> pd.DataFrame:
    """Return an importance–performance analysis: importance, mean rating and room for improvement of each domain.

    Parameters
    ----------
    drivers : Drivers
        From `find_drivers`.
    highest : float
        The best possible rating: 5 for codes, 100 for points.

    Returns
    -------
    DataFrame
        One row per domain in the order given: domain; share (importance); mean (performance); contribution, share ×
        mean; room, share × (highest − mean), the shortfall weighted by importance; place, 1 for the largest room,
        ties share the better place (Int64); field: ``mend_first`` (important, below), ``keep_up`` (important, above),
        ``watch`` (less important, below), ``leave`` (less important, above), or ``unknown``.

    Raises
    ------
    ValueError
        If a mean exceeds `highest`.

    Notes
    -----
    A domain is important if its share is at least 1 ÷ number of domains with a weight, and above if its mean is at
    least the unweighted mean of those domains: halves of this one table, not thresholds with a meaning of their own.
    Contributions add up to the mean rating weighted by importance. A domain without weight or ratings is unknown.

    References
    ----------
    Martilla JA, James JC (1977), Importance-performance analysis, J. Mark. 41, 77–79.

    Examples
    --------
    >>> rows = pd.DataFrame({"domain": ["parking", "cleaning", "trees"], "mean": [3.0, 4.5, 4.5],
    ...     "share": [0.5, 0.4, 0.1]})
    >>> importance_performance(Drivers(rows, 0.6, 900, 30, False), highest=5)[["domain", "room", "place", "field"]]
         domain  room  place       field
    0   parking  1.00      1  mend_first
    1  cleaning  0.20      2     keep_up
    2     trees  0.05      3       leave
    """
    table = drivers.domains[["domain", "share", "mean"]].copy()
    refuse(table["mean"] > highest, f"a mean exceeds {highest:g}", domain=table["domain"], mean=table["mean"])
    known = table["share"].notna() & table["mean"].notna()
    important = table["share"] >= 1 / max(known.sum(), 1)
    above = table["mean"] >= table.loc[known, "mean"].mean()
    fields = np.select(
        [~known, important & ~above, important, ~above], ["unknown", "mend_first", "keep_up", "watch"], default="leave"
    )
    room = table["share"] * (highest - table["mean"])
    place = room.rank(method="min", ascending=False).astype("Int64")
    return table.assign(contribution=table["share"] * table["mean"], room=room, place=place, field=fields)


def _usable_rows(
    ratings: pd.DataFrame, overall: npt.ArrayLike, community: npt.ArrayLike
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return the usable rows and the codes of their communities, in an order independent of that of rows and domains.

    A row has a place for noise, its domains and its overall rating: a city has so many rows that each copy counts.
    """
    points = ratings.to_numpy(dtype=np.float64, na_value=np.nan)
    target = pd.Series(np.asarray(overall, dtype=object)).astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    if target.shape != points.shape[:1]:
        raise ValueError(f"overall must hold one answer for each of {len(points)} rows, got shape {target.shape}")
    refuse(np.isinf(points).any(axis=1) | np.isinf(target), "a rating is infinite")
    codes = row_codes("community", community, rows=len(points))[1]
    says = np.flatnonzero(~np.isnan(target) & ~np.isnan(points).all(axis=1))
    by_name = np.argsort([str(name) for name in ratings.columns], kind="stable")
    # As `np.lexsort`, which would hold all keys at once.
    for key in (*(points[:, column] for column in by_name), target, codes):
        says = says[np.argsort(key[says], kind="stable")]
    usable = np.empty((says.size, ratings.shape[1] + 2), order="F")
    usable[:, 0] = 0.0
    for column, values in enumerate(points.T, start=1):
        usable[:, column] = values[says]
    usable[:, -1] = target[says]
    return usable, np.unique(codes[says], return_inverse=True)[1].astype(np.int64)


def _means(ratings: pd.DataFrame) -> FloatArray:
    means = [ratings.iloc[:, column].astype("Float64").mean() for column in range(ratings.shape[1])]
    return pd.array(means, dtype="Float64").to_numpy(dtype=np.float64, na_value=np.nan)


def _varies(values: FloatArray) -> bool:
    known = values[~np.isnan(values)]
    return known.size > 0 and bool(known.min() < known.max())


def _pair_sums(points: FloatArray, codes: npt.NDArray[np.int64]) -> FloatArray:
    """Return pairwise sums per community over the rows with both columns: n, Σx, Σx², Σxy; shape (C, 4, p, p)."""
    # One column after the other: of all at once it would make a copy.
    mean = np.array([np.nanmean(column) for column in points.T])
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    parts = []
    for own in np.split(points, starts[1:]):
        known = ~np.isnan(own)
        # Centred on the mean of the data, so that sums of squares do not cancel.
        x, m = np.where(known, own - mean, 0.0), known.astype(np.float64)
        parts.append(np.stack([m.T @ m, x.T @ m, (x * x).T @ m, x.T @ x]))
    return np.stack(parts)


def _correlations(sums: FloatArray) -> FloatArray:
    """Return pairwise correlations from sums, shape (…, p, p); 0 where a pair has no variance, 1 on the diagonal."""
    n, x, xx, xy = (sums[..., part, :, :] for part in range(4))
    size = np.maximum(n, 1)
    transposed = np.swapaxes(x, -1, -2)
    spread = np.maximum(xx - x**2 / size, 0.0)
    scale = np.sqrt(spread * np.swapaxes(spread, -1, -2))
    # The rounding error that equal values leave is no variance.
    real = scale > 1e-12 * np.maximum(xx, 1.0)
    result = np.where(real, (xy - x * transposed / size) / np.where(real, scale, 1.0), 0.0)
    diagonal = np.arange(result.shape[-1])
    result[..., diagonal, diagonal] = 1.0
    return np.clip(result, -1, 1)


def _repaired(matrices: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return the nearest positive semidefinite correlation matrices, and which of them had to be repaired."""
    values, vectors = np.linalg.eigh(matrices)
    contradicts = values[..., 0] < -RANK_TOLERANCE
    raised = (vectors * np.maximum(values, LEAST_EIGENVALUE)[..., np.newaxis, :]) @ np.swapaxes(vectors, -1, -2)
    unit = np.sqrt(np.diagonal(raised, axis1=-2, axis2=-1))
    rescaled = raised / (unit[..., :, np.newaxis] * unit[..., np.newaxis, :])
    return np.where(contradicts[..., np.newaxis, np.newaxis], rescaled, matrices), contradicts


def _weights(matrices: FloatArray) -> FloatArray:
    """Return the relative weights on the last variable of joint correlation matrices."""
    return relative_weights(matrices[..., :-1, :-1], matrices[..., :-1, -1])


def _bootstrap(sums: FloatArray, resamples: int, random: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return the domains' weights in bootstrap samples of communities, and their excess over the noise (the first)."""
    communities = len(sums)
    times = random.multinomial(communities, np.full(communities, 1 / communities), resamples).astype(np.float64)
    drawn = (times @ sums.reshape(communities, -1)).reshape(resamples, *sums.shape[1:])
    with_noise = _correlations(drawn)
    compared = _weights(_repaired(with_noise)[0])
    return _weights(_repaired(with_noise[:, 1:, 1:])[0]), compared[:, 1:] - compared[:, :1]
