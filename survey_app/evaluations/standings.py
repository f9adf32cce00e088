"""Stored standings with the names of their communities, districts and companies, always within a scope."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Result, Select, and_, select
from sqlalchemy.orm import Session

from analytics.decision.evaluate import STANDING_COLUMNS
from analytics.evidence.weigh_evidence import EVIDENCE_COLUMNS
from survey_app.accounts.scope import Scope
from survey_app.models import (
    Community,
    District,
    Evaluation,
    PropertyCompany,
    RuleFile,
    Standing,
    StandingEvidence,
)
from survey_app.stored_rules import rules_of

COLUMN_TYPES = {**STANDING_COLUMNS, **EVIDENCE_COLUMNS}


# Evaluations of earlier versions have no evidence, so this is for an outer join.
EVIDENCE_JOIN = and_(
    StandingEvidence.evaluation_id == Standing.evaluation_id, StandingEvidence.community_id == Standing.community_id
)


def read_standings(session: Session, *, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    """Return the standings of one evaluation in scope, in the order of the communities' sort keys.

    Raises `LookupError` if there is no such evaluation.
    """
    require_evaluation(session, evaluation_id)
    statement = _select_standings(evaluation_id, scope).order_by(Community.sort_key, Community.number)
    return _placed(session, session.execute(statement)).drop(columns="id")


def read_standings_of(session: Session, evaluation_id: int, communities: Sequence[int], scope: Scope) -> pd.DataFrame:
    """Return the standings of some communities in the order of their ids; those out of scope are left out."""
    statement = _select_standings(evaluation_id, scope).where(Community.id.in_(communities))
    found = _placed(session, session.execute(statement)).set_index("id")
    return found.reindex([key for key in communities if key in found.index]).reset_index(drop=True)


def require_evaluation(session: Session, evaluation_id: int) -> None:
    """Raise `LookupError` if there is no such evaluation."""
    if session.scalar(select(Evaluation.id).filter_by(id=evaluation_id)) is None:
        raise LookupError(f"there is no evaluation {evaluation_id}")


def _select_standings(evaluation_id: int, scope: Scope) -> Select[*tuple[object, ...]]:
    statement = (
        select(Community.id, *_PLACE_COLUMNS, *_DECISION_COLUMNS, *_EVIDENCE_COLUMNS)
        .select_from(Standing)
        .outerjoin(StandingEvidence, EVIDENCE_JOIN)
        .join(Community, Standing.community_id == Community.id)
        .outerjoin(PropertyCompany, Community.company_id == PropertyCompany.id)
        .where(Standing.evaluation_id == evaluation_id)
    )
    return scope.communities(statement)


def _placed(session: Session, result: Result[*tuple[object, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    frame = frame.astype({name: kind for name, kind in COLUMN_TYPES.items() if name in frame})
    return frame.assign(region_english=frame["region"].map(_english_regions(session)))


def _english_regions(session: Session) -> dict[str, str | None]:
    cities = [rules_of(content).city for content in session.scalars(select(RuleFile.content))]
    districts = session.execute(select(District.name, District.english_name))
    return {city.zh_hans: city.en for city in cities} | {row.name: row.english_name for row in districts}


_PLACE_COLUMNS = (
    Community.number.label("community_id"),
    Community.number,
    Community.name,
    Community.english_name,
    PropertyCompany.name.label("company"),
    PropertyCompany.english_name.label("company_english"),
)
_DECISION_COLUMNS = [column for column in Standing.__table__.columns if not column.primary_key]
_EVIDENCE_COLUMNS = [column for column in StandingEvidence.__table__.columns if not column.primary_key]
