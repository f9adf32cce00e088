import pandas as pd
import pytest
from hypothesis import given, settings

from analytics.decision.evaluate import evaluate
from analytics.decision.what_if import OtherPopulationNotCounted, compare, with_choices
from analytics.files.table_cells import TableError
from analytics.files.yaml_documents import DocumentError
from tests.analytics.decision.test_evaluate import community_rows, rule_choices
from tests.analytics.rule_files import rules_with


def forty(**columns):
    base = {"community_id": [f"{number:02}" for number in range(40)], "region": [*["A"] * 20, *["B"] * 20]}
    return pd.DataFrame(base | {"responses": 50, "satisfied": [*range(10, 50)]} | columns)


def changes(frame, choice, value, choices=()):
    rules = rules_with(dict(choices))
    result = compare(evaluate(frame, rules), with_choices(rules, {choice: value}))
    return result.communities.dropna(subset="change").set_index("community_id")["change"].to_dict(), result


@settings(max_examples=40, deadline=None)
@given(community_rows(), rule_choices(), rule_choices())
def test_entering_and_leaving_explain_the_whole_difference(rows, choices, others):
    result = compare(evaluate(pd.DataFrame(rows), rules_with(choices)), rules_with(others))

    regions = result.regions
    assert (regions["met_before"] + regions["enters"] - regions["leaves"] == regions["met_after"]).all()
    assert regions["met_after"].sum() == (result.after.standings["criterion_status"] == "met").sum()
    assert (result.communities["before"] == result.before.standings["criterion_status"]).all()


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
    same = with_choices(rules, {"ties": "include"})

    assert (same.name, same.satisfaction, same.complaints) == (
        f"{rules.name}-what-if",
        rules.satisfaction,
        rules.complaints,
    )
    assert same.sha256 != rules.sha256


@pytest.mark.parametrize(("choice", "value"), [("ties", "random"), ("minimum_responses", 0), ("region", 5)])
def test_a_value_that_the_choice_cannot_have_is_refused(choice, value):
    with pytest.raises(DocumentError):
        with_choices(rules_with({}), {choice: value})


def test_a_choice_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="a choice must be one of measure, population"):
        with_choices(rules_with({}), {"luck": "include"})


def test_several_choices_are_made_at_once():
    rules = with_choices(rules_with({}), {"rounding": "ceil", "region": "city", "minimum_responses": "none"})

    assert (rules.satisfaction.rounding, rules.complaints.rounding, rules.region) == ("ceil", "ceil", "city")
    assert rules.satisfaction.minimum_responses is None


def test_every_choice_that_cannot_be_is_named():
    with pytest.raises(DocumentError) as caught:
        with_choices(rules_with({}), {"ties": "random", "rounding": "down"})

    assert sorted({fault.key for fault in caught.value.faults}) == [
        "complaints.rounding",
        "complaints.ties",
        "satisfaction.rounding",
        "satisfaction.ties",
    ]


COMPOSITE = {"satisfaction.measure": "composite", "satisfaction.domains": {"q02": "60 %", "q03": "40 %"}}


def test_the_overall_question_may_name_another_community_than_the_composite():
    frame = forty(composite_responses=50, mean_composite=[*([90.0] + [50.0] * 19) * 2])
    found, _ = changes(frame, "measure", "satisfaction_rate", COMPOSITE)

    assert found == {"00": "leaves", "19": "enters", "20": "leaves", "39": "enters"}


def test_a_composite_without_domains_is_refused():
    with pytest.raises(DocumentError, match=r"satisfaction\.domains: this key is missing"):
        with_choices(rules_with({}), {"measure": "composite"})


def test_all_residents_are_compared_from_a_table_of_their_own():
    owners = evaluate(forty(), rules_with({}))
    residents = forty(satisfied=[*[40] * 19, 10, *[40] * 18, 45, 10]).iloc[::-1]
    result = compare(owners, with_choices(owners.rules, {"population": "residents"}), communities=residents)
    found = result.communities.dropna(subset="change").set_index("community_id")["change"]

    assert found[["19", "38", "39"]].to_dict() == {"19": "leaves", "38": "enters", "39": "leaves"}


def test_another_population_is_never_read_from_the_same_table():
    owners = evaluate(forty(), rules_with({}))

    with pytest.raises(OtherPopulationNotCounted, match="the table counts owners, the other rules rank residents"):
        compare(owners, with_choices(owners.rules, {"population": "residents"}))


def test_tables_of_different_communities_are_not_compared():
    owners = evaluate(forty(), rules_with({}))
    others = forty(community_id=[*[f"{number:02}" for number in range(39)], "99"])

    with pytest.raises(TableError) as caught:
        compare(owners, owners.rules, communities=others)
    assert [fault.text() for fault in caught.value.faults] == [
        "community 39 of the first table is missing",
        "community 99 is not in the first table",
    ]
