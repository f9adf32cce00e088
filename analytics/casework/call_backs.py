"""Call-backs (回访): how many closed cases are drawn, which ones by a seed, and what the residents reached say."""

import hashlib
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import pandas as pd

from analytics.casework.rates import CallBackCounts
from analytics.casework.shares import LEVEL, Share, share_of
from analytics.statistics.intervals import normal_quantile

CALL_BACK_COLUMNS: Final = (
    "case",
    "district",
    "called_at",
    "outcome",
    "recorded",
    "contacted",
    "resolved",
    "satisfied",
)
"""Columns of a frame of call-backs, one row per drawn case that somebody tried to call.

case : int
district : str
    As in `analytics.casework.case_frame.CASE_COLUMNS`.
called_at : datetime
    With the time zone of the city: when the resident was reached, or was tried last.
outcome : str
    One of `OUTCOMES`.
recorded : str
    How the case had come to its end before: ``confirmed`` or ``silent`` of `analytics.casework.case_frame.VERDICTS`.
contacted, satisfied : str
    ``yes``, ``no`` or ``unsaid``; missing unless the resident was reached.
resolved : str
    ``yes``, ``partly``, ``no`` or ``unsaid``; missing unless the resident was reached.
"""

OUTCOMES: Final = ("reached", "declined", "not_reached")
"""Outcomes of a call: the resident answered the questions, did not want to, or was not reached."""


def precise_size(number: int, *, margin: Fraction, confidence: Fraction) -> int:
    """Return the smallest sample by which a share among a number of cases is known within a margin.

    Parameters
    ----------
    number : int
        Cases from which is drawn, at least 0.
    margin : Fraction
        Half the width of the interval, in (0, 1).
    confidence : Fraction
        Two-sided confidence level in (0, 1).

    Returns
    -------
    int
        In [0, number].

    Raises
    ------
    ValueError
        If the number is negative, or the margin or the confidence is out of range.

    Notes
    -----
    n₀ ÷ (1 + (n₀ − 1) ÷ N), rounded up, with n₀ = z² ÷ (4 margin²): for a share of one half, of which most are needed,
    and with the correction for a finite number of cases. The margin holds of residents who are reached: of those who
    are not, nothing is known.

    References
    ----------
    Cochran WG (1977), Sampling Techniques, 3rd ed., 4.4.

    Examples
    --------
    >>> [precise_size(number, margin=Fraction(1, 20), confidence=Fraction(19, 20)) for number in (0, 1, 100, 1000)]
    [0, 1, 80, 278]
    """
    if number < 0:
        raise ValueError(f"number must be at least 0, got {number}")
    if not 0 < margin < 1:
        raise ValueError(f"margin must lie in (0, 1), got {margin}")
    z = normal_quantile(float(confidence))
    unlimited = z * z / (4 * float(margin) ** 2)
    return min(number, math.ceil(unlimited / (1 + (unlimited - 1) / number))) if number else 0


def shared_size(number: int, *, share: Fraction) -> int:
    """Return how many cases a share of them is, rounded up.

    Parameters
    ----------
    number : int
        Cases from which is drawn, at least 0.
    share : Fraction
        In (0, 1].

    Returns
    -------
    int
        In [0, number]; at least 1 where there is a case.

    Raises
    ------
    ValueError
        If the number is negative or the share is out of range.

    Examples
    --------
    >>> [shared_size(number, share=Fraction(7, 100)) for number in (0, 1, 100, 101)]
    [0, 1, 7, 8]
    """
    if number < 0:
        raise ValueError(f"number must be at least 0, got {number}")
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], got {share}")
    return math.ceil(share * number)


def stratum_sizes(numbers: "pd.Series[int]", size: int) -> pd.DataFrame:
    """Return the fewest and the most cases that `draw_sample` takes of each stratum.

    Parameters
    ----------
    numbers : Series of int
        Cases of each stratum, at least 0, any index.
    size : int
        Of the sample: 0 to the sum of the numbers.

    Returns
    -------
    DataFrame
        int64, same index: fewest and most, which differ by at most 1.

    Raises
    ------
    ValueError
        If the size is out of range.

    Notes
    -----
    size × number ÷ sum, rounded down and up.

    Examples
    --------
    >>> stratum_sizes(pd.Series([60, 30, 9, 1], index=list("abcd")), 10)
       fewest  most
    a       6     6
    b       3     3
    c       0     1
    d       0     1
    """
    total = int(numbers.sum())
    _refuse_size(size, total)
    exact = [Fraction(size * int(number), max(total, 1)) for number in numbers]
    ends = {"fewest": [math.floor(part) for part in exact], "most": [math.ceil(part) for part in exact]}
    return pd.DataFrame(ends, index=numbers.index, dtype="int64")


def draw_sample(listed: Sequence[tuple[str, str]], *, size: int, seed: str) -> tuple[str, ...]:
    """Return a random sample of cases in which each stratum has its share, by a seed.

    Parameters
    ----------
    listed : sequence of (str, str)
        Stratum and reference of each case; references are unique.
    size : int
        0 to the number of cases.
    seed : str
        Any text. Whoever knows it and the list draws the same sample, in every version and on every machine.

    Returns
    -------
    tuple of str
        References of the drawn cases, in the order in which they are to be called: at random.

    Raises
    ------
    ValueError
        If the size is out of range, or a reference is listed twice.

    Notes
    -----
    A systematic sample: strata, and the cases within each, are put into a random order, and of N cases in a row the
    n-th part is taken at equal steps from a random start. So every case is drawn with the same probability n ÷ N, also
    one of a stratum too small for a place of its own, each stratum has n × its cases ÷ N, rounded down or up, and the
    share among the drawn cases needs no weights. All that is random is SHA-256 of the seed and of what is put in order;
    the order of `listed` is of no consequence.

    References
    ----------
    Madow WG (1949), On the theory of systematic sampling II, Ann Math Stat 20, 333–354.

    Examples
    --------
    >>> listed = [("a", f"a{number}") for number in range(6)] + [("b", f"b{number}") for number in range(3)]
    >>> sorted(draw_sample(listed, size=3, seed="2026-09"))
    ['a1', 'a4', 'b0']
    """
    if len({reference for _stratum, reference in listed}) < len(listed):
        raise ValueError("a reference is listed twice")
    number = len(listed)
    _refuse_size(size, number)
    row = sorted(
        listed, key=lambda case: (_random(seed, "stratum", case[0]), case[0], _random(seed, "case", case[1]), case[1])
    )
    start = _random(seed, "start") % max(number, 1)
    # Of number values of the start, each place is taken by as many as are drawn.
    steps = [(place * size + start) // max(number, 1) for place in range(number + 1)]
    drawn = [reference for place, (_stratum, reference) in enumerate(row) if steps[place + 1] > steps[place]]
    return tuple(sorted(drawn, key=lambda reference: (_random(seed, "call", reference), reference)))


def count_call_backs(call_backs: pd.DataFrame) -> CallBackCounts:
    """Count what the residents who were reached say.

    Parameters
    ----------
    call_backs : DataFrame
        Columns outcome, contacted, resolved and satisfied of `CALL_BACK_COLUMNS`.

    Returns
    -------
    CallBackCounts

    Examples
    --------
    >>> count_call_backs(pd.DataFrame({
    ...     "outcome": ["reached", "reached", "not_reached"],
    ...     "contacted": ["yes", "no", None],
    ...     "resolved": ["partly", "yes", None],
    ...     "satisfied": ["unsaid", "yes", None],
    ... }))
    CallBackCounts(reached=2, contacted=1, resolved=1, satisfied=1)
    """
    reached = call_backs[call_backs["outcome"] == "reached"]
    said = {name: int((reached[name] == "yes").sum()) for name in ("contacted", "resolved", "satisfied")}
    return CallBackCounts(reached=len(reached), **said)


def match_rate(call_backs: pd.DataFrame, *, level: float = LEVEL) -> Share:
    """Return how often a call-back agrees with what was recorded when the case ended.

    Parameters
    ----------
    call_backs : DataFrame
        Columns outcome and resolved of `CALL_BACK_COLUMNS`, of cases that had ended as fixed: confirmed by the
        resident, or without a word.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Share
        Residents who say that the matter is resolved ÷ residents who say whether it is, with Wilson's interval.

    Raises
    ------
    ValueError
        If the level is out of range.

    Notes
    -----
    Resolved in part does not agree with a case that was closed as fixed. The interval is that of a sample: it says how
    far the share among all cases from which was drawn may lie from that of the drawn ones, if those who were reached
    are like the others.

    Examples
    --------
    >>> calls = pd.DataFrame({
    ...     "outcome": ["reached", "reached", "reached", "reached", "not_reached"],
    ...     "resolved": ["yes", "yes", "partly", "unsaid", None],
    ... })
    >>> found = match_rate(calls)
    >>> found.some, found.of
    (2, 3)
    """
    said = call_backs.loc[call_backs["resolved"].isin(["yes", "partly", "no"]), "resolved"]
    return share_of((said == "yes").astype("boolean"), level=level)


def _random(seed: str, *what: str) -> int:
    # The lengths keep ("a", "bc") and ("ab", "c") apart.
    text = "".join(f"{len(part)}:{part}" for part in (seed, *what))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest(), "big")


def _refuse_size(size: int, number: int) -> None:
    if not 0 <= size <= number:
        raise ValueError(f"size must lie in [0, {number}], got {size}")
