"""Views of a receipt: that answers were received; with the change code what they are, what became of them, changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.attempt_budgets import LINE, SUBJECT, Limit
from survey_app.accounts.attempt_limits import count_attempt, forgive_failures
from survey_app.accounts.policies import RESIDENT as RESIDENTS
from survey_app.accounts.policies import declare_policy
from survey_app.accounts.request_sources import source_of_request
from survey_app.attachments.scanning import AttachmentFault
from survey_app.clock import current_time
from survey_app.errors import InvalidSubmissionKey, OtherAnswersSubmitted
from survey_app.models.vocabulary import Mode, ResponseChangeReason
from survey_app.responses.addresses import address_of_own_receipt, network_digests_of_answers
from survey_app.responses.labels import entry_mode_words, withdrawal_reason_words
from survey_app.responses.own_answers import read_own_answers
from survey_app.responses.receipts import (
    CHANGE_FORM_LIFETIME,
    CHANGE_PAGE_LIFETIME,
    RESIDENT,
    ChangeCodeNeeded,
    Correction,
    Receipt,
    Reference,
    WrongChangeCode,
    check_change_code,
    correct_response,
    erase_response,
    find_receipt,
    find_received,
    needs_change_code,
    prepare_correction,
    read_reference,
    withdraw_response,
    withdrawal_reason,
)
from survey_app.responses.survey_views import questions_of
from survey_app.rounds.questionnaires import AnswerFault
from survey_app.security.submission_keys import Form, SubmissionKey, read_key, sign_key
from survey_app.web.context import site
from survey_app.web.languages import current_language

blueprint = Blueprint("receipts", __name__)
declare_policy(blueprint, RESIDENTS)

CHANGE_TRIES = Limit(action="change_code", subject=SUBJECT, proven=LINE)


@blueprint.get("/r/<reference>")
def show(reference: str) -> str:
    """Show that answers were received; while the change code counts as known, also what became of them."""
    held, now = _read(reference), current_time()
    if not held.is_opened(now):
        return _show_received(reference, held, now=now)
    receipt = _receipt(held.number)
    return render_template(
        "receipt/receipt.html",
        receipt=receipt,
        reference=reference,
        mode_word=entry_mode_words(current_language())[receipt.mode],
        photo_faults=_photo_faults(),
        now=now,
    )


@blueprint.get("/r/<reference>/change")
def ask_for_change_code(reference: str) -> AnyResponse | str:
    """Ask for the change code, unless it is known."""
    held, now = _read(reference), current_time()
    if held.is_opened(now):
        return redirect(url_for(".show", reference=reference), HTTPStatus.SEE_OTHER)
    return _code_form(reference, held)


@blueprint.post("/r/<reference>/change")
def open_with_change_code(reference: str) -> AnyResponse | tuple[str, int]:
    """Redirect to what the change code opens; a wrong one counts as a try of its source and of its receipt."""
    held = _read(reference)
    try:
        _check_typed_code(held)
    except WrongChangeCode:
        return _code_form(reference, held, is_refused=True), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(address_of_own_receipt(held.number), HTTPStatus.SEE_OTHER)


@blueprint.get("/r/<reference>/answers")
def ask_to_see_answers(reference: str) -> str:
    """Ask for the change code anew, so that no address and no page in a phone's history shows the answers."""
    return _code_form(reference, _read(reference), shows_answers=True)


@blueprint.post("/r/<reference>/answers")
def show_answers(reference: str) -> str | tuple[str, int]:
    """Show the answers themselves; a wrong change code counts as a try of its source and of its receipt."""
    held = _read(reference)
    try:
        _check_typed_code(held)
    except WrongChangeCode:
        page = _code_form(reference, held, shows_answers=True, is_refused=True)
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    with site().database.reading() as session:
        own = read_own_answers(session, number=held.number, now=current_time())
    return render_template("receipt/answers.html", receipt=_receipt(held.number), own=own, reference=reference)


@blueprint.get("/r/<reference>/withdrawal")
def ask_to_withdraw(reference: str) -> AnyResponse | str:
    """Say what withdrawing does, and ask why."""
    try:
        number = _number_to_change(reference)
    except ChangeCodeNeeded:
        return redirect(url_for(".ask_for_change_code", reference=reference), HTTPStatus.SEE_OTHER)
    return render_template(
        "receipt/withdrawal.html",
        receipt=_receipt(number),
        reference=reference,
        reasons=withdrawal_reason_words(current_language()),
        now=current_time(),
    )


@blueprint.post("/r/<reference>/withdrawal")
def withdraw(reference: str) -> AnyResponse:
    """Erase the answers and show the receipt, which says so."""
    number = _number_to_change(reference)
    reason = withdrawal_reason(request.form.get("reason", ""))
    with site().database.writing() as session:
        withdraw_response(session, number=number, reason=reason, by=RESIDENT, now=current_time())
    return redirect(address_of_own_receipt(number), HTTPStatus.SEE_OTHER)


@blueprint.get("/r/<reference>/erasure")
def ask_to_erase(reference: str) -> AnyResponse | str:
    """Say what erasing does after the close, and ask whether to."""
    try:
        number = _number_to_change(reference)
    except ChangeCodeNeeded:
        return redirect(url_for(".ask_for_change_code", reference=reference), HTTPStatus.SEE_OTHER)
    return render_template("receipt/erasure.html", receipt=_receipt(number), reference=reference, now=current_time())


@blueprint.post("/r/<reference>/erasure")
def erase(reference: str) -> AnyResponse:
    """Erase the answers after the close and show the receipt, which says so."""
    number = _number_to_change(reference)
    with site().database.writing() as session:
        erase_response(session, number=number, by=RESIDENT, now=current_time())
    return redirect(address_of_own_receipt(number), HTTPStatus.SEE_OTHER)


@blueprint.get("/r/<reference>/correction")
def ask_for_correction(reference: str) -> AnyResponse | str:
    """Show the questions anew; whoever holds both numbers does not see what was answered before."""
    try:
        number = _number_to_change(reference)
    except ChangeCodeNeeded:
        return redirect(url_for(".ask_for_change_code", reference=reference), HTTPStatus.SEE_OTHER)
    correction = _prepare(number)
    return _form(reference, correction, _new_key(correction))


@blueprint.post("/r/<reference>/correction")
def correct(reference: str) -> AnyResponse | str | tuple[str, int]:
    """Store a correction, or say what is missing with every answer kept."""
    number, now = _number_to_change(reference, lifetime=CHANGE_FORM_LIFETIME), current_time()
    given = request.form.to_dict(flat=False)
    correction = _prepare(number)
    try:
        key = read_key(request.form.get("key", ""), form=Form.CORRECTION, secret_key=site().config.secret_key)
    except InvalidSubmissionKey:
        return _form(reference, correction, _new_key(correction), given, is_renewed=True), HTTPStatus.BAD_REQUEST
    if "show" in given:  # the buttons that change language and print send what was typed, so that it comes back
        return _form(reference, correction, key, given)
    answers = correction.questionnaire.check_answers(given)
    if answers.faults:
        return _form(reference, correction, key, given, answers.faults), HTTPStatus.UNPROCESSABLE_ENTITY
    # Before the transaction: the first of a day stores the day's key in one of its own.
    network = network_digests_of_answers(correction.round_id)
    try:
        with site().database.writing() as session:
            receipt = correct_response(
                session,
                number=number,
                key=key,
                answers=answers,
                mode=Mode.WEB,
                reason=ResponseChangeReason.CHANGED_MIND,
                by=RESIDENT,
                language=current_language(),
                network=network,
                secret_key=site().config.secret_key,
                now=now,
            )
    except OtherAnswersSubmitted:
        # The form was sent and then changed: its answers are kept, to be sent as a correction of the correction.
        return _form(reference, correction, _new_key(correction), given, is_renewed=True), HTTPStatus.CONFLICT
    return redirect(address_of_own_receipt(receipt), HTTPStatus.SEE_OTHER)


def _read(reference: str) -> Reference:
    return read_reference(reference, secret_key=site().config.secret_key)


def _number_to_change(reference: str, *, lifetime: timedelta = CHANGE_PAGE_LIFETIME) -> str:
    """Return the number of a response that may be changed from here, or raise `ChangeCodeNeeded`."""
    held, now = _read(reference), current_time()
    if held.is_opened(now, lifetime=lifetime):
        return held.number
    with site().database.reading() as session:
        if needs_change_code(session, number=held.number, by=RESIDENT, now=now):
            raise ChangeCodeNeeded
    return held.number


def _show_received(reference: str, held: Reference, *, now: datetime) -> str:
    with site().database.reading() as session:
        received = find_received(session, number=held.number, now=now)
        needs_code = needs_change_code(session, number=held.number, by=RESIDENT, now=now)
    # Of before there were change codes: until the close the number alone changes answers, so that it hides nothing.
    receipt = _receipt(held.number) if not needs_code else None
    return render_template(
        "receipt/received.html",
        received=received,
        receipt=receipt,
        reference=reference,
        needs_code=needs_code,
        mode_word=entry_mode_words(current_language())[received.mode],
        photo_faults=_photo_faults(),
        now=now,
    )


def _code_form(reference: str, held: Reference, *, shows_answers: bool = False, is_refused: bool = False) -> str:
    now = current_time()
    with site().database.reading() as session:
        received = find_received(session, number=held.number, now=now)
    return render_template(
        "receipt/change_code.html",
        received=received,
        reference=reference,
        shows_answers=shows_answers,
        is_refused=is_refused,
        now=now,
    )


def _check_typed_code(held: Reference) -> None:
    """Raise `WrongChangeCode` unless the change code of the receipt was typed; a wrong one counts as a try.

    The address that the phone was given after sending says longer than it opens anything whose receipt it is.
    """
    secret_key, database, now = site().config.secret_key, site().database, current_time()
    counted = count_attempt(
        database,
        limit=CHANGE_TRIES,
        source=source_of_request(),
        subject=held.number,
        proof=None if held.opened_at is None else "own address",
        secret_key=secret_key,
        now=now,
    )
    typed = request.form.get("code", "")
    with database.reading() as session:
        check_change_code(session, number=held.number, typed=typed, secret_key=secret_key, now=now)
    with database.writing() as session:
        forgive_failures(session, counted, now=now)


def _receipt(number: str) -> Receipt:
    with site().database.reading() as session:
        return find_receipt(session, number=number, secret_key=site().config.secret_key, now=current_time())


def _photo_faults() -> list[str]:
    return [fault for fault in request.args.getlist("photo") if fault in set(AttachmentFault)]


def _prepare(number: str) -> Correction:
    with site().database.reading() as session:
        return prepare_correction(session, number=number, by=RESIDENT, now=current_time())


def _form(
    reference: str,
    correction: Correction,
    key: SubmissionKey,
    given: Mapping[str, Sequence[str]] | None = None,
    faults: Sequence[AnswerFault] = (),
    *,
    is_renewed: bool = False,
) -> str:
    return render_template(
        "receipt/correction.html",
        reference=reference,
        correction=correction,
        key=sign_key(key, secret_key=site().config.secret_key),
        questions=questions_of(correction.questionnaire.canonical_text, given, faults, None),
        faults=faults,
        is_renewed=is_renewed,
        is_answered=given is not None,
    )


def _new_key(correction: Correction) -> SubmissionKey:
    return SubmissionKey.new(form=Form.CORRECTION, code_id=None, round_id=correction.round_id, now=current_time())
