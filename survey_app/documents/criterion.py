"""Criterion as a document: on each route the cut-off, the ties, who stands around it, and how stable the list is."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import pandas as pd

from analytics.decision.table_columns import float_column
from analytics.reports.chart_words import Labels
from analytics.reports.labels import route_words
from analytics.reports.svg_charts import ScoreIntervals
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import CutOff, has_estimates, met, scale_of
from dashboards.languages import pick
from dashboards.panels.around_cut_off import (
    RankedRegion,
    around_cut_off_numbers,
    communities_around_cut_off,
    cut_off_sentence,
    decision_headings,
    decision_words,
    measured,
    probability_note,
    ranked_regions,
    robust_sentence,
)
from dashboards.panels.list_evidence import decision_by_evidence, list_evidence_numbers, list_evidence_sentence
from dashboards.panels.list_stability import sentences_on_stability
from dashboards.panels.rules import rule_facts
from dashboards.panels.sensitivity import sensitivity_by_region
from dashboards.panels.settling import settling_by_region
from dashboards.routes import ROUTES
from dashboards.widgets.components import records
from survey_app.catalogue import translator
from survey_app.documents.blocks import (
    Block,
    Cell,
    TableColumn,
    check_length,
    facts,
    heading,
    paragraph,
    sentences,
    table,
)
from survey_app.documents.charts import caterpillar
from survey_app.documents.cover import Contents
from survey_app.documents.tables import cut_offs_table, numbers_table

# Of rank, decision, evidence, probability, reason, and on one of the routes of the answers that are needed.
_WIDTHS: Final = (0.9, 1.3, 1.5, 1.4, 3.2, 1.6)


def criterion(shown: PageData) -> Contents:
    """Return the contents of the document for one view, on both routes."""
    _ = translator(shown.language)
    region = shown.view.region
    routes = [replace(shown, view=shown.view.with_changes(route=route)) for route in ROUTES.values()]
    return Contents(
        title=_("Criterion: the list and its evidence"),
        place=None if region is None else shown.region_label(region),
        blocks=[
            heading(_("Positions and cut-offs")),
            cut_offs_table(shown),
            *(block for of_route in routes for block in _route(of_route)),
            *_by_region(shown, _("What would settle the list by satisfaction"), settling_by_region(shown)),
            *_by_region(shown, _("Few answers, and ways of answering"), sensitivity_by_region(shown)),
            heading(_("Rules in force")),
            facts(rule_facts(shown.header, shown.language)),
        ],
    )


def _by_region(shown: PageData, title: str, said: Mapping[str, Sequence[str]]) -> Iterator[Block]:
    """Yield what is said of each region under one heading; nothing where nothing is."""
    if said:
        yield heading(title)
    for region, about in said.items():
        yield heading(shown.region_label(region), level=2)
        yield sentences(about)


def _route(shown: PageData) -> Iterator[Block]:
    _ = translator(shown.language)
    route, lists = shown.view.route, shown.list_facts(shown.view.route)
    crossed = decision_by_evidence(shown.standings, route)
    yield heading(route_words(shown.language)[route.key])
    yield paragraph(list_evidence_sentence(shown, route))
    if crossed.to_numpy().sum():
        yield numbers_table(list_evidence_numbers(crossed, route, shown.language))
        yield paragraph(_("The decision follows the rules; the evidence never changes it."))
    for here in ranked_regions(shown):
        yield heading(shown.region_label(here.region), level=2)
        yield paragraph(cut_off_sentence(shown, here))
        stability = lists.get(here.region, {}).get("stability")
        if stability:
            yield sentences(sentences_on_stability(shown, lists[here.region]))
        if here.cut_off is not None:
            yield from _around(shown, here, here.cut_off)


def _around(shown: PageData, here: RankedRegion, cut_off: CutOff) -> Iterator[Block]:
    """Yield the communities nearest to the cut-off as a drawing with its numbers, and the decision about all listed."""
    _ = translator(shown.language)
    listed = communities_around_cut_off(here.ordered, cut_off, most_within=len(here.ordered))
    if listed.empty:
        return
    check_length(len(listed))
    whole = measured(listed, shown)
    near = whole.loc[communities_around_cut_off(here.ordered, cut_off).index]
    yield _drawing(shown, near, cut_off)
    # What is to be checked stands beside the decisions.
    yield numbers_table(around_cut_off_numbers(shown, near, with_checks=False))
    yield paragraph(f"{robust_sentence(whole, shown)} {probability_note(shown)}")
    yield _decisions(shown, whole)


def _drawing(shown: PageData, near: pd.DataFrame, cut_off: CutOff) -> Block:
    _ = translator(shown.language)
    route = shown.view.route
    scale = scale_of(shown.header, route, shown.language)
    described = (
        _(
            "Communities around the cut-off, the first on top. The point is the score of those who answered; the line"
            " is where the true level of all households may well lie, its stroke the best estimate. Dashed: the"
            " cut-off, {score}."
        )
        if has_estimates(route, shown.header.evidence_method)
        else _(
            "Communities around the cut-off, the first on top. The point is the score, the line its confidence"
            " interval. Dashed: the cut-off, {score}."
        )
    )
    columns = (route.score, "estimate", "lower", "upper")
    scores, estimates, lower, upper = (float_column(near, name) * scale.factor for name in columns)
    intervals = ScoreIntervals(scores, estimates, lower, upper, met(near, route.status).to_numpy(dtype=bool))
    names = [pick(shown.language, *pair) for pair in zip(near["name"], near["english_name"], strict=True)]
    place = None if cut_off.score is None or math.isnan(cut_off.score) else cut_off.score * scale.factor
    labels = Labels(described.format(score=scale.write(cut_off.score)), scale.axis, "", _("- - cut-off"))
    return caterpillar(names, intervals, cut_off=place, labels=labels)


def _decisions(shown: PageData, listed: pd.DataFrame) -> Block:
    _ = translator(shown.language)
    # The district stands above.
    _district, *headings = decision_headings(shown)
    columns = [
        TableColumn(_("Community"), width=2.2),
        *(TableColumn(name, width) for name, width in zip(headings, _WIDTHS, strict=False)),
    ]
    rows: list[list[Cell]] = []
    for row in records(listed):
        _region, *words = decision_words(row, shown)
        rows.append([f"{pick(shown.language, row['name'], row['english_name'])}\n{row['number']}", *words])
    return table(columns, rows, caption=_("All within the cut-off, and those next to it"))
