import random

import pytest

from survey_app.responses.paper.skips import skips_by_number
from survey_app.responses.typed_questions import typed_sections
from survey_app.rounds.questionnaires import QuestionType, show
from tests.survey_app.responses.paper.questionnaires import EVERY, SHIPPED

READINGS = 400


def typed(questionnaire):
    return [question for section in typed_sections(questionnaire) for question in section.questions]


def answer_at_random(question, draw):
    if draw.random() < 0.1:
        return None
    if question.type is QuestionType.TEXT:
        return "写了"
    if question.type is QuestionType.MULTI:
        return [code for code in question.codes if draw.random() < 0.5] or None
    return draw.choice(question.codes)


def skip_of(skips, answer):
    for skip in skips:
        if not skip.options or answer in [option.code for option in skip.options]:
            return skip
    return None


def read_on_paper(questions, skips, draw):
    """Fill in a form as its words say, and return the numbers of what was answered or left out, and the answers."""
    answers, asked, place = {}, [], 0
    numbers = [each.number for each in questions]
    while place < len(questions):
        each = questions[place]
        place += 1
        if not show(each.question, answers):  # what the words above the question say
            continue
        asked.append(each.number)
        if (answer := answer_at_random(each.question, draw)) is not None:
            answers[each.question.key] = answer
        if skip := skip_of(skips[each.number], answer):
            place = len(questions) if skip.to is None else numbers.index(skip.to)
    return asked, answers


@pytest.mark.parametrize("questionnaire", EVERY, ids=lambda each: f"{each.key}-{each.version}")
def test_who_follows_the_words_on_paper_answers_exactly_what_a_phone_would_ask(questionnaire):
    questions = typed(questionnaire)
    skips = skips_by_number(questions)
    draw = random.Random(20261130)

    for _ in range(READINGS):
        asked, answers = read_on_paper(questions, skips, draw)

        assert asked == [each.number for each in questions if show(each.question, answers)]


def said_after(questions):
    return {
        number: [([option.code for option in skip.options], skip.to) for skip in skips]
        for number, skips in skips_by_number(questions).items()
        if skips
    }


def test_the_shipped_questionnaire_spares_the_reader_what_does_not_concern_them():
    assert said_after(typed(SHIPPED[-1])) == {17: [([2, 9], 22)], 18: [([2], 21)], 20: [([], 22)]}


def test_where_nothing_more_is_asked_the_reader_has_finished():
    until_21 = typed(SHIPPED[-1])[:21]

    assert said_after(until_21) == {17: [([2, 9], None)], 18: [([2], 21)], 20: [([], None)]}


def test_what_an_earlier_answer_rules_out_is_skipped_however_many_conditions_lie_between():
    # Question 12 is for those who gave 0 to question 8, and question 13 for those who gave 10.
    assert said_after(typed(EVERY[-1]))[12] == [([], 14)]
