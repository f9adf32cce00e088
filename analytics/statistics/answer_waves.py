"""Waves of answers: whether the last to answer differ from the first, and what that suggests about all the others."""

from dataclasses import asdict, dataclass
from typing import Final

import numpy.typing as npt

from analytics.statistics.answer_groups import GroupDifference, compare_groups

WAVES: Final = 3
"""Waves of equal size, in the order of answering; the middle one is compared with nothing."""

# On a straight line over the order of answering the centres of the first and the last third lie 2/3 apart, and whoever
# answered last lies 1/2 beyond the mean of all: so the last differs from the mean by 3/4 of the difference.
_LAST_BEYOND_MEAN: Final = (1 / 2) / ((WAVES - 1) / WAVES)


@dataclass(frozen=True)
class WaveComparison(GroupDifference):
    """Comparison of the last wave with the first: beside how they differ, what that suggests.

    Attributes
    ----------
    first, last : int
        The answers of the communities compared in the first and in the last wave.
    spread : float
        Suggested ω in [0, 1], as a share of the range of scores: root mean square of how much households that did not
        answer differ from those that did.
    """

    first: int
    last: int
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
        None with fewer than `answer_groups.LEAST_COMMUNITIES` communities that have two answers in each of both waves,
        or with fewer than `answer_groups.LEAST_ANSWERS` answers in one of the waves.

    Raises
    ------
    ValueError
        If a value is missing, negative or fractional, satisfied > answers, or D < 1.

    Notes
    -----
    The waves are compared as `analytics.statistics.answer_groups.compare_groups` says, with δ, its error and τ.
    By the continuum of resistance who did not answer is like who answered last (Armstrong and Overton 1977). On a
    straight line over the order of answers that one differs from the mean of all by ¾ of the difference of the
    outer thirds. Hence ω = ¾√(max(0, δ² − error²) + τ²), the first term only where δ differs from 0. Nobody knows
    whether the line goes on beyond the last answer, or whether it is straight: the estimate can show that an
    assumption is too small, and never that it is large enough.

    References
    ----------
    Armstrong JS, Overton TS (1977), Estimating nonresponse bias in mail surveys, J. Mark. Res. 14, 396–402.

    Examples
    --------
    In each of twenty communities 18 of the first 20 are satisfied and 16 of the last 20:

    >>> waves = compare_waves([18] * 20, [20] * 20, [16] * 20, [20] * 20)
    >>> round(waves.difference, 3), waves.differs, waves.deviation, round(waves.spread, 3)
    (-0.1, True, 0.0, 0.075)
    >>> compare_waves([18] * 9, [20] * 9, [16] * 9, [20] * 9) is None
    True
    """
    compared = compare_groups(
        first_satisfied, first, last_satisfied, last, design_effect=design_effect, names=("first", "last")
    )
    if compared is None:
        return None
    return WaveComparison(
        **asdict(compared.found),
        first=compared.first,
        last=compared.second,
        spread=_LAST_BEYOND_MEAN * compared.distance,
    )
