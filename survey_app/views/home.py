"""The front door: where a code leads that was typed instead of scanned, and whether the site is well."""

from datetime import date, datetime
from http import HTTPStatus

from babel.dates import format_date, format_time
from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from survey_app.context import site
from survey_app.languages import current_language
from survey_app.models import Complaint
from survey_app.models import Response as StoredResponse
from survey_app.numbers import CODE_DIGITS, RECEIPT_DIGITS, grouped, read_number
from survey_app.policies import PUBLIC, declare_policy

blueprint = Blueprint("home", __name__)
declare_policy(blueprint, PUBLIC)


@blueprint.get("/")
def show() -> AnyResponse | str | tuple[str, int]:
    """Say what this is, and lead on from a number that was typed: a poster's, a receipt's or a complaint's."""
    typed = request.args.get("number", "")
    if not typed.strip():
        return render_template("home.html", typed="", is_refused=False)
    target = _target(typed)
    if target is None:
        return render_template("home.html", typed=typed, is_refused=True), HTTPStatus.NOT_FOUND
    return redirect(target, HTTPStatus.SEE_OTHER)


@blueprint.get("/healthz")
def check_health() -> Response:
    """Answer when the database answers."""
    with site().database.reading() as session:
        session.execute(select(1))
    return Response("ok", mimetype="text/plain")


@blueprint.get("/robots.txt")
def refuse_robots() -> Response:
    """Keep search engines away: a code in a search result would bring answers from anywhere."""
    return Response("User-agent: *\nDisallow: /\n", mimetype="text/plain")


@blueprint.app_template_global()
def address_with(**changes: str) -> str:
    """Return the address of the same page shown otherwise, with all else that it was asked for."""
    values = request.args.to_dict(flat=False) | (request.view_args or {}) | changes
    return url_for(request.endpoint or "home.show", **values)


@blueprint.app_template_filter()
def local_date(day: date) -> str:
    """Write out a local day in the language of the page."""
    return str(format_date(day, "long", locale=_locale()))


@blueprint.app_template_filter()
def local_minute(moment: datetime) -> str:
    """Write out a local day and minute in the language of the page."""
    return f"{format_date(moment, 'long', locale=_locale())} {format_time(moment, 'HH:mm', locale=_locale())}"


blueprint.add_app_template_filter(grouped)


def _locale() -> str:
    return current_language().replace("-", "_")


def _target(typed: str) -> str | None:
    if code := read_number(typed, CODE_DIGITS):
        return url_for("survey.show_form", token=code)
    number = read_number(typed, RECEIPT_DIGITS)
    if number is None:
        return None
    with site().database.reading() as session:
        return _page_of(session, number)


def _page_of(session: Session, number: str) -> str | None:
    if session.scalar(select(StoredResponse.id).where(StoredResponse.receipt == number)):
        return url_for("survey.show_receipt", number=number)
    if session.scalar(select(Complaint.id).where(Complaint.reference == number)):
        return url_for("complaints.show_case", number=number)
    return None
