"""Views of one case at the office: all of it, the steps that can be taken, files, and how to reach who filed it."""

import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from survey_app import audit
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import TAKING_STEPS, WORKING_CASES, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.attachments.attachments import attachments_of_complaint, find_attachment
from survey_app.attachments.kinds import DOCUMENT, PHOTO, PHOTOS
from survey_app.attachments.scanning import AttachmentFault
from survey_app.casework.case_file import CaseFile, read_case_file
from survey_app.casework.case_steps import (
    FIELDS_OF_STEP,
    LONGEST_WORDS,
    WORDS_OPTIONAL,
    AskedStep,
    read_step,
)
from survey_app.casework.labels import channel_words, fault_words, history_words, office_words, status_names, step_names
from survey_app.casework.releases import Release, store_release
from survey_app.casework.step_files import KINDS_OF_STEP, MOST_FILES, files_in, keep_files, scan_files
from survey_app.clock import current_time
from survey_app.complaints.cases import CaseMovedOn, MergedIntoEnded, find_in_scope, take_step, was_taken
from survey_app.complaints.contacts import read_contact
from survey_app.complaints.labels import case_kind_words, end_reason_words
from survey_app.complaints.redaction import split
from survey_app.complaints.state_machine import ENDING_ACTIONS, INTERNAL_ACTIONS
from survey_app.errors import OtherAnswersSubmitted, TransitionRefused, UnknownNumber
from survey_app.models import Complaint
from survey_app.models.vocabulary import AuditAction, CaseAction, CaseActor
from survey_app.security.text import clean_text
from survey_app.web.context import site
from survey_app.web.downloads import file_response
from survey_app.web.error_pages import missing_is_not_found
from survey_app.web.languages import current_language
from survey_app.web.typed_numbers import read_whole_number

Page = str | tuple[str, int]

LONGEST_REASON = 200
# What the page says where a step is not taken.
_REFUSALS: Mapping[type[Exception], tuple[str, HTTPStatus]] = MappingProxyType(
    {
        TransitionRefused: ("moved", HTTPStatus.CONFLICT),
        OtherAnswersSubmitted: ("moved", HTTPStatus.CONFLICT),
        CaseMovedOn: ("moved", HTTPStatus.CONFLICT),
        MergedIntoEnded: ("ended", HTTPStatus.CONFLICT),
        UnknownNumber: ("original", HTTPStatus.UNPROCESSABLE_ENTITY),
    }
)


@blueprint.get("/staff/cases/<reference>")
@policy(WORKING_CASES)
def case_file(reference: str) -> str:
    """Show a case with all that the office knows of it, and what can be done now."""
    return _page(reference)


@blueprint.post("/staff/cases/<reference>/step")
@policy(TAKING_STEPS)
def take_case_step(reference: str) -> Page | AnyResponse:
    """Take a step of a case; whatever stands in the way, what was typed is kept."""
    now, account, uploads = current_time(), signed_in(), files_in(request)
    with site().database.reading() as session:
        file = _file(session, reference)
        asked = read_step(request.form, state=file.state, clock=file.clock)
        if asked.action is not None and _was_sent(session, file, asked):
            return _led_back(reference, asked.action)
    if asked.faults:
        return _page(reference, asked=asked), HTTPStatus.UNPROCESSABLE_ENTITY
    assert asked.action is not None
    if file.is_barred:
        return _page(reference, asked=asked, refusal="moved"), HTTPStatus.CONFLICT
    if not _are_offered(asked, file.offered_company, file.offered_handlers):
        abort(HTTPStatus.NOT_FOUND)
    files, file_faults = scan_files(uploads, asked.action)
    if file_faults:
        return _page(reference, asked=asked, file_faults=file_faults), HTTPStatus.UNPROCESSABLE_ENTITY
    step_key = request.form.get("step_key") or secrets.token_urlsafe(16)
    try:
        with site().database.writing() as session:
            complaint = find_in_scope(session, reference=reference, scope=account.scope)
            take_step(
                session,
                reference=reference,
                action=asked.action,
                actor=CaseActor.BUREAU,
                by=account.actor,
                account_id=account.account_id,
                text=asked.words,
                action_key=step_key,
                seen=read_whole_number(request.form.get("seen")),
                now=now,
                **asked.details,
            )
            keep_files(session, complaint, files, step_key=step_key, now=now)
            if asked.details.get("company_id") is not None:
                store_release(session, complaint, _asked_release(session, complaint))
    except tuple(_REFUSALS) as error:
        refusal, status = _REFUSALS[type(error)]
        return _page(reference, asked=asked, refusal=refusal), status
    return _led_back(reference, asked.action)


@blueprint.post("/staff/cases/<reference>/contact")
@policy(WORKING_CASES)
def show_contact(reference: str) -> Page:
    """Show how to reach who filed the case, for a reason that goes into the audit chain."""
    account, reason = signed_in(), clean_text(request.form.get("reason", ""))
    if not reason or len(reason) > LONGEST_REASON:
        return _page(reference, refusal="contact"), HTTPStatus.UNPROCESSABLE_ENTITY
    with site().database.writing() as session:
        complaint = find_in_scope(session, reference=reference, scope=signed_in().scope)
        contact = read_contact(session, complaint=complaint, secret_key=site().config.secret_key)
        audit.record(
            session,
            by=account.actor,
            action=AuditAction.CONTACT_SHOWN,
            subject=f"complaint:{complaint.id}",
            after={"reason": reason},
            now=current_time(),
        )
    return _page(reference, contact=contact)


@blueprint.get("/staff/cases/<reference>/photos/<name>.jpg")
@policy(WORKING_CASES)
def case_photo(reference: str, name: str) -> Response:
    """Send one photo of a case in its full size."""
    with site().database.reading() as session:
        complaint = find_in_scope(session, reference=reference, scope=signed_in().scope)
        with missing_is_not_found():
            photo = find_attachment(session, complaint_id=complaint.id, name=name, kinds=PHOTOS)
        return Response(photo.content, mimetype=photo.media_type)


@blueprint.get("/staff/cases/<reference>/documents/<name>.pdf")
@policy(WORKING_CASES)
def case_document(reference: str, name: str) -> Response:
    """Send a document of an office, to be saved: nothing in it is run on a page of the site."""
    with site().database.reading() as session:
        complaint = find_in_scope(session, reference=reference, scope=signed_in().scope)
        with missing_is_not_found():
            kept = find_attachment(session, complaint_id=complaint.id, name=name, kinds=(DOCUMENT,))
        return file_response(kept.content, f"{reference}-{kept.id}.pdf", mimetype=kept.media_type)


def _was_sent(session: Session, file: CaseFile, asked: AskedStep) -> bool:
    """Return whether this form took its step before: what it asks for may be at fault where the case stands now."""
    step_key = request.form.get("step_key")
    assert asked.action is not None
    try:
        return bool(step_key) and was_taken(session, file.complaint, step_key or "", asked.action, asked.words)
    except OtherAnswersSubmitted:
        return False


def _led_back(reference: str, action: CaseAction) -> AnyResponse:
    flash(_("Stored: %(step)s", step=step_names(current_language())[action]))
    return redirect(url_for("staff.case_file", reference=reference), HTTPStatus.SEE_OTHER)


def _file(session: Session, reference: str) -> CaseFile:
    account = signed_in()
    return read_case_file(
        session, reference, scope=account.scope, account_id=account.account_id, role=account.role, now=current_time()
    )


def _are_offered(asked: AskedStep, company: tuple[int, object] | None, handlers: Mapping[int, str]) -> bool:
    """Return whether the company and the person that the form names were offered: a page can be sent changed."""
    company_id, handler_id = asked.details.get("company_id"), asked.details.get("handler_id")
    return (company_id is None or (company is not None and company_id == company[0])) and (
        handler_id is None or handler_id in handlers
    )


def _asked_release(session: Session, complaint: Complaint) -> Release:
    """Return what the form releases: the words that the office looked at, and those photos that it ticked."""
    kept = {photo.name for photo in attachments_of_complaint(session, kind=PHOTO, complaint_id=complaint.id)}
    return Release(
        text=clean_text(request.form.get("released", "")),
        place=clean_text(request.form.get("released_place", "")),
        photos=[name for name in request.form.getlist("released_photo") if name in kept],
    )


def _page(
    reference: str,
    *,
    asked: AskedStep | None = None,
    refusal: str = "",
    file_faults: Sequence[AttachmentFault] = (),
    contact: str | None = None,
) -> str:
    language = current_language()
    with site().database.reading() as session:
        file = _file(session, reference)
        return render_template(
            "casework/case_file.html",
            file=file,
            pieces=split(file.complaint.text),
            steps=[action for action in FIELDS_OF_STEP if action in file.possible],
            fields=FIELDS_OF_STEP,
            optional=WORDS_OPTIONAL,
            internal=INTERNAL_ACTIONS,
            reasons_of={action: sorted(reasons) for action, (_status, reasons) in ENDING_ACTIONS.items()},
            asked=asked,
            given=request.form if asked else {},
            released_photos=request.form.getlist("released_photo") if asked else [],
            refusal=refusal,
            file_faults=file_faults,
            kinds_of_step=KINDS_OF_STEP,
            document=DOCUMENT,
            most_files=MOST_FILES,
            contact=contact,
            step_key=secrets.token_urlsafe(16),
            longest_words=LONGEST_WORDS,
            longest_reason=LONGEST_REASON,
            step_names=step_names(language),
            history_words=history_words(language),
            fault_words=fault_words(language),
            office_words=office_words(language),
            channel_words=channel_words(language),
            kind_words=case_kind_words(language),
            status_names=status_names(language),
            reason_words=end_reason_words(language),
            language=language,
        )
