"""Views of a company's desk: the cases that were given to it, and its steps in them."""

import secrets
from collections.abc import Sequence
from http import HTTPStatus

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import COMPANY_CASES, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.attachments.attachments import find_attachment
from survey_app.attachments.kinds import PHOTOS
from survey_app.attachments.scanning import AttachmentFault
from survey_app.casework.appeals import AppealRefused, file_appeal
from survey_app.casework.case_steps import LONGEST_WORDS
from survey_app.casework.company_cases import (
    CompanyCaseFile,
    find_company_case,
    is_with_company,
    list_company_cases,
    read_company_case,
)
from survey_app.casework.company_record import read_company_record
from survey_app.casework.labels import history_words, status_names, step_names
from survey_app.casework.step_files import MOST_FILES, files_in, keep_files, scan_files
from survey_app.city_time import local_today
from survey_app.clock import current_time
from survey_app.complaints.cases import CaseMovedOn, take_step
from survey_app.complaints.labels import end_reason_words
from survey_app.complaints.redaction import Piece, redact, split
from survey_app.errors import OtherAnswersSubmitted, TransitionRefused
from survey_app.models import Complaint
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason
from survey_app.security.text import clean_text
from survey_app.web.context import site
from survey_app.web.error_pages import missing_is_not_found
from survey_app.web.languages import current_language

Page = str | tuple[str, int]
# In the order in which the page offers them.
_STEPS = (CaseAction.START, CaseAction.RESPOND, CaseAction.ASK_RESIDENT, CaseAction.PROPOSE)
# Of each kind.
MOST_LISTED = 100
_NEED_WORDS = frozenset({CaseAction.RESPOND, CaseAction.ASK_RESIDENT, CaseAction.PROPOSE})


@blueprint.get("/staff/company-cases")
@policy(COMPANY_CASES)
def company_cases() -> str:
    """List the cases that were given to the company: those that it has by their deadlines, then those that are over."""
    now = current_time()
    with site().database.reading() as session:
        cases = list_company_cases(session, _company_id(), limit=MOST_LISTED, now=now)
    return render_template(
        "casework/company_cases.html",
        cases=cases,
        status_names=status_names(current_language()),
        language=current_language(),
    )


@blueprint.get("/staff/company-record")
@policy(COMPANY_CASES)
def company_record() -> str:
    """Show the company its own record of the last twelve months."""
    with site().database.reading() as session:
        months = read_company_record(session, _company_id(), now=current_time())
    return render_template("casework/company_record.html", months=months)


@blueprint.get("/staff/company-cases/<reference>")
@policy(COMPANY_CASES)
def company_case(reference: str) -> str:
    """Show what the office released of a case, and what the company can do now."""
    return _page(reference)


@blueprint.post("/staff/company-cases/<reference>/step")
@policy(COMPANY_CASES)
def take_company_step(reference: str) -> Page | AnyResponse:
    """Take the company's step; words that tell who complained are held back, marked, and nothing is lost."""
    now, account, uploads = current_time(), signed_in(), files_in(request)
    with site().database.reading() as session:
        find_company_case(session, reference, company_id=_company_id())
    action = next((step for step in _STEPS if step == request.form.get("step")), None)
    words = clean_text(request.form.get("words", ""))
    reason = request.form.get("reason", "")
    fault = _fault(action, words, reason)
    if fault:
        return _page(reference, words=words, fault=fault), HTTPStatus.UNPROCESSABLE_ENTITY
    assert action is not None
    pieces = split(words)
    if any(piece.hidden for piece in pieces):
        return _page(reference, words=words, held_back=pieces), HTTPStatus.UNPROCESSABLE_ENTITY
    files, file_faults = scan_files(uploads, action)
    if file_faults:
        return _page(reference, words=words, file_faults=file_faults), HTTPStatus.UNPROCESSABLE_ENTITY
    step_key = request.form.get("step_key") or secrets.token_urlsafe(16)
    try:
        with site().database.writing() as session:
            complaint = _require_with_company(session, reference)
            take_step(
                session,
                reference=reference,
                action=action,
                actor=CaseActor.COMPANY,
                by=account.actor,
                account_id=account.account_id,
                reason=CaseEndReason(reason) if action is CaseAction.PROPOSE else None,
                text=words,
                action_key=step_key,
                now=now,
            )
            keep_files(session, complaint, files, step_key=step_key, now=now)
    except (TransitionRefused, OtherAnswersSubmitted, CaseMovedOn):
        return _page(reference, words=words, fault="moved"), HTTPStatus.CONFLICT
    flash(_("Stored: %(step)s", step=step_names(current_language())[action]))
    return redirect(url_for("staff.company_case", reference=reference), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/company-cases/<reference>/appeal")
@policy(COMPANY_CASES)
def file_case_appeal(reference: str) -> Page | AnyResponse:
    """File an appeal against counting the case in the complaint rate; personal words are held back, marked."""
    account, words = signed_in(), clean_text(request.form.get("words", ""))
    reason = next((each for each in CaseEndReason if each == request.form.get("reason")), None)
    if reason is None or not words or len(words) > LONGEST_WORDS:
        return _page(reference, words=words, fault="words" if reason else "reason"), HTTPStatus.UNPROCESSABLE_ENTITY
    pieces = split(words)
    if any(piece.hidden for piece in pieces):
        return _page(reference, words=words, held_back=pieces), HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        with site().database.writing() as session:
            file_appeal(
                session,
                _require_with_company(session, reference),
                company_id=_company_id(),
                account_id=account.account_id,
                reason=reason,
                text=words,
                now=current_time(),
            )
    except (AppealRefused, CaseMovedOn):
        return _page(reference, words=words, fault="moved"), HTTPStatus.CONFLICT
    flash(_("The appeal is filed."))
    return redirect(url_for("staff.company_case", reference=reference), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/company-cases/<reference>/photos/<name>.jpg")
@policy(COMPANY_CASES)
def company_photo(reference: str, name: str) -> Response:
    """Send one photo that the company may see: one that was released, or one that came with a step that it sees."""
    with site().database.reading() as session:
        file = _file(session, reference)
        visible = {photo.name for photo in file.photos} | {photo.name for step in file.steps for photo in step.photos}
        if name not in visible:
            abort(HTTPStatus.NOT_FOUND)
        with missing_is_not_found():
            photo = find_attachment(session, complaint_id=file.complaint_id, name=name, kinds=PHOTOS)
        return Response(photo.content, mimetype=photo.media_type)


def _company_id() -> int:
    (company_id,) = signed_in().scope.ids
    return company_id


def _file(session: Session, reference: str) -> CompanyCaseFile:
    return read_company_case(session, reference, company_id=_company_id(), now=current_time())


def _require_with_company(session: Session, reference: str) -> Complaint:
    # Another company may have been given the case, or the community, since the page was opened.
    company_id, complaint = _company_id(), find_company_case(session, reference, company_id=_company_id())
    if not is_with_company(session, complaint, company_id=company_id, day=local_today(session, now=current_time())):
        raise CaseMovedOn(reference)
    return complaint


def _fault(action: CaseAction | None, words: str, reason: str) -> str:
    """Return what is wrong with the form of a step, or nothing."""
    if action is None:
        return "step"
    if action in _NEED_WORDS and (not words or len(words) > LONGEST_WORDS):
        return "words"
    return "reason" if action is CaseAction.PROPOSE and reason not in set(CaseEndReason) else ""


def _page(
    reference: str,
    *,
    words: str = "",
    fault: str = "",
    held_back: Sequence[Piece] = (),
    file_faults: Sequence[AttachmentFault] = (),
) -> str:
    language = current_language()
    with site().database.reading() as session:
        file = _file(session, reference)
    return render_template(
        "casework/company_case.html",
        file=file,
        case=file.case,
        # What the office wrote may hold a name, as every word that it writes.
        appeal_answer=redact(file.appeal.answer) if file.appeal else "",
        steps=[step for step in _STEPS if step in file.possible],
        need_words=_NEED_WORDS,
        asked=request.form.get("step", "") if words or fault or held_back or file_faults else "",
        is_appealing=request.endpoint == "staff.file_case_appeal",
        reason=request.form.get("reason", ""),
        words=words,
        fault=fault,
        held_back=held_back,
        file_faults=file_faults,
        most_files=MOST_FILES,
        step_key=secrets.token_urlsafe(16),
        longest_words=LONGEST_WORDS,
        step_names=step_names(language),
        history_words=history_words(language),
        status_names=status_names(language),
        reason_words=end_reason_words(language),
        language=language,
    )
