"""Answers of a region: of which questions their shares would give hidden numbers of one of its communities away."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analytics.counting.answer_counts import AnswerCounts
from analytics.disclosure.answer_tables import are_told_through
from analytics.disclosure.region_shares import shares_tell
from analytics.disclosure.rules import DisclosureRules
from analytics.rules import Rules
from analytics.statistics.validation import BooleanArray, IntegerArray
from survey_app.rounds.questionnaires import Question, Questionnaire


@dataclass(frozen=True)
class AnswersOfRegion:
    """Counts of answers, and which of their communities are those of one region.

    `is_few` and `is_ranked` have one entry for each of these: whether its answers are not broken down at all, and
    whether its satisfaction is ranked.
    """

    counts: AnswerCounts
    places: IntegerArray
    is_few: BooleanArray
    is_ranked: BooleanArray

    def given(self, question: str) -> IntegerArray:
        """Return how often each of the communities gave each code to a question."""
        given: IntegerArray = self.counts.counts[question][self.places]
        return given


def untold_questions(
    region: AnswersOfRegion, *, rules: Rules, questionnaire: Questionnaire, disclosure: DisclosureRules
) -> frozenset[str]:
    """Return the questions of which a region keeps no answers."""
    rule = rules.satisfaction
    ranked = questionnaire.question(rule.question)
    rated = (each for each in questionnaire.questions if each.scale is not None and each.scale == ranked.scale)
    untold = {each.key for each in rated if _satisfaction_tells(region, each, rules, disclosure)}
    if _ratings_tell(region, ranked, rules, disclosure):
        untold.add(ranked.key)
    if _complaining_tells(region, questionnaire, disclosure):
        untold |= set(questionnaire.asked_about_complaints)
    return frozenset(untold)


def _satisfaction_tells(region: AnswersOfRegion, question: Question, rules: Rules, disclosure: DisclosureRules) -> bool:
    """Return whether the share of satisfied answers tells too much of communities that do not show their own."""
    parts = np.column_stack([part.sum(axis=1) for part in _ratings(region, question, rules)])
    is_public = region.is_ranked & (rules.satisfaction.measure == "satisfaction_rate")
    is_hidden = _are_any_few(parts, disclosure)
    if question.key == rules.satisfaction.question:
        is_hidden &= ~is_public
    return shares_tell(
        parts,
        people=int(parts.sum()),
        groups=[[0, 1]],
        is_hidden=is_hidden | region.is_few,
        is_grouped=np.zeros(len(parts), dtype=np.bool_),
        rules=disclosure,
    )


def _ratings_tell(region: AnswersOfRegion, ranked: Question, rules: Rules, disclosure: DisclosureRules) -> bool:
    """Return whether the shares of the ratings tell too much of communities that do not show how many gave each."""
    satisfied, others = _ratings(region, ranked, rules)
    ratings = np.column_stack([satisfied, others])
    is_hidden = _are_any_few(ratings, disclosure) | region.is_few
    if rules.satisfaction.measure != "satisfaction_rate" and (is_hidden & region.is_ranked).any():
        # Their score is public, and leaves them fewer ratings to exchange than a number of satisfied answers.
        return True
    parts = np.column_stack([satisfied.sum(axis=1), others.sum(axis=1)])
    border = satisfied.shape[1]
    return shares_tell(
        ratings,
        # Those who do not know are shown among the others, and the shares are of all.
        people=int(region.given(ranked.key).sum()),
        groups=[list(range(border)), list(range(border, ratings.shape[1]))],
        is_hidden=is_hidden,
        is_grouped=~region.is_few & (region.is_ranked | ~_are_any_few(parts, disclosure)),
        rules=disclosure,
    )


def _complaining_tells(region: AnswersOfRegion, questionnaire: Questionnaire, disclosure: DisclosureRules) -> bool:
    """Return whether the share that says it complained tells too much of communities that do not show their own."""
    if questionnaire.complained is None:
        return False
    steps = list(_steps(region, questionnaire))
    asked = sum(
        region.given(question)[:, [region.counts.codes[question].index(code) for code in codes]].sum(axis=1)
        for question, codes in questionnaire.asked_about_complaints.items()
    )
    counts, columns = steps[-1]
    said = counts[:, columns].sum(axis=1)
    return shares_tell(
        np.column_stack([said, asked - said]),
        people=int(np.sum(asked)),
        groups=[[0, 1]],
        is_hidden=~are_told_through(steps, rules=disclosure) | region.is_few,
        is_grouped=np.zeros(len(said), dtype=np.bool_),
        rules=disclosure,
    )


def _steps(region: AnswersOfRegion, questionnaire: Questionnaire) -> Iterator[tuple[IntegerArray, list[int]]]:
    for question, codes in questionnaire.leading_to_complained.items():
        yield region.given(question), [region.counts.codes[question].index(code) for code in codes]


def _ratings(region: AnswersOfRegion, question: Question, rules: Rules) -> tuple[IntegerArray, IntegerArray]:
    """Return how many gave each satisfied rating, and each other one."""
    rule, given = rules.satisfaction, region.given(question.key)
    codes = region.counts.codes[question.key]
    valid = [code for code in codes if code in rule.valid_codes]
    satisfied = [codes.index(code) for code in valid if code in rule.satisfied_codes]
    others = [codes.index(code) for code in valid if code not in rule.satisfied_codes]
    return given[:, satisfied], given[:, others]


def _are_any_few(parts: IntegerArray, disclosure: DisclosureRules) -> BooleanArray:
    small = (parts > 0) & (parts < disclosure.minimum_cell)
    few: BooleanArray = small.any(axis=1) | (parts.sum(axis=1) < disclosure.minimum_base)
    return few
