"""Overview page: who meets the criterion and why, how far the data support it, how the list came about."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from dash import html
from dash.development.base_component import Component

from dashboards.address import View
from dashboards.figures.chart_parts import count_text
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import CutOff, counted_words, cut_offs, scale_of
from dashboards.labels import ranked_words
from dashboards.languages import translator
from dashboards.pages.page import FoldedPart, Page, Part, Parts, Section
from dashboards.panels.collection_progress import collection_summary
from dashboards.panels.district_map import map_panel
from dashboards.panels.districts import districts_panel
from dashboards.panels.finding import finding_panel
from dashboards.panels.list_evidence import list_evidence_panel
from dashboards.panels.moved_most import moved_most_panel
from dashboards.panels.qualified import qualified_panel
from dashboards.panels.rules import rules_panel
from dashboards.panels.score_ranking import score_ranking_panel
from dashboards.source import EvaluationSource, KeyCounts
from dashboards.widgets.components import key_figure, panel
from dashboards.widgets.evaluation_notices import no_evaluation, provisional_notice
from dashboards.widgets.links import Linked, communities_address, linked, paper_links
from dashboards.widgets.paper_head import paper_head


def draw(source: EvaluationSource, view: View, now: datetime) -> Parts:
    """Return the parts of the page for one view."""
    progress = Part(lambda: collection_summary(source.progress(), view, now=now))
    shown = PageData.of(source, view)
    if shown is None:
        return [*no_evaluation(view), progress]
    _ = translator(view.language)
    return [
        *provisional_notice(shown),
        paper_head(shown, title(shown.language), now=now),
        html.Div(paper_links(shown.view, "overview"), className="filters unprinted"),
        Part(lambda: finding_panel(shown), "finding"),
        Part(lambda: _key_figures(shown)),
        Part(lambda: list_evidence_panel(shown), "support"),
        Part(lambda: districts_panel(shown)),
        Part(lambda: map_panel(shown, source.boundaries())),
        Part(lambda: qualified_panel(shown), "qualified"),
        Part(lambda: _warnings_panel(shown)),
        progress,
        FoldedPart(
            _("Evidence and method"),
            [
                Part(lambda: score_ranking_panel(shown)),
                Part(lambda: moved_most_panel(shown)),
                Part(lambda: rules_panel(shown.header, view.language)),
            ],
            "basis",
        ),
    ]


def sections(language: str) -> list[Section]:
    """Return the sections of this page for the navigation."""
    _ = translator(language)
    return [
        Section("finding", _("The finding")),
        Section("support", _("Reliability")),
        Section("qualified", _("Who qualifies")),
        Section("basis", _("Evidence and method")),
    ]


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("Overview")


PAGE: Final = Page(path="", title=title, sections=sections, draw=draw)


def _warnings_panel(shown: PageData) -> list[Component]:
    """Return what must be borne in mind with the evaluation; nothing where nothing is."""
    _, warnings = translator(shown.language), shown.warnings()
    listed = html.Ul([html.Li(said) for said in warnings])
    return [panel(_("Please note"), listed, anchor="warnings")] if warnings else []


def _key_figures(shown: PageData) -> Component:
    _ = translator(shown.language)
    route, now, before = shown.view.route, shown.counts, shown.earlier_counts

    def figure(name: str, count: Callable[[KeyCounts], int | None], **own: str) -> Component:
        here, there = count(now), None if before is None else count(before)
        note = None
        if here is not None and there is not None:
            note = _("{change} since the previous round").format(change=_signed(here - there))
        rows = Linked(count_text(here), communities_address(shown.view, **own))
        return key_figure(name, count_text(here) if here is None else linked(rows), note=note)

    figures = [
        figure(_("Communities"), lambda counts: counts.communities),
        figure(
            ranked_words(route, shown.language), lambda counts: counts.ranked[route.key], group=f"ranked_by_{route.key}"
        ),
        figure(_("Meet the criterion"), lambda counts: counts.met, status="met"),
        figure(counted_words(shown.header, shown.language), lambda counts: counts.responses, sort="-responses"),
        _cut_off_figure(shown),
    ]
    return html.Dl(figures, className="key-figures five", id="key-figures")


def _cut_off_figure(shown: PageData) -> Component:
    _ = translator(shown.language)
    scale = scale_of(shown.header, shown.view.route, shown.language)
    here = shown.cut_offs(shown.view.route)
    name = _("Cut-off: {measure}").format(measure=scale.title)
    if len(here) == 1:
        return key_figure(name, scale.write(here[0].score), note=_cut_off_change(shown, here[0]))
    scores = [cut_off.score for cut_off in here if cut_off.score is not None]
    if not scores:
        return key_figure(name, "—", note=_("no position available"))
    if len(here) > 4:
        return key_figure(name, f"{scale.write(min(scores))} – {scale.write(max(scores))}", note=_("by district"))
    lines = [
        html.Span(
            [html.Span(shown.region_label(cut_off.region)), html.Strong(scale.write(cut_off.score))], className="line"
        )
        for cut_off in here
    ]
    return key_figure(name, html.Div(lines, className="lines"))


def _cut_off_change(shown: PageData, here: CutOff) -> str | None:
    _ = translator(shown.language)
    if shown.earlier is None or here.score is None:
        return None
    same_measure = shown.earlier.rules.satisfaction.measure == shown.header.rules.satisfaction.measure
    before = {cut_off.region: cut_off.score for cut_off in cut_offs(shown.earlier, shown.view.route)}.get(here.region)
    if before is None or not same_measure:
        return None
    scale = scale_of(shown.header, shown.view.route, shown.language)
    change = f"{(here.score - before) * scale.factor:+.{scale.decimals}f}".replace("-", "−")
    return _("{change} since the previous round").format(change=change)


def _signed(change: int) -> str:
    return "±0" if change == 0 else f"{change:+,}".replace("-", "−")
