"""Views in which an administrator publishes the working days of a year: sent or typed, compared, then confirmed."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from analytics.files.yaml_documents import DocumentError
from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import ADMINISTRATING, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.city_time import city_zone
from survey_app.clock import current_time
from survey_app.complaints.calendar_comparison import compare_with_libraries, differences_from
from survey_app.complaints.calendar_lists import read_year
from survey_app.complaints.calendars import calendar, is_missing, publish_year, published_years
from survey_app.complaints.working_days import CalendarYear, parse_calendar_year, spans
from survey_app.security.text import one_line
from survey_app.web.context import site
from survey_app.web.languages import fault_translator

Page = str | tuple[str, int]


@blueprint.get("/staff/calendars")
@policy(ADMINISTRATING)
def calendars() -> str:
    """List the years that are published, and take another."""
    return _calendars_page()


@blueprint.post("/staff/calendars/preview")
@policy(ADMINISTRATING)
def preview_calendar() -> Page:
    """Show what a year would say, and where it differs from what is published and from others."""
    upload = request.files.get("file")
    typed, source = request.form.get("days", "").encode("utf-8"), _("what was typed")
    if upload is not None and upload.filename:
        typed, source = upload.read(), upload.filename
    try:
        announced = read_year(typed, source, basis=one_line(request.form.get("basis", "")))
    except DocumentError as error:
        return _calendars_page(error.lines(fault_translator())), HTTPStatus.BAD_REQUEST
    compared = compare_with_libraries(announced)
    with site().database.reading() as session:
        known = calendar(session)
    is_correction = announced.year in known.years
    return render_template(
        "staff/calendar_preview.html",
        announced=announced,
        is_correction=is_correction,
        changes=differences_from(announced, known) if is_correction else [],
        compared=compared,
        spans=spans,
    )


@blueprint.post("/staff/calendars")
@policy(ADMINISTRATING)
def publish_calendar() -> Response | Page:
    """Publish the year that was shown."""
    try:
        announced = parse_calendar_year(request.form.get("text", "").encode("utf-8"), _("what was typed"))
    except DocumentError as error:
        return _calendars_page(error.lines(fault_translator())), HTTPStatus.BAD_REQUEST
    account = signed_in()
    with site().database.writing() as session:
        publish_year(session, announced, by=account.actor, account_id=account.account_id, now=current_time())
    flash(_("The working days of %(year)s are published. Open cases follow them.", year=announced.year))
    return redirect(url_for("staff.calendars"), HTTPStatus.SEE_OTHER)


def _calendars_page(faults: Sequence[str] = ()) -> str:
    with site().database.reading() as session:
        zone = city_zone(session)
        today = current_time().astimezone(zone).date()
        years = published_years(session)
        known = {each.year for each in years}
        return render_template(
            "staff/calendars.html",
            years=[(each, _announced(each.text)) for each in reversed(years)],
            missing=[year for year in (today.year, today.year + 1) if is_missing(year, known, today=today)],
            form=request.form,
            zone=zone,
            faults=faults,
        )


def _announced(text: str) -> CalendarYear:
    return parse_calendar_year(text.encode("utf-8"), "stored calendar")
