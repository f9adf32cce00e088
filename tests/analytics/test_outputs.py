import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from analytics.evaluate import STANDING_COLUMNS, evaluate
from analytics.outputs import csv_safe, evaluation_json, standings_csv, write_outputs
from tests.analytics.rule_files import rules_with


def result_of(**columns):
    base = {"community_id": [f"{number:03}" for number in range(20)], "region": "乌达区"}
    counts = {"responses": [None, *[50] * 19], "satisfied": [None, 45, *[30] * 18]}
    return evaluate(pd.DataFrame(base | counts | columns), rules_with({}))


@pytest.mark.parametrize("sign", list("=+-@\t\r＝＋－＠"))
def test_no_cell_of_text_starts_a_formula(sign):
    text = standings_csv(result_of(name=f"{sign}1+1", region=f"{sign}cmd"), "en")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))

    assert csv_safe(f"{sign}1") == f"'{sign}1"
    assert all(cell[:1] not in set("=+-@\t\r＝＋－＠") for row in rows for cell in row.values())


def test_every_community_has_a_row_in_the_order_of_the_table():
    result = result_of(name="小区")
    rows = list(csv.DictReader(io.StringIO(standings_csv(result, "zh-Hans"), newline="")))

    assert [row["community_id"] for row in rows] == result.communities["community_id"].tolist()
    sentences = ["satisfaction_sentence", "complaint_sentence", "requirement_sentence"]
    assert list(rows[0]) == ["community_id", "name", *list(STANDING_COLUMNS)[1:], *sentences]
    assert (rows[0]["responses"], rows[0]["satisfaction_status"]) == ("", "not_assessed")
    assert (rows[1]["satisfaction_rank"], rows[1]["satisfaction_status"]) == ("1", "not_applicable")


def test_equal_inputs_give_equal_bytes_whatever_the_order_of_rows():
    result = result_of()
    shuffled = evaluate(result.communities.sample(frac=1, random_state=3), result.rules)

    assert evaluation_json(result, "en") == evaluation_json(shuffled, "en")


def test_the_evaluation_says_what_decided_it():
    result = result_of()
    content = json.loads(evaluation_json(result, "en"))

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


def test_the_files_of_an_earlier_evaluation_are_replaced_and_nothing_else(tmp_path):
    (tmp_path / "notes.txt").write_text("keep")
    (tmp_path / "standings.csv").write_text("old")
    write_outputs(result_of(), tmp_path, "en")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["evaluation.json", "notes.txt", "standings.csv"]
    assert (tmp_path / "standings.csv").read_bytes().startswith(b"\xef\xbb\xbfcommunity_id,region,")


def test_when_a_file_cannot_be_written_the_earlier_ones_stay(tmp_path, monkeypatch):
    (tmp_path / "standings.csv").write_text("old")
    write = Path.write_bytes

    def full_disk(path, content):
        if "evaluation" in path.name:
            raise OSError(28, "No space left on device", str(path))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_outputs(result_of(), tmp_path, "en")

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("standings.csv", "old")]
