"""Views that replace the secret of a case at the office, for a resident who lost theirs."""

from http import HTTPStatus

from flask import render_template, request

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import REISSUING_SECRETS, policy
from survey_app.accounts.staff_attempts import counted_try
from survey_app.accounts.staff_pages import blueprint
from survey_app.clock import current_time
from survey_app.complaints.case_secrets import WordsErased, reissue_secret
from survey_app.complaints.cases import find_in_scope
from survey_app.errors import UnknownNumber
from survey_app.security.check_digits import RECEIPT_DIGITS, read_number
from survey_app.web.context import site


@blueprint.get("/staff/complaints/secret")
@policy(REISSUING_SECRETS)
def ask_for_secret() -> str:
    """Ask which case, and whether the person before the desk was identified."""
    return render_template("staff/secret.html", reference="", secret=None, fault=None)


@blueprint.post("/staff/complaints/secret")
@policy(REISSUING_SECRETS)
def give_secret() -> str | tuple[str, int]:
    """Issue a new secret, shown once; the old one is void, and the audit chain says who did it."""
    typed = request.form.get("reference", "")
    account = signed_in()
    if "checked" not in request.form:
        page = render_template("staff/secret.html", reference=typed, secret=None, fault="unchecked")
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    now = current_time()
    try:
        with counted_try(now), site().database.writing() as session:
            number = read_number(typed, RECEIPT_DIGITS) or ""
            reference = find_in_scope(session, reference=number, scope=account.scope).reference
            secret = reissue_secret(
                session,
                reference=reference,
                by=account.actor,
                secret_key=site().config.secret_key,
                now=now,
            )
    except UnknownNumber:
        page = render_template("staff/secret.html", reference=typed, secret=None, fault="unknown")
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    except WordsErased as error:
        return render_template("staff/secret.html", reference=typed, secret=None, fault="erased"), error.status
    return render_template("staff/secret.html", reference=reference, secret=secret, fault=None)
