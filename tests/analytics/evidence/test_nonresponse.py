"""Nonresponse: ω that late answers raise and never lower, and the limits that need no assumption."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.decision.community_table import check_communities
from analytics.decision.evaluate import evaluate
from analytics.evidence.nonresponse import (
    compare_channels_by_region,
    compare_waves_by_region,
    nonresponse_spreads,
    raised_spreads,
    with_suggested_spreads,
    worst_cases,
)
from analytics.evidence.weigh_evidence import EVIDENCE_COLUMNS, weigh_evidence
from analytics.files.table_cells import TableError
from tests.analytics.rule_files import rules_with


def city(seed=1, regions=2, size=60):
    random = np.random.default_rng(seed)
    number = regions * size
    answers = random.integers(30, 200, number)
    return pd.DataFrame(
        {
            "community_id": [f"{place:03}" for place in range(number)],
            "region": np.repeat([f"r{place}" for place in range(regions)], size),
            "responses": answers,
            "satisfied": random.binomial(answers, random.beta(16, 4, number)),
            "households": answers * 4,
        }
    )


@given(st.floats(0, 1), st.integers(0, 100))
def test_late_answers_raise_the_assumption_and_never_lower_it(suggested, assumed):
    rules = rules_with({"evidence.nonresponse_spread": f"{assumed} %"})
    [used] = nonresponse_spreads(pd.DataFrame({"region": ["r"], "late_answers_spread": [suggested]}), rules)

    assert used == max(suggested, assumed / 100)


@pytest.mark.parametrize("measure", ["satisfaction_rate", "satisfaction_index"])
def test_evidence_with_a_raised_assumption_is_that_of_a_rule_file_that_states_it(measure):
    table = city(regions=1)
    if measure == "satisfaction_index":
        table = table.assign(mean_index=(100 * table["satisfied"] / table["responses"]).round(6), sd_index=40.0)
    rules = {"satisfaction.measure": measure}
    raised = weigh_evidence(evaluate(table.assign(late_answers_spread=0.06), rules_with(rules)))
    stated = weigh_evidence(evaluate(table, rules_with(rules | {"evidence.nonresponse_spread": "6 %"})))

    pd.testing.assert_frame_equal(raised, stated)


def test_a_region_is_raised_alone_and_the_decision_never_changes():
    table = city()
    spreads = np.where(table["region"] == "r1", 0.08, 0.01)
    before, after = (evaluate(each, rules_with({})) for each in (table, table.assign(late_answers_spread=spreads)))
    weighed, again = weigh_evidence(before), weigh_evidence(after)
    first = (table["region"] == "r0").to_numpy()

    pd.testing.assert_frame_equal(before.standings, after.standings)
    pd.testing.assert_frame_equal(weighed[first], again[first])
    # Scores that say less are drawn further towards the others.
    assert np.var(again["satisfaction_shrunk"][~first]) < 0.8 * np.var(weighed["satisfaction_shrunk"][~first])
    assert raised_spreads(after.communities, rules_with({})) == {"r1": 0.08}


def test_two_numbers_for_one_region_are_a_fault_of_the_table():
    for spreads in ([0.05, 0.04], [0.05, None], [None, 0.05]):
        table = city(regions=1, size=2).assign(late_answers_spread=spreads)
        with pytest.raises(TableError, match="one number holds for a region"):
            check_communities(table, rules_with({}))
    for spreads in ([0.05, 0.05], [None, None]):
        check_communities(city(regions=1, size=2).assign(late_answers_spread=spreads), rules_with({}))


def test_communities_whose_answers_are_withheld_take_no_part_in_the_comparison():
    table = city(regions=1, size=40)
    random = np.random.default_rng(2)
    waves = pd.DataFrame(
        {"first": 20, "first_satisfied": random.integers(10, 20, 40), "last": 20, "last_satisfied": 12},
        index=table["community_id"],
    )
    hidden = table.assign(satisfied=table["satisfied"].astype("Int64").mask(table.index < 5))
    without = compare_waves_by_region(waves, hidden, rules_with({}))
    others = waves.assign(first_satisfied=waves["first_satisfied"].mask(waves.index < "005", 0))

    assert without == compare_waves_by_region(others, hidden, rules_with({}))
    assert without["r0"]["communities"] == 35
    assert without != compare_waves_by_region(waves, table, rules_with({}))


def test_a_table_without_any_comparison_stays_as_it_is():
    table = city(size=9)
    waves = pd.DataFrame(dict.fromkeys(("first", "first_satisfied", "last", "last_satisfied"), 20), index=[])
    waves = waves.reindex(table["community_id"], fill_value=20)
    found = compare_waves_by_region(waves, table, rules_with({}))

    assert found == {"r0": None, "r1": None}
    assert with_suggested_spreads(table, waves=found, channels=found) is table


@given(st.floats(0, 0.2), st.floats(0, 0.2))
def test_the_largest_of_what_is_assumed_and_suggested_is_used(late, slips):
    rules = rules_with({})
    table = city(regions=2, size=3)
    waves, channels = ({"r0": {"spread": spread}, "r1": None} for spread in (late, slips))
    suggested = with_suggested_spreads(table, waves=waves, channels=channels)
    used = nonresponse_spreads(suggested, rules)
    assumed = float(rules.evidence.nonresponse_spread)

    assert used.tolist() == [max(late, slips, assumed)] * 3 + [assumed] * 3
    raised = raised_spreads(suggested, rules)
    assert raised == ({"r0": round(max(late, slips), 6)} if max(late, slips) > assumed else {})


def test_the_answers_of_communities_that_are_withheld_have_no_part_in_the_comparison_of_channels():
    table = city(regions=1, size=40)
    channels = pd.DataFrame(
        {"poster": 20, "poster_satisfied": 18, "slip": 10, "slip_satisfied": 6}, index=table["community_id"]
    )
    hidden = table.assign(satisfied=table["satisfied"].astype("Int64").mask(table.index < 5))
    without = compare_channels_by_region(channels, hidden, rules_with({}))
    others = channels.assign(slip_satisfied=channels["slip_satisfied"].mask(channels.index < "005", 10))

    assert without == compare_channels_by_region(others, hidden, rules_with({}))
    assert (without["r0"]["communities"], without["r0"]["slip"]) == (35, 350)


def test_the_limits_are_those_of_all_ways_in_which_the_others_may_think():
    table = pd.DataFrame({"responses": [3, 2], "satisfied": [2, 1], "households": [5, 4]})
    shares = [
        (table["satisfied"].sum() + sum(others)) / table["households"].sum()
        for others in itertools.product((0, 1), repeat=int((table["households"] - table["responses"]).sum()))
    ]
    cases = worst_cases(table)

    assert (cases.lowest, cases.highest) == (min(shares), max(shares))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.one_of(st.none(), st.integers(0, 200))), min_size=1)
)
def test_limits_are_as_far_apart_as_households_are_unheard(rows):
    table = pd.DataFrame(
        [(max(a, b), min(a, b), households) for a, b, households in rows],
        columns=["responses", "satisfied", "households"],
    ).astype({"households": "Float64"})
    cases = worst_cases(table)
    counted = [row for row in table.to_dict("records") if pd.notna(row["households"]) and row["households"] > 0]
    counted = [row for row in counted if row["households"] >= row["responses"]]

    if not counted:
        assert cases is None
        return
    assert cases.communities == len(counted)
    assert 0 <= cases.lowest <= cases.highest <= 1
    assert cases.highest - cases.lowest == pytest.approx(1 - cases.responses / cases.households)


def test_every_column_of_the_evidence_is_there_with_a_raised_assumption():
    weighed = weigh_evidence(evaluate(city().assign(late_answers_spread=0.05), rules_with({})))

    assert list(weighed.columns) == list(EVIDENCE_COLUMNS)
    assert weighed["satisfaction_top_probability"].sum() == pytest.approx(6, abs=1e-3)
