"""Export of an evaluation's standings as CSV, each decision with its reason in words."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.decision.reasons import Part, reason_sentences
from analytics.decision.summary import COLUMN_PREFIXES
from analytics.decision.survey_channels import survey_channels
from analytics.disclosure.answer_tables import Official, are_all_shown
from analytics.evidence.underreported_complaints import underreported_complaints
from analytics.files.csv_files import ROWS_AT_ONCE, csv_file, in_parts
from analytics.languages import Wording
from analytics.reports.complaint_sentences import underreported_sentences
from analytics.reports.labels import survey_channel_words, valid_answers_words
from analytics.reports.percentile_words import percentile_cell
from analytics.rules import Population, Rules
from dashboards.frames.underreported_complaints import leave_out_untold
from survey_app.accounts.scope import Scope
from survey_app.catalogue import translator
from survey_app.evaluations.standings import disclosure_of, read_standings
from survey_app.evaluations.stored_profiles import read_reported
from survey_app.models import Community, CommunityProfile, Evaluation
from survey_app.storage.database import Database
from survey_app.stored_rules import rules_of

_BESIDE: Final = {
    Official.RATE: ("satisfaction_index",),
    Official.INDEX: ("satisfied", "satisfaction_rate"),
    Official.COMPOSITE: ("satisfied", "satisfaction_rate", "satisfaction_index"),
}
"""What bounds how many gave each rating to the overall question beside the measure that ranks."""

_SENTENCES: Final[Mapping[str, Part]] = {
    "criterion_sentence": "criterion",
    "satisfaction_sentence": "satisfaction",
    "complaint_sentence": "complaints",
}


def export_standings(database: Database, *, evaluation_id: int, scope: Scope, language: str) -> Iterator[str]:
    """Yield a CSV file of the standings in scope: the stored numbers and codes, and sentences that explain them.

    Raises `LookupError` if there is no such evaluation.
    """
    with database.reading() as session:
        standings = read_standings(session, evaluation_id=evaluation_id, scope=scope)
        evaluation = session.get_one(Evaluation, evaluation_id)
        regions = json.loads(evaluation.summary)["regions"]
        rules = rules_of(evaluation.rule_file.content)
        told = _told_by_rating(session, evaluation, rules)
        inputs = pd.DataFrame(json.loads(evaluation.inputs))
        is_provisional = evaluation.provisional
        disclosure = disclosure_of(evaluation.evaluated_at, rules)
        found = underreported_complaints(inputs, rules)[: 0 if is_provisional else None]
        reported = read_reported(
            session, evaluation_id=evaluation_id, numbers=found["community_id"].tolist(), scope=scope
        )
    # Only the measure that ranks is public. The others are told where all ratings are.
    beside = _BESIDE[Official(rules.satisfaction.measure)]
    withheld = ~standings["number"].isin(told)
    standings = standings.assign(**{name: standings[name].mask(withheld) for name in beside})
    channels = survey_channels(inputs)
    by_number = {} if channels is None else dict(zip(inputs["community_id"], channels, strict=True))
    warned = underreported_sentences(leave_out_untold(found, reported, disclosure), language)
    numbers = standings["number"]
    standings = standings.assign(survey_channel=numbers.map(by_number), complaint_warning=numbers.map(warned))
    return _lines(
        standings,
        regions,
        population=rules.satisfaction.population,
        is_provisional=is_provisional,
        language=language,
    )


def _lines(
    standings: pd.DataFrame,
    regions: Mapping[str, Any],
    *,
    population: Population,
    is_provisional: bool,
    language: str,
) -> Iterator[str]:
    _ = translator(language)
    result = _("Preview, not an official result") if is_provisional else _("Official")
    headings = _headings(population, language)
    explain = partial(reason_sentences, regions=regions, population=population, language=language)
    in_words = (
        _in_words(standing, regions, language)
        for start in range(0, len(standings), ROWS_AT_ONCE)
        for standing in _explained(standings.iloc[start : start + ROWS_AT_ONCE], explain)
    )
    rows = ([result, *(cells[name] for name in headings)] for cells in in_words)
    return csv_file([_("Result"), *headings.values()], in_parts(rows))


def _explained(standings: pd.DataFrame, explain: Callable[..., list[str]]) -> Iterator[dict[str, Any]]:
    """Yield the standing of each community with the sentences that explain it, None where a value is missing."""
    said = {name: explain(standings, part=part) for name, part in _SENTENCES.items()}
    stored = standings.astype(object).where(standings.notna(), None).to_numpy().tolist()
    for values, *sentences in zip(stored, *said.values(), strict=True):
        yield dict(zip((*standings.columns, *said), (*values, *sentences), strict=True))


def _told_by_rating(session: Session, evaluation: Evaluation, rules: Rules) -> frozenset[str]:
    """Return the communities of which the table of answers tells how many gave each rating to the ranked question."""
    rule, disclosure = rules.satisfaction, disclosure_of(evaluation.evaluated_at, rules)
    statement = select(Community.number, CommunityProfile.answers).join(
        Community, CommunityProfile.community_id == Community.id
    )
    rows = session.execute(statement.where(CommunityProfile.evaluation_id == evaluation.id))
    given = ((number, json.loads(answers).get(rule.question, {})) for number, answers in rows)
    return frozenset(
        number
        for number, counts in given
        if are_all_shown([counts.get(str(code), 0) for code in rule.valid_codes], rules=disclosure)
    )


def _headings(population: Population, language: str) -> dict[str, str]:
    _ = translator(language)
    return {
        "number": _("Community number"),
        "name": _("Community"),
        "region": _("District"),
        "subdistrict": _("Subdistrict"),
        "neighbourhood": _("Neighbourhood"),
        "company": _("Property company"),
        "criterion_status": _("Criterion"),
        "criterion_route": _("Met by"),
        "criterion_sentence": _("Criterion in words"),
        "responses": valid_answers_words(language)[population],
        "satisfied": _("Satisfied"),
        "households": _("Households"),
        "survey_channel": _("Answers came through"),
        "satisfaction_rate": _("Satisfaction rate"),
        "satisfaction_index": _("Satisfaction index"),
        "satisfaction_rank": _("Satisfaction rank"),
        "satisfaction_last_rank": _("Last rank of those tied"),
        "satisfaction_percentile": _("Satisfaction: percentile"),
        "satisfaction_status": _("Satisfaction route"),
        "satisfaction_sentence": _("Satisfaction route in words"),
        "complaints": _("Valid complaints"),
        "exposure_household_years": _("Household-years"),
        "complaints_per_1000_household_years": _("Complaints per 1,000 household-years"),
        "complaint_rank": _("Complaint rank"),
        "complaint_last_rank": _("Last rank of those tied (complaints)"),
        "complaint_percentile": _("Complaints: percentile"),
        "complaint_status": _("Complaint route"),
        "complaint_sentence": _("Complaint route in words"),
        "complaint_warning": _("Please check"),
    }


def _in_words(standing: Mapping[str, Any], regions: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return the cells of one community: names in one language, sentences, numbers and codes as they are."""
    return {
        **standing,
        "number": standing["number"],
        "name": Wording.of(standing["name"], standing["english_name"]).in_language(language),
        "region": Wording.of(standing["region"], standing["region_english"]).in_language(language),
        **{
            named: Wording.of(standing[named] or "", standing[f"{named}_english"]).in_language(language)
            for named in ("subdistrict", "neighbourhood", "company")
        },
        "survey_channel": survey_channel_words(language).get(standing["survey_channel"]),
        **{
            f"{prefix}_percentile": percentile_cell(standing, regions, route)
            for route, prefix in COLUMN_PREFIXES.items()
        },
    }
