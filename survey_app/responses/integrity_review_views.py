"""Views of held responses: staff who read answers decide, with a reason, whether they count."""

from http import HTTPStatus

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import EVALUATING, READERS, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.clock import current_time
from survey_app.models import Round
from survey_app.models.vocabulary import ReviewState
from survey_app.responses.integrity_reviews import (
    DECISIONS,
    LONGEST_REASON,
    decide_reviews,
    examine_round,
    fewest_to_exclude,
    held_by_community,
)
from survey_app.rounds.rounds import has_settled
from survey_app.web.context import site
from survey_app.web.error_pages import missing_is_not_found


@blueprint.get("/staff/rounds/<int:round_id>/reviews")
@policy(READERS)
def reviews(round_id: int) -> str:
    """List the communities with responses that wait for a decision."""
    with site().database.reading() as session:
        survey_round = session.get(Round, round_id) or abort(HTTPStatus.NOT_FOUND)
        now = current_time()
        return render_template(
            "staff/reviews.html",
            round=survey_round,
            is_settled=has_settled(survey_round, now=now),
            least=fewest_to_exclude(survey_round, now=now),
            held=held_by_community(session, round_id=round_id, scope=signed_in().scope, now=now),
            longest_reason=LONGEST_REASON,
        )


@blueprint.post("/staff/rounds/<int:round_id>/reviews")
@policy(READERS)
def decide(round_id: int) -> AnyResponse:
    """Release or exclude what is held in one community."""
    try:
        decision = ReviewState(request.form.get("decision", ""))
    except ValueError:
        abort(HTTPStatus.BAD_REQUEST)
    if decision not in DECISIONS or "seen" not in request.form:
        abort(HTTPStatus.BAD_REQUEST)
    with missing_is_not_found(), site().database.writing() as session:
        number = decide_reviews(
            session,
            round_id=round_id,
            number=request.form.get("community", ""),
            decision=decision,
            reason=request.form.get("reason", ""),
            scope=signed_in().scope,
            by=signed_in().actor,
            account_id=signed_in().account_id,
            now=current_time(),
        )
    if decision is ReviewState.EXCLUDED:
        flash(ngettext("%(num)s response no longer counts.", "%(num)s responses no longer count.", number))
    else:
        flash(ngettext("%(num)s response is released.", "%(num)s responses are released.", number))
    return redirect(url_for("staff.reviews", round_id=round_id), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/rounds/<int:round_id>/examinations")
@policy(EVALUATING)
def examine(round_id: int) -> AnyResponse:
    """Examine what came in so far for signs of false responses."""
    now = current_time()
    with missing_is_not_found():
        held = examine_round(site().database, round_id=round_id, now=now)
    with site().database.reading() as session:
        is_settled = has_settled(session.get_one(Round, round_id), now=now)
    flash(
        _("Examined: what is held is listed once the round has closed.")
        if not is_settled
        else ngettext("Examined: %(num)s response is newly held.", "Examined: %(num)s responses are newly held.", held)
        if held
        else _("Examined: nothing new is held.")
    )
    return redirect(url_for("staff.reviews", round_id=round_id), HTTPStatus.SEE_OTHER)
