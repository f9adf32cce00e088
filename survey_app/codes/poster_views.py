"""Views of poster codes: issuing, revoking, drawing them."""

from http import HTTPStatus

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import ISSUING, REGISTER_READERS, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.clock import current_time
from survey_app.codes.codes import issue_missing_poster_codes, revoke_code
from survey_app.models import Code, Community
from survey_app.printing.qr import qr_png, qr_svg
from survey_app.web.context import site


@blueprint.post("/staff/codes")
@policy(ISSUING)
def issue_codes() -> AnyResponse:
    """Issue a poster code for each community in scope that has none."""
    scope, by = signed_in().scope, signed_in().actor
    issued = issue_missing_poster_codes(site().database, scope=scope, by=by, now=current_time())
    flash(ngettext("%(num)s code issued.", "%(num)s codes issued.", issued))
    return redirect(url_for("staff.communities"), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/codes/<token>/revoke")
@policy(ISSUING)
def revoke(token: str) -> AnyResponse:
    """Revoke a poster code."""
    statement = select(Code).join(Community, Code.community_id == Community.id).where(Code.token == token)
    with site().database.writing() as session:
        code = session.scalar(signed_in().scope.communities(statement))
        if code is None:
            abort(HTTPStatus.NOT_FOUND)
        revoke_code(session, code=code, by=signed_in().actor, now=current_time())
    flash(_("The code is revoked: nobody can answer through it any more."))
    return redirect(url_for("staff.communities", search=request.form.get("search") or None), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/codes/<token>.svg")
@policy(REGISTER_READERS)
def code_svg(token: str) -> Response:
    """Download a poster's QR code as an SVG, for printing."""
    return Response(qr_svg(_address_of_code(token)), mimetype="image/svg+xml")


@blueprint.get("/staff/codes/<token>.png")
@policy(REGISTER_READERS)
def code_png(token: str) -> Response:
    """Download a poster's QR code as a PNG, for a chat or a document."""
    return Response(qr_png(_address_of_code(token)), mimetype="image/png")


def _address_of_code(token: str) -> str:
    """Return the address in the QR code of a community in scope."""
    statement = select(Code.token).join(Community, Code.community_id == Community.id).where(Code.token == token)
    with site().database.reading() as session:
        if session.scalar(signed_in().scope.communities(statement)) is None:
            abort(HTTPStatus.NOT_FOUND)
    return f"{site().config.url_to_print}/s/{token}"
