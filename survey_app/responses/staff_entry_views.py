"""Views where staff type in answers from paper or the telephone, and help a resident who reads out a receipt."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response as AnyResponse

from analytics.languages import DEFAULT_LANGUAGE
from survey_app.accounts.attempt_limits import Limit, count_attempt, reset_attempts
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import ENTERING, declare_policy
from survey_app.clock import current_time
from survey_app.errors import (
    ExpiredCode,
    InvalidSubmissionKey,
    JiayuanError,
    OtherAnswersSubmitted,
    RevokedCode,
    UnknownCode,
    UnknownNumber,
)
from survey_app.models import Community
from survey_app.models.vocabulary import STAFF_ENTERED_MODES, Mode, ResponseChangeReason
from survey_app.register.names import is_called
from survey_app.responses.labels import entry_mode_words, response_status_words, withdrawal_reason_words
from survey_app.responses.receipts import (
    Actor,
    Correction,
    Receipt,
    correct_response,
    find_receipt,
    prepare_correction,
    read_receipt,
    sign_receipt,
    withdraw_response,
    withdrawal_reason,
)
from survey_app.responses.staff_entry import (
    Desk,
    SlipNeeded,
    SlipOfAnotherCommunity,
    count_entered,
    enter_response,
    open_desk,
    read_typed,
    typed_form,
    with_slip,
)
from survey_app.responses.submission import earlier_receipt
from survey_app.rounds.questionnaires import AnswerFault, CheckedAnswers, Questionnaire
from survey_app.security.check_digits import RECEIPT_DIGITS, read_number
from survey_app.security.submission_keys import Form, SubmissionKey, read_key, sign_key
from survey_app.web.context import site
from survey_app.web.languages import current_language

blueprint = Blueprint("entry", __name__)
declare_policy(blueprint, ENTERING)

MOST_LISTED = 50
# Wrong digits of slips and wrong receipts that one account may try.
STAFF_TRIES = Limit("staff_typed_number", tries=30, window=timedelta(hours=1))
CORRECTION_REASONS = (ResponseChangeReason.TYPING_ERROR, ResponseChangeReason.CHANGED_MIND)

_SLIP_FAULTS: Mapping[type[JiayuanError], str] = {
    SlipNeeded: "needed",
    SlipOfAnotherCommunity: "elsewhere",
    UnknownCode: "unknown",
    RevokedCode: "revoked",
    ExpiredCode: "expired",
}


@dataclass(frozen=True)
class _Faults:
    """Faults of a form that was not saved, all shown at once."""

    answers: Sequence[AnswerFault] = ()
    slip: str | None = None
    asks_to_replace: bool = False

    @property
    def are_any(self) -> bool:
        return bool(self.answers or self.slip or self.asks_to_replace)


@blueprint.get("/staff/entry")
def choose() -> str:
    """List the communities that the account may type in answers for."""
    wanted = request.args.get("search", "").strip()
    statement = signed_in().scope.communities(select(Community)).order_by(Community.sort_key, Community.number)
    if wanted:
        statement = statement.where(is_called(wanted))
    with site().database.reading() as session:
        found = session.scalars(statement.options(joinedload(Community.district)).limit(MOST_LISTED + 1)).all()
    return render_template(
        "entry/choose.html",
        communities=found[:MOST_LISTED],
        are_more=len(found) > MOST_LISTED,
        search=wanted,
    )


@blueprint.get("/staff/entry/<int:community_id>/<mode>")
def show_form(community_id: int, mode: str) -> str:
    """Show an empty form, with how many were typed in today and the receipt of the last."""
    with site().database.reading() as session:
        desk = open_desk(session, community=_community(session, community_id), now=current_time())
    return _form(desk, _mode(mode), _new_key(Form.ENTRY, desk.round_id), {})


@blueprint.post("/staff/entry/<int:community_id>/<mode>")
def save(community_id: int, mode: str) -> AnyResponse | tuple[str, int]:
    """Store what was typed in and open the next form, or name every fault at once with all that was typed kept."""
    now, chosen = current_time(), _mode(mode)
    given = request.form.to_dict()
    with site().database.reading() as session:
        desk = open_desk(session, community=_community(session, community_id), now=now)
    key = _read_key(Form.ENTRY, desk.round_id)
    answers = desk.questionnaire.check_answers(read_typed(desk.questionnaire.questions, given))
    try:
        receipt = _saved_before(key, answers)
        if receipt is None:
            desk, faults = _check(desk, answers, given, now)
            if faults.are_any:
                return _form(desk, chosen, key, given, faults), HTTPStatus.UNPROCESSABLE_ENTITY
            with site().database.writing() as session:
                by = signed_in().account_id
                receipt = enter_response(session, desk=desk, key=key, answers=answers, mode=chosen, by=by, now=now)
    except OtherAnswersSubmitted as error:
        # A form that was saved already and was changed after going back: its answer is corrected at its receipt.
        flash(_("This form was saved already. Correct it here."))
        return redirect(_address_of(error.number), HTTPStatus.SEE_OTHER)
    following = url_for(".show_form", community_id=community_id, mode=mode, saved=_signed(receipt))
    return redirect(following, HTTPStatus.SEE_OTHER)


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
    return redirect(_address_of(number), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/receipts/<reference>")
def show_receipt(reference: str) -> str:
    """Show what became of a response, and what can be done for the resident; never what it says."""
    receipt, language = _receipt(_number(reference)), current_language()
    return render_template(
        "entry/receipt.html",
        receipt=receipt,
        reference=reference,
        status_word=response_status_words(language)[receipt.status],
        mode_word=entry_mode_words(language)[receipt.mode],
        reasons=withdrawal_reason_words(language),
        now=current_time(),
    )


@blueprint.post("/staff/receipts/<reference>/withdrawal")
def withdraw(reference: str) -> AnyResponse:
    """Erase answers for a resident on the telephone."""
    number = _receipt(_number(reference)).number
    reason = withdrawal_reason(request.form.get("reason", ""))
    with site().database.writing() as session:
        withdraw_response(session, number=number, reason=reason, by=_actor(), now=current_time())
    return redirect(url_for(".show_receipt", reference=reference), HTTPStatus.SEE_OTHER)


@blueprint.get("/staff/receipts/<reference>/correction")
def ask_for_correction(reference: str) -> str:
    """Show the form of a correction; only the account that typed the answers in sees them again."""
    correction = _prepare(reference)
    given = typed_form(correction.questionnaire.questions, correction.typed_answers)
    return _correction_form(reference, correction, _new_key(Form.CORRECTION, correction.round_id), given)


@blueprint.post("/staff/receipts/<reference>/correction")
def correct(reference: str) -> AnyResponse | tuple[str, int]:
    """Store a correction; a typing error put right keeps the mode of the earlier answers."""
    correction, given = _prepare(reference), request.form.to_dict()
    key = _read_key(Form.CORRECTION, correction.round_id)
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
            number=_number(reference),
            key=key,
            answers=answers,
            mode=correction.mode if is_typing_error else Mode.TELEPHONE,
            reason=ResponseChangeReason(reason),
            by=_actor(),
            language=DEFAULT_LANGUAGE,
            now=current_time(),
        )
    return redirect(_address_of(receipt), HTTPStatus.SEE_OTHER)


@contextmanager
def _counted(now: datetime) -> Iterator[None]:
    """Count a number as tried until it proves right."""
    limit, subject, secret_key = STAFF_TRIES, signed_in().actor, site().config.secret_key
    count_attempt(site().database, limit=limit, subject=subject, secret_key=secret_key, now=now)
    yield
    with site().database.writing() as session:
        reset_attempts(session, limit=limit, subject=subject, secret_key=secret_key)


def _saved_before(key: SubmissionKey, answers: CheckedAnswers) -> str | None:
    """Return the receipt if a second tap brings the same form; `OtherAnswersSubmitted` if it was changed."""
    if answers.faults:
        return None
    with site().database.reading() as session:
        return earlier_receipt(session, key, answers)


def _check(desk: Desk, answers: CheckedAnswers, given: Mapping[str, str], now: datetime) -> tuple[Desk, _Faults]:
    """Return the desk for the household of the slip, and everything that stands in the way of saving."""
    slip, slip_fault = given.get("slip", ""), None
    try:
        with _counted(now) if slip.strip() else nullcontext(), site().database.reading() as session:
            desk = with_slip(session, desk=desk, typed=slip, secret_key=site().config.secret_key, now=now)
    except tuple(_SLIP_FAULTS) as error:
        slip_fault = _SLIP_FAULTS[type(error)]
    return desk, _Faults(answers.faults, slip_fault, desk.replaces_earlier and "replace" not in given)


def _community(session: Session, community_id: int) -> Community:
    statement = signed_in().scope.communities(select(Community).where(Community.id == community_id))
    community = session.scalar(statement)
    return community if community is not None else abort(HTTPStatus.NOT_FOUND)


def _mode(text: str) -> Mode:
    return Mode(text) if text in STAFF_ENTERED_MODES else abort(HTTPStatus.NOT_FOUND)


def _actor() -> Actor:
    return Actor(signed_in().account_id)


def _signed(number: str) -> str:
    return sign_receipt(number, secret_key=site().config.secret_key)


def _number(reference: str) -> str:
    return read_receipt(reference, secret_key=site().config.secret_key)


def _address_of(number: str) -> str:
    return url_for(".show_receipt", reference=_signed(number))


def _receipt(number: str) -> Receipt:
    """Return a receipt of a community in scope; any other is unknown here."""
    with site().database.reading() as session:
        receipt = find_receipt(session, number=number)
        is_ours = signed_in().scope.communities(select(Community.id).where(Community.id == receipt.community_id))
        if session.scalar(is_ours) is None:
            raise UnknownNumber
    return receipt


def _is_ours(number: str, now: datetime) -> bool:
    try:
        with _counted(now):
            _receipt(number)
    except UnknownNumber:
        return False
    return True


def _prepare(reference: str) -> Correction:
    number = _receipt(_number(reference)).number
    with site().database.reading() as session:
        return prepare_correction(session, number=number, by=_actor(), now=current_time())


def _correction_reasons(correction: Correction) -> Sequence[ResponseChangeReason]:
    # What a resident sent from a phone was typed by the resident: there a member of staff made no error.
    return CORRECTION_REASONS if correction.mode is not Mode.WEB else (ResponseChangeReason.CHANGED_MIND,)


def _new_key(form: Form, round_id: int) -> SubmissionKey:
    return SubmissionKey.new(form=form, code_id=None, round_id=round_id, now=current_time())


def _read_key(form: Form, round_id: int) -> SubmissionKey:
    """Return the key of the form, or a new one if it was altered: the session's token says already whose form it is."""
    try:
        return read_key(request.form.get("key", ""), form=form, secret_key=site().config.secret_key)
    except InvalidSubmissionKey:
        return _new_key(form, round_id)


def _form(
    desk: Desk,
    mode: Mode,
    key: SubmissionKey,
    given: Mapping[str, str],
    faults: _Faults | None = None,
) -> str:
    midnight = current_time().astimezone(desk.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    with site().database.reading() as session:
        count = count_entered(session, by=signed_in().account_id, since=midnight.astimezone(UTC))
    saved = request.args.get("saved")
    return render_template(
        "entry/form.html",
        desk=desk,
        mode=mode,
        count=count,
        saved=saved,
        saved_number=_number(saved) if saved else None,
        slip_fault=faults.slip if faults else None,
        asks_to_replace=faults is not None and faults.asks_to_replace,
        **_fields(desk.questionnaire, key, given, faults.answers if faults else ()),
    )


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
        **_fields(correction.questionnaire, key, given, faults),
    )


def _fields(
    questionnaire: Questionnaire, key: SubmissionKey, given: Mapping[str, str], faults: Sequence[AnswerFault]
) -> dict[str, object]:
    return {
        "questionnaire": questionnaire,
        "number_by_key": {question.key: number for number, question in enumerate(questionnaire.questions, 1)},
        "key": sign_key(key, secret_key=site().config.secret_key),
        "given": given,
        "faults": faults,
    }
