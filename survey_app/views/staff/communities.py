"""Communities with the codes of their posters."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Response, abort, render_template, request
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, joinedload

from survey_app.access import Scope, signed_in
from survey_app.codes import CodeKind
from survey_app.context import site
from survey_app.models import Code, Community
from survey_app.policies import policy, staff
from survey_app.posters.qr import qr_png, qr_svg
from survey_app.roles import Role
from survey_app.views.staff.blueprint import blueprint

# Not property companies: posters and slips do not pass through them.
REGISTER_READERS = staff(Role.CITY, Role.DISTRICT, Role.EVALUATOR, Role.CLERK)

COMMUNITIES_PER_PAGE = 50
_LARGEST_PAGE = 100_000


@blueprint.get("/staff/communities")
@policy(REGISTER_READERS)
def communities() -> str:
    """List the communities and the codes of their posters, a page at a time."""
    wanted = request.args.get("search", "").strip()
    page = max(1, min(request.args.get("page", 1, type=int), _LARGEST_PAGE))
    with site().database.reading() as session:
        matching = _matching_communities(signed_in().scope, wanted)
        total = session.scalar(select(func.count()).select_from(matching.subquery())) or 0
        found = session.scalars(
            matching.options(joinedload(Community.district), joinedload(Community.company))
            .order_by(Community.sort_key, Community.number)
            .limit(COMMUNITIES_PER_PAGE)
            .offset((page - 1) * COMMUNITIES_PER_PAGE)
        ).all()
        return render_template(
            "staff/communities.html",
            communities=found,
            codes=_usable_codes(session, [community.id for community in found]),
            search=wanted,
            total=total,
            page=page,
            pages=max(1, -(-total // COMMUNITIES_PER_PAGE)),
        )


@blueprint.get("/staff/codes/<token>.svg")
@policy(REGISTER_READERS)
def code_svg(token: str) -> Response:
    """Hand out the picture of a poster's code for printing."""
    return Response(qr_svg(_address_of_code(token)), mimetype="image/svg+xml")


@blueprint.get("/staff/codes/<token>.png")
@policy(REGISTER_READERS)
def code_png(token: str) -> Response:
    """Hand out the picture of a poster's code for a chat or a document."""
    return Response(qr_png(_address_of_code(token)), mimetype="image/png")


def _matching_communities(scope: Scope, wanted: str) -> Select[Community]:
    statement = scope.communities(select(Community))
    if not wanted:
        return statement
    fields = (Community.name, Community.english_name, Community.number, Community.sort_key)
    return statement.where(or_(*(field.icontains(wanted, autoescape=True) for field in fields)))


def _usable_codes(session: Session, community_ids: Sequence[int]) -> dict[int, list[Code]]:
    is_usable = (Code.kind == CodeKind.POSTER) & Code.revoked_at.is_(None)
    statement = select(Code).where(Code.community_id.in_(community_ids), is_usable).order_by(Code.id)
    codes: dict[int, list[Code]] = {}
    for code in session.scalars(statement):
        codes.setdefault(code.community_id, []).append(code)
    return codes


def _address_of_code(token: str) -> str:
    """Return what the code of a community in scope says when it is scanned."""
    statement = select(Code.token).join(Community, Code.community_id == Community.id).where(Code.token == token)
    with site().database.reading() as session:
        if session.scalar(signed_in().scope.communities(statement)) is None:
            abort(HTTPStatus.NOT_FOUND)
    return f"{site().config.public_url}/s/{token}"
