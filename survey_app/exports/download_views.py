"""Views that download export files."""

from collections.abc import Iterator
from http import HTTPStatus

from flask import Response, abort

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import READERS, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.audit import record_export
from survey_app.clock import current_time
from survey_app.exports.community_table import export_community_table
from survey_app.exports.responses import export_responses
from survey_app.exports.standings import export_standings
from survey_app.web.context import site
from survey_app.web.languages import current_language


@blueprint.get("/staff/rounds/<int:round_id>/responses.csv")
@policy(READERS)
def responses_csv(round_id: int) -> Response:
    """Download the responses of a closed round."""
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
    _record_export("responses", f"round:{round_id}")
    return _download(pieces, f"responses-round-{round_id}.csv")


@blueprint.get("/staff/evaluations/<int:evaluation_id>/standings.csv")
@policy(READERS)
def standings_csv(evaluation_id: int) -> Response:
    """Download the standings of one evaluation, with the reason of each decision."""
    try:
        pieces = export_standings(
            site().database, evaluation_id=evaluation_id, scope=signed_in().scope, language=current_language()
        )
    except LookupError:
        abort(HTTPStatus.NOT_FOUND)
    _record_export("standings", f"evaluation:{evaluation_id}")
    return _download(pieces, f"standings-evaluation-{evaluation_id}.csv")


@blueprint.get("/staff/evaluations/<int:evaluation_id>/communities.csv")
@policy(READERS)
def communities_csv(evaluation_id: int) -> Response:
    """Download what one evaluation counted, to decide it again with the `analytics` package alone."""
    try:
        pieces = export_community_table(site().database, evaluation_id=evaluation_id, scope=signed_in().scope)
    except LookupError:
        abort(HTTPStatus.NOT_FOUND)
    _record_export("communities", f"evaluation:{evaluation_id}")
    return _download(pieces, f"communities-evaluation-{evaluation_id}.csv")


def _record_export(kind: str, subject: str) -> None:
    by, scope, now = signed_in().actor, signed_in().scope, current_time()
    with site().database.writing() as session:
        record_export(session, by=by, area=scope.area, place=scope.id, kind=kind, subject=subject, now=now)


def _download(pieces: Iterator[str], filename: str) -> Response:
    response = Response(pieces, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response
