"""Companies that are named because they answer late: by a minimum and a bound that are stated, never by a ranking."""

from typing import Final

import pandas as pd

from analytics.casework.shares import shares_by

LEAST_CASES: Final = 20
"""Fewest answers that came due before a company is named: one case more or less moves no name then."""
LEAST_SHARE: Final = 0.8
"""Share in time below which a company is named."""


def find_laggards(
    cases: pd.DataFrame, *, least_cases: int = LEAST_CASES, least_share: float = LEAST_SHARE
) -> pd.DataFrame:
    """Return the companies of which too few answers came in time.

    Parameters
    ----------
    cases : DataFrame
        Columns company, answered_in_time and is_companys of `analytics.casework.case_frame.CASE_COLUMNS`, of the cases
        whose answer came due in the period.
    least_cases : int
        The fewest such cases of a company that is named.
    least_share : float
        The share in time, in [0, 1], below which it is.

    Returns
    -------
    DataFrame
        Indexed by company, in the order of the names: some (in time), of, share, lower, upper, as
        `analytics.casework.shares.shares_by` returns them. A share at the bound is not below it.

    Notes
    -----
    Only answers count that were the company's to give: not those of cases that it never got, nor of stage 2.

    Examples
    --------
    >>> kept = pd.array([True] * 15 + [False] * 5 + [False] * 3, dtype="boolean")
    >>> cases = pd.DataFrame({"company": ["a"] * 20 + ["b"] * 3, "answered_in_time": kept, "is_companys": True})
    >>> find_laggards(cases)[["some", "of", "share"]]
       some  of  share
    a    15  20   0.75
    """
    own = cases[cases["is_companys"].astype("bool") & cases["company"].notna()]
    judged = shares_by(own["answered_in_time"], own["company"])
    return judged[(judged["of"] >= least_cases) & (judged["share"] < least_share)]
