from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from analytics.disclosure.rules import rules_in_force
from analytics.disclosure.suppression import can_be_shown, suppress_counts, suppress_table

RULES = rules_in_force(date(2026, 9, 30))
CELL, BASE = RULES.minimum_cell, RULES.minimum_base

# Many zeros and small numbers, which are hard to hide, among some that are not.
counts_of_people = st.one_of(st.just(0), st.integers(0, 6), st.integers(0, 40))
tables = arrays(np.int64, st.tuples(st.integers(2, 4), st.integers(2, 4)), elements=counts_of_people)


def entries_of(published):
    """Return what is published as floats, totals in a further row and column, NaN where hidden."""
    cells = published.cells.to_numpy("float64", na_value=np.nan)
    rows = published.row_totals.to_numpy("float64", na_value=np.nan)
    columns = published.column_totals.to_numpy("float64", na_value=np.nan)
    total = np.nan if published.total is None else published.total
    return np.block([[cells, rows[:, np.newaxis]], [columns, np.array([total])]])


def with_totals(cells):
    return np.block([[cells, cells.sum(axis=1, keepdims=True)], [cells.sum(axis=0), cells.sum()]])


def equations_of(shape):
    """Return a matrix with one row for each row and column of a table with totals: its parts less its total are 0."""
    positions = np.arange(np.prod(shape)).reshape(shape)
    matrix = np.zeros((sum(shape), positions.size))
    for equation, line in zip(matrix, [*positions, *positions.T], strict=True):
        equation[line] = [1] * (line.size - 1) + [-1]
    return matrix


def attacked(published):
    """Return the least and greatest value of every hidden entry that agrees with all published numbers, row by row."""
    entries = entries_of(published)
    equations, bounds = equations_of(entries.shape), [(0, None) if np.isnan(n) else (n, n) for n in entries.flat]
    found = []
    for place in np.flatnonzero(np.isnan(entries)):
        sought = np.eye(entries.size)[place]
        ends = [
            linprog(sign * sought, A_eq=equations, b_eq=np.zeros(len(equations)), bounds=bounds) for sign in (1, -1)
        ]
        # Where nothing bounds it from above, there is no solution.
        found.append((ends[0].fun, -ends[1].fun if ends[1].success else np.inf))
    return found


@given(st.lists(st.integers(0, 60), min_size=2, max_size=7))
def test_no_small_number_is_shown_nor_can_be_reckoned_from_the_sum(counts):
    numbers = pd.Series(counts)

    shown = suppress_counts(numbers, rules=RULES)

    assert not ((shown > 0) & (shown < CELL)).any()
    hidden = numbers[shown.isna()]
    if numbers.sum() < BASE:
        assert shown.isna().all()
    elif len(hidden) and (numbers >= CELL).any():
        # The sum of what is hidden is known: it must leave more than one possibility.
        assert len(hidden) > 1
        assert hidden.max() >= CELL


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([30, 20, 10], [30, 20, 10]),
        ([30, 20, 0], [30, 20, 0]),
        ([30, 20, 4], [30, None, None]),
        ([30, 8, 8, 2, 0], [30, None, 8, None, 0]),
        ([4, 3, 3, 0], [None, None, None, 0]),
        ([9, 0], [None, None]),
        ([10, 0], [10, 0]),
    ],
)
def test_of_several_counts_the_lowest_that_is_not_small_is_hidden_beside_small_ones(counts, shown):
    assert suppress_counts(pd.Series(counts), rules=RULES).astype(object).where(pd.notna, None).tolist() == shown


def test_other_rules_hide_other_numbers():
    strict = replace(RULES, minimum_base=40, minimum_cell=10)

    assert suppress_counts(pd.Series([30, 20, 8]), rules=strict).isna().tolist() == [False, True, True]
    assert suppress_counts(pd.Series([20, 19]), rules=strict).isna().all()


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((0, 9), False), ((0, 10), True), ((1, 40), False), ((4, 40), False), ((5, 40), True), ((36, 40), False)],
)
def test_neither_answer_may_be_a_small_number(counts, expected):
    assert can_be_shown(*counts, rules=RULES) is expected


@settings(max_examples=150, deadline=None)
@given(tables)
def test_no_hidden_entry_of_a_table_can_be_derived(counts):
    published = suppress_table(pd.DataFrame(counts), rules=RULES)

    intervals = attacked(published)
    truth = with_totals(counts)[np.isnan(entries_of(published))]
    for (least, greatest), value in zip(intervals, truth, strict=True):
        assert least - 1e-6 <= value <= greatest + 1e-6
        assert greatest - least > 1 - 1e-6


@given(tables)
def test_a_table_shows_no_small_number_and_no_wrong_one(counts):
    published = entries_of(suppress_table(pd.DataFrame(counts), rules=RULES))

    assert not ((published > 0) & (published < CELL)).any()
    shown = ~np.isnan(published)
    assert (published[shown] == with_totals(counts)[shown]).all()
    assert shown.any() == (counts.sum() >= BASE)


@given(tables)
def test_a_table_without_small_numbers_is_shown_whole(counts):
    large = np.where(counts > 0, counts + CELL, 0)
    published = entries_of(suppress_table(pd.DataFrame(large), rules=RULES))

    assert np.isnan(published).any() == (large.sum() < BASE)


def test_three_further_cells_hide_a_small_one_and_all_totals_are_shown():
    table = pd.DataFrame([[3, 40, 60], [20, 50, 70], [30, 45, 90]], index=list("abc"), columns=list("xyz"))

    published = suppress_table(table, rules=RULES)

    assert published.cells.isna().to_numpy().tolist() == [
        [True, True, False],
        [True, True, False],
        [False, False, False],
    ]
    assert published.cells.index.tolist() == list("abc")
    assert published.row_totals.to_dict() == {"a": 103, "b": 140, "c": 165}
    assert published.column_totals.to_dict() == {"x": 53, "y": 135, "z": 220}
    assert published.total == 408
    assert attacked(published)[0] == pytest.approx((0, 23))


def test_a_zero_is_hidden_only_where_nothing_else_protects():
    published = suppress_table(pd.DataFrame([[3, 0], [0, 30]]), rules=RULES)

    assert published.cells.isna().all(axis=None)
    assert [least for least, _ in attacked(published)] == pytest.approx([0] * 8)


def test_totals_that_give_the_only_cell_of_their_row_away_are_hidden():
    published = suppress_table(pd.DataFrame([[1, 0], [9, 0]]), rules=RULES)

    assert published.cells.isna().to_numpy().tolist() == [[True, False], [True, False]]
    assert published.row_totals.isna().all()
    assert published.column_totals.tolist() == [10, 0]


@pytest.mark.parametrize("counts", [[[1, -1], [3, 4]], [[1.5, 2], [3, 4]], [[None, 2], [3, 4]]])
def test_what_is_no_count_is_refused(counts):
    with pytest.raises(ValueError, match="missing, negative or not whole in 1 of 4 rows: row"):
        suppress_table(pd.DataFrame(counts), rules=RULES)


def test_a_single_row_is_no_table():
    with pytest.raises(ValueError, match="two rows and columns or more"):
        suppress_table(pd.DataFrame([[1, 2, 3]]), rules=RULES)
