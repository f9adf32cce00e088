"""Views of declared help: staff announce visits and telephones, and see what came through them."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import COLLECTING, ENTERING, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.catalogue import translator
from survey_app.city_time import zone_of
from survey_app.clock import current_time
from survey_app.models import Community, Round
from survey_app.responses.declared_help import LONGEST_TEXT, MOST_EXPECTED, HelpRefused, declare_help, list_help
from survey_app.web.context import site
from survey_app.web.languages import current_language

_YEARS = range(2000, 2200)


@blueprint.get("/staff/rounds/<int:round_id>/help")
@policy(COLLECTING)
def declared_help(round_id: int) -> str:
    """List the declared help of a round, with a form to declare more."""
    return _page(round_id)


@blueprint.post("/staff/rounds/<int:round_id>/help")
@policy(ENTERING)
def declare(round_id: int) -> AnyResponse | tuple[str, int]:
    """Declare help in a community in scope."""
    statement = select(Community).where(Community.number == request.form.get("community", "").strip())
    with site().database.reading() as session:
        survey_round = session.get(Round, round_id) or abort(HTTPStatus.NOT_FOUND)
        is_in_scope = session.scalar(signed_in().scope.communities(statement)) is not None
        zone = zone_of(survey_round.rule_file.content)
    begins_at, ends_at = _moment("begins", zone), _moment("ends", zone)
    if not is_in_scope:
        return _page(round_id, faulty="community"), HTTPStatus.BAD_REQUEST
    if begins_at is None or ends_at is None:
        return _page(round_id, faulty="begins" if begins_at is None else "ends"), HTTPStatus.BAD_REQUEST
    try:
        with site().database.writing() as session:
            declare_help(
                session,
                survey_round=session.get_one(Round, round_id),
                community=session.scalars(signed_in().scope.communities(statement)).one(),
                begins_at=begins_at,
                ends_at=ends_at,
                helper=request.form.get("helper", ""),
                reason=request.form.get("reason", ""),
                expected=request.form.get("expected", 0, type=int),
                account_id=signed_in().account_id,
                now=current_time(),
            )
    except HelpRefused as refused:
        translate = translator(current_language())
        return _page(round_id, refusals=[fault.text(translate) for fault in refused.faults]), HTTPStatus.CONFLICT
    flash(_("The help is declared. Its code is below."))
    return redirect(url_for("staff.declared_help", round_id=round_id), HTTPStatus.SEE_OTHER)


def _page(round_id: int, *, faulty: str | None = None, refusals: Sequence[str] = ()) -> str:
    with site().database.reading() as session:
        survey_round = session.get(Round, round_id) or abort(HTTPStatus.NOT_FOUND)
        return render_template(
            "staff/help.html",
            round=survey_round,
            listed=list_help(session, round_id=round_id, scope=signed_in().scope),
            zone=zone_of(survey_round.rule_file.content),
            public_url=site().config.public_url,
            form=request.form,
            faulty=faulty,
            refusals=refusals,
            longest_text=LONGEST_TEXT,
            most_expected=MOST_EXPECTED,
        )


def _moment(field: str, zone: ZoneInfo) -> datetime | None:
    """Return the local time in a field of the form, or None if there is none in a year of rounds."""
    try:
        moment = datetime.fromisoformat(request.form.get(field, "")).replace(tzinfo=zone)
    except ValueError:
        return None
    return moment if moment.year in _YEARS else None
