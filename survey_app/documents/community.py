"""One community as a document: its standing and why, percentiles in words, intervals, aspects, rounds, complaints."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analytics.reports.chart_words import Labels
from analytics.reports.labels import route_words
from analytics.reports.percentile_words import percentile_lines
from analytics.reports.svg_charts import ScoreIntervals
from dashboards.frames.aspects import aspects_of_community
from dashboards.frames.page_data import PageData
from dashboards.frames.profile import cases_by_category, cases_by_month, satisfied_shares
from dashboards.frames.standings import scale_of
from dashboards.languages import pick
from dashboards.pages.community import rated_of, route_figures, standing_facts
from dashboards.panels.aspect_percentiles import aspects_numbers, aspects_sentence, no_percentile, percentiles_note
from dashboards.panels.community_profile import (
    cases_sentence,
    domains_note,
    domains_numbers,
    domains_sentence,
    drivers_numbers,
    drivers_sentence,
    known_drivers,
    months_numbers,
)
from dashboards.panels.complaint_categories import categories_numbers, uncounted_note
from dashboards.panels.integrity_notes import integrity_facts, integrity_note, not_examined
from dashboards.panels.owners_and_tenants import tenures_note, tenures_sentence, tenures_table
from dashboards.panels.round_trend import Trend, deciles_numbers, no_second_round, rounds_numbers, trend_of
from dashboards.panels.survey_reported_complaints import (
    reported_and_recorded_rates,
    reported_numbers,
    reported_sentence,
    too_few_said,
)
from dashboards.routes import ROUTES
from dashboards.source import Profile, ReportedComplaints
from dashboards.widgets.components import records
from dashboards.widgets.evaluation_notices import no_answers_kept
from survey_app.catalogue import translator
from survey_app.documents.blocks import Block, TableColumn, facts, heading, paragraph, sentences, table
from survey_app.documents.charts import caterpillar, rounds
from survey_app.documents.cover import Contents
from survey_app.documents.tables import numbers_table

_PERCENT = 100
_SATISFACTION = ROUTES["satisfaction"]


def community(shown: PageData) -> Contents:
    """Return the contents of the document about the community that the view names; `LookupError` for none in sight."""
    _ = translator(shown.language)
    number = shown.view.own.get("community", "")
    found = records(shown.source.standings_of(shown.header.id, [number]))
    if not found:
        raise LookupError(number)
    [row] = found
    profile = shown.source.profile(shown.header.id, number)
    regions, checks = shown.header.summary["regions"], shown.warnings_about(number)
    lines = list(percentile_lines(row, regions, shown.language))
    return Contents(
        title=_("Result of one community"),
        place=pick(shown.language, row["name"], row["english_name"]),
        blocks=[
            heading(_("Standing")),
            facts(standing_facts(shown, row)),
            *([sentences(checks)] if checks else []),
            heading(_("Percentiles in words")),
            sentences(lines) if lines else paragraph(_("It is not ranked on either route.")),
            heading(_("Scores, ranks and intervals")),
            _figures(shown, row),
            heading(_("Aspects of service")),
            *_aspects(shown, row, profile),
            *([] if profile is None else _explained(shown, row, profile)),
            heading(_("Round by round")),
            *_rounds(shown, row),
            heading(_("Complaints of the period")),
            *_complaints(shown, row, profile),
            heading(_("Signs of false answers")),
            *_integrity(shown, row),
        ],
    )


def _figures(shown: PageData, row: Mapping[str, Any]) -> Block:
    _ = translator(shown.language)
    columns = [
        TableColumn(_("Route"), width=1.2),
        TableColumn(_("Figure"), width=1.6),
        TableColumn(_("Value"), width=0.8, numeric=True),
        TableColumn(_("What it means"), width=3.4),
    ]
    rows = [
        [route_words(shown.language)[key], *figure]
        for key, route in ROUTES.items()
        for figure in route_figures(shown, row, route)
    ]
    return table(columns, rows, caption=_("Score, rank and percentile on each route"))


def _aspects(shown: PageData, row: Mapping[str, Any], profile: Profile | None) -> Iterator[Block]:
    if profile is None:
        yield paragraph(no_answers_kept(shown.language))
        return
    rated = rated_of(shown, row, profile)
    shares = satisfied_shares(profile, rated, shown.header.rules, disclosure=shown.disclosure)
    yield paragraph(domains_sentence(shown, shares))
    known = shares[shares["rate"].notna()]
    if len(known):
        yield _drawing(shown, known)
    yield numbers_table(domains_numbers(shown, shares))
    yield paragraph(domains_note(shown))


def _explained(shown: PageData, row: Mapping[str, Any], profile: Profile) -> Iterator[Block]:
    """Yield percentiles by aspect, owners and tenants, and what goes together with overall satisfaction."""
    _ = translator(shown.language)
    yield heading(_("Percentile by aspect of service"))
    aspects = aspects_of_community(shown.source, shown.header.id, region=row["region"], number=row["number"])
    if aspects["percentile"].isna().all():
        yield paragraph(no_percentile(shown.language))
    else:
        yield paragraph(aspects_sentence(aspects, shown.language))
        yield numbers_table(aspects_numbers(shown, aspects))
        yield paragraph(percentiles_note(shown))
    if not profile.tenures.empty:
        ranked = rated_of(shown, row, profile)[shown.header.rules.satisfaction.question]
        headings, rows = tenures_table(shown, profile, ranked)
        columns = [TableColumn(name, numeric=place > 0) for place, name in enumerate(headings)]
        yield heading(_("Owners and tenants"))
        yield paragraph(tenures_sentence(shown))
        yield table(columns, rows, caption=_("Owners and tenants"))
        yield paragraph(tenures_note(shown))
    drivers = known_drivers(profile)
    yield heading(_("What matters to residents here and around"))
    yield paragraph(drivers_sentence(profile, drivers, shown.language))
    if len(drivers):
        yield numbers_table(drivers_numbers(shown, drivers))


def _integrity(shown: PageData, row: Mapping[str, Any]) -> Iterator[Block]:
    found = integrity_facts(shown, row)
    if not found:
        yield paragraph(not_examined(shown.language))
        return
    yield facts(found)
    yield paragraph(integrity_note(shown.language))


def _drawing(shown: PageData, shares: pd.DataFrame) -> Block:
    _ = translator(shown.language)
    description = _(
        "Satisfied answers by question, in percent. The point is this community, the line is where the share among all"
        " its residents may well lie, the stroke is all communities ranked with it."
    )
    columns = ("rate", "region_rate", "lower", "upper")
    rates, of_region, lower, upper = (shares[name].to_numpy("float64") * _PERCENT for name in columns)
    intervals = ScoreIntervals(rates, of_region, lower, upper, np.zeros(len(shares), dtype=bool))
    names = [pick(shown.language, *pair) for pair in zip(shares["label"], shares["english_label"], strict=True)]
    labels = Labels(description, _("Satisfied (%)"), "", "")
    return caterpillar(names, intervals, cut_off=None, labels=labels)


def _rounds(shown: PageData, row: Mapping[str, Any]) -> Iterator[Block]:
    trend = trend_of(shown, row, shown.source.history(row["number"]))
    if trend is None:
        yield paragraph(no_second_round(shown.language))
        return
    yield sentences(filter(None, (trend.change, trend.regression)))
    yield _rounds_drawing(shown, trend)
    yield numbers_table(rounds_numbers(shown, trend.rounds))
    if not np.isnan(trend.fan).all():
        yield numbers_table(deciles_numbers(shown, trend))


def _rounds_drawing(shown: PageData, trend: Trend) -> Block:
    _ = translator(shown.language)
    scale = scale_of(shown.header, _SATISFACTION, shown.language)
    description = _("Scores round by round. The point is the score, the line where it may well lie.")
    if not np.isnan(trend.fan).all():
        description += _(" Shaded: the deciles of all communities ranked with it, dashed their median.")
    columns = ("satisfaction_score", "estimate", "satisfaction_lower", "satisfaction_upper")
    scores, estimates, lower, upper = (trend.rounds[name].to_numpy("float64") * scale.factor for name in columns)
    intervals = ScoreIntervals(scores, estimates, lower, upper, np.ones(len(scores), dtype=bool))
    labels = Labels(description, _("Round"), scale.axis, "")
    return rounds(trend.rounds["round"].tolist(), intervals, trend.fan * scale.factor, labels=labels)


def _complaints(shown: PageData, row: Mapping[str, Any], profile: Profile | None) -> Iterator[Block]:
    yield paragraph(cases_sentence(profile, shown.language))
    if profile is None:
        return
    if not profile.complaints.empty:
        yield numbers_table(categories_numbers(cases_by_category(profile.complaints), shown.language))
        yield numbers_table(months_numbers(cases_by_month(profile.complaints), shown.language))
        yield paragraph(uncounted_note(shown.language))
    if profile.reported is not None:
        yield from _reported(shown, row, profile.reported)


def _reported(shown: PageData, row: Mapping[str, Any], reported: ReportedComplaints) -> Iterator[Block]:
    if reported.asked < shown.disclosure.minimum_opinion_base:
        yield paragraph(too_few_said(shown))
        return
    rates = reported_and_recorded_rates(
        row, reported, shown.header.rules, disclosure=shown.disclosure, language=shown.language
    )
    yield paragraph(reported_sentence(shown, rates))
    yield numbers_table(reported_numbers(shown, rates))
