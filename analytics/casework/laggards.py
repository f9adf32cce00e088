"""Companies that are named because they answer late: by a minimum and a bound that are stated, never by a ranking."""

from fractions import Fraction

import pandas as pd

from analytics.casework.shares import is_below, shares_by


def find_laggards(cases: pd.DataFrame, *, least_cases: int, least_share: Fraction) -> pd.DataFrame:
    """Return the companies of which too few answers came in time.

    Parameters
    ----------
    cases : DataFrame
        Columns company, answered_in_time and is_companys of `analytics.casework.case_frame.CASE_COLUMNS`, of the cases
        whose answer came due in the period.
    least_cases : int
        The fewest such cases of a company that is named: one case more or less moves no name then.
    least_share : Fraction
        The share in time, in [0, 1], below which it is.

    Returns
    -------
    DataFrame
        Indexed by company, in the order of the names: some (in time), of, share, lower, upper, as
        `analytics.casework.shares.shares_by` returns them.

    Notes
    -----
    Only answers count that were the company's to give: not those of cases that it never got, nor of stage 2.

    A share at the bound is not below it; the two are compared exactly.

    Examples
    --------
    >>> kept = pd.array([True] * 15 + [False] * 5 + [False] * 3, dtype="boolean")
    >>> cases = pd.DataFrame({"company": ["a"] * 20 + ["b"] * 3, "answered_in_time": kept, "is_companys": True})
    >>> found = find_laggards(cases, least_cases=20, least_share=Fraction(4, 5))
    >>> found[["some", "of", "share"]]
       some  of  share
    a    15  20   0.75
    """
    own = cases[cases["is_companys"].astype("bool") & cases["company"].notna()]
    judged = shares_by(own["answered_in_time"], own["company"])
    return judged[(judged["of"] >= least_cases) & is_below(judged, least_share)]
