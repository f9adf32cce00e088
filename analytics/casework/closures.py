"""Closures that turn out otherwise (回访不符): answers that a resident's verdict or a call-back contradicts."""

from fractions import Fraction
from typing import Any, Final

import pandas as pd

from analytics.casework.case_frame import within
from analytics.casework.shares import is_below

CLOSURE_COLUMNS: Final = ("case", "company", "answered_at", "verdict", "verdict_at")
"""Columns of a frame of answers, by each of which a case was to be closed: a case can have several, in their order.

case : int
    As in `analytics.casework.case_frame.CASE_COLUMNS`.
company : str
    The property company that had the case when it was answered; missing where the office answered itself.
answered_at, verdict_at : datetime
    With the time zone of the city; `verdict_at` is missing where there is no verdict yet.
verdict : str
    What the resident said of this answer last, one of `analytics.casework.case_frame.VERDICTS`.
"""


def judge_closures(closures: pd.DataFrame, call_backs: pd.DataFrame) -> pd.DataFrame:
    """Return the closures of which the resident says how it is, and which of them the resident contradicts.

    Parameters
    ----------
    closures : DataFrame
        Columns `CLOSURE_COLUMNS`, any unique index.
    call_backs : DataFrame
        Columns case, called_at and resolved of `analytics.casework.call_backs.CALL_BACK_COLUMNS`.

    Returns
    -------
    DataFrame
        The rows and columns of `closures` that are verified, same index, and further columns: is_contradicted (bool),
        by (``resident`` or ``call_back``: who says so) and judged_at.

    Notes
    -----
    A closure is verified where the resident gave a verdict about it, silence being none, or says in a call-back whether
    the matter is resolved; a call-back is of the last answer before it. It is contradicted by the verdict that it is
    not fixed, or by a call-back in which the matter is not resolved. Fixed or resolved in part contradicts nothing:
    something was done. `by` and `judged_at` are those of the contradiction, the first of two, and without any those of
    the first verification.

    Examples
    --------
    >>> day = lambda number: pd.Timestamp(2026, 9, number, tz="UTC")
    >>> closures = pd.DataFrame({
    ...     "case": [1, 2, 3, 3, 4], "company": "a", "answered_at": [day(1)] * 3 + [day(4), day(1)],
    ...     "verdict": ["confirmed", "silent", "rejected", "confirmed", "silent"],
    ...     "verdict_at": [day(2), day(9), day(2), day(5), day(9)],
    ... })
    >>> calls = pd.DataFrame({"case": [1, 2], "called_at": [day(20)] * 2, "resolved": ["yes", "no"]})
    >>> judge_closures(closures, calls)[["case", "is_contradicted", "by"]]
       case  is_contradicted         by
    0     1            False   resident
    1     2             True  call_back
    2     3             True   resident
    3     3            False   resident
    """
    said = closures["verdict"].isin(["confirmed", "partly", "rejected"])
    verdicts = pd.DataFrame(
        {
            "closure": closures.index[said],
            "judged_at": closures.loc[said, "verdict_at"].array,
            "by": "resident",
            "is_contradicted": (closures.loc[said, "verdict"] == "rejected").array.astype("bool"),
        }
    )
    # Of several words about a closure a contradiction comes first, then the earliest.
    words = [part for part in (verdicts, _of_call_backs(closures, call_backs)) if len(part)]
    if not words:
        return closures.iloc[:0].assign(is_contradicted=False, by=None, judged_at=closures["verdict_at"].iloc[:0])
    ordered = pd.concat(words).sort_values(["is_contradicted", "judged_at"], ascending=[False, True], kind="stable")
    first = ordered.drop_duplicates("closure").set_index("closure")
    return closures.loc[closures.index.isin(first.index)].join(first[["is_contradicted", "by", "judged_at"]])


def judged_within(judged: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Return the closures that were judged in a period.

    Parameters
    ----------
    judged : DataFrame
        As `judge_closures` returns it.
    start, end : Timestamp
        With a time zone; the start is included and the end is not.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> judged = pd.DataFrame({"case": [1, 2], "judged_at": pd.to_datetime(["2026-09-30", "2026-10-01"], utc=True)})
    >>> october = pd.Timestamp("2026-10-01", tz="UTC"), pd.Timestamp("2026-11-01", tz="UTC")
    >>> judged_within(judged, *october)["case"].tolist()
    [2]
    """
    return judged[within(judged["judged_at"], start, end)]


def find_watched(register: pd.DataFrame, *, contradicted_share: Fraction, least_verified: int) -> "pd.Index[Any]":
    """Return the companies on the watch list.

    Parameters
    ----------
    register : DataFrame
        Indexed by company; columns some (contradicted closures) and of (verified ones), as
        `analytics.casework.shares.shares_by` returns them.
    contradicted_share : Fraction
        The share in (0, 1] from which on a company is watched.
    least_verified : int
        The fewest verified closures of a company that is.

    Returns
    -------
    Index
        In the order of the register. A share at the bound is watched; the two are compared exactly.

    Examples
    --------
    >>> register = pd.DataFrame({"some": [2, 2, 9], "of": [10, 11, 9]}, index=["a", "b", "c"])
    >>> find_watched(register, contradicted_share=Fraction(1, 5), least_verified=10).tolist()
    ['a']
    """
    return register.index[(register["of"] >= least_verified) & ~is_below(register, contradicted_share)]


def _of_call_backs(closures: pd.DataFrame, call_backs: pd.DataFrame) -> pd.DataFrame:
    """Return what each call-back says of the last answer before it: closure, judged_at, by and is_contradicted."""
    said = call_backs[call_backs["resolved"].isin(["yes", "partly", "no"])]
    if said.empty:
        return pd.DataFrame(columns=["closure", "judged_at", "by", "is_contradicted"])
    asked = closures[["case", "answered_at"]].rename_axis("closure").reset_index().merge(said, on="case")
    asked = asked[asked["answered_at"] < asked["called_at"]].sort_values("answered_at", kind="stable")
    last = asked.drop_duplicates(["case", "called_at"], keep="last")
    return pd.DataFrame(
        {
            "closure": last["closure"].array,
            "judged_at": last["called_at"].array,
            "by": "call_back",
            "is_contradicted": (last["resolved"] == "no").array.astype("bool"),
        }
    )
