"""Two groups of answers of each community: how much they differ, over all communities and from one to the other."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.statistics.validation import FloatArray, finite_numbers, refuse, whole_numbers

LEAST_COMMUNITIES: Final = 10
"""Fewest communities whose groups are compared: one alone would be told by the comparison."""

LEAST_ANSWERS: Final = 100
"""Fewest answers in each of the groups that are compared."""

BY_CHANCE: Final = 0.05
"""How often chance alone makes each of the two findings, that groups differ and that they do so by community."""


@dataclass(frozen=True)
class GroupDifference:
    """How much the second of two groups of answers differs from the first, over communities.

    Attributes
    ----------
    communities : int
        Those with at least two answers in both groups.
    difference, error : float
        Satisfied share of the second group minus that of the first, from −1 to 1, and its standard error.
    differs : bool
        Whether the groups differ by more than chance.
    deviation : float
        Standard deviation over communities of the true difference; 0 if it is within chance.
    """

    communities: int
    difference: float
    error: float
    differs: bool
    deviation: float


@dataclass(frozen=True)
class GroupComparison:
    """Comparison of the second group with the first.

    Attributes
    ----------
    found : GroupDifference
    first, second : int
        The answers of the communities compared in each group.
    distance : float
        Root mean square of the true difference in [0, 1]; 0 where nothing exceeds chance.
    """

    found: GroupDifference
    first: int
    second: int
    distance: float


def compare_groups(
    first_satisfied: npt.ArrayLike,
    first: npt.ArrayLike,
    second_satisfied: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    design_effect: npt.ArrayLike = 1.0,
    names: tuple[str, str] = ("first", "second"),
) -> GroupComparison | None:
    """Compare the satisfied share of two groups of answers within each community.

    Parameters
    ----------
    first_satisfied, first : array_like
        Satisfied among the answers of the first group of each community, whole numbers, shape (communities,).
    second_satisfied, second : array_like
        The same of the second group.
    design_effect : array_like
        D ≥ 1: several answers of one household are worth fewer.
    names : tuple of str
        What the groups are called in errors.

    Returns
    -------
    GroupComparison or None
        None with fewer than `LEAST_COMMUNITIES` communities that have two answers in each of both groups, or with fewer
        than `LEAST_ANSWERS` answers in one of the groups.

    Raises
    ------
    ValueError
        If a value is missing, negative or fractional, satisfied > answers, or D < 1.

    Notes
    -----
    With d_c the difference in community c, n₁ and n₂ its answers, w_c = n₁n₂/(n₁ + n₂) (Mantel–Haenszel) and W = Σw:
    δ = Σwd/W. With p_g the true shares of its groups d_c has the variance s_c/w_c, s_c = (n₂p₁(1 − p₁) + n₁p₂(1 − p₂))/
    (n₁ + n₂), in which y(n − y)/(n(n − 1)) estimates p(1 − p) without bias, however far apart the groups are and
    however unequal in number (communities of one mind have 0). The error of δ is √(Σw²(d − δ)²·C/(C − 1))/W, which
    needs no model of s, and δ differs from 0 if |δ| exceeds the two-sided t quantile with C − 1 degrees of freedom.

    Q = Σw(d − δ)² has the expectation ΣDs(1 − w/W) + τ²(W − Σw²/W), so that τ² follows from Q by moments
    (DerSimonian and Kacker 2007); it is 0 unless Q exceeds what chance gives, with variance 2Σ(Ds)², one-sided. The
    distance is √(max(0, δ² − error²) + τ²), the first term only where δ differs from 0.

    References
    ----------
    DerSimonian R, Kacker R (2007), Random-effects model for meta-analysis of clinical trials: an update, Contemp.
    Clin. Trials 28, 105–114.

    Examples
    --------
    In each of twenty communities 18 of 20 are satisfied in the first group and 16 of 20 in the second:

    >>> compared = compare_groups([18] * 20, [20] * 20, [16] * 20, [20] * 20)
    >>> found = compared.found
    >>> round(found.difference, 3), found.differs, found.deviation, round(compared.distance, 3)
    (-0.1, True, 0.0, 0.1)
    >>> compare_groups([18] * 9, [20] * 9, [16] * 9, [20] * 9) is None
    True
    """
    one, other = names
    positive, number, later_positive, later, effect = np.broadcast_arrays(
        whole_numbers(f"{one}_satisfied", first_satisfied),
        whole_numbers(one, first),
        whole_numbers(f"{other}_satisfied", second_satisfied),
        whole_numbers(other, second),
        finite_numbers("design_effect", design_effect, lowest=1),
    )
    refuse(positive > number, f"{one}_satisfied exceeds {one}", satisfied=positive, answers=number)
    refuse(later_positive > later, f"{other}_satisfied exceeds {other}", satisfied=later_positive, answers=later)
    usable = (number >= 2) & (later >= 2)
    if usable.sum() < LEAST_COMMUNITIES or min(number[usable].sum(), later[usable].sum()) < LEAST_ANSWERS:
        return None
    positive, number, later_positive, later, effect = (
        column[usable] for column in (positive, number, later_positive, later, effect)
    )
    communities, both = int(usable.sum()), number + later
    weight = number * later / both
    total = float(weight.sum())
    apart = later_positive / later - positive / number
    single = effect * (later * _spread_of(positive, number) + number * _spread_of(later_positive, later)) / both
    difference = float((weight * apart).sum()) / total
    error = float(np.sqrt((weight**2 * (apart - difference) ** 2).sum() * communities / (communities - 1))) / total
    differs = abs(difference) > -special.stdtrit(communities - 1, BY_CHANCE / 2) * error
    variance = _variance_between(weight, apart - difference, single)
    shift = max(0.0, difference**2 - error**2) if differs else 0.0
    return GroupComparison(
        found=GroupDifference(communities, difference, error, bool(differs), deviation=float(np.sqrt(variance))),
        first=int(number.sum()),
        second=int(later.sum()),
        distance=min(1.0, float(np.sqrt(shift + variance))),
    )


def _spread_of(satisfied: FloatArray, answers: FloatArray) -> FloatArray:
    """Return the unbiased estimate of p(1 − p) of each community."""
    share = satisfied / answers
    return share * (1 - share) * answers / (answers - 1)


def _variance_between(weight: FloatArray, residual: FloatArray, single: FloatArray) -> float:
    """Return τ² of the differences by moments, 0 where they vary no more than chance makes them."""
    total = weight.sum()
    excess = (weight * residual**2).sum() - (single * (1 - weight / total)).sum()
    if excess <= -special.ndtri(BY_CHANCE) * np.sqrt(2 * (single**2).sum()):
        return 0.0
    return float(excess / (total - (weight**2).sum() / total))
