"""Profiles behind the standings of a closed round: answers by question, complaints by month and category, drivers.

Counted once, in the snapshot of the evaluation, and stored with it: a page that explains a result must not count again
what was counted then. An open round has no profiles, since breakdowns of a few answers would give them away. Nor has a
community with few answers: its breakdown is shown to nobody, and would keep what single residents answered.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json
from analytics.disclosure.region_shares import rounded_associations
from analytics.disclosure.rules import DisclosureRules
from analytics.languages import DEFAULT_LANGUAGE
from analytics.rules import OTHER_POPULATION, Rules
from analytics.statistics.complaint_rates import CHANNEL_COLUMNS, CHANNELS
from analytics.statistics.drivers import find_drivers
from analytics.statistics.validation import IntegerArray
from survey_app.complaints.categories import Category
from survey_app.complaints.counted_cases import is_valid_complaint
from survey_app.evaluations.counts import measure_answers, window_start
from survey_app.evaluations.earlier_results import EarlierResult
from survey_app.evaluations.region_answers import AnswersOfRegion, untold_questions
from survey_app.evaluations.respondent_sample import UNANSWERED
from survey_app.evaluations.round_counts import Breakdowns, RoundCounts
from survey_app.models import Complaint
from survey_app.register.households import read_places, surveyed_households
from survey_app.rounds.questionnaires import Question, Questionnaire, driver_questions


@dataclass(frozen=True)
class Profiles:
    """Rows of `CommunityProfile` and `RegionProfile`, still without their evaluation."""

    communities: pd.DataFrame
    regions: pd.DataFrame


def regions_of(places: pd.DataFrame, rules: Rules) -> "pd.Series[str]":
    """Return the region that each place is ranked in, by the rules."""
    if rules.region == "district":
        return places["district"]
    return pd.Series(rules.city.in_language(DEFAULT_LANGUAGE), index=places.index)


def count_profiles(
    session: Session,
    *,
    counts: RoundCounts,
    rules: Rules,
    questionnaire: Questionnaire,
    categories: Iterable[Category],
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
    if counts.breakdowns is None:
        raise ValueError("profiles need the breakdowns of the round's counts")
    changed = frozenset() if earlier is None else earlier.changed
    stated = {} if earlier is None else earlier.regions
    places = read_places(session)
    region = regions_of(places, rules)
    answers, given = counts.ranked.answers, _given_answers(counts, counts.breakdowns)
    complaints = _count_complaints(session, rules, categories, cut_off)
    cases = _cases(complaints, complaints["community"])
    regional_cases = _cases(complaints, complaints["community"].map(region))
    other = _other_population(counts.breakdowns, places, rules)
    channels = _channels(table)
    bases = pd.Series(np.max([each.sum(axis=1) for each in answers.counts.values()], axis=0), index=places.index)
    is_changed = places.index.isin(sorted(changed))
    hidden = changed | _few_answers(bases[~is_changed], region[~is_changed], minimum_base=disclosure.minimum_base)
    is_few = places.index.isin(sorted(hidden))
    is_ranked = places["number"].isin(sorted(ranked)).to_numpy()
    communities = [
        {
            "community_id": number,
            "answers": canonical_json(
                {key: {} for key in answers.codes} if number in hidden else _sum_answers(given, [place])
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
            told, drivers = stated[str(name)]
        else:
            of_region = AnswersOfRegion(answers, same, is_few=is_few[same], is_ranked=is_ranked[same])
            untold = untold_questions(of_region, rules=rules, questionnaire=questionnaire, disclosure=disclosure)
            told = canonical_json(_sum_answers(given, same) | {question: {} for question in untold})
            # The evaluator has the rows of all others, and would find those of a few.
            rows = counts.breakdowns.respondents.respondents(str(name))
            rows = rows[rows["community"].isin(places.index[is_member & ~is_few])]
            drivers = canonical_json(_drivers(rows, rules, questionnaire, disclosure))
        regions.append(
            {
                "region": str(name),
                "answers": told,
                "complaints": canonical_json(regional_cases.get(name, [])),
                "drivers": drivers,
                "channels": canonical_json(channels.get(str(name), {})),
            }
        )
    return Profiles(pd.DataFrame(communities), pd.DataFrame(regions))


_Given = Mapping[str, tuple[Sequence[str], IntegerArray]]
"""By question its codes, and how often each community gave each of them."""


def _given_answers(counts: RoundCounts, breakdowns: Breakdowns) -> _Given:
    answers, choices = counts.ranked.answers, breakdowns.choices
    single = {key: ([str(code) for code in codes], answers.counts[key]) for key, codes in answers.codes.items()}
    return single | {key: ([str(code) for code in table], table.to_numpy()) for key, table in choices.items()}


def _sum_answers(given: _Given, places: Sequence[int] | npt.NDArray[np.intp]) -> dict[str, dict[str, int]]:
    """Return how often the communities at some places gave each code, codes that nobody gave left out."""
    found = {}
    for question, (codes, counts) in given.items():
        numbers = counts[places].sum(axis=0).tolist()
        found[question] = {code: number for code, number in zip(codes, numbers, strict=True) if number}
    return found


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


def _count_complaints(
    session: Session, rules: Rules, categories: Iterable[Category], cut_off: datetime
) -> pd.DataFrame:
    """Return one row per community, local month, category and whether the rate counts it, with the number of cases."""
    is_valid = is_valid_complaint(categories)
    statement = select(
        Complaint.community_id, Complaint.category, Complaint.submitted_at, case((is_valid, 1), else_=0).label("valid")
    ).where(Complaint.submitted_at >= window_start(rules, cut_off), Complaint.submitted_at < cut_off)
    zone = ZoneInfo(rules.time_zone)
    rows = [
        (row.community_id, f"{row.submitted_at.astimezone(zone):%Y-%m}", row.category, row.valid)
        for row in session.execute(statement)
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


def _other_population(breakdowns: Breakdowns, places: pd.DataFrame, rules: Rules) -> dict[int, Any]:
    """Return what a community table would hold if the rules counted the other population, and both tenures apart."""
    satisfaction = rules.satisfaction
    others = replace(rules, satisfaction=replace(satisfaction, population=OTHER_POPULATION[satisfaction.population]))
    counted = measure_answers(breakdowns.other, others)
    table = counted.assign(households=surveyed_households(places, others)).reindex(places.index).astype(object)
    tenures = _by_tenure(breakdowns, places.index, rules)
    rows = table.where(table.notna(), None).to_dict("records")
    return {place: row | {"tenures": tenures[place]} for place, row in zip(places.index, rows, strict=True)}


def _by_tenure(breakdowns: Breakdowns, communities: Iterable[int], rules: Rules) -> dict[int, list[list[int]]]:
    """Return the code of each tenure with its valid and its satisfied answers to the ranked question."""
    rule = rules.satisfaction
    rows: dict[int, list[list[int]]] = {community: [] for community in communities}
    for tenure, table in breakdowns.by_tenure.items():
        valid = table.filter(list(rule.valid_codes)).sum(axis=1)
        sums = valid, table[list(rule.satisfied_codes)].sum(axis=1)
        for community, *counts in zip(rows, *(column.tolist() for column in sums), strict=True):
            rows[community].append([tenure, *counts])
    return rows


def _drivers(
    rows: pd.DataFrame, rules: Rules, questionnaire: Questionnaire, disclosure: DisclosureRules
) -> dict[str, Any]:
    """Return the drivers of overall satisfaction in one region, as JSON can hold them and a reader may know them."""
    overall = rules.satisfaction.question
    domains = driver_questions(questionnaire, overall)
    rated = pd.DataFrame({domain: _valid(rows[domain], questionnaire.question(domain)) for domain in domains})
    found = find_drivers(
        rated,
        _valid(rows[overall], questionnaire.question(overall)),
        community=rows["community"].to_numpy(),
        level=float(rules.evidence.level),
    )
    shares = ["weight", "share", "lower", "upper"]
    told = rounded_associations(found.domains[shares], people=found.respondents, rules=disclosure)
    table = found.domains.drop(columns="mean").assign(**{name: told[name] for name in shares}).astype(object)
    return {
        "domains": table.where(table.notna(), None).to_dict("records"),
        "respondents": found.respondents,
        "communities": found.communities,
    }


def _valid(codes: "pd.Series[Any]", question: Question) -> "pd.Series[float]":
    missing = [UNANSWERED, *(option.code for option in question.options if option.missing)]
    return codes.astype("float64").mask(codes.isin(missing))
