"""Pages for staff: signing in, rounds with their evaluations and downloads, communities with their posters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response as AnyResponse

from survey_app import access
from survey_app.access import Scope, signed_in
from survey_app.codes import wording_of
from survey_app.context import current_time, site
from survey_app.evaluation import evaluate_round
from survey_app.exports.responses import export_responses
from survey_app.exports.standings import export_standings
from survey_app.languages import current_language
from survey_app.local_time import last_day, zone_of
from survey_app.models import Code, Community, Evaluation, Round
from survey_app.models import Response as StoredResponse
from survey_app.posters.qr import qr_png, qr_svg

blueprint = Blueprint("staff", __name__)


@blueprint.app_template_global()
def in_language(name: str, english_name: str | None) -> str:
    """Return a name as readers of this page's language know it."""
    return wording_of(name, english_name).in_language(current_language())


COMMUNITIES_PER_PAGE = 50
_LARGEST_PAGE = 100_000


@dataclass(frozen=True)
class RoundOverview:
    """A round as the home page shows it; times are the city's own."""

    id: int
    name: str
    english_name: str | None
    opens_at: datetime
    last_day: date
    state: str
    received: int
    evaluations: Sequence["EvaluationOverview"]

    @property
    def has_official_evaluation(self) -> bool:
        """Whether it was decided already: evaluating again then only finds the stored result."""
        return any(not evaluation.provisional for evaluation in self.evaluations)


@dataclass(frozen=True)
class EvaluationOverview:
    """A stored evaluation as the home page lists it."""

    id: int
    provisional: bool
    evaluated_at: datetime
    cut_off: datetime
    standings_sha256: str


@blueprint.get("/sign-in")
def sign_in() -> str:
    """Show the sign-in form."""
    return render_template("staff/sign_in.html", target=access.safe_target(request.args.get("next")))


@blueprint.post("/sign-in")
def check_sign_in() -> AnyResponse | tuple[str, int]:
    """Sign in and go on to the page that was asked for, or show the form again."""
    target = access.safe_target(request.form.get("next"))
    username, password = request.form.get("username", ""), request.form.get("password", "")
    with site().database.reading() as session:
        if access.sign_in(session, username=username, password=password):
            return redirect(target, HTTPStatus.SEE_OTHER)
    page = render_template("staff/sign_in.html", target=target, username=username, refused=True)
    return page, HTTPStatus.UNAUTHORIZED


@blueprint.post("/sign-out")
def sign_out() -> AnyResponse:
    """End every session of the account."""
    with site().database.writing() as session:
        access.sign_out(session)
    return redirect(url_for("staff.sign_in"), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/")
def home() -> str:
    """List the rounds with what came in, and their evaluations."""
    with site().database.reading() as session:
        rounds = _overview(session, scope=signed_in().scope, now=current_time())
    return render_template("staff/home.html", account=signed_in(), rounds=rounds)


@blueprint.post("/staff/rounds/<int:round_id>/evaluations")
def evaluate(round_id: int) -> AnyResponse:
    """Evaluate a round; what was evaluated before on the same inputs is found again."""
    if not signed_in().may_evaluate:
        abort(HTTPStatus.FORBIDDEN)
    is_provisional = request.form.get("kind") == "provisional"
    try:
        evaluation = evaluate_round(site().database, round_id=round_id, now=current_time(), provisional=is_provisional)
    except LookupError:
        abort(HTTPStatus.NOT_FOUND)
    flash(_("Evaluation %(number)s is stored.", number=evaluation.id))
    return redirect(url_for("staff.home"), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/rounds/<int:round_id>/responses.csv")
def responses_csv(round_id: int) -> Response:
    """Download what was answered in a closed round."""
    try:
        pieces = export_responses(
            site().database,
            round_id=round_id,
            scope=signed_in().scope,
            now=current_time(),
            language=current_language(),
        )
    except LookupError:
        abort(HTTPStatus.NOT_FOUND)
    return _download(pieces, f"responses-round-{round_id}.csv")


@blueprint.get("/staff/evaluations/<int:evaluation_id>/standings.csv")
def standings_csv(evaluation_id: int) -> Response:
    """Download the standings of one evaluation, with the reason of each decision."""
    try:
        pieces = export_standings(
            site().database, evaluation_id=evaluation_id, scope=signed_in().scope, language=current_language()
        )
    except LookupError:
        abort(HTTPStatus.NOT_FOUND)
    return _download(pieces, f"standings-evaluation-{evaluation_id}.csv")


@blueprint.get("/staff/communities")
def communities() -> str:
    """List the communities and the codes of their posters, a page at a time."""
    wanted = request.args.get("search", "").strip()
    page = max(1, min(request.args.get("page", 1, type=int), _LARGEST_PAGE))
    with site().database.reading() as session:
        matching = _matching_communities(signed_in().scope, wanted)
        total = session.scalar(select(func.count()).select_from(matching.subquery())) or 0
        found = session.scalars(
            matching.options(joinedload(Community.district), joinedload(Community.company))
            .order_by(Community.sort_key, Community.number)
            .limit(COMMUNITIES_PER_PAGE)
            .offset((page - 1) * COMMUNITIES_PER_PAGE)
        ).all()
        return render_template(
            "staff/communities.html",
            account=signed_in(),
            communities=found,
            codes=_usable_codes(session, [community.id for community in found]),
            search=wanted,
            total=total,
            page=page,
            pages=max(1, -(-total // COMMUNITIES_PER_PAGE)),
        )


@blueprint.get("/staff/codes/<token>.svg")
def code_svg(token: str) -> Response:
    """Hand out the picture of a poster's code for printing."""
    return Response(qr_svg(_address_of_code(token)), mimetype="image/svg+xml")


@blueprint.get("/staff/codes/<token>.png")
def code_png(token: str) -> Response:
    """Hand out the picture of a poster's code for a chat or a document."""
    return Response(qr_png(_address_of_code(token)), mimetype="image/png")


def _overview(session: Session, *, scope: Scope, now: datetime) -> list[RoundOverview]:
    received = {row.round_id: row.received for row in session.execute(_count_received(scope))}
    evaluations: dict[int, list[Row[int, int, bool, datetime, datetime, str]]] = {}
    for row in session.execute(_select_evaluations()):
        evaluations.setdefault(row.round_id, []).append(row)
    overview = []
    for survey_round in session.scalars(
        select(Round).options(joinedload(Round.rule_file)).order_by(Round.opens_at.desc())
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
                evaluations=[
                    EvaluationOverview(
                        id=row.id,
                        provisional=row.provisional,
                        evaluated_at=row.evaluated_at.astimezone(zone),
                        cut_off=row.cut_off.astimezone(zone),
                        standings_sha256=row.standings_sha256,
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


def _matching_communities(scope: Scope, wanted: str) -> Select[Community]:
    statement = scope.communities(select(Community))
    if not wanted:
        return statement
    fields = (Community.name, Community.english_name, Community.number, Community.sort_key)
    return statement.where(or_(*(field.icontains(wanted, autoescape=True) for field in fields)))


def _usable_codes(session: Session, community_ids: Sequence[int]) -> dict[int, list[Code]]:
    statement = select(Code).where(Code.community_id.in_(community_ids), Code.revoked_at.is_(None)).order_by(Code.id)
    codes: dict[int, list[Code]] = {}
    for code in session.scalars(statement):
        codes.setdefault(code.community_id, []).append(code)
    return codes


def _address_of_code(token: str) -> str:
    """Return what the code of a community in scope says when it is scanned."""
    statement = select(Code.token).join(Community, Code.community_id == Community.id).where(Code.token == token)
    with site().database.reading() as session:
        if session.scalar(signed_in().scope.communities(statement)) is None:
            abort(HTTPStatus.NOT_FOUND)
    return f"{site().config.public_url}/s/{token}"


def _download(pieces: Iterator[str], filename: str) -> Response:
    response = Response(pieces, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response
