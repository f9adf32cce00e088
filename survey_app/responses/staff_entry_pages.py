"""Parts that staff pages for typing in answers and for receipts share: blueprint, addresses, keys, fields."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask import Blueprint, request, url_for
from sqlalchemy import select

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import ENTERING, declare_policy
from survey_app.clock import current_time
from survey_app.errors import InvalidSubmissionKey, UnknownNumber
from survey_app.models import Community
from survey_app.responses.receipts import Received, Reference, find_received, read_reference, sign_change, sign_receipt
from survey_app.responses.typed_questions import typed_sections
from survey_app.rounds.questionnaires import AnswerFault, Questionnaire
from survey_app.security.submission_keys import Form, SubmissionKey, read_key, sign_key
from survey_app.web.context import site

blueprint = Blueprint("entry", __name__)
declare_policy(blueprint, ENTERING)


def opened_reference(number: str, now: datetime) -> str:
    """Return the signed address part of a receipt whose change code counts as known to this account from now on."""
    return sign_change(number, secret_key=site().config.secret_key, holder=_holder(), now=now)


def reference_in_scope(text: str) -> Reference:
    """Return what a signed address part says, if it names a receipt of a community in scope."""
    held = read_reference(text, secret_key=site().config.secret_key, holder=_holder())
    received_in_scope(held.number)
    return held


def received_in_scope(number: str) -> Received:
    """Return what was received from a community in scope; any other receipt is unknown here."""
    with site().database.reading() as session:
        received = find_received(session, number=number, now=current_time())
        is_ours = signed_in().scope.communities(select(Community.id).where(Community.id == received.community_id))
        if session.scalar(is_ours) is None:
            raise UnknownNumber
    return received


def address_of_staff_page(number: str) -> str:
    """Return the address of the staff page that a receipt number alone leads to."""
    return url_for("entry.show_receipt", reference=sign_receipt(number, secret_key=site().config.secret_key))


def address_of_opened_staff_page(number: str, now: datetime) -> str:
    """Return the address of the staff page that the change code opens."""
    return url_for("entry.show_receipt", reference=opened_reference(number, now))


def new_form_key(form: Form, round_id: int) -> SubmissionKey:
    """Return a key for a form that is opened now."""
    return SubmissionKey.new(form=form, code_id=None, round_id=round_id, now=current_time())


def sent_form_key(form: Form, round_id: int) -> SubmissionKey:
    """Return the key of the form, or a new one if it was altered: the session's token says already whose form it is."""
    try:
        return read_key(request.form.get("key", ""), form=form, secret_key=site().config.secret_key)
    except InvalidSubmissionKey:
        return new_form_key(form, round_id)


def form_fields(
    questionnaire: Questionnaire, key: SubmissionKey, given: Mapping[str, str], faults: Sequence[AnswerFault]
) -> dict[str, object]:
    """Return the template variables of the fields in which answers are typed."""
    return {
        "questionnaire": questionnaire,
        "sections": typed_sections(questionnaire),
        "key": sign_key(key, secret_key=site().config.secret_key),
        "given": given,
        "faults": faults,
    }


def _holder() -> str:
    # Left in the browser's history, the address opens nothing for the next account, nor for this one once it changed:
    # no two accounts ever have the same credentials.
    return signed_in().credentials
