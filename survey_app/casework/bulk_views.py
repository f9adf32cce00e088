"""Views that take one step for several cases: what each would do is shown before anything is stored."""

import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import WORKING_CASES, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.casework.bulk_steps import (
    BULK_ACTIONS,
    AskedBulkStep,
    Obstacle,
    PlannedStep,
    offered_handlers,
    plan_steps,
    take_planned,
)
from survey_app.casework.case_steps import LONGEST_WORDS
from survey_app.casework.inbox_views import CASES_PER_PAGE
from survey_app.casework.labels import obstacle_words, status_names, step_names
from survey_app.clock import current_time
from survey_app.complaints.cases import CaseMovedOn
from survey_app.complaints.filing import LONGEST_PLACE
from survey_app.errors import OtherAnswersSubmitted, TransitionRefused
from survey_app.models.vocabulary import CaseAction
from survey_app.security.text import clean_text
from survey_app.web.context import site
from survey_app.web.error_pages import missing_is_not_found
from survey_app.web.languages import current_language
from survey_app.web.typed_numbers import read_whole_number

Page = str | tuple[str, int]


@blueprint.post("/staff/cases/several")
@policy(WORKING_CASES)
def preview_steps() -> Response | Page:
    """Show what the step would do with each of the chosen cases."""
    action, references = _asked_action(), _references()
    if action is None or not references:
        flash(_("Please choose cases and what is to be done with them."))
        return redirect(url_for("staff.cases"), HTTPStatus.SEE_OTHER)
    return _page(action, _planned(action, references))


@blueprint.post("/staff/cases/several/steps")
@policy(WORKING_CASES)
def take_steps() -> Response | Page:
    """Take the steps that were shown; a case that has moved on since is left as it is, and told."""
    action, references = _asked_action(), _references()
    if action is None or not references:
        return redirect(url_for("staff.cases"), HTTPStatus.SEE_OTHER)
    planned = _planned(action, references)
    handler_id = read_whole_number(request.form.get("handler"))
    asked = {step.file.reference: _asked(step.file.reference) for step in planned}
    fault = _fault(action, planned, asked, handler_id)
    if fault:
        return _page(action, planned, fault=fault), HTTPStatus.UNPROCESSABLE_ENTITY
    moved = [step.file.reference for step in planned if not _take(action, step, asked, handler_id)]
    done = len(planned) - len(moved)
    if done:
        name = step_names(current_language())[action]
        flash(ngettext("%(step)s: %(num)s case", "%(step)s: %(num)s cases", done, step=name))
    if moved:
        # As they stand now: whoever still wants the step sends it once more.
        return _page(action, _planned(action, moved), fault="moved"), HTTPStatus.CONFLICT
    return redirect(url_for("staff.cases"), HTTPStatus.SEE_OTHER)


def _asked_action() -> CaseAction | None:
    return next((action for action in BULK_ACTIONS if action == request.form.get("step")), None)


def _references() -> Sequence[str]:
    """Return the chosen cases, each once; a page of the list has no more."""
    return list(dict.fromkeys(request.form.getlist("case")))[:CASES_PER_PAGE]


def _planned(action: CaseAction, references: Sequence[str]) -> Sequence[PlannedStep]:
    account = signed_in()
    with site().database.reading() as session, missing_is_not_found():
        return plan_steps(
            session,
            references,
            action,
            scope=account.scope,
            account_id=account.account_id,
            role=account.role,
            now=current_time(),
        )


def _asked(reference: str) -> AskedBulkStep:
    return AskedBulkStep(
        seen=read_whole_number(request.form.get(f"seen-{reference}")),
        text=clean_text(request.form.get(f"released-{reference}", "")),
        place=clean_text(request.form.get(f"place-{reference}", "")),
    )


def _fault(
    action: CaseAction,
    planned: Sequence[PlannedStep],
    asked: Mapping[str, AskedBulkStep],
    handler_id: int | None,
) -> str:
    """Return what is wrong with the form as a whole, or nothing: then nothing is stored at all."""
    if action is CaseAction.ASSIGN and handler_id not in offered_handlers(planned):
        return "handler"
    released = [asked[step.file.reference].text for step in planned if step.obstacle is None]
    is_readable = all(0 < len(text) <= LONGEST_WORDS for text in released)
    return "released" if action is CaseAction.DISPATCH and not is_readable else ""


def _take(action: CaseAction, step: PlannedStep, asked: Mapping[str, AskedBulkStep], handler_id: int | None) -> bool:
    """Take the step of one case in a transaction of its own; return False where it has moved on."""
    account, reference = signed_in(), step.file.reference
    # Of a step that is not possible any more, this form may have been the cause, if it was sent twice.
    if step.obstacle not in {None, Obstacle.NOT_POSSIBLE}:
        return False
    try:
        with site().database.writing() as session:
            take_planned(
                session,
                step,
                action,
                asked[reference],
                scope=account.scope,
                handler_id=handler_id,
                by=account.actor,
                account_id=account.account_id,
                action_key=f"{request.form.get('step_key', '')}-{reference}",
                now=current_time(),
            )
    except (TransitionRefused, OtherAnswersSubmitted, CaseMovedOn):
        return False
    return True


def _page(action: CaseAction, planned: Sequence[PlannedStep], *, fault: str = "") -> str:
    language = current_language()
    return render_template(
        "casework/several.html",
        action=action,
        planned=planned,
        handlers=offered_handlers(planned),
        fault=fault,
        given=request.form,
        step_key=secrets.token_urlsafe(16),
        longest_words=LONGEST_WORDS,
        longest_place=LONGEST_PLACE,
        step_name=step_names(language)[action],
        status_names=status_names(language),
        obstacle_words=obstacle_words(language),
        language=language,
    )
