"""Preview of a questionnaire as residents will see it, in one file to hand round before it is published."""

from pathlib import Path

from flask import Flask, render_template
from markupsafe import Markup

from analytics.languages import LANGUAGES
from survey_app.responses.survey_views import questions_of
from survey_app.rounds.questionnaires import Questionnaire
from survey_app.web import languages

_STYLES = Path(__file__).parents[1] / "static" / "site.css"


def preview_page(questionnaire: Questionnaire) -> str:
    """Return an HTML page that shows the form once in each language, side by side, and needs no other file."""
    app = Flask("survey_app")
    languages.init_app(app)
    styles = Markup(_STYLES.read_text(encoding="utf-8"))  # noqa: S704 (the site's own)
    forms = [_form(app, questionnaire, styles, language) for language in LANGUAGES]
    with app.app_context():
        return app.jinja_env.get_template("previews/file.html").render(questionnaire=questionnaire, forms=forms)


def _form(app: Flask, questionnaire: Questionnaire, styles: Markup, language: str) -> tuple[str, str]:
    with app.test_request_context(query_string={"lang": language}):
        questions = questions_of(questionnaire.canonical_text, {}, ())
        page = "previews/form.html"
        return language, render_template(page, questionnaire=questionnaire, questions=questions, styles=styles)
