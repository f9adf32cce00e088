"""Views where staff help a resident who reads out a receipt, and the change code to see, change or erase answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from analytics.languages import DEFAULT_LANGUAGE
from survey_app.accounts.guard import signed_in
from survey_app.accounts.staff_attempts import STAFF_CHANGE_TRIES, counted_try
from survey_app.audit import record
from survey_app.clock import current_time
from survey_app.errors import UnknownNumber
from survey_app.models.vocabulary import AuditAction, Mode, ResponseChangeReason
from survey_app.responses.labels import entry_mode_words, response_status_words, withdrawal_reason_words
from survey_app.responses.own_answers import read_own_answers
from survey_app.responses.receipts import (
    CHANGE_FORM_LIFETIME,
    CHANGE_PAGE_LIFETIME,
    Actor,
    ChangeCodeNeeded,
    Correction,
    Receipt,
    Reference,
    WrongChangeCode,
    check_change_code,
    correct_response,
    erase_at_office,
    erase_response,
    find_receipt,
    needs_change_code,
    prepare_correction,
    withdraw_response,
    withdrawal_reason,
)
from survey_app.responses.staff_entry import read_typed, typed_form
from survey_app.responses.staff_entry_pages import (
    address_of_opened_staff_page,
    address_of_staff_page,
    blueprint,
    form_fields,
    new_form_key,
    received_in_scope,
    reference_in_scope,
    sent_form_key,
)
from survey_app.rounds.questionnaires import AnswerFault
from survey_app.security.check_digits import RECEIPT_DIGITS, read_number
from survey_app.security.submission_keys import Form, SubmissionKey
from survey_app.web.context import site
from survey_app.web.languages import current_language

CORRECTION_REASONS = (ResponseChangeReason.TYPING_ERROR, ResponseChangeReason.CHANGED_MIND)


@blueprint.get("/staff/receipts")
def ask_for_number() -> str:
    """Ask for the receipt number that a resident reads out."""
    return render_template("entry/number.html", typed="", is_refused=False)


@blueprint.post("/staff/receipts")
def find() -> AnyResponse | tuple[str, int]:
    """Redirect to a receipt in scope; an unknown number counts as a try."""
    typed, now = request.form.get("number", ""), current_time()
    number = read_number(typed, RECEIPT_DIGITS)
    if number is None or not _is_ours(number, now):
        return render_template("entry/number.html", typed=typed, is_refused=True), HTTPStatus.NOT_FOUND
    return redirect(address_of_staff_page(number), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/receipts/<reference>")
def show_receipt(reference: str) -> str:
    """Show that answers were received; with the change code, what became of them and what can be done."""
    held, language = reference_in_scope(reference), current_language()
    try:
        number = _number_to_change(held)
    except ChangeCodeNeeded:
        return _received_page(reference, held)
    receipt = _receipt(number)
    return render_template(
        "entry/receipt.html",
        receipt=receipt,
        reference=reference,
        is_opened=held.is_opened(current_time()),
        status_word=response_status_words(language)[receipt.status],
        mode_word=entry_mode_words(language)[receipt.mode],
        reasons=withdrawal_reason_words(language),
        now=current_time(),
    )


@blueprint.post("/staff/receipts/<reference>/change")
def open_with_change_code(reference: str) -> AnyResponse | tuple[str, int]:
    """Redirect to what the change code of a resident on the telephone opens; a wrong one counts as a try."""
    held, now, typed = reference_in_scope(reference), current_time(), request.form.get("code", "")
    try:
        counted = counted_try(now, limit=STAFF_CHANGE_TRIES, subject=held.number)
        with counted, site().database.reading() as session:
            check_change_code(session, number=held.number, typed=typed, secret_key=site().config.secret_key, now=now)
    except WrongChangeCode:
        return _received_page(reference, held, is_refused=True), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(address_of_opened_staff_page(held.number, now), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/receipts/<reference>/answers")
def show_answers(reference: str) -> str:
    """Show a resident who gave the change code the answers that are kept; the audit chain says who looked."""
    number, now = _opened_number(reference_in_scope(reference)), current_time()
    with site().database.writing() as session:
        own = read_own_answers(session, number=number, now=now)
        record(
            session,
            by=signed_in().actor,
            action=AuditAction.RESPONSE_SHOWN,
            subject=f"response:{own.response_id}",
            now=now,
        )
    return render_template("entry/answers.html", receipt=_receipt(number), own=own, reference=reference)


@blueprint.post("/staff/receipts/<reference>/erasure")
def erase(reference: str) -> AnyResponse:
    """Erase answers after the close for a resident who gave the change code."""
    number, now = _opened_number(reference_in_scope(reference)), current_time()
    with site().database.writing() as session:
        erase_response(session, number=number, by=_actor(), now=now)
    return redirect(address_of_opened_staff_page(number, now), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/receipts/<reference>/office-erasure")
def erase_without_code(reference: str) -> AnyResponse | tuple[str, int]:
    """Erase answers for a resident who lost the change code and whose identity was checked; the result stands.

    Nothing of the answers is shown: what a document of identity proves is who asks, and not what they answered.
    """
    held, now = reference_in_scope(reference), current_time()
    if "checked" not in request.form:
        return _received_page(reference, held, lacks_check=True), HTTPStatus.UNPROCESSABLE_ENTITY
    with site().database.writing() as session:
        erase_at_office(session, number=held.number, by=_actor(), now=now)
    flash(_("The answers of this receipt are erased. What was published stays as it is."))
    return redirect(address_of_staff_page(held.number), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/receipts/<reference>/withdrawal")
def withdraw(reference: str) -> AnyResponse:
    """Erase answers for a resident on the telephone."""
    number, now = _number_to_change(reference_in_scope(reference)), current_time()
    reason = withdrawal_reason(request.form.get("reason", ""))
    with site().database.writing() as session:
        withdraw_response(session, number=number, reason=reason, by=_actor(), now=now)
    return redirect(address_of_opened_staff_page(number, now), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/receipts/<reference>/correction")
def ask_for_correction(reference: str) -> AnyResponse | str:
    """Show the form of a correction; only the account that typed the answers in sees them again."""
    try:
        correction = _prepare(_number_to_change(reference_in_scope(reference)))
    except ChangeCodeNeeded:
        return redirect(url_for(".show_receipt", reference=reference), HTTPStatus.SEE_OTHER)
    given = typed_form(correction.questionnaire.questions, correction.typed_answers)
    return _correction_form(reference, correction, new_form_key(Form.CORRECTION, correction.round_id), given)


@blueprint.post("/staff/receipts/<reference>/correction")
def correct(reference: str) -> AnyResponse | tuple[str, int]:
    """Store a correction; a typing error put right keeps the mode of the earlier answers."""
    held, now = reference_in_scope(reference), current_time()
    number = _number_to_change(held, lifetime=CHANGE_FORM_LIFETIME)
    correction, given = _prepare(number), request.form.to_dict()
    key = sent_form_key(Form.CORRECTION, correction.round_id)
    answers = correction.questionnaire.check_answers(read_typed(correction.questionnaire.questions, given))
    reason = given.get("reason", "")
    lacks_reason = reason not in _correction_reasons(correction)
    if answers.faults or lacks_reason:
        page = _correction_form(reference, correction, key, given, answers.faults, lacks_reason=lacks_reason)
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    is_typing_error = reason == ResponseChangeReason.TYPING_ERROR
    with site().database.writing() as session:
        receipt = correct_response(
            session,
            number=number,
            key=key,
            answers=answers,
            mode=correction.mode if is_typing_error else Mode.TELEPHONE,
            reason=ResponseChangeReason(reason),
            by=_actor(),
            language=DEFAULT_LANGUAGE,
            secret_key=site().config.secret_key,
            now=now,
        )
    return redirect(address_of_opened_staff_page(receipt, now), HTTPStatus.SEE_OTHER)


def _actor() -> Actor:
    return Actor(signed_in().account_id)


def _number_to_change(held: Reference, *, lifetime: timedelta = CHANGE_PAGE_LIFETIME) -> str:
    """Return the number of a response that the account may change, or raise `ChangeCodeNeeded`."""
    now = current_time()
    if held.is_opened(now, lifetime=lifetime):
        return held.number
    with site().database.reading() as session:
        if needs_change_code(session, number=held.number, by=_actor(), now=now):
            raise ChangeCodeNeeded
    return held.number


def _opened_number(held: Reference) -> str:
    """Return the number of a receipt whose change code was typed; that an account typed the answers in is not enough.

    Whose they are only the code tells, and what was typed months ago is nobody's to read again.
    """
    if not held.is_opened(current_time()):
        raise ChangeCodeNeeded
    return held.number


def _receipt(number: str) -> Receipt:
    with site().database.reading() as session:
        return find_receipt(session, number=number, secret_key=site().config.secret_key, now=current_time())


def _received_page(reference: str, held: Reference, *, is_refused: bool = False, lacks_check: bool = False) -> str:
    received = received_in_scope(held.number)
    return render_template(
        "entry/received.html",
        received=received,
        reference=reference,
        mode_word=entry_mode_words(current_language())[received.mode],
        is_refused=is_refused,
        lacks_check=lacks_check,
    )


def _is_ours(number: str, now: datetime) -> bool:
    try:
        with counted_try(now):
            received_in_scope(number)
    except UnknownNumber:
        return False
    return True


def _prepare(number: str) -> Correction:
    with site().database.reading() as session:
        return prepare_correction(session, number=number, by=_actor(), now=current_time())


def _correction_reasons(correction: Correction) -> Sequence[ResponseChangeReason]:
    # What a resident sent from a phone was typed by the resident: there a member of staff made no error.
    return CORRECTION_REASONS if correction.mode is not Mode.WEB else (ResponseChangeReason.CHANGED_MIND,)


def _correction_form(
    reference: str,
    correction: Correction,
    key: SubmissionKey,
    given: Mapping[str, str],
    faults: Sequence[AnswerFault] = (),
    *,
    lacks_reason: bool = False,
) -> str:
    return render_template(
        "entry/correction.html",
        reference=reference,
        correction=correction,
        reasons=_correction_reasons(correction),
        lacks_reason=lacks_reason,
        **form_fields(correction.questionnaire, key, given, faults),
    )
