"""Views of an evaluation that is being made: asked for, followed, and where it is found."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import EVALUATING, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.clock import current_time
from survey_app.evaluations.evaluate_round import Stage, require_evaluable
from survey_app.evaluations.evaluation_jobs import ask_for_evaluation, find_evaluation_job
from survey_app.evaluations.round_overview import number_in_round
from survey_app.jobs.progress import progress_of
from survey_app.models import Evaluation
from survey_app.rounds.rounds import find_round
from survey_app.web.context import site
from survey_app.web.error_pages import missing_is_not_found


@blueprint.post("/staff/rounds/<int:round_id>/evaluations")
@policy(EVALUATING)
def evaluate(round_id: int) -> Response:
    """Have a round evaluated in the background."""
    is_provisional, now = request.form.get("kind") == "provisional", current_time()
    with missing_is_not_found(), site().database.writing() as session:
        require_evaluable(find_round(session, round_id), now=now)
        job_id = ask_for_evaluation(
            session, round_id=round_id, provisional=is_provisional, by=signed_in().actor, now=now
        )
    return redirect(url_for("staff.follow_evaluation", job_id=job_id), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/evaluation-jobs/<int:job_id>")
@policy(EVALUATING)
def follow_evaluation(job_id: int) -> str:
    """Show how far an evaluation is, or where it is found."""
    with missing_is_not_found(), site().database.reading() as session:
        job = find_evaluation_job(session, job_id=job_id)
        arguments, result = json.loads(job.arguments), json.loads(job.result or "null")
        progress = progress_of(job, now=current_time())
        evaluation = None if result is None else session.get_one(Evaluation, result["evaluation"])
        return render_template(
            "staff/evaluating.html",
            round=find_round(session, arguments["round"]),
            is_provisional=arguments["provisional"],
            progress=progress,
            words=_words(job.stage),
            evaluation=evaluation,
            number=None if evaluation is None else number_in_round(session, evaluation),
            is_new=result is not None and result["is_new"],
        )


def _words(stage: str) -> str:
    words: Mapping[str, str] = {
        Stage.EXAMINING: _("Examining the answers for signs of stuffing"),
        Stage.COUNTING: _("Counting the answers"),
        Stage.JUDGING: _("Judging by the rules and weighing the evidence"),
        Stage.STORING: _("Storing the result"),
    }
    return words.get(stage, words[Stage.EXAMINING])
