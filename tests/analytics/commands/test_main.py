import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from analytics.__main__ import main
from tests.analytics.rule_files import REPOSITORY, SHIPPED, rule_text

TABLE = "community_id,region,responses,satisfied\n" + "".join(
    f"{number:03},海勃湾区,50,{45 if number == 7 else 30}\n" for number in range(20)
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE, "utf-8")
    return path


def run(table, out, *options, rules=SHIPPED):
    return CliRunner().invoke(main, ["evaluate", str(table), "--rules", str(rules), "--out", str(out), *options])


def test_a_table_is_evaluated_and_summarised(table, tmp_path):
    result = run(table, tmp_path / "new" / "out", "--language", "en")

    assert result.exit_code == 0, result.output
    written = sorted(path.name for path in (tmp_path / "new" / "out").iterdir())
    assert written == ["evaluation.json", "report.en.html", "report.html", "standings.csv"]
    assert "海勃湾区" in result.stdout
    assert "Complaint route: the table has no complaints, so nobody is assessed by the complaint rate." in result.stdout


def imported_by_evaluating(table, out):
    """Evaluate a table in a process of its own and return the modules that it imported."""
    command = [sys.executable, "-X", "importtime", "-m", "analytics"]
    command += ["evaluate", table, "--rules", SHIPPED, "--out", out]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    return {line.rsplit("|", 1)[1].strip() for line in lines if line.startswith("import time:")}


def test_the_command_runs_as_a_module_without_the_site(table, tmp_path):
    imported = imported_by_evaluating(table, tmp_path / "out")

    packages = {module.split(".")[0] for module in imported}
    # A chart is drawn, and nothing that other commands alone need is loaded.
    assert {"analytics", "matplotlib"} <= packages
    assert not packages & {"flask", "sqlalchemy", "dash", "survey_app", "dashboards"}
    assert not {module for module in imported if module.startswith("analytics.calibration")}
    assert "analytics.statistics.integrity_signals" not in imported
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))["communities"] == 20


def test_no_drawing_library_is_loaded_where_nothing_is_drawn(table, tmp_path):
    # Of fewer than twenty no position is 5 %, so nobody can be listed.
    table.write_text("".join(TABLE.splitlines(keepends=True)[:11]), "utf-8")
    imported = imported_by_evaluating(table, tmp_path / "out")

    assert "analytics.reports.evaluation_report" in imported
    assert "<svg" not in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert not {"matplotlib", "scipy.stats", "scipy.optimize"} & imported


def test_help_lists_every_command_with_what_it_does():
    result = CliRunner().invoke(main, ["--help"])

    listed = dict(line.split(maxsplit=1) for line in result.stdout.split("Commands:")[1].splitlines() if line)
    assert list(listed) == ["calibrate", "drivers", "evaluate", "integrity", "plan", "rake", "trends", "what-if"]
    assert listed["integrity"] == "Check RESPONSES for signs of stuffed or duplicated answers."
    assert all(len(words) > 20 for words in listed.values())


def test_a_misspelt_command_is_refused():
    result = CliRunner().invoke(main, ["evalaute"])

    assert result.exit_code == 2
    assert "No such command 'evalaute'" in result.stderr


def test_the_same_input_gives_the_same_bytes(table, tmp_path):
    for name in ("first", "second"):
        run(table, tmp_path / name)

    for file in ("standings.csv", "evaluation.json"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_faults_of_a_table_go_to_stderr_one_per_line_and_nothing_is_written(table, tmp_path):
    table.write_text(
        TABLE.replace("000,海勃湾区,50", "000,海勃湾区,N/A").replace("001,海勃湾区,50,30", "001,,50,51"), "utf-8"
    )
    result = run(table, tmp_path / "out", "--language", "en")

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{table}:2:3: responses: this must be a whole number, it is “N/A”",
        f"{table}:3:2: region: this cell is empty",
        f"{table}:3:4: satisfied: 51 satisfied of 50 responses",
    ]
    assert not (tmp_path / "out").exists()


def test_faults_are_told_in_the_language_that_was_asked_for(table, tmp_path):
    table.write_text("community_id,region\n", "utf-8")

    assert "缺少此列" in run(table, tmp_path / "out").stderr


def test_faults_of_rules_have_their_place(table, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(rule_text({"satisfaction.share": 0.05}), "utf-8")
    result = run(table, tmp_path / "out", "--language", "en", rules=rules)

    assert result.exit_code == 2
    assert "satisfaction.share: a share is written as “5 %” or “1/20”" in result.stderr


@pytest.mark.parametrize("missing", ["table", "rules"])
def test_a_file_that_is_not_there_is_named(table, tmp_path, missing):
    nowhere = tmp_path / "nowhere"
    result = run(nowhere, tmp_path / "out") if missing == "table" else run(table, tmp_path / "out", rules=nowhere)

    assert result.exit_code == 2
    assert str(nowhere) in result.stderr


def test_a_directory_that_cannot_be_made_is_named(table, tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = run(table, tmp_path / "file" / "out")

    assert result.exit_code == 2
    assert str(tmp_path / "file") in result.stderr


def test_another_rule_says_who_would_enter_and_leave(table, tmp_path):
    table.write_text(TABLE.replace("008,海勃湾区,50,30", "008,海勃湾区,50,45"), "utf-8")
    other = tmp_path / "other.yaml"
    other.write_text(rule_text({"satisfaction.ties": "exclude", "name": "stricter"}), "utf-8")
    result = CliRunner().invoke(
        main, ["what-if", str(table), "--rules", str(SHIPPED), "--other", str(other), "--language", "en"]
    )

    assert result.exit_code == 0, result.output
    assert "wuhai-2021-08-23 → stricter" in result.stdout
    assert [line for line in result.stdout.splitlines() if ":" in line] == [
        "leaves: 海勃湾区 007",
        "leaves: 海勃湾区 008",
    ]


def test_a_fault_in_the_other_rules_is_named(table, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(rule_text({"satisfaction.share": 0.05}), "utf-8")
    result = CliRunner().invoke(main, ["what-if", str(table), "--rules", str(SHIPPED), "--other", str(other)])

    assert result.exit_code == 2
    assert f"{other}:" in result.stderr
    assert "satisfaction.share" in result.stderr


def what_if(table, *options):
    return CliRunner().invoke(main, ["what-if", str(table), "--rules", str(SHIPPED), "--language", "en", *options])


def test_other_choices_need_no_second_rule_file(table):
    table.write_text(TABLE.replace("008,海勃湾区,50,30", "008,海勃湾区,50,45"), "utf-8")
    result = what_if(table, "--ties", "exclude", "--rounding", "ceil")

    assert result.exit_code == 0, result.output
    assert "wuhai-2021-08-23 → wuhai-2021-08-23-what-if" in result.stdout
    assert [line for line in result.stdout.splitlines() if ":" in line] == [
        "leaves: 海勃湾区 007",
        "leaves: 海勃湾区 008",
    ]


def test_a_minimum_can_be_a_number_or_none(table):
    # With a minimum of 51 answers nobody is eligible, so the one position disappears.
    assert "leaves: 海勃湾区 007" in what_if(table, "--minimum-responses", "51").stdout
    assert "leaves:" not in what_if(table, "--minimum-responses", "none").stdout


def test_all_residents_need_a_table_of_their_own(table, tmp_path):
    refused = what_if(table, "--population", "residents")
    residents = tmp_path / "residents.csv"
    residents.write_text(TABLE.replace("50,45", "50,30").replace("009,海勃湾区,50,30", "009,海勃湾区,50,49"), "utf-8")
    result = what_if(table, "--population", "residents", "--other-table", str(residents))

    assert refused.exit_code == 2
    assert "the table counts owners, the other rules rank all residents" in refused.stderr
    assert [line for line in result.stdout.splitlines() if ":" in line] == [
        "leaves: 海勃湾区 007",
        "enters: 海勃湾区 009",
    ]


def test_a_choice_without_a_change_is_no_question(table):
    assert "give another rule file or another choice" in what_if(table).stderr
