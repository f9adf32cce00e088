"""Query of a table of communities in one evaluation: sorted, filtered and paginated by the database."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    case,
    exists,
    false,
    func,
    not_,
    nulls_last,
    or_,
    select,
)
from sqlalchemy.orm import Session

from dashboards.frames.standings import SUPPORTED
from dashboards.source import CommunityGroup, GridColumn, GridOrder, GridQuery
from survey_app.accounts.scope import Scope
from survey_app.evaluations.held_answers import communities_waiting
from survey_app.evaluations.standings import EVIDENCE_JOIN, last_day_of_round
from survey_app.models import Community, PropertyCompany, Standing, StandingEvidence, Subdistrict
from survey_app.models.vocabulary import StandingStatus
from survey_app.register.contracts import company_id_on

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
_MET: Final = str(StandingStatus.MET)


def _is_supported(status: SQLColumnExpression[str], evidence: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    return and_(status == _MET, evidence.in_([str(band) for band in SUPPORTED]))


_HAS_RATE: Final = and_(Standing.complaints.is_not(None), func.coalesce(Standing.exposure_household_years, 0) > 0)

# Of which rows each group is that the standings and their evidence tell.
_DECIDED: Mapping[CommunityGroup, Sequence[ColumnElement[bool]]] = MappingProxyType(
    {
        "ranked_by_satisfaction": (Standing.satisfaction_rank.is_not(None),),
        "ranked_by_complaints": (Standing.complaint_rank.is_not(None),),
        "ranked_by_neither": (Standing.satisfaction_rank.is_(None), Standing.complaint_rank.is_(None)),
        "met_by_satisfaction": (Standing.satisfaction_status == _MET,),
        "met_by_complaints": (Standing.complaint_status == _MET,),
        "met_by_both": (Standing.satisfaction_status == _MET, Standing.complaint_status == _MET),
        "left_open": (
            Standing.criterion_status == _MET,
            ~exists().where(
                EVIDENCE_JOIN,
                or_(
                    _is_supported(Standing.satisfaction_status, StandingEvidence.satisfaction_evidence),
                    _is_supported(Standing.complaint_status, StandingEvidence.complaint_evidence),
                ),
            ),
        ),
        "with_complaints": (_HAS_RATE, Standing.complaints > 0),
        "without_complaints": (_HAS_RATE, Standing.complaints == 0),
        "without_rate": (not_(_HAS_RATE),),
    }
)


def find_communities(session: Session, evaluation_id: int, query: GridQuery, scope: Scope) -> Sequence[int]:
    """Return the ids of all communities that a table lists, in its order and of all its pages."""
    statement = select(Standing.community_id).where(
        Standing.evaluation_id == evaluation_id, *_conditions(session, evaluation_id, query, scope)
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


def _conditions(session: Session, evaluation_id: int, query: GridQuery, scope: Scope) -> Iterator[ColumnElement[bool]]:
    if query.region is not None:
        yield Standing.region == query.region
    if query.status is not None:
        yield Standing.criterion_status == query.status
    if query.minimum_responses is not None:
        yield Standing.responses >= query.minimum_responses
    yield from _conditions_of_group(session, evaluation_id, query)
    if query.evidence is not None:
        yield Standing.community_id.in_(
            select(StandingEvidence.community_id).filter_by(
                evaluation_id=evaluation_id, criterion_evidence=query.evidence
            )
        )
    if query.company:
        yield Standing.community_id.in_(_looked_after_by(session, evaluation_id, query.company))
    if query.text or query.subdistrict is not None or not scope.is_city:
        communities = _called(query.text)
        if query.subdistrict is not None:
            communities = communities.join(Community.subdistrict).where(Subdistrict.name == query.subdistrict)
        yield Standing.community_id.in_(scope.communities(communities))


def _conditions_of_group(session: Session, evaluation_id: int, query: GridQuery) -> Iterator[ColumnElement[bool]]:
    if query.group == "held_answers":
        yield Standing.community_id.in_(communities_waiting(session, evaluation_id))
    elif query.group == "few_answers":
        yield Standing.satisfaction_rank.is_not(None)
        yield false() if query.enough_responses is None else Standing.responses < query.enough_responses
    elif query.group is not None:
        yield from _DECIDED[query.group]


def _looked_after_by(session: Session, evaluation_id: int, name: str) -> Select[int]:
    """Return the communities of the companies called exactly so, or else of those whose name contains this."""
    names = (PropertyCompany.name, PropertyCompany.english_name)
    exactly = select(PropertyCompany.id).where(or_(*(each == name for each in names)))
    partly = select(PropertyCompany.id).where(or_(*(each.icontains(name, autoescape=True) for each in names)))
    meant = session.scalars(exactly).all() or partly
    return select(Community.id).where(company_id_on(last_day_of_round(session, evaluation_id)).in_(meant))


def _called(text: str) -> Select[int]:
    """Return the communities whose name or number contains a text; all of them for an empty one."""
    statement = select(Community.id)
    if not text:
        return statement
    named = (Community.name, Community.english_name, Community.number)
    return statement.where(or_(*(column.icontains(text, autoescape=True) for column in named)))
