"""Views that download export files."""

from collections.abc import Iterator

from flask import Response

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import READERS, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.audit import record_export
from survey_app.clock import current_time
from survey_app.exports.community_table import export_community_table
from survey_app.exports.responses import export_responses
from survey_app.exports.standings import export_standings
from survey_app.web.context import site
from survey_app.web.downloads import file_response
from survey_app.web.error_pages import missing_is_not_found
from survey_app.web.languages import current_language


@blueprint.get("/staff/rounds/<int:round_id>/responses.csv")
@policy(READERS)
def responses_csv(round_id: int) -> Response:
    """Download the responses of a closed round."""
    scope, language = signed_in().scope, current_language()
    with missing_is_not_found():
        pieces = export_responses(
            site().database, round_id=round_id, scope=scope, now=current_time(), language=language
        )
    return _recorded(pieces, kind="responses", subject=f"round:{round_id}", filename=f"responses-round-{round_id}.csv")


@blueprint.get("/staff/evaluations/<int:evaluation_id>/standings.csv")
@policy(READERS)
def standings_csv(evaluation_id: int) -> Response:
    """Download the standings of one evaluation, with the reason of each decision."""
    scope, language = signed_in().scope, current_language()
    with missing_is_not_found():
        pieces = export_standings(site().database, evaluation_id=evaluation_id, scope=scope, language=language)
    return _recorded(
        pieces,
        kind="standings",
        subject=f"evaluation:{evaluation_id}",
        filename=f"standings-evaluation-{evaluation_id}.csv",
    )


@blueprint.get("/staff/evaluations/<int:evaluation_id>/communities.csv")
@policy(READERS)
def communities_csv(evaluation_id: int) -> Response:
    """Download what one evaluation counted, to decide it again with the `analytics` package alone."""
    with missing_is_not_found():
        pieces = export_community_table(site().database, evaluation_id=evaluation_id, scope=signed_in().scope)
    return _recorded(
        pieces,
        kind="communities",
        subject=f"evaluation:{evaluation_id}",
        filename=f"communities-evaluation-{evaluation_id}.csv",
    )


def _recorded(pieces: Iterator[str], *, kind: str, subject: str, filename: str) -> Response:
    """Return the file, once the export is in the audit chain."""
    by, scope, now = signed_in().actor, signed_in().scope, current_time()
    with site().database.writing() as session:
        record_export(session, by=by, area=scope.area, place=scope.id, kind=kind, subject=subject, now=now)
    return file_response(pieces, filename, mimetype="text/csv")
