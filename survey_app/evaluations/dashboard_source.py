"""Evaluation source of the dashboards, from the database and limited to the scope of the signed-in account."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd
from flask import current_app
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from analytics.decision.survey_channels import CHANNEL_COLUMNS
from analytics.decision.survey_modes import MODE_COLUMNS
from analytics.decision.table_columns import SPREAD_COLUMNS
from analytics.rules import Rules
from analytics.statistics.validation import FloatArray
from dashboards.frames.standings import among
from dashboards.source import (
    Answer,
    Arguments,
    Casework,
    EvaluationHeader,
    EvaluationSource,
    Examination,
    ExportKind,
    GridPage,
    GridQuery,
    KeyCounts,
    Polygon,
    Profile,
    Progress,
)
from survey_app.accounts.guard import signed_in
from survey_app.accounts.scope import Scope
from survey_app.audit import record_export
from survey_app.clock import current_time
from survey_app.evaluations.casework import read_casework
from survey_app.evaluations.collection_progress import count_progress, read_required_responses
from survey_app.evaluations.counts import COMPLAINED_COLUMNS
from survey_app.evaluations.held_answers import count_held_answers, find_waiting
from survey_app.evaluations.integrity_examinations import newest_examination, read_found, with_reviews
from survey_app.evaluations.publications import published_evaluations
from survey_app.evaluations.standings import (
    COLUMN_TYPES,
    EVIDENCE_JOIN,
    count_standings,
    counts_a_closed_round,
    read_company_counts,
    read_drawn_standings,
    read_evaluated_table,
    read_places,
    read_ranked_counts,
    read_ranked_scores,
    read_standings_of,
    read_standings_with,
    require_evaluation,
    withhold_in_evaluation,
    withhold_unranked,
)
from survey_app.evaluations.standings_table import find_communities
from survey_app.evaluations.stored_profiles import (
    complaints_in_words,
    read_aspect_standings,
    read_aspects,
    read_channels,
    read_other_population,
    read_profile,
    read_reported,
    regions_in_scope,
)
from survey_app.models import (
    AuditEvent,
    Community,
    District,
    Evaluation,
    RegionProfile,
    Round,
    RuleFile,
    Standing,
    StandingEvidence,
)
from survey_app.models.vocabulary import REGISTER_CHANGES
from survey_app.register.boundaries import read_boundary
from survey_app.rounds.rounds import find_open_round
from survey_app.storage.database import Database
from survey_app.storage.frames import read_frame
from survey_app.storage.sized_cache import SizedCache
from survey_app.stored_rules import rules_of

# Cache limits, in rows. Frames that are kept between callbacks: a hundred thousand communities take 35 MB in the
# widest, the standings. There is room for two rounds of so many and for what all pages derive from them.
_MOST_ROWS = 1_000_000
# Sorted tables, eight bytes for each community.
_MOST_LISTED = 4_000_000
# Integrity signals, fifty bytes for each family in each community: room for one examination of a hundred thousand.
_MOST_EXAMINED = 1_500_000
# Shares by aspect of service, seventy bytes each: room for a dozen aspects of a hundred thousand communities.
_MOST_RATED = 2_000_000
# Counts of the open round, sixteen bytes for each community.
_MOST_COUNTED = 1_000_000
# Cases and the times that they were open, a hundred bytes each: room for a year of a city of a million households.
_MOST_CASES = 500_000
_ROWS_AT_ONCE = 1_000


SOURCE_EXTENSION: Final = "evaluations"


def stored_evaluations() -> EvaluationSource:
    """Return the source that this site's dashboards read from, with what it has cached."""
    found: EvaluationSource = current_app.extensions[SOURCE_EXTENSION]
    return found


class StoredEvaluations:
    """Implementation of `dashboards.source.EvaluationSource` on the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache = SizedCache(most=_MOST_ROWS, size_of=len)
        self._listed = SizedCache(most=_MOST_LISTED, size_of=len)
        self._rated = SizedCache(most=_MOST_RATED, size_of=len)
        self._counted = SizedCache(most=_MOST_COUNTED, size_of=len)
        self._examined = SizedCache(most=_MOST_EXAMINED, size_of=len)
        self._cases = SizedCache(most=_MOST_CASES, size_of=len)

    def evaluations(self) -> Sequence[EvaluationHeader]:
        """Return the stored evaluations, the newest first."""
        scope = signed_in().scope
        with self._database.reading() as session:
            published = published_evaluations(session).values()
            newest = session.scalar(select(func.max(Evaluation.id)))
            key = (_read_headers, newest, frozenset(published), scope, _register_revision(session))
            return self._cache.get_or_make(key, lambda: _read_headers(session, published, scope))

    def standings(self, evaluation_id: int) -> pd.DataFrame:
        """Return one row per community in scope; see `dashboards.source`. `LookupError` for no such evaluation."""
        return self._frame(_read_standings, evaluation_id)

    def standings_of(self, evaluation_id: int, numbers: Sequence[str]) -> pd.DataFrame:
        """Return some communities in scope with all columns; see `dashboards.source`. `LookupError` as above."""
        scope = signed_in().scope
        with self._database.reading() as session:
            return read_standings_with(session, evaluation_id=evaluation_id, numbers=numbers, scope=scope)

    def places(self, evaluation_id: int) -> pd.DataFrame:
        """Return the regions and subdistricts in scope; see `dashboards.source`. `LookupError` as above."""
        return self._frame(_read_places, evaluation_id)

    def key_counts(self, evaluation_id: int, region: str | None) -> KeyCounts:
        """Return the key counts of the communities in scope; see `dashboards.source`. `LookupError` as above."""
        scope = signed_in().scope
        with self._database.reading() as session:
            return count_standings(session, evaluation_id=evaluation_id, region=region, scope=scope)

    def ranked_counts(self, evaluation_id: int, region: str) -> pd.DataFrame:
        """Return the counts of the ranked communities of a region in scope; see `dashboards.source`."""
        scope = signed_in().scope
        with self._database.reading() as session:
            return read_ranked_counts(session, evaluation_id=evaluation_id, region=region, scope=scope)

    def ranked_scores(self, evaluation_id: int, region: str) -> FloatArray:
        """Return the scores of the ranked communities of a region in scope; see `dashboards.source`."""
        scope = signed_in().scope
        with self._database.reading() as session:
            return read_ranked_scores(session, evaluation_id=evaluation_id, region=region, scope=scope)

    def company_counts(self, evaluation_id: int, region: str | None) -> pd.DataFrame:
        """Return the pooled counts of each company's ranked communities in scope; see `dashboards.source`."""
        scope = signed_in().scope
        with self._database.reading() as session:
            return read_company_counts(session, evaluation_id=evaluation_id, region=region, scope=scope)

    def compute_once(
        self,
        evaluation_id: int,
        derive: Callable[[EvaluationSource, int, *Arguments], Answer],
        *arguments: *Arguments,
    ) -> Answer:
        """Return a derived value from the cache of this scope, or compute it; see `dashboards.source`."""
        with self._database.reading() as session:
            key = (derive, evaluation_id, arguments, signed_in().scope, _register_revision(session))
        # After this snapshot: what is read for it is never older than its key says.
        return self._cache.get_or_make(key, lambda: derive(self, evaluation_id, *arguments))

    def grid(self, evaluation_id: int, query: GridQuery) -> GridPage:
        """Return one page of the table of communities in scope; `LookupError` as above."""
        scope = signed_in().scope
        whole = replace(query, offset=0, limit=None)
        with self._database.reading() as session:
            require_evaluation(session, evaluation_id)
            # Decided from day to day, while all else that a table is ordered and filtered by stays.
            is_held = query.group == "held_answers"
            waiting = find_waiting(session, evaluation_id=evaluation_id, scope=scope) if is_held else None
            key = (evaluation_id, whole, scope, _register_revision(session), waiting)
            listed = self._listed.get_or_make(key, lambda: find_communities(session, evaluation_id, whole, scope))
            end = None if query.limit is None else query.offset + query.limit
            rows = read_standings_of(session, evaluation_id, listed[query.offset : end], scope)
        return GridPage(rows=rows, total=len(listed))

    def export_rows(self, evaluation_id: int, query: GridQuery, *, kind: ExportKind = "grid") -> Iterator[pd.DataFrame]:
        """Return the whole table in chunks, once the export is in the audit chain; `LookupError` as above."""
        account, now = signed_in(), current_time()
        with self._database.writing() as session:
            require_evaluation(session, evaluation_id)
            record_export(
                session,
                by=account.actor,
                area=account.scope.area,
                places=account.scope.ids,
                kind=kind,
                subject=f"evaluation:{evaluation_id}",
                now=now,
            )
        return self._pieces(evaluation_id, query, account.scope)

    def _pieces(self, evaluation_id: int, query: GridQuery, scope: Scope) -> Iterator[pd.DataFrame]:
        with self._database.reading() as session:
            communities = find_communities(session, evaluation_id, query, scope)
        for start in range(0, len(communities), _ROWS_AT_ONCE):
            # Each in a transaction of its own, since a slow line may take minutes for them. What was evaluated never
            # changes, and which communities come in which order is decided.
            with self._database.reading() as session:
                piece = read_standings_of(session, evaluation_id, communities[start : start + _ROWS_AT_ONCE], scope)
            yield piece

    def inputs(self, evaluation_id: int) -> pd.DataFrame:
        """Return the counts of the communities in scope as they were evaluated; `LookupError` as above."""
        return self._frame(_read_inputs, evaluation_id)

    def inputs_of_other_population(self, evaluation_id: int) -> pd.DataFrame:
        """Return the same table with the answers of the other population; `LookupError` as above."""
        return self._frame(_read_inputs_of_other_population, evaluation_id)

    def _frame(self, read: Callable[[Session, int, Scope], pd.DataFrame], evaluation_id: int) -> pd.DataFrame:
        """Return a frame of an evaluation in scope from the cache, or as `read` reads it."""
        scope = signed_in().scope
        with self._database.reading() as session:
            key = (read, evaluation_id, scope, _register_revision(session))
            # Nothing is copied until somebody writes into it.
            return self._cache.get_or_make(key, lambda: read(session, evaluation_id, scope)).copy(deep=False)

    def profile(self, evaluation_id: int, number: str) -> Profile | None:
        """Return the profile behind a standing in scope; see `dashboards.source`."""
        scope = signed_in().scope
        with self._database.reading() as session:
            require_evaluation(session, evaluation_id)
            return read_profile(session, evaluation_id=evaluation_id, number=number, scope=scope)

    def reported(self, evaluation_id: int, numbers: Collection[str]) -> pd.DataFrame:
        """Return how many respondents say that they complained; see `dashboards.source`."""
        scope = signed_in().scope
        with self._database.reading() as session:
            return read_reported(session, evaluation_id=evaluation_id, numbers=numbers, scope=scope)

    def aspects(self, evaluation_id: int) -> pd.DataFrame:
        """Return the aspects of service with the shares of the regions in scope; `LookupError` as above."""
        return self._frame(_read_aspects, evaluation_id)

    def aspect_standings(self, evaluation_id: int, region: str) -> pd.DataFrame:
        """Return how communities in scope stand among all of a region, aspect by aspect; `LookupError` as above.

        Kept for all accounts together, since the percentiles are the same for each of them.
        """
        scope = signed_in().scope
        with self._database.reading() as session:
            require_evaluation(session, evaluation_id)
            key = (evaluation_id, region, _register_revision(session))
            everyone = self._rated.get_or_make(
                key, lambda: read_aspect_standings(session, evaluation_id=evaluation_id, region=region)
            )
            if scope.is_city:
                return everyone.copy(deep=False)
            numbers = read_frame(session, scope.communities(select(Community.number)))["number"]
        own = everyone[everyone["number"].isin(numbers)].reset_index(drop=True)
        # The categories would still name the others.
        return own.assign(number=own["number"].cat.remove_unused_categories())

    def history(self, number: str) -> pd.DataFrame:
        """Return the official standings of one community in scope, round by round."""
        newest = select(func.max(Evaluation.id)).filter_by(provisional=False).group_by(Evaluation.round_id)
        statement = (
            select(*_HISTORY_COLUMNS)
            .select_from(Standing)
            .join(Evaluation, Standing.evaluation_id == Evaluation.id)
            .join(Round, Evaluation.round_id == Round.id)
            .join(Community, Standing.community_id == Community.id)
            .join(RuleFile, Evaluation.rule_file_id == RuleFile.id)
            .outerjoin(StandingEvidence, EVIDENCE_JOIN)
            .where(Community.number == number, Evaluation.id.in_(newest))
            .order_by(Evaluation.cut_off)
        )
        with self._database.reading() as session:
            frame = read_frame(session, signed_in().scope.communities(statement), COLUMN_TYPES)
        # Each round by the disclosure rules of its own evaluation.
        rounds = [
            withhold_unranked(own, evaluated_at=row["evaluated_at"], rules=rules_of(row["content"]))
            for place, row in enumerate(frame.to_dict("records"))
            for own in [frame.iloc[[place]]]
        ]
        return pd.concat(rounds or [frame]).drop(columns=["evaluated_at", "content"])

    def cases(self, evaluation_id: int) -> pd.DataFrame:
        """Return the cases of the period by region in scope, with the words of their categories."""
        scope = signed_in().scope
        with self._database.reading() as session:
            seen = regions_in_scope(session, RegionProfile.complaints, evaluation_id=evaluation_id, scope=scope)
        frames = [complaints_in_words(json.loads(row.complaints)).assign(region=row.region) for row in seen]
        return pd.concat(frames) if frames else complaints_in_words([]).assign(region="")

    def channels(self, evaluation_id: int) -> pd.DataFrame:
        """Return the valid complaints by channel of the regions in scope; see `dashboards.source`."""
        with self._database.reading() as session:
            return read_channels(session, evaluation_id=evaluation_id, scope=signed_in().scope)

    def examination(self, evaluation_id: int, *, number: str | None = None) -> Examination | None:
        """Return the findings in the round of an evaluation, about communities in scope; see `dashboards.source`."""
        scope = signed_in().scope
        with self._database.reading() as session:
            require_evaluation(session, evaluation_id)
            newest = newest_examination(session, evaluation_id)
            if newest is None:
                return None
            examination_id, round_id, examined_at = newest
            key = (examination_id, number, scope, _register_revision(session))
            found = self._examined.get_or_make(key, lambda: read_found(session, examination_id, scope, number=number))
            held = count_held_answers(session, evaluation_id=evaluation_id, scope=scope)
            return with_reviews(session, found, round_id=round_id, examined_at=examined_at, held=held)

    def waiting(self, evaluation_id: int) -> Collection[str]:
        """Return the communities in scope of which answers wait for a decision; see `dashboards.source`."""
        with self._database.reading() as session:
            return find_waiting(session, evaluation_id=evaluation_id, scope=signed_in().scope)

    def boundaries(self) -> Mapping[str, Sequence[Polygon]]:
        """Return the boundaries of all districts: those are no secret."""
        with self._database.reading() as session:
            rows = session.execute(select(District.name, District.boundary).where(District.boundary.is_not(None)))
            return {row.name: read_boundary(row.boundary) for row in rows}

    def progress(self) -> Progress | None:
        """Return the progress of the open round in the districts in scope."""
        scope, now = signed_in().scope, current_time()
        with self._database.reading() as session:
            survey_round = find_open_round(session, now=now)
            if survey_round is None:
                return None
            rules, revision = rules_of(survey_round.rule_file.content), _register_revision(session)
            asked = self._cache.get_or_make(
                (read_required_responses, survey_round.rule_file_id, scope, revision),
                lambda: read_required_responses(session, rules=rules, scope=scope),
            )
            # To count anew on every page would keep the database busy; what is shown is a minute old at most.
            counted = self._counted.get_or_make(
                (survey_round.id, now.replace(second=0, microsecond=0), scope, revision),
                lambda: count_progress(session, survey_round=survey_round, scope=scope, asked=asked, now=now),
            )
            return Progress(
                round_name=survey_round.name,
                round_english_name=survey_round.english_name,
                opens_at=survey_round.opens_at,
                closes_at=survey_round.closes_at,
                time_zone=rules.time_zone,
                communities=asked.assign(responses=counted.responses).reset_index(drop=True),
                daily=counted.daily,
                hourly=counted.hourly,
                modes=counted.modes,
                buildings=counted.buildings,
            )

    def casework(self) -> Casework:
        """Return the casework in scope, counted to the last full ten minutes; see `dashboards.source`."""
        scope, now = signed_in().scope, current_time()
        cut_off = now.replace(minute=now.minute - now.minute % 10, second=0, microsecond=0)
        with self._database.reading() as session:
            key = (cut_off, scope, _register_revision(session))
            return self._cases.get_or_make(key, lambda: read_casework(session, scope=scope, cut_off=cut_off))


def _register_revision(session: Session) -> int | None:
    """Return a number that changes whenever a name of a place or a community's district or company does.

    It is read in the snapshot of what it stands for, so that nothing older is ever kept under it. Evaluations
    themselves are frozen.
    """
    return session.scalar(select(func.max(AuditEvent.position)).where(AuditEvent.action.in_(sorted(REGISTER_CHANGES))))


def _read_standings(session: Session, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    return read_drawn_standings(session, evaluation_id=evaluation_id, scope=scope)


def _read_places(session: Session, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    return read_places(session, evaluation_id=evaluation_id, scope=scope)


def _read_aspects(session: Session, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    return read_aspects(session, evaluation_id=evaluation_id, scope=scope)


def _read_headers(session: Session, published: Collection[int], scope: Scope) -> list[EvaluationHeader]:
    # Whoever sees every district needs none of them named.
    seen = scope.communities(select(District.name).join(Community).distinct())
    districts = set() if scope.is_city else set(session.scalars(seen))
    counted = {row.evaluation_id: row.answers or 0 for row in session.execute(_count_answers(scope))}
    return [
        _header(row, published, counted.get(row.id, 0), scope, districts) for row in session.execute(_SELECT_HEADERS)
    ]


def _read_inputs(session: Session, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    table = read_evaluated_table(session, evaluation_id)
    if scope.is_city:
        return table
    numbers = read_frame(session, scope.communities(select(Community.number)))["number"]
    return table[among(table["community_id"], numbers)].reset_index(drop=True)


def _read_inputs_of_other_population(session: Session, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    table = _read_inputs(session, evaluation_id, scope)
    others = read_other_population(session, evaluation_id=evaluation_id).reindex(table["community_id"])
    # Counts of the ranked population alone would not fit the answers of the other.
    shared = table.drop(
        columns=[*MODE_COLUMNS, *CHANNEL_COLUMNS, *COMPLAINED_COLUMNS, *SPREAD_COLUMNS], errors="ignore"
    )
    counted = shared.assign(**{str(name): others[name].to_numpy() for name in others})
    return withhold_in_evaluation(session, evaluation_id, counted)


_HISTORY_COLUMNS = (
    Evaluation.id.label("evaluation_id"),
    Round.name.label("round_name"),
    Round.english_name.label("round_english_name"),
    Evaluation.cut_off,
    Evaluation.evaluated_at,
    RuleFile.content,
    Standing.responses,
    Standing.satisfied,
    Standing.satisfaction_score,
    StandingEvidence.satisfaction_lower,
    StandingEvidence.satisfaction_upper,
    StandingEvidence.satisfaction_shrunk,
    Evaluation.evidence_method,
    Standing.satisfaction_rank,
    Standing.satisfaction_status,
    Standing.complaint_rank,
    Standing.complaints_per_1000_household_years,
)

# Not whole rows: the inputs of each evaluation are as long as the list of communities.
_SELECT_HEADERS = (
    select(
        Evaluation.id,
        Round.name,
        Round.english_name,
        Evaluation.cut_off,
        Evaluation.evaluated_at,
        Evaluation.provisional,
        RuleFile.content,
        Evaluation.inputs_sha256,
        Evaluation.standings_sha256,
        Evaluation.evidence_method,
        Evaluation.summary,
    )
    .join(Round, Evaluation.round_id == Round.id)
    .join(RuleFile, Evaluation.rule_file_id == RuleFile.id)
    .where(counts_a_closed_round())
    .order_by(Evaluation.id.desc())
)


def _count_answers(scope: Scope) -> Select[int, int | None]:
    statement = select(Standing.evaluation_id, func.sum(Standing.responses).label("answers"))
    if not scope.is_city:
        statement = scope.communities(statement.join(Community, Standing.community_id == Community.id))
    return statement.group_by(Standing.evaluation_id)


def _header(
    row: Row[*tuple[Any, ...]], published: Collection[int], responses: int, scope: Scope, districts: Collection[str]
) -> EvaluationHeader:
    rules = rules_of(row.content)
    return EvaluationHeader(
        id=row.id,
        round_name=row.name,
        round_english_name=row.english_name,
        cut_off=row.cut_off,
        evaluated_at=row.evaluated_at,
        provisional=row.provisional,
        published=row.id in published,
        responses=responses,
        rules=rules,
        inputs_sha256=row.inputs_sha256,
        standings_sha256=row.standings_sha256,
        evidence_method=row.evidence_method,
        summary=_summary_in_scope({"evidence": {"regions": {}}} | json.loads(row.summary), scope, districts, rules),
    )


def _summary_in_scope(
    summary: dict[str, Any], scope: Scope, districts: Collection[str], rules: Rules
) -> dict[str, Any]:
    """Return a summary without the regions of other districts, and without totals that they are part of."""
    if scope.is_city or rules.region == "city":
        return summary
    regions = {region: facts for region, facts in summary["regions"].items() if region in districts}
    supported = {region: facts for region, facts in summary["evidence"]["regions"].items() if region in districts}
    return {**summary, "regions": regions, "evidence": {"regions": supported}, "total": None}
