import pandas as pd
import pytest
from hypothesis import given, settings

from analytics.documents import DocumentError
from analytics.evaluate import evaluate
from analytics.what_if import compare, with_choice
from tests.analytics.rule_files import rules_with
from tests.analytics.test_evaluate import community_rows, rule_choices


def forty(**columns):
    base = {"community_id": [f"{number:02}" for number in range(40)], "region": [*["A"] * 20, *["B"] * 20]}
    return pd.DataFrame(base | {"responses": 50, "satisfied": [*range(10, 50)]} | columns)


def changes(frame, choice, value, choices=()):
    rules = rules_with(dict(choices))
    result = compare(evaluate(frame, rules), with_choice(rules, choice, value))
    return result.communities.dropna(subset="change").set_index("community_id")["change"].to_dict(), result


@settings(max_examples=40, deadline=None)
@given(community_rows(), rule_choices(), rule_choices())
def test_entering_and_leaving_explain_the_whole_difference(rows, choices, others):
    result = compare(evaluate(pd.DataFrame(rows), rules_with(choices)), rules_with(others))

    regions = result.regions
    assert (regions["met_before"] + regions["enters"] - regions["leaves"] == regions["met_after"]).all()
    assert regions["met_after"].sum() == (result.after.standings["requirement_status"] == "met").sum()
    assert (result.communities["before"] == result.before.standings["requirement_status"]).all()


@settings(max_examples=20, deadline=None)
@given(community_rows(), rule_choices())
def test_the_same_rules_change_nothing(rows, choices):
    rules = rules_with(choices)

    assert compare(evaluate(pd.DataFrame(rows), rules), rules).communities["change"].isna().all()


def test_ranked_over_the_city_the_better_district_takes_both_positions():
    found, result = changes(forty(), "region", "city")

    assert found == {"19": "leaves", "38": "enters"}
    assert result.regions.to_dict("index") == {
        "A": {"met_before": 1, "met_after": 0, "enters": 0, "leaves": 1},
        "B": {"met_before": 1, "met_after": 2, "enters": 1, "leaves": 0},
    }


def test_the_city_may_follow_rules_that_looked_to_a_wider_region():
    found, _ = changes(forty(), "region", "city", {"when_k_is_zero": "wider_region"})

    assert found == {"19": "leaves", "38": "enters"}


def test_a_larger_minimum_takes_the_leader_with_few_answers_out():
    frame = forty(responses=[*[50] * 39, 49])
    found, result = changes(frame, "minimum_responses", 50)

    # 19 communities are left in B, of which 5 % are less than one.
    assert found == {"39": "leaves"}
    assert result.after.standings["satisfaction_reason"].iloc[39] == "too_few_responses"


def test_rounding_up_names_one_more_of_twenty_one():
    frame = pd.concat([forty(), forty().iloc[:1].assign(community_id="40")], ignore_index=True)
    found, _ = changes(frame, "rounding", "ceil")

    assert found == {"18": "enters"}


def test_communities_without_complaints_can_be_left_out():
    frame = forty(complaints=[0, *[5] * 19, 0, *[5] * 19], exposure_household_years=500)
    found, _ = changes(frame, "zero_ties", "exclude")

    assert found == {}
    tied, _ = changes(frame.assign(complaints=[0, 0, *[5] * 38]), "zero_ties", "exclude")
    assert tied == {"00": "leaves", "01": "leaves"}


def test_other_rules_have_a_name_and_a_hash_of_their_own():
    rules = rules_with({})
    same = with_choice(rules, "ties", "include")

    assert (same.name, same.satisfaction, same.complaints) == (
        f"{rules.name}-what-if",
        rules.satisfaction,
        rules.complaints,
    )
    assert same.sha256 != rules.sha256


@pytest.mark.parametrize(("choice", "value"), [("ties", "random"), ("minimum_responses", 0), ("region", 5)])
def test_a_value_that_the_choice_cannot_have_is_refused(choice, value):
    with pytest.raises(DocumentError):
        with_choice(rules_with({}), choice, value)


def test_a_choice_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="choice must be one of region, rounding"):
        with_choice(rules_with({}), "luck", "include")
