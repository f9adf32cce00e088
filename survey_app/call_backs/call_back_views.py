"""Views of call-backs: samples and their drawing, the sheet of a sample, one call and its result."""

import secrets
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from io import BytesIO

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from analytics.files.csv_files import csv_file
from analytics.files.spreadsheets import SheetColumn, write_workbook
from analytics.rules import share_words
from survey_app import audit
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import CALLING_BACK, DRAWING_CALL_BACKS, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.call_backs.call_results import (
    MOST_TRIES,
    CallMovedOn,
    CallOver,
    is_over,
    read_correction,
    read_said,
    record_result,
)
from survey_app.call_backs.call_sheets import Call, CallState, Sheet, find_call, list_samples, read_sheet
from survey_app.call_backs.call_table import call_headings, call_rows
from survey_app.call_backs.labels import correction_words, question_words, recorded_words, state_words
from survey_app.call_backs.samples import (
    AlreadyDrawn,
    district_of,
    draw,
    is_drawn,
    last_full_month,
    listed_cases,
    plan_sample,
)
from survey_app.city_time import Month
from survey_app.clock import current_time
from survey_app.complaints.contacts import read_contact
from survey_app.errors import UnknownNumber
from survey_app.models.vocabulary import AuditAction
from survey_app.web.context import site
from survey_app.web.downloads import file_response
from survey_app.web.languages import current_language
from survey_app.web.typed_numbers import read_whole_number

Page = str | tuple[str, int]


@blueprint.get("/staff/call-backs")
@policy(CALLING_BACK)
def call_backs() -> str:
    """List the samples with a case of the account's communities."""
    account = signed_in()
    with site().database.reading() as session:
        return render_template(
            "call_backs/samples.html",
            samples=list_samples(session, scope=account.scope, account_id=account.account_id),
            states=CallState,
            state_words=state_words(current_language()),
            language=current_language(),
        )


@blueprint.get("/staff/call-backs/new")
@policy(DRAWING_CALL_BACKS)
def plan_call_backs() -> str:
    """Show how many cases of a month would be drawn, company by company, before anything is drawn."""
    return _plan_page()


@blueprint.post("/staff/call-backs/new")
@policy(DRAWING_CALL_BACKS)
def draw_call_backs() -> Page | AnyResponse:
    """Draw the sample of a month, once."""
    account, now, month = signed_in(), current_time(), Month.read(request.form.get("month", ""))
    district_id = district_of(account.scope)
    with site().database.reading() as session:
        last = last_full_month(session, now=now)
    if month is None or month > last:
        return _plan_page(last), HTTPStatus.UNPROCESSABLE_ENTITY
    with site().database.reading() as session:
        secret_key = site().config.secret_key
        plan = plan_sample(session, month=month, scope=account.scope, secret_key=secret_key, now=now)
    if not plan.size:
        return _plan_page(month), HTTPStatus.CONFLICT
    try:
        with site().database.writing() as session:
            seed = secrets.token_hex(16)
            sample_id = draw(
                session, plan, district_id=district_id, seed=seed, account_id=account.account_id, now=now
            ).id
    except AlreadyDrawn:
        return _plan_page(month), HTTPStatus.CONFLICT
    return redirect(url_for("staff.call_sheet", sample_id=sample_id), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/call-backs/<int:sample_id>")
@policy(CALLING_BACK)
def call_sheet(sample_id: int) -> str:
    """Show the cases of a sample that are to be called, and what the calls came to; it can be printed."""
    sheet, language = _sheet(sample_id), current_language()
    return render_template(
        "call_backs/sheet.html",
        sheet=sheet,
        next_call=sheet.next_call(),
        listed=len(listed_cases(sheet.sample)),
        most_tries=MOST_TRIES,
        questions=question_words(language),
        state_words=state_words(language),
        recorded_words=recorded_words(language),
        language=language,
    )


@blueprint.get("/staff/call-backs/<int:sample_id>.csv")
@policy(CALLING_BACK)
def call_sheet_csv(sample_id: int) -> Response:
    """Download the sheet as CSV, without contact details."""
    heading, rows = _table(sample_id)
    return file_response(csv_file(heading, [rows]), "call-backs.csv", mimetype="text/csv")


@blueprint.get("/staff/call-backs/<int:sample_id>.xlsx")
@policy(CALLING_BACK)
def call_sheet_xlsx(sample_id: int) -> Response:
    """Download the sheet as a workbook, without contact details."""
    heading, rows = _table(sample_id)
    stream = BytesIO()
    # References are longer than the whole numbers that a spreadsheet keeps.
    columns = [SheetColumn(name, is_text=True, width=18) for name in heading]
    write_workbook(stream, title="call-backs", columns=columns, rows=rows, now=current_time())
    mimetype = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return file_response(stream.getvalue(), "call-backs.xlsx", mimetype=mimetype)


@blueprint.get("/staff/call-backs/<int:sample_id>/<reference>")
@policy(CALLING_BACK)
def call(sample_id: int, reference: str) -> str:
    """Show one case to be called: what to ask, and what came of the calls so far."""
    return _call_page(sample_id, reference)


@blueprint.post("/staff/call-backs/<int:sample_id>/<reference>/contact")
@policy(CALLING_BACK)
def show_call_contact(sample_id: int, reference: str) -> Page:
    """Show the telephone number of a case that is to be called to whoever calls; the chain says so."""
    account = signed_in()
    with site().database.writing() as session:
        found = _find(session, sample_id, reference)
        if found.is_barred or found.state is not CallState.TO_CALL:
            abort(HTTPStatus.NOT_FOUND)
        complaint = found.call_back.complaint
        contact = read_contact(session, complaint=complaint, secret_key=site().config.secret_key)
        audit.record(
            session,
            by=account.actor,
            action=AuditAction.CONTACT_SHOWN,
            subject=f"complaint:{complaint.id}",
            after={"reason": "call-back", "call_back": found.call_back.id},
            now=current_time(),
        )
    return _call_page(sample_id, reference, contact=contact)


@blueprint.post("/staff/call-backs/<int:sample_id>/<reference>/result")
@policy(CALLING_BACK)
def record_call(sample_id: int, reference: str) -> Page | AnyResponse:
    """Store what came of a call, or correct it, and go on to the next case; what was typed wrongly is shown again."""
    account, said, correction = signed_in(), read_said(request.form), read_correction(request.form.get("correction"))
    seen = read_whole_number(request.form.get("seen"))
    if said is None or seen is None or (correction is None and "correction" in request.form):
        return _call_page(sample_id, reference, refusal="missing"), HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        with site().database.writing() as session:
            found = _find(session, sample_id, reference)
            if found.is_barred:
                abort(HTTPStatus.NOT_FOUND)
            record_result(
                session,
                found.call_back,
                said,
                correction=correction,
                seen=seen,
                account_id=account.account_id,
                now=current_time(),
            )
    except (CallMovedOn, CallOver):
        return _call_page(sample_id, reference, refusal="moved"), HTTPStatus.CONFLICT
    flash(_("Stored: %(step)s", step=state_words(current_language())[CallState(said.outcome)]))
    following = None if correction else _sheet(sample_id).next_call(found.number)
    if following is None:
        return redirect(url_for("staff.call_sheet", sample_id=sample_id), HTTPStatus.SEE_OTHER)
    address = url_for("staff.call", sample_id=sample_id, reference=following.reference)
    return redirect(address, HTTPStatus.SEE_OTHER)


def _plan_page(month: Month | None = None) -> str:
    account, now = signed_in(), current_time()
    with site().database.reading() as session:
        last = last_full_month(session, now=now)
        asked = month or Month.read(request.args.get("month", "")) or last
        if asked > last:
            abort(HTTPStatus.NOT_FOUND)
        secret_key = site().config.secret_key
        plan = plan_sample(session, month=asked, scope=account.scope, secret_key=secret_key, now=now)
        wanted = {name: share_words(share) for name, share in vars(plan.rules.call_backs).items()}
        return render_template(
            "call_backs/plan.html",
            plan=plan,
            is_drawn=is_drawn(session, asked, district_id=district_of(account.scope)),
            months=[last.plus(-back) for back in range(_MONTHS_OFFERED)],
            language=current_language(),
            **wanted,
        )


# Contact details are erased 90 days after the end of a case: earlier months have nobody left to call.
_MONTHS_OFFERED = 4


def _sheet(sample_id: int) -> Sheet:
    account = signed_in()
    with site().database.reading() as session:
        try:
            return read_sheet(session, sample_id, scope=account.scope, account_id=account.account_id)
        except UnknownNumber:
            abort(HTTPStatus.NOT_FOUND)


def _find(session: Session, sample_id: int, reference: str) -> Call:
    account = signed_in()
    try:
        return find_call(session, sample_id, reference, scope=account.scope, account_id=account.account_id)
    except UnknownNumber:
        abort(HTTPStatus.NOT_FOUND)


def _table(sample_id: int) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    """Return the heading and the rows of the file, once the export is in the audit chain."""
    sheet, account, language = _sheet(sample_id), signed_in(), current_language()
    with site().database.writing() as session:
        audit.record_export(
            session,
            by=account.actor,
            area=account.scope.area,
            places=account.scope.ids,
            kind="call_backs",
            subject=f"call_backs:{sample_id}",
            now=current_time(),
        )
    return call_headings(language), call_rows(sheet, language)


def _call_page(sample_id: int, reference: str, *, contact: str | None = None, refusal: str = "") -> str:
    language = current_language()
    with site().database.reading() as session:
        found = _find(session, sample_id, reference)
        return render_template(
            "call_backs/call.html",
            call=found,
            sample_id=sample_id,
            text=found.call_back.complaint.text,
            is_over=is_over(found.results),
            most_tries=MOST_TRIES,
            contact=contact,
            refusal=refusal,
            given=request.form,
            questions=question_words(language),
            corrections=correction_words(language),
            state_words=state_words(language),
            recorded_words=recorded_words(language),
            states=CallState,
            language=language,
        )
