"""Query of a table of communities in one evaluation: sorted, filtered and paginated by the database."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, case, nulls_last, or_, select
from sqlalchemy.orm import Session

from dashboards.source import GridColumn, GridOrder, GridQuery
from survey_app.accounts.scope import Scope
from survey_app.models import Community, Standing, StandingEvidence, Subdistrict

# All but the name stand in one index, as the filters do: a page is found without reading a single row.
_SORTED: Mapping[GridColumn, SQLColumnExpression[Any]] = MappingProxyType(
    {
        "name": Community.sort_key,
        "responses": Standing.responses,
        "satisfaction_rank": Standing.satisfaction_rank,
        # A score of those that are not ranked is not shown, and their order would reveal it.
        "satisfaction_score": case((Standing.satisfaction_rank.is_not(None), Standing.satisfaction_score)),
        "complaint_rank": Standing.complaint_rank,
        "complaints_per_1000_household_years": case(
            (Standing.complaint_rank.is_not(None), Standing.complaints_per_1000_household_years)
        ),
    }
)
_BY_NAME = (GridOrder("name"),)


def find_communities(session: Session, evaluation_id: int, query: GridQuery, scope: Scope) -> Sequence[int]:
    """Return the ids of all communities that a table lists, in its order and of all its pages."""
    statement = select(Standing.community_id).where(
        Standing.evaluation_id == evaluation_id, *_conditions(evaluation_id, query, scope)
    )
    order = query.order or _BY_NAME
    if any(each.column == "name" for each in order):
        statement = statement.join(Community, Standing.community_id == Community.id)
    # Eight bytes for each, since these are cached while somebody turns pages.
    return array("q", session.scalars(statement.order_by(*map(_sorted_by, order), Standing.community_id)))


def _sorted_by(order: GridOrder) -> ColumnElement[Any]:
    column = _SORTED[order.column]
    sorted_by: ColumnElement[Any] = nulls_last(column.desc() if order.descending else column.asc())
    return sorted_by


def _conditions(evaluation_id: int, query: GridQuery, scope: Scope) -> Iterator[ColumnElement[bool]]:
    if query.region is not None:
        yield Standing.region == query.region
    if query.status is not None:
        yield Standing.criterion_status == query.status
    if query.minimum_responses is not None:
        yield Standing.responses >= query.minimum_responses
    if query.evidence is not None:
        yield Standing.community_id.in_(
            select(StandingEvidence.community_id).filter_by(
                evaluation_id=evaluation_id, criterion_evidence=query.evidence
            )
        )
    if query.text or query.subdistrict is not None or not scope.is_city:
        communities = _called(query.text)
        if query.subdistrict is not None:
            communities = communities.join(Community.subdistrict).where(Subdistrict.name == query.subdistrict)
        yield Standing.community_id.in_(scope.communities(communities))


def _called(text: str) -> Select[int]:
    """Return the communities whose name or number contains a text; all of them for an empty one."""
    statement = select(Community.id)
    if not text:
        return statement
    named = (Community.name, Community.english_name, Community.number)
    return statement.where(or_(*(column.icontains(text, autoescape=True) for column in named)))
