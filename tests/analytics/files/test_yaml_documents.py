from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.files.yaml_documents import Document, DocumentError
from analytics.files.yaml_nodes import Node
from tests.analytics.rule_files import REPOSITORY

AMBIGUOUS = [
    *("030", "-030", "0777", "08", "00", "0o17", "0x1E", "0b11", "1:30", "1:30:00", "1_000", "1e3", "1.5E-3", "1E3"),
    *(".5", "-.5", "5.", "+5", "01.5", "1_0.5", "12:30.5", ".inf", "-.INF", ".nan", ".NaN", "!!int '030'"),
]


def faults_of(text):
    with pytest.raises(DocumentError) as caught:
        Document(text.encode(), "a.yaml")
    return [(fault.line, fault.column, fault.key, fault.text()) for fault in caught.value.faults]


@pytest.mark.parametrize("written", AMBIGUOUS)
@pytest.mark.parametrize(("text", "place"), [("b:\n  a: {}", (2, 6, "b.a")), ("b:\n- {}\n", (2, 3, "b.0"))])
def test_a_number_that_is_not_written_plainly_is_a_fault_with_its_place(text, place, written):
    ((line, column, key, sentence),) = faults_of(text.replace("{}", written))

    assert (line, column, key) == place
    assert sentence.startswith(f"“{written.split()[-1].strip(chr(39))}” can be read as more than one number")
    assert sentence.endswith("write the plain number, such as 30 or 0.5, or put it in quotes")


def test_a_key_is_held_to_the_same_numbers():
    assert [fault[:3] for fault in faults_of("points: {05: 100, 4: 75}")] == [(1, 10, "points")]


def test_every_such_number_is_reported_at_once():
    assert [fault[2] for fault in faults_of("a: 030\nb: 1:30\nc: 7\n")] == ["a", "b"]


@pytest.mark.parametrize("written", [written for written in AMBIGUOUS if "!" not in written])
def test_in_quotes_it_is_text(written):
    assert Document(f"a: '{written}'\nb: \"{written}\"".encode(), "a.yaml").root == {"a": written, "b": written}


@given(st.integers(-(10**15), 10**15))
def test_a_plain_whole_number_is_what_it_says(number):
    assert Document(f"a: {number}".encode(), "a.yaml").root == {"a": number}


@given(st.decimals(0, 10**6, places=3))
def test_a_plain_fraction_is_what_it_says(number):
    assert Document(f"a: {number}".encode(), "a.yaml").root == {"a": float(number)}


@given(st.from_regex(r"[-+]?[0-9._:xXoObBeE+-]{1,12}", fullmatch=True))
def test_what_is_read_as_a_number_is_what_a_person_reads(written):
    try:
        value = Document(f"a: {written}\n".encode(), "a.yaml").root["a"]
    except DocumentError:
        return
    if isinstance(value, int | float):
        assert float(written) == value
        assert not written.lstrip("-").startswith("0") or written.lstrip("-").startswith(("0.",)) or value == 0


@pytest.mark.parametrize("written", ["2021-08-23", "5 %", "1/20", "v1.2.3", "1-2", "q01", "0-15 岁", "一"])
def test_dates_and_texts_are_no_numbers(written):
    assert not isinstance(Document(f"a: {written}".encode(), "a.yaml").root["a"], int | float)


@pytest.mark.parametrize(
    ("text", "words"),
    [("\u200b\u3164", "this text is empty"), ("甲\u202e乙", "this text holds U+202E, which turns the text after it")],
)
def test_a_label_that_is_not_seen_or_turns_around_is_a_fault(text, words):
    document = Document(f"a: '{text}'".encode(), "a.yaml")

    Node.root(document)["a"].text()

    assert [fault.text()[: len(words)] for fault in document.faults] == [words]


def test_nothing_else_in_the_program_parses_yaml():
    parsing = [
        path.relative_to(REPOSITORY).as_posix()
        for package in ("analytics", "dashboards", "survey_app")
        for path in Path(REPOSITORY, package).rglob("*.py")
        if any(
            mark in path.read_text("utf-8") for mark in ("yaml.safe_load", "yaml.load", "yaml.compose", "SafeLoader")
        )
    ]

    assert parsing == ["analytics/files/yaml_documents.py"]
