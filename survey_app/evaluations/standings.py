"""Stored standings with the names of their communities, districts and companies, always within a scope."""

import json
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Result, Row, Select, and_, select
from sqlalchemy.orm import Session

from analytics.decision.evaluate import STANDING_COLUMNS
from analytics.disclosure.rules import DisclosureRules, rules_in_force
from analytics.disclosure.small_communities import withhold_small_communities
from analytics.evidence.weigh_evidence import EVIDENCE_COLUMNS
from analytics.rules import Rules
from survey_app.accounts.scope import Scope
from survey_app.models import (
    Community,
    Evaluation,
    Neighbourhood,
    PropertyCompany,
    Round,
    RuleFile,
    Standing,
    StandingEvidence,
    Subdistrict,
)
from survey_app.register.names import english_regions
from survey_app.stored_rules import rules_of

COLUMN_TYPES = {**STANDING_COLUMNS, **EVIDENCE_COLUMNS}

_ANSWERED = (
    "satisfied",
    "satisfaction_rate",
    "satisfaction_index",
    "satisfaction_score",
    "satisfaction_lower",
    "satisfaction_upper",
    "satisfaction_shrunk",
)


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
    return _placed(session, evaluation_id, session.execute(statement)).drop(columns="id")


def read_standings_of(session: Session, evaluation_id: int, communities: Sequence[int], scope: Scope) -> pd.DataFrame:
    """Return the standings of some communities in the order of their ids; those out of scope are left out."""
    statement = _select_standings(evaluation_id, scope).where(Community.id.in_(communities))
    found = _placed(session, evaluation_id, session.execute(statement)).set_index("id")
    return found.reindex([key for key in communities if key in found.index]).reset_index(drop=True)


def counts_a_closed_round() -> ColumnElement[bool]:
    """Return the condition, on evaluations joined to their rounds, that an evaluation may be shown.

    Earlier versions made previews of open rounds. They are kept and never shown: two of them, or one beside the final
    result, differ by the answers of a few.
    """
    return Evaluation.cut_off >= Round.closes_at


def require_evaluation(session: Session, evaluation_id: int, *, official: bool = False) -> None:
    """Raise `LookupError` if there is no such evaluation that may be shown, or it is only a preview."""
    statement = (
        select(Evaluation.provisional).join(Round).where(Evaluation.id == evaluation_id, counts_a_closed_round())
    )
    is_provisional = session.scalar(statement)
    if is_provisional is None or (official and is_provisional):
        raise LookupError(f"there is no evaluation {evaluation_id}")


def read_evaluated_table(session: Session, evaluation_id: int) -> pd.DataFrame:
    """Return the community table that was evaluated, as it may be handed out; `LookupError` as above."""
    require_evaluation(session, evaluation_id)
    table = pd.DataFrame(json.loads(session.scalars(select(Evaluation.inputs).filter_by(id=evaluation_id)).one()))
    return withhold_in_evaluation(session, evaluation_id, table)


def withhold_in_evaluation(session: Session, evaluation_id: int, table: pd.DataFrame) -> pd.DataFrame:
    """Return a community table without what few people answered, by the disclosure rules of its evaluation.

    Evaluations are stored so; those of earlier versions are not.
    """
    evaluated_at, content = _made_by(session, evaluation_id)
    rules = rules_of(content)
    return withhold_small_communities(table, rules, disclosure=disclosure_of(evaluated_at, rules))


def disclosure_in(session: Session, evaluation_id: int) -> DisclosureRules:
    """Return the disclosure rules by which an evaluation is shown; there must be one."""
    evaluated_at, content = _made_by(session, evaluation_id)
    return disclosure_of(evaluated_at, rules_of(content))


def disclosure_of(evaluated_at: datetime, rules: Rules) -> DisclosureRules:
    """Return the disclosure rules of the local day on which an evaluation was made."""
    return rules_in_force(evaluated_at.astimezone(ZoneInfo(rules.time_zone)).date())


def _made_by(session: Session, evaluation_id: int) -> Row[datetime, bytes]:
    """Return when an evaluation was made, and the text of its rules."""
    statement = select(Evaluation.evaluated_at, RuleFile.content).join(RuleFile)
    return session.execute(statement.where(Evaluation.id == evaluation_id)).one()


def _select_standings(evaluation_id: int, scope: Scope) -> Select[*tuple[object, ...]]:
    statement = (
        select(Community.id, *_PLACE_COLUMNS, *_DECISION_COLUMNS, *_EVIDENCE_COLUMNS)
        .select_from(Standing)
        .outerjoin(StandingEvidence, EVIDENCE_JOIN)
        .join(Community, Standing.community_id == Community.id)
        .outerjoin(Community.subdistrict)
        .outerjoin(Community.neighbourhood)
        .outerjoin(Community.company)
        .where(Standing.evaluation_id == evaluation_id)
    )
    return scope.communities(statement)


def _placed(session: Session, evaluation_id: int, result: Result[*tuple[object, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    evaluated_at, content = _made_by(session, evaluation_id)
    frame = typed_standings(frame, evaluated_at=evaluated_at, rules=rules_of(content))
    return frame.assign(region_english=frame["region"].map(english_regions(session)))


def typed_standings(frame: pd.DataFrame, *, evaluated_at: datetime, rules: Rules) -> pd.DataFrame:
    """Return stored standings with the types of their columns, and without what few answered who were not ranked.

    Where a community is ranked its numbers are public. Where it is not, they are withheld like any other breakdown:
    below `minimum_base` answers, and where few are satisfied or few are not. Another measure than the rate bounds how
    many gave each rating, and is not told without a rank.
    """
    frame = frame.astype({name: kind for name, kind in COLUMN_TYPES.items() if name in frame})
    disclosure = disclosure_of(evaluated_at, rules)
    responses, satisfied = (frame[name].to_numpy("float64", na_value=np.nan) for name in ("responses", "satisfied"))
    parts = np.array([satisfied, responses - satisfied])
    is_few = ((parts > 0) & (parts < disclosure.minimum_cell)).any(axis=0) | (responses < disclosure.minimum_base)
    if rules.satisfaction.measure != "satisfaction_rate":
        is_few[:] = True
    withheld = is_few & frame["satisfaction_rank"].isna().to_numpy()
    return frame.assign(**{name: frame[name].mask(withheld) for name in _ANSWERED if name in frame})


_PLACE_COLUMNS = (
    Community.number.label("community_id"),
    Community.number,
    Community.name,
    Community.english_name,
    Subdistrict.name.label("subdistrict"),
    Subdistrict.english_name.label("subdistrict_english"),
    Neighbourhood.name.label("neighbourhood"),
    Neighbourhood.english_name.label("neighbourhood_english"),
    PropertyCompany.name.label("company"),
    PropertyCompany.english_name.label("company_english"),
)
_DECISION_COLUMNS = [column for column in Standing.__table__.columns if not column.primary_key]
_EVIDENCE_COLUMNS = [column for column in StandingEvidence.__table__.columns if not column.primary_key]
