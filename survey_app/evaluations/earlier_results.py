"""Earlier results of a round: what they state, and where answers were taken away after the first of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from survey_app.evaluations.standings import counts_a_closed_round
from survey_app.models import Evaluation, RegionProfile, Response, ResponseReview, Round
from survey_app.models.vocabulary import ReviewState
from survey_app.responses.responses_in_order import responses_in_order


@dataclass(frozen=True)
class EarlierResult:
    """The newest result of a round that may be shown, and what all of them showed.

    `changed` are the communities of which answers were erased or excluded after the first result; `regions` the answers
    and drivers of each region by its name as the newest official result has them, none where there are previews only;
    `compared` what the newest result says of each region by comparing early with late answers ("waves"), those on slips
    with those of posters ("channels"), and clerks ("clerks"), nothing where it did not.
    """

    evaluation_id: int
    table: pd.DataFrame
    changed: frozenset[int]
    regions: Mapping[str, tuple[str, str]]
    compared: Mapping[str, Mapping[str, dict[str, Any] | None]]


def read_earlier_result(session: Session, survey_round: Round) -> EarlierResult | None:
    """Return what earlier results of a round showed by its rules, None before the first."""
    evaluations = session.scalars(_shown_results(survey_round)).all()
    if not evaluations:
        return None
    official = [evaluation.id for evaluation in evaluations if not evaluation.provisional]
    of_regions = select(RegionProfile.region, RegionProfile.answers, RegionProfile.drivers)
    regions = session.execute(of_regions.filter_by(evaluation_id=official[-1])).all() if official else []
    first = evaluations[0].evaluated_at
    return EarlierResult(
        evaluation_id=evaluations[-1].id,
        table=pd.DataFrame(json.loads(evaluations[-1].inputs)),
        changed=communities_with_erased(session, survey_round.id, since=first)
        | communities_with_excluded(session, survey_round.id, since=first),
        regions={row.region: (row.answers, row.drivers) for row in regions},
        compared={name: _stated_comparisons(evaluations[-1], name) for name in ("waves", "channels", "clerks")},
    )


def _stated_comparisons(evaluation: Evaluation, name: str) -> dict[str, dict[str, Any] | None]:
    supported = json.loads(evaluation.summary).get("evidence", {}).get("regions", {})
    return {region: facts["satisfaction"].get(name) for region, facts in supported.items()}


def newest_result(session: Session, survey_round: Round) -> int | None:
    """Return the id of the newest result that `read_earlier_result` finds, None before the first."""
    return session.scalar(_shown_results(survey_round).with_only_columns(func.max(Evaluation.id)).order_by(None))


def _shown_results(survey_round: Round) -> Select[Evaluation]:
    return (
        select(Evaluation)
        .join(Round)
        .where(
            Evaluation.round_id == survey_round.id,
            Evaluation.rule_file_id == survey_round.rule_file_id,
            counts_a_closed_round(),
        )
        .order_by(Evaluation.id)
    )


def first_evaluated_at(session: Session, round_id: int) -> datetime:
    """Return when the first result of a round that may be shown was made; there must be one."""
    statement = select(Evaluation.evaluated_at).join(Round).where(Evaluation.round_id == round_id)
    return session.scalars(statement.where(counts_a_closed_round()).order_by(Evaluation.id).limit(1)).one()


def communities_with_erased(session: Session, round_id: int, *, since: datetime) -> frozenset[int]:
    """Return the communities of which a resident had answers erased since a moment."""
    in_order = responses_in_order(session, round_id)
    statement = select(Response.community_id).where(in_order, Response.erased_at >= since)
    return frozenset(session.scalars(statement.distinct()))


def communities_with_excluded(
    session: Session, round_id: int, *, since: datetime, before: datetime | None = None
) -> frozenset[int]:
    """Return the communities of which answers were excluded since a moment, and before another if that is given."""
    statement = (
        select(Response.community_id)
        .join(ResponseReview, ResponseReview.response_id == Response.id)
        .where(Response.round_id == round_id, ResponseReview.state == ReviewState.EXCLUDED, ResponseReview.at >= since)
    )
    if before is not None:
        statement = statement.where(ResponseReview.at < before)
    return frozenset(session.scalars(statement.distinct()))
