"""Waves of answers: whether the last to answer differ from the first, and what that suggests about all the others."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from analytics.statistics.validation import FloatArray, finite_numbers, refuse, whole_numbers

WAVES: Final = 3
"""Waves of equal size, in the order of answering; the middle one is compared with nothing."""

LEAST_COMMUNITIES: Final = 10
"""Fewest communities from which waves are compared: one alone would be told by the comparison."""

LEAST_ANSWERS: Final = 100
"""Fewest answers in the first and in the last wave that are compared."""

BY_CHANCE: Final = 0.05
"""How often chance alone makes each of the two findings, that waves differ and that they do so by community."""

# On a straight line over the order of answering the centres of the first and the last third lie 2/3 apart, and whoever
# answered last lies 1/2 beyond the mean of all: so the last differs from the mean by 3/4 of the difference.
_LAST_BEYOND_MEAN: Final = (1 / 2) / ((WAVES - 1) / WAVES)


@dataclass(frozen=True)
class WaveComparison:
    """Comparison of the last wave with the first, over communities.

    Attributes
    ----------
    communities : int
        Those with at least two answers in both waves.
    first, last : int
        Their answers in the first and in the last wave.
    difference, error : float
        Satisfied share of the last wave minus that of the first, from −1 to 1, and its standard error.
    differs : bool
        Whether the waves differ by more than chance.
    deviation : float
        Standard deviation over communities of the true difference; 0 if it is within chance.
    spread : float
        Suggested ω in [0, 1], as a share of the range of scores: root mean square of how much households that did not
        answer differ from those that did.
    """

    communities: int
    first: int
    last: int
    difference: float
    error: float
    differs: bool
    deviation: float
    spread: float


def compare_waves(
    first_satisfied: npt.ArrayLike,
    first: npt.ArrayLike,
    last_satisfied: npt.ArrayLike,
    last: npt.ArrayLike,
    *,
    design_effect: npt.ArrayLike = 1.0,
) -> WaveComparison | None:
    """Compare the last third of the answers of each community with the first, and extrapolate to who did not answer.

    Parameters
    ----------
    first_satisfied, first : array_like
        Satisfied among the answers of the first wave of each community, whole numbers, shape (communities,).
    last_satisfied, last : array_like
        The same of the last wave.
    design_effect : array_like
        D ≥ 1: several answers of one household, which come one soon after the other, are worth fewer.

    Returns
    -------
    WaveComparison or None
        None with fewer than `LEAST_COMMUNITIES` communities that have two answers in each of both waves, or with fewer
        than `LEAST_ANSWERS` answers in one of the waves.

    Raises
    ------
    ValueError
        If a value is missing, negative or fractional, satisfied > answers, or D < 1.

    Notes
    -----
    With d_c the difference in community c, n₁ and n₂ its answers, w_c = n₁n₂/(n₁ + n₂) (Mantel–Haenszel) and W = Σw:
    δ = Σwd/W. Were the order of its answers chance, d_c would have the variance s_c/w_c exactly, s_c =
    p(1 − p)N/(N − 1) with the share p of its N = n₁ + n₂ answers (permutation; communities of one mind have 0). The
    error of δ is √(Σw²(d − δ)²·C/(C − 1))/W, which needs no model of s, and δ differs from 0 if |δ| exceeds the
    two-sided t quantile with C − 1 degrees of freedom.

    Q = Σw(d − δ)² has the expectation ΣDs(1 − w/W) + τ²(W − Σw²/W), so that τ² follows from Q by moments
    (DerSimonian and Kacker 2007); it is 0 unless Q exceeds what chance gives, with variance 2Σ(Ds)², one-sided.

    By the continuum of resistance who did not answer is like who answered last (Armstrong and Overton 1977). On a
    straight line over the order of answers that one differs from the mean of all by ¾ of the difference of the
    outer thirds. Hence ω = ¾√(max(0, δ² − error²) + τ²), the first term only where δ differs from 0. Nobody knows
    whether the line goes on beyond the last answer, or whether it is straight: the estimate can show that an
    assumption is too small, and never that it is large enough.

    References
    ----------
    Armstrong JS, Overton TS (1977), Estimating nonresponse bias in mail surveys, J. Mark. Res. 14, 396–402.
    DerSimonian R, Kacker R (2007), Random-effects model for meta-analysis of clinical trials: an update, Contemp.
    Clin. Trials 28, 105–114.

    Examples
    --------
    In each of twenty communities 18 of the first 20 are satisfied and 16 of the last 20:

    >>> waves = compare_waves([18] * 20, [20] * 20, [16] * 20, [20] * 20)
    >>> round(waves.difference, 3), waves.differs, waves.deviation, round(waves.spread, 3)
    (-0.1, True, 0.0, 0.075)
    >>> compare_waves([18] * 9, [20] * 9, [16] * 9, [20] * 9) is None
    True
    """
    positive, number, later_positive, later, effect = np.broadcast_arrays(
        whole_numbers("first_satisfied", first_satisfied),
        whole_numbers("first", first),
        whole_numbers("last_satisfied", last_satisfied),
        whole_numbers("last", last),
        finite_numbers("design_effect", design_effect, lowest=1),
    )
    refuse(positive > number, "satisfied exceeds the answers of the first wave", satisfied=positive, answers=number)
    refuse(later_positive > later, "satisfied exceeds the answers of the last wave", satisfied=later_positive, n=later)
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
    share = (positive + later_positive) / both
    single = effect * share * (1 - share) * both / (both - 1)
    difference = float((weight * apart).sum()) / total
    error = float(np.sqrt((weight**2 * (apart - difference) ** 2).sum() * communities / (communities - 1))) / total
    differs = abs(difference) > -special.stdtrit(communities - 1, BY_CHANCE / 2) * error
    variance = _variance_between(weight, apart - difference, single)
    shift = max(0.0, difference**2 - error**2) if differs else 0.0
    return WaveComparison(
        communities=communities,
        first=int(number.sum()),
        last=int(later.sum()),
        difference=difference,
        error=error,
        differs=bool(differs),
        deviation=float(np.sqrt(variance)),
        spread=min(1.0, _LAST_BEYOND_MEAN * float(np.sqrt(shift + variance))),
    )


def _variance_between(weight: FloatArray, residual: FloatArray, single: FloatArray) -> float:
    """Return τ² of the differences by moments, 0 where they vary no more than chance makes them."""
    total = weight.sum()
    excess = (weight * residual**2).sum() - (single * (1 - weight / total)).sum()
    if excess <= -special.ndtri(BY_CHANCE) * np.sqrt(2 * (single**2).sum()):
        return 0.0
    return float(excess / (total - (weight**2).sum() / total))
