import json

import pandas as pd
import pytest
from click.testing import CliRunner

from analytics.__main__ import main
from analytics.evidence.quota_feasibility import Expectations, forecast_round
from analytics.reports.forecast_sentences import forecast_sentences
from tests.analytics.rule_files import SHIPPED, rules_2_with, rules_with

EXPECTED = Expectations(response_rate=0.3, satisfaction_rate=0.8, spread=0.07)


def city(**communities):
    """Return a table with the given number of communities of 400 households per region."""
    regions = [region for region, count in communities.items() for _ in range(count)]
    return pd.DataFrame(
        {"community_id": [f"{number:03}" for number in range(len(regions))], "region": regions, "households": 400}
    )


def forecast(communities, quota, choices=()):
    return forecast_round(communities, rules_with(dict(choices)), quota=quota, expectations=EXPECTED)


@pytest.fixture
def plan(tmp_path):
    """Return a function that runs the plan command on a table and returns its result and output directory."""

    def run(frame, *options):
        frame.to_csv(tmp_path / "table.csv", index=False)
        command = [
            "plan",
            str(tmp_path / "table.csv"),
            "--rules",
            str(SHIPPED),
            "--out",
            str(tmp_path / "out"),
            *options,
        ]
        return CliRunner().invoke(main, [*command, "--language", "en"]), tmp_path / "out"

    return run


def test_ten_nominations_take_two_hundred_communities_on_one_route_and_half_as_many_on_two():
    frame = forecast(city(large=200, middle=100, small=99), {"large": 10, "middle": 10, "small": 10})

    assert frame["surely_named"].to_dict() == {"large": 10, "middle": 5, "small": 4}
    assert frame["quota_fillable"].to_dict() == {"large": True, "middle": True, "small": False}
    said = list(forecast_sentences(frame, "en"))
    assert "The quota of 10 can be filled. " in said[0]
    assert "only if both routes name different communities" in said[1]
    assert "CANNOT be filled" in said[2]
    assert (
        "The 120 answers of the median community tell communities apart with a reliability of 0.78. 77 answers"
        in said[0]
    )


def test_communities_that_are_all_alike_cannot_be_told_apart_by_any_number_of_answers():
    alike = Expectations(response_rate=0.3, satisfaction_rate=0.8, spread=0.0)
    frame = forecast_round(city(large=200), rules_with({}), quota={"large": 10}, expectations=alike)

    assert frame["reliable_responses"].isna().all()
    assert "No number of answers" in next(forecast_sentences(frame, "en"))


@pytest.mark.parametrize(("choices", "wider"), [({}, 1.5), ({"evidence.one_answer_per_household": True}, 1)])
def test_like_answers_of_one_household_make_the_forecast_less_precise(choices, wider):
    assumed = {"evidence.nonresponse_spread": "0 %", "evidence.design_effect": "3/2"}
    rules = rules_2_with(assumed | choices)
    plain = rules_2_with(assumed | choices | {"evidence.design_effect": 1})

    frames = (
        forecast_round(city(large=200), each, quota={"large": 10}, expectations=EXPECTED) for each in (rules, plain)
    )
    clustered, independent = (frame.loc["large"] for frame in frames)

    assert clustered["half_width"] == pytest.approx(independent["half_width"] * wider**0.5)
    assert (clustered["undecided_share"] > independent["undecided_share"]) == (wider > 1)


def test_a_complaint_route_with_another_share_is_not_counted_on():
    frame = forecast(city(large=200), {"large": 10}, {"complaints.share": "10 %"})

    assert frame.loc["large", ["complaint_places", "possibly_named"]].tolist() == [0, 10]


def test_the_whole_city_is_one_region_where_it_is_ranked_together():
    frame = forecast(city(a=100, b=100), {"乌海市": 10}, {"region": "city"})

    assert frame["surely_named"].to_dict() == {"乌海市": 10}


def test_without_a_minimum_one_answer_is_enough():
    frame = forecast(city(a=40), {"a": 1}, {"satisfaction.minimum_responses": "none"})

    assert frame.loc["a", "expected_eligible"] == pytest.approx(40)


def test_a_region_without_quota_is_named():
    with pytest.raises(ValueError, match="no quota for b"):
        forecast(city(a=1, b=1), {"a": 1})


def test_the_command_writes_what_it_says(plan):
    result, out = plan(city(海勃湾区=200, 乌达区=40), "--quota", "10", "--quota", "乌达区=5", "--response-rate", "0.3")

    assert result.exit_code == 0, result.output
    assert (out / "plan.txt").read_text("utf-8") == result.stdout
    content = json.loads((out / "plan.json").read_text("utf-8"))
    assert {name: facts["quota"] for name, facts in content["regions"].items()} == {"海勃湾区": 10, "乌达区": 5}
    assert content["expectations"]["response_rate"] == 0.3
    assert "Assumed: 30% answer" in result.stdout


@pytest.mark.parametrize("quota", ["乌达区=many", "0", "乌达区=5"])
def test_a_quota_that_is_none_or_missing_is_refused(plan, quota):
    result, out = plan(city(海勃湾区=20, 乌达区=40), "--quota", quota)

    assert result.exit_code == 2
    assert not out.exists()


def test_communities_without_households_are_named(plan):
    result, _ = plan(city(a=2).assign(households=[400, None]), "--quota", "1")

    assert result.exit_code == 2
    assert ":3:3: households: the number of households is missing" in result.stderr


def test_a_table_without_the_column_says_so_once(plan):
    result, _ = plan(city(a=2).drop(columns="households"), "--quota", "1")

    assert [line.split(": ", 1)[1] for line in result.stderr.splitlines()] == ["households: this column is missing"]


@pytest.mark.parametrize("option", ["--response-rate", "--expected-rate", "--expected-spread"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
def test_an_expectation_that_is_no_number_is_refused(plan, option, value):
    result, out = plan(city(海勃湾区=20), "--quota", "1", option, value)

    assert result.exit_code == 2
    assert option in result.stderr
    assert not out.exists()


def test_a_quota_of_a_region_that_there_is_not_is_refused(plan):
    result, out = plan(city(海勃湾区=20), "--quota", "1", "--quota", "海渤湾区=2")

    assert result.exit_code == 2
    assert "海渤湾区" in result.stderr
    assert not out.exists()
