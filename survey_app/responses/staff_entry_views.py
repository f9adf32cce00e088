"""Views where staff type in answers from paper or the telephone."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.guard import own_community, signed_in
from survey_app.accounts.staff_attempts import counted_try
from survey_app.clock import current_time
from survey_app.errors import (
    ExpiredCode,
    JiayuanError,
    OtherAnswersSubmitted,
    RevokedCode,
    UnknownCode,
)
from survey_app.models import Community
from survey_app.models.vocabulary import STAFF_ENTERED_MODES, Mode
from survey_app.register.names import is_called
from survey_app.responses.receipts import Reference, find_receipt
from survey_app.responses.staff_entry import (
    Desk,
    SlipNeeded,
    SlipOfAnotherCommunity,
    count_entered,
    enter_response,
    open_desk,
    read_typed,
    with_slip,
)
from survey_app.responses.staff_entry_pages import (
    address_of_staff_page,
    blueprint,
    form_fields,
    new_form_key,
    opened_reference,
    reference_in_scope,
    sent_form_key,
)
from survey_app.responses.submission import earlier_receipt
from survey_app.rounds.questionnaires import AnswerFault, CheckedAnswers
from survey_app.security.submission_keys import Form, SubmissionKey
from survey_app.web.context import site

MOST_LISTED = 50

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
        desk = open_desk(session, community=own_community(session, community_id), now=current_time())
    return _form(desk, _mode(mode), new_form_key(Form.ENTRY, desk.round_id), {})


@blueprint.post("/staff/entry/<int:community_id>/<mode>")
def save(community_id: int, mode: str) -> AnyResponse | tuple[str, int]:
    """Store what was typed in and open the next form, or name every fault at once with all that was typed kept."""
    now, chosen = current_time(), _mode(mode)
    given = request.form.to_dict()
    with site().database.reading() as session:
        desk = open_desk(session, community=own_community(session, community_id), now=now)
    key = sent_form_key(Form.ENTRY, desk.round_id)
    answers = desk.questionnaire.check_answers(read_typed(desk.questionnaire.questions, given))
    try:
        receipt = _saved_before(key, answers)
        if receipt is None:
            desk, faults = _check(desk, answers, given, now)
            if faults.are_any:
                return _form(desk, chosen, key, given, faults), HTTPStatus.UNPROCESSABLE_ENTITY
            with site().database.writing() as session:
                by = signed_in().account_id
                receipt = enter_response(
                    session,
                    desk=desk,
                    key=key,
                    answers=answers,
                    mode=chosen,
                    by=by,
                    secret_key=site().config.secret_key,
                    now=now,
                )
    except OtherAnswersSubmitted as error:
        # A form that was saved already and was changed after going back: its answer is corrected at its receipt.
        flash(_("This form was saved already. Correct it here."))
        return redirect(address_of_staff_page(error.number), HTTPStatus.SEE_OTHER)
    following = url_for(".show_form", community_id=community_id, mode=mode, saved=opened_reference(receipt, now))
    return redirect(following, HTTPStatus.SEE_OTHER)


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
        with counted_try(now) if slip.strip() else nullcontext(), site().database.reading() as session:
            desk = with_slip(session, desk=desk, typed=slip, secret_key=site().config.secret_key, now=now)
    except tuple(_SLIP_FAULTS) as error:
        slip_fault = _SLIP_FAULTS[type(error)]
    return desk, _Faults(answers.faults, slip_fault, desk.replaces_earlier and "replace" not in given)


def _mode(text: str) -> Mode:
    return Mode(text) if text in STAFF_ENTERED_MODES else abort(HTTPStatus.NOT_FOUND)


def _code_to_tell(held: Reference) -> str | None:
    """Return the change code of what was just typed in, for the resident on the telephone or at the desk."""
    if not held.is_opened(current_time()):
        return None
    with site().database.reading() as session:
        return find_receipt(
            session, number=held.number, secret_key=site().config.secret_key, now=current_time()
        ).change_code


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
    held = reference_in_scope(saved) if saved else None
    return render_template(
        "entry/form.html",
        desk=desk,
        mode=mode,
        count=count,
        saved=saved,
        saved_number=held.number if held else None,
        saved_code=_code_to_tell(held) if held else None,
        slip_fault=faults.slip if faults else None,
        asks_to_replace=faults is not None and faults.asks_to_replace,
        **form_fields(desk.questionnaire, key, given, faults.answers if faults else ()),
    )
