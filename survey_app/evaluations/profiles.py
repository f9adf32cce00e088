"""Profiles behind the standings of a closed round: answers by question, complaints by month and category, drivers.

Counted once, in the snapshot of the evaluation, and stored with it: a page that explains a result must not count again
what was counted then. An open round has no profiles, since breakdowns of a few answers would give them away. Nor has a
community with few answers: its breakdown is shown to nobody, and would keep what single residents answered.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import compute
from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json
from analytics.counting.answer_counts import AnswerCounts, count_answers
from analytics.disclosure.rules import DisclosureRules
from analytics.languages import DEFAULT_LANGUAGE
from analytics.rules import OTHER_POPULATION, Rules
from analytics.statistics.complaint_rates import CHANNEL_COLUMNS, CHANNELS
from analytics.statistics.drivers import find_drivers
from survey_app.complaints.categories import Categories
from survey_app.evaluations.counts import (
    BATCH_ROWS,
    COMPOSITE_COLUMNS,
    count_responses,
    counted_batches,
    is_valid_complaint,
    window_start,
)
from survey_app.evaluations.earlier_results import EarlierResult
from survey_app.evaluations.region_answers import AnswersOfRegion, untold_questions
from survey_app.models import Complaint, Response, Round
from survey_app.models.vocabulary import ResponseStatus, Tenure
from survey_app.register.households import read_places, surveyed_households
from survey_app.responses.counting_status import status_of_response
from survey_app.rounds.questionnaires import Question, Questionnaire, QuestionType, driver_questions

MOST_RESPONDENTS: Final = 200_000
"""Most respondents of one region, drawn at random where there are more: drivers need no more of them."""

ANSWERED: Final = "answered"
"""Key beside the codes of a question with several answers: how many people answered it."""

_COUNTED_COLUMNS: Final = ["responses", "satisfied", "mean_index", "sd_index", *COMPOSITE_COLUMNS]
_SEED: Final = 1


@dataclass(frozen=True)
class Profiles:
    """Rows of `CommunityProfile` and `RegionProfile`, still without their evaluation."""

    communities: pd.DataFrame
    regions: pd.DataFrame


@dataclass(frozen=True)
class _Survey:
    """Scope of the counts: a round, by which rules, until when."""

    session: Session
    round: Round
    rules: Rules
    questionnaire: Questionnaire
    cut_off: datetime


def count_profiles(
    session: Session,
    *,
    survey_round: Round,
    rules: Rules,
    questionnaire: Questionnaire,
    categories: Categories,
    cut_off: datetime,
    disclosure: DisclosureRules,
    table: pd.DataFrame,
    ranked: Collection[str],
    earlier: EarlierResult | None = None,
) -> Profiles:
    """Return the profile of every community, and of every region that is ranked together.

    The answers of communities with fewer than the minimum base are not broken down, nor can they be found by taking all
    others from the sum of the region; nor does the region keep the answers to a question whose shares would give away
    what is hidden in one of its communities. `table` is the community table of the same moment, `ranked` the numbers
    of those whose satisfaction is ranked.

    Nor are the answers of communities that changed since the first result of the round, of which `earlier` is the
    newest: a second breakdown taken from the first would be that of those who were taken away. Their region keeps the
    answers and drivers of the last official result; where there were only previews, it is counted without them.
    """
    changed = frozenset() if earlier is None else earlier.changed
    stated = {} if earlier is None else earlier.regions
    survey = _Survey(session, survey_round, rules, questionnaire, cut_off)
    places = read_places(session)
    city = rules.city.in_language(DEFAULT_LANGUAGE)
    region = places["district"] if rules.region == "district" else pd.Series(city, index=places.index)
    counts, rows = _count_answers(survey, places.index)
    chosen = _count_choices(survey)
    complaints = _count_complaints(survey, categories)
    cases = _cases(complaints, complaints["community"])
    regional_cases = _cases(complaints, complaints["community"].map(region))
    other = _other_population(survey, places)
    channels = _channels(table)
    bases = pd.Series(np.max([each.sum(axis=1) for each in counts.counts.values()], axis=0), index=places.index)
    is_changed = places.index.isin(sorted(changed))
    hidden = changed | _few_answers(bases[~is_changed], region[~is_changed], minimum_base=disclosure.minimum_base)
    is_few = places.index.isin(sorted(hidden))
    is_ranked = places["number"].isin(sorted(ranked)).to_numpy()
    communities = [
        {
            "community_id": number,
            "answers": canonical_json(
                {key: {} for key in counts.codes}
                if number in hidden
                else _answers(counts, [place]) | _choices(chosen, [number])
            ),
            "complaints": canonical_json(cases.get(number, [])),
            "other_population": canonical_json(
                (dict.fromkeys(other[number]) if number in changed else other[number])
                | ({"tenures": []} if number in hidden else {})
            ),
        }
        for place, number in enumerate(places.index)
    ]
    regions = []
    for name in sorted(region.unique()):
        is_member = (region == name).to_numpy()
        same = np.flatnonzero(is_member & ~is_changed)
        if (is_member & is_changed).any() and name in stated:
            answers, drivers = stated[str(name)]
        else:
            of_region = AnswersOfRegion(counts, same, is_few=is_few[same], is_ranked=is_ranked[same])
            untold = untold_questions(of_region, rules=rules, questionnaire=questionnaire, disclosure=disclosure)
            answers = canonical_json(
                _answers(counts, same) | _choices(chosen, places.index[same]) | {question: {} for question in untold}
            )
            drivers = canonical_json(_drivers(rows[rows["community"].isin(places.index[same])], survey))
        regions.append(
            {
                "region": str(name),
                "answers": answers,
                "complaints": canonical_json(regional_cases.get(name, [])),
                "drivers": drivers,
                "channels": canonical_json(channels.get(str(name), {})),
            }
        )
    return Profiles(pd.DataFrame(communities), pd.DataFrame(regions))


def _count_answers(survey: _Survey, communities: Iterable[int]) -> tuple[AnswerCounts, pd.DataFrame]:
    """Return the counts of every question with single codes, and the rows that the drivers are estimated from."""
    single = [question for question in survey.questionnaire.questions if _has_single_code(question)]
    questions = {question.key: question.codes for question in single}
    overall = survey.rules.satisfaction.question
    kept = ["community", overall, *driver_questions(survey.questionnaire, overall)]
    rows: list[pd.DataFrame] = []

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in counted_batches(
            survey.session,
            survey_round=survey.round,
            rules=survey.rules,
            questions=list(questions),
            before=survey.cut_off,
        ):
            rows.append(batch.select(kept).to_pandas(types_mapper=_SMALL.get))
            yield batch

    counts = count_answers(batches(), communities=list(communities), questions=questions)
    return counts, pd.concat(rows) if rows else pd.DataFrame(columns=kept)


_SMALL = {pa.int64(): pd.Int32Dtype()}


def _has_single_code(question: Question) -> bool:
    return bool(question.codes) and question.type is not QuestionType.MULTI


def _answers(counts: AnswerCounts, places: Sequence[int] | npt.NDArray[np.intp]) -> dict[str, dict[str, int]]:
    """Return how often the communities at some places gave each code, codes that nobody gave left out."""
    found = {}
    for question, codes in counts.codes.items():
        numbers = counts.counts[question][places].sum(axis=0).tolist()
        found[question] = {str(code): number for code, number in zip(codes, numbers, strict=True) if number}
    return found


def _count_choices(survey: _Survey) -> dict[str, dict[int, Counter[str]]]:
    """Return by question with several answers, and by community, how often each code was given, and answers."""
    questions = [question.key for question in survey.questionnaire.questions if question.type is QuestionType.MULTI]
    counted: dict[str, dict[int, Counter[str]]] = {question: defaultdict(Counter) for question in questions}
    if not questions:
        return counted
    population = survey.rules.satisfaction.population
    statement = select(Response.community_id, Response.answers).where(
        Response.round_id == survey.round.id,
        Response.submitted_at < survey.cut_off,
        status_of_response(population, before=survey.cut_off) == ResponseStatus.COUNTED,
        or_(*(Response.answers.contains(f'"{question}":[') for question in questions)),
    )
    if population == "owners":
        statement = statement.where(Response.tenure == Tenure.OWNER)
    for community, text in survey.session.execute(statement, execution_options={"yield_per": BATCH_ROWS}):
        answers = json.loads(text or "{}")
        for question in questions:
            if codes := answers.get(question):
                counted[question][community].update([ANSWERED, *map(str, codes)])
    return counted


def _choices(chosen: Mapping[str, Mapping[int, Counter[str]]], communities: Iterable[int]) -> dict[str, dict[str, int]]:
    """Return how often some communities gave each code of the questions with several answers, and how many answered."""
    return {
        question: dict(sum((counts.get(community, Counter()) for community in communities), Counter()))
        for question, counts in chosen.items()
    }


def _few_answers(bases: "pd.Series[int]", region: "pd.Series[str]", *, minimum_base: int) -> frozenset[int]:
    """Return the communities whose answers are not broken down: those with few, and others that give them away.

    Where those of a region have fewer answers together than the minimum, the next smallest go with them: the sum of the
    region minus all that is stored is then that of enough people.
    """
    found: list[int] = []
    for _name, numbers in bases.sort_values(kind="stable").groupby(region):
        hidden = 0
        for number, base in zip(numbers.index.tolist(), numbers.tolist(), strict=True):
            if base >= minimum_base and not 0 < hidden < minimum_base:
                break
            hidden += base
            found.append(number)
    return frozenset(found)


def _count_complaints(survey: _Survey, categories: Categories) -> pd.DataFrame:
    """Return one row per community, local month, category and whether the rate counts it, with the number of cases."""
    is_valid = is_valid_complaint(categories)
    statement = select(
        Complaint.community_id, Complaint.category, Complaint.submitted_at, case((is_valid, 1), else_=0).label("valid")
    ).where(
        Complaint.submitted_at >= window_start(survey.rules, survey.cut_off), Complaint.submitted_at < survey.cut_off
    )
    zone = ZoneInfo(survey.rules.time_zone)
    rows = [
        (row.community_id, f"{row.submitted_at.astimezone(zone):%Y-%m}", row.category, row.valid)
        for row in survey.session.execute(statement)
    ]
    columns = ["community", "month", "category", "valid"]
    return pd.DataFrame(rows, columns=columns).groupby(columns).size().rename("cases").reset_index()


def _cases(complaints: pd.DataFrame, group: "pd.Series[Any]") -> dict[Any, list[list[Any]]]:
    """Return for each group month, category, valid and number of cases, wherever there are any."""
    keyed = complaints.assign(group=group).groupby(["group", "month", "category", "valid"])["cases"].sum()
    found: dict[Any, list[list[Any]]] = {}
    for name, *what in keyed.reset_index().itertuples(index=False, name=None):
        found.setdefault(name, []).append(what)
    return found


def _channels(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return for each region the valid complaints by each channel and the household-years they are of."""
    exposed = table[(table["exposure_household_years"] > 0) & table["complaints"].notna()]
    sums = exposed.groupby("region")[["exposure_household_years", *CHANNEL_COLUMNS]].sum()
    return {
        str(region): {
            "household_years": float(row["exposure_household_years"]),
            **{channel: int(row[column]) for channel, column in zip(CHANNELS, CHANNEL_COLUMNS, strict=True)},
        }
        for region, row in sums.iterrows()
    }


def _other_population(survey: _Survey, places: pd.DataFrame) -> dict[int, Any]:
    """Return what a community table would hold if the rules counted the other population, and both tenures apart."""
    satisfaction = survey.rules.satisfaction
    others = replace(
        survey.rules, satisfaction=replace(satisfaction, population=OTHER_POPULATION[satisfaction.population])
    )
    counted = count_responses(
        survey.session,
        survey_round=survey.round,
        rules=others,
        questionnaire=survey.questionnaire,
        before=survey.cut_off,
    )
    counted = counted[[name for name in _COUNTED_COLUMNS if name in counted]]
    table = counted.assign(households=surveyed_households(places, others)).reindex(places.index).astype(object)
    tenures = _by_tenure(survey, places.index)
    rows = table.where(table.notna(), None).to_dict("records")
    return {place: row | {"tenures": tenures[place]} for place, row in zip(places.index, rows, strict=True)}


def _by_tenure(survey: _Survey, communities: Iterable[int]) -> dict[int, list[list[int]]]:
    """Return the code of each tenure with its valid and its satisfied answers to the ranked question."""
    rule = survey.rules.satisfaction
    codes = survey.questionnaire.question(rule.question).codes
    everybody = counted_batches(
        survey.session,
        survey_round=survey.round,
        rules=survey.rules,
        questions=[rule.question],
        before=survey.cut_off,
        answers_of="residents",
    )
    apart = {tenure: f"of {tenure}" for tenure in (Tenure.OWNER, Tenure.TENANT)}

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in everybody:
            of_tenure = {
                name: compute.if_else(compute.equal(batch["tenure"], tenure), batch[rule.question], None)
                for tenure, name in apart.items()
            }
            yield pa.RecordBatch.from_pydict({"community": batch["community"], **of_tenure})

    counted = count_answers(batches(), communities=list(communities), questions=dict.fromkeys(apart.values(), codes))
    valid = [code for code in codes if code in rule.valid_codes]
    rows: dict[int, list[list[int]]] = {community: [] for community in communities}
    for tenure, name in apart.items():
        table = counted.table(name)
        sums = table[valid].sum(axis=1), table[list(rule.satisfied_codes)].sum(axis=1)
        for community, *counts in zip(rows, *(column.tolist() for column in sums), strict=True):
            rows[community].append([tenure, *counts])
    return rows


def _drivers(rows: pd.DataFrame, survey: _Survey) -> dict[str, Any]:
    """Return the drivers of overall satisfaction in one region, as JSON can hold them."""
    overall = survey.rules.satisfaction.question
    domains = driver_questions(survey.questionnaire, overall)
    if len(rows) > MOST_RESPONDENTS:
        chosen = np.random.default_rng(_SEED).choice(len(rows), MOST_RESPONDENTS, replace=False)
        rows = rows.iloc[np.sort(chosen)]
    rated = pd.DataFrame({domain: _valid(rows[domain], survey.questionnaire.question(domain)) for domain in domains})
    found = find_drivers(
        rated,
        _valid(rows[overall], survey.questionnaire.question(overall)),
        community=rows["community"].to_numpy(),
        level=float(survey.rules.evidence.level),
    )
    table = found.domains.astype(object)
    return {
        "domains": table.where(table.notna(), None).to_dict("records"),
        "r_squared": None if np.isnan(found.r_squared) else found.r_squared,
        "respondents": found.respondents,
        "communities": found.communities,
    }


def _valid(codes: "pd.Series[Any]", question: Question) -> "pd.Series[float]":
    missing = [option.code for option in question.options if option.missing]
    return codes.astype("Float64").mask(codes.isin(missing)).astype("float64")
