"""Complaints page: funnel plots, categories, channels, and communities without a complaint."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboards.address import View
from dashboards.figures.chart_parts import count_text
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import among, in_region, known_sum, scale_of
from dashboards.languages import translator
from dashboards.pages.page import Page, Part, Parts, Section
from dashboards.panels.communities_without_complaints import communities_without_complaints_panel
from dashboards.panels.complaint_categories import categories_panel
from dashboards.panels.complaint_channels import channels_panel
from dashboards.panels.complaint_funnel import MULTIPLIER, exposed_communities, funnel_panel
from dashboards.routes import ROUTES
from dashboards.source import EvaluationSource
from dashboards.widgets.components import key_figure
from dashboards.widgets.evaluation_notices import no_evaluation, provisional_notice
from dashboards.widgets.links import Linked, communities_address, linked, paper_links

_ROUTE: Final = ROUTES["complaints"]


def draw(source: EvaluationSource, view: View, _now: datetime) -> Parts:
    """Return the parts of the page for one view."""
    shown = PageData.of(source, view)
    if shown is None:
        return no_evaluation(view)
    evaluation, region = shown.header.id, shown.view.region

    @cache
    def exposed() -> pd.DataFrame:
        return exposed_communities(shown.standings)

    return [
        *provisional_notice(shown),
        html.Div(paper_links(shown.view, "complaints"), className="filters unprinted"),
        Part(lambda: _key_figures(shown, exposed())),
        Part(lambda: funnel_panel(shown, exposed()), "funnel"),
        Part(lambda: categories_panel(shown, in_region(source.cases(evaluation), region)), "categories"),
        Part(lambda: channels_panel(shown, in_region(source.channels(evaluation), region)), "channels"),
        Part(lambda: communities_without_complaints_panel(shown, exposed(), source), "zero"),
    ]


def sections(language: str) -> list[Section]:
    """Return the sections of this page for the navigation."""
    _ = translator(language)
    return [
        Section("funnel", _("Beyond chance?")),
        Section("categories", _("What they are about")),
        Section("channels", _("By channel")),
        Section("zero", _("No complaints at all")),
    ]


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("Complaints")


PAGE: Final = Page(path="complaints/", title=title, sections=sections, draw=draw, filters=("evaluation", "region"))


class ComplaintFigure(NamedTuple):
    """Key figure of complaints, what it is of, and by which parameters the table of communities shows those counted."""

    name: str
    value: str
    note: str | None
    rows: Mapping[str, str] | None = None


def _key_figures(shown: PageData, exposed: pd.DataFrame) -> Component:
    figures = [
        key_figure(
            name,
            value if rows is None else linked(Linked(value, communities_address(shown.view, **rows))),
            note=note,
        )
        for name, value, note, rows in complaint_figures(shown, exposed)
    ]
    return html.Dl(figures, className="key-figures five")


def complaint_figures(shown: PageData, exposed: pd.DataFrame) -> list[ComplaintFigure]:
    """Return the key figures of complaints."""
    _ = translator(shown.language)
    complaints, years = known_sum(exposed["complaints"]), float(exposed["exposure_household_years"].sum())
    scale = scale_of(shown.header, _ROUTE, shown.language)
    rate = None if complaints is None else complaints / years * MULTIPLIER
    none = int((exposed["complaints"] == 0).sum()) if len(exposed) else None
    unknown = len(shown.standings) - len(exposed)
    highest_first = {"group": "with_complaints", "sort": "-complaints_per_1000_household_years"}
    return [
        ComplaintFigure(_("Valid complaints"), count_text(complaints), None, highest_first if complaints else None),
        _excluded_figure(shown, exposed),
        ComplaintFigure(scale.title, scale.write(rate), _("all communities together")),
        ComplaintFigure(
            _("Communities without a complaint"),
            count_text(none),
            _("of {count}").format(count=f"{len(exposed):,}"),
            {"group": "without_complaints"} if none else None,
        ),
        ComplaintFigure(
            _("Number of households unknown"),
            f"{unknown:,}",
            _("communities without a rate"),
            {"group": "without_rate"} if unknown else None,
        ),
    ]


def _excluded_figure(shown: PageData, exposed: pd.DataFrame) -> ComplaintFigure:
    """Return how many complaints about the property company the rate leaves out, as exports and reports say it."""
    _ = translator(shown.language)
    inputs = shown.source.inputs(shown.header.id)
    name, note = _("Left out as duplicate, out of scope or invalid"), _("complaints about the property company")
    if "complaints_excluded" not in inputs:
        return ComplaintFigure(name, "—", note)
    excluded = inputs.loc[among(inputs["community_id"], exposed["number"]), "complaints_excluded"]
    return ComplaintFigure(name, count_text(known_sum(excluded)), note)
