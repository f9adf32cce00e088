"""A city of any size as the database of a site holds it: two evaluated rounds with evidence, an examination, answers.

Everything is worked out once and written with bulk inserts: a hundred thousand communities take a minute or two.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json
from analytics.decision.evaluate import Evaluation as Result
from analytics.decision.evaluate import canonical_frame_json, evaluate
from analytics.evidence.list_reliability import summarise_evidence
from analytics.evidence.weigh_evidence import weigh_evidence
from analytics.statistics.integrity_signals import FAMILIES
from survey_app.models import (
    Community,
    CommunityProfile,
    District,
    Evaluation,
    IntegrityExamination,
    RegionProfile,
    Response,
    Round,
    Standing,
    StandingEvidence,
    Subdistrict,
)
from survey_app.register.boundaries import boundary_text
from survey_app.rounds.questionnaires import questionnaire_from_canonical
from survey_app.storage.database import Base, Database
from tests.benchmarks.stored_answers import count_collected
from tests.dashboards.made_up import BOUNDARIES, DISTRICTS, RULES, counts, places
from tests.factories import make_evaluation, make_round

MOST_ANSWERS: Final = 300_000
"""Of the open round, and at most fifty for each community."""

_SEED: Final = 21
_CODES: Final = (5, 4, 3, 2, 1, 9)
_DOMAINS: Final = ("q02", "q06", "q07", "q09", "q11", "q12")


def store_city(database: Database, size: int) -> pd.DataFrame:
    """Fill an empty, migrated database with `size` communities, and return their register.

    A profile is kept of the first alone: the others' would only make the database larger.
    """
    register = places(max(1, -(-size // 440))).sample(frac=1, random_state=_SEED).head(size).sort_index()
    register = register.reset_index(drop=True)
    now = datetime.now(UTC).replace(microsecond=0)
    result = evaluate(counts(register, _SEED), RULES)
    evidence = weigh_evidence(result)
    with database.writing() as session:
        ids = _store_register(session, register)
        for age in (300, 100):
            survey_round = make_round(
                session, opens_at=now - timedelta(days=age), closes_at=now - timedelta(days=age - 20)
            )
            _store_evaluation(session, survey_round, result, evidence, ids)
        _store_examination(session, survey_round, result, ids)
        opened = make_round(session, opens_at=now - timedelta(days=20), closes_at=now + timedelta(days=9))
        _store_answers(session.connection(), opened, len(register))
    count_collected(database, opened.id)
    return register


def _store_register(session: Session, register: pd.DataFrame) -> Mapping[str, int]:
    outlines = {
        feature["properties"]["name"]: boundary_text([feature["geometry"]["coordinates"]])
        for feature in json.loads(BOUNDARIES.read_text("utf-8"))["features"]
    }
    districts = [
        {
            "id": key,
            "name": name,
            "english_name": english,
            "sort_key": english,
            "boundary": outlines.get(name),
            "telephone": None,
            "second_language_line": None,
        }
        for key, (name, english, _) in enumerate(DISTRICTS, start=1)
    ]
    session.execute(insert(District), districts)
    named = {district["name"]: district["id"] for district in districts}
    ids = np.arange(1, len(register) + 1)
    district_id = register["region"].map(named)
    placed = register.assign(
        id=ids,
        district_id=district_id,
        subdistrict_id=_store_subdistricts(session, register.assign(district_id=district_id)),
        neighbourhood_id=None,
        company_id=None,
        households_delivered=600,
        households_occupied=500,
        households_owners=400,
        second_language_line=None,
        sort_key=register["english_name"],
    )
    _insert(session.connection(), Community, placed)
    return dict(zip(register["number"], ids.tolist(), strict=True))


def _store_subdistricts(session: Session, register: pd.DataFrame) -> pd.Series:
    """Store the subdistricts of a register, and return the id of each community's, missing where it has none."""
    keys = ["district_id", "subdistrict"]
    found = register.dropna(subset="subdistrict").drop_duplicates(keys).reset_index(drop=True)
    stored = pd.DataFrame(
        {
            "id": found.index + 1,
            "district_id": found["district_id"],
            "name": found["subdistrict"],
            "english_name": found["subdistrict_english"],
            "sort_key": found["subdistrict_english"],
        }
    )
    _insert(session.connection(), Subdistrict, stored)
    ids = stored.set_index(["district_id", "name"])["id"]
    return pd.Series(ids.reindex(pd.MultiIndex.from_frame(register[keys])).to_numpy(), index=register.index)


def _store_evaluation(
    session: Session, survey_round: Round, result: Result, evidence: pd.DataFrame, ids: Mapping[str, int]
) -> None:
    summary = {**result.summary, "evidence": {"regions": summarise_evidence(result, evidence)}}
    evaluation = make_evaluation(
        session,
        survey_round,
        inputs=canonical_frame_json(result.communities),
        inputs_sha256=result.inputs_sha256,
        standings_sha256=result.standings_sha256,
        summary=canonical_json(summary),
        responses=int(result.standings["responses"].sum()),
        code_version="benchmark",
        evaluated_at=survey_round.closes_at + timedelta(hours=1),
    )
    for table, frame in ((Standing, result.standings), (StandingEvidence, evidence)):
        _insert(
            session.connection(),
            table,
            frame.assign(evaluation_id=evaluation.id, community_id=frame["community_id"].map(ids)),
        )
    _store_profiles(session, evaluation, result.standings["region"].unique().tolist(), min(ids.values()))


def _store_profiles(session: Session, evaluation: Evaluation, regions: list[str], community: int) -> None:
    questionnaire = questionnaire_from_canonical(evaluation.round.questionnaire.text)
    answers = {
        question.key: {str(option.code): 20 - 2 * place for place, option in enumerate(question.options)}
        for question in questionnaire.questions
        if question.options
    }
    cases = [["2026-03", "EQ01", True, 3], ["2026-04", "PK01", False, 2]]
    kept = {"answers": canonical_json(answers), "complaints": canonical_json(cases), "evaluation_id": evaluation.id}
    drivers = [
        {
            "domain": question,
            "n": 900,
            "weight": 0.1,
            "share": 1 / len(_DOMAINS),
            "lower": 0.1,
            "upper": 0.3,
            "above_noise": True,
        }
        for question in _DOMAINS
    ]
    session.execute(insert(CommunityProfile), [{**kept, "community_id": community, "other_population": "{}"}])
    regional = {**kept, "drivers": canonical_json({"domains": drivers, "respondents": 900})}
    session.execute(insert(RegionProfile), [{**regional, "region": region} for region in regions])


def _store_examination(session: Session, survey_round: Round, result: Result, ids: Mapping[str, int]) -> None:
    """Store an examination that holds twelve satisfied answers in every fortieth community."""
    standings = result.standings
    chosen = np.arange(len(standings)) % 40 == 0
    community = standings["community_id"].map(ids)
    answers, satisfied = (standings[name].fillna(0).astype("int64") for name in ("responses", "satisfied"))
    held = np.where(chosen, np.minimum(12, satisfied), 0)
    families = [
        pd.DataFrame(
            {
                "community_id": community,
                "family": str(family),
                "examined": answers,
                "statistic": np.where(chosen, 12.0, 1.0),
                "expected": 1.5,
                "adjusted_p": np.where(chosen, 0.001, 1.0),
                "flagged": chosen & (family in ("burst", "haste")),
            }
        )
        for family in FAMILIES
    ]
    counted = pd.DataFrame(
        {
            "community_id": community,
            "held": held,
            "n": answers,
            "satisfied": satisfied,
            "n_without": answers - held,
            "satisfied_without": satisfied - held,
        }
    )
    session.add(
        IntegrityExamination(
            round_id=survey_round.id,
            examined_at=survey_round.closes_at,
            responses=int(answers.sum()),
            families=canonical_json(_records(pd.concat(families))),
            counts=canonical_json(_records(counted)),
        )
    )


def _store_answers(connection: Connection, survey_round: Round, communities: int) -> None:
    """Store what residents answered in the open round so far."""
    number = min(MOST_ANSWERS, 50 * communities)
    random = np.random.default_rng(_SEED)
    seconds = np.sort(random.integers(0, 20 * 86_400, number)).tolist()
    texts = [canonical_json({"q01": code, "q16": 1}) for code in _CODES]
    given = random.choice(len(texts), number, p=(0.4, 0.3, 0.15, 0.06, 0.04, 0.05)).tolist()
    where = random.integers(1, communities + 1, number).tolist()
    rows = (
        {
            "submission_key": f"key{place}",
            "receipt": f"{place:012}",
            "round_id": survey_round.id,
            "community_id": where[place],
            "questionnaire_id": survey_round.questionnaire_id,
            "language": "zh-Hans",
            "mode": "web",
            "tenure": 1,
            "started_at": survey_round.opens_at,
            "submitted_at": survey_round.opens_at + timedelta(seconds=seconds[place]),
            "answers": texts[given[place]],
            "nonce": b"sixteen bytes at",
            "commitment": f"{place:064}",
        }
        for place in range(number)
    )
    connection.execute(insert(Response.__table__), list(rows))


def _insert(connection: Connection, table: type[Base], frame: pd.DataFrame) -> None:
    columns = [column.name for column in table.__table__.columns]
    connection.execute(insert(table.__table__), _records(frame[columns]))


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object)
    return plain.where(frame.notna(), None).to_dict("records")
