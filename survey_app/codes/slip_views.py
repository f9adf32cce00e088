"""Views of a round's household slips: counts by status, revoking some, replacing others."""

from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import PRINTING, policy
from survey_app.accounts.staff_attempts import counted_try
from survey_app.accounts.staff_pages import blueprint
from survey_app.clock import current_time
from survey_app.codes.codes import (
    MOST_SLIPS,
    SlipCounts,
    SlipsRefused,
    count_slips,
    find_slip,
    replace_slip,
    revoke_slips,
)
from survey_app.codes.print_runs import current_round
from survey_app.errors import RevokedCode, UnknownCode
from survey_app.models import Community, Round
from survey_app.models.vocabulary import Revocation
from survey_app.printing.qr import qr_svg
from survey_app.web.context import site

# A lost slip is replaced, which needs its digits alone: that is another form.
BACK_AT_THE_OFFICE = (Revocation.RETURNED, Revocation.SPOILED)


@dataclass(frozen=True)
class CommunitySlips:
    """Counts by status of the slips of one community."""

    community: Community
    counts: SlipCounts


@blueprint.get("/staff/rounds/<int:round_id>/slips")
@policy(PRINTING)
def slips(round_id: int) -> str:
    """List the counts by status of the slips of each community in scope."""
    with site().database.reading() as session:
        return _page(session, round_id)


@blueprint.post("/staff/rounds/<int:round_id>/slips/revocations")
@policy(PRINTING)
def revoke_household_slips(round_id: int) -> AnyResponse | tuple[str, int]:
    """Revoke slips that came back; what is no slip in use of the community is shown again."""
    because, typed = request.form.get("because", ""), request.form.get("typed", "").split("\n")
    if because not in BACK_AT_THE_OFFICE:
        abort(HTTPStatus.BAD_REQUEST)
    typed, now = [line for line in map(str.strip, typed) if line], current_time()
    number = request.form.get("community", "").strip()
    refused: list[str] = []
    with suppress(UnknownCode), counted_try(now):
        with site().database.writing() as session:
            refused = revoke_slips(
                session,
                community=_community(session, number),
                typed=typed,
                because=Revocation(because),
                secret_key=site().config.secret_key,
                now=now,
                by=signed_in().account_id,
            )
        if refused:
            raise UnknownCode
    revoked = len(typed) - len(refused)
    flash(ngettext("%(num)s slip is out of use.", "%(num)s slips are out of use.", revoked))
    if refused or not typed:
        with site().database.reading() as session:
            return _page(session, round_id, refused=refused, number=number), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("staff.slips", round_id=round_id), HTTPStatus.SEE_OTHER)


@blueprint.post("/staff/rounds/<int:round_id>/slips/replacements")
@policy(PRINTING)
def replace_household_slip(round_id: int) -> str | tuple[str, int]:
    """Revoke a slip whose digits are known, and show the one that replaces it: it can be read only now."""
    typed, secret_key, now = request.form.get("digits", ""), site().config.secret_key, current_time()
    public_url = site().config.url_to_print  # refused before the slip that a household has is revoked
    try:
        with counted_try(now), site().database.writing() as session:
            _require_in_scope(session, typed, secret_key)
            sheet = replace_slip(session, typed=typed, secret_key=secret_key, now=now, by=signed_in().account_id)
    except (UnknownCode, RevokedCode, SlipsRefused) as error:
        with site().database.reading() as session:
            return _page(session, round_id, fault=type(error).__name__), error.status
    slip = sheet.slips[0]
    picture = b64encode(qr_svg(f"{public_url}/h/{slip.token}")).decode("ascii")
    return render_template("staff/slip.html", sheet=sheet, slip=slip, picture=picture, round_id=round_id)


def _page(
    session: Session, round_id: int, *, refused: Sequence[str] = (), number: str = "", fault: str | None = None
) -> str:
    survey_round = session.get(Round, round_id) or abort(HTTPStatus.NOT_FOUND)
    counts = count_slips(session, survey_round=survey_round)
    in_scope = signed_in().scope.communities(select(Community).order_by(Community.sort_key, Community.number))
    rows = [CommunitySlips(each, counts[each.id]) for each in session.scalars(in_scope) if each.id in counts]
    return render_template(
        "staff/slips.html",
        round=survey_round,
        rows=rows,
        most=max((row.counts.issued for row in rows), default=1),
        most_slips=MOST_SLIPS,
        may_reprint=current_round(session, now=current_time()) is survey_round,
        refused=refused,
        number=number,
        fault=fault,
    )


def _community(session: Session, number: str) -> Community:
    found = session.scalar(signed_in().scope.communities(select(Community).filter_by(number=number)))
    return found if found is not None else abort(HTTPStatus.NOT_FOUND)


def _require_in_scope(session: Session, typed: str, secret_key: str) -> None:
    """Raise `UnknownCode` for a slip of a community that is not this account's."""
    community_id = find_slip(session, typed=typed, secret_key=secret_key).community_id
    if session.scalar(signed_in().scope.communities(select(Community).filter_by(id=community_id))) is None:
        raise UnknownCode
