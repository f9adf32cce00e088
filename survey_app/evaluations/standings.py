"""Stored standings with the names of their communities, districts and companies, always within a scope."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Row, Select, and_, func, nulls_last, select
from sqlalchemy.orm import Session

from analytics.decision.evaluate import STANDING_COLUMNS
from analytics.disclosure.rules import DisclosureRules, rules_in_force
from analytics.disclosure.small_communities import withhold_small_communities
from analytics.evidence.weigh_evidence import EVIDENCE_COLUMNS
from analytics.rules import Rules
from analytics.statistics.validation import FloatArray
from dashboards.source import CATEGORICAL_COLUMNS, DRAWN_COLUMNS, KeyCounts
from survey_app.accounts.scope import Scope
from survey_app.city_time import last_day, zone_of
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
from survey_app.register.contracts import company_id_on
from survey_app.register.names import english_regions
from survey_app.storage.frames import read_frame
from survey_app.stored_rules import rules_of

COLUMN_TYPES = {**STANDING_COLUMNS, **EVIDENCE_COLUMNS}

_IS_RANKED_BY_COUNTS = and_(Standing.satisfaction_rank.is_not(None), Standing.satisfied.is_not(None))

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
    return _read_placed(session, evaluation_id, statement, COLUMN_TYPES).drop(columns="id")


def read_drawn_standings(session: Session, *, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    """Return the same with the columns alone that pages draw of everybody, repeated values as categories.

    Those are a fraction of the size, and quick to choose rows by. Raises `LookupError` as above.
    """
    require_evaluation(session, evaluation_id)
    statement = scope.communities(_of_evaluation(select(*_DRAWN), evaluation_id)).order_by(
        Community.sort_key, Community.number
    )
    return _read_placed(session, evaluation_id, statement, _DRAWN_TYPES).astype({"region_english": "category"})


def read_standings_of(session: Session, evaluation_id: int, communities: Sequence[int], scope: Scope) -> pd.DataFrame:
    """Return the standings of some communities in the order of their ids; those out of scope are left out."""
    statement = _select_standings(evaluation_id, scope).where(Community.id.in_(communities))
    found = _read_placed(session, evaluation_id, statement, COLUMN_TYPES).set_index("id")
    return found.reindex([key for key in communities if key in found.index]).reset_index(drop=True)


def read_standings_with(session: Session, *, evaluation_id: int, numbers: Sequence[str], scope: Scope) -> pd.DataFrame:
    """Return the standings of some communities in the order of their numbers; those out of scope are left out.

    Raises `LookupError` as above.
    """
    require_evaluation(session, evaluation_id)
    statement = scope.communities(select(Community.number, Community.id).where(Community.number.in_(numbers)))
    ids = {row.number: row.id for row in session.execute(statement)}
    return read_standings_of(session, evaluation_id, [ids[number] for number in numbers if number in ids], scope)


def read_places(session: Session, *, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    """Return the regions and subdistricts in scope; see `dashboards.source`. Raises `LookupError` as above."""
    require_evaluation(session, evaluation_id)
    # Grouped before they are named: texts of a hundred thousand rows take long to compare.
    grouped = scope.communities(
        select(
            Standing.region,
            Community.subdistrict_id,
            func.min(Community.sort_key).label("sort_key"),
            func.min(Community.number).label("number"),
        )
        .join(Community, Standing.community_id == Community.id)
        .where(Standing.evaluation_id == evaluation_id)
        .group_by(Standing.region, Community.subdistrict_id)
    ).subquery()
    names = (Subdistrict.name.label("subdistrict"), Subdistrict.english_name.label("subdistrict_english"))
    statement = (
        select(grouped.c.region, *names)
        .outerjoin(Subdistrict, Subdistrict.id == grouped.c.subdistrict_id)
        .order_by(grouped.c.sort_key, grouped.c.number)
    )
    frame = read_frame(session, statement)
    return frame.assign(region_english=frame["region"].map(english_regions(session)))


def count_standings(session: Session, *, evaluation_id: int, region: str | None, scope: Scope) -> KeyCounts:
    """Return the key counts of the standings in scope, of one region or of all; `LookupError` as above."""
    require_evaluation(session, evaluation_id)
    statement = (
        select(
            func.count(),
            func.count(Standing.satisfaction_rank),
            func.count(Standing.complaint_rank),
            func.count().filter(Standing.criterion_status == "met"),
            func.sum(Standing.responses),
            func.sum(Standing.responses).filter(_IS_RANKED_BY_COUNTS),
            func.sum(Standing.satisfied).filter(_IS_RANKED_BY_COUNTS),
            func.sum(Standing.responses).filter(_IS_RANKED_BY_COUNTS, Standing.households.is_not(None)),
            func.sum(Standing.households).filter(_IS_RANKED_BY_COUNTS),
        )
        .select_from(Standing)
        .where(Standing.evaluation_id == evaluation_id)
    )
    if region is not None:
        statement = statement.where(Standing.region == region)
    if not scope.is_city:
        statement = scope.communities(statement.join(Community, Standing.community_id == Community.id))
    communities, satisfaction, complaints, met, *sums = session.execute(statement).one()
    return KeyCounts(communities, {"satisfaction": satisfaction, "complaints": complaints}, met, *sums)


def read_ranked_counts(session: Session, *, evaluation_id: int, region: str, scope: Scope) -> pd.DataFrame:
    """Return the counts of the ranked communities of a region; see `dashboards.source`. `LookupError` as above."""
    require_evaluation(session, evaluation_id)
    # Where a community is ranked, its counts are public.
    statement = (
        select(
            Community.number,
            Standing.responses,
            Standing.satisfied,
            Standing.satisfaction_score,
            Standing.satisfaction_rank,
            Standing.satisfaction_last_rank,
        )
        .join(Community, Standing.community_id == Community.id)
        .where(Standing.evaluation_id == evaluation_id, Standing.region == region)
        .where(_IS_RANKED_BY_COUNTS)
    )
    return read_frame(session, scope.communities(statement), COLUMN_TYPES)


def read_company_counts(session: Session, *, evaluation_id: int, region: str | None, scope: Scope) -> pd.DataFrame:
    """Return the pooled counts of companies' ranked communities; see `dashboards.source`. `LookupError` as above."""
    require_evaluation(session, evaluation_id)
    day = last_day_of_round(session, evaluation_id)
    statement = (
        select(
            PropertyCompany.name.label("company"),
            PropertyCompany.english_name.label("company_english"),
            func.count().label("communities"),
            func.sum(Standing.responses).label("responses"),
            func.sum(Standing.satisfied).label("satisfied"),
        )
        .select_from(Standing)
        .join(Community, Standing.community_id == Community.id)
        .outerjoin(PropertyCompany, PropertyCompany.id == company_id_on(day))
        .where(Standing.evaluation_id == evaluation_id, _IS_RANKED_BY_COUNTS)
        .group_by(PropertyCompany.id)
        .order_by(nulls_last(PropertyCompany.sort_key), PropertyCompany.id)
    )
    if region is not None:
        statement = statement.where(Standing.region == region)
    return read_frame(session, scope.communities(statement), COLUMN_TYPES)


def last_day_of_round(session: Session, evaluation_id: int) -> date:
    """Return the last local day of the round that an evaluation counts: who was in charge then has the result."""
    counted = session.scalars(select(Round).join(Evaluation).where(Evaluation.id == evaluation_id)).one()
    return last_day(counted.closes_at, zone_of(counted.rule_file.content))


def read_ranked_scores(session: Session, *, evaluation_id: int, region: str, scope: Scope) -> FloatArray:
    """Return the scores of the ranked communities of a region; see `dashboards.source`. `LookupError` as above."""
    require_evaluation(session, evaluation_id)
    statement = select(Standing.satisfaction_score).where(
        Standing.evaluation_id == evaluation_id, Standing.region == region, Standing.satisfaction_rank.is_not(None)
    )
    if not scope.is_city:
        statement = scope.communities(statement.join(Community, Standing.community_id == Community.id))
    scores: FloatArray = read_frame(session, statement, COLUMN_TYPES)["satisfaction_score"].to_numpy()
    return scores


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


def rules_in(session: Session, evaluation_id: int) -> Rules:
    """Return the rules by which an evaluation was made; there must be one."""
    return rules_of(_made_by(session, evaluation_id).content)


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


def _of_evaluation(statement: Select[*tuple[object, ...]], evaluation_id: int) -> Select[*tuple[object, ...]]:
    """Return a select over the standings of an evaluation, their evidence and their communities."""
    return (
        statement.select_from(Standing)
        .outerjoin(StandingEvidence, EVIDENCE_JOIN)
        .join(Community, Standing.community_id == Community.id)
        .where(Standing.evaluation_id == evaluation_id)
    )


def _select_standings(evaluation_id: int, scope: Scope) -> Select[*tuple[object, ...]]:
    statement = (
        _of_evaluation(select(Community.id, *_PLACE_COLUMNS, *_DECISION_COLUMNS, *_EVIDENCE_COLUMNS), evaluation_id)
        .outerjoin(Community.subdistrict)
        .outerjoin(Community.neighbourhood)
        .outerjoin(Community.company)
    )
    return scope.communities(statement)


def _read_placed(
    session: Session, evaluation_id: int, statement: Select[*tuple[object, ...]], types: Mapping[str, str]
) -> pd.DataFrame:
    frame = read_frame(session, statement, types)
    evaluated_at, content = _made_by(session, evaluation_id)
    frame = withhold_unranked(frame, evaluated_at=evaluated_at, rules=rules_of(content))
    return frame.assign(region_english=frame["region"].map(english_regions(session)))


def withhold_unranked(frame: pd.DataFrame, *, evaluated_at: datetime, rules: Rules) -> pd.DataFrame:
    """Return stored standings without what few answered who were not ranked.

    Where a community is ranked its numbers are public. Where it is not, they are withheld like any other breakdown:
    below `minimum_base` answers, and where few are satisfied or few are not. Another measure than the rate bounds how
    many gave each rating, and is not told without a rank.
    """
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
# What `dashboards.source.EvaluationSource.standings` returns, but for the English names of regions.
_DRAWN = (
    Community.number.label("community_id"),
    Community.number,
    Community.name,
    Community.english_name,
    Standing.region,
    *(getattr(Standing, name, None) or getattr(StandingEvidence, name) for name in DRAWN_COLUMNS),
)
_DRAWN_TYPES = COLUMN_TYPES | dict.fromkeys(CATEGORICAL_COLUMNS, "category")
_DECISION_COLUMNS = [column for column in Standing.__table__.columns if not column.primary_key]
_EVIDENCE_COLUMNS = [column for column in StandingEvidence.__table__.columns if not column.primary_key]
