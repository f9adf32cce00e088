"""Mean scores of communities and their variances, from counts alone.

A satisfaction rate is the mean of 0/1 points: Σs = Σs² = satisfied. Nothing here looks at single answers.
"""

import numpy as np
import numpy.typing as npt

from analytics.statistics.validation import FloatArray, finite_numbers, refuse, row_codes, whole_numbers

# The pooled variance counts as much as this many answers of a community's own.
POOLED_ANSWERS = 5


def mean_scores(n: npt.ArrayLike, total: npt.ArrayLike) -> FloatArray:
    """Return the mean score Σs ÷ n of each community.

    Parameters
    ----------
    n : array_like
        Valid answers, whole numbers, at least 0.
    total : array_like
        Σs, the sum of their points; for a rate, the satisfied.

    Returns
    -------
    ndarray of float
        In points; NaN where n = 0. Quotients of whole numbers below 2²⁶ keep order and ties exactly.

    Raises
    ------
    ValueError
        If a value is missing, or n is negative or fractional.

    Examples
    --------
    >>> mean_scores([10, 20, 0], [8, 16, 0])
    array([0.8, 0.8, nan])
    """
    answers, points = np.broadcast_arrays(whole_numbers("n", n), finite_numbers("total", total))
    return np.where(answers > 0, points / np.where(answers > 0, answers, 1), np.nan)


def sample_variance(n: npt.ArrayLike, total: npt.ArrayLike, total_of_squares: npt.ArrayLike) -> FloatArray:
    """Return s², the sample variance of single answers, with n − 1 in the denominator.

    Parameters
    ----------
    n : array_like
        Valid answers, whole numbers, at least 0.
    total, total_of_squares : array_like
        Σs and Σs² of their points. For a satisfaction rate both are the number of satisfied.

    Returns
    -------
    ndarray of float
        In points²; 0 when all answers are equal, NaN where n < 2.

    Raises
    ------
    ValueError
        If a value is missing, n negative or fractional, or Σs² less than (Σs)²/n allows.

    Notes
    -----
    (nΣs² − (Σs)²) ÷ n(n − 1). The numerator is exact as long as it and its parts are whole numbers below 2⁵³; otherwise
    rounding can leave it slightly below 0, which is read as 0.

    Examples
    --------
    >>> sample_variance([10, 10, 1], [8, 10, 1], [8, 10, 1]).round(6)
    array([0.177778, 0.      ,      nan])
    """
    answers, points, squares = np.broadcast_arrays(
        whole_numbers("n", n),
        finite_numbers("total", total),
        finite_numbers("total_of_squares", total_of_squares, lowest=0),
    )
    scatter = answers * squares - points * points
    impossible = scatter < -1e-9 * np.maximum(1.0, points * points)
    refuse(impossible, "total_of_squares is too small for total", n=answers, total=points, total_of_squares=squares)
    several = answers > 1
    pairs = np.where(several, answers * (answers - 1), 1)
    return np.where(several, np.maximum(scatter, 0) / pairs, np.nan)


def pooled_variance(sample_variance: npt.ArrayLike, n: npt.ArrayLike, *, region: npt.ArrayLike) -> FloatArray:
    """Return for each community the pooled within-community variance of single answers in its region.

    Parameters
    ----------
    sample_variance : array_like
        s² of each community, one dimension; ignored where n < 2.
    n : array_like
        Valid answers of each community.
    region : array_like
        The region of each community: an integer or text label, compared as it stands.

    Returns
    -------
    ndarray of float
        s²_pool = Σ(n − 1)s² ÷ Σ(n − 1) over the region, repeated for each of its communities; NaN in a region where no
        community has two answers.

    Raises
    ------
    ValueError
        If n is missing, negative or fractional, s² missing where n ≥ 2, or a column has another length.

    Examples
    --------
    >>> pooled_variance([0.25, 0.10, float("nan")], [11, 6, 1], region=["wuda", "wuda", "wuda"]).round(4)
    array([0.2, 0.2, 0.2])
    """
    answers = whole_numbers("n", n)
    variance = np.asarray(sample_variance, dtype=np.float64)
    if answers.ndim != 1 or variance.shape != answers.shape:
        raise ValueError(f"sample_variance and n must be columns of one length, got {variance.shape}, {answers.shape}")
    freedom = np.maximum(answers - 1, 0)
    refuse((freedom > 0) & ~(variance >= 0), "sample_variance is missing or negative", sample_variance=variance, n=n)
    regions, codes = row_codes("region", region, rows=answers.size)
    scatter = np.bincount(codes, np.where(freedom > 0, freedom * variance, 0.0), minlength=regions.size)
    weight = np.bincount(codes, freedom, minlength=regions.size)
    pooled = np.where(weight > 0, scatter / np.where(weight > 0, weight, 1), np.nan)
    return np.asarray(pooled[codes], dtype=np.float64)


def stabilised_variance(
    sample_variance: npt.ArrayLike, n: npt.ArrayLike, *, pooled_variance: npt.ArrayLike
) -> FloatArray:
    """Return s̃², a community's own variance stabilised by the pooled variance of its region.

    Parameters
    ----------
    sample_variance : array_like
        s²; ignored where n < 2.
    n : array_like
        Valid answers, whole numbers, at least 0.
    pooled_variance : array_like
        s²_pool of the community's region.

    Returns
    -------
    ndarray of float
        In points²; s²_pool where n ≤ 1.

    Raises
    ------
    ValueError
        If n is missing, negative or fractional, or s² is missing where n ≥ 2.

    Notes
    -----
    (5 s²_pool + (n − 1)s²) ÷ (n + 4). Ten unanimous answers have s² = 0, which would show more certainty than they
    give; the region's variance counts like five further degrees of freedom.

    Examples
    --------
    >>> stabilised_variance([0.0, float("nan")], [10, 1], pooled_variance=0.14).round(6)
    array([0.05, 0.14])
    """
    variance, answers, pooled = np.broadcast_arrays(
        np.asarray(sample_variance, dtype=np.float64),
        whole_numbers("n", n),
        np.asarray(pooled_variance, dtype=np.float64),
    )
    freedom = np.maximum(answers - 1, 0)
    refuse((freedom > 0) & ~(variance >= 0), "sample_variance is missing or negative", sample_variance=variance, n=n)
    own = np.where(freedom > 0, freedom * variance, 0.0)
    return np.asarray((POOLED_ANSWERS * pooled + own) / (freedom + POOLED_ANSWERS), dtype=np.float64)


def standard_error(
    answer_variance: npt.ArrayLike, n: npt.ArrayLike, *, sampling_fraction: npt.ArrayLike = 0.0
) -> FloatArray:
    """Return the standard error √v of a mean score.

    Parameters
    ----------
    answer_variance : array_like
        Variance of single answers: s², s²_pool or s̃², at least 0 or NaN where unknown.
    n : array_like
        Valid answers, whole numbers, at least 0.
    sampling_fraction : array_like
        f, responding households ÷ households, in [0, 1]; 0 if households can answer more than once.

    Returns
    -------
    ndarray of float
        In points; NaN where n = 0 or the variance is unknown, 0 at full coverage.

    Raises
    ------
    ValueError
        If n is missing, negative or fractional, a variance negative, or f outside [0, 1].

    Notes
    -----
    v = s²/n · (1 − f).

    References
    ----------
    Cochran WG (1977), Sampling Techniques, 3rd ed., theorem 2.2.

    Examples
    --------
    >>> standard_error([0.16, 0.16], [100, 100], sampling_fraction=[0, 0.75]).round(6)
    array([0.04, 0.02])
    """
    variance, answers, fraction = np.broadcast_arrays(
        np.asarray(answer_variance, dtype=np.float64),
        whole_numbers("n", n),
        finite_numbers("sampling_fraction", sampling_fraction, lowest=0, highest=1),
    )
    refuse(variance < 0, "answer_variance is below 0", answer_variance=variance)
    answered = answers > 0
    sampling = np.where(answered, variance / np.where(answered, answers, 1) * (1 - fraction), np.nan)
    return np.sqrt(sampling)
