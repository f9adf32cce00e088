"""Questionnaire definitions are checked as a whole, and answers against their definition."""

import unicodedata
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.files.yaml_documents import DocumentError
from survey_app.rounds.questionnaires import (
    NOTICE_PLACEHOLDERS,
    AnswerFault,
    AnswerReason,
    QuestionType,
    load_questionnaire,
    parse_questionnaire,
    questionnaire_from_canonical,
    show,
)
from survey_app.security.text import clean_text

PATH = Path(__file__).parents[3] / "data" / "questionnaires" / "resident-satisfaction-1.yaml"
TEXT = PATH.read_text("utf-8")
STANDARD = load_questionnaire(PATH)
REQUIRED = {"q01": ["5"], "q16": ["1"]}


def edited(*replacements):
    """Return the shipped file with each old text, which must stand in it, replaced once."""
    text = TEXT
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def faults_of(text):
    with pytest.raises(DocumentError) as caught:
        parse_questionnaire(text.encode("utf-8"), "broken.yaml")
    return [
        SimpleNamespace(key=fault.key, text=fault.text(), line=fault.line, column=fault.column)
        for fault in caught.value.faults
    ]


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


def reasons(raw):
    return [(fault.question, fault.reason.value) for fault in STANDARD.check_answers(raw).faults]


def form_of(answers):
    return {
        key: [str(part) for part in answer] if isinstance(answer, list) else [str(answer)]
        for key, answer in answers.items()
    }


def test_the_standard_questionnaire_has_24_questions_of_which_two_are_required():
    assert [question.key for question in STANDARD.questions] == [f"q{number:02}" for number in range(1, 25)]
    assert [question.key for question in STANDARD.questions if question.required] == ["q01", "q16"]
    assert STANDARD.tenure == "q16"
    assert (STANDARD.key, STANDARD.version, STANDARD.comparable_with) == ("resident-satisfaction", 1, ())


def test_the_composite_is_made_of_twelve_domains_and_leaves_the_committee_and_the_deeds_out():
    domains = [question for question in STANDARD.questions if question.domain]

    assert [question.key for question in domains if question.composite] == [f"q{n:02}" for n in range(2, 14)]
    assert [question.key for question in domains if not question.composite] == ["q14", "q15"]


def test_ratings_share_one_scale_whose_dont_know_is_no_valid_answer():
    ratings = [question for question in STANDARD.questions if question.type is QuestionType.RATING]

    assert len(ratings) == 15
    assert {question.codes for question in ratings} == {(5, 4, 3, 2, 1, 9)}
    assert [option.code for option in ratings[0].options if option.missing] == [9]


def test_each_english_domain_question_is_a_whole_sentence():
    labels = [question.label.en for question in STANDARD.questions if question.domain]

    assert len(labels) == 14
    assert all(label.startswith("How satisfied are you with: ") and label.endswith("?") for label in labels)


def test_a_poster_round_promises_nothing_about_household_codes():
    notice = STANDARD.notice

    assert "户码" in notice.household.zh_hans
    assert "household code" in notice.household.en
    assert "户码" not in notice.poster.zh_hans
    assert "household" not in notice.poster.en


@pytest.mark.parametrize("language", ["zh-Hans", "en"])
def test_notices_are_complete_once_the_site_fills_in_the_facts(language):
    facts = {name: f"<{name}>" for name in NOTICE_PLACEHOLDERS}

    for notice in (STANDARD.notice.household, STANDARD.notice.poster):
        filled = notice.in_language(language).format(**facts)
        assert "{" not in filled
        assert all(filled.count(fact) == 1 for fact in facts.values())


def test_the_frozen_text_reads_back_as_an_equal_questionnaire_with_the_same_hash():
    again = questionnaire_from_canonical(STANDARD.canonical_text)

    assert again == STANDARD
    assert again.sha256 == STANDARD.sha256


def test_the_order_of_keys_and_comments_in_the_file_do_not_change_the_hash_but_a_word_does():
    moved = edited(("version: 1\n", ""), ("comparable_with: []\n", "comparable_with: []  # none\nversion: 1\n"))
    reworded = edited(("Staff attitude", "Staff manners"))

    assert parse_questionnaire(moved.encode(), "moved.yaml").sha256 == STANDARD.sha256
    assert parse_questionnaire(reworded.encode(), "reworded.yaml").sha256 != STANDARD.sha256


def test_a_missing_translation_is_reported_with_its_line():
    label = "\n          en: 'How satisfied are you with: staff attitude?'"
    text = edited((label, ""))

    (fault,) = faults_of(text)

    assert fault.text == "the text in en is missing"
    assert fault.key.endswith("label.en")
    assert fault.line == line_of(text, "zh-Hans: 您对物业人员的服务态度满意吗？")


def test_an_unquoted_yes_is_reported_as_no_text():
    text = edited(("zh-Hans: 投诉过, en: 'Yes'", "zh-Hans: 投诉过, en: Yes"))

    (fault,) = faults_of(text)

    assert fault.text == "this must be text: put it in quotes"
    assert fault.line == line_of(text, "zh-Hans: 投诉过")
    assert fault.column == TEXT.splitlines()[fault.line - 1].index("'Yes'") + 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("jiayuan-questionnaire-1", "jiayuan-questionnaire-9", "this must be jiayuan-questionnaire-1"),
        ("\nversion: 1", "", "this key is missing"),
        ("version: 1", "version: '1'", "this must be a whole number, it is '1'"),
        ("version: 1", "version: 0", "this must lie between 1 and 999, it is 0"),
        ("comparable_with: []", "comparable_with: [1]", "version 1 is not earlier than this version, 1"),
        ("comparable_with: []", "comparable_with: none", "this must be a list"),
        ("tenure: q16", "tenure: q99", "there is no question q99"),
        ("tenure: q16", "tenure: 16", "this must be text: put it in quotes"),
        ("tenure: q16", "tenure: q17", "question q17 must be a required one of type single"),
        ("{code: 3, zh-Hans: 其他,", "{code: 4, zh-Hans: 其他,", "question q16 must have the codes 1 owner, "),
        ("- key: q03", "- key: q02", "question q02 stands here twice"),
        ("- key: upkeep", "- key: safety", "section safety stands here twice"),
        ("- key: q03", "- key: Q3", "'Q3' does not have the form q[0-9]{2,3}"),
        ("domain: parking", "domain: security", "domain security stands here twice"),
        ("        domain: parking\n", "", "domain and composite are stated together or not at all"),
        (
            "type: multi",
            "type: ranking",
            "there is no question type ranking; there are rating, single, multi, zero_to_ten, ",
        ),
        ("max_length: 500", "max_lenght: 500", "this key is not known here"),
        ("max_length: 500", "max_length: long", "this must be a whole number, it is 'long'"),
        ("max_length: 500", "max_length: 500\n        composite: true", "this key is not known here"),
        ("scale: satisfaction", "scale: happiness", "there is no scale happiness"),
        (
            "scales:\n",
            "scales:\n  unused: [{code: 1, zh-Hans: 一, en: A}, {code: 2, zh-Hans: 二, en: B}]\n",
            "no question uses",
        ),
        ("{code: 4, zh-Hans: 满意", "{code: 5, zh-Hans: 满意", "code 5 stands here twice"),
        ("{code: 4, zh-Hans: 满意", "{code: four, zh-Hans: 满意", "this must be a whole number, it is 'four'"),
        ("{code: 4, zh-Hans: 满意", "{code: 4.0, zh-Hans: 满意", "this must be a whole number, it is 4.0"),
        ("{code: 4, zh-Hans: 满意", "{code: true, zh-Hans: 满意", "this must be a whole number, it is True"),
        ("{code: 4, zh-Hans: 满意", "{code: -4, zh-Hans: 满意", "this must lie between 0 and 999, it is -4"),
        ("{code: 4, zh-Hans: 满意", "{zh-Hans: 满意", "this key is missing"),
        ("zh-Hans: 植树增绿", "zh-Hans: 增设停车棚", "“增设停车棚” stands here twice"),
        ("Don't know, missing: true", "Don't know, missing: perhaps", "this must be true or false"),
        ("zh-Hans: 总体评价", "zh-Hans: '  '", "this text is empty"),
        ("zh-Hans: 总体评价", 'zh-Hans: "总体\\u2028评价"', "this text holds a control character"),
        (
            'heading: {zh-Hans: 总体评价, en: "Overall"}',
            "heading: Overall",
            "this must hold the text in each of zh-Hans, en",
        ),
        ("show_if: {q17: [1]}", "show_if: {q77: [1]}", "there is no question q77"),
        ("show_if: {q17: [1]}", "show_if: {q20: [1]}", "question q20 does not come before this one"),
        ("show_if: {q17: [1]}", "show_if: {q18: [1]}", "question q18 does not come before this one"),
        ("show_if: {q17: [1]}", "show_if: {q17: [7]}", "question q17 has no code 7"),
        ("show_if: {q17: [1]}", "show_if: {q17: []}", "this list needs at least 1, it has 0"),
        ("show_if: {q17: [1]}", "show_if: [q17]", "this must hold keys with values"),
        ("show_if: {q17: [1]}", "show_if: {q17: [1, 1]}", "code 1 stands here twice"),
        (
            "show_if: {q17: [1]}",
            "show_if: {q17: [1]}\n        required: true",
            "a question with a condition cannot be required",
        ),
        ("{link}", "{adress}", "{link} must stand here exactly once"),
        ("电话{telephone}", "电话{telephone", "a brace has no partner"),
        ("{date}", "{date:%Y}", "{date} must stand here exactly once"),
    ],
)
def test_each_fault_of_a_definition_is_named(old, new, message):
    assert any(fault.text.startswith(message) for fault in faults_of(edited((old, new))))


RECOMMEND = """      - key: q25
        type: zero_to_ten
        label: {zh-Hans: "您愿意推荐本小区吗？", en: "Would you recommend your community?"}
        short: {zh-Hans: 推荐意愿, en: Recommendation}
        ends: {zero: {zh-Hans: 完全不愿意, en: Not at all}, ten: {zh-Hans: 非常愿意, en: Certainly}}
        dont_know: {zh-Hans: 不清楚, en: Don't know}
"""


def test_a_question_from_zero_to_ten_has_eleven_numbers_and_may_have_a_dont_know():
    with_it = parse_questionnaire((TEXT + RECOMMEND).encode(), "with.yaml")
    without = parse_questionnaire((TEXT + RECOMMEND.rpartition("        dont_know")[0]).encode(), "without.yaml")

    assert with_it.question("q25").codes == (*range(11), 99)
    assert [option.code for option in with_it.question("q25").options if option.missing] == [99]
    assert without.question("q25").codes == tuple(range(11))
    assert questionnaire_from_canonical(with_it.canonical_text) == with_it
    for typed, answer in (("0", 0), ("10", 10), ("99", 99)):
        assert with_it.check_answers(REQUIRED | {"q25": [typed]}).answers["q25"] == answer
    assert [fault.reason for fault in without.check_answers(REQUIRED | {"q25": ["11"]}).faults] == ["unknown_code"]


PHOTOS = """      - key: q25
        type: photo
        label: {zh-Hans: "想让我们看看哪里？", en: "What should we see?"}
        short: {zh-Hans: 照片, en: Photos}
        most_photos: 3
"""


def test_a_question_for_photos_says_how_many_and_takes_no_text():
    questionnaire = parse_questionnaire((TEXT + PHOTOS).encode(), "photos.yaml")

    assert [question.key for question in questionnaire.photo_questions] == ["q25"]
    assert questionnaire_from_canonical(questionnaire.canonical_text) == questionnaire
    checked = questionnaire.check_answers(REQUIRED | {"q25": ["photo.jpg"]})
    assert (checked.answers, checked.faults) == ({"q01": 5, "q16": 1}, ())


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("        most_photos: 4\n", "this must lie between 1 and 3, it is 4"),
        ("        most_photos: 3\n        required: true\n", "a question for photos cannot be required"),
        ("        most_photos: 3\n        max_length: 3\n", "this key is not known here"),
        ("", "this key is missing"),
        (
            "        most_photos: 3\n" + PHOTOS.replace("q25", "q26") + PHOTOS.replace("q25", "q27"),
            "a form asks for at most 6 photos, these are 9",
        ),
        (
            "        most_photos: 3\n" + PHOTOS.replace("q25", "q26") + "        show_if: {q25: [1]}\n",
            "question q25 has no codes",
        ),
    ],
)
def test_each_fault_of_a_question_for_photos_is_named(more, message):
    question = PHOTOS.replace("        most_photos: 3\n", more, 1)

    assert message in [fault.text for fault in faults_of(TEXT + question)]


def test_a_condition_may_ask_for_numbers_from_zero_to_ten():
    text = TEXT + RECOMMEND + RECOMMEND.replace("q25", "q26") + "        show_if: {q25: [0, 1, 2]}\n"
    questionnaire = parse_questionnaire(text.encode(), "if.yaml")

    assert questionnaire.check_answers(REQUIRED | {"q25": ["0"], "q26": ["5"]}).answers["q26"] == 5
    assert "q26" not in questionnaire.check_answers(REQUIRED | {"q25": ["3"], "q26": ["5"]}).answers


def test_what_is_retired_is_in_the_hash_and_cannot_be_asked():
    retired = "retired: {questions: [q30], options: {q22: [9]}}\ntenure: q16"
    text = edited(("tenure: q16", retired))
    questionnaire = parse_questionnaire(text.encode(), "retired.yaml")

    assert questionnaire.retired.codes_of("q22") == (9,)
    assert questionnaire_from_canonical(questionnaire.canonical_text) == questionnaire
    assert questionnaire.sha256 != STANDARD.sha256
    broken = (
        text.replace("[q30]", "[q03]").replace("q22: [9]", "q22: [7]").replace("tenure:", "reworded: [q99]\ntenure:")
    )
    assert [fault.text for fault in faults_of(broken)] == [
        "question q03 is retired and asked",
        "code 7 of question q22 is retired and offered",
        "there is no question q99",
    ]


COMPLAINED = "complained: {question: q18, code: 1}\n"


def test_a_file_without_the_keys_that_came_later_has_the_hash_it_always_had():
    plain = parse_questionnaire(edited((COMPLAINED, "")).encode(), "plain.yaml")

    assert plain.sha256 == "8720535f4af4f1b731d6cb26eee776ac78a6d7c056fffe4c59d293717b1c4745"
    assert plain.asked_about_complaints == {}


def test_who_had_no_trouble_or_recalls_none_was_asked_and_did_not_complain():
    assert STANDARD.asked_about_complaints == {"q18": (1, 2), "q17": (2, 9)}
    assert questionnaire_from_canonical(STANDARD.canonical_text) == STANDARD


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [
        ("complained: {question: q99, code: 1}\n", [("complained.question", "there is no question q99")]),
        (
            "complained: {question: q19, code: 1}\n",
            [("complained.question", "question q19 must be one of type single")],
        ),
        (
            "complained: {question: q18, code: 3}\n",
            [("complained.code", "code 3 of question q18 is no valid answer")],
        ),
        (
            "complained: {question: q17, code: 9}\n",
            [("complained.code", "code 9 of question q17 is no valid answer")],
        ),
        (
            "complained: {question: q18, codes: [1]}\n",
            [("complained.code", "this key is missing"), ("complained.codes", "this key is not known here")],
        ),
    ],
)
def test_what_says_that_somebody_complained_must_be_a_valid_single_answer(replacement, expected):
    faults = faults_of(edited((COMPLAINED, replacement)))

    assert [(fault.key, fault.text) for fault in faults] == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{q17: [1], q16: [1]}", "question q18 has several conditions: counts do not tell who was asked"),
        ("{q18: [1]}", "question q18 does not come before this one"),
    ],
)
def test_counts_must_tell_who_was_asked_whether_they_complained(condition, expected):
    faults = faults_of(edited(("show_if: {q17: [1]}", f"show_if: {condition}")))

    assert expected in [fault.text for fault in faults]


def test_a_question_with_several_answers_cannot_lead_to_whether_somebody_complained():
    text = edited(
        (
            "type: single\n        label:\n          zh-Hans: 近一年",
            "type: multi\n        label:\n          zh-Hans: 近一年",
        )
    )

    assert "question q17 takes several answers: counts do not tell who was asked" in [
        fault.text for fault in faults_of(text)
    ]


def test_a_condition_on_a_text_question_is_a_fault():
    text_question = TEXT[TEXT.index("      - key: q24") :]
    first = text_question.replace("q24", "q00")
    text = edited(("      - key: q01", first + "      - key: q01"), ("show_if: {q17: [1]}", "show_if: {q00: [1]}"))

    assert [fault.text for fault in faults_of(text)] == ["question q00 has no codes"]


def test_a_choice_without_keys_is_reported_once():
    text = edited(("- {code: 3, zh-Hans: 植树增绿, en: Trees}", "- 植树增绿"))

    assert [fault.text for fault in faults_of(text)] == ["this must hold keys with values"]


def test_all_faults_of_a_file_are_reported_at_once_in_its_order():
    text = edited(
        ("comparable_with: []", "comparable_with: [7]"),
        ("- key: q05", "- key: q04"),
        ("show_if: {q18: [2]}", "show_if: {q18: [3]}"),
        ("{code: 6, zh-Hans: 健康知识宣传, en: Health}", "{code: six, zh-Hans: 健康知识宣传}"),
        ("max_length: 500", "max_length: 0"),
    )

    faults = faults_of(text)

    assert [fault.text for fault in faults] == [
        "version 7 is not earlier than this version, 1",
        "question q04 stands here twice",
        "question q18 has no code 3",
        "the text in en is missing",
        "this must be a whole number, it is 'six'",
        "this must lie between 1 and 5000, it is 0",
    ]
    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)


def test_a_questionnaire_without_questions_is_a_fault():
    text = TEXT[: TEXT.index("sections:")]

    assert "this list needs at least 1, it has 0" in [fault.text for fault in faults_of(text + "sections: []\n")]
    assert "this key is missing" in [fault.text for fault in faults_of(text)]


def test_a_truncated_file_is_refused_at_whatever_byte_it_ends():
    content = TEXT.encode("utf-8")
    last_question = content.index(b"      - key: q24")

    for end in [*range(0, last_question, 997), last_question + 40]:
        with pytest.raises(DocumentError):
            parse_questionnaire(content[:end], "truncated.yaml")


def test_a_file_saved_in_another_encoding_is_refused_with_its_line():
    with pytest.raises(DocumentError) as caught:
        parse_questionnaire(TEXT.encode("gb18030"), "gb18030.yaml")

    assert "not UTF-8" in str(caught.value)
    assert caught.value.faults[0].line is not None


@settings(max_examples=40, deadline=None)  # each reads a whole file
@given(st.data())
def test_a_definition_with_any_value_of_the_wrong_kind_raises_nothing_but_document_errors(data):
    lines = TEXT.splitlines()
    number = data.draw(st.sampled_from([n for n, line in enumerate(lines) if ": " in line and "#" not in line]))
    value = data.draw(
        st.sampled_from(["", "7", "[]", "{}", "[[]]", "{a: {}}", "text", "yes", "2021-01-01", "[1, a]", "~"])
    )
    lines[number] = lines[number].split(": ", 1)[0] + ": " + value

    try:
        questionnaire = parse_questionnaire("\n".join(lines).encode("utf-8"), "mangled.yaml")
    except DocumentError as error:
        assert error.faults  # noqa: PT017 - either outcome is right, an unexpected exception is not
    else:
        assert questionnaire_from_canonical(questionnaire.canonical_text) == questionnaire


def test_the_smallest_complete_form_is_stored_as_canonical_codes():
    checked = STANDARD.check_answers(REQUIRED)

    assert checked.canonical_text == '{"q01":5,"q16":1}'
    assert checked.faults == ()


def test_an_empty_form_lacks_its_required_answers():
    assert reasons({}) == [("q01", "required"), ("q16", "required")]
    assert reasons({"q01": [""], "q16": [" "]}) == [("q01", "required"), ("q16", "required")]


def test_blank_answers_are_left_out():
    checked = STANDARD.check_answers(REQUIRED | {"q02": [""], "q19": ["", " "], "q24": [" \r\n\x00 "]})

    assert checked.answers == {"q01": 5, "q16": 1}
    assert checked.faults == ()


def test_several_codes_are_stored_sorted_and_once():
    checked = STANDARD.check_answers(REQUIRED | {"q17": ["1"], "q18": ["1"], "q19": ["5", "1", "4", "1"]})

    assert checked.answers["q19"] == [1, 4, 5]


@pytest.mark.parametrize(
    ("key", "values", "reason"),
    [
        ("q01", ["6"], "unknown_code"),
        ("q01", ["05"], "unknown_code"),
        ("q01", ["9" * 5000], "unknown_code"),
        ("q01", ["very satisfied"], "not_a_number"),
        ("q01", ["５"], "not_a_number"),
        ("q01", ["-5"], "not_a_number"),
        ("q01", ["5", "4"], "several_for_single"),
        ("q22", ["1", "2"], "several_for_single"),
        ("q22", ["1", "12"], "unknown_code"),
        ("q24", ["电" * 501], "too_long"),
        ("q24", ["one", "two"], "several_for_single"),
        ("q25", ["1"], "unknown_question"),
        ("q", ["1"], "unknown_question"),
    ],
)
def test_an_answer_that_cannot_be_stored_is_faulted_and_not_stored(key, values, reason):
    checked = STANDARD.check_answers(REQUIRED | {key: values})

    assert checked.faults == (AnswerFault(key, AnswerReason(reason)),)
    assert key not in checked.answers


def test_one_unknown_code_among_several_keeps_the_whole_answer_out():
    raw = REQUIRED | {"q17": ["1"], "q18": ["1"], "q19": ["1", "8", "x"]}

    assert reasons(raw) == [("q19", "not_a_number"), ("q19", "unknown_code")]
    assert "q19" not in STANDARD.check_answers(raw).answers


def test_hidden_fields_of_the_form_are_not_answers():
    checked = STANDARD.check_answers(REQUIRED | {"submission_key": ["abc"], "lang": ["en"]})

    assert checked.answers == {"q01": 5, "q16": 1}
    assert checked.faults == ()


def test_a_comment_may_fill_its_length_and_is_cleaned():
    comment = "\u202e e\u0301té\x00\r\n" + "电" * 494 + "\ud800 "

    checked = STANDARD.check_answers(REQUIRED | {"q24": [comment]})

    assert checked.faults == ()
    assert checked.answers["q24"] == "été\n" + "电" * 494


def test_questions_under_a_condition_follow_the_answers_before_them():
    question = STANDARD.question("q19")

    assert question.condition_data == {"q18": [1]}
    assert show(question, {"q18": 1})
    assert not show(question, {"q18": 2})
    assert not show(question, {})
    assert show(STANDARD.question("q01"), {})


def test_a_condition_on_a_question_with_several_codes_needs_one_of_them():
    text = edited(("\n        show_if: {q18: [2]}", "\n        show_if: {q19: [4, 5]}"))
    question = parse_questionnaire(text.encode(), "edited.yaml").question("q21")

    assert show(question, {"q19": [1, 5]})
    assert not show(question, {"q19": [1, 2]})


def test_answers_to_questions_that_are_not_shown_are_dropped_in_a_chain_and_without_fault():
    raw = REQUIRED | {"q17": ["2"], "q18": ["1"], "q19": ["1"], "q20": ["nonsense"], "q21": ["1"]}

    checked = STANDARD.check_answers(raw)

    assert checked.answers == {"q01": 5, "q16": 1, "q17": 2}
    assert checked.faults == ()


def test_a_refused_answer_shows_no_question_that_depends_on_it():
    checked = STANDARD.check_answers(REQUIRED | {"q17": ["1", "2"], "q18": ["1"]})

    assert [fault.question for fault in checked.faults] == ["q17"]
    assert checked.answers == {"q01": 5, "q16": 1}


ANY_TEXT = st.text(st.characters(codec=None), max_size=20)
VALUES = st.lists(st.one_of(st.sampled_from(["1", "2", "3", "5", "9", "", " 1 "]), ANY_TEXT), max_size=3)
KEYS = st.one_of(st.sampled_from([question.key for question in STANDARD.questions]), ANY_TEXT)
FORMS = st.dictionaries(KEYS, VALUES, max_size=12)


@given(FORMS)
def test_no_form_raises_and_whatever_is_stored_is_stored_again_unchanged(raw):
    checked = STANDARD.check_answers(raw)
    again = STANDARD.check_answers(form_of(checked.answers))

    checked.canonical_text.encode("utf-8")
    assert again.answers == checked.answers
    assert all(fault.reason is AnswerReason.REQUIRED for fault in again.faults)


@given(FORMS)
def test_only_known_codes_of_shown_questions_are_stored(raw):
    checked = STANDARD.check_answers(raw)

    for key, answer in checked.answers.items():
        question = STANDARD.question(key)
        assert show(question, checked.answers)
        codes = answer if isinstance(answer, list) else [answer]
        assert question.type is QuestionType.TEXT or set(codes) <= set(question.codes)


@given(st.sampled_from([q for q in STANDARD.questions if q.options and not q.show_if]), ANY_TEXT)
def test_an_unknown_code_is_always_faulted_and_never_stored(question, text):
    known = text.strip() in {"", *map(str, question.codes)}

    checked = STANDARD.check_answers(REQUIRED | {question.key: [text]})

    if not known:
        assert question.key not in checked.answers
        assert [fault.question for fault in checked.faults] == [question.key]
        assert checked.faults[0].reason in {AnswerReason.UNKNOWN_CODE, AnswerReason.NOT_A_NUMBER}


@given(ANY_TEXT)
def test_cleaned_text_can_be_stored_and_stays_as_it_is(text):
    cleaned = clean_text(text)

    assert clean_text(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert not {"\x00", "\r", "\u202e"} & set(cleaned)


def test_what_may_be_unknown_must_stand_in_brackets_in_a_notice():
    text = edited(("[，电话{telephone}]", "，电话{telephone}"))

    (fault,) = faults_of(text)

    assert fault.text == "{telephone} must stand in brackets with what is left out when it is not known"
    assert fault.key == "notice.household.zh-Hans"
