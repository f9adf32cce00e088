"""Complaints: a form, its reference."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from survey_app.casework import categories, find_case
from survey_app.codes import ScannedCode, find_code
from survey_app.context import current_time, site
from survey_app.errors import InvalidSubmissionKey, OtherAnswersSubmitted, UnknownNumber
from survey_app.filing import (
    LONGEST_TEXT,
    CheckedComplaint,
    ComplaintFault,
    Kind,
    check_complaint,
    file_complaint,
    local_today,
)
from survey_app.languages import current_language
from survey_app.numbers import RECEIPT_DIGITS, read_number
from survey_app.policies import RESIDENT, declare_policy
from survey_app.submissions import Form, SubmissionKey, read_key, sign_key
from survey_app.views.survey import bureau_of

blueprint = Blueprint("complaints", __name__)
declare_policy(blueprint, RESIDENT)


@blueprint.get("/c/<token>")
def show_form(token: str) -> str:
    """Show the form for complaints about one community."""
    with site().database.reading() as session:
        code = find_code(session, token=token, secret_key=site().config.secret_key)
    return _form(code, _new_key(code), CheckedComplaint(category="", kind=Kind.COMPLAINT, text="", faults=()))


@blueprint.post("/c/<token>")
def file(token: str) -> AnyResponse | str | tuple[str, int]:
    """Store a complaint and lead on to its page, or say what is missing with every word kept."""
    with site().database.reading() as session:
        code = find_code(session, token=token, secret_key=site().config.secret_key)
        today = local_today(session, now=current_time())
    complaint = check_complaint(request.form, today=today)
    try:
        key = read_key(request.form.get("key", ""), form=Form.COMPLAINT, secret_key=site().config.secret_key)
        if complaint.faults:
            return _form(code, key, complaint), HTTPStatus.UNPROCESSABLE_ENTITY
        with site().database.writing() as session:
            filed = file_complaint(
                session,
                code=code,
                key=key,
                complaint=complaint,
                language=current_language(),
                secret_key=site().config.secret_key,
                now=current_time(),
            )
    except InvalidSubmissionKey:
        return _form(code, _new_key(code), complaint, is_renewed=True), HTTPStatus.BAD_REQUEST
    except OtherAnswersSubmitted as error:
        page = render_template(
            "complaints/other_complaint.html",
            reference=error.number,
            key=_signed(_new_key(code)),
            given=[("category", complaint.category), ("kind", complaint.kind), ("text", complaint.text)],
        )
        return page, error.status
    return redirect(url_for(".show_case", number=filed.reference), HTTPStatus.SEE_OTHER)


@blueprint.get("/complaint/<number>")
def show_case(number: str) -> str:
    """Show the public where a case stands; its text stays with the bureau."""
    reference = read_number(number, RECEIPT_DIGITS)
    if reference is None:
        raise UnknownNumber
    with site().database.reading() as session:
        case = find_case(session, reference=reference, now=current_time())
    return render_template("complaints/case.html", case=case)


def _form(code: ScannedCode, key: SubmissionKey, complaint: CheckedComplaint, *, is_renewed: bool = False) -> str:
    faults: Sequence[ComplaintFault] = () if is_renewed else complaint.faults
    return render_template(
        "complaints/form.html",
        token=code.token,
        community=code.community,
        bureau=bureau_of(code.district),
        categories=categories(),
        kinds=tuple(Kind),
        longest_text=LONGEST_TEXT,
        key=_signed(key),
        complaint=complaint,
        faults=faults,
        is_renewed=is_renewed,
    )


def _new_key(code: ScannedCode) -> SubmissionKey:
    return SubmissionKey.new(form=Form.COMPLAINT, code_id=code.id, round_id=None, now=current_time())


def _signed(key: SubmissionKey) -> str:
    return sign_key(key, secret_key=site().config.secret_key)
