"""Stability of the list by satisfaction: in a repeated survey, as a whole, and against nonresponse."""

from collections.abc import Iterator, Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.evidence.list_stability import NONRESPONSE_SPREADS
from analytics.reports.html_page import percent
from analytics.reports.stability_sentences import stability_sentences
from dashboards.figures.evidence import standing_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import scale_of
from dashboards.languages import translator
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel
from dashboards.widgets.next_steps import choose_another, survey_alone


def list_stability_panel(shown: PageData) -> Component:
    """Return how stable the list of each region is, or why that is not known."""
    _ = translator(shown.language)
    name, lists = _("If the survey were taken again"), shown.list_facts(shown.view.route)
    if shown.view.route.fewest_first:
        return panel(name, survey_alone(shown.language), anchor="again")
    cards = [_card(shown, region, facts) for region, facts in lists.items() if facts.get("stability")]
    if not cards:
        said = _("This is not known here: nobody is listed, or the evaluation is older than the forecast.")
        return panel(name, empty(said, choose_another(shown.language)), anchor="again")
    return panel(
        name,
        html.Div(cards, className="charts"),
        anchor="again",
        note=_("Forecasts from the answers. They show how much of the list is chance; they never change it."),
    )


def sentences_on_stability(shown: PageData, of_route: Mapping[str, Any]) -> Iterator[str]:
    """Yield how stable the list of a region is, from what `PageData.list_facts` says of it; nobody else is named."""
    names = shown.names
    return stability_sentences(
        _named_only(of_route["stability"], names),
        listed=of_route["listed"],
        names=names,
        scale=scale_of(shown.header, shown.view.route, shown.language).factor,
        language=shown.language,
    )


def _card(shown: PageData, region: str, of_route: Mapping[str, Any]) -> Component:
    parts: list[Component] = [
        html.H3(shown.region_label(region)),
        html.Ul([html.Li(sentence) for sentence in sentences_on_stability(shown, of_route)]),
    ]
    standing = (of_route["stability"]["nonresponse"] or {}).get("standing", [])
    # Where none stands at any, the sentence has said it.
    if any(standing):
        parts.append(_chart_of_spreads(shown, region, of_route["listed"], standing))
    return html.Div(parts)


def _named_only(stability: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return what does not name a community outside the scope."""
    repeated, whole = stability["repeated"], stability["whole_list"]
    if repeated:
        changing = ("may_leave", "may_enter")
        known = {change: [pair for pair in repeated[change] if pair[0] in names] for change in changing}
        repeated = {**repeated, **known}
    is_named = whole is not None and {whole["inside"], whole["outside"]} <= names.keys()
    return {**stability, "repeated": repeated, "whole_list": whole if is_named else None}


def _chart_of_spreads(shown: PageData, region: str, listed: int, standing: list[int]) -> Component:
    _ = translator(shown.language)
    columns = [
        NumbersColumn(_("Difference of those who did not answer (of the scale)"), write=percent),
        NumbersColumn(_("Listed communities still at least likely"), numeric=True),
    ]
    caption = _("Listed communities at least likely to be among the best, by assumption about nonresponse")
    rows = [list(row) for row in zip(NONRESPONSE_SPREADS, standing, strict=True)]
    return chart(
        standing_figure(standing, listed, shown.language),
        name=f"standing-{region}",
        summary=caption,
        language=shown.language,
        numbers=Numbers(caption, columns, rows),
    )
