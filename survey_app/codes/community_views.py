"""View of the communities with the codes of their posters."""

from collections.abc import Sequence

from flask import render_template, request
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from survey_app.accounts.guard import signed_in, wanted_scope
from survey_app.accounts.paging import Page, requested_page
from survey_app.accounts.place_choice import offered_places
from survey_app.accounts.policies import REGISTER_READERS, policy
from survey_app.accounts.scope import Scope
from survey_app.accounts.staff_pages import blueprint
from survey_app.codes.codes import is_usable_poster_code, without_code
from survey_app.models import Code, Community
from survey_app.register.names import is_called
from survey_app.web.context import site

COMMUNITIES_PER_PAGE = 50
_SHOWN_NAMES = (Community.district, Community.subdistrict, Community.neighbourhood, Community.company)


@blueprint.get("/staff/communities")
@policy(REGISTER_READERS)
def communities() -> str:
    """List the communities and the codes of their posters, a page at a time."""
    wanted = request.args.get("search", "").strip()
    with site().database.reading() as session:
        shown = wanted_scope(session)
        matching = _matching_communities(shown, wanted)
        total = session.scalar(select(func.count()).select_from(matching.subquery())) or 0
        page = Page(requested_page(), COMMUNITIES_PER_PAGE, total)
        lacking = session.scalar(select(func.count()).select_from(without_code(signed_in().scope).subquery()))
        found = session.scalars(
            matching.options(*map(joinedload, _SHOWN_NAMES))
            .order_by(Community.sort_key, Community.number)
            .limit(COMMUNITIES_PER_PAGE)
            .offset(page.offset)
        ).all()
        return render_template(
            "staff/communities.html",
            communities=found,
            codes=_usable_codes(session, [community.id for community in found]),
            search=wanted,
            places=offered_places(session, signed_in().scope),
            chosen=request.args,
            page=page,
            without_code=lacking,
        )


def _matching_communities(scope: Scope, wanted: str) -> Select[Community]:
    statement = scope.communities(select(Community))
    return statement.where(is_called(wanted)) if wanted else statement


def _usable_codes(session: Session, community_ids: Sequence[int]) -> dict[int, list[Code]]:
    statement = select(Code).where(Code.community_id.in_(community_ids), is_usable_poster_code()).order_by(Code.id)
    codes: dict[int, list[Code]] = {}
    for code in session.scalars(statement):
        codes.setdefault(code.community_id, []).append(code)
    return codes
