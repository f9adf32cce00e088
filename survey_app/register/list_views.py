"""Views of a list of communities that takes longer than a page may: how far it is, what it changes, and its import."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from analytics.files.yaml_documents import DocumentError
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import IMPORTING, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.clock import current_time
from survey_app.jobs.progress import progress_of
from survey_app.kept_files import NoSuchFile, job_of
from survey_app.models import CommunityList
from survey_app.models.vocabulary import ListStatus
from survey_app.register.column_headers import checked_headers, sources
from survey_app.register.communities_file import COLUMNS
from survey_app.register.import_views import HEADER_FIELD, chosen_headers
from survey_app.register.kept_lists import LISTS, choose_headers, give_up_list
from survey_app.register.list_findings import ListFindings
from survey_app.register.list_jobs import COMPARING, READING, STORING
from survey_app.web.context import site
from survey_app.web.languages import fault_translator


@blueprint.get("/staff/communities/import/list")
@policy(IMPORTING)
def show_list() -> Response | str:
    """Show how far the account's list is, what it would change, or what is wrong with it."""
    return _page() or redirect(url_for("staff.show_import"), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/communities/import/list/headers")
@policy(IMPORTING)
def choose_list_headers() -> Response | tuple[str, int]:
    """Have the list read by the headers that were chosen for it."""
    source = request.form.get("source", "").strip()
    try:
        headers = checked_headers(chosen_headers(), source=source)
    except DocumentError as error:
        page = _page(faults=error.lines(fault_translator()))
        return (page, HTTPStatus.BAD_REQUEST) if page else _gone()
    try:
        with site().database.writing() as session:
            choose_headers(session, account_id=_account_id(), source=source, headers=headers, now=current_time())
    except NoSuchFile:
        return _gone()
    return _to_list()


@blueprint.post("/staff/communities/import/list/confirm")
@policy(IMPORTING)
def confirm_comparison() -> Response | tuple[str, int]:
    """Have the list imported as the page has shown it."""
    try:
        with site().database.writing() as session:
            kept = LISTS.find(session, _account_id())
            findings = ListFindings.parse(kept.findings) if kept and kept.findings else ListFindings()
            is_answered = not findings.new_places or "new_places" in request.form
            if is_answered:
                LISTS.confirm(
                    session,
                    _account_id(),
                    comparison_sha256=request.form.get("comparison", ""),
                    credentials=signed_in().credentials,
                    now=current_time(),
                )
    except NoSuchFile:
        return _gone()
    if not is_answered:
        flash(_("Please confirm that all that is named below is new, or correct the file."))
    return _to_list()


@blueprint.post("/staff/communities/import/list/again")
@policy(IMPORTING)
def try_list_again() -> Response:
    """Have the step done again that has failed."""
    try:
        with site().database.writing() as session:
            LISTS.try_again(session, _account_id(), now=current_time())
    except NoSuchFile:
        return _gone()
    return _to_list()


@blueprint.post("/staff/communities/import/list/give-up")
@policy(IMPORTING)
def give_list_up() -> Response:
    """Erase the list; what it would have changed stays as it is."""
    with site().database.writing() as session:
        give_up_list(session, account_id=_account_id(), now=current_time())
    return redirect(url_for("staff.show_import"), HTTPStatus.SEE_OTHER)


def _account_id() -> int:
    return signed_in().account_id


def _to_list() -> Response:
    return redirect(url_for("staff.show_list"), HTTPStatus.SEE_OTHER)


def _gone() -> Response:
    """Show how the list stands by now, which is not as on the page that was left open."""
    flash(_("The list stands otherwise by now, so nothing was done. Here is how it stands."))
    return _to_list()


def _page(**shown: object) -> str | None:
    """Return the page of the account's list, or None where it has none."""
    with site().database.reading() as session:
        kept = LISTS.find(session, _account_id())
        if kept is None:
            return None
        facts = _facts(session, kept, now=current_time())
    return render_template(
        "staff/community_list.html",
        columns=COLUMNS,
        header_field=HEADER_FIELD,
        chosen=chosen_headers(),
        **facts | shown,
    )


def _facts(session: Session, kept: CommunityList, *, now: datetime) -> dict[str, object]:
    """Return what the page shows of a list."""
    facts: dict[str, object] = {
        "name": kept.name,
        "source": kept.source,
        "comparison": kept.comparison_sha256,
        "is_imported": False,
    }
    job = job_of(session, kept)
    progress = None if job is None else progress_of(job, now=now)
    if progress is not None:
        return facts | {"progress": progress, "words": _words(progress.stage)}
    if kept.status in {ListStatus.SENT, ListStatus.CONFIRMED} or kept.findings is None:
        return facts | {"has_failed": True}
    findings = ListFindings.parse(kept.findings)
    translate = fault_translator()
    return facts | {
        "faults": [f"{kept.name}:{fault.located(translate)}" for fault in findings.faults],
        "new_places": [f"{kept.name}:{fault.located(translate)}" for fault in findings.new_places],
        "more": findings.more,
        "notes": [note.located(translate) for note in findings.notes],
        "headers": findings.headers,
        "missing": [column for column in COLUMNS if column.field in findings.missing],
        "sources": sources(session),
        "result": findings.result,
        "is_imported": kept.status == ListStatus.IMPORTED,
    }


def _words(stage: str) -> str:
    words: Mapping[str, str] = {
        READING: _("Reading the list"),
        COMPARING: _("Comparing it with the register"),
        STORING: _("Storing the communities"),
    }
    return words.get(stage, words[READING])
