"""Percentile of a community among those that are ranked with it: its parts, and its interval by possible ranks."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.summary import COLUMN_PREFIXES, RouteName
from analytics.statistics.validation import FloatArray, finite_numbers

DECILES: Final = tuple(number / 10 for number in range(1, 10))
"""Shares of the communities below the nine deciles, the median among them."""

_Number = TypeVar("_Number", float, FloatArray)


class Percentile(NamedTuple):
    """Place of a community among those that are ranked with it, by whole numbers of them.

    Attributes
    ----------
    behind : int
        Number that ranks behind it.
    tied : int
        Number with its score, itself among them.
    ranked : int
        Number of communities ranked together.
    """

    behind: int
    tied: int
    ranked: int

    @property
    def ahead(self) -> Fraction:
        """The exact share that ranks behind it, in [0, 1)."""
        return Fraction(self.behind, self.ranked)

    @property
    def level(self) -> Fraction:
        """The exact share with its score, itself among them, in (0, 1]."""
        return Fraction(self.tied, self.ranked)

    @property
    def percentile(self) -> Fraction:
        """The exact share that ranks behind it and half of those with its score, in (0, 1)."""
        return Fraction(2 * self.behind + self.tied, 2 * self.ranked)

    @property
    def is_alone(self) -> bool:
        """Whether nobody else has its score."""
        return self.tied == 1


def percentile_of(rank: int, last: int, *, ranked: int) -> Percentile:
    """Return the exact percentile of a community from the positions of its tie.

    Parameters
    ----------
    rank, last : int
        First and last position of all with its score, 1 is best; see `ranks_within`.
    ranked : int
        Number of communities ranked together.

    Returns
    -------
    Percentile
        With ``behind`` = N - last and ``tied`` = last - rank + 1. For display only: no decision uses it.

    Raises
    ------
    ValueError
        Unless 1 ≤ rank ≤ last ≤ ranked.

    Notes
    -----
    The mid-rank percentile: (below + ½ equal) / N, where a community is equal to itself, so that it is never 0 or 1 and
    that of all who are level is the middle of what they share. `analytics.decision.ranks.percentile_of_ranks` computes
    it for many at once.

    Examples
    --------
    The second and third of four are level; the first is ahead of three:

    >>> percentile_of(2, 3, ranked=4)
    Percentile(behind=1, tied=2, ranked=4)
    >>> [float(percentile_of(*tie, ranked=4).percentile) for tie in ((1, 1), (2, 3), (4, 4))]
    [0.875, 0.5, 0.125]
    """
    if not 1 <= rank <= last <= ranked:
        raise ValueError(f"positions {rank} to {last} of {ranked} are none")
    return Percentile(ranked - last, last - rank + 1, ranked)


def percentile_in(standing: Mapping[str, Any], regions: Mapping[str, Any], route: RouteName) -> Percentile | None:
    """Return the percentile of a community on a route from its standing and the summary of the evaluation.

    Parameters
    ----------
    standing : mapping
        With region, and rank and last rank of the route; NaN, NA or None where it is not ranked.
    regions : mapping
        ``summary["regions"]`` of the evaluation.
    route : {"satisfaction", "complaints"}

    Returns
    -------
    Percentile or None
        None for a community that is not ranked. The share that the standings hold is ``percentile`` of it.

    Examples
    --------
    >>> standing = {"region": "海南区", "complaint_rank": 1, "complaint_last_rank": 2}
    >>> float(percentile_in(standing, {"海南区": {"complaints": {"N": 10}}}, "complaints").percentile)
    0.9
    """
    prefix = COLUMN_PREFIXES[route]
    rank, last = (standing[f"{prefix}_{name}"] for name in ("rank", "last_rank"))
    if pd.isna(rank):
        return None
    return percentile_of(int(rank), int(last), ranked=regions[standing["region"]][route]["N"])


def percentile_interval(
    rank_lower: npt.ArrayLike, rank_upper: npt.ArrayLike, *, ranked: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return between which percentiles each community may truly be, by its set of possible ranks.

    Parameters
    ----------
    rank_lower, rank_upper : array_like of float
        Best and worst possible rank of the true score, from the evidence, 1 is best; NaN where it says nothing.
    ranked : array_like of int
        Number of communities ranked together: one number, or one per community.

    Returns
    -------
    lower, upper : ndarray of float
        Percentile of a community that is alone at the worst, and at the best of these ranks: (N - rank + ½) / N, in
        (0, 1); NaN where the ranks are.

    Raises
    ------
    ValueError
        If a rank lies outside 1 … N or the best possible one is behind the worst.

    Notes
    -----
    It covers the percentile of the true score as often as the set covers the true rank, since one follows from the
    other: true scores do not tie. The observed percentile may lie outside, as an observed rank may outside its set.

    Examples
    --------
    >>> percentile_interval([1, 2], [3, 4], ranked=4)
    (array([0.375, 0.125]), array([0.875, 0.625]))
    """
    best, worst = np.asarray(rank_lower, dtype=np.float64), np.asarray(rank_upper, dtype=np.float64)
    number = np.asarray(ranked, dtype=np.float64)
    if np.any((best < 1) | (worst < best) | (worst > number)):
        raise ValueError("possible ranks must lie between 1 and the number of communities, the best before the worst")
    return percentile_alone_at(worst, number), percentile_alone_at(best, number)


def percentile_alone_at(rank: _Number, ranked: _Number) -> _Number:
    """Return the percentile of a community that is alone at a rank.

    Parameters
    ----------
    rank, ranked : float or ndarray of float
        1 ≤ rank ≤ ranked, the number of communities ranked together; NaN ranks give NaN.

    Returns
    -------
    float or ndarray of float
        (N - rank + ½) / N, in (0, 1).

    Examples
    --------
    >>> percentile_alone_at(1.0, 4.0)
    0.875
    """
    return (ranked - rank + 0.5) / ranked


def score_deciles(scores: npt.ArrayLike) -> FloatArray:
    """Return the nine deciles of the scores of communities that are ranked together.

    Parameters
    ----------
    scores : array_like of float
        None missing; may be empty.

    Returns
    -------
    ndarray of float, shape (9,)
        In the unit of the scores, rising: between two scores on the line that joins them, as ``numpy.quantile`` does
        unless told otherwise. NaN without scores.

    Raises
    ------
    ValueError
        If a score is missing or infinite.

    Examples
    --------
    >>> score_deciles([0.0, 1.0]).round(1).tolist()
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    """
    values = finite_numbers("scores", scores)
    return np.quantile(values, DECILES) if values.size else np.full(len(DECILES), np.nan)
