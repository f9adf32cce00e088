"""Questions that staff type in, numbered and in order: the entry page and the paper questionnaire have the same."""

from dataclasses import dataclass

from analytics.languages import Wording
from survey_app.rounds.questionnaires import Option, Question, Questionnaire, QuestionType


@dataclass(frozen=True)
class NumberedCondition:
    """Display condition: the number of an earlier question, and the options of which one must have been chosen."""

    number: int
    options: tuple[Option, ...]

    @property
    def codes(self) -> tuple[int, ...]:
        return tuple(option.code for option in self.options)


@dataclass(frozen=True)
class TypedQuestion:
    """Question with the number that it also has on phones, and its conditions by number."""

    number: int
    question: Question
    conditions: tuple[NumberedCondition, ...]


@dataclass(frozen=True)
class TypedSection:
    """Section of questions that are typed in under one heading."""

    heading: Wording
    questions: tuple[TypedQuestion, ...]


def typed_sections(questionnaire: Questionnaire) -> tuple[TypedSection, ...]:
    """Return what is typed in, in order. Photos are not: they keep their numbers, and are sent by phone."""
    sections = (
        TypedSection(
            section.heading,
            tuple(
                TypedQuestion(questionnaire.number_by_key[question.key], question, _conditions(questionnaire, question))
                for question in section.questions
                if question.type is not QuestionType.PHOTO
            ),
        )
        for section in questionnaire.sections
    )
    return tuple(section for section in sections if section.questions)


def _conditions(questionnaire: Questionnaire, question: Question) -> tuple[NumberedCondition, ...]:
    return tuple(
        NumberedCondition(
            questionnaire.number_by_key[condition.question],
            tuple(
                option
                for option in questionnaire.question(condition.question).options
                if option.code in condition.codes
            ),
        )
        for condition in question.show_if
    )
