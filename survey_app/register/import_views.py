"""Views that take a list of communities: a short one is imported at once, a longer one is kept for background work."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from analytics.files.spreadsheets import has_few_cells
from analytics.files.yaml_documents import DocumentError
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import IMPORTING, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.clock import current_time
from survey_app.kept_files import ON_THEIR_WAY, FileInWork
from survey_app.register.column_headers import checked_headers, headers_of, keep_headers, sources
from survey_app.register.communities_file import COLUMNS, UnknownColumns, read_communities
from survey_app.register.community_imports import UnconfirmedPlaces, plan_import, record_import, store_import
from survey_app.register.kept_lists import LISTS, keep_list
from survey_app.web.context import site
from survey_app.web.languages import fault_translator

MOST_FAULTS = 200
# They travel in the cookie of the session until the next page.
MOST_NOTES = 5
# Of a larger file the page asks for again: it would travel back and forth once more.
LARGEST_KEPT = 4 * 2**20
# Rows of an office's usual list that are imported while the browser waits: it takes half a second.
ROWS_AT_ONCE = 1000


HEADER_FIELD = "header-{field}"


@blueprint.get("/staff/communities/import")
@policy(IMPORTING)
def show_import() -> str:
    """Show the form that takes a list of communities."""
    return _page()


@blueprint.post("/staff/communities/import")
@policy(IMPORTING)
def import_list() -> Response | tuple[str, int]:
    """Import a list of communities as a whole, or show every fault of it, or what has to be said or confirmed first."""
    upload = request.files.get("file")
    if upload is None:
        abort(HTTPStatus.BAD_REQUEST)
    source = request.form.get("source", "").strip()
    name, content = upload.filename or "-", upload.read()
    try:
        chosen = checked_headers(chosen_headers(), source=source)
        if not has_few_cells(content, rows=ROWS_AT_ONCE):
            return _keep(name, content, source=source, headers=chosen)
        with site().database.reading() as session:
            kept = headers_of(session, source)
        table = read_communities(content, name, headers=chosen or kept)
        with site().database.reading() as session:
            plan = plan_import(session, table=table, are_new_places_confirmed="new_places" in request.form)
    except DocumentError as error:
        return _refusal(error, name, content), HTTPStatus.BAD_REQUEST
    with site().database.writing() as session:
        result = store_import(session, plan=plan)
        record_import(session, result=result, by=signed_in().actor, now=current_time())
        if source and chosen:
            keep_headers(session, source=source, headers=chosen)
    flash(
        _(
            "Communities added: %(added)s; changed: %(changed)s; unchanged: %(unchanged)s; not in the file and left "
            "as they are: %(absent)s.",
            **asdict(result),
        )
    )
    if result.numbered:
        flash(_("Communities that came without a number and were given one: %(numbered)s.", numbered=result.numbered))
    for note in table.notes[:MOST_NOTES]:
        flash(note.located(fault_translator()))
    return redirect(url_for("staff.communities"), HTTPStatus.SEE_OTHER)


def _keep(name: str, content: bytes, *, source: str, headers: Mapping[str, str]) -> Response:
    """Have a long list read in the background, and show how far it is."""
    try:
        with site().database.writing() as session:
            keep_list(
                session,
                account_id=signed_in().account_id,
                name=name,
                source=source,
                headers=headers,
                content=content,
                now=current_time(),
            )
    except FileInWork:
        flash(_("One list at a time: the one below is still in work, and the new one was not taken."))
    return redirect(url_for("staff.show_list"), HTTPStatus.SEE_OTHER)


def chosen_headers() -> dict[str, str]:
    """Return by field which header of the file was chosen for it on the page."""
    names = {column.field: HEADER_FIELD.format(field=column.field) for column in COLUMNS}
    return {field: request.form[name] for field, name in names.items() if request.form.get(name)}


def _refusal(error: DocumentError, name: str, content: bytes) -> str:
    """Return the page with what is wrong, or with what it has to be told; then it keeps the file for the next try."""
    upload = {"name": name, "content": b64encode(content).decode()} if len(content) <= LARGEST_KEPT else None
    if isinstance(error, UnknownColumns):
        return _page(missing=error.missing, headers=error.headers, upload=upload)
    lines = error.lines(fault_translator())
    shown = {"more": len(lines) - MOST_FAULTS}
    if isinstance(error, UnconfirmedPlaces):
        return _page(new_places=lines[:MOST_FAULTS], upload=upload, **shown)
    return _page(faults=lines[:MOST_FAULTS], **shown)


def _page(**shown: object) -> str:
    with site().database.reading() as session:
        known, kept = sources(session), LISTS.find(session, signed_in().account_id)
    return render_template(
        "staff/import.html",
        sources=known,
        kept_name=kept.name if kept is not None and kept.status in ON_THEIR_WAY else None,
        columns=COLUMNS,
        chosen=chosen_headers(),
        header_field=HEADER_FIELD,
        **shown,
    )
