from datetime import date
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.casework.shares import is_below, pool_small_groups, publish_counts, share_of, shares_by
from analytics.disclosure.rules import rules_in_force
from analytics.statistics.intervals import wilson

RULES = rules_in_force(date(2026, 9, 30))
CASES = st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from([True, False, None])), max_size=60)


def columns(cases):
    groups = pd.Series([group for group, _has in cases], dtype="object")
    return pd.Series([has for _group, has in cases], dtype="boolean"), groups


@given(st.integers(0, 2_000), st.integers(1, 2_000), st.fractions(0, 1, max_denominator=1_000))
def test_a_share_is_below_a_bound_exactly_and_never_at_it(some, of, bound):
    table = pd.DataFrame({"some": [some, bound.numerator], "of": [of, bound.denominator]})

    assert is_below(table, bound).tolist() == [Fraction(some, of) < bound, False]


def test_the_interval_of_a_share_is_wilsons():
    limits = wilson(8, 10, level=0.95)

    found = share_of(pd.Series([True] * 8 + [False] * 2, dtype="boolean"))

    assert (found.share, found.lower, found.upper) == (0.8, float(limits.lower), float(limits.upper))


def test_of_no_case_there_is_no_share():
    found = share_of(pd.Series([], dtype="boolean"))

    assert found.share != found.share
    assert (found.lower, found.upper) == (0, 1)


@given(CASES)
def test_groups_add_up_to_the_whole_and_unknown_cases_are_in_none(cases):
    has, groups = columns(cases)

    table, whole = shares_by(has, groups), share_of(has)

    assert (table["some"].sum(), table["of"].sum()) == (whole.some, whole.of)
    assert whole.of == sum(value is not None for _group, value in cases)
    assert (table["share"].between(table["lower"] - 1e-12, table["upper"] + 1e-12)).all()
    assert (table["of"] > 0).all()


def test_cases_without_a_group_come_last():
    has, groups = columns([(None, True), ("b", False), ("a", True)])

    assert shares_by(has, groups).index.tolist()[:2] == ["a", "b"]
    assert pd.isna(shares_by(has, groups).index[2])


@given(CASES, st.integers(0, 12))
def test_pooled_groups_are_those_of_few_counted_cases(cases, least):
    has, groups = columns(cases)
    counted = has.notna()

    pooled = pool_small_groups(groups, counted, least=least)

    for group in {name for name, _has in cases if name is not None}:
        is_named = (pooled[groups == group] == group).all()
        assert is_named == (counted[groups == group].sum() >= least)
    assert pooled[groups.isna()].isna().all()


COUNTS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=6)


@given(COUNTS)
def test_no_small_number_is_published_and_none_follows_from_the_totals(rows):
    counts = pd.DataFrame(rows, columns=["confirmed", "partly", "rejected"])

    told = publish_counts(counts, rules=RULES)

    shown = told[counts.columns]
    assert not (((shown > 0) & (shown < RULES.minimum_cell)).fillna(False)).any().any()
    assert (shown.isna() | (shown == counts)).all().all()
    for place in told.index:
        hidden = int(shown.loc[place].isna().sum())
        assert hidden != 1 or pd.isna(told.loc[place, "total"]), "the total would give a single hidden number away"


def test_numbers_that_are_all_large_or_zero_are_published_with_their_totals():
    told = publish_counts(pd.DataFrame({"confirmed": [40], "rejected": [0]}, index=["a"]), rules=RULES)

    assert told.loc["a"].tolist() == [40, 0, 40]


def test_without_groups_nothing_is_published():
    told = publish_counts(pd.DataFrame({"confirmed": []}, dtype="int64"), rules=RULES)

    assert told.columns.tolist() == ["confirmed", "total"]
    assert told.empty


def test_the_total_of_a_single_small_group_is_hidden():
    told = publish_counts(pd.DataFrame({"confirmed": [3], "rejected": [2]}, index=["a"]), rules=RULES)

    assert told.loc["a"].isna().all()


def test_a_share_of_an_impossible_level_is_refused():
    with pytest.raises(ValueError, match="level"):
        share_of(pd.Series([True], dtype="boolean"), level=1.5)
