"""Design effects of answers that come several from one household: how much larger the variance of a score is."""

from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.statistics.validation import FloatArray, finite_numbers, refuse, whole_numbers

LEAST_PAIRS: Final = 100
"""Least number of pairs of answers from one household that show how alike they are."""


def household_correlation(
    satisfied: npt.ArrayLike, n: npt.ArrayLike, *, pairs: npt.ArrayLike, unlike: npt.ArrayLike
) -> float:
    """Return the intraclass correlation ρ of the answers of one household, from pairs of such answers.

    Parameters
    ----------
    satisfied, n : array_like
        Satisfied among `n` valid answers of each community, whole numbers.
    pairs : array_like
        Pairs of answers of one household: a household with m answers has m(m − 1)/2.
    unlike : array_like
        Those pairs of which one answer is satisfied and the other is not.

    Returns
    -------
    float
        In [0, 1]; NaN with fewer than `LEAST_PAIRS` pairs, or if nothing but one answer was given.

    Raises
    ------
    ValueError
        If a value is missing, negative or fractional, satisfied > n, or unlike > pairs.

    Notes
    -----
    If the answers of a household are beta-binomial, two of them are unlike with probability 2p(1 − p)(1 − ρ). So
    ρ = 1 − Σ unlike ÷ Σ pairs · 2s², over all communities together, s² = p(1 − p)·n/(n − d) with d = 1 + 2 pairs ÷ n,
    what p(1 − p) is too small if all households are of one mind. A negative ρ becomes 0.

    References
    ----------
    Ridout MS, Demétrio CGB, Firth D (1999), Estimating intraclass correlation for binary data, Biometrics 55, 137–148.

    Examples
    --------
    Of 120 pairs 12 are unlike, where 38 would be if the answers of a household had nothing in common:

    >>> round(household_correlation([320], [400], pairs=[120], unlike=[12]), 2)
    0.69
    >>> household_correlation([320], [400], pairs=[20], unlike=[2])
    nan
    """
    positive, answers, two, apart = np.broadcast_arrays(
        whole_numbers("satisfied", satisfied),
        whole_numbers("n", n),
        whole_numbers("pairs", pairs),
        whole_numbers("unlike", unlike),
    )
    refuse(positive > answers, "satisfied exceeds n", satisfied=positive, n=answers)
    refuse(apart > two, "unlike exceeds pairs", unlike=apart, pairs=two)
    some = np.maximum(answers, 1)
    spare = answers - 1 - 2 * two / some
    within = np.where(spare > 0, positive * (answers - positive) / some / np.where(spare > 0, spare, 1), 0.0)
    expected = float((two * 2 * within).sum())
    if two.sum() < LEAST_PAIRS or expected == 0:
        return float("nan")
    return float(np.clip(1 - apart.sum() / expected, 0, 1))


def design_effects(n: npt.ArrayLike, *, pairs: npt.ArrayLike, correlation: float) -> FloatArray:
    """Return the design effect of each community: the variance of its score ÷ that of as many households.

    Parameters
    ----------
    n : array_like
        Valid answers of each community, at least 0.
    pairs : array_like
        Pairs of answers of one household, at least 0; their expectation may be fractional.
    correlation : float
        ρ in [0, 1], from `household_correlation`.

    Returns
    -------
    ndarray of float
        At least 1: 1 + ρ · 2 pairs ÷ n. Without an answer 1.

    Raises
    ------
    ValueError
        If a value is missing or negative, or ρ outside [0, 1].

    Notes
    -----
    The variance of a mean of n answers in households of m_h is s²/n · (1 + ρ(Σm_h²/n − 1)), and Σm_h² = n + 2 pairs.

    References
    ----------
    Kish L (1965), Survey Sampling, section 5.4, for households of different sizes.

    Examples
    --------
    Two like answers of each household are worth one; without pairs every answer counts.

    >>> design_effects([60, 60], pairs=[30, 0], correlation=1.0)
    array([2., 1.])
    """
    answers = finite_numbers("n", n, lowest=0)
    two = finite_numbers("pairs", pairs, lowest=0)
    if not 0 <= correlation <= 1:
        raise ValueError(f"correlation must lie in [0, 1], got {correlation}")
    return np.asarray(1 + correlation * 2 * two / np.maximum(answers, 1))
