"""Views of the staff home: rounds with what came in, and their evaluations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.guard import may_visit, signed_in
from survey_app.accounts.policies import ALL_STAFF, COLLECTING, EVALUATING, WORKING_CASES, policy
from survey_app.accounts.scope import EVERYWHERE
from survey_app.accounts.staff_pages import NAVIGATION, blueprint
from survey_app.casework.inbox import count_due
from survey_app.casework.remaining_time import office_time
from survey_app.clock import current_time
from survey_app.evaluations.publications import publish_evaluation
from survey_app.evaluations.round_overview import number_in_round, read_round_overviews
from survey_app.models import Evaluation
from survey_app.models.vocabulary import Role
from survey_app.preparation.checklist import STEPS_OF_ROLE, State, list_steps
from survey_app.preparation.facts import read_facts
from survey_app.preparation.wording import StepWords, words_of
from survey_app.rounds.round_changes import LONGEST_REASON, close_round_early, drop_round
from survey_app.web.context import site
from survey_app.web.error_pages import missing_is_not_found
from survey_app.web.languages import current_language


@dataclass(frozen=True)
class Preparation:
    """Steps that the account prepares, by state; folded up where residents could answer before."""

    by_state: Mapping[State, Sequence[StepWords]]
    is_folded: bool


@blueprint.get("/staff/")
@policy(ALL_STAFF)
def home() -> str:
    """List the rounds with what came in, and their evaluations, below what is to be prepared."""
    now = current_time()
    with site().database.reading() as session:
        preparation = _read_preparation(session, now=now)
        due = (
            count_due(session, signed_in().scope, office_time(session, now)) if signed_in().may(WORKING_CASES) else None
        )
        if signed_in().may(COLLECTING):
            rounds = read_round_overviews(session, scope=signed_in().scope, now=now)
            return render_template(
                "staff/home.html", rounds=rounds, longest_reason=LONGEST_REASON, preparation=preparation, due=due
            )
    offered = [(page, label) for page, label in NAVIGATION if page != "staff.home" and may_visit(page)]
    return render_template("staff/welcome.html", offered=offered, preparation=preparation)


@blueprint.post("/staff/evaluations/<int:evaluation_id>/publication")
@policy(EVALUATING)
def publish(evaluation_id: int) -> AnyResponse:
    """Publish an evaluation as the result of its round."""
    with missing_is_not_found(), site().database.writing() as session:
        publish_evaluation(
            session,
            evaluation_id=evaluation_id,
            reason=request.form.get("reason"),
            by=signed_in().actor,
            now=current_time(),
        )
        number = number_in_round(session, session.get_one(Evaluation, evaluation_id))
    flash(_("Evaluation %(number)s is the published result.", number=number))
    return redirect(url_for("staff.home"), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/rounds/<int:round_id>/closing")
@policy(EVALUATING)
def close_early(round_id: int) -> AnyResponse:
    """Close an open round early."""
    with missing_is_not_found(), site().database.writing() as session:
        reason, by = request.form.get("reason", ""), signed_in().actor
        close_round_early(session, round_id=round_id, reason=reason, by=by, now=current_time())
    flash(_("The round is closed: no more answers are taken."))
    return redirect(url_for("staff.home"), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/rounds/<int:round_id>/removal")
@policy(EVALUATING)
def drop(round_id: int) -> AnyResponse:
    """Delete a round that has not opened."""
    with missing_is_not_found(), site().database.writing() as session:
        drop_round(session, round_id=round_id, by=signed_in().actor, now=current_time())
    flash(_("The round is dropped."))
    return redirect(url_for("staff.home"), HTTPStatus.SEE_OTHER)


def _read_preparation(session: Session, *, now: datetime) -> Preparation | None:
    """Return what the account prepares; None for one that prepares nothing."""
    account = signed_in()
    keys = STEPS_OF_ROLE.get(account.role)
    if keys is None:
        return None
    # An administrator sees no community, and makes the accounts of all districts.
    scope = EVERYWHERE if account.role is Role.ADMINISTRATOR else account.scope
    facts = read_facts(session, scope=scope, public_url=site().config.public_url, now=now)
    words = [words_of(step, facts, current_language()) for step in list_steps(facts, keys)]
    by_state = {state: [step for step in words if step.state is state] for state in State}
    return Preparation(by_state, is_folded=facts.has_opened or not by_state[State.TO_DO])
