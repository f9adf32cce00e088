"""Counts of responses and complaints per community, from the rows themselves."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
from pyarrow import compute
from pyarrow import json as arrow_json
from sqlalchemy import ColumnElement, Integer, Select, and_, case, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from analytics.counting.answer_counts import AnswerCounts, count_answers
from analytics.counting.composites import composite_sums
from analytics.decision.community_table import check_communities
from analytics.decision.recount import count_measures
from analytics.decision.survey_channels import HELPED_RESPONSES, SLIP_RESPONSES
from analytics.decision.survey_modes import STAFF_ENTERED_MODES, mode_column
from analytics.disclosure.answer_tables import are_told_through
from analytics.disclosure.rules import DisclosureRules
from analytics.languages import DEFAULT_LANGUAGE
from analytics.rules import Population, Rules
from analytics.statistics.complaint_rates import CHANNEL_COLUMNS, CHANNELS
from survey_app.complaints.categories import Categories
from survey_app.complaints.state_machine import NOT_VALID
from survey_app.models import Code, Community, Complaint, DeclaredHelp, Response, Round
from survey_app.models.vocabulary import CaseKind, CodeKind, Mode, ResponseStatus, Tenure
from survey_app.register.households import read_places, surveyed_households
from survey_app.responses.counting_status import KIND_OF_CODE, status_of_response
from survey_app.responses.declared_help import are_helped
from survey_app.rounds.questionnaires import Complained, Questionnaire

# Enough for the reader to work in bulk, few enough to stay within some megabytes.
BATCH_ROWS = 20_000

COMPOSITE_COLUMNS = ("composite_responses", "mean_composite", "sd_composite")
"""Columns of a community table that only rules with composites need."""

COMPLAINED_COLUMNS = ("asked_about_complaints", "said_complained")
"""Columns of a community table whose questionnaire asks residents whether they complained."""

MODE_COUNTS = tuple(mode_column(mode, "responses") for mode in STAFF_ENTERED_MODES)
"""Columns of a community table that say how many of the answers staff typed in."""

_COLUMN_OF_DENOMINATOR = {
    "occupied_households": "households_occupied",
    "delivered_households": "households_delivered",
}


def count_responses(
    session: Session,
    *,
    survey_round: Round,
    rules: Rules,
    questionnaire: Questionnaire,
    before: datetime,
    disclosure: DisclosureRules | None = None,
) -> pd.DataFrame:
    """Recount every response submitted before a time: one row per community, indexed by its id.

    `responses` are the valid answers of the ranked population to the ranked question. `received` are all responses:
    those that are `superseded` by a correction or by their household's next, those `withdrawn`, those `excluded` after
    a review, and the others, which count, among them those of `owners` and `tenants`. A mean without answers is
    missing, not zero. `paper_responses` and `telephone_responses` are those of `responses` that staff typed in.
    `composite_responses`, `mean_composite` and `sd_composite` are there where the rules rank composites,
    `asked_about_complaints` and `said_complained` where the questionnaire says how residents tell; with disclosure
    rules they are missing where the table of answers withholds who said so.
    """
    ranked = questionnaire.question(rules.satisfaction.question)
    questions = {key: questionnaire.question(key).codes for key in (ranked.key, *questionnaire.asked_about_complaints)}
    communities = session.scalars(select(Community.id).order_by(Community.id)).all()
    batches = counted_batches(session, survey_round=survey_round, rules=rules, questions=list(questions), before=before)
    counted = count_answers(
        (_with_modes(batch, ranked.key) for batch in batches),
        communities=communities,
        questions={**questions, "tenure": tuple(Tenure), **dict.fromkeys(MODE_COUNTS, ranked.codes)},
    )
    statuses = count_statuses(session, survey_round=survey_round, rules=rules, before=before)
    summary = count_measures(counted, rules).join([_by_tenure(counted), _by_mode(counted, rules)])
    summary = summary.join(statuses.reindex(summary.index, fill_value=0))
    if questionnaire.complained is not None:
        complained = _who_complained(counted, questionnaire, questionnaire.complained)
        if disclosure is not None:
            complained = complained.astype("Int64").mask(~is_complained_told(counted, questionnaire, disclosure))
        summary = summary.join(complained)
    if not rules.satisfaction.domains:
        return summary
    return summary.join(
        count_composites(
            session,
            survey_round=survey_round,
            rules=rules,
            questionnaire=questionnaire,
            communities=communities,
            before=before,
        )
    )


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


def count_by_channel(session: Session, *, survey_round: Round, rules: Rules, before: datetime) -> pd.DataFrame:
    """Return how many of the `responses` came through slips and with declared help; communities without any lack."""
    valid = (*_are_valid(session, survey_round, rules, before), Response.mode == Mode.WEB)
    through_slips = (
        select(Response.community_id, func.count())
        .outerjoin(Code, Response.code_id == Code.id)
        .where(*valid, KIND_OF_CODE == CodeKind.HOUSEHOLD)
    )
    slips = session.execute(through_slips.group_by(Response.community_id)).all()
    of_helpers = (
        select(
            Response.id.label("response_id"),
            Response.community_id,
            Response.code_id,
            Response.started_at,
            Response.submitted_at,
        )
        .join(DeclaredHelp, DeclaredHelp.code_id == Response.code_id)
        .where(*valid)
    )
    result = session.execute(of_helpers)
    sent = pd.DataFrame(result.all(), columns=list(result.keys()))
    helped = sent[are_helped(session, sent, round_id=survey_round.id)].groupby("community_id").size()
    return pd.DataFrame({SLIP_RESPONSES: pd.Series(dict(slips), dtype="int64"), HELPED_RESPONSES: helped})


def _are_valid(
    session: Session, survey_round: Round, rules: Rules, before: datetime
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a `Response` of the ranked population counts and rates the ranked question."""
    rule = rules.satisfaction
    counted = (
        Response.round_id == survey_round.id,
        Response.submitted_at < before,
        _code_given(session, rule.question).in_(rule.valid_codes),
        status_of_response(rule.population, before=before) == ResponseStatus.COUNTED,
    )
    return (*counted, Response.tenure == Tenure.OWNER) if rule.population == "owners" else counted


def _code_given(session: Session, question: str) -> ColumnElement[int]:
    """Return the SQL expression for the code that a response gives to a question, NULL where it gives none."""
    if session.connection().dialect.name == "postgresql":
        code: ColumnElement[int] = cast(Response.answers, JSONB)[question].as_integer()
        return code
    return func.json_extract(Response.answers, f'$."{question}"', type_=Integer)


def count_composites(
    session: Session,
    *,
    survey_round: Round,
    rules: Rules,
    questionnaire: Questionnaire,
    communities: Sequence[int],
    before: datetime,
    only: Select[int] | None = None,
) -> pd.DataFrame:
    """Return the number, mean and deviation of each community's composites, of all responses or of `only` some ids."""
    domains, points = rules.satisfaction.domains, rules.satisfaction.index_points
    codes = {code for domain in domains for code in questionnaire.question(domain).codes}
    sums = composite_sums(
        counted_batches(
            session, survey_round=survey_round, rules=rules, questions=list(domains), before=before, only=only
        ),
        communities=communities,
        weights=domains,
        points=points,
        missing_codes=codes - set(points),
    )
    return sums.table().rename(columns={"responses": "composite_responses"})


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


def counted_batches(
    session: Session,
    *,
    survey_round: Round,
    rules: Rules,
    questions: Sequence[str],
    before: datetime,
    answers_of: Population | None = None,
    reviewed_before: datetime | None = None,
    only: Select[int] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the community, tenure and mode of every response that counts, and the answers of the ranked population.

    The rules say which of a household's responses count, whichever population `answers_of` asks for. Reviews count as
    of `reviewed_before`, or as they stand now. `only` selects the ids of the responses to yield among those that count.
    """
    status = status_of_response(rules.satisfaction.population, before=before, reviewed_before=reviewed_before)
    statement = select(Response.community_id, Response.tenure, Response.mode, Response.answers).where(
        Response.round_id == survey_round.id,
        Response.submitted_at < before,
        status == ResponseStatus.COUNTED,
    )
    if only is not None:
        statement = statement.where(Response.id.in_(only))
    result = session.execute(statement, execution_options={"yield_per": BATCH_ROWS})
    for rows in result.partitions():
        communities, tenures, modes, texts = zip(*rows, strict=True)
        answers = _read_answers(texts, questions)
        if (answers_of or rules.satisfaction.population) == "owners":
            is_owner = compute.equal(pa.array(tenures), Tenure.OWNER)
            answers = {question: compute.if_else(is_owner, codes, None) for question, codes in answers.items()}
        yield pa.RecordBatch.from_pydict({"community": communities, "tenure": tenures, "mode": modes, **answers})


def _read_answers(texts: Sequence[str], questions: Sequence[str]) -> dict[str, pa.Array]:
    """Return the code that each text gives to each question, null where it gives none."""
    # Canonical JSON holds no line feed of its own, so the texts make one file of JSON lines.
    table = arrow_json.read_json(
        pa.BufferReader("\n".join(texts).encode("utf-8")),
        parse_options=arrow_json.ParseOptions(
            explicit_schema=pa.schema([(question, pa.int64()) for question in questions]),
            unexpected_field_behavior="ignore",
        ),
    )
    if len(table) != len(texts):
        raise ValueError(f"{len(texts)} answers were read as {len(table)}")
    return {question: table.column(question).combine_chunks() for question in questions}


def _with_modes(batch: pa.RecordBatch, question: str) -> pa.RecordBatch:
    """Return the batch with the answers to a question once more for each mode that staff type in."""
    for mode in STAFF_ENTERED_MODES:
        own = compute.if_else(compute.equal(batch.column("mode"), mode), batch.column(question), None)
        batch = batch.append_column(mode_column(mode, "responses"), own)
    return batch


def _by_mode(counted: AnswerCounts, rules: Rules) -> pd.DataFrame:
    valid = list(rules.satisfaction.valid_codes)
    return pd.DataFrame({name: counted.table(name).filter(valid).sum(axis=1) for name in MODE_COUNTS})


def _by_tenure(counted: AnswerCounts) -> pd.DataFrame:
    tenures = counted.table("tenure")
    return pd.DataFrame({"owners": tenures[Tenure.OWNER], "tenants": tenures[Tenure.TENANT]})


def count_complaints(session: Session, *, rules: Rules, categories: Categories, cut_off: datetime) -> pd.DataFrame:
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
            _is_about_the_company(categories),
            Complaint.submitted_at >= window_start(rules, cut_off),
            Complaint.submitted_at < cut_off,
        )
        .group_by(Complaint.community_id)
    )
    columns = ["community_id", "complaints", *CHANNEL_COLUMNS, "complaints_excluded"]
    found = pd.DataFrame(session.execute(statement).all(), columns=columns, dtype="int64")
    communities = pd.Index(session.scalars(select(Community.id).order_by(Community.id)).all(), name="community_id")
    return found.set_index("community_id").reindex(communities, fill_value=0)


def is_valid_complaint(categories: Categories) -> ColumnElement[bool]:
    """Return the condition under which a case counts in the complaint rate."""
    return and_(_is_about_the_company(categories), Complaint.status.not_in(sorted(NOT_VALID)))


def _is_about_the_company(categories: Categories) -> ColumnElement[bool]:
    attributable = [category.code for category in categories if category.attributable]
    return and_(Complaint.kind == CaseKind.COMPLAINT, Complaint.category.in_(attributable))


def window_start(rules: Rules, cut_off: datetime) -> datetime:
    """Return the start of the complaint period: the same local date and hour, so many months earlier."""
    local = cut_off.astimezone(ZoneInfo(rules.time_zone))
    months = local.year * 12 + local.month - 1 - rules.complaints.period_months
    year, month = months // 12, months % 12 + 1
    return local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1])).astimezone(UTC)


def community_table(
    session: Session,
    *,
    survey_round: Round,
    rules: Rules,
    questionnaire: Questionnaire,
    categories: Categories,
    cut_off: datetime,
    disclosure: DisclosureRules | None = None,
) -> pd.DataFrame:
    """Return the community table at the cut-off, as `analytics` evaluates it, in the order of numbers.

    A community without answers or without a known number of households keeps its row: missing is not zero. Disclosure
    rules are for `count_responses`.
    """
    places = read_places(session)
    answers = count_responses(
        session,
        survey_round=survey_round,
        rules=rules,
        questionnaire=questionnaire,
        before=cut_off,
        disclosure=disclosure,
    )
    channels = count_by_channel(session, survey_round=survey_round, rules=rules, before=cut_off)
    channels = channels.reindex(answers.index).fillna(0).astype("int64")
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
            **{str(name): counts for name, counts in channels.items()},
            "mean_index": answers["mean_index"],
            "sd_index": answers["sd_index"],
            **{name: answers[name] for name in (*COMPOSITE_COLUMNS, *COMPLAINED_COLUMNS) if name in answers},
            "households": surveyed_households(places, rules),
            **{str(name): counts for name, counts in filed.items()},
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
