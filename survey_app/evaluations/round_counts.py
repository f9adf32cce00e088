"""Counts of a round's answers, all from one pass: each is read and decoded once, whatever is made of it.

Standings, profiles and drivers need the same answers again and again: by question, tenure and mode, as composites, of
the ranked population and of the other. Each batch is handed to every counter that needs it and then dropped, so memory
depends on the communities and not on the answers.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from pyarrow import compute
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from analytics.counting.answer_counts import AnswerCounter, AnswerCounts
from analytics.counting.composites import CompositeAdder, CompositeSums
from analytics.decision.survey_channels import HELPED_RESPONSES, SLIP_RESPONSES
from analytics.decision.survey_modes import STAFF_ENTERED_MODES, mode_column
from analytics.rules import OTHER_POPULATION, Population, Rules
from survey_app.codes.codes import poster_ids
from survey_app.evaluations.answer_waves import (
    CODES_OF_WAVES,
    WAVE,
    Waves,
    codes_of_waves,
    outer_waves,
    read_waves,
)
from survey_app.evaluations.respondent_sample import RespondentSample
from survey_app.evaluations.typed_answers import TypedAnswers
from survey_app.models import Response, Round
from survey_app.models.vocabulary import Mode, ResponseStatus, Tenure
from survey_app.responses.answer_batches import (
    BATCH_ROWS,
    SEVERAL_CODES,
    SINGLE_CODE,
    Portions,
    all_responses,
    is_among,
    read_batches,
    selected_responses,
)
from survey_app.responses.counting_status import StatusFacts, replaced_by_mark, status_by_facts, status_facts
from survey_app.responses.declared_help import are_helped, help_code_ids
from survey_app.rounds.questionnaires import Question, Questionnaire, QuestionType, driver_questions

MODE_COUNTS: Final = tuple(mode_column(mode, "responses") for mode in STAFF_ENTERED_MODES)
"""Columns of a community table that say how many of the answers staff typed in."""

ANSWERED: Final = "answered"
"""Key beside the codes of a question with several answers: how many people answered it."""


@dataclass(frozen=True)
class PopulationCounts:
    """Answers of one population, of each household those that count for it."""

    answers: AnswerCounts
    composites: CompositeSums | None


@dataclass(frozen=True)
class RoundCounts:
    """What is counted of a round's answers, by the ids of communities.

    `statuses` has one column for each `ResponseStatus` and all `received`; `tenures` and `modes` are of those of the
    ranked population's status: all that count by tenure, and answers to the ranked question by the mode of staff.
    `channels` are the valid ones through slips, and with declared help. `waves` are the columns of
    `analytics.evidence.nonresponse.compare_waves_by_region`, None where only some responses were counted, and `through`
    those of `compare_channels_by_region`. `typed` are the columns `TYPED_COLUMNS`: who typed in how many answers to the
    ranked question. `ranked` holds every question with single codes. `breakdowns` is None where none were asked for.
    """

    statuses: pd.DataFrame
    ranked: PopulationCounts
    tenures: pd.DataFrame
    modes: AnswerCounts
    channels: pd.DataFrame
    waves: pd.DataFrame | None
    through: pd.DataFrame
    typed: pd.DataFrame
    breakdowns: "Breakdowns | None"


@dataclass(frozen=True)
class Breakdowns:
    """What profiles need beside: the other population's answers to the ranked question, and the ranked one's by tenure.

    `choices` are the counts of the questions with several answers, with how many answered as `ANSWERED`.
    """

    other: PopulationCounts
    by_tenure: Mapping[Tenure, pd.DataFrame]
    choices: Mapping[str, pd.DataFrame]
    respondents: RespondentSample


def count_round(
    session: Session,
    *,
    survey_round: Round,
    rules: Rules,
    questionnaire: Questionnaire,
    communities: Sequence[int],
    before: datetime,
    only: Select[int] | None = None,
    region_of: Mapping[int, str] | None = None,
    report: Callable[[int], None] = lambda _read: None,
) -> RoundCounts:
    """Count the responses of a round that were submitted before a time, or only those whose ids `only` selects.

    Breakdowns are counted where `region_of` says which region each community lies in; of one that it leaves out nobody
    is in the samples. `communities` are all from which responses can come. `report` is told how many responses were
    read.
    """
    scope = _Scope(survey_round, rules, questionnaire, tuple(communities), before)
    counters = _Counters(
        scope,
        None if region_of is None else RespondentSample(_driver_questions(scope), region_of),
        codes_of_posters=poster_ids(session),
        codes_of_help=help_code_ids(session, survey_round.id),
        # Which wave an answer is of is known only beside all others of its community.
        waves=read_waves(session, scope.round, scope.communities, before=before) if only is None else None,
    )
    read = 0
    with closing(_read_batches(session, scope, only=only)) as batches:
        for batch in batches:
            counters.count(batch)
            read += batch.num_rows
            report(read)
    helped = _count_helped(session, counters.maybe_helped, survey_round)
    return counters.counted(helped)


@dataclass(frozen=True)
class _Scope:
    """Which responses are counted, and by which rules."""

    round: Round
    rules: Rules
    questionnaire: Questionnaire
    communities: tuple[int, ...]
    before: datetime

    @property
    def population(self) -> Population:
        return self.rules.satisfaction.population

    @property
    def ranked_question(self) -> Question:
        return self.questionnaire.question(self.rules.satisfaction.question)

    @property
    def single(self) -> dict[str, tuple[int, ...]]:
        """The questions with single codes."""
        return {
            question.key: question.codes
            for question in self.questionnaire.questions
            if question.codes and question.type is not QuestionType.MULTI
        }

    @property
    def several(self) -> dict[str, tuple[int, ...]]:
        """The questions with several codes."""
        return {
            question.key: question.codes
            for question in self.questionnaire.questions
            if question.type is QuestionType.MULTI
        }


def _driver_questions(scope: _Scope) -> list[str]:
    overall = scope.rules.satisfaction.question
    return [overall, *driver_questions(scope.questionnaire, overall)]


def _read_batches(session: Session, scope: _Scope, *, only: Select[int] | None) -> Generator[pa.RecordBatch]:
    """Yield every response with its status for both populations, how it came, and its answers."""
    portions = (
        all_responses(session, scope.round, before=scope.before)
        if only is None
        else selected_responses(session, only, before=scope.before)
    )
    return read_batches(
        session,
        _select_facts(scope, portions),
        portions.parameters,
        facts=_FACTS,
        questions=dict.fromkeys(scope.single, SINGLE_CODE) | dict.fromkeys(scope.several, SEVERAL_CODES),
    )


def _select_facts(scope: _Scope, portions: Portions) -> Select[*tuple[Any, ...]]:
    facts = status_facts(before=scope.before)
    rows = (
        select(
            Response.id.label("response_id"),
            Response.community_id.label("community"),
            Response.tenure,
            Response.mode,
            Response.code_id,
            Response.entered_by_id.label("entered_by"),
            facts.is_erased.label("is_erased"),
            facts.is_withdrawn.label("is_withdrawn"),
            func.coalesce(portions.replaced, Response.superseded_within).label("replaced"),
            facts.is_corrected.label("is_corrected"),
            facts.is_excluded.label("is_excluded"),
            Response.answers,
        )
        .where(portions.condition, Response.submitted_at < scope.before)
        # Otherwise each fact would be looked up once for each population.
        .offset(0)
        .subquery()
        .c
    )
    known = StatusFacts(
        is_erased=rows.is_erased,
        is_withdrawn=rows.is_withdrawn,
        is_replaced=replaced_by_mark(rows.replaced),
        is_corrected=rows.is_corrected,
        is_excluded=rows.is_excluded,
    )
    return select(
        rows.response_id,
        rows.community,
        rows.tenure,
        rows.mode,
        rows.code_id,
        rows.entered_by,
        status_by_facts(known, scope.population).label("status"),
        status_by_facts(known, OTHER_POPULATION[scope.population]).label("other_status"),
        rows.answers,
    )


_FACTS: Final = {
    "response_id": pa.int64(),
    "community": pa.int64(),
    "tenure": SINGLE_CODE,
    "mode": pa.string(),
    "code_id": pa.int64(),
    "entered_by": pa.int64(),
    "status": pa.string(),
    "other_status": pa.string(),
}


class _Counters:
    """The counters that every batch is handed to."""

    def __init__(
        self,
        scope: _Scope,
        respondents: RespondentSample | None,
        *,
        codes_of_posters: Sequence[int],
        codes_of_help: Sequence[int],
        waves: Waves | None,
    ) -> None:
        self._scope, self._respondents = scope, respondents
        ranked = scope.ranked_question
        self._statuses = self._counter({"status": tuple(range(len(ResponseStatus)))})
        self._answers = self._counter(scope.single)
        self._tenures = self._counter({"tenure": tuple(Tenure)})
        self._facts = self._counter({SLIP_RESPONSES: (1,), **dict.fromkeys(MODE_COUNTS, ranked.codes)})
        self._composites = self._adder()
        self._other_answers = self._counter({ranked.key: ranked.codes})
        self._other_composites = self._adder()
        self._by_tenure = {tenure: self._counter({ranked.key: ranked.codes}) for tenure in _TENURES_APART}
        self._choices = {question: self._counter({question: codes}) for question, codes in scope.several.items()}
        self._choosers = {question: self._counter({ANSWERED: (1,)}) for question in scope.several}
        self._codes_of_posters = pa.array(codes_of_posters, pa.int64())
        self._codes_of_help = pa.array(codes_of_help, pa.int64())
        rule = scope.rules.satisfaction
        self._typed = TypedAnswers(ranked.key, valid=rule.valid_codes, satisfied=rule.satisfied_codes)
        self._waves, self._in_waves = waves, self._counter({WAVE: CODES_OF_WAVES})
        self._through = self._counter({_THROUGH: _CODES_OF_CHANNELS})
        self.maybe_helped: list[int] = []

    def count(self, batch: pa.RecordBatch) -> None:
        """Count a batch; batches come in the order of ids."""
        if self._waves is not None:
            batch = batch.append_column(WAVE, self._waves.find(batch))
        status = batch.column("status")
        self._statuses.count(
            batch.select(["community"]).append_column("status", compute.index_in(status, _ALL_STATUSES))
        )
        counted = _counted(batch, status)
        self._tenures.count(counted)
        own = _of_population(counted, self._scope.population)
        self._count_ranked(own)
        if self._respondents is None:
            return
        self._respondents.add(own)
        self._count_choices(own)
        for tenure, counter in self._by_tenure.items():
            counter.count(_of_tenure(counted, tenure))
        self._count_other(_counted(batch, batch.column("other_status")))

    def counted(self, helped: "pd.Series[int]") -> RoundCounts:
        """Return what all batches so far hold."""
        statuses = self._statuses.counted().table("status").set_axis(list(ResponseStatus), axis=1)
        facts = self._facts.counted()
        return RoundCounts(
            statuses=statuses.assign(received=statuses.sum(axis=1)),
            ranked=PopulationCounts(self._answers.counted(), _sums(self._composites)),
            tenures=self._tenures.counted().table("tenure"),
            modes=facts,
            channels=pd.DataFrame(
                {
                    SLIP_RESPONSES: facts.table(SLIP_RESPONSES)[1],
                    HELPED_RESPONSES: helped.reindex(statuses.index, fill_value=0),
                }
            ),
            waves=None if self._waves is None else outer_waves(self._in_waves.counted()),
            through=_through_channels(self._through.counted().table(_THROUGH)),
            typed=self._typed.counted(),
            breakdowns=None if self._respondents is None else self._breakdowns(self._respondents),
        )

    def _breakdowns(self, respondents: RespondentSample) -> Breakdowns:
        choices = {
            question: counter.counted()
            .table(question)
            .assign(**{ANSWERED: self._choosers[question].counted().table(ANSWERED)[1]})
            for question, counter in self._choices.items()
        }
        ranked = self._scope.ranked_question.key
        return Breakdowns(
            other=PopulationCounts(self._other_answers.counted(), _sums(self._other_composites)),
            by_tenure={tenure: counter.counted().table(ranked) for tenure, counter in self._by_tenure.items()},
            choices=choices,
            respondents=respondents,
        )

    def _count_ranked(self, own: pa.RecordBatch) -> None:
        rule = self._scope.rules.satisfaction
        self._answers.count(own)
        self._typed.count(own)
        if self._composites is not None:
            self._composites.add(own)
        given = own.column(rule.question)
        if self._waves is not None:
            self._in_waves.count(
                own.select(["community"]).append_column(
                    WAVE,
                    codes_of_waves(own.column(WAVE), given, valid=rule.valid_codes, satisfied=rule.satisfied_codes),
                )
            )
        facts = own.select(["community"])
        for mode, name in zip(STAFF_ENTERED_MODES, MODE_COUNTS, strict=True):
            facts = facts.append_column(name, _only_where(compute.equal(own.column("mode"), mode), given))
        through_web = compute.and_(
            is_among(given, rule.valid_codes),
            compute.equal(own.column("mode"), Mode.WEB),
        )
        # One through the web came through a code: if it has none, it has lost its link to a slip.
        is_slip = compute.and_not(through_web, compute.is_in(own.column("code_id"), value_set=self._codes_of_posters))
        self._facts.count(facts.append_column(SLIP_RESPONSES, _only_where(is_slip, pa.scalar(1, SINGLE_CODE))))
        is_satisfied = is_among(given, rule.satisfied_codes).cast(SINGLE_CODE)
        code = compute.add(compute.multiply(is_slip.cast(SINGLE_CODE), pa.scalar(2, SINGLE_CODE)), is_satisfied)
        self._through.count(own.select(["community"]).append_column(_THROUGH, _only_where(through_web, code)))
        is_maybe_helped = compute.and_(through_web, compute.is_in(own.column("code_id"), value_set=self._codes_of_help))
        self.maybe_helped += own.column("response_id").filter(is_maybe_helped).to_pylist()

    def _count_choices(self, own: pa.RecordBatch) -> None:
        for question in self._choices:
            lists = own.column(question)
            chosen = own.column("community").take(compute.list_parent_indices(lists))
            self._choices[question].count(
                pa.RecordBatch.from_arrays([chosen, compute.list_flatten(lists)], names=["community", question])
            )
            is_given = compute.greater(compute.list_value_length(lists), 0)
            self._choosers[question].count(
                own.select(["community"]).append_column(ANSWERED, _only_where(is_given, pa.scalar(1, SINGLE_CODE)))
            )

    def _count_other(self, counted: pa.RecordBatch) -> None:
        others = _of_population(counted, OTHER_POPULATION[self._scope.population])
        self._other_answers.count(others)
        if self._other_composites is not None:
            self._other_composites.add(others)

    def _counter(self, questions: Mapping[str, Sequence[int]]) -> AnswerCounter:
        return AnswerCounter(communities=self._scope.communities, questions=questions)

    def _adder(self) -> CompositeAdder | None:
        rule, questionnaire = self._scope.rules.satisfaction, self._scope.questionnaire
        if not rule.domains:
            return None
        codes = {code for domain in rule.domains for code in questionnaire.question(domain).codes}
        return CompositeAdder(
            communities=self._scope.communities,
            weights=rule.domains,
            points=rule.index_points,
            missing_codes=codes - set(rule.index_points),
        )


_THROUGH: Final = "through"
# Those of posters before those of slips; of each the satisfied after the others.
_CODES_OF_CHANNELS: Final = (0, 1, 2, 3)
_ALL_STATUSES: Final = pa.array(list(ResponseStatus), pa.string())
_TENURES_APART: Final = (Tenure.OWNER, Tenure.TENANT)


def _through_channels(table: pd.DataFrame) -> pd.DataFrame:
    """Return the answers through posters and through slips, and the satisfied among them."""
    return pd.DataFrame(
        {
            "poster": table[0] + table[1],
            "poster_satisfied": table[1],
            "slip": table[2] + table[3],
            "slip_satisfied": table[3],
        }
    )


def _counted(batch: pa.RecordBatch, status: pa.Array) -> pa.RecordBatch:
    return batch.filter(compute.equal(status, ResponseStatus.COUNTED))


def _of_population(batch: pa.RecordBatch, population: Population) -> pa.RecordBatch:
    return _of_tenure(batch, Tenure.OWNER) if population == "owners" else batch


def _of_tenure(batch: pa.RecordBatch, tenure: Tenure) -> pa.RecordBatch:
    return batch.filter(compute.equal(batch.column("tenure"), tenure))


def _only_where(condition: pa.Array, values: pa.Array | pa.Scalar) -> pa.Array:
    return compute.if_else(condition, values, pa.scalar(None, values.type))


def _sums(adder: CompositeAdder | None) -> CompositeSums | None:
    return None if adder is None else adder.sums


def _count_helped(session: Session, maybe: Sequence[int], survey_round: Round) -> "pd.Series[int]":
    """Return by community how many of some responses through codes of declared help came with it."""
    columns = [Response.id.label("response_id"), Response.community_id, Response.code_id]
    statement = select(*columns, Response.started_at, Response.submitted_at)
    rows = [
        row
        for first in range(0, len(maybe), BATCH_ROWS)
        for row in session.execute(statement.where(Response.id.in_(maybe[first : first + BATCH_ROWS])))
    ]
    names = ["response_id", "community_id", "code_id", "started_at", "submitted_at"]
    sent = pd.DataFrame(rows, columns=names)
    helped = sent[are_helped(session, sent, round_id=survey_round.id)]
    return helped.groupby("community_id").size()
