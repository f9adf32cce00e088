"""Views that download export files."""

from collections.abc import Iterator

from flask import Response

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import READERS, RECOUNTING, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.audit import record_export
from survey_app.clock import current_time
from survey_app.exports.answer_tables import export_answer_tables
from survey_app.exports.community_table import export_community_table
from survey_app.exports.responses import export_responses
from survey_app.exports.standings import export_standings
from survey_app.exports.texts import export_texts
from survey_app.web.context import site
from survey_app.web.downloads import file_response
from survey_app.web.error_pages import missing_is_not_found
from survey_app.web.languages import current_language


@blueprint.get("/staff/evaluations/<int:evaluation_id>/responses.csv")
@policy(RECOUNTING)
def responses_csv(evaluation_id: int) -> Response:
    """Download the answers that an official evaluation counted, to count them again."""
    scope, now = signed_in().scope, current_time()
    with missing_is_not_found():
        pieces = export_responses(site().database, evaluation_id=evaluation_id, scope=scope, now=now)
    return _recorded(pieces, kind="responses", evaluation_id=evaluation_id)


@blueprint.get("/staff/rounds/<int:round_id>/texts.csv")
@policy(RECOUNTING)
def texts_csv(round_id: int) -> Response:
    """Download what residents wrote, personal details hidden and beside no other answer."""
    scope, language, now = signed_in().scope, current_language(), current_time()
    with missing_is_not_found():
        pieces = export_texts(site().database, round_id=round_id, scope=scope, language=language, now=now)
    _record(kind="texts", subject=f"round:{round_id}")
    return file_response(pieces, f"texts-round-{round_id}.csv", mimetype="text/csv")


@blueprint.get("/staff/evaluations/<int:evaluation_id>/tables.csv")
@policy(READERS)
def tables_csv(evaluation_id: int) -> Response:
    """Download how each community answered each question, small numbers withheld."""
    scope, language = signed_in().scope, current_language()
    with missing_is_not_found():
        pieces = export_answer_tables(site().database, evaluation_id=evaluation_id, scope=scope, language=language)
    return _recorded(pieces, kind="tables", evaluation_id=evaluation_id)


@blueprint.get("/staff/evaluations/<int:evaluation_id>/standings.csv")
@policy(READERS)
def standings_csv(evaluation_id: int) -> Response:
    """Download the standings of one evaluation, with the reason of each decision."""
    scope, language = signed_in().scope, current_language()
    with missing_is_not_found():
        pieces = export_standings(site().database, evaluation_id=evaluation_id, scope=scope, language=language)
    return _recorded(pieces, kind="standings", evaluation_id=evaluation_id)


@blueprint.get("/staff/evaluations/<int:evaluation_id>/communities.csv")
@policy(RECOUNTING)
def communities_csv(evaluation_id: int) -> Response:
    """Download what one evaluation counted, to decide it again with the `analytics` package alone."""
    with missing_is_not_found():
        pieces = export_community_table(site().database, evaluation_id=evaluation_id, scope=signed_in().scope)
    return _recorded(pieces, kind="communities", evaluation_id=evaluation_id)


def _recorded(pieces: Iterator[str], *, kind: str, evaluation_id: int) -> Response:
    """Return the file, once the export is in the audit chain."""
    _record(kind=kind, subject=f"evaluation:{evaluation_id}")
    return file_response(pieces, f"{kind}-evaluation-{evaluation_id}.csv", mimetype="text/csv")


def _record(*, kind: str, subject: str) -> None:
    by, scope, now = signed_in().actor, signed_in().scope, current_time()
    with site().database.writing() as session:
        record_export(session, by=by, area=scope.area, places=scope.ids, kind=kind, subject=subject, now=now)
