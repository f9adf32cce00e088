"""Definition files of every kind are read by one reader: what it refuses, all of them refuse."""

import pytest
import yaml

from analytics.disclosure.rules import load_disclosure_rules
from analytics.files.yaml_documents import DocumentError
from analytics.rules import load_rules
from survey_app.complaints.casework_rules import load_casework_rules
from survey_app.complaints.categories import load_categories
from survey_app.complaints.working_days import load_calendar
from survey_app.config import DATA
from survey_app.rounds.questionnaires import load_questionnaire


@pytest.mark.parametrize("written", ["030", "1:30", "0x1E", "1_000"])
@pytest.mark.parametrize(
    ("load", "shipped"),
    [
        (load_rules, "rules/wuhai/2021-08-23.yaml"),
        (lambda path: load_disclosure_rules([path]), "disclosure/2021-08-23.yaml"),
        (load_questionnaire, "questionnaires/resident-satisfaction-2.yaml"),
        (load_categories, "complaint-categories/2.yaml"),
        (lambda path: load_calendar([path]), "calendars/2026.yaml"),
        (load_casework_rules, "casework/wuhai/2021-08-23.yaml"),
    ],
    ids=["rules", "disclosure", "questionnaire", "categories", "calendar", "casework"],
)
def test_a_number_that_yaml_reads_as_another_is_a_fault_with_line_and_column(load, shipped, written, tmp_path):
    text = (DATA / shipped).read_text("utf-8")
    number = next(token for token in yaml.scan(text) if isinstance(token, yaml.ScalarToken) and token.value.isdigit())
    begin, end = number.start_mark, number.end_mark
    path = tmp_path / "2026.yaml"
    path.write_text(text[: begin.index] + written + text[end.index :], "utf-8")

    with pytest.raises(DocumentError) as caught:
        load(path)

    found = {(fault.line, fault.column, fault.facts.get("value")) for fault in caught.value.faults}
    assert found == {(begin.line + 1, begin.column + 1, written)}
