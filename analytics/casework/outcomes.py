"""Outcomes of cases: verdicts of residents, cases opened again, stage 2, and exclusions."""

from typing import Any

import pandas as pd

from analytics.casework.case_frame import VERDICTS
from analytics.casework.shares import LEVEL, Share, share_of
from analytics.statistics.validation import refuse


def count_verdicts(verdicts: "pd.Series[Any]", by: "pd.Series[Any] | None" = None) -> pd.DataFrame:
    """Count what residents say of the answers.

    Parameters
    ----------
    verdicts : Series of str
        One per case, of `VERDICTS`; missing where there is none.
    by : Series, optional
        The group of each case, same index; cases without one are a group of their own.

    Returns
    -------
    DataFrame
        int64, columns `VERDICTS`: a row for each group with a verdict, that without a name last, or one row ``all``.

    Raises
    ------
    ValueError
        If a verdict is none of them.

    Examples
    --------
    >>> count_verdicts(pd.Series(["confirmed", "silent", None, "confirmed"])).to_dict("records")
    [{'confirmed': 2, 'partly': 0, 'rejected': 0, 'silent': 1}]
    """
    refuse(verdicts.notna() & ~verdicts.isin(VERDICTS), "verdict is not known", verdict=verdicts)
    said = verdicts.dropna().astype("object")
    groups = pd.Series("all", index=said.index) if by is None else by.loc[said.index].astype("object")
    found = {verdict: (said == verdict).groupby(groups, dropna=False).sum() for verdict in VERDICTS}
    table = pd.DataFrame(found).astype("int64").rename_axis(None)
    return table.reindex(["all"], fill_value=0) if by is None else table


def confirmed_share(verdicts: "pd.Series[Any]", *, level: float = LEVEL) -> Share:
    """Return the share of residents who confirm that it is fixed, among those who say anything.

    Parameters
    ----------
    verdicts : Series of str
        One per case, of `VERDICTS`; missing where there is none.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Share

    Notes
    -----
    confirmed ÷ (confirmed + partly + rejected). Silence is no consent here, although it closes a case: it is left out
    and its share stated apart.

    Examples
    --------
    >>> found = confirmed_share(pd.Series(["confirmed", "silent", "partly", None]))
    >>> found.some, found.of
    (1, 2)
    """
    said = verdicts[verdicts.notna() & (verdicts != "silent")]
    return share_of((said == "confirmed").astype("boolean"), level=level)


def silent_share(verdicts: "pd.Series[Any]", *, level: float = LEVEL) -> Share:
    """Return the share of answers to which the resident said nothing until the case closed by itself.

    Parameters
    ----------
    verdicts : Series of str
        One per case, of `VERDICTS`; missing where there is none.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Share
        silent ÷ (confirmed + partly + rejected + silent).

    Examples
    --------
    >>> found = silent_share(pd.Series(["confirmed", "silent", "partly", None]))
    >>> found.some, found.of
    (1, 3)
    """
    return share_of((verdicts.dropna() == "silent").astype("boolean"), level=level)


def is_reopened(cases: pd.DataFrame) -> "pd.Series[Any]":
    """Return whether each answered case was opened again.

    Parameters
    ----------
    cases : DataFrame
        Columns reopened and answered_at of `analytics.casework.case_frame.CASE_COLUMNS`.

    Returns
    -------
    Series of boolean
        Missing where there is no answer yet: nothing could be opened again.

    Examples
    --------
    >>> answered = pd.to_datetime(["2026-09-02", "2026-09-02", None])
    >>> is_reopened(pd.DataFrame({"reopened": [2, 0, 0], "answered_at": answered})).tolist()
    [True, False, <NA>]
    """
    return (cases["reopened"] > 0).astype("boolean").mask(cases["answered_at"].isna())


def is_in_stage2(cases: pd.DataFrame) -> "pd.Series[Any]":
    """Return whether each case came to be reviewed by somebody else.

    Parameters
    ----------
    cases : DataFrame
        Columns stage and exclusion of `analytics.casework.case_frame.CASE_COLUMNS`.

    Returns
    -------
    Series of boolean
        Missing where the case is none to be answered.

    Examples
    --------
    >>> is_in_stage2(pd.DataFrame({"stage": [1, 2, 1], "exclusion": [None, None, "same_case"]})).tolist()
    [False, True, <NA>]
    """
    return (cases["stage"] > 1).astype("boolean").mask(cases["exclusion"].notna())


def count_exclusions(exclusions: "pd.Series[Any]") -> "pd.Series[int]":
    """Count the cases that are none to be answered, by reason.

    Parameters
    ----------
    exclusions : Series of str
        One per case; missing where it is to be answered.

    Returns
    -------
    Series of int64
        Indexed by reason, the most frequent first, ties in the order of the reasons.

    Examples
    --------
    >>> count_exclusions(pd.Series(["same_case", None, "not_a_case", "same_case"])).to_dict()
    {'same_case': 2, 'not_a_case': 1}
    """
    counts = exclusions.dropna().astype("object").value_counts().sort_index()
    return counts.sort_values(ascending=False, kind="stable").astype("int64").rename_axis(None)
