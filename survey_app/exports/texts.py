"""Export of what residents wrote in the survey as CSV: without personal details, and beside no other answer."""

import json
from collections.abc import Iterator
from datetime import datetime
from random import SystemRandom
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from analytics.files.csv_files import csv_file, in_parts
from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.catalogue import translator
from survey_app.complaints.redaction import redact
from survey_app.evaluations.standings import disclosure_of
from survey_app.models import Community, District, Response, Round
from survey_app.models.vocabulary import ResponseStatus
from survey_app.register.names import PLACE_COLUMNS
from survey_app.responses.counting_status import status_of_response
from survey_app.rounds.questionnaires import Question, QuestionType, questionnaire_from_canonical
from survey_app.rounds.rounds import CommentsErased, RoundStillOpen, find_round, has_settled, require_answers
from survey_app.storage.database import Database
from survey_app.stored_rules import rules_of


def export_texts(database: Database, *, round_id: int, scope: Scope, language: str, now: datetime) -> Iterator[str]:
    """Yield a CSV file of the texts in scope that came with the counted answers of a closed round, redacted.

    There are texts from the close until the official evaluation, with which they are erased. Only communities with so
    many answers that opinions are told of them have any: a text of a few neighbours names its writer by what it is
    about. The order is drawn anew for each file.

    Raises `LookupError` if there is no such round, `RoundStillOpen` until it has settled, and `CommentsErased` after
    that.
    """
    with database.reading() as session:
        survey_round = find_round(session, round_id)
        if not has_settled(survey_round, now=now):
            raise RoundStillOpen(round_id, survey_round.closes_at)
        require_answers(survey_round, now=now)
        if survey_round.comments_erased_at is not None:
            raise CommentsErased(round_id, survey_round.comments_erased_at)
        questionnaire = questionnaire_from_canonical(survey_round.questionnaire.text)
        questions = [question for question in questionnaire.questions if question.type is QuestionType.TEXT]
        least = disclosure_of(now, rules_of(survey_round.rule_file.content)).minimum_opinion_base
        statement = scope.communities(_select_texts(survey_round, questions, least=least))
        rows = list(_read_texts(session, statement, questions, language)) if questions else []
    SystemRandom().shuffle(rows)
    _ = translator(language)
    headings = (
        _("Community number"),
        _("Community"),
        _("District"),
        _("Survey question"),
        _("Text, personal details hidden"),
    )
    return csv_file(headings, in_parts(rows))


def _select_texts(survey_round: Round, questions: list[Question], *, least: int) -> Select[*tuple[Any, ...]]:
    """Return the counted answers that hold a text, of communities with at least so many counted ones."""
    population = rules_of(survey_round.rule_file.content).satisfaction.population
    counted = (
        Response.round_id == survey_round.id,
        Response.submitted_at < survey_round.closes_at,
        status_of_response(population, before=survey_round.closes_at) == ResponseStatus.COUNTED,
    )
    large = select(Response.community_id).where(*counted).group_by(Response.community_id).having(func.count() >= least)
    return (
        select(*PLACE_COLUMNS, Response.answers)
        .select_from(Response)
        .join(Community, Response.community_id == Community.id)
        .join(District, Community.district_id == District.id)
        .where(
            *counted,
            Response.community_id.in_(large),
            or_(*(Response.answers.contains(f'"{question.key}":"') for question in questions)),
        )
    )


def _read_texts(
    session: Session, statement: Select[*tuple[Any, ...]], questions: list[Question], language: str
) -> Iterator[list[str]]:
    for row in session.execute(statement):
        answers = json.loads(row.answers)
        for question in questions:
            if text := answers.get(question.key):
                yield [
                    row.number,
                    Wording.of(row.name, row.english_name).in_language(language),
                    Wording.of(row.region, row.region_english).in_language(language),
                    f"{question.key} {question.short.in_language(language)}",
                    redact(text),
                ]
