"""Stored profiles behind standings, read with the words of their questionnaire."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Row, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from analytics.decision.table_columns import float_column
from analytics.disclosure.answer_tables import are_shares_told, are_told_through
from analytics.disclosure.rules import DisclosureRules
from analytics.disclosure.suppression import rounded_share
from analytics.evidence.aspect_percentiles import aspect_percentiles
from analytics.evidence.household_clustering import answer_design_effects
from analytics.rules import Rules
from analytics.statistics.complaint_rates import CHANNELS
from analytics.statistics.validation import IntegerArray
from dashboards.source import Profile, ReportedComplaints
from survey_app.accounts.scope import Scope
from survey_app.complaints.categories import category_of
from survey_app.evaluations.standings import disclosure_in, read_evaluated_table, require_evaluation, rules_in
from survey_app.models import Community, CommunityProfile, District, Evaluation, RegionProfile, Round, Standing
from survey_app.models import Questionnaire as QuestionnaireRow
from survey_app.rounds.questionnaires import (
    Complained,
    Question,
    Questionnaire,
    QuestionType,
    questionnaire_from_canonical,
)

TENURE_COLUMNS = ["tenure", "responses", "satisfied"]
_ROWS_AT_ONCE = 1_000
_Answers = Mapping[str, Mapping[str, int]]
"""Answer counts: how often each code was given to each question."""


def read_profile(session: Session, *, evaluation_id: int, number: str, scope: Scope) -> Profile | None:
    """Return the profile of a standing in scope, with the words of its questionnaire; None where it was not kept.

    Raises `LookupError` if there is no such standing, or it lies outside the scope.
    """
    place = session.execute(
        scope.communities(
            select(Community.id, Standing.region, QuestionnaireRow.text)
            .select_from(Standing)
            .join(Community, Standing.community_id == Community.id)
            .join(Evaluation, Standing.evaluation_id == Evaluation.id)
            .join(Round, Evaluation.round_id == Round.id)
            .join(QuestionnaireRow, Round.questionnaire_id == QuestionnaireRow.id)
            .where(Standing.evaluation_id == evaluation_id, Community.number == number)
        )
    ).first()
    if place is None:
        raise LookupError(f"there is no standing of community {number} in evaluation {evaluation_id}")
    own = session.get(CommunityProfile, (evaluation_id, place.id))
    beside = session.get(RegionProfile, (evaluation_id, place.region))
    if own is None or beside is None:
        return None
    questionnaire = questionnaire_from_canonical(place.text)
    here, region, drivers = (json.loads(text) for text in (own.answers, beside.answers, beside.drivers))
    return Profile(
        answers=_answers_in_words(questionnaire, here, region),
        complaints=complaints_in_words(json.loads(own.complaints)),
        drivers=_drivers_in_words(questionnaire, drivers["domains"]),
        respondents=drivers["respondents"],
        tenures=pd.DataFrame(json.loads(own.other_population).get("tenures", []), columns=TENURE_COLUMNS),
        reported=_reported_beside(
            session,
            questionnaire,
            here,
            region,
            among=(evaluation_id, place.region),
            disclosure=disclosure_in(session, evaluation_id),
        ),
    )


def read_reported(session: Session, *, evaluation_id: int, numbers: Collection[str], scope: Scope) -> pd.DataFrame:
    """Return how many respondents of some communities in scope say that they complained, and of how many.

    Columns number, said, asked, answered; no rows where the questionnaire does not ask, or nothing was kept, or the
    table of answers withholds who complained.
    """
    disclosure = disclosure_in(session, evaluation_id)
    statement = (
        select(Community.number, CommunityProfile.answers, QuestionnaireRow.text)
        .select_from(CommunityProfile)
        .join(Community, CommunityProfile.community_id == Community.id)
        .join(Evaluation, CommunityProfile.evaluation_id == Evaluation.id)
        .join(Round, Evaluation.round_id == Round.id)
        .join(QuestionnaireRow, Round.questionnaire_id == QuestionnaireRow.id)
        .where(CommunityProfile.evaluation_id == evaluation_id, Community.number.in_(numbers))
    )
    rows = []
    for number, answers, text in session.execute(scope.communities(statement)):
        questionnaire, given = questionnaire_from_canonical(text), json.loads(answers)
        complained = questionnaire.complained
        if complained is not None and _is_complained_told(questionnaire, given, disclosure):
            rows.append((number, *_said_and_asked(questionnaire, complained, given)))
    return pd.DataFrame(rows, columns=["number", "said", "asked", "answered"])


def read_aspects(session: Session, *, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    """Return the aspects of service with the share that is satisfied in each region in scope; see `dashboards.source`.

    Raises `LookupError` if there is no such evaluation.
    """
    require_evaluation(session, evaluation_id)
    questionnaire, rules = _questionnaire_in(session, evaluation_id), rules_in(session, evaluation_id)
    disclosure, aspects = disclosure_in(session, evaluation_id), _aspects(questionnaire, rules)
    seen = scope.communities(
        select(Standing.region).join(Community, Standing.community_id == Community.id).distinct()
    ).where(Standing.evaluation_id == evaluation_id)
    stored = session.execute(
        select(RegionProfile.region, RegionProfile.answers)
        .where(RegionProfile.evaluation_id == evaluation_id, RegionProfile.region.in_(seen))
        .order_by(RegionProfile.region)
    ).all()
    counted = zip(*_count_aspects([row.answers for row in stored], aspects, rules), strict=True)
    rows = [
        (row.region, question.key, question.short.zh_hans, question.short.en, share)
        for row, of_region in zip(stored, counted, strict=True)
        for question, satisfied, answered in zip(aspects, *of_region, strict=True)
        for share in [rounded_share(satisfied, answered, rules=disclosure)]
    ]
    columns = ["region", "question", "label", "english_label", "share"]
    return pd.DataFrame(rows, columns=columns).astype({"share": "float64"})


def read_aspect_standings(session: Session, *, evaluation_id: int, region: str) -> pd.DataFrame:
    """Return how all communities of a region stand in each aspect of service; see `dashboards.source`.

    Of no scope: percentiles are those among all that were ranked together, and whoever hands them out takes the rows of
    an account. Raises `LookupError` if there is no such evaluation.
    """
    table = read_evaluated_table(session, evaluation_id)
    questionnaire, rules = _questionnaire_in(session, evaluation_id), rules_in(session, evaluation_id)
    aspects = _aspects(questionnaire, rules)
    statement = (
        select(Community.number, CommunityProfile.answers)
        .select_from(CommunityProfile)
        .join(Community, CommunityProfile.community_id == Community.id)
        .join(
            Standing,
            and_(
                Standing.evaluation_id == CommunityProfile.evaluation_id,
                Standing.community_id == CommunityProfile.community_id,
            ),
        )
        .where(CommunityProfile.evaluation_id == evaluation_id, Standing.region == region)
        .order_by(Community.sort_key, Community.number)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    # Part by part, since the texts of a hundred thousand communities are a hundred megabytes.
    numbers: list[str] = []
    counted = [_count_aspects([], aspects, rules)]
    for part in session.execute(statement).partitions(_ROWS_AT_ONCE):
        numbers += [row.number for row in part]
        counted.append(_count_aspects([row.answers for row in part], aspects, rules))
    satisfied, answered = (np.concatenate(each) for each in zip(*counted, strict=True))
    told = are_shares_told(satisfied, answered, rules=disclosure_in(session, evaluation_id))
    places, asked = np.nonzero(told)
    beside = pd.DataFrame(
        {"households": float_column(table, "households"), "design_effect": answer_design_effects(table, rules)},
        index=table["community_id"],
    ).loc[numbers]
    shares = pd.DataFrame(
        {
            "number": pd.Categorical.from_codes(places, pd.Index(numbers, dtype="str")),
            "question": pd.Categorical.from_codes(asked, pd.Index([each.key for each in aspects], dtype="str")),
            "satisfied": satisfied[places, asked],
            "answered": answered[places, asked],
        }
    )
    beside = beside.iloc[places].set_axis(shares.index)
    return shares.join(aspect_percentiles(shares.join(beside), rules))


def _questionnaire_in(session: Session, evaluation_id: int) -> Questionnaire:
    statement = (
        select(QuestionnaireRow.text)
        .join(Round, Round.questionnaire_id == QuestionnaireRow.id)
        .join(Evaluation, Evaluation.round_id == Round.id)
    )
    return questionnaire_from_canonical(session.scalars(statement.where(Evaluation.id == evaluation_id)).one())


def _aspects(questionnaire: Questionnaire, rules: Rules) -> list[Question]:
    """Return the aspects of service that are rated on the scale of the ranked question."""
    ranked = questionnaire.question(rules.satisfaction.question)
    return [
        question
        for question in questionnaire.questions
        if question.domain is not None and question.key != ranked.key and question.codes == ranked.codes
    ]


def _count_aspects(
    texts: Sequence[str], aspects: Sequence[Question], rules: Rules
) -> tuple[IntegerArray, IntegerArray]:
    """Return how many are satisfied with each aspect, and how many gave a valid answer, by stored answers and aspect.

    Both are 0 where none were kept.
    """
    rule, keys = rules.satisfaction, [question.key for question in aspects]
    codes = [str(code) for code in rule.valid_codes]
    found = [
        [given.get(code, 0) for key in keys for given in [answers.get(key, {})] for code in codes]
        for answers in map(json.loads, texts)
    ]
    counts = np.array(found, dtype=np.int64).reshape(len(found), len(keys), len(codes))
    is_satisfied = np.isin(rule.valid_codes, rule.satisfied_codes)
    return counts[..., is_satisfied].sum(axis=-1), counts.sum(axis=-1)


def read_other_population(session: Session, *, evaluation_id: int) -> pd.DataFrame:
    """Return counts of the other population's answers, by community number; no rows where none were kept.

    Columns as those of a community table that count answers and households.
    """
    statement = (
        select(Community.number, CommunityProfile.other_population)
        .join(Community, CommunityProfile.community_id == Community.id)
        .where(CommunityProfile.evaluation_id == evaluation_id)
    )
    rows = {number: json.loads(text) for number, text in session.execute(statement)}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=None if rows else ["responses", "satisfied"])
    return table.drop(columns="tenures", errors="ignore")


def read_channels(session: Session, *, evaluation_id: int, scope: Scope) -> pd.DataFrame:
    """Return region, channel, complaints, household_years of the regions in scope; no rows where none were kept."""
    rows = [
        (region, channel, number, counts["household_years"])
        for region, text in regions_in_scope(session, RegionProfile.channels, evaluation_id=evaluation_id, scope=scope)
        if (counts := json.loads(text))
        # An evaluation from before a channel existed has no count of it.
        for channel in CHANNELS
        if (number := counts.get(channel)) is not None
    ]
    return pd.DataFrame(rows, columns=["region", "channel", "complaints", "household_years"])


def regions_in_scope(
    session: Session, column: InstrumentedAttribute[str], *, evaluation_id: int, scope: Scope
) -> list[Row[*tuple[str, str]]]:
    """Return each region that an account may see, with one column of its profile."""
    rows = session.execute(select(RegionProfile.region, column).filter_by(evaluation_id=evaluation_id)).all()
    districts = set(session.scalars(scope.communities(select(District.name).join(Community).distinct())))
    return [row for row in rows if scope.is_city or row[0] in districts]


def _reported_beside(
    session: Session,
    questionnaire: Questionnaire,
    here: _Answers,
    region: _Answers,
    *,
    among: tuple[int, str],
    disclosure: DisclosureRules,
) -> ReportedComplaints | None:
    complained = questionnaire.complained
    if complained is None:
        return None
    evaluation_id, name = among
    # Not limited to the account's scope: a sum over all that were ranked together, as the region's answers are.
    complaints, years = session.execute(
        select(func.sum(Standing.complaints), func.sum(Standing.exposure_household_years)).where(
            Standing.evaluation_id == evaluation_id,
            Standing.region == name,
            Standing.complaints.is_not(None),
            Standing.exposure_household_years > 0,
        )
    ).one()
    said, asked, answered = _said_and_asked(questionnaire, complained, here)
    is_withheld = not _is_complained_told(questionnaire, here, disclosure)
    region_said, region_asked, _answered = _said_and_asked(questionnaire, complained, region)
    return ReportedComplaints(
        said, asked, answered, region_said, region_asked, complaints or 0, years or 0.0, is_withheld=is_withheld
    )


def _said_and_asked(questionnaire: Questionnaire, complained: Complained, answers: _Answers) -> tuple[int, int, int]:
    """Return how many say that they complained, how many were asked, and how many answered the very question."""
    asked = sum(
        answers[question].get(str(code), 0)
        for question, codes in questionnaire.asked_about_complaints.items()
        for code in codes
    )
    said = answers[complained.question]
    return said.get(str(complained.code), 0), asked, sum(said.values())


def _is_complained_told(questionnaire: Questionnaire, answers: _Answers, disclosure: DisclosureRules) -> bool:
    """Return whether a table of these answers shows who complained, and every answer that led to the question."""
    steps = []
    for question, leading in questionnaire.leading_to_complained.items():
        codes = questionnaire.question(question).codes
        given = [answers[question].get(str(code), 0) for code in codes]
        steps.append((np.array([given]), [codes.index(code) for code in leading]))
    return bool(are_told_through(steps, rules=disclosure)[0])


def _answers_in_words(
    questionnaire: Questionnaire, here: Mapping[str, Mapping[str, int]], region: Mapping[str, Mapping[str, int]]
) -> pd.DataFrame:
    rows = [
        {
            "question": question.key,
            "label": question.short.zh_hans,
            "english_label": question.short.en,
            "domain": question.domain is not None,
            "code": option.code,
            "option": option.label.zh_hans,
            "english_option": option.label.en,
            "missing": option.missing,
            "here": here[question.key].get(str(option.code), 0),
            "region": region[question.key].get(str(option.code), 0),
        }
        for question in questionnaire.questions
        if question.key in here and question.type is not QuestionType.MULTI
        for option in question.options
    ]
    return pd.DataFrame(rows)


def complaints_in_words(cases: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Return stored cases with the names of their categories; columns as in `dashboards.source.Profile`."""
    rows = [
        (month, category, name.zh_hans, name.en, bool(valid), number)
        for month, category, valid, number in cases
        for name in [category_of(category).name]
    ]
    return pd.DataFrame(rows, columns=["month", "category", "label", "english_label", "valid", "cases"])


def _drivers_in_words(questionnaire: Questionnaire, domains: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    short = {question.key: question.short for question in questionnaire.questions}
    rows = [
        {
            "question": domain["domain"],
            "label": short[domain["domain"]].zh_hans,
            "english_label": short[domain["domain"]].en,
            **{name: value for name, value in domain.items() if name != "domain"},
        }
        for domain in domains
    ]
    return pd.DataFrame(rows).astype(_DRIVER_TYPES)


_DRIVER_TYPES = dict.fromkeys(("weight", "share", "lower", "upper"), "float64") | {"n": "int64"}
