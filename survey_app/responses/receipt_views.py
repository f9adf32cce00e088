"""Views of a receipt: what became of the answers, withdrawing them, correcting them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.policies import RESIDENT as RESIDENTS
from survey_app.accounts.policies import declare_policy
from survey_app.attachments.scanning import AttachmentFault
from survey_app.clock import current_time
from survey_app.errors import InvalidSubmissionKey, OtherAnswersSubmitted
from survey_app.models.vocabulary import Mode, ResponseChangeReason
from survey_app.responses.addresses import address_of_receipt, device_digest_of_request
from survey_app.responses.labels import entry_mode_words, withdrawal_reason_words
from survey_app.responses.receipts import (
    RESIDENT,
    Correction,
    correct_response,
    find_receipt,
    prepare_correction,
    read_receipt,
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


@blueprint.get("/r/<reference>")
def show(reference: str) -> str:
    """Show that a response is stored, or what became of it."""
    with site().database.reading() as session:
        receipt = find_receipt(session, number=_number(reference))
    photo_faults = [fault for fault in request.args.getlist("photo") if fault in set(AttachmentFault)]
    return render_template(
        "receipt/receipt.html",
        receipt=receipt,
        reference=reference,
        mode_word=entry_mode_words(current_language())[receipt.mode],
        photo_faults=photo_faults,
        now=current_time(),
    )


@blueprint.get("/r/<reference>/withdrawal")
def ask_to_withdraw(reference: str) -> str:
    """Say what withdrawing does, and ask why."""
    with site().database.reading() as session:
        receipt = find_receipt(session, number=_number(reference))
    return render_template(
        "receipt/withdrawal.html",
        receipt=receipt,
        reference=reference,
        reasons=withdrawal_reason_words(current_language()),
        now=current_time(),
    )


@blueprint.post("/r/<reference>/withdrawal")
def withdraw(reference: str) -> AnyResponse:
    """Erase the answers and show the receipt, which says so."""
    number = _number(reference)
    reason = withdrawal_reason(request.form.get("reason", ""))
    with site().database.writing() as session:
        withdraw_response(session, number=number, reason=reason, by=RESIDENT, now=current_time())
    return redirect(url_for(".show", reference=reference), HTTPStatus.SEE_OTHER)


@blueprint.get("/r/<reference>/correction")
def ask_for_correction(reference: str) -> str:
    """Show the questions anew; whoever holds the receipt does not see what was answered before."""
    correction = _prepare(reference)
    return _form(reference, correction, _new_key(correction))


@blueprint.post("/r/<reference>/correction")
def correct(reference: str) -> AnyResponse | str | tuple[str, int]:
    """Store a correction, or say what is missing with every answer kept."""
    number, now = _number(reference), current_time()
    given = request.form.to_dict(flat=False)
    correction = _prepare(reference)
    try:
        key = read_key(request.form.get("key", ""), form=Form.CORRECTION, secret_key=site().config.secret_key)
    except InvalidSubmissionKey:
        return _form(reference, correction, _new_key(correction), given, is_renewed=True), HTTPStatus.BAD_REQUEST
    if "show" in given:  # the buttons that change language and print send what was typed, so that it comes back
        return _form(reference, correction, key, given)
    answers = correction.questionnaire.check_answers(given)
    if answers.faults:
        return _form(reference, correction, key, given, answers.faults), HTTPStatus.UNPROCESSABLE_ENTITY
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
                terminal=device_digest_of_request(correction.round_id),
                now=now,
            )
    except OtherAnswersSubmitted:
        # The form was sent and then changed: its answers are kept, to be sent as a correction of the correction.
        return _form(reference, correction, _new_key(correction), given, is_renewed=True), HTTPStatus.CONFLICT
    return redirect(address_of_receipt(receipt), HTTPStatus.SEE_OTHER)


def _number(reference: str) -> str:
    return read_receipt(reference, secret_key=site().config.secret_key)


def _prepare(reference: str) -> Correction:
    with site().database.reading() as session:
        return prepare_correction(session, number=_number(reference), by=RESIDENT, now=current_time())


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
