"""View that sends an official document of an evaluation as PDF."""

from http import HTTPStatus

from flask import Response, abort, request

from dashboards.address import View
from dashboards.frames.page_data import PageData
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import READERS, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.audit import record_export
from survey_app.clock import current_time
from survey_app.documents.sheets import document_pdf
from survey_app.evaluations.dashboard_source import stored_evaluations
from survey_app.printing.typefaces import installed_typefaces
from survey_app.web.context import site
from survey_app.web.error_pages import missing_is_not_found
from survey_app.web.languages import current_language


@blueprint.get("/staff/evaluations/<int:evaluation_id>/documents/<kind>.pdf")
@policy(READERS)
def document(evaluation_id: int, kind: str) -> Response:
    """Show a document of an evaluation, of a region or a community if the address names one; 404 for any out of sight.

    The export is in the audit chain before the first byte is sent.
    """
    # Imported here as the dashboards are: they and the drawing library take seconds to import.
    from survey_app.documents.cover import document_words, made_at  # noqa: PLC0415
    from survey_app.documents.kinds import KINDS  # noqa: PLC0415

    typefaces, account, now = installed_typefaces(), signed_in(), current_time()
    region, community = request.args.get("region"), request.args.get("community", "")
    view = View(language=current_language(), evaluation=evaluation_id, region=region, own={"community": community})
    shown = PageData.of(stored_evaluations(), view)
    if kind not in KINDS or shown is None or shown.view.region != region:
        abort(HTTPStatus.NOT_FOUND)
    with missing_is_not_found():
        contents = KINDS[kind](shown)
    words = document_words(contents, shown, now=now)
    pdf = document_pdf(words, typefaces=typefaces, made_at=made_at(shown, now=now))
    with site().database.writing() as session:
        record_export(
            session,
            by=account.actor,
            area=account.scope.area,
            places=account.scope.ids,
            kind=f"document-{kind}",
            subject=f"evaluation:{evaluation_id}",
            now=now,
        )
    return Response(pdf, mimetype="application/pdf")
