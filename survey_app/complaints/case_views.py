"""Views of a case: the public page of its reference, and the full page that its secret opens."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus

from flask import render_template, request
from sqlalchemy.orm import Session

from survey_app.accounts.attempt_budgets import Budget
from survey_app.accounts.attempt_limits import TooManyAttempts, take_turn
from survey_app.accounts.request_sources import source_of_request
from survey_app.audit import RESIDENT
from survey_app.clock import current_time
from survey_app.complaints.blueprint import blueprint
from survey_app.complaints.case_addresses import CaseAddress, read_case
from survey_app.complaints.case_secrets import Pass, PassExpired, WrongSecret, check_secret, read_pass, sign_pass
from survey_app.complaints.cases import find_case, find_complaint, find_own_case, take_step
from survey_app.complaints.contacts import erase_own_contact
from survey_app.complaints.filing import LONGEST_TEXT
from survey_app.complaints.labels import (
    case_kind_words,
    case_status_words,
    case_step_words,
    end_reason_words,
    unfixed_words,
)
from survey_app.errors import JiayuanError, OtherAnswersSubmitted, TransitionRefused
from survey_app.models.vocabulary import CaseAction, CaseActor
from survey_app.security.text import clean_text
from survey_app.web.context import site
from survey_app.web.languages import current_language

Page = str | tuple[str, int] | tuple[str, int, Mapping[str, str]]

# Actions that say nothing without words, and those that need a reason, chosen or written: whoever deals with the case
# again must know what is missing.
_NEEDS_WORDS = frozenset({CaseAction.ADD})
_NEEDS_REASON = frozenset({CaseAction.REJECT, CaseAction.PARTLY, CaseAction.REOPEN})
# Whoever files a case may add to it as often as anybody has words; a script fills no database with it.
STEPS_OF_CASE = Budget(free=30, step=timedelta(hours=1), longest=timedelta(hours=1), forgiven_each=timedelta(hours=1))


class TooManySteps(JiayuanError):
    """More was added to a case within a day than anybody has to say."""

    status = 429

    def __init__(self, reference: str) -> None:
        super().__init__("too many steps of one case within a day")
        self.reference = reference


@blueprint.get("/complaint/<number>")
def show_case(number: str) -> str:
    """Show the public the status of a case, whose words stay with the bureau; a bare number is asked for by a form."""
    return _public_page(_address(number))


@blueprint.post("/complaint/<number>/open")
def open_own_case(number: str) -> Page:
    """Show all of the case to anyone who knows its secret, and what can be done now."""
    address = _address(number)
    if _is_switched() and "pass" not in request.form:
        return _public_page(address)
    try:
        granted = _authorise(address.reference)
    except PassExpired as error:
        return _public_page(address), error.status
    except WrongSecret as error:
        return _public_page(address, is_wrong=True), error.status
    except TooManyAttempts as error:
        return _public_page(address, pause=error), error.status, error.headers
    return _own_page(granted)


@blueprint.post("/complaint/<number>/step")
def take_own_step(number: str) -> Page:
    """Take the resident's step and show the case after it; the text is kept whatever stands in the way."""
    address = _address(number)
    reference = address.reference
    written = clean_text(request.form.get("text", ""))
    if _is_switched() and "pass" not in request.form:
        return _public_page(address, kept=request.form)
    try:
        granted = _authorise(reference)
    except (PassExpired, WrongSecret) as error:
        return _public_page(address, kept=request.form, is_wrong=isinstance(error, WrongSecret)), error.status
    except TooManyAttempts as error:
        return _public_page(address, kept=request.form, pause=error), error.status, error.headers
    return _own_page(granted, text=written) if _is_switched() else _step(granted, written)


@blueprint.post("/complaint/<number>/contact-erasure")
def erase_contact(number: str) -> Page:
    """Erase how the resident can be reached, whenever they wish, and show the case without it."""
    address = _address(number)
    if _is_switched() and "pass" not in request.form:
        return _public_page(address)
    try:
        granted = _authorise(address.reference)
    except (PassExpired, WrongSecret) as error:
        return _public_page(address, is_wrong=isinstance(error, WrongSecret)), error.status
    except TooManyAttempts as error:
        return _public_page(address, pause=error), error.status, error.headers
    if _is_switched():
        return _own_page(granted)
    with site().database.writing() as session:
        complaint = find_complaint(session, reference=granted.reference)
        erase_own_contact(session, complaint=complaint, now=current_time())
    return _own_page(granted, is_contact_erased=True)


def _step(granted: Pass, written: str) -> Page:
    reference = granted.reference
    action = _asked_action()
    text = _with_reason(action, written)
    fault = _fault(action, written, text)
    if action is None or fault:
        return _own_page(granted, text=written, fault=fault), HTTPStatus.UNPROCESSABLE_ENTITY
    now = current_time()
    try:
        with site().database.writing() as session:
            _take_turn(session, reference, now)
            take_step(
                session,
                reference=reference,
                action=action,
                actor=CaseActor.RESIDENT,
                by=RESIDENT,
                text=text,
                action_key=request.form.get("step_key") or None,
                now=now,
            )
    except TooManySteps as error:
        return _own_page(granted, text=written, fault="often"), error.status
    except (TransitionRefused, OtherAnswersSubmitted) as error:
        return _own_page(granted, text=written, fault="moved"), error.status
    return _own_page(granted, done=action)


def _take_turn(session: Session, reference: str, now: datetime) -> None:
    budgets = {reference: STEPS_OF_CASE}
    if not take_turn(session, action="case_step", budgets=budgets, secret_key=site().config.secret_key, now=now):
        raise TooManySteps(reference)


def _address(text: str) -> CaseAddress:
    return read_case(text, secret_key=site().config.secret_key)


def _asked_action() -> CaseAction | None:
    asked = request.form.get("step", "")
    return CaseAction(asked) if asked in set(CaseAction) else None


def _is_switched() -> bool:
    """Return whether a button of the header asks for the same page in another language or size."""
    return "show" in request.form


def _with_reason(action: CaseAction | None, written: str) -> str:
    """Return the words of a step, which begin with the reason that was chosen."""
    chosen = unfixed_words(current_language()).get(request.form.get("because", ""))
    return "\n".join(filter(None, (chosen if action in _NEEDS_REASON else None, written)))


def _fault(action: CaseAction | None, written: str, text: str) -> str:
    """Return what is wrong with a step, or nothing."""
    if action is None:
        return "step"
    if action in _NEEDS_REASON and not text:
        return "reason"
    return "words" if len(written) > LONGEST_TEXT or (action in _NEEDS_WORDS and not written) else ""


def _authorise(reference: str) -> Pass:
    """Return the pass that came with the form, or a new one for the secret, typed again after a long while."""
    if "pass" not in request.form:
        return _check_secret(reference)
    with site().database.reading() as session:
        return read_pass(
            session, request.form.get("pass", ""), reference=reference, secret_key=site().config.secret_key
        )


def _check_secret(reference: str) -> Pass:
    return check_secret(
        site().database,
        reference=reference,
        typed=request.form.get("secret", ""),
        proof=request.form.get("proof", ""),
        source=source_of_request(),
        secret_key=site().config.secret_key,
        now=current_time(),
    )


def _public_page(
    address: CaseAddress, *, kept: object = None, is_wrong: bool = False, pause: TooManyAttempts | None = None
) -> str:
    case = None
    if address.is_signed:
        with site().database.reading() as session:
            case = find_case(session, reference=address.reference, now=current_time())
    return render_template(
        "complaints/case.html",
        case=case,
        address=address,
        kept=kept,
        is_wrong=is_wrong,
        pause=pause,
        **_public_words(),
    )


def _public_words() -> dict[str, object]:
    language = current_language()
    return {"kind_words": case_kind_words(language), "status_words": case_status_words(language)}


def _own_page(
    granted: Pass,
    *,
    text: str = "",
    fault: str = "",
    done: CaseAction | None = None,
    is_contact_erased: bool = False,
) -> str:
    with site().database.reading() as session:
        own = find_own_case(session, reference=granted.reference, now=current_time())
    return render_template(
        "complaints/own_case.html",
        own=own,
        case=own.public,
        step_words=case_step_words(current_language()),
        reason_words=end_reason_words(current_language()),
        unfixed_words=unfixed_words(current_language()),
        because="" if done else request.form.get("because", ""),
        **_public_words(),
        granted=sign_pass(granted, secret_key=site().config.secret_key),
        step_key=secrets.token_urlsafe(16),
        longest_text=LONGEST_TEXT,
        text=text,
        fault=fault,
        done=done,
        is_contact_erased=is_contact_erased,
    )
