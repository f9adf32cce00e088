"""Shares of cases with their intervals, over all cases or by group."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import pandas as pd

from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import suppress_counts, suppress_table
from analytics.statistics.intervals import wilson

LEVEL: Final = 0.95
"""Two-sided confidence level of the intervals."""

FEWEST_JUDGED: Final = 10
"""Fewest cases of a group that has a row of its own: of fewer, a share says next to nothing."""


@dataclass(frozen=True)
class Share:
    """Share of cases, with Wilson's interval.

    Attributes
    ----------
    some, of : int
        How many cases, of how many.
    lower, upper : float
        Limits in [0, 1]; 0 and 1 of no case.
    """

    some: int
    of: int
    lower: float
    upper: float

    @property
    def share(self) -> float:
        """The share in [0, 1]; NaN of no case."""
        return self.some / self.of if self.of else float("nan")


def is_below(table: pd.DataFrame, bound: Fraction) -> "pd.Series[bool]":
    """Return whether the share of each group lies below a bound, exactly.

    Parameters
    ----------
    table : DataFrame
        Columns some and of, whole numbers as `shares_by` returns them; of is at least 1.
    bound : Fraction
        In [0, 1].

    Returns
    -------
    Series of bool
        Same index. A share at the bound is not below it: 9 of 10 reaches 90 %, which no float is.

    Examples
    --------
    >>> is_below(pd.DataFrame({"some": [9, 89], "of": [10, 100]}), Fraction(9, 10)).tolist()
    [False, True]
    """
    some, of = (table[name].astype("object") for name in ("some", "of"))
    # A file may write so many digits that a product is larger than 64 bits hold; the table has a row for a company.
    return (some * bound.denominator < of * bound.numerator).astype("bool")


def share_of(has: "pd.Series[Any]", *, level: float = LEVEL) -> Share:
    """Return the share of cases of which something holds, among those of which it is known.

    Parameters
    ----------
    has : Series of boolean
        One value per case; a missing one leaves its case out.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    Share

    Raises
    ------
    ValueError
        If the level is out of range.

    Notes
    -----
    The interval says how far the share of a month or a company may move by chance alone if cases turned out
    independently of each other. All cases are counted: it is no error of a sample.

    Examples
    --------
    >>> found = share_of(pd.Series([True, True, False, None], dtype="boolean"))
    >>> found.some, found.of, round(found.lower, 3), round(found.upper, 3)
    (2, 3, 0.208, 0.939)
    >>> share_of(pd.Series([None], dtype="boolean"))
    Share(some=0, of=0, lower=0.0, upper=1.0)
    """
    known = has.dropna().astype("bool")
    some, number = int(known.sum()), len(known)
    limits = wilson(some, number, level=level)
    return Share(some, number, float(limits.lower), float(limits.upper))


def shares_by(has: "pd.Series[Any]", by: "pd.Series[Any]", *, level: float = LEVEL) -> pd.DataFrame:
    """Return the share of cases of which something holds in each group, among those of which it is known.

    Parameters
    ----------
    has : Series of boolean
        One value per case; a missing one leaves its case out.
    by : Series
        The group of each case, same index; cases without one are a group of their own.
    level : float
        Two-sided confidence level in (0, 1).

    Returns
    -------
    DataFrame
        Indexed by the groups that have a case, in their order, that without a name last; some and of (int64), share,
        lower and upper (Wilson's interval). Without a case it has no rows.

    Raises
    ------
    ValueError
        If the level is out of range.

    Examples
    --------
    >>> kept = pd.Series([True, False, True, None], dtype="boolean")
    >>> shares_by(kept, pd.Series(["b", "b", "a", "c"])).round(3)
       some  of  share  lower  upper
    a     1   1    1.0  0.207  1.000
    b     1   2    0.5  0.095  0.905
    """
    known = has.notna()
    grouped = has[known].astype("bool").groupby(by[known].astype("object"), dropna=False, sort=True)
    table = pd.DataFrame({"some": grouped.sum(), "of": grouped.size()}).astype("int64")
    limits = wilson(table["some"].to_numpy(), table["of"].to_numpy(), level=level)
    return table.assign(share=table["some"] / table["of"], lower=limits.lower, upper=limits.upper).rename_axis(None)


def pool_small_groups(
    by: "pd.Series[Any]", counted: "pd.Series[bool]", *, least: int = FEWEST_JUDGED
) -> "pd.Series[Any]":
    """Return the group of each case, missing where so few cases of it count that it has no row of its own.

    Parameters
    ----------
    by : Series
        The group of each case; may be missing.
    counted : Series of bool
        Which cases count, same index.
    least : int
        The fewest of a group that keeps its name, at least 0.

    Returns
    -------
    Series of object
        Same index: `by`, missing where fewer than `least` cases of the group count.

    Examples
    --------
    >>> groups = pd.Series(["a", "a", "b", None])
    >>> pool_small_groups(groups, pd.Series([True, True, True, True]), least=2).tolist()
    ['a', 'a', None, None]
    """
    sizes = counted.groupby(by.astype("object")).sum()
    named = by.isin(list(sizes.index[sizes >= least]))
    return by.astype("object").where(named, None)


def publish_counts(counts: pd.DataFrame, *, rules: DisclosureRules) -> pd.DataFrame:
    """Return counts of residents' doings by group without the small ones, and without what would give them away.

    Parameters
    ----------
    counts : DataFrame
        Whole numbers of cases, at least 0: a row for each group, a column for each of several doings.
    rules : DisclosureRules

    Returns
    -------
    DataFrame
        Int64, same index and columns, and a last column ``total``; missing what is hidden, as
        `analytics.disclosure.suppression.suppress_table` hides it, or of a single group `suppress_counts`.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> told = pd.DataFrame({"confirmed": [40, 31], "partly": [9, 8], "rejected": [2, 12]}, index=["a", "b"])
    >>> publish_counts(told, rules=rules)
       confirmed  partly  rejected  total
    a         40    <NA>      <NA>     51
    b         31    <NA>      <NA>     51
    """
    if counts.empty:
        return counts.astype("Int64").assign(total=pd.array([], dtype="Int64"))
    if len(counts) == 1:
        [only] = (suppress_counts(row, rules=rules) for _name, row in counts.iterrows())
        number = int(counts.to_numpy().sum())
        total = pd.array([number if number >= rules.minimum_base else None], dtype="Int64")
        return pd.DataFrame([only.tolist()], index=counts.index, columns=counts.columns, dtype="Int64").assign(
            total=total
        )
    shown = suppress_table(counts.reset_index(drop=True), rules=rules)
    return shown.cells.assign(total=shown.row_totals).set_axis(counts.index)
