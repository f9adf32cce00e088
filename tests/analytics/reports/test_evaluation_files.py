import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from analytics.decision.evaluate import STANDING_COLUMNS, evaluate
from analytics.evidence.list_reliability import summarise_evidence
from analytics.evidence.method import EVIDENCE_METHOD
from analytics.evidence.sensitivity import WITHOUT_FEW_COLUMNS, analyse_sensitivity
from analytics.evidence.weigh_evidence import EVIDENCE_COLUMNS, weigh_evidence
from analytics.files.csv_files import csv_safe
from analytics.reports.evaluation_files import evaluation_json, standings_csv, write_outputs
from tests.analytics.rule_files import rules_with


def result_of(**columns):
    base = {"community_id": [f"{number:03}" for number in range(20)], "region": "乌达区"}
    counts = {"responses": [None, *[50] * 19], "satisfied": [None, 45, *[30] * 18]}
    return evaluate(pd.DataFrame(base | counts | columns), rules_with({}))


def csv_of(result, language):
    parts = standings_csv(result, weigh_evidence(result), analyse_sensitivity(result), language)
    return "".join(parts).removeprefix("\ufeff")


def write(result, directory, **options):
    write_outputs(result, weigh_evidence(result), analyse_sensitivity(result), directory, "en", **options)


def json_of(result):
    return evaluation_json(
        result, summarise_evidence(result, weigh_evidence(result)), analyse_sensitivity(result), "en"
    )


@pytest.mark.parametrize("sign", list("=+-@\t\r＝＋－＠"))
def test_no_cell_of_text_starts_a_formula(sign):
    text = csv_of(result_of(name=f"{sign}1+1", region=f"{sign}cmd"), "en")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))

    assert csv_safe(f"{sign}1") == f"'{sign}1"
    assert all(cell[:1] not in set("=+-@\t\r＝＋－＠") for row in rows for cell in row.values())


def test_every_community_has_a_row_in_the_order_of_the_table():
    result = result_of(name="小区")
    rows = list(csv.DictReader(io.StringIO(csv_of(result, "zh-Hans"), newline="")))

    assert [row["community_id"] for row in rows] == result.communities["community_id"].tolist()
    sentences = ["satisfaction_sentence", "complaint_sentence", "criterion_sentence"]
    beside = {*EVIDENCE_COLUMNS, *WITHOUT_FEW_COLUMNS} - {"community_id"}
    decision = [name for name in rows[0] if name not in beside]
    assert decision == ["community_id", "name", *list(STANDING_COLUMNS)[1:], *sentences, "criterion_evidence_word"]
    assert {*EVIDENCE_COLUMNS, *WITHOUT_FEW_COLUMNS} <= set(rows[0])
    assert (rows[0]["responses"], rows[0]["satisfaction_status"]) == ("", "not_assessed")
    assert (rows[1]["satisfaction_rank"], rows[1]["satisfaction_status"]) == ("1", "not_applicable")


def test_equal_inputs_give_equal_bytes_whatever_the_order_of_rows():
    result = result_of()
    shuffled = evaluate(result.communities.sample(frac=1, random_state=3), result.rules)

    assert json_of(result) == json_of(shuffled)


def test_the_evaluation_says_what_decided_it():
    result = result_of()
    content = json.loads(json_of(result))

    assert content["rules"]["sha256"] == result.rules.sha256
    assert content["inputs_sha256"] == result.inputs_sha256
    assert set(content["versions"]) == {"analytics", "numpy", "pandas", "python", "scipy"}
    assert content["summary"]["regions"]["乌达区"]["satisfaction"]["N"] == 19
    assert {warning["code"] for warning in content["warnings"]} == {
        "no_complaint_columns",
        "k_is_zero",
        "nobody_eligible",
    }
    assert all(warning["sentence"] for warning in content["warnings"])


def test_the_evidence_stands_behind_its_decision_with_a_word_in_the_language():
    result = result_of(responses=200, satisfied=[199, 150, *[120] * 18])
    chinese = list(csv.DictReader(io.StringIO(csv_of(result, "zh-Hans"), newline="")))
    english = list(csv.DictReader(io.StringIO(csv_of(result, "en"), newline="")))

    names = list(chinese[0])
    assert names[names.index("satisfaction_reason") + 1] == "satisfaction_lower"
    assert names[names.index("criterion_route") + 1] == "criterion_lower"
    assert (chinese[0]["criterion_status"], chinese[0]["criterion_evidence_word"]) == ("met", "可以确定")
    assert (english[0]["criterion_evidence"], english[0]["criterion_evidence_word"]) == ("certain", "certain")
    # Complaints are unknown, so the other communities could still qualify by them.
    assert {row["criterion_evidence_word"] for row in chinese[1:]} == {"现有数据难以判定"}


def test_the_evaluation_says_how_the_evidence_was_weighed():
    content = json.loads(json_of(result_of(responses=200, satisfied=[199, 150, *[120] * 18])))
    evidence = content["evidence"]

    assert content["evidence_method"] == EVIDENCE_METHOD
    assert (evidence["prior"], evidence["nonresponse_spread"], evidence["level"]) == ("nonparametric", "3 %", "95 %")
    route = evidence["regions"]["乌达区"]["satisfaction"]
    assert (route["listed"], route["few_false"], route["evidence"]) == (1, 1, {"certain": 1, "no": 19})
    assert 0.95 < route["expected_rightful"] <= 1
    assert evidence["regions"]["乌达区"]["complaints"]["expected_rightful"] is None


def test_a_long_table_is_written_in_parts_that_make_the_same_text(monkeypatch):
    result = result_of(name="小区")
    whole = csv_of(result, "zh-Hans")
    monkeypatch.setattr("analytics.reports.evaluation_files._ROWS_AT_ONCE", 7)
    parts = list(standings_csv(result, weigh_evidence(result), analyse_sensitivity(result), "zh-Hans"))

    assert len(parts) == 3
    assert "".join(parts) == "\ufeff" + whole


def test_the_files_of_an_earlier_evaluation_are_replaced_and_nothing_else(tmp_path):
    (tmp_path / "notes.txt").write_text("keep")
    (tmp_path / "standings.csv").write_text("old")
    write(result_of(), tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "evaluation.json",
        "notes.txt",
        "report.en.html",
        "report.html",
        "standings.csv",
    ]
    assert (tmp_path / "standings.csv").read_bytes().startswith(b"\xef\xbb\xbfcommunity_id,region,")


def test_when_a_file_cannot_be_written_the_earlier_ones_stay(tmp_path, monkeypatch):
    (tmp_path / "standings.csv").write_text("old")
    opened = Path.open

    def full_disk(path, *arguments, **options):
        if "evaluation" in path.name:
            raise OSError(28, "No space left on device", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(result_of(), tmp_path)

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("standings.csv", "old")]
