import math
from dataclasses import replace
from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.decision.criterion import (
    check_minimum_exposure,
    check_minimum_responses,
    combine_routes,
    count_positions,
    count_until_next_position,
    decide_complaints,
    decide_complaints_within,
    decide_satisfaction,
    decide_satisfaction_within,
)
from analytics.rules import MinimumResponses, Rounding
from tests.analytics.rule_files import rules_with

ROUNDINGS = get_args(Rounding)
STATUSES = ("met", "not_met", "not_assessed", "not_applicable")
shares = st.fractions(min_value=Fraction(1, 200), max_value=1, max_denominator=200)


@settings(deadline=None)
@given(shares, st.integers(0, 500), st.sampled_from(ROUNDINGS))
def test_positions_are_the_rounded_share_and_never_more_than_everybody(share, eligible, rounding):
    k = count_positions(share, eligible, rounding=rounding)

    assert 0 <= k <= eligible
    if rounding == "floor":
        assert k <= share * eligible < k + 1
    elif rounding == "ceil":
        assert k - 1 < share * eligible <= k
    elif eligible:
        assert k == max(1, math.floor(share * eligible))


@settings(deadline=None)
@given(shares, st.integers(0, 300), st.sampled_from(ROUNDINGS))
def test_k_changes_after_exactly_the_stated_number_of_further_eligible_communities(share, eligible, rounding):
    k = count_positions(share, eligible, rounding=rounding)
    more = count_until_next_position(share, eligible, rounding=rounding)

    assert more >= 1
    assert count_positions(share, eligible + more, rounding=rounding) > k
    assert count_positions(share, eligible + more - 1, rounding=rounding) == k


def test_seven_percent_of_a_hundred_is_seven_although_floats_say_more():
    assert math.ceil(0.07 * 100) == 8
    assert count_positions(Fraction("0.07"), 100, rounding="ceil") == 7


@pytest.mark.parametrize(
    ("share", "eligible", "rounding"),
    [
        (Fraction(0), 10, "floor"),
        (Fraction(5), 10, "floor"),
        (Fraction(1, 20), -1, "floor"),
        (Fraction(1, 20), 10, "up"),
    ],
)
def test_arguments_outside_their_range_are_refused(share, eligible, rounding):
    with pytest.raises(ValueError, match="must"):
        count_positions(share, eligible, rounding=rounding)


@settings(deadline=None)
@given(
    st.integers(0, 100), st.integers(0, 100), st.fractions(min_value=Fraction(1, 50), max_value=1, max_denominator=50)
)
def test_the_minimum_of_responses_is_the_stated_inequality(responses, households, share):
    minimum = MinimumResponses(10, 30, share)
    found = check_minimum_responses(
        np.array([float(responses)]), np.array([float(households)]), np.array([responses > 0]), minimum=minimum
    )

    assert (found[0] == "") == (responses >= 10 and (responses >= 30 or responses >= share * households))


def test_exposure_is_compared_exactly_with_the_minimum():
    exposure = np.array([66_666_666, 66_666_667])

    assert check_minimum_exposure(np.zeros(2), exposure, minimum=Fraction(200, 3)).tolist() == [
        "exposure_too_small",
        "",
    ]


def test_exclude_may_leave_nobody():
    rule = rules_with({"satisfaction.ties": "exclude"}).satisfaction
    decision = decide_satisfaction(np.ones(20), rule=rule)

    assert set(decision.status) == {"not_met"}
    assert set(decision.reason) == {"tied_across_k"}
    assert (decision.boundary_block.above, len(decision.boundary_block.members)) == (0, 20)


def test_only_a_block_that_is_tied_across_k_counts_as_large():
    rule = rules_with({"complaints.zero_ties": "include", "complaints.share": "1/2"}).complaints
    places = np.array([0.0, 0.0, 1.0, 1.0])

    assert decide_complaints(places, places == 0, rule=rule).status.tolist() == ["met", "met", "not_met", "not_met"]


def test_a_large_block_of_communities_with_complaints_needs_a_decision_too():
    rule = rules_with({}).complaints
    places = np.array([1.0] * 3 + [2.0] * 17)
    without = decide_complaints(places, places == 0, rule=rule)
    decided = decide_complaints(places, places == 0, rule=replace(rule, large_boundary_block="yes", ties="exclude"))

    assert without.status[:3].tolist() == ["not_assessed"] * 3
    assert decided.reason[:3].tolist() == ["tied_across_k_by_decision"] * 3


def test_twice_k_is_not_more_than_twice_k():
    rule = rules_with({}).complaints
    places = np.array([1.0] * 2 + [2.0] * 18)

    assert decide_complaints(places, places == 0, rule=rule).status[:2].tolist() == ["met", "met"]


@pytest.mark.parametrize("first", STATUSES)
@pytest.mark.parametrize("second", STATUSES)
def test_either_route_meets_the_criterion_and_no_data_never_does(first, second):
    status, route = combine_routes(np.array([first]), np.array([second]))
    expected = min(first, second, key=("met", "not_assessed", "not_met", "not_applicable").index)

    assert status[0] == expected
    met = [name for name, found in (("satisfaction", first), ("complaints", second)) if found == "met"]
    assert route[0] == ("both" if len(met) == 2 else "".join(met))


@settings(deadline=None)
@given(
    communities=st.lists(
        st.tuples(st.integers(0, 3), st.one_of(st.just(float("nan")), st.integers(0, 3).map(float))), max_size=60
    ),
    ties=st.sampled_from(["include", "exclude"]),
    zero_ties=st.sampled_from(["include", "exclude", "by_exposure", "undecidable"]),
    decision=st.sampled_from([None, "all of them"]),
)
def test_regions_decided_together_are_decided_as_if_each_were_alone(communities, ties, zero_ties, decision):
    rules = rules_with({})
    complaint_rule = replace(
        rules.complaints, share=Fraction(1, 5), ties=ties, zero_ties=zero_ties, large_boundary_block=decision
    )
    satisfaction_rule = replace(rules.satisfaction, share=Fraction(1, 5), ties=ties)
    region = np.array([number for number, _ in communities], dtype=np.int64)
    places = np.array([place for _, place in communities], dtype=float)
    regions = [np.flatnonzero(region == number) for number in range(4)]

    by_complaints = decide_complaints_within(places, places == 0, regions, rule=complaint_rule)
    by_satisfaction = decide_satisfaction_within(places, regions, rule=satisfaction_rule)

    for rows, complaints, satisfaction in zip(regions, by_complaints, by_satisfaction, strict=True):
        own = places[rows]
        assert_same_decision(complaints, decide_complaints(own, own == 0, rule=complaint_rule))
        assert_same_decision(satisfaction, decide_satisfaction(own, rule=satisfaction_rule))


def assert_same_decision(decision, other):
    assert (decision.eligible, decision.positions) == (other.eligible, other.positions)
    for name in ("rank", "last_rank", "percentile", "status", "reason"):
        np.testing.assert_array_equal(getattr(decision, name), getattr(other, name))
