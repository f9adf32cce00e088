"""Answers of one response in words, for whoever holds its change code: the right to see what is kept of oneself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.attachments.attachments import KeptAttachment, attachments_of_response
from survey_app.attachments.kinds import PHOTO
from survey_app.models import Response
from survey_app.responses.receipts import find_current_response
from survey_app.rounds.questionnaires import Answer, Question, QuestionType, questionnaire_from_canonical


@dataclass(frozen=True)
class OwnAnswer:
    """One question and what was answered: chosen options, a text, or photos; nothing where it was left out."""

    label: Wording
    chosen: Sequence[Wording]
    text: str
    photos: Sequence[KeptAttachment]
    # Texts and photos go when the result is official, earlier than what was chosen.
    is_erased: bool


@dataclass(frozen=True)
class OwnAnswers:
    """Answers that are kept under a receipt; None of them where they were withdrawn or erased."""

    response_id: int
    answers: Sequence[OwnAnswer] | None


def read_own_answers(session: Session, *, number: str, now: datetime) -> OwnAnswers:
    """Return the answers behind a receipt, or those of its newest correction."""
    response = find_current_response(session, number=number, now=now)
    if response.answers is None:
        return OwnAnswers(response.id, None)
    given: Mapping[str, Answer] = json.loads(response.answers)
    questions = questionnaire_from_canonical(response.questionnaire.text).questions
    return OwnAnswers(response.id, [_own_answer(session, response, question, given) for question in questions])


def _own_answer(session: Session, response: Response, question: Question, given: Mapping[str, Answer]) -> OwnAnswer:
    answer = given.get(question.key)
    is_text, is_photo = question.type is QuestionType.TEXT, question.type is QuestionType.PHOTO
    codes = answer if isinstance(answer, list) else [answer]
    return OwnAnswer(
        label=question.label,
        chosen=[option.label for option in question.options if option.code in codes],
        text=str(answer) if is_text and answer is not None else "",
        photos=attachments_of_response(session, kind=PHOTO, response_id=response.id, question=question.key)
        if is_photo
        else [],
        is_erased=(is_text or is_photo) and response.round.comments_erased_at is not None,
    )
