"""Export of what residents wrote in the survey as CSV: without personal details, and beside no other answer."""

import json
from collections.abc import Iterator
from random import SystemRandom

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from analytics.files.csv_files import csv_file, in_parts
from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.catalogue import translator
from survey_app.complaints.redaction import redact
from survey_app.evaluations.evaluate_round import require_answers
from survey_app.evaluations.standings import disclosure_of, require_evaluation
from survey_app.models import Community, District, Evaluation, Response, Round
from survey_app.models.vocabulary import ResponseStatus
from survey_app.responses.counting_status import status_of_response
from survey_app.rounds.questionnaires import Question, QuestionType, questionnaire_from_canonical
from survey_app.storage.database import Database
from survey_app.stored_rules import rules_of


def export_texts(database: Database, *, evaluation_id: int, scope: Scope, language: str) -> Iterator[str]:
    """Yield a CSV file of the texts in scope that came with the answers of an official evaluation, redacted.

    Only communities with so many answers that opinions are told of them have any: a text of a few neighbours names its
    writer by what it is about. The order is drawn anew for each file.

    Raises `LookupError` if there is no such official evaluation and `RoundErased` if its answers are gone.
    """
    with database.reading() as session:
        require_evaluation(session, evaluation_id, official=True)
        evaluation = session.get_one(Evaluation, evaluation_id)
        questionnaire = questionnaire_from_canonical(session.get_one(Round, evaluation.round_id).questionnaire.text)
        questions = [question for question in questionnaire.questions if question.type is QuestionType.TEXT]
        rows = list(_read_texts(session, evaluation, questions, scope, language))
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


def _read_texts(
    session: Session, evaluation: Evaluation, questions: list[Question], scope: Scope, language: str
) -> Iterator[list[str]]:
    require_answers(session, evaluation.round_id)
    if not questions:
        return
    rules = rules_of(evaluation.rule_file.content)
    status = status_of_response(
        rules.satisfaction.population, before=evaluation.cut_off, reviewed_before=evaluation.evaluated_at
    )
    counted = (
        Response.round_id == evaluation.round_id,
        Response.submitted_at < evaluation.cut_off,
        status == ResponseStatus.COUNTED,
    )
    least = disclosure_of(evaluation.evaluated_at, rules).minimum_opinion_base
    large = select(Response.community_id).where(*counted).group_by(Response.community_id).having(func.count() >= least)
    statement = (
        select(
            Community.number,
            Community.name,
            Community.english_name,
            District.name.label("district"),
            District.english_name.label("english_district"),
            Response.answers,
        )
        .select_from(Response)
        .join(Community, Response.community_id == Community.id)
        .join(District, Community.district_id == District.id)
        .where(
            *counted,
            Response.community_id.in_(large),
            or_(*(Response.answers.contains(f'"{question.key}":"') for question in questions)),
        )
    )
    for row in session.execute(scope.communities(statement)):
        answers = json.loads(row.answers)
        for question in questions:
            if text := answers.get(question.key):
                yield [
                    row.number,
                    Wording.of(row.name, row.english_name).in_language(language),
                    Wording.of(row.district, row.english_district).in_language(language),
                    f"{question.key} {question.short.in_language(language)}",
                    redact(text),
                ]
