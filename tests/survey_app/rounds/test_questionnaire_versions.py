"""A new version of a questionnaire is checked against those that were published."""

import re

import pytest

from analytics.files.yaml_documents import DocumentError
from survey_app.config import DATA
from survey_app.rounds.questionnaire_versions import parse_successor, published_versions
from survey_app.rounds.questionnaires import load_questionnaire, parse_questionnaire
from survey_app.rounds.rounds import publish_questionnaire
from tests.factories import NOW

PATH = DATA / "questionnaires" / "resident-satisfaction-1.yaml"
FIRST = load_questionnaire(PATH)
SECOND = PATH.read_text("utf-8").replace("version: 1\n", "version: 2\n", 1)
COMPARABLE = ("comparable_with: []", "comparable_with: [1]")


def edited(*replacements, text=SECOND):
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def question(key):
    """Return the lines of one question of the shipped file."""
    return re.search(rf"^      - key: {key}\n(?:        .*\n)+", SECOND, re.MULTILINE)[0]


def faults_of(text, earlier=(FIRST,)):
    try:
        parse_successor(text.encode("utf-8"), "second.yaml", earlier)
    except DocumentError as error:
        return [(fault.text(), fault.line) for fault in error.faults]
    return []


def texts_of(text, earlier=(FIRST,)):
    return [fault for fault, _ in faults_of(text, earlier)]


def test_the_same_questions_in_a_new_version_are_comparable():
    assert faults_of(edited(COMPARABLE)) == []


def test_new_questions_and_choices_take_nothing_away():
    more = "          - {code: 8, zh-Hans: 充电桩, en: Chargers}\n          - {code: 7, zh-Hans: 其他"

    assert faults_of(edited(COMPARABLE, ("          - {code: 7, zh-Hans: 其他", more))) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (question("q23"), "", "question q23 of version 1 is neither asked nor retired"),
        (
            "zh-Hans: 您对小区的绿化养护满意吗？",
            "zh-Hans: 您对小区的水景满意吗？",
            "question q04 read “您对小区的绿化养护满意吗？”",
        ),
        (
            "zh-Hans: 植树增绿",
            "zh-Hans: 建游泳池",
            "code 3 of question q22 meant “植树增绿” in version 1: take another code",
        ),
        (
            "          - {code: 3, zh-Hans: 植树增绿, en: Trees}\n",
            "",
            "code 3 of question q22, “植树增绿” in version 1, is neither",
        ),
        ("type: multi", "type: single", "question q19 was of type multi in version 1: give the new one another key"),
    ],
)
def test_a_code_with_another_meaning_is_refused_with_its_line(old, new, message):
    ((text, line),) = faults_of(edited((old, new)))

    assert text.startswith(message)
    assert line is not None


def test_every_fault_is_named_at_once():
    text = edited(
        (question("q23"), ""), ("zh-Hans: 植树增绿", "zh-Hans: 建游泳池"), ("type: multi", "type: single"), COMPARABLE
    )

    assert len(faults_of(text)) == 3


def test_what_is_retired_may_go_and_never_comes_back():
    retired = ("tenure: q16", "retired: {questions: [q23], options: {q22: [3]}}\ntenure: q16")
    choice = "          - {code: 3, zh-Hans: 植树增绿, en: Trees}\n"
    second = parse_successor(edited((question("q23"), ""), (choice, ""), retired).encode(), "second.yaml", [FIRST])
    third = SECOND.replace("version: 2\n", "version: 3\n", 1)

    assert texts_of(third, [FIRST, second]) == [
        "code 3 of question q22 was retired in version 2: take another code",
        "question q23 was retired in version 2: give the new one another key",
    ]
    forgotten = edited((question("q23"), ""), (choice, ""), text=third)
    assert "question q23 of version 2 is neither asked nor retired" in texts_of(forgotten, [second])
    assert "code 3 of question q22 was retired in version 2 and must stay under retired" in texts_of(
        forgotten, [second]
    )


def test_a_question_may_be_reworded_when_the_file_says_that_it_means_the_same():
    reworded = edited(
        ("您对小区的绿化养护满意吗？", "您对绿化养护满意吗？"), ("tenure: q16", "reworded: [q04]\ntenure: q16")
    )

    assert faults_of(reworded) == []
    assert texts_of(edited(COMPARABLE, text=reworded)) == [
        "version 1 is not comparable: question q04 has other words or choices there"
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("composite: true", "composite: false", "version 1 is not comparable: question q02 counts otherwise there"),
        ("comparable_with: [1]", "comparable_with: [1, 0]", "this must lie between 1 and 999, it is 0"),
    ],
)
def test_what_is_called_comparable_is_the_same(old, new, message):
    assert message in texts_of(edited(COMPARABLE, (old, new)))


def test_comparable_results_need_the_questions_that_rank():
    gone = edited(
        COMPARABLE, (question("q05"), ""), ("tenure: q16", "retired: {questions: [q05], options: {}}\ntenure: q16")
    )

    assert texts_of(gone) == ["version 1 is not comparable: it asks q05, which this version does not"]


def test_only_a_published_version_can_be_called_comparable():
    third = edited(("version: 2\n", "version: 3\n"), ("comparable_with: []", "comparable_with: [1, 2]"))

    assert texts_of(third) == ["version 2 is not published"]


def test_a_new_city_can_begin_with_a_later_version():
    assert texts_of(edited(COMPARABLE), earlier=()) == []
    assert texts_of((PATH.parent / "resident-satisfaction-2.yaml").read_text("utf-8"), earlier=()) == []
    assert texts_of((PATH.parent / "resident-satisfaction-2.yaml").read_text("utf-8")) == []


def test_publishing_refuses_what_gives_a_published_code_another_meaning(database):
    changed = parse_questionnaire(edited(("zh-Hans: 植树增绿", "zh-Hans: 建游泳池")).encode(), "second.yaml")
    with database.writing() as session:
        publish_questionnaire(session, definition=FIRST, now=NOW)

    with pytest.raises(DocumentError, match="code 3 of question q22 meant"), database.writing() as session:
        publish_questionnaire(session, definition=changed, now=NOW)

    with database.writing() as session:
        publish_questionnaire(session, definition=parse_questionnaire(SECOND.encode(), "second.yaml"), now=NOW)
        assert [version.version for version in published_versions(session, key=FIRST.key)] == [1, 2]
