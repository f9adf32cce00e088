"""Views of what the complaint rate counts: what is left out by whom, when and why, and appeals against counting."""

from datetime import timedelta
from http import HTTPStatus

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import REPORTING_CASEWORK, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.casework.appeals import AppealRefused, count_waiting, decide_appeal, find_waiting, list_waiting
from survey_app.casework.case_steps import LONGEST_WORDS
from survey_app.casework.labels import exclusion_words
from survey_app.casework.rate_exclusions import count_counted, list_excluded
from survey_app.clock import current_time
from survey_app.complaints.categories import category_of
from survey_app.complaints.labels import end_reason_words
from survey_app.errors import UnknownNumber
from survey_app.models.vocabulary import AppealDecision
from survey_app.security.text import clean_text
from survey_app.web.context import site
from survey_app.web.languages import current_language

Page = str | tuple[str, int]

_MOST_LISTED = 50
_MOST_EXCLUDED = 500
# As long as a complaint counts in a complaint rate.
_PERIOD = timedelta(days=365)


@blueprint.get("/staff/complaint-rate")
@policy(REPORTING_CASEWORK)
def complaint_rate() -> str:
    """Show how many cases of twelve months the complaint rate counts, and who left out which of them when and why."""
    scope, language, since = signed_in().scope, current_language(), current_time() - _PERIOD
    with site().database.reading() as session:
        excluded = list_excluded(session, scope, since=since)
        return render_template(
            "casework/rate.html",
            counted=count_counted(session, scope, since=since),
            excluded=len(excluded),
            cases=excluded[:_MOST_EXCLUDED],
            exclusion_words=exclusion_words(language),
            reason_words=end_reason_words(language),
            language=language,
        )


@blueprint.get("/staff/appeals")
@policy(REPORTING_CASEWORK)
def appeals() -> str:
    """List the appeals that wait for a decision, each with what the company says."""
    return _page()


@blueprint.post("/staff/appeals/<int:appeal_id>")
@policy(REPORTING_CASEWORK)
def decide_case_appeal(appeal_id: int) -> Page | Response:
    """Decide an appeal; the company reads the answer."""
    account = signed_in()
    decision = next((each for each in AppealDecision if each == request.form.get("decision")), None)
    answer = clean_text(request.form.get("answer", ""))
    try:
        with site().database.reading() as session:
            find_waiting(session, appeal_id, account.scope)
        if decision is None or not answer or len(answer) > LONGEST_WORDS:
            return _page(fault="answer", asked=appeal_id, answer=answer), HTTPStatus.UNPROCESSABLE_ENTITY
        with site().database.writing() as session:
            decide_appeal(
                session,
                appeal_id,
                scope=account.scope,
                decision=decision,
                answer=answer,
                account_id=account.account_id,
                role=account.role,
                now=current_time(),
            )
    except UnknownNumber:
        abort(HTTPStatus.NOT_FOUND)
    except AppealRefused:
        return _page(fault="barred", asked=appeal_id, answer=answer), HTTPStatus.CONFLICT
    flash(_("The appeal is decided."))
    return redirect(url_for("staff.appeals"), HTTPStatus.SEE_OTHER)


def _page(*, fault: str = "", asked: int | None = None, answer: str = "") -> str:
    account, language = signed_in(), current_language()
    with site().database.reading() as session:
        return render_template(
            "casework/appeals.html",
            waiting=list_waiting(
                session, account.scope, account_id=account.account_id, role=account.role, limit=_MOST_LISTED
            ),
            total=count_waiting(session, account.scope),
            category_of=category_of,
            fault=fault,
            asked=asked,
            answer=answer,
            longest_words=LONGEST_WORDS,
            reason_words=end_reason_words(language),
            language=language,
        )
