import io

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analytics.__main__ import main
from analytics.calibration.simulated_city import add_stuffed_responses, simulate_honest_city
from analytics.statistics.integrity_signals import FAMILIES
from tests.analytics.rule_files import REPOSITORY, SHIPPED, rule_text

STUFFED = "005"


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """Rows of 40 communities with 30 answers stuffed into one, their table, and figures of their buildings."""
    directory = tmp_path_factory.mktemp("city")
    responses, answers = simulate_honest_city(3, 40)
    responses, answers = add_stuffed_responses(
        responses, answers, community=5, forms=30, seed=1, same_line=True, seconds=(9, 22)
    )
    random = np.random.default_rng(1)
    rows = responses.assign(
        community_id=responses["community_id"].map("{:03}".format),
        submitted_at=responses["submitted_at"].map(lambda moment: moment.isoformat()),
        tenure=1,
        building=random.choice(["1", "2"], len(responses)),
    )
    rows.join(answers).to_csv(directory / "responses.csv", index=False)
    ids = sorted(rows["community_id"].unique())
    pd.DataFrame({"community_id": ids, "region": "乌达区", "households": 900, "responses": 0, "satisfied": 0}).to_csv(
        directory / "communities.csv", index=False
    )
    (directory / "margins.csv").write_text("margin,category,total\nbuilding,1,300\nbuilding,2,100\n", "utf-8")
    return directory


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments), "--rules", str(SHIPPED), "--language", "en"])


def read(path):
    return pd.read_csv(io.StringIO(path.read_text("utf-8-sig")), dtype={"community_id": str, "response_id": str})


def test_stuffed_answers_are_held_and_the_standings_stand_beside_each_other(city, tmp_path):
    result = run(
        "integrity",
        city / "responses.csv",
        "--rated",
        "q01-q15",
        "--communities",
        city / "communities.csv",
        "--out",
        tmp_path,
    )

    assert result.exit_code == 0, result.output
    held, both = read(tmp_path / "held.csv"), read(tmp_path / "with_and_without_held.csv").set_index("community_id")
    assert set(held["community_id"]) == {STUFFED}
    assert len(held) >= 25
    assert both.loc[STUFFED, "held"] == len(held)
    assert both.loc[STUFFED, "responses"] - both.loc[STUFFED, "responses_without"] == len(held)
    assert both.loc[STUFFED, "satisfaction_score_without"] < both.loc[STUFFED, "satisfaction_score"]
    assert both.drop(STUFFED).eval("responses == responses_without").all()
    assert len(read(tmp_path / "signals.csv")) == len(FAMILIES) * 40
    assert "待核实" in (tmp_path / "integrity.html").read_text("utf-8")
    assert "Similar answers within minutes" in (tmp_path / "integrity.en.html").read_text("utf-8")


def test_without_a_table_of_communities_nothing_is_ranked(city, tmp_path):
    result = run("integrity", city / "responses.csv", "--rated", "q01-q15", "--out", tmp_path)

    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "held.csv",
        "integrity.en.html",
        "integrity.html",
        "signals.csv",
    ]


def test_responses_of_unknown_communities_are_named_line_by_line(city, tmp_path):
    lines = (city / "communities.csv").read_text("utf-8").splitlines()
    (tmp_path / "fewer.csv").write_text("\n".join(line for line in lines if not line.startswith("001")), "utf-8")
    result = run(
        "integrity",
        city / "responses.csv",
        "--rated",
        "q01",
        "--communities",
        tmp_path / "fewer.csv",
        "--out",
        tmp_path / "out",
    )

    assert result.exit_code == 2
    assert f"{city}/responses.csv:2: community_id: community 001 is not in the table of communities" in result.stderr
    assert not (tmp_path / "out").exists()


def test_drivers_are_named_as_the_questionnaire_names_them(city, tmp_path):
    questionnaire = REPOSITORY / "data" / "questionnaires" / "resident-satisfaction-1.yaml"
    result = run(
        "drivers",
        city / "responses.csv",
        "--domains",
        "q02-q04",
        "--questionnaire",
        questionnaire,
        "--out",
        tmp_path,
    )

    assert result.exit_code == 0, result.output
    found = read(tmp_path / "drivers.csv")
    assert found["domain"].tolist() == ["q02", "q03", "q04"]
    assert found["share"].sum() == pytest.approx(1, abs=1e-5)
    assert "Cleanliness" in (tmp_path / "drivers.en.html").read_text("utf-8")
    assert "清洁卫生" in (tmp_path / "drivers.html").read_text("utf-8")


def test_the_overall_question_is_no_domain_of_its_own(city, tmp_path):
    result = run("drivers", city / "responses.csv", "--domains", "q01-q03", "--out", tmp_path)

    assert result.exit_code == 2
    assert "q01 is the overall question and no domain" in result.stderr


def test_raked_scores_stand_beside_the_plain_ones(city, tmp_path):
    result = run("rake", city / "responses.csv", "--margins", city / "margins.csv", "--out", tmp_path)

    assert result.exit_code == 0, result.output
    weights, scores = read(tmp_path / "weights.csv"), read(tmp_path / "raked.csv")
    rows = read(city / "responses.csv").set_index("response_id")
    building = rows.loc[weights["response_id"], "building"].to_numpy()
    # 300 to 100 in the population, whatever the respondents.
    assert weights["weight"][building == 1].sum() / weights["weight"].sum() == pytest.approx(0.75, abs=1e-6)
    assert scores["not_raked"].isna().all()
    assert (scores["effective_responses"] <= scores["responses"]).all()
    own = rows[rows["community_id"] == "001"]
    satisfied, weight = own["q01"].isin([4, 5]), weights.set_index("response_id")["weight"].reindex(own.index)
    assert scores.set_index("community_id").loc["001", "score"] == pytest.approx(
        100 * weight[satisfied].sum() / weight.sum(), abs=1e-5
    )


def test_a_community_that_cannot_be_raked_keeps_its_plain_score_with_the_reason(city, tmp_path):
    margins = tmp_path / "margins.csv"
    margins.write_text(
        "community_id,margin,category,total\n001,building,1,30\n001,building,2,10\n"
        "002,building,1,30\n002,building,2,20\n002,building,3,10\n003,building,1,30\n",
        "utf-8",
    )
    result = run("rake", city / "responses.csv", "--margins", margins, "--trim", "1.2", "--out", tmp_path / "out")

    assert result.exit_code == 0, result.output
    scores = read(tmp_path / "out" / "raked.csv").set_index("community_id")
    assert scores.loc["002":"004", ["not_raked", "cells"]].fillna("").to_numpy().tolist() == [
        ["empty_cell", "building 3"],
        ["category_without_total", "building 2"],
        ["no_margins", ""],
    ]
    assert (scores["score"] == scores["plain_score"])[1:].all()
    assert scores.loc["001", "largest_gap"] > 0
    assert "nobody answered in building 3" in (tmp_path / "out" / "raking.en.html").read_text("utf-8")


def test_raking_all_together_is_refused_where_a_cell_is_empty(city, tmp_path):
    margins = tmp_path / "margins.csv"
    margins.write_text("margin,category,total\nbuilding,1,30\nbuilding,2,10\nbuilding,3,5\n", "utf-8")
    result = run("rake", city / "responses.csv", "--margins", margins, "--out", tmp_path / "out")

    assert (result.exit_code, result.stderr.strip()) == (2, f"{margins}: nobody answered in building 3")


def test_every_fault_of_the_margins_is_named(city, tmp_path):
    margins = tmp_path / "margins.csv"
    margins.write_text("margin,category,total\nbuilding,1,0\nbuilding,1,x\ntenure,,7\n", "utf-8")
    result = run("rake", city / "responses.csv", "--margins", margins, "--out", tmp_path / "out")

    assert result.exit_code == 2
    assert [line.split("margins.csv:")[1] for line in result.stderr.splitlines()] == [
        "2:3: total: a total must be above 0",
        "3:2: category: the margin building has 1 already",
        "3:3: total: this must be a number, it is “x”",
        "4:2: category: this cell is empty",
        "4:3: total: the totals of tenure add up to another sum than those of the first margin",
    ]


def test_composites_are_not_raked(city, tmp_path):
    rules = tmp_path / "rules.yaml"
    choices = {"satisfaction.measure": "composite", "satisfaction.domains": {"q02": "50 %", "q03": "50 %"}}
    rules.write_text(rule_text(choices), "utf-8")
    arguments = ["rake", str(city / "responses.csv"), "--margins", str(city / "margins.csv"), "--out", str(tmp_path)]
    result = CliRunner().invoke(main, [*arguments, "--rules", str(rules), "--language", "en"])

    assert (result.exit_code, result.stderr.strip()) == (2, "composites are not raked: rank the overall question")


def test_figures_of_tenants_are_refused_where_the_rules_rank_owners(city, tmp_path):
    # It said “nobody answered in tenure 2”, though tenants did: their answers do not count.
    margins = tmp_path / "margins.csv"
    margins.write_text("margin,category,total\ntenure,1,300\ntenure,2,100\n", "utf-8")
    result = run("rake", city / "responses.csv", "--margins", margins, "--out", tmp_path / "out")

    assert result.exit_code == 2
    assert "the rules rank owners, so no answer of tenure 2 counts" in result.stderr
    assert not (tmp_path / "out").exists()


def test_figures_of_owners_alone_change_no_weight(city, tmp_path):
    margins = tmp_path / "margins.csv"
    margins.write_text("margin,category,total\ntenure,1,300\n", "utf-8")
    result = run("rake", city / "responses.csv", "--margins", margins, "--out", tmp_path / "out")

    assert result.exit_code == 0, result.output
    assert read(tmp_path / "out" / "weights.csv")["weight"].eq(1).all()
