"""Views of the documents that rounds rest on, rule files and questionnaires: checked for every fault, then frozen."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from analytics.canonical import sha256_hex
from analytics.files.yaml_documents import DocumentError
from analytics.rules import Rules, parse_rules
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import PLANNING, READERS, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.city_time import city_zone
from survey_app.clock import current_time
from survey_app.config import DATA
from survey_app.models import Questionnaire, RuleFile
from survey_app.rounds.questionnaires import Questionnaire as Definition
from survey_app.rounds.questionnaires import parse_questionnaire
from survey_app.rounds.rounds import (
    PublishedQuestionnaireDiffers,
    StoredRuleFileDiffers,
    add_rule_file,
    publish_questionnaire,
)
from survey_app.web.context import site
from survey_app.web.downloads import file_response
from survey_app.web.languages import fault_translator

_YAML = "application/yaml"


@dataclass(frozen=True)
class Template:
    """A file that comes with the site, ready to be frozen as it is or to be downloaded and changed."""

    name: str
    path: Path
    kind: str


@blueprint.get("/staff/documents")
@policy(READERS)
def documents() -> str:
    """List the frozen documents, and those that can be frozen."""
    return _documents_page()


@blueprint.post("/staff/documents")
@policy(PLANNING)
def freeze() -> AnyResponse | tuple[str, int]:
    """Check a file that was sent, or a template, and freeze it; a faulty one is shown with its faults."""
    kind, source, content = _sent()
    try:
        # Before anybody has to wait for the transaction.
        parsed = parse_rules(content, source) if kind == "rules" else parse_questionnaire(content, source)
        with site().database.writing() as session:
            sha256 = _freeze(session, parsed, source, content)
    except DocumentError as error:
        faults = error.lines(fault_translator())
        return _documents_page(faults), HTTPStatus.BAD_REQUEST
    except (StoredRuleFileDiffers, PublishedQuestionnaireDiffers):
        differs = _("%(file)s: this name is frozen with other content; give the corrected file a new name", file=source)
        return _documents_page([differs]), HTTPStatus.CONFLICT
    flash(_("%(file)s has no faults and is frozen. File check code: %(sha256)s", file=source, sha256=sha256[:12]))
    return redirect(url_for("staff.documents"), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/documents/rules/<int:rule_file_id>.yaml")
@policy(READERS)
def rule_file(rule_file_id: int) -> Response:
    """Download a rule file, byte for byte as it was frozen."""
    with site().database.reading() as session:
        stored = session.get(RuleFile, rule_file_id)
        if stored is None:
            abort(HTTPStatus.NOT_FOUND)
        return file_response(stored.content, f"{stored.name}.yaml", mimetype=_YAML)


@blueprint.get("/staff/documents/templates/<name>")
@policy(READERS)
def template(name: str) -> Response:
    """Download a template, to be changed and sent back."""
    found = next((each for each in _templates() if each.name == name), None)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return file_response(found.path.read_bytes(), found.name, mimetype=_YAML)


def _documents_page(faults: Sequence[str] = ()) -> str:
    with site().database.reading() as session:
        rules = session.scalars(select(RuleFile).order_by(RuleFile.id.desc())).all()
        questionnaires = session.scalars(select(Questionnaire).order_by(Questionnaire.id.desc())).all()
        frozen = {rule.sha256 for rule in rules} | {asked.sha256 for asked in questionnaires}
        return render_template(
            "staff/documents.html",
            rules=rules,
            questionnaires=questionnaires,
            templates=[each for each in _templates() if _sha256(each) not in frozen],
            zone=city_zone(session),
            faults=faults,
        )


def _sent() -> tuple[str, str, bytes]:
    """Return kind, name and content of what the form sends: a template by its name, or a file."""
    named = next((each for each in _templates() if each.name == request.form.get("template")), None)
    if named is not None:
        return named.kind, named.name, named.path.read_bytes()
    upload = request.files.get("file")
    if upload is None:
        abort(HTTPStatus.BAD_REQUEST)
    return request.form.get("kind", ""), upload.filename or "-", upload.read()


def _freeze(session: Session, parsed: Rules | Definition, source: str, content: bytes) -> str:
    by, now = signed_in().actor, current_time()
    if isinstance(parsed, Rules):
        return add_rule_file(session, content=content, source=source, by=by, now=now).sha256
    return publish_questionnaire(session, definition=parsed, by=by, now=now).sha256


@lru_cache(maxsize=1)
def _templates() -> tuple[Template, ...]:
    # The newest file first: it corrects the earlier ones, which stay because evaluations were made by them.
    files = sorted(DATA.glob("rules/*/*.yaml"), reverse=True)
    rules = [Template(f"{path.parent.name}-{path.name}", path, "rules") for path in files]
    asked = [Template(path.name, path, "questionnaire") for path in sorted(DATA.glob("questionnaires/*.yaml"))]
    return (*rules, *asked)


@lru_cache
def _sha256(each: Template) -> str:
    content = each.path.read_bytes()
    return sha256_hex(content) if each.kind == "rules" else parse_questionnaire(content, each.name).sha256
