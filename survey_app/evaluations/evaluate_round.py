"""Evaluation of a round: its responses counted, judged by its rules and stored for good."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from typing import Any

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json, sha256_hex
from analytics.counting.arrow_memory import return_memory, share_memory
from analytics.decision.community_table import check_communities
from analytics.decision.evaluate import Evaluation as Result
from analytics.decision.evaluate import canonical_frame_json, evaluate, evaluate_checked, versions
from analytics.disclosure.pooled_deviations import withhold_pooled_deviations
from analytics.disclosure.small_communities import withhold_small_communities
from analytics.disclosure.successive_results import keep_stated_counts
from analytics.evidence.list_reliability import summarise_evidence
from analytics.evidence.method import EVIDENCE_METHOD, differing_evidence
from analytics.evidence.nonresponse import (
    compare_channels_by_region,
    compare_waves_by_region,
    with_suggested_spreads,
)
from analytics.evidence.typed_answers import compare_clerks_by_region
from analytics.evidence.weigh_evidence import EVIDENCE_COLUMNS, weigh_evidence
from analytics.rules import Rules
from survey_app.audit import OPERATOR
from survey_app.complaints.categories import recorded_categories
from survey_app.evaluations.counts import communities_with_hidden_ratings, community_table
from survey_app.evaluations.earlier_results import EarlierResult, read_earlier_result
from survey_app.evaluations.profiles import Profiles, count_profiles, regions_of
from survey_app.evaluations.round_counts import RoundCounts, count_round
from survey_app.evaluations.standings import disclosure_of
from survey_app.evaluations.stored_results import Part, store_result
from survey_app.models import (
    Community,
    CommunityProfile,
    Evaluation,
    RegionProfile,
    Response,
    Round,
    Standing,
    StandingEvidence,
)
from survey_app.register.households import read_places
from survey_app.responses.integrity_reviews import examine_to_the_end
from survey_app.rounds.questionnaires import questionnaire_from_canonical
from survey_app.rounds.rounds import RoundStillOpen, find_round, has_settled, require_answers
from survey_app.storage.database import Database
from survey_app.stored_rules import rules_of


class Stage(StrEnum):
    """What is done for an evaluation, in order."""

    EXAMINING = "examining"  # for signs of stuffing
    COUNTING = "counting"
    JUDGING = "judging"  # by the rules, and weighing the evidence
    STORING = "storing"


Report = Callable[[Stage, float], None]
"""Told what is being done, and which share of it was done."""


def report_to_nobody(_stage: Stage, _share: float) -> None:
    """Take no notice of progress."""


def evaluate_round(
    database: Database,
    *,
    round_id: int,
    now: datetime,
    provisional: bool = False,
    by: str = OPERATOR,
    report: Report = report_to_nobody,
) -> Evaluation:
    """Evaluate a round at its cut-off and store the result, or return the stored one if it is the very same.

    It counts up to the close of the round and is refused before: whoever sees a score before and after a neighbour
    answers knows that answer, and with nine accomplices also where scores move in steps of ten. A provisional
    evaluation is a preview that has no breakdowns and cannot be published. What no examination for signs of stuffing
    has seen is examined before an official one. Everything is read in one snapshot and computed outside any write
    transaction. Answers that were erased at the wish of a resident after the close are not counted again: an evaluation
    that had counted them stands, and while they are few in a community, a later one states the same of it. What changed
    since the first evaluation has no breakdown in a later one: whoever subtracts one from the other would have that of
    those who were taken away.

    Raises `LookupError` if there is no such round, `RoundStillOpen` until it has settled, and `RoundErased` when the
    retention of its answers is over.
    """
    share_memory()
    report(Stage.EXAMINING, 0.0)
    if not provisional:
        examine_to_the_end(database, round_id=round_id, now=now)
    # All answers that an examination held are gone before they are counted.
    return_memory()
    with database.reading() as session:
        gathered = _gather(session, round_id=round_id, now=now, provisional=provisional, report=report)
    result = gathered.result
    evidence = weigh_evidence(result)
    report(Stage.STORING, 0.0)
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
                "evidence": {"regions": _with_comparisons(summarise_evidence(result, evidence), gathered.compared)},
                "versions": versions(),
            }
        ),
        responses=int(gathered.table["responses"].sum()),
        code_version=version("jiayuan"),
        evidence_method=EVIDENCE_METHOD,
        evaluated_at=now,
    )
    stored = store_result(
        database,
        evaluation,
        _parts_of(gathered, evidence),
        after=gathered.earlier_id,
        by=by,
        now=now,
        report=partial(report, Stage.STORING),
    )
    if stored is None:
        # Somebody else's result came in between, from which this one may not differ by few.
        return evaluate_round(database, round_id=round_id, now=now, provisional=provisional, by=by, report=report)
    return stored


def require_evaluable(survey_round: Round, *, now: datetime) -> None:
    """Raise `RoundStillOpen` until a round has settled, and `RoundErased` when the retention of its answers is over."""
    if not has_settled(survey_round, now=now):
        raise RoundStillOpen(survey_round.id, survey_round.closes_at)
    require_answers(survey_round, now=now)


@dataclass(frozen=True)
class Verification:
    """What computing an evaluation again from its stored inputs and rule file has shown.

    `is_decided_so`: inputs, rules and standings are the same to the last digit. `differing` are the communities whose
    evidence differs by more than rounding; None where it was weighed by another method, and is not compared.
    """

    is_decided_so: bool
    evidence_method: int
    differing: list[str] | None

    @property
    def is_same(self) -> bool:
        return self.is_decided_so and not self.differing


def verify_evaluation(session: Session, evaluation_id: int) -> Verification:
    """Compute an evaluation again and compare: decision and counts exactly, evidence of the same method by its numbers.

    Raises `LookupError` if there is no such evaluation.
    """
    evaluation = session.get(Evaluation, evaluation_id)
    if evaluation is None:
        raise LookupError(f"there is no evaluation {evaluation_id}")
    rules = rules_of(evaluation.rule_file.content)
    result = evaluate(_read_table(evaluation.inputs), rules)
    stored = (rules.sha256, sha256_hex(evaluation.inputs), evaluation.inputs_sha256, evaluation.standings_sha256)
    return Verification(
        stored == (evaluation.rule_file.sha256, *[result.inputs_sha256] * 2, result.standings_sha256),
        evaluation.evidence_method,
        _differing_evidence(session, evaluation, result),
    )


def _differing_evidence(session: Session, evaluation: Evaluation, result: Result) -> list[str] | None:
    if evaluation.evidence_method != EVIDENCE_METHOD:
        return None
    names = [name for name in EVIDENCE_COLUMNS if name != "community_id"]
    columns = [StandingEvidence.__table__.columns[name] for name in names]
    statement = select(Community.number.label("community_id"), *columns).join(
        Community, Community.id == StandingEvidence.community_id
    )
    rows = session.execute(statement.where(StandingEvidence.evaluation_id == evaluation.id)).all()
    stored = pd.DataFrame(rows, columns=["community_id", *names]).astype(dict(EVIDENCE_COLUMNS))
    computed = weigh_evidence(result)
    without = set(computed["community_id"]) - set(stored["community_id"])
    return sorted([*without, *differing_evidence(stored, computed)])


_Facts = dict[str, dict[str, Any] | None]
"""What a comparison of answers says of each region."""


@dataclass(frozen=True)
class _Gathered:
    table: pd.DataFrame
    result: Result
    # What is said of each region by comparing answers, by the name of the comparison.
    compared: Mapping[str, _Facts]
    rule_file_id: int
    cut_off: datetime
    profiles: Profiles | None
    # The result that it was compared with.
    earlier_id: int | None
    id_of: Mapping[str, int]


def _gather(session: Session, *, round_id: int, now: datetime, provisional: bool, report: Report) -> _Gathered:
    survey_round = find_round(session, round_id)
    require_evaluable(survey_round, now=now)
    cut_off, rules = survey_round.closes_at, rules_of(survey_round.rule_file.content)
    questionnaire = questionnaire_from_canonical(survey_round.questionnaire.text)
    disclosure = disclosure_of(now, rules)
    earlier = read_earlier_result(session, survey_round)
    received = session.scalar(select(func.count()).where(Response.round_id == round_id)) or 0
    places = read_places(session)
    regions = regions_of(places if earlier is None else places.drop(index=sorted(earlier.changed)), rules)
    counts = count_round(
        session,
        survey_round=survey_round,
        rules=rules,
        questionnaire=questionnaire,
        communities=places.index.tolist(),
        before=cut_off,
        region_of=None if provisional else dict(zip(regions.index.tolist(), regions, strict=True)),
        report=lambda read: report(Stage.COUNTING, min(1.0, read / max(1, received))),
    )
    report(Stage.JUDGING, 0.0)
    return_memory()
    counted: dict[str, Any] = {
        "counts": counts,
        "rules": rules,
        "questionnaire": questionnaire,
        "categories": recorded_categories().values(),
        "cut_off": cut_off,
        "disclosure": disclosure,
    }
    # What few people answered is not even stored: everything that shows or hands out an evaluation goes without.
    table = withhold_small_communities(community_table(session, **counted), rules, disclosure=disclosure)
    if earlier is not None:
        # What is withheld by the difference makes other numbers small, of which it is withheld once more.
        table = withhold_small_communities(
            keep_stated_counts(table, earlier.table, disclosure=disclosure), rules, disclosure=disclosure
        )
    compared = _compare(counts, table, places, regions_of(places, rules), rules=rules, earlier=earlier)
    suggested = {name: compared[name] for name in ("waves", "channels")}
    table = check_communities(with_suggested_spreads(table, **suggested), rules)
    result = evaluate_checked(table, rules)
    is_ranked = result.standings["satisfaction_rank"].notna()
    ranked = frozenset(result.standings.loc[is_ranked, "community_id"])
    if rules.satisfaction.measure != "satisfaction_rate":
        hidden = communities_with_hidden_ratings(counts, places, rules=rules, disclosure=disclosure)
        table = withhold_pooled_deviations(table, rules, ranked=ranked, hidden=hidden, disclosure=disclosure)
        # No decision rests on a deviation; what was evaluated and its hash do.
        result = evaluate(table, rules, look_alikes=False)
    profiles = None if provisional else count_profiles(session, **counted, table=table, ranked=ranked, earlier=earlier)
    earlier_id = None if earlier is None else earlier.evaluation_id
    id_of = dict(zip(places["number"], places.index.tolist(), strict=True))
    return _Gathered(table, result, compared, survey_round.rule_file_id, cut_off, profiles, earlier_id, id_of)


def _compare(
    counts: RoundCounts,
    table: pd.DataFrame,
    places: pd.DataFrame,
    regions: "pd.Series[str]",
    *,
    rules: Rules,
    earlier: EarlierResult | None,
) -> dict[str, _Facts]:
    """Return what early and late answers, those through either channel, and those of several clerks say by region.

    Where answers were taken away it is what was said before.
    """
    if counts.waves is None:
        raise ValueError("waves are counted of whole rounds")
    waves, through = (
        counted.set_axis(places["number"].reindex(counted.index), axis="index")
        for counted in (counts.waves, counts.through)
    )
    typed = counts.typed.assign(community_id=counts.typed["community"].map(places["number"]))
    found: dict[str, _Facts] = {
        "waves": compare_waves_by_region(waves, table, rules),
        "channels": compare_channels_by_region(through, table, rules),
        "clerks": compare_clerks_by_region(typed, table),
    }
    if earlier is None:
        return found
    changed = set(regions[regions.index.isin(sorted(earlier.changed))])
    return {
        name: facts | {region: earlier.compared[name].get(region) for region in changed & set(facts)}
        for name, facts in found.items()
    }


def _with_comparisons(supported: dict[str, Any], compared: Mapping[str, _Facts]) -> dict[str, Any]:
    return {
        region: {
            **facts,
            "satisfaction": {
                **facts["satisfaction"],
                **{name: by_region.get(region) for name, by_region in compared.items()},
            },
        }
        for region, facts in supported.items()
    }


def _parts_of(gathered: _Gathered, evidence: pd.DataFrame) -> list[Part]:
    parts = [
        Part(table, frame.assign(community_id=frame["community_id"].map(gathered.id_of)))
        for table, frame in ((Standing, gathered.result.standings), (StandingEvidence, evidence))
    ]
    if (profiles := gathered.profiles) is not None:
        parts += [Part(CommunityProfile, profiles.communities), Part(RegionProfile, profiles.regions)]
    return parts


def _read_table(inputs: str) -> pd.DataFrame:
    return pd.DataFrame(json.loads(inputs))
