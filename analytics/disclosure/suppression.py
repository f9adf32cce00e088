"""Primary and complementary suppression of counts of people: small ones are hidden, and whatever would give them away.

Frames in, new frames out; what is hidden is missing. The arrays below them hold the totals of a table as a further row
and column: its entries.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.disclosure.rules import DisclosureRules
from analytics.statistics.validation import BooleanArray, IntegerArray, refuse

_GREATEST: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class SuppressedTable:
    """A table of counts with its totals, as it may be published: what is hidden is missing.

    Attributes
    ----------
    cells : DataFrame
        Int64, index and columns those of the table.
    row_totals : Series
        Int64, index that of the table.
    column_totals : Series
        Int64, index the columns of the table.
    total : int or None
        None where everything is hidden.
    """

    cells: pd.DataFrame
    row_totals: pd.Series
    column_totals: pd.Series
    total: int | None


def suppress_counts(counts: pd.Series, *, rules: DisclosureRules) -> pd.Series:
    """Return the counts of a breakdown with the small ones missing, and with them the next lowest.

    Parameters
    ----------
    counts : Series
        Whole numbers of people, at least 0, any index. Their sum is known to the reader.
    rules : DisclosureRules

    Returns
    -------
    Series
        Int64, same index. Missing are the counts from 1 to below `minimum_cell` and, where there are any, the lowest
        of the others, the first of several: the sum would give a single hidden count away. Everything is missing where
        the sum is below `minimum_base`.

    Notes
    -----
    A zero is shown: it says of nobody what they answered. Where all counts but zeros are small, no further one can be
    hidden with them.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> suppress_counts(pd.Series([30, 8, 8, 2, 0]), rules=rules).tolist()
    [30, <NA>, 8, <NA>, 0]
    >>> suppress_counts(pd.Series([9, 0]), rules=rules).tolist()
    [<NA>, <NA>]
    """
    hidden = hidden_in_breakdowns(counts.to_numpy("int64")[np.newaxis], rules=rules)[0]
    return counts.astype("Int64").mask(hidden)


def hidden_in_breakdowns(counts: IntegerArray, *, rules: DisclosureRules) -> BooleanArray:
    """Return which counts of several breakdowns are hidden.

    Parameters
    ----------
    counts : array of int, shape (breakdowns, counts)
        Whole numbers of people, at least 0. The sum of each row is known to the reader.
    rules : DisclosureRules

    Returns
    -------
    array of bool, same shape
        As `suppress_counts` hides them in each row. Hidden counts sum to more than `minimum_cell` then, or to
        `minimum_base` or more where all are small: each of them could be anything up to that.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> hidden_in_breakdowns(np.array([[30, 8, 8, 2], [30, 8, 8, 0], [4, 3, 1, 1]]), rules=rules).tolist()
    [[False, True, False, True], [False, False, False, False], [True, True, True, True]]
    """
    small = (counts > 0) & (counts < rules.minimum_cell)
    others = np.where(counts >= rules.minimum_cell, counts, _GREATEST)
    lowest = np.arange(counts.shape[1]) == others.argmin(axis=1)[:, np.newaxis]
    beside = lowest & (others < _GREATEST) & small.any(axis=1, keepdims=True)
    few = counts.sum(axis=1, keepdims=True) < rules.minimum_base
    hidden: BooleanArray = small | beside | few
    return hidden


def can_be_shown(some: int, whole: int, *, rules: DisclosureRules, least: int | None = None) -> bool:
    """Return whether a share can be shown: enough people answered, and neither they nor the others are few.

    Parameters
    ----------
    some, whole : int
        How many people, of how many.
    rules : DisclosureRules
    least : int, optional
        The fewest people that it can be of, by default `minimum_base`.

    Returns
    -------
    bool

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> can_be_shown(5, 40, rules=rules), can_be_shown(36, 40, rules=rules), can_be_shown(0, 9, rules=rules)
    (True, False, False)
    """
    few = any(0 < number < rules.minimum_cell for number in (some, whole - some))
    return whole >= (rules.minimum_base if least is None else least) and not few


def rounded_share(some: float, whole: float, *, rules: DisclosureRules) -> float:
    """Return a share of many people in whole percents, so that parts that are shown cannot be taken away from it.

    Parameters
    ----------
    some, whole : float
        How many people, of how many.
    rules : DisclosureRules

    Returns
    -------
    float
        NaN where one percent of them are fewer than `minimum_cell`: rounding would not hide a small number then.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> rounded_share(431, 500, rules=rules), rounded_share(431, 499, rules=rules)
    (0.86, nan)
    """
    return round(some / whole, 2) if whole >= 100 * rules.minimum_cell else float("nan")


def suppress_table(counts: pd.DataFrame, *, rules: DisclosureRules) -> SuppressedTable:
    """Return a table of counts with its totals, without the small numbers and without what would give them away.

    Parameters
    ----------
    counts : DataFrame
        Whole numbers of people, at least 0; two or more rows and columns, any index. The totals of rows and columns
        are published with it, and nothing that is hidden here is published elsewhere.
    rules : DisclosureRules

    Returns
    -------
    SuppressedTable
        Everything is missing where the total is below `minimum_base`.

    Raises
    ------
    ValueError
        If there are fewer than two rows or columns, or counts that are missing, negative or not whole.

    Notes
    -----
    **Primary**: cells and totals from 1 to below `minimum_cell`. A zero says of nobody what they answered.

    **Complementary**, by the hypercube method: each primary entry is made a corner of a rectangle whose four corners
    are all hidden. Adding d to it, or taking d from it, can then be made good at the other three, in a total with the
    other sign, and no published number changes. The grand total is never a corner.

    Among the rectangles in which d may be 1 or more that one is chosen which hides the fewest further totals; then one
    in which the entry may as well be `minimum_cell` or more; then the one with the fewest further zeros; then the one
    with the lowest numbers, the first of several, by rows. So the choice depends on the order of rows and columns where
    numbers are tied, the guarantee does not: whoever knows every published number, and that none is below 0, can derive
    no hidden one. Totals are hidden where they are small, or where nothing else protects a cell.

    There is always such a rectangle. Another entry that is not 0 stands in another row and column, in the same column,
    or in the same row, since the total is not below `minimum_base`, which is not below `minimum_cell`.

    References
    ----------
    Giessing S, Repsilber D (2002), Tools and strategies to protect multiple tables with the GHQUAR cell suppression
    engine, in: Inference Control in Statistical Databases, Lecture Notes in Computer Science 2316.
    Hsu T-s, Kao M-Y (2002), Statistical disclosure control with general cell suppressions, TR-IIS-02-002, Academia
    Sinica, on tables whose totals may be suppressed as well.
    Hundepool A et al. (2012), Statistical Disclosure Control, Wiley.

    Examples
    --------
    >>> from datetime import date
    >>> from analytics.disclosure.rules import rules_in_force
    >>> rules = rules_in_force(date(2026, 9, 30))
    >>> answers = pd.DataFrame({"owners": [60, 22, 9], "tenants": [14, 9, 3]}, index=["yes", "partly", "no"])
    >>> published = suppress_table(answers, rules=rules)
    >>> published.cells
            owners  tenants
    yes         60       14
    partly    <NA>     <NA>
    no        <NA>     <NA>
    >>> published.row_totals.tolist(), published.column_totals.tolist(), published.total
    ([74, 31, 12], [91, 26], 117)
    """
    if min(counts.shape) < 2:
        raise ValueError(f"a table needs two rows and columns or more, this one has shape {counts.shape}")
    values = counts.to_numpy("float64", na_value=np.nan)
    refuse(~(values >= 0) | (values % 1 != 0), "a count is missing, negative or not whole", count=values)
    entries = _with_totals(values.astype(np.int64))
    if entries[-1, -1] < rules.minimum_base:
        hidden = np.ones(entries.shape, dtype=np.bool_)
    else:
        hidden = _hidden_entries(entries, rules.minimum_cell)
    shown = pd.DataFrame(entries, dtype="Int64").mask(hidden)
    return SuppressedTable(
        cells=shown.iloc[:-1, :-1].set_axis(counts.index, axis="index").set_axis(counts.columns, axis="columns"),
        row_totals=shown.iloc[:-1, -1].set_axis(counts.index).rename(None),
        column_totals=shown.iloc[-1, :-1].set_axis(counts.columns).rename(None),
        total=None if hidden[-1, -1] else int(entries[-1, -1]),
    )


def _with_totals(cells: IntegerArray) -> IntegerArray:
    rows = np.column_stack([cells, cells.sum(axis=1)])
    return np.vstack([rows, rows.sum(axis=0)])


def _hidden_entries(entries: IntegerArray, minimum: int) -> BooleanArray:
    """Return which entries are hidden: the small ones, and for each the corners of a rectangle that protects it."""
    hidden: BooleanArray = (entries > 0) & (entries < minimum)
    for row, column in np.argwhere(hidden):
        other_row, other_column = _protecting_rectangle(entries, hidden, row, column, minimum)
        hidden[np.ix_([row, other_row], [column, other_column])] = True
    return hidden


def _protecting_rectangle(
    entries: IntegerArray, hidden: BooleanArray, row: int, column: int, minimum: int
) -> tuple[int, int]:
    """Return the row and column of the corner opposite to an entry, of the cheapest rectangle that protects it."""
    rise, fall = _leeway(entries, row, column)
    protecting = _opposite_corners(entries.shape, row, column) & ((rise >= 1) | (fall >= 1))
    # Each part of the price is more than all that come after it together, for the three corners that are paid for.
    step = 3 * int(entries[-1, -1]) + 1
    price = entries + np.where(entries == 0, step, 0)
    price[-1, :] += 8 * step
    price[:, -1] += 8 * step
    price[hidden] = 0
    cost = price[:, [column]] + price[[row], :] + price
    cost += np.where(rise >= minimum - entries[row, column], 0, 4 * step)
    best = int(np.where(protecting, cost, _GREATEST).argmin())
    return best // entries.shape[1], best % entries.shape[1]


def _leeway(entries: IntegerArray, row: int, column: int) -> tuple[IntegerArray, IntegerArray]:
    """Return by how much an entry can rise, and fall, in the rectangle with each opposite corner, none below 0.

    A total stands on the other side of its equation, so what is added to a cell is added to the total of its row as
    well, and taken from another cell of it.
    """
    sides = [np.append(np.ones(length - 1, dtype=np.int64), -1) for length in entries.shape]
    along_column = -sides[0][:, np.newaxis] * sides[0][row]
    along_row = -sides[1][np.newaxis, :] * sides[1][column]
    moves = (
        (along_column, entries[:, [column]]),
        (along_row, entries[[row], :]),
        (along_column * along_row, entries),
    )
    rise = np.full(entries.shape, _GREATEST)
    fall = np.full(entries.shape, entries[row, column])
    for move, corner in moves:
        rise = np.minimum(rise, np.where(move < 0, corner, _GREATEST))
        fall = np.minimum(fall, np.where(move > 0, corner, _GREATEST))
    return rise, fall


def _opposite_corners(shape: tuple[int, ...], row: int, column: int) -> BooleanArray:
    """Return which entries can be the opposite corner so that the grand total is no corner."""
    free = np.ones(shape, dtype=np.bool_)
    free[row, :] = free[:, column] = free[-1, -1] = False
    if column == shape[1] - 1:
        free[-1, :] = False
    if row == shape[0] - 1:
        free[:, -1] = False
    return free
