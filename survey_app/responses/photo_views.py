"""Views of the photos that residents sent with their answers."""

from datetime import datetime
from http import HTTPStatus

from flask import Response, abort, render_template, request
from sqlalchemy.orm import Session

from survey_app.accounts.guard import signed_in
from survey_app.accounts.paging import Page, requested_page
from survey_app.accounts.policies import READERS, policy
from survey_app.accounts.staff_pages import blueprint
from survey_app.clock import current_time
from survey_app.models import Round
from survey_app.responses.released_photos import find_released_photo, places_with_photos, released_photos
from survey_app.rounds.rounds import has_settled
from survey_app.web.context import site
from survey_app.web.error_pages import missing_is_not_found

PHOTOS_PER_PAGE = 24


@blueprint.get("/staff/rounds/<int:round_id>/photos")
@policy(READERS)
def photos(round_id: int) -> str:
    """Show the photos of a closed round, a page at a time."""
    number, scope = request.args.get("community", ""), signed_in().scope
    with site().database.reading() as session:
        survey_round = _closed_round(session, round_id, current_time())
        places = places_with_photos(session, survey_round=survey_round, scope=scope)
        total = sum(place.photos for place in places if number in {"", place.number})
        page = Page(requested_page(), PHOTOS_PER_PAGE, total)
        shown = released_photos(
            session, survey_round=survey_round, scope=scope, number=number, limit=page.size, offset=page.offset
        )
        return render_template(
            "staff/photos.html", round=survey_round, photos=shown, places=places, asked=number, page=page
        )


@blueprint.get("/staff/rounds/<int:round_id>/photos/<name>.jpg")
@policy(READERS)
def photo(round_id: int, name: str) -> Response:
    """Send one photo in its full size."""
    with site().database.reading() as session:
        survey_round = _closed_round(session, round_id, current_time())
        with missing_is_not_found():
            content = find_released_photo(session, survey_round=survey_round, scope=signed_in().scope, name=name)
    return Response(content, mimetype="image/jpeg")


def _closed_round(session: Session, round_id: int, now: datetime) -> Round:
    survey_round = session.get(Round, round_id)
    if survey_round is None or not has_settled(survey_round, now=now):
        abort(HTTPStatus.NOT_FOUND)
    return survey_round
