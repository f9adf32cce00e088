"""Home page, which leads on from a typed number, and the health check."""

import re
from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from analytics.files.written_text import without_invisible
from survey_app.accounts.attempt_budgets import Budget, Limit
from survey_app.accounts.attempt_limits import count_attempt, forgive_failures
from survey_app.accounts.policies import PUBLIC, RESIDENT, declare_policy, policy
from survey_app.accounts.request_sources import source_of_request
from survey_app.clock import current_time
from survey_app.complaints.case_addresses import sign_case
from survey_app.errors import UnknownCode
from survey_app.models import Complaint
from survey_app.models import Response as StoredResponse
from survey_app.responses.addresses import address_of_receipt, address_of_slip
from survey_app.security.check_digits import CODE_DIGITS, RECEIPT_DIGITS, SLIP_DIGITS, read_number
from survey_app.web.context import site

# People copy the whole address that a QR code holds.
_ADDRESS_OF_FORM = re.compile(r"/s/([0-9A-Za-z_-]{1,200})/?(?:[?#]|\s|$)")

blueprint = Blueprint("home", __name__)
declare_policy(blueprint, PUBLIC)

# Whoever guesses tries other numbers each time: they are counted by where they come from alone. The codes that are
# scanned stand for numbers too long to be guessed, and are not limited.
NUMBER_TRIES = Limit(
    action="typed_number",
    line=Budget(free=30, step=timedelta(seconds=10), longest=timedelta(minutes=2), forgiven_each=timedelta(minutes=2)),
)


@blueprint.get("/")
def show() -> str:
    """Show the home page, which asks for a number: a poster's, a slip's, a receipt's or a complaint's."""
    return render_template("home.html", typed="", is_refused=False)


@blueprint.post("/")
@policy(RESIDENT)
def lead_on() -> AnyResponse | tuple[str, int]:
    """Redirect from a typed number to its page; by POST, so that it stands in no address and its tries are counted."""
    typed = request.form.get("number", "")
    target = _target(typed, to_complaint=request.form.get("to") == "complaint")
    if target is None:
        return render_template("home.html", typed=typed, is_refused=True), HTTPStatus.NOT_FOUND
    return redirect(target, HTTPStatus.SEE_OTHER)


@blueprint.get("/healthz")
def check_health() -> Response:
    """Answer a health check when the database answers."""
    with site().database.reading() as session:
        session.execute(select(1))
    return Response("ok", mimetype="text/plain")


@blueprint.get("/robots.txt")
def refuse_robots() -> Response:
    """Serve robots.txt that keeps search engines away: a code in a search result would bring answers from anywhere."""
    return Response("User-agent: *\nDisallow: /\n", mimetype="text/plain")


def _target(typed: str, *, to_complaint: bool) -> str | None:
    """Return the page that a number leads to; that of a code leads to the form for complaints where that is asked."""
    form = "complaints.show_form" if to_complaint else "survey.show_form"
    if (address := _ADDRESS_OF_FORM.search(without_invisible(typed))) is not None:
        return url_for(form, token=address[1])
    if code := read_number(typed, CODE_DIGITS):
        return url_for(form, token=code)
    number = read_number(typed, SLIP_DIGITS) or read_number(typed, RECEIPT_DIGITS)
    if number is None:
        return None
    database, secret_key, now = site().database, site().config.secret_key, current_time()
    counted = count_attempt(database, limit=NUMBER_TRIES, source=source_of_request(), secret_key=secret_key, now=now)
    target = _page_of_slip(number, form) if len(number) == SLIP_DIGITS else _page_of_receipt(number)
    if target is not None:
        with database.writing() as session:
            forgive_failures(session, counted, now=now)
    return target


def _page_of_slip(digits: str, form: str) -> str | None:
    try:
        return address_of_slip(digits, form)
    except UnknownCode:
        return None


def _page_of_receipt(number: str) -> str | None:
    with site().database.reading() as session:
        if session.scalar(select(StoredResponse.id).where(StoredResponse.receipt == number)):
            return address_of_receipt(number)
        if session.scalar(select(Complaint.id).where(Complaint.reference == number)):
            return url_for("complaints.show_case", number=sign_case(number, secret_key=site().config.secret_key))
    return None
