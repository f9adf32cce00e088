"""Evaluation of a round: its responses counted, judged by its rules and stored for good."""

import json
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json, sha256_hex
from analytics.decision.evaluate import canonical_frame_json, evaluate, versions
from analytics.disclosure.rules import rules_in_force
from analytics.evidence.list_reliability import summarise_evidence
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.rules import Rules
from survey_app.audit import OPERATOR, record
from survey_app.complaints.categories import categories
from survey_app.errors import JiayuanError
from survey_app.evaluations.counts import COMPLAINED_COLUMNS, COMPOSITE_COLUMNS, MODE_COUNTS, community_table
from survey_app.evaluations.profiles import Profiles, count_profiles
from survey_app.models import (
    Community,
    CommunityProfile,
    Evaluation,
    RegionProfile,
    Response,
    Standing,
    StandingEvidence,
)
from survey_app.models.vocabulary import AuditAction
from survey_app.rounds.questionnaires import questionnaire_from_canonical
from survey_app.rounds.rounds import RoundStillOpen, find_round, has_settled
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit
from survey_app.storage.database import Base, Database
from survey_app.stored_rules import rules_of

_COUNTS = ("responses", "satisfied", "composite_responses", *COMPLAINED_COLUMNS)
_ANSWER_COLUMNS = (
    "responses",
    "satisfied",
    "mean_index",
    "sd_index",
    *COMPOSITE_COLUMNS,
    *COMPLAINED_COLUMNS,
    *MODE_COUNTS,
)


class RoundErased(JiayuanError):
    """The answers of the round were erased after their retention period: what was evaluated before stands."""

    status = 409

    def __init__(self, round_id: int) -> None:
        super().__init__(f"the answers of round {round_id} were erased when their time was over")
        self.round_id = round_id


def evaluate_round(
    database: Database, *, round_id: int, now: datetime, provisional: bool = False, by: str = OPERATOR
) -> Evaluation:
    """Evaluate a round at its cut-off and store the result, or return the stored one if it is the very same.

    An official evaluation counts up to the close of the round and is refused before; a provisional one counts up to
    now, and releases the answers of a community in steps. Everything is read in one snapshot and computed outside
    any write transaction.

    Raises `LookupError` if there is no such round.
    """
    with database.reading() as session:
        gathered = _gather(session, round_id=round_id, now=now, provisional=provisional)
    result = evaluate(gathered.table, gathered.rules)
    evidence = weigh_evidence(result)
    steps = {} if gathered.release_step is None else {"released_in_steps_of": gathered.release_step}
    evaluation = Evaluation(
        round_id=round_id,
        rule_file_id=gathered.rule_file_id,
        provisional=provisional,
        cut_off=gathered.cut_off,
        inputs=canonical_frame_json(result.communities),
        inputs_sha256=result.inputs_sha256,
        standings_sha256=result.standings_sha256,
        summary=canonical_json(
            {
                **result.summary,
                "evidence": {"regions": summarise_evidence(result, evidence)},
                "versions": versions(),
                **steps,
            }
        ),
        responses=int(gathered.table["responses"].sum()),
        code_version=version("jiayuan"),
        evaluated_at=now,
    )
    with database.writing() as session:
        stored = _store_once(session, evaluation, result.standings, evidence, gathered.profiles)
        if stored is evaluation:
            record(
                session,
                by=by,
                action=AuditAction.EVALUATED,
                subject=f"evaluation:{stored.id}",
                after={"round": round_id, "provisional": provisional, "standings": stored.standings_sha256},
                now=now,
            )
        return stored


def verify_evaluation(session: Session, evaluation_id: int) -> bool:
    """Recompute an evaluation: return whether the stored inputs and rule file still give the stored standings.

    Raises `LookupError` if there is no such evaluation.
    """
    evaluation = session.get(Evaluation, evaluation_id)
    if evaluation is None:
        raise LookupError(f"there is no evaluation {evaluation_id}")
    rules = rules_of(evaluation.rule_file.content)
    result = evaluate(_read_table(evaluation.inputs), rules)
    stored = (rules.sha256, sha256_hex(evaluation.inputs), evaluation.inputs_sha256, evaluation.standings_sha256)
    return stored == (evaluation.rule_file.sha256, *[result.inputs_sha256] * 2, result.standings_sha256)


@dataclass(frozen=True)
class _Gathered:
    table: pd.DataFrame
    rules: Rules
    rule_file_id: int
    cut_off: datetime
    # By how many new answers a community's figures move while its round is open; None once it has closed.
    release_step: int | None
    profiles: Profiles | None


def _gather(session: Session, *, round_id: int, now: datetime, provisional: bool) -> _Gathered:
    survey_round = find_round(session, round_id)
    if not provisional and not has_settled(survey_round, now=now):
        raise RoundStillOpen(round_id, survey_round.closes_at)
    if session.scalar(
        select(Response.id).where(Response.round_id == round_id, Response.erased_at.is_not(None)).limit(1)
    ):
        raise RoundErased(round_id)
    cut_off = min(now, survey_round.closes_at)
    rules = rules_of(survey_round.rule_file.content)
    counting: dict[str, Any] = {
        "survey_round": survey_round,
        "rules": rules,
        "questionnaire": questionnaire_from_canonical(survey_round.questionnaire.text),
        "categories": categories(),
        "cut_off": cut_off,
    }
    table = community_table(session, **counting)
    step = rules_in_force(now.astimezone(ZoneInfo(rules.time_zone)).date()).release_step if provisional else None
    if step is not None:
        table = _released_in_steps(table, _last_provisional_inputs(session, round_id), step=step)
    profiles = None if provisional else count_profiles(session, **counting, table=table)
    return _Gathered(table, rules, survey_round.rule_file_id, cut_off, step, profiles)


def _store_once(
    session: Session,
    evaluation: Evaluation,
    standings: pd.DataFrame,
    evidence: pd.DataFrame,
    profiles: Profiles | None,
) -> Evaluation:
    # Two clerks may evaluate at once: the second waits here and then finds the first one's row.
    lock_until_commit(session, AdvisoryLock.EVALUATION, of=evaluation.round_id)
    stored = session.scalar(
        select(Evaluation).filter_by(
            round_id=evaluation.round_id,
            rule_file_id=evaluation.rule_file_id,
            inputs_sha256=evaluation.inputs_sha256,
            cut_off=evaluation.cut_off,
            code_version=evaluation.code_version,
            provisional=evaluation.provisional,
        )
    )
    if stored is not None:
        return stored
    session.add(evaluation)
    session.flush()
    ids = {row.number: row.id for row in session.execute(select(Community.number, Community.id))}
    for table, frame in ((Standing, standings), (StandingEvidence, evidence)):
        placed = frame.assign(evaluation_id=evaluation.id, community_id=frame["community_id"].map(ids))
        _insert_rows(session, table, placed)
    if profiles is not None:
        _insert_rows(session, CommunityProfile, profiles.communities.assign(evaluation_id=evaluation.id))
        _insert_rows(session, RegionProfile, profiles.regions.assign(evaluation_id=evaluation.id))
    return evaluation


def _insert_rows(session: Session, table: type[Base], frame: pd.DataFrame) -> None:
    columns = [column.name for column in table.__table__.columns]
    values = frame[columns].astype(object).where(frame[columns].notna(), None)
    session.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in values.to_numpy().tolist()])


def _released_in_steps(table: pd.DataFrame, released: pd.DataFrame | None, *, step: int) -> pd.DataFrame:
    """Return the table with each community's answers as released before, until enough new ones have come."""
    columns = [name for name in _ANSWER_COLUMNS if name in table]
    before = (table[:0] if released is None else released).set_index("community_id").reindex(columns=columns)
    before = before.reindex(table["community_id"]).set_axis(table.index)
    kept = before.assign(**{name: before[name].fillna(0).astype("int64") for name in _COUNTS if name in before})
    measured = [name for name in ("responses", "composite_responses") if name in table]
    held = (table[measured] - kept[measured] < step).any(axis=1)
    return table.assign(**{name: table[name].mask(held, kept[name]) for name in columns})


def _last_provisional_inputs(session: Session, round_id: int) -> pd.DataFrame | None:
    inputs = session.scalar(
        select(Evaluation.inputs).filter_by(round_id=round_id, provisional=True).order_by(Evaluation.id.desc()).limit(1)
    )
    return None if inputs is None else _read_table(inputs)


def _read_table(inputs: str) -> pd.DataFrame:
    return pd.DataFrame(json.loads(inputs))
