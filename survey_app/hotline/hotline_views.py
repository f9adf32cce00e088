"""Views of the hotline's files: sending one, following it, deciding on names and matches, and what goes back."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from http import HTTPStatus
from io import BytesIO

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from analytics.files.csv_files import csv_file
from analytics.files.spreadsheets import SheetColumn, write_workbook
from analytics.files.yaml_documents import Fault
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import HANDLING_HOTLINE, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.audit import record_export
from survey_app.city_time import city_zone
from survey_app.clock import current_time
from survey_app.complaints.cases import MergedIntoEnded
from survey_app.errors import TransitionRefused, UnknownNumber
from survey_app.hotline.community_names import add_alias, remove_alias
from survey_app.hotline.findings import LedgerFindings
from survey_app.hotline.import_files import LEDGERS, compare_again, find_file, give_up_file, keep_file, list_files
from survey_app.hotline.ledger_jobs import COMPARING, READING, STORING
from survey_app.hotline.ledger_rows import COLUMNS
from survey_app.hotline.matches import NoSuchMatch, count_suggestions, decide_match, list_matches
from survey_app.hotline.reply_file import reply_headings, reply_rows
from survey_app.hotline.taking_back import StepsRestOnImport, take_back
from survey_app.hotline.undecided_names import list_aliases, list_undecided
from survey_app.jobs.progress import progress_of
from survey_app.kept_files import FileInWork, NoSuchFile, headers_of, job_of
from survey_app.models import HotlineImport
from survey_app.models.vocabulary import ListStatus
from survey_app.security.text import one_line
from survey_app.web.context import site
from survey_app.web.downloads import file_response
from survey_app.web.languages import current_language, fault_translator

Page = str | tuple[str, int]
HEADER_FIELD = "header-{field}"

_MOST_FILES = 50
_MOST_MATCHES = 50
_LONGEST_NAME = 200
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/staff/hotline")
@policy(HANDLING_HOTLINE)
def hotline() -> str:
    """Show the files of the hotline, take another, and lead to what has to be decided."""
    with site().database.reading() as session:
        zone = city_zone(session)
        return render_template(
            "hotline/files.html",
            files=[_listed(kept, zone) for kept in list_files(session, limit=_MOST_FILES)],
            undecided=len(list_undecided(session)),
            suggestions=count_suggestions(session),
            headers=[column.header for column in COLUMNS],
        )


@blueprint.post("/staff/hotline")
@policy(HANDLING_HOTLINE)
def send_ledger() -> AnyResponse:
    """Keep a file of the hotline and have it read."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        abort(HTTPStatus.BAD_REQUEST)
    content = upload.read()
    try:
        with site().database.writing() as session:
            import_id = keep_file(
                session,
                account_id=signed_in().account_id,
                name=one_line(upload.filename)[:_LONGEST_NAME] or "-",
                content=content,
                now=current_time(),
            )
    except FileInWork:
        flash(_("One file at a time: another one is still in work, and the new one was not taken."))
        return redirect(url_for("staff.hotline"), HTTPStatus.SEE_OTHER)
    return _to_file(import_id)


@blueprint.get("/staff/hotline/imports/<int:import_id>")
@policy(HANDLING_HOTLINE)
def hotline_import(import_id: int) -> str:
    """Show how far a file is, what it would change, what is wrong with it, or what became of it."""
    return _file_page(import_id)


@blueprint.post("/staff/hotline/imports/<int:import_id>/headers")
@policy(HANDLING_HOTLINE)
def choose_ledger_headers(import_id: int) -> AnyResponse | Page:
    """Have a file read by the headers that were chosen for it; the next files are read by the same."""
    chosen = _chosen_headers()
    if len(set(chosen.values())) < len(chosen):
        fault = _("Each header can be chosen for one column only.")
        return _file_page(import_id, faults=[fault]), HTTPStatus.BAD_REQUEST
    return _taken_further(
        import_id,
        lambda session: LEDGERS.choose_headers(session, import_id, headers=chosen, now=current_time()),
    )


@blueprint.post("/staff/hotline/imports/<int:import_id>/confirm")
@policy(HANDLING_HOTLINE)
def confirm_ledger(import_id: int) -> AnyResponse:
    """Have a file imported as the page has shown it."""
    return _taken_further(
        import_id,
        lambda session: LEDGERS.confirm(
            session,
            import_id,
            comparison_sha256=request.form.get("comparison", ""),
            credentials=signed_in().credentials,
            now=current_time(),
        ),
    )


@blueprint.post("/staff/hotline/imports/<int:import_id>/again")
@policy(HANDLING_HOTLINE)
def compare_ledger_again(import_id: int) -> AnyResponse:
    """Have the step done again that has failed, or compare a file once more after names were decided."""
    return _taken_further(import_id, lambda session: compare_again(session, import_id=import_id, now=current_time()))


@blueprint.post("/staff/hotline/imports/<int:import_id>/give-up")
@policy(HANDLING_HOTLINE)
def give_ledger_up(import_id: int) -> AnyResponse:
    """Erase a file that is not imported."""
    with site().database.writing() as session:
        give_up_file(session, import_id=import_id, account_id=signed_in().account_id, now=current_time())
    return redirect(url_for("staff.hotline"), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/hotline/imports/<int:import_id>/take-back")
@policy(HANDLING_HOTLINE)
def take_ledger_back(import_id: int) -> AnyResponse | Page:
    """Take an import back as a whole, or name the cases that have moved since."""
    account = signed_in()
    try:
        with site().database.writing() as session:
            cases = take_back(
                session, import_id=import_id, account_id=account.account_id, by=account.actor, now=current_time()
            )
    except StepsRestOnImport as error:
        return _file_page(import_id, moved=error.references), HTTPStatus.CONFLICT
    except NoSuchFile:
        return _gone()
    flash(ngettext("Taken back: %(num)s case.", "Taken back: %(num)s cases.", cases))
    return _to_file(import_id)


@blueprint.get("/staff/hotline/communities")
@policy(HANDLING_HOTLINE)
def hotline_communities() -> str:
    """List the names that mean no one community, and those that were decided."""
    return _names_page()


@blueprint.post("/staff/hotline/communities")
@policy(HANDLING_HOTLINE)
def decide_hotline_community() -> AnyResponse | Page:
    """Note which community a name means."""
    alias, called = one_line(request.form.get("alias", "")), one_line(request.form.get("community", ""))
    account = signed_in()
    if not alias or len(alias) > _LONGEST_NAME:
        abort(HTTPStatus.BAD_REQUEST)
    try:
        with site().database.writing() as session:
            add_alias(
                session,
                alias=alias,
                called=called,
                account_id=account.account_id,
                by=account.actor,
                now=current_time(),
            )
    except UnknownNumber:
        return _names_page(unknown=called, asked=alias), HTTPStatus.UNPROCESSABLE_ENTITY
    flash(_("Noted. Compare the file once more, or send it again, to bring in the rows that were left out."))
    return redirect(url_for("staff.hotline_communities"), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/hotline/communities/<int:alias_id>/forget")
@policy(HANDLING_HOTLINE)
def forget_hotline_community(alias_id: int) -> AnyResponse:
    """Forget which community a name means; cases that came in by it stay where they are."""
    with site().database.writing() as session:
        remove_alias(session, alias_id=alias_id, by=signed_in().actor, now=current_time())
    return redirect(url_for("staff.hotline_communities"), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/hotline/matches")
@policy(HANDLING_HOTLINE)
def hotline_matches() -> str:
    """Show pairs of cases that may be the same, beside each other."""
    with site().database.reading() as session:
        return render_template(
            "hotline/matches.html",
            matches=list_matches(session, limit=_MOST_MATCHES),
            total=count_suggestions(session),
            language=current_language(),
        )


@blueprint.post("/staff/hotline/matches/<int:match_id>")
@policy(HANDLING_HOTLINE)
def decide_hotline_match(match_id: int) -> AnyResponse:
    """Note whether the two cases of a pair are the same."""
    decision = request.form.get("decision")
    if decision not in {"same", "other"}:
        abort(HTTPStatus.BAD_REQUEST)
    account = signed_in()
    try:
        with site().database.writing() as session:
            match = decide_match(
                session,
                match_id=match_id,
                is_same=decision == "same",
                account_id=account.account_id,
                by=account.actor,
                now=current_time(),
            )
            is_merged = match.is_merged
    except (NoSuchMatch, TransitionRefused, MergedIntoEnded):
        flash(_("This pair stands otherwise by now, so nothing was done."))
    else:
        if is_merged:
            flash(_("Our case was merged into the one of the hotline."))
        elif decision == "same":
            flash(_("Noted: both cases stay as they are, and the complaint rate counts them once."))
        else:
            flash(_("Noted: the two are different cases."))
    return redirect(url_for("staff.hotline_matches"), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/hotline/reply.csv")
@policy(HANDLING_HOTLINE)
def hotline_reply_csv() -> Response:
    """Download what goes back to the hotline as CSV."""
    heading, rows = _reply()
    return file_response(csv_file(heading, [rows]), "12345-reply.csv", mimetype="text/csv")


@blueprint.get("/staff/hotline/reply.xlsx")
@policy(HANDLING_HOTLINE)
def hotline_reply_xlsx() -> Response:
    """Download what goes back to the hotline as a workbook."""
    heading, rows = _reply()
    stream = BytesIO()
    columns = [SheetColumn(name, is_text=True, width=20) for name in heading]
    write_workbook(stream, title="12345", columns=columns, rows=rows, now=current_time())
    return file_response(stream.getvalue(), "12345-reply.xlsx", mimetype=_WORKBOOK)


def _reply() -> tuple[list[str], list[list[str]]]:
    """Return the heading and the rows of what goes back, once the export is in the audit chain."""
    account, scope = signed_in(), signed_in().scope
    with site().database.reading() as session:
        heading, rows = list(reply_headings(session)), [list(row) for row in reply_rows(session)]
    with site().database.writing() as session:
        record_export(
            session,
            by=account.actor,
            area=scope.area,
            places=scope.ids,
            kind="hotline",
            subject="cases",
            now=current_time(),
        )
    return heading, rows


def _taken_further(import_id: int, step: Callable[[Session], object]) -> AnyResponse:
    try:
        with site().database.writing() as session:
            step(session)
    except NoSuchFile:
        flash(_("The file stands otherwise by now, so nothing was done. Here is how it stands."))
    return _to_file(import_id)


def _to_file(import_id: int) -> AnyResponse:
    return redirect(url_for("staff.hotline_import", import_id=import_id), HTTPStatus.SEE_OTHER)


def _gone() -> AnyResponse:
    flash(_("This file is gone: it was given up, replaced or too old, or its import was taken back already."))
    return redirect(url_for("staff.hotline"), HTTPStatus.SEE_OTHER)


def _chosen_headers() -> dict[str, str]:
    names = {column.field: HEADER_FIELD.format(field=column.field) for column in COLUMNS}
    return {field: request.form[name] for field, name in names.items() if request.form.get(name)}


def _names_page(*, unknown: str = "", asked: str = "") -> str:
    with site().database.reading() as session:
        return render_template(
            "hotline/communities.html",
            undecided=list_undecided(session),
            aliases=list_aliases(session),
            unknown=unknown,
            asked=asked,
            language=current_language(),
        )


def _listed(kept: HotlineImport, zone: tzinfo) -> dict[str, object]:
    """Return what the list shows of a file."""
    findings = LedgerFindings.parse(kept.findings) if kept.findings else LedgerFindings()
    return {
        "id": kept.id,
        "name": kept.name,
        "sent_at": kept.sent_at.astimezone(zone),
        "counts": findings.counts,
        "words": _status_words(kept),
    }


def _status_words(kept: HotlineImport) -> str:
    words: Mapping[str, str] = {
        ListStatus.SENT: _("being read"),
        ListStatus.REFUSED: _("has faults"),
        ListStatus.ASKED: _("has unknown columns"),
        ListStatus.COMPARED: _("waits to be confirmed"),
        ListStatus.CONFIRMED: _("being imported"),
        ListStatus.IMPORTED: _("imported"),
    }
    taken_back: str = _("taken back")
    return words[kept.status] if kept.taken_back_at is None else taken_back


def _file_page(import_id: int, **shown: object) -> str:
    with site().database.reading() as session:
        try:
            kept = find_file(session, import_id=import_id)
        except NoSuchFile:
            abort(HTTPStatus.NOT_FOUND)
        facts = _facts(session, kept, now=current_time())
    given = {"header_field": HEADER_FIELD, "columns": COLUMNS, "chosen": headers_of(kept) | _chosen_headers()}
    return render_template("hotline/file.html", **given | facts | shown)


def _facts(session: Session, kept: HotlineImport, *, now: datetime) -> dict[str, object]:
    """Return what the page shows of a file."""
    facts: dict[str, object] = {"id": kept.id, "name": kept.name, "comparison": kept.comparison_sha256}
    job = job_of(session, kept)
    progress = None if job is None else progress_of(job, now=now)
    if progress is not None:
        return facts | {"progress": progress, "words": _stage_words(progress.stage)}
    if kept.status in {ListStatus.SENT, ListStatus.CONFIRMED} or kept.findings is None:
        return facts | {"has_failed": True}
    findings = LedgerFindings.parse(kept.findings)
    return facts | {
        "faults": _located(findings.faults, kept.name),
        "more": findings.more,
        "notes": _located(findings.notes, kept.name),
        "headers": findings.headers,
        "missing": [column for column in COLUMNS if column.field in findings.missing],
        "counts": findings.counts,
        "undecided": findings.undecided,
        "is_imported": kept.imported_at is not None,
        "is_taken_back": kept.taken_back_at is not None,
    }


def _located(faults: Sequence[Fault], name: str) -> list[str]:
    translate = fault_translator()
    return [f"{name}:{fault.located(translate)}" if fault.line else fault.located(translate) for fault in faults]


def _stage_words(stage: str) -> str:
    words: Mapping[str, str] = {
        READING: _("Reading the file"),
        COMPARING: _("Comparing it with the cases that are known"),
        STORING: _("Storing the cases"),
    }
    return words.get(stage, words[READING])
