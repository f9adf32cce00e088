"""Views of published questionnaires as residents see them, and of what would be stored of answers to them."""

from http import HTTPStatus

from flask import abort, render_template, request
from sqlalchemy import select

from survey_app.accounts.policies import READERS, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.models import Questionnaire
from survey_app.responses.survey_views import questions_of
from survey_app.rounds.questionnaires import AnswerFault, CheckedAnswers, questionnaire_from_canonical
from survey_app.rounds.questionnaires import Questionnaire as Definition
from survey_app.web.context import site
from survey_app.web.languages import current_language


@blueprint.get("/staff/questionnaires")
@policy(READERS)
def questionnaires() -> str:
    """List the published questionnaires, the newest first."""
    with site().database.reading() as session:
        published = session.scalars(select(Questionnaire).order_by(Questionnaire.key, Questionnaire.version.desc()))
        definitions = [(row.id, row.published_at, questionnaire_from_canonical(row.text)) for row in published]
    return render_template("staff/questionnaires.html", published=definitions)


@blueprint.get("/staff/questionnaires/<int:questionnaire_id>/preview")
@policy(READERS)
def questionnaire_preview(questionnaire_id: int) -> str:
    """Show a questionnaire as residents see it."""
    return _form(_definition(questionnaire_id), {})


@blueprint.post("/staff/questionnaires/<int:questionnaire_id>/preview")
@policy(READERS)
def try_questionnaire(questionnaire_id: int) -> str | tuple[str, int]:
    """Check trial answers as a resident's are, and show what would be stored; nothing is."""
    definition = _definition(questionnaire_id)
    given = request.form.to_dict(flat=False)
    if "show" in given:  # the buttons that change language and print send what was typed, so that it comes back
        return _form(definition, given)
    answers = definition.check_answers(given)
    if answers.faults:
        return _form(definition, given, answers.faults), HTTPStatus.UNPROCESSABLE_ENTITY
    page = "staff/questionnaire_tried.html"
    return render_template(page, questionnaire=definition, answers=answers, rows=_rows(definition, answers))


def _definition(questionnaire_id: int) -> Definition:
    with site().database.reading() as session:
        text = session.scalar(select(Questionnaire.text).filter_by(id=questionnaire_id))
    if text is None:
        abort(HTTPStatus.NOT_FOUND)
    return questionnaire_from_canonical(text)


def _form(definition: Definition, given: dict[str, list[str]], faults: tuple[AnswerFault, ...] = ()) -> str:
    return render_template(
        "staff/questionnaire_preview.html",
        questionnaire=definition,
        questions=questions_of(definition.canonical_text, given, faults),
        faults=faults,
    )


def _rows(definition: Definition, answers: CheckedAnswers) -> list[tuple[str, str, str]]:
    """Return key, question and answer in words for every question that was answered."""
    language = current_language()
    rows = []
    for key, answer in answers.answers.items():
        question = definition.question(key)
        labels = {option.code: f"{option.code} {option.label.in_language(language)}" for option in question.options}
        parts = answer if isinstance(answer, list) else [answer]
        words = " / ".join(part if isinstance(part, str) else labels[part] for part in parts)
        rows.append((key, question.short.in_language(language), words))
    return rows
