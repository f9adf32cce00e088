"""Few cases on record beside many residents who say that they complained, in comparison with the region."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.decision.community_table import check_communities
from analytics.evidence.underreported_complaints import UNDERREPORTED_COLUMNS, underreported_complaints
from tests.analytics.rule_files import rules_with

RULES = rules_with({})


def region(complaints, said, **columns):
    """One community of 1,000 households beside one in which ten in a hundred say so, and 20 of 1,000 are on record."""
    base = {
        "community_id": ["here", "elsewhere"],
        "region": "r",
        "households": [1_000, 200_000],
        "exposure_household_years": [1_000.0, 200_000.0],
        "complaints": [complaints, 4_000],
        "asked_about_complaints": [100, 9_000],
        "said_complained": [said, 900],
        "responses": [100, 9_000],
        "satisfied": [90, 8_000],
    }
    return check_communities(pd.DataFrame(base | columns), RULES)


@pytest.mark.parametrize(
    ("complaints", "said", "warned"),
    [(0, 30, True), (5, 30, True), (5, 11, True), (5, 9, False), (14, 30, False), (300, 30, False)],
)
def test_few_cases_beside_many_who_complained_are_found(complaints, said, warned):
    """14 cases might be so few by chance, and nine in a hundred are fewer than elsewhere."""
    found = underreported_complaints(region(complaints, said), RULES)

    assert found["community_id"].tolist() == (["here"] if warned else [])


def test_a_shorter_record_than_residents_are_asked_about_is_not_held_against_a_community():
    half = rules_with({"complaints.period_months": 6})

    assert underreported_complaints(region(0, 30), half).empty
    assert list(underreported_complaints(region(0, 30), half)) == list(UNDERREPORTED_COLUMNS)


@pytest.mark.parametrize("column", ["complaints", "said_complained", "households"])
def test_what_is_unknown_is_not_taken_for_none(column):
    table = region(0, 30)
    unknown = table.assign(**{column: table[column].mask(table["community_id"] == "here")})

    assert underreported_complaints(unknown, RULES).empty
    assert underreported_complaints(table.drop(columns="said_complained"), RULES).empty


@given(st.permutations(range(12)), st.integers(0, 1_000))
@settings(max_examples=20, deadline=None)
def test_neither_order_nor_other_regions_matter(order, seed):
    random = np.random.default_rng(seed)
    tables = [
        region(int(random.integers(0, 30)), int(random.integers(0, 40))).assign(
            community_id=[f"{name}{place}" for name in ("here", "elsewhere")], region=f"r{place}"
        )
        for place in range(6)
    ]
    city = pd.concat(tables, ignore_index=True)
    alone = sorted(number for table in tables for number in underreported_complaints(table, RULES)["community_id"])

    assert sorted(underreported_complaints(city.iloc[list(order)], RULES)["community_id"]) == alone
