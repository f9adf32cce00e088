"""Answers through household slips beside those through posters: what they suggest about who did not answer."""

from dataclasses import asdict, dataclass

import numpy.typing as npt

from analytics.statistics.answer_groups import GroupDifference, compare_groups


@dataclass(frozen=True)
class ChannelComparison(GroupDifference):
    """Comparison of answers through slips with those through posters: beside how they differ, what that suggests.

    Attributes
    ----------
    poster, slip : int
        The answers of the communities compared through each.
    spread : float
        Suggested ω in [0, 1], as a share of the range of scores: root mean square of how much households that did not
        answer differ from those that did.
    """

    poster: int
    slip: int
    spread: float


def compare_channels(
    poster_satisfied: npt.ArrayLike,
    poster: npt.ArrayLike,
    slip_satisfied: npt.ArrayLike,
    slip: npt.ArrayLike,
    *,
    design_effect: npt.ArrayLike = 1.0,
) -> ChannelComparison | None:
    """Compare the answers through slips of each community with those through posters, and say what that suggests.

    Parameters
    ----------
    poster_satisfied, poster : array_like
        Satisfied among the answers through posters of each community, whole numbers, shape (communities,).
    slip_satisfied, slip : array_like
        The same of those through slips.
    design_effect : array_like
        D ≥ 1: several answers of one household are worth fewer.

    Returns
    -------
    ChannelComparison or None
        None with fewer than `answer_groups.LEAST_COMMUNITIES` communities that have two answers through both, or with
        fewer than `answer_groups.LEAST_ANSWERS` answers through one of them.

    Raises
    ------
    ValueError
        If a value is missing, negative or fractional, satisfied > answers, or D < 1.

    Notes
    -----
    The channels are compared as `analytics.statistics.answer_groups.compare_groups` says. Whoever stops at a poster
    answers unasked; a slip asks each household by itself, and so reaches some of those who would not have answered.
    If who did not answer is like those who did on a slip (the continuum of resistance, Lin and Schaeffer 1995), they
    differ from the mean of all answers by the share of the posters times the distance of the channels: ω = distance ·
    n₁/(n₁ + n₂). As with waves, that can show that an assumption is too small, and never that it is large enough.

    References
    ----------
    Lin I-F, Schaeffer NC (1995), Using survey participants to estimate the impact of nonparticipation, Public Opin. Q.
    59, 236–258.

    Examples
    --------
    In each of twenty communities 27 of 30 are satisfied through posters and 7 of 10 through slips; the latter lie
    15 points below the mean of all:

    >>> found = compare_channels([27] * 20, [30] * 20, [7] * 20, [10] * 20)
    >>> round(found.difference, 3), found.differs, round(found.spread, 3)
    (-0.2, True, 0.15)
    >>> compare_channels([27] * 9, [30] * 9, [7] * 9, [10] * 9) is None
    True
    """
    compared = compare_groups(
        poster_satisfied, poster, slip_satisfied, slip, design_effect=design_effect, names=("poster", "slip")
    )
    if compared is None:
        return None
    return ChannelComparison(
        **asdict(compared.found),
        poster=compared.first,
        slip=compared.second,
        spread=compared.distance * compared.first / (compared.first + compared.second),
    )
