"""Views of the monthly bulletin of casework: the page of a month, and its PDF."""

from datetime import datetime
from http import HTTPStatus

from flask import Response, abort, render_template
from sqlalchemy.orm import Session

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import REPORTING_CASEWORK, policy
from survey_app.accounts.staff_pages import area_words, blueprint
from survey_app.audit import record_export
from survey_app.city_time import Month, city_name, city_zone
from survey_app.clock import current_time
from survey_app.documents.bulletin import Bulletin, first_month, read_bulletin, write_bulletin
from survey_app.documents.sheets import bulletin_pdf
from survey_app.models.vocabulary import Area
from survey_app.printing.typefaces import installed_typefaces
from survey_app.register.names import bureau_name
from survey_app.web.context import site
from survey_app.web.languages import current_language


@blueprint.get("/staff/bulletins")
@blueprint.get("/staff/bulletins/<month>")
@policy(REPORTING_CASEWORK)
def bulletin(month: str | None = None) -> str:
    """Show the bulletin of a month, by itself that of the last one that is over; 404 for one that has not begun."""
    now = current_time()
    with site().database.reading() as session:
        asked, this_month = _month(session, month, now=now), _this_month(session, now=now)
        written, first = _written(session, asked, now=now), first_month(session)
    return render_template(
        "staff/bulletin.html",
        bulletin=written,
        month=asked,
        earlier=asked.plus(-1) if first < asked else None,
        later=asked.plus(1) if asked < this_month else None,
    )


@blueprint.get("/staff/bulletins/<month>.pdf")
@policy(REPORTING_CASEWORK)
def bulletin_file(month: str) -> Response:
    """Show the bulletin of a month as PDF; the export is in the audit chain before the first byte is sent."""
    typefaces, account, now = installed_typefaces(), signed_in(), current_time()
    with site().database.reading() as session:
        asked = _month(session, month, now=now)
        written = _written(session, asked, now=now)
        # The day and no time, so that one bulletin is one file all day.
        made_at = now.astimezone(city_zone(session)).replace(hour=0, minute=0, second=0, microsecond=0)
    pdf = bulletin_pdf(written, typefaces=typefaces, made_at=made_at)
    with site().database.writing() as session:
        record_export(
            session,
            by=account.actor,
            area=account.scope.area,
            places=account.scope.ids,
            kind="bulletin",
            subject=f"bulletin:{asked}",
            now=now,
        )
    return Response(pdf, mimetype="application/pdf")


def _this_month(session: Session, *, now: datetime) -> Month:
    return Month.of(now.astimezone(city_zone(session)).date())


def _month(session: Session, written: str | None, *, now: datetime) -> Month:
    found = _this_month(session, now=now).plus(-1) if written is None else Month.read(written)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return found


def _written(session: Session, month: Month, *, now: datetime) -> Bulletin:
    facts = read_bulletin(session, month=month, scope=signed_in().scope, now=now)
    if facts is None:
        abort(HTTPStatus.NOT_FOUND)
    return write_bulletin(facts, issuer=_issuer(session), language=current_language())


def _issuer(session: Session) -> str:
    """Return who puts the bulletin out: the bureau of the city or a district, or what else the account looks after."""
    account = signed_in()
    place = city_name(session) if account.scope.is_city else account.area_names[0]
    if place is None:
        return ""
    is_bureau = account.scope.area in {Area.CITY, Area.DISTRICT}
    return bureau_name(place, current_language()) if is_bureau else area_words(account.area_names)
