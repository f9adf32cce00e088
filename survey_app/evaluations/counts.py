"""Counts of responses and complaints per community, as a community table holds them."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from analytics.counting.answer_counts import AnswerCounts
from analytics.decision.community_table import check_communities
from analytics.decision.recount import count_measures
from analytics.disclosure.answer_tables import are_all_shown, are_told_through
from analytics.disclosure.rules import DisclosureRules
from analytics.languages import DEFAULT_LANGUAGE
from analytics.rules import Rules
from analytics.statistics.complaint_rates import CHANNEL_COLUMNS, CHANNELS
from survey_app.complaints.categories import Category
from survey_app.complaints.counted_cases import is_about_the_company, is_valid_complaint
from survey_app.evaluations.round_counts import MODE_COUNTS, PopulationCounts, RoundCounts
from survey_app.models import Community, Complaint, Response, Round
from survey_app.models.vocabulary import ResponseStatus, Tenure
from survey_app.register.households import read_places, surveyed_households
from survey_app.responses.counting_status import status_of_response
from survey_app.rounds.questionnaires import Complained, Questionnaire

COMPOSITE_COLUMNS = ("composite_responses", "mean_composite", "sd_composite")
"""Columns of a community table that only rules with composites need."""

COMPLAINED_COLUMNS = ("asked_about_complaints", "said_complained")
"""Columns of a community table whose questionnaire asks residents whether they complained."""

_COLUMN_OF_DENOMINATOR = {
    "occupied_households": "households_occupied",
    "delivered_households": "households_delivered",
}


def count_responses(
    counts: RoundCounts, *, rules: Rules, questionnaire: Questionnaire, disclosure: DisclosureRules | None = None
) -> pd.DataFrame:
    """Return the counts of a round's responses for the community table: one row per community, indexed by its id.

    `responses` are the valid answers of the ranked population to the ranked question. `received` are all responses:
    those that are `superseded` by a correction or by their household's next, those `withdrawn`, those `excluded` after
    a review, and the others, which count, among them those of `owners` and `tenants`. A mean without answers is
    missing, not zero. `paper_responses` and `telephone_responses` are those of `responses` that staff typed in.
    `composite_responses`, `mean_composite` and `sd_composite` are there where the rules rank composites,
    `asked_about_complaints` and `said_complained` where the questionnaire says how residents tell; with disclosure
    rules they are missing where the table of answers withholds who said so.
    """
    valid = list(rules.satisfaction.valid_codes)
    by_mode = pd.DataFrame({name: counts.modes.table(name).filter(valid).sum(axis=1) for name in MODE_COUNTS})
    tenures = pd.DataFrame({"owners": counts.tenures[Tenure.OWNER], "tenants": counts.tenures[Tenure.TENANT]})
    summary = measure_answers(counts.ranked, rules).join([tenures, by_mode, counts.statuses])
    if questionnaire.complained is not None:
        counted = counts.ranked.answers
        complained = _who_complained(counted, questionnaire, questionnaire.complained)
        if disclosure is not None:
            complained = complained.astype("Int64").mask(~is_complained_told(counted, questionnaire, disclosure))
        summary = summary.join(complained)
    return summary


def measure_answers(counts: PopulationCounts, rules: Rules) -> pd.DataFrame:
    """Return the measures of the ranked question and, where the rules rank them, of composites: by community."""
    measures = count_measures(counts.answers, rules)
    if counts.composites is None:
        return measures
    return measures.join(counts.composites.table().rename(columns={"responses": "composite_responses"}))


def _who_complained(counted: AnswerCounts, questionnaire: Questionnaire, complained: Complained) -> pd.DataFrame:
    asked = [
        counted.table(question)[list(codes)].sum(axis=1)
        for question, codes in questionnaire.asked_about_complaints.items()
    ]
    said = counted.table(complained.question)[complained.code]
    return pd.DataFrame(dict(zip(COMPLAINED_COLUMNS, (sum(asked), said), strict=True)))


def is_complained_told(
    counted: AnswerCounts, questionnaire: Questionnaire, disclosure: DisclosureRules
) -> "pd.Series[bool]":
    """Return of which communities a table of answers shows who complained, and the answers that led to it."""
    steps = [
        (counted.counts[question], [counted.codes[question].index(code) for code in codes])
        for question, codes in questionnaire.leading_to_complained.items()
    ]
    return pd.Series(are_told_through(steps, rules=disclosure), index=list(counted.communities))


def communities_with_hidden_ratings(
    counts: RoundCounts, places: pd.DataFrame, *, rules: Rules, disclosure: DisclosureRules
) -> frozenset[str]:
    """Return the numbers of the places of which it is not told how many gave each rating that is measured."""
    rule, counted = rules.satisfaction, counts.ranked.answers
    valid = [
        counted.table(key).filter(list(rule.valid_codes)).loc[places.index].to_numpy()
        for key in rule.domains or (rule.question,)
    ]
    return frozenset(
        number
        for row, number in enumerate(places["number"])
        if not all(are_all_shown(given[row].tolist(), rules=disclosure) for given in valid)
    )


def count_statuses(session: Session, *, survey_round: Round, rules: Rules, before: datetime) -> pd.DataFrame:
    """Return how many responses each community sent in, as `received`, and how many are of each status: by its id."""
    status = status_of_response(rules.satisfaction.population, before=before).label("status")
    of_response = (
        select(Response.community_id, status)
        .where(Response.round_id == survey_round.id, Response.submitted_at < before)
        .subquery()
    )
    grouped = select(of_response.c.community_id, of_response.c.status, func.count()).group_by(
        of_response.c.community_id, of_response.c.status
    )
    columns = ["community_id", "status", "count"]
    found = pd.DataFrame(session.execute(grouped).all(), columns=columns).astype({"count": "int64"})
    table = found.pivot_table(index="community_id", columns="status", values="count", aggfunc="sum", fill_value=0)
    table = table.reindex(columns=list(ResponseStatus), fill_value=0)
    return table.assign(received=table.sum(axis=1)).astype("int64")


def count_complaints(
    session: Session, *, rules: Rules, categories: Iterable[Category], cut_off: datetime
) -> pd.DataFrame:
    """Count the complaints of the months before the cut-off: one row per community, indexed by its id.

    Counted are cases of which the resident says that they are complaints, in a category that the property company
    answers for. `complaints` are valid, withdrawn and quickly fixed ones among them, `CHANNEL_COLUMNS` those that came
    by each channel; `complaints_excluded` are those that the bureau found to be duplicates, invalid or out of scope.
    The household of a case is not known: a slip is not kept with it.
    """
    is_valid = is_valid_complaint(categories)
    number = func.sum(case((is_valid, 1), else_=0))
    by_channel = [func.sum(case((and_(is_valid, Complaint.channel == name), 1), else_=0)) for name in CHANNELS]
    statement = (
        select(Complaint.community_id, number, *by_channel, func.count() - number)
        .where(
            is_about_the_company(categories),
            Complaint.submitted_at >= window_start(rules, cut_off),
            Complaint.submitted_at < cut_off,
        )
        .group_by(Complaint.community_id)
    )
    columns = ["community_id", "complaints", *CHANNEL_COLUMNS, "complaints_excluded"]
    found = pd.DataFrame(session.execute(statement).all(), columns=columns, dtype="int64")
    communities = pd.Index(session.scalars(select(Community.id).order_by(Community.id)).all(), name="community_id")
    return found.set_index("community_id").reindex(communities, fill_value=0)


def window_start(rules: Rules, cut_off: datetime) -> datetime:
    """Return the start of the complaint period: the same local date and hour, so many months earlier."""
    local = cut_off.astimezone(ZoneInfo(rules.time_zone))
    months = local.year * 12 + local.month - 1 - rules.complaints.period_months
    year, month = months // 12, months % 12 + 1
    return local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1])).astimezone(UTC)


def community_table(
    session: Session,
    *,
    counts: RoundCounts,
    rules: Rules,
    questionnaire: Questionnaire,
    categories: Iterable[Category],
    cut_off: datetime,
    disclosure: DisclosureRules | None = None,
) -> pd.DataFrame:
    """Return the community table at the cut-off, as `analytics` evaluates it, in the order of numbers.

    `counts` are those of all communities until the cut-off. A community without answers or without a known number of
    households keeps its row: missing is not zero. Disclosure rules are for `count_responses`.
    """
    places = read_places(session)
    answers = count_responses(counts, rules=rules, questionnaire=questionnaire, disclosure=disclosure)
    filed = count_complaints(session, rules=rules, categories=categories, cut_off=cut_off)
    denominator, source = _exposed_households(places, rules)
    city = rules.city.in_language(DEFAULT_LANGUAGE)
    table = pd.DataFrame(
        {
            "community_id": places["number"],
            "region": places["district"] if rules.region == "district" else city,
            "name": places["name"],
            "responses": answers["responses"],
            "satisfied": answers["satisfied"],
            # Not how many of them are satisfied: a single answer on paper would be given away.
            **{name: answers[name] for name in MODE_COUNTS},
            **{str(name): numbers for name, numbers in counts.channels.items()},
            "mean_index": answers["mean_index"],
            "sd_index": answers["sd_index"],
            **{name: answers[name] for name in (*COMPOSITE_COLUMNS, *COMPLAINED_COLUMNS) if name in answers},
            "households": surveyed_households(places, rules),
            **{str(name): numbers for name, numbers in filed.items()},
            "exposure_household_years": denominator.astype("Float64") * rules.complaints.period_months / 12,
            "denominator_source": source,
        }
    )
    return check_communities(table.sort_values("community_id"), rules)


def _exposed_households(places: pd.DataFrame, rules: Rules) -> tuple[pd.Series, pd.Series]:
    """Return the households that could complain, and which number each comes from: the fallback is flagged."""
    households = places[_COLUMN_OF_DENOMINATOR[rules.complaints.denominator]]
    source = pd.Series(rules.complaints.denominator, index=places.index).where(households.notna())
    if rules.complaints.denominator_fallback != "none":
        fallback = places[_COLUMN_OF_DENOMINATOR[rules.complaints.denominator_fallback]]
        source = source.mask(households.isna() & fallback.notna(), rules.complaints.denominator_fallback)
        households = households.fillna(fallback)
    return households, source
