"""Successive results: whatever is taken away, two tables differ by nobody or by enough people."""

from datetime import date

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from analytics.disclosure.rules import rules_in_force
from analytics.disclosure.successive_results import keep_stated_counts

DISCLOSURE = rules_in_force(date(2026, 9, 30))
LEAST = DISCLOSURE.minimum_base
MISSING = pd.NA


def table_of(responses, satisfied, asked=0, said=0, slips=0):
    values = {
        "responses": responses,
        "satisfied": satisfied,
        "slip_responses": slips,
        "asked_about_complaints": asked,
        "said_complained": said,
    }
    return pd.DataFrame({"community_id": ["001"], **{name: pd.array([each], "Int64") for name, each in values.items()}})


def kept(table, stated):
    return keep_stated_counts(table, stated, disclosure=DISCLOSURE).iloc[0]


@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=1, max_size=8))
def test_in_any_row_of_results_any_two_differ_by_nobody_or_by_enough(taken):
    satisfied, others = 80, 60
    results = [table_of(satisfied + others, satisfied)]
    for good, bad in taken:
        satisfied, others = max(satisfied - good, 0), max(others - bad, 0)
        results.append(keep_stated_counts(table_of(satisfied + others, satisfied), results[-1], disclosure=DISCLOSURE))

    stated = [tuple(result[["responses", "satisfied"]].iloc[0]) for result in results]

    for one in stated:
        for other in stated:
            assert one == other or abs(one[0] - other[0]) >= LEAST


def test_a_community_that_lost_nobody_is_what_was_counted():
    table = table_of(40, 30, asked=35, said=7, slips=20)

    assert kept(table, table).to_dict() == table.iloc[0].to_dict()


def test_what_few_said_about_complaints_is_missing_and_not_stated_again():
    found = kept(table_of(40, 30, asked=31, said=6), table_of(60, 50, asked=52, said=8))

    assert found["responses"] == 40
    assert found["said_complained"] is MISSING
    assert found["asked_about_complaints"] is MISSING


def test_few_slips_fewer_are_missing():
    assert kept(table_of(40, 30, slips=30), table_of(60, 50, slips=33))["slip_responses"] is MISSING
    assert kept(table_of(40, 30, slips=20), table_of(60, 50, slips=33))["slip_responses"] == 20


def test_a_community_without_an_earlier_result_is_what_was_counted():
    table = table_of(40, 30)

    assert kept(table, table.assign(community_id="002"))["responses"] == 40


def test_what_was_withheld_in_the_earlier_result_alone_is_missing():
    table = pd.DataFrame({"community_id": ["001", "002"], "responses": [12, 40], "satisfied": [10, 30]})
    stated = pd.DataFrame({"community_id": ["001", "002"], "responses": [9, 40], "satisfied": [None, 30]})

    found = keep_stated_counts(table, stated, disclosure=DISCLOSURE)

    assert found["satisfied"].tolist() == [MISSING, 30]
    assert found["responses"].tolist() == [9, 40]
