"""Frames of casework: one row per case, and one per time that a case was open."""

from typing import Final

import pandas as pd

CASE_COLUMNS: Final = (
    "case",
    "community",
    "district",
    "company",
    "channel",
    "category",
    "kind",
    "submitted_at",
    "acknowledged_at",
    "acknowledged_in_time",
    "acknowledgement_judged_at",
    "answered_at",
    "answered_in_time",
    "answer_judged_at",
    "is_companys",
    "working_days_waited",
    "verdict",
    "verdict_at",
    "reopened",
    "reopened_at",
    "stage",
    "stage2_at",
    "status",
    "waits_for",
    "ended_at",
    "exclusion",
)
"""Columns of a frame of cases as they stood at one moment, the cut-off.

case : int
    A key that is told nobody, unique.
community, district, company, channel, category, kind : str
    Codes or names; company is missing where none is known. Channels are those of
    `analytics.statistics.complaint_rates.CHANNELS`.
submitted_at, acknowledged_at, answered_at, verdict_at, reopened_at, stage2_at, ended_at : datetime
    With the time zone of the city; missing where it has not happened. `answered_at` is that of the first answer,
    `reopened_at` the last time, `ended_at` that of the end that still stood at the cut-off.
acknowledged_in_time, answered_in_time : boolean
    Whether the deadline of the first period was kept; missing while nobody can say yet, and where the resident ended
    the period.
acknowledgement_judged_at, answer_judged_at : datetime
    When that was decided: at the step that ended the period, or at the deadline that passed.
is_companys : bool
    Whether the answer was for the property company to give when that was decided.
working_days_waited : float
    Working days from the submission to the first answer; without one, to the end of the case or the cut-off.
verdict : str
    The resident's last word about an answer, one of `VERDICTS`; missing where there is none.
reopened : int
    How often work on the case began anew: because its resident said after an answer that it is not fixed, or opened it
    again after its end.
stage : int
    1, or 2 once the case was under review by somebody else.
status : str
    Where the case stands.
waits_for : str
    ``office`` or ``resident``; missing where the case has ended.
exclusion : str
    Why the case is none to be answered; missing where it is.
"""

SPELL_COLUMNS: Final = ("case", "opened_at", "ended_at", "is_reopening")
"""Columns of a frame of the times that cases were open; `ended_at` is missing while a case still is."""

VERDICTS: Final = ("confirmed", "partly", "rejected", "silent")
"""What residents say of an answer: fixed, partly fixed, not fixed, or nothing until the case closed by itself.

Opening a closed case again, and asking for a review of an answer, say that it is not fixed.
"""

WAITS_FOR: Final = ("office", "resident")


def month_of(moments: "pd.Series[pd.Timestamp]") -> "pd.Series[str]":
    """Return the local month of each moment.

    Parameters
    ----------
    moments : Series of datetime
        With the time zone of the city; may be missing.

    Returns
    -------
    Series of str
        Such as ``2026-09``; missing where the moment is.

    Examples
    --------
    >>> late = pd.Series(pd.to_datetime(["2026-08-31T18:00Z", None], utc=True).tz_convert("Asia/Shanghai"))
    >>> month_of(late).tolist()
    ['2026-09', nan]
    """
    return moments.dt.strftime("%Y-%m")


def within(moments: "pd.Series[pd.Timestamp]", start: pd.Timestamp, end: pd.Timestamp) -> "pd.Series[bool]":
    """Return whether each moment lies in a period, its start included and its end not.

    Parameters
    ----------
    moments : Series of datetime
        May be missing: those lie in no period.
    start, end : Timestamp
        With a time zone.

    Returns
    -------
    Series of bool

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2026-09-01", "2026-10-01", None], utc=True))
    >>> within(days, pd.Timestamp("2026-09-01", tz="UTC"), pd.Timestamp("2026-10-01", tz="UTC")).tolist()
    [True, False, False]
    """
    return moments.between(start, end, inclusive="left")
