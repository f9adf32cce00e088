"""Views of the staff home: rounds with what came in, and their evaluations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.guard import may_visit, signed_in
from survey_app.accounts.policies import ALL_STAFF, COLLECTING, EVALUATING, policy
from survey_app.accounts.scope import Scope
from survey_app.accounts.staff_pages import PAGES, blueprint
from survey_app.attachments.kinds import PHOTO
from survey_app.city_time import last_day, zone_of
from survey_app.clock import current_time
from survey_app.evaluations.evaluate_round import evaluate_round
from survey_app.evaluations.publications import publish_evaluation, published_evaluations
from survey_app.models import Attachment, Community, Evaluation, Publication, Questionnaire, Round, RuleFile
from survey_app.models import Response as StoredResponse
from survey_app.rounds.round_changes import LONGEST_REASON, close_round_early, drop_round
from survey_app.web.context import site
from survey_app.web.error_pages import missing_is_not_found


@dataclass(frozen=True)
class RoundOverview:
    """Round as the home page shows it; times are the city's own."""

    id: int
    name: str
    english_name: str | None
    opens_at: datetime
    last_day: date
    state: str
    received: int
    closed_early_because: str | None
    has_photos: bool
    rules: RuleFile
    questionnaire: Questionnaire
    evaluations: Sequence["EvaluationOverview"]

    @property
    def has_result(self) -> bool:
        """Whether an evaluation was published."""
        return any(evaluation.is_result for evaluation in self.evaluations)

    @property
    def has_official_evaluation(self) -> bool:
        """Whether an official evaluation exists: evaluating again then only finds the stored result."""
        return any(not evaluation.provisional for evaluation in self.evaluations)


@dataclass(frozen=True)
class EvaluationOverview:
    """Stored evaluation as the home page lists it."""

    id: int
    provisional: bool
    evaluated_at: datetime
    cut_off: datetime
    standings_sha256: str
    # The one that was published last is the result of its round; an earlier one was replaced by it.
    is_published: bool
    is_result: bool

    @property
    def may_become_result(self) -> bool:
        """Whether it can still be published."""
        return not self.provisional and not self.is_published


@blueprint.get("/staff/")
@policy(ALL_STAFF)
def home() -> str:
    """List the rounds with what came in, and their evaluations."""
    if not signed_in().may(COLLECTING):
        offered = [(page, label) for page, label in PAGES if page != "staff.home" and may_visit(page)]
        return render_template("staff/welcome.html", offered=offered)
    with site().database.reading() as session:
        rounds = _overview(session, scope=signed_in().scope, now=current_time())
    return render_template("staff/home.html", rounds=rounds, longest_reason=LONGEST_REASON)


@blueprint.post("/staff/rounds/<int:round_id>/evaluations")
@policy(EVALUATING)
def evaluate(round_id: int) -> AnyResponse:
    """Evaluate a round, or find the stored evaluation of the same inputs."""
    is_provisional = request.form.get("kind") == "provisional"
    with missing_is_not_found():
        evaluation = evaluate_round(
            site().database,
            round_id=round_id,
            now=current_time(),
            provisional=is_provisional,
            by=signed_in().actor,
        )
    flash(_("Evaluation %(number)s is stored.", number=evaluation.id))
    return redirect(url_for("staff.home"), HTTPStatus.SEE_OTHER)


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
    flash(_("Evaluation %(number)s is the published result.", number=evaluation_id))
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


def _overview(session: Session, *, scope: Scope, now: datetime) -> list[RoundOverview]:
    received = {row.round_id: row.received for row in session.execute(_count_received(scope))}
    evaluations: dict[int, list[Row[int, int, bool, datetime, datetime, str]]] = {}
    for row in session.execute(_select_evaluations()):
        evaluations.setdefault(row.round_id, []).append(row)
    of_photos = select(StoredResponse.round_id).join(Attachment).where(Attachment.kind == PHOTO.name)
    with_photos = set(session.scalars(of_photos.distinct()))
    published = set(session.scalars(select(Publication.evaluation_id)))
    results = set(published_evaluations(session).values())
    overview = []
    for survey_round in session.scalars(
        select(Round)
        .options(joinedload(Round.rule_file), joinedload(Round.questionnaire))
        .order_by(Round.opens_at.desc())
    ):
        zone = zone_of(survey_round.rule_file.content)
        overview.append(
            RoundOverview(
                id=survey_round.id,
                name=survey_round.name,
                english_name=survey_round.english_name,
                opens_at=survey_round.opens_at.astimezone(zone),
                last_day=last_day(survey_round.closes_at, zone),
                state=_state(survey_round, now),
                received=received.get(survey_round.id, 0),
                closed_early_because=survey_round.closed_early_because,
                has_photos=survey_round.id in with_photos,
                rules=survey_round.rule_file,
                questionnaire=survey_round.questionnaire,
                evaluations=[
                    EvaluationOverview(
                        id=row.id,
                        provisional=row.provisional,
                        evaluated_at=row.evaluated_at.astimezone(zone),
                        cut_off=row.cut_off.astimezone(zone),
                        standings_sha256=row.standings_sha256,
                        is_published=row.id in published,
                        is_result=row.id in results,
                    )
                    for row in evaluations.get(survey_round.id, ())
                ],
            )
        )
    return overview


def _count_received(scope: Scope) -> Select[int, int]:
    counts = (
        select(StoredResponse.round_id, func.count().label("received"))
        .join(Community, StoredResponse.community_id == Community.id)
        .group_by(StoredResponse.round_id)
    )
    return scope.communities(counts)


def _select_evaluations() -> Select[int, int, bool, datetime, datetime, str]:
    # Not whole rows: the inputs of each are as long as the list of communities.
    return select(
        Evaluation.id,
        Evaluation.round_id,
        Evaluation.provisional,
        Evaluation.evaluated_at,
        Evaluation.cut_off,
        Evaluation.standings_sha256,
    ).order_by(Evaluation.id.desc())


def _state(survey_round: Round, now: datetime) -> str:
    if now < survey_round.opens_at:
        return "planned"
    return "open" if now < survey_round.closes_at else "closed"
