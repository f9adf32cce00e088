"""Home page, which leads on from a typed number, and the health check."""

from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.attempt_limits import Limit, count_attempt, reset_attempts
from survey_app.accounts.policies import PUBLIC, RESIDENT, declare_policy, policy
from survey_app.clock import current_time
from survey_app.errors import UnknownCode
from survey_app.models import Complaint
from survey_app.models import Response as StoredResponse
from survey_app.responses.addresses import address_of_receipt, address_of_slip
from survey_app.security.check_digits import CODE_DIGITS, RECEIPT_DIGITS, SLIP_DIGITS, read_number
from survey_app.web.context import site

blueprint = Blueprint("home", __name__)
declare_policy(blueprint, PUBLIC)

NUMBER_TRIES = Limit("typed_number", tries=20, window=timedelta(hours=1))
# Whoever guesses tries other numbers each time, so those that begin alike are limited together: nine thousand groups,
# few enough to make guessing hopeless, and so many that nobody can shut out more than a sliver of the city.
_PREFIX_DIGITS = 4


@blueprint.get("/")
def show() -> str:
    """Show the home page, which asks for a number: a poster's, a slip's, a receipt's or a complaint's."""
    return render_template("home.html", typed="", is_refused=False)


@blueprint.post("/")
@policy(RESIDENT)
def lead_on() -> AnyResponse | tuple[str, int]:
    """Redirect from a typed number to its page; by POST, so that it stands in no address and its tries are counted."""
    typed = request.form.get("number", "")
    target = _target(typed)
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


def _target(typed: str) -> str | None:
    if code := read_number(typed, CODE_DIGITS):
        return url_for("survey.show_form", token=code)
    number = read_number(typed, SLIP_DIGITS) or read_number(typed, RECEIPT_DIGITS)
    if number is None:
        return None
    now, secret_key, subject = current_time(), site().config.secret_key, number[:_PREFIX_DIGITS]
    count_attempt(site().database, limit=NUMBER_TRIES, subject=subject, secret_key=secret_key, now=now)
    target = _page_of_slip(number) if len(number) == SLIP_DIGITS else _page_of_receipt(number)
    if target is not None:
        with site().database.writing() as session:
            reset_attempts(session, limit=NUMBER_TRIES, subject=subject, secret_key=secret_key)
    return target


def _page_of_slip(digits: str) -> str | None:
    try:
        return address_of_slip(digits)
    except UnknownCode:
        return None


def _page_of_receipt(number: str) -> str | None:
    with site().database.reading() as session:
        if session.scalar(select(StoredResponse.id).where(StoredResponse.receipt == number)):
            return address_of_receipt(number)
        if session.scalar(select(Complaint.id).where(Complaint.reference == number)):
            return url_for("complaints.show_case", number=number)
    return None
