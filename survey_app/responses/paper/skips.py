"""Skips on paper: where a reader goes on after a question, since paper hides none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from survey_app.responses.typed_questions import TypedQuestion
from survey_app.rounds.questionnaires import Option, QuestionType

_WITH_ONE_CODE = (QuestionType.RATING, QuestionType.SINGLE, QuestionType.ZERO_TO_TEN)

# Of earlier questions by number: the codes of which one was chosen.
_Chosen = Mapping[int, frozenset[int]]


@dataclass(frozen=True)
class Skip:
    """Skip after a question, for who chose one of `options`, or for everybody where there are none.

    It leads to the question with the number `to`, or to the end where there is none.
    """

    options: tuple[Option, ...]
    to: int | None


def skips_by_number(questions: Sequence[TypedQuestion]) -> dict[int, tuple[Skip, ...]]:
    """Return the skips after each question; a question that somebody must answer is never skipped.

    Who leaves a question out, or may choose several answers, is told by the conditions above the questions alone.
    """
    by_number = {question.number: question for question in questions}
    return {
        question.number: _skips_after(question, questions[place:], by_number)
        for place, question in enumerate(questions, 1)
    }


def _skips_after(
    asked: TypedQuestion, following: Sequence[TypedQuestion], by_number: Mapping[int, TypedQuestion]
) -> tuple[Skip, ...]:
    if not following:
        return ()
    chosen = _chosen_before(asked, by_number)
    targets: dict[int | None, tuple[Option, ...]] = {}
    if asked.question.type in _WITH_ONE_CODE:
        for option in asked.question.options:
            target = _first_asked(following, {**chosen, asked.number: frozenset({option.code})}, by_number)
            targets[target] = (*targets.get(target, ()), option)
    if len(targets) <= 1:
        targets = {_first_asked(following, chosen, by_number): ()}
    return tuple(Skip(options, target) for target, options in targets.items() if target != following[0].number)


def _chosen_before(asked: TypedQuestion, by_number: Mapping[int, TypedQuestion]) -> dict[int, frozenset[int]]:
    """Return what must have been chosen before, or the question would not be asked."""
    chosen: dict[int, frozenset[int]] = {}
    for condition in asked.conditions:
        earlier = by_number[condition.number]
        for number, codes in _chosen_before(earlier, by_number).items():
            chosen[number] = codes & chosen.get(number, codes)
        if earlier.question.type in _WITH_ONE_CODE:
            codes = frozenset(condition.codes)
            chosen[condition.number] = codes & chosen.get(condition.number, codes)
    return chosen


def _first_asked(
    following: Sequence[TypedQuestion], chosen: _Chosen, by_number: Mapping[int, TypedQuestion]
) -> int | None:
    return next((each.number for each in following if _may_be_asked(each, chosen, by_number)), None)


def _may_be_asked(question: TypedQuestion, chosen: _Chosen, by_number: Mapping[int, TypedQuestion]) -> bool:
    return all(
        _may_be_asked(by_number[condition.number], chosen, by_number)
        and not chosen.get(condition.number, frozenset(condition.codes)).isdisjoint(condition.codes)
        for condition in question.conditions
    )
