"""A region keeps no answers whose shares would tell what one of its communities hides."""

from datetime import date

import numpy as np
import pytest

from analytics.counting.answer_counts import AnswerCounts
from analytics.disclosure.rules import rules_in_force
from analytics.rules import load_rules
from survey_app.config import DATA
from survey_app.evaluations.region_answers import AnswersOfRegion, untold_questions
from survey_app.rounds.questionnaires import load_questionnaire

RULES = load_rules(DATA / "rules" / "wuhai" / "2021-08-23.yaml")
QUESTIONNAIRE = load_questionnaire(DATA / "questionnaires" / "resident-satisfaction-2.yaml")
DISCLOSURE = rules_in_force(date(2026, 9, 30))
# Ratings from very satisfied to very dissatisfied, and “don't know”, of a large community and two of its neighbours.
MANY = [[200, 150, 60, 30, 10, 5], [20, 10, 10, 5, 5, 0], [20, 10, 10, 5, 5, 0]]
# 87 of 500 are not satisfied, 17.4 %: one more, and it were 18 %.
ONE_HIDES = [[173, 173, 40, 40, 0, 5], [27, 20, 1, 0, 0, 0], [10, 10, 6, 0, 0, 0]]
TWO_HIDE = [[173, 173, 40, 40, 0, 5], [27, 20, 1, 0, 0, 0], [11, 11, 4, 0, 0, 0]]
TROUBLE, COMPLAINED = [[400, 50, 0], [45, 5, 0], [45, 5, 0]], [[250, 150], [25, 20], [25, 20]]


def untold(*, is_few=(False, False, False), is_ranked=(True, True, True), **given):
    rated = {each.key: MANY for each in QUESTIONNAIRE.questions if each.scale == QUESTIONNAIRE.question("q01").scale}
    counts = rated | {"q17": TROUBLE, "q18": COMPLAINED} | given
    codes = {question: QUESTIONNAIRE.question(question).codes for question in counts}
    arrays = {question: np.array(each) for question, each in counts.items()}
    answers = AnswerCounts(("A", "B", "C"), codes, arrays, np.array([500, 60, 60]))
    region = AnswersOfRegion(answers, np.arange(3), is_few=np.array(is_few), is_ranked=np.array(is_ranked))
    return untold_questions(region, rules=RULES, questionnaire=QUESTIONNAIRE, disclosure=DISCLOSURE)


def test_where_nothing_is_hidden_a_region_keeps_all_answers():
    assert untold() == frozenset()


def test_a_share_that_would_tell_the_only_community_that_hides_is_not_kept():
    assert untold(q02=ONE_HIDES) == {"q02"}


def test_a_share_is_kept_where_another_community_hides_as_well():
    assert untold(q02=TWO_HIDE) == frozenset()


@pytest.mark.parametrize(("is_ranked", "kept"), [(True, True), (False, False)])
def test_the_share_that_ranks_tells_nothing_more_where_it_is_public(is_ranked, kept):
    assert ("q01" not in untold(q01=ONE_HIDES, is_ranked=(True, is_ranked, True))) is kept


def test_who_complained_is_not_kept_with_what_led_to_it_where_it_would_tell():
    # 248 of 500 said so and 252 did not, 50.4 %: one of these is the only one of the only community that hides.
    trouble, complained = [[400, 53, 0], [47, 0, 0], [0, 0, 0]], [[202, 198], [46, 1], [0, 0]]

    assert untold(q17=trouble, q18=complained) == {"q17", "q18"}
