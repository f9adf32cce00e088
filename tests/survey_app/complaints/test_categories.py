"""The complaint categories are data that is checked as a whole."""

from dataclasses import replace
from pathlib import Path

import pytest

from analytics.files.yaml_documents import DocumentError
from survey_app.complaints.categories import load_categories, parse_categories

PATH = Path(__file__).parents[3] / "data" / "complaint-categories" / "2.yaml"
TEXT = PATH.read_text("utf-8")
SHIPPED = load_categories(PATH)


def faults_of(*replacements):
    text = TEXT
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(DocumentError) as caught:
        parse_categories(text.encode("utf-8"), "broken.yaml")
    return caught.value.faults


def test_ten_groups_and_something_else_are_shipped_in_the_order_of_the_file():
    groups = ["EQ", "BR", "CL", "GR", "SE", "PK", "FS", "FE", "SV", "GV", "OT"]
    assert [group.code for group in SHIPPED.groups] == groups
    sizes = {"EQ": 5, "OT": 1}
    assert [category.code for category in SHIPPED] == [
        f"{group}{number:02}" for group in groups for number in range(1, sizes.get(group, 4) + 1)
    ]


def test_a_code_means_what_it_meant_in_the_version_before():
    for earlier in load_categories(PATH.with_name("1.yaml")):
        later = SHIPPED.by_code[earlier.code]
        assert set(earlier.search) <= set(later.search)
        assert replace(later, search=()) == replace(earlier, search=())


def test_a_category_is_found_by_its_code():
    assert SHIPPED.by_code["PK01"].name.zh_hans == "乱停占道"
    assert SHIPPED.by_code["PK01"].name.en == "Obstruction"
    assert "乱停" in SHIPPED.by_code["PK01"].search
    assert SHIPPED.by_code.get("PK05") is None


def test_lifts_fire_and_gas_have_the_deadlines_of_the_safety_class():
    assert {category.code for category in SHIPPED if category.safety} == {"EQ01", "FS01", "FS02", "FS03", "FS04"}


def test_what_the_company_cannot_help_is_kept_out_of_its_rate():
    assert {category.code for category in SHIPPED if not category.attributable} == {"GV02", "GV03", "GV04"}


def test_only_retaliation_goes_past_the_company():
    assert {category.code for category in SHIPPED if category.bypasses_company} == {"SV04"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("jiayuan-complaint-categories-1", "other", "this must be jiayuan-complaint-categories-1"),
        ("version: 2", "version: first", "this must be a whole number, it is 'first'"),
        ("- code: BR\n", "- code: EQ\n", "group EQ stands here twice"),
        ("- code: EQ02", "- code: EQ01", "category EQ01 stands here twice"),
        ("- code: EQ02", "- code: BR09", "BR09 does not begin with the code of its group, EQ"),
        ("- code: EQ02", "- code: EQ2", "'EQ2' does not have the form [A-Z]{2}[0-9]{2}"),
        ("safety: true", "safety: sometimes", "this must be true or false"),
        ("safety: true", "savety: true", "this key is not known here"),
        ("zh-Hans: [乱停, ", "zh-Hans: [7, ", "this must be text: put it in quotes"),
        ("en: Lifts}", "fr: Ascenseurs}", "the text in en is missing"),
        ("en: Lifts}", "en: Lifts, fr: Ascenseurs}", "this key is not known here"),
    ],
)
def test_each_fault_is_named(old, new, message):
    assert message in [fault.text() for fault in faults_of((old, new))]


def test_a_missing_translation_is_reported_with_its_line():
    (fault,) = faults_of((", en: Obstruction}", "}"))

    assert fault.text() == "the text in en is missing"
    assert fault.line == TEXT[: TEXT.index("乱停占道")].count("\n") + 1


def test_all_faults_are_reported_at_once():
    faults = faults_of(("version: 2", "version: 0"), (", en: Lifts}", "}"), ("- code: GV04", "- code: GV03"))

    assert [fault.text() for fault in faults] == [
        "this must lie between 1 and 999, it is 0",
        "the text in en is missing",
        "category GV03 stands here twice",
    ]


def test_a_file_without_groups_or_in_another_encoding_is_refused():
    assert "this list needs at least 1, it has 0" in [
        fault.text() for fault in faults_of((TEXT[TEXT.index("groups:") :], "groups: []\n"))
    ]
    with pytest.raises(DocumentError, match="not UTF-8"):
        parse_categories(TEXT.encode("gb18030"), "gb18030.yaml")
