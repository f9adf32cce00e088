"""View that imports a list of communities: all of it, or none with a list of its faults."""

from dataclasses import asdict
from http import HTTPStatus

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from analytics.files.yaml_documents import DocumentError
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import IMPORTING, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.clock import current_time
from survey_app.register.communities_file import read_communities
from survey_app.register.community_imports import UnconfirmedPlaces, plan_import, record_import, store_import
from survey_app.web.context import site
from survey_app.web.languages import fault_translator

MOST_FAULTS = 200
# They travel in the cookie of the session until the next page.
MOST_NOTES = 5


@blueprint.get("/staff/communities/import")
@policy(IMPORTING)
def show_import() -> str:
    """Show the form that takes a list of communities."""
    return render_template("staff/import.html")


@blueprint.post("/staff/communities/import")
@policy(IMPORTING)
def import_list() -> Response | tuple[str, int]:
    """Import a list of communities as a whole, or show every fault of it, or each name that is new to be confirmed."""
    upload = request.files.get("file")
    if upload is None:
        abort(HTTPStatus.BAD_REQUEST)
    try:
        table = read_communities(upload.read(), upload.filename or "-")
        with site().database.reading() as session:
            plan = plan_import(session, table=table, are_new_places_confirmed="new_places" in request.form)
    except DocumentError as error:
        lines = error.lines(fault_translator())
        kind = "new_places" if isinstance(error, UnconfirmedPlaces) else "faults"
        page = render_template("staff/import.html", **{kind: lines[:MOST_FAULTS]}, more=len(lines) - MOST_FAULTS)
        return page, HTTPStatus.BAD_REQUEST
    with site().database.writing() as session:
        result = store_import(session, plan=plan)
        record_import(session, result=result, by=signed_in().actor, now=current_time())
    flash(
        _(
            "%(added)s communities added, %(changed)s changed, %(unchanged)s unchanged; %(absent)s are not in the file "
            "and stay as they are.",
            **asdict(result),
        )
    )
    for note in table.notes[:MOST_NOTES]:
        flash(note.located(fault_translator()))
    return redirect(url_for("staff.communities"), HTTPStatus.SEE_OTHER)
