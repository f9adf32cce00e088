"""Flow of cases in and out, month by month, and how old the open ones are."""

from typing import Final

import numpy as np
import pandas as pd

from analytics.casework.case_frame import WAITS_FOR, month_of
from analytics.statistics.validation import refuse

AGE_BOUNDS: Final = (7, 14, 30, 90)
"""Upper ends of the age classes of open cases, in days; the last class has none."""


def monthly_flow(spells: pd.DataFrame, *, start: pd.Timestamp, cut_off: pd.Timestamp) -> pd.DataFrame:
    """Return how many cases came in and ended in each month, and how many were open at its end.

    Parameters
    ----------
    spells : DataFrame
        Columns `analytics.casework.case_frame.SPELL_COLUMNS`: every time that a case was open, also those that began
        before `start` and had not ended then.
    start, cut_off : Timestamp
        In the time zone of the city; `start` is the beginning of a month. What happens at the cut-off is not counted.

    Returns
    -------
    DataFrame
        Indexed by month (``2026-09``), from that of `start` to the last that begins before the cut-off; int64: filed,
        reopened (ended cases that were opened again), ended and open (at the end of the month, or at the cut-off).

    Raises
    ------
    ValueError
        If a case ended before it was opened, or the cut-off does not lie after the start.

    Notes
    -----
    What came in less what ended is what the number of open cases changed by, in every month.

    Examples
    --------
    >>> opened = pd.to_datetime(["2026-08-20", "2026-09-03", "2026-09-28"], utc=True)
    >>> ended = pd.to_datetime(["2026-09-05", "2026-09-20", None], utc=True)
    >>> spells = pd.DataFrame({"opened_at": opened, "ended_at": ended, "is_reopening": [False, False, True]})
    >>> span = {"start": pd.Timestamp("2026-09-01", tz="UTC"), "cut_off": pd.Timestamp("2026-10-02", tz="UTC")}
    >>> monthly_flow(spells, **span)
             filed  reopened  ended  open
    2026-09      1         1      2     1
    2026-10      0         0      0     1
    """
    if cut_off <= start:
        raise ValueError(f"the cut-off {cut_off} does not lie after the start {start}")
    refuse(spells["ended_at"] < spells["opened_at"], "a case ended before it was opened")
    last = cut_off - pd.Timedelta(microseconds=1)
    months = pd.period_range(start.strftime("%Y-%m"), last.strftime("%Y-%m"), freq="M").strftime("%Y-%m")
    is_in = (spells["opened_at"] >= start) & (spells["opened_at"] < cut_off)
    is_out = (spells["ended_at"] >= start) & (spells["ended_at"] < cut_off)
    again = spells["is_reopening"].astype("bool")
    counted = {
        "filed": month_of(spells.loc[is_in & ~again, "opened_at"]),
        "reopened": month_of(spells.loc[is_in & again, "opened_at"]),
        "ended": month_of(spells.loc[is_out, "ended_at"]),
    }
    flow = pd.DataFrame(
        {name: moments.value_counts().reindex(months, fill_value=0) for name, moments in counted.items()}
    )
    before = (spells["opened_at"] < start) & ~(spells["ended_at"] < start)
    change = flow["filed"] + flow["reopened"] - flow["ended"]
    return flow.assign(open=int(before.sum()) + change.cumsum()).astype("int64").rename_axis(None)


def open_by_age(cases: pd.DataFrame, *, cut_off: pd.Timestamp) -> pd.DataFrame:
    """Count the open cases by the days since they were filed, and by who is to act.

    Parameters
    ----------
    cases : DataFrame
        Columns submitted_at and waits_for of `analytics.casework.case_frame.CASE_COLUMNS`.
    cut_off : Timestamp
        With a time zone, not before any submission.

    Returns
    -------
    DataFrame
        int64, a row for each class of `AGE_BOUNDS`: index ``from`` (the first day of the class), columns to (the last
        day; -1 where there is none), office and resident. Days that have begun count: a case filed an hour ago is in
        its first.

    Raises
    ------
    ValueError
        If a case was filed after the cut-off.

    Examples
    --------
    >>> filed = pd.to_datetime(["2026-09-29", "2026-09-01", "2026-01-01", "2026-09-20"], utc=True)
    >>> cases = pd.DataFrame({"submitted_at": filed, "waits_for": ["office", "office", "resident", None]})
    >>> open_by_age(cases, cut_off=pd.Timestamp("2026-09-30", tz="UTC")).reset_index()
       from  to  office  resident
    0     1   7       1         0
    1     8  14       0         0
    2    15  30       1         0
    3    31  90       0         0
    4    91  -1       0         1
    """
    waiting = cases[cases["waits_for"].notna()]
    age = (cut_off - waiting["submitted_at"]).dt.total_seconds().to_numpy("float64") / 86400
    refuse(age < 0, "a case was filed after the cut-off")
    places = np.searchsorted(np.asarray(AGE_BOUNDS, dtype=np.float64), np.maximum(np.ceil(age), 1), side="left")
    who = waiting["waits_for"].to_numpy()
    counts = {name: np.bincount(places[who == name], minlength=len(AGE_BOUNDS) + 1) for name in WAITS_FOR}
    first = pd.Index([1, *(bound + 1 for bound in AGE_BOUNDS)], name="from")
    return pd.DataFrame({"to": [*AGE_BOUNDS, -1], **counts}, index=first).astype("int64")
