"""Criterion page: who is among the best by the rules, what the data support, and results under other rules."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Final

from dash import Dash, Input, State, html, set_props

from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.languages import translator
from dashboards.pages.page import Page, Part, Parts, Section
from dashboards.panels.around_cut_off import NearCutOff, around_cut_off_panel, decisions_panel, near_cut_offs
from dashboards.panels.list_evidence import list_evidence_panel
from dashboards.panels.list_stability import list_stability_panel
from dashboards.panels.nonresponse import nonresponse_panel
from dashboards.panels.picked_scores import picked_scores_panel
from dashboards.panels.score_ranking import distribution_panel
from dashboards.panels.sensitivity import sensitivity_panel
from dashboards.panels.settling import settling_panel
from dashboards.panels.what_if import CHOICE, what_if_panel
from dashboards.source import EvaluationSource
from dashboards.widgets.evaluation_notices import no_evaluation, provisional_notice
from dashboards.widgets.links import paper_links


def draw(source: EvaluationSource, view: View, _now: datetime) -> Parts:
    """Return the parts of the page for one view."""
    shown = PageData.of(source, view)
    if shown is None:
        return no_evaluation(view)

    @cache
    def near() -> Sequence[NearCutOff]:
        return near_cut_offs(shown)

    return [
        *provisional_notice(shown),
        html.Div(paper_links(shown.view, "criterion"), className="filters unprinted"),
        Part(lambda: list_evidence_panel(shown), "support"),
        Part(lambda: picked_scores_panel(shown)),
        Part(lambda: list_stability_panel(shown), "again"),
        Part(lambda: nonresponse_panel(shown), "nonresponse"),
        Part(lambda: settling_panel(shown)),
        Part(lambda: sensitivity_panel(shown)),
        Part(lambda: distribution_panel(shown), "distribution"),
        Part(lambda: around_cut_off_panel(shown, near()), "near"),
        Part(lambda: decisions_panel(shown, near()), "one-by-one"),
        Part(lambda: what_if_panel(shown, source), "what-if"),
    ]


def register(app: Dash, _source: EvaluationSource, language: Callable[[], str]) -> None:
    """Add the callback of this page: the what-if choice stands in the address too."""

    @app.callback(Input(CHOICE, "value"), State("address", "search"), prevent_initial_call=True)
    def change_choice(choice: str | None, search: str | None) -> None:
        shown = View.of(search, language)
        asked = shown.with_own(what_if=choice or None)
        if asked != shown:
            set_props("address", {"search": asked.search})


def sections(language: str) -> list[Section]:
    """Return the sections of this page for the navigation."""
    _ = translator(language)
    return [
        Section("support", _("Reliability")),
        Section("again", _("If taken again")),
        Section("nonresponse", _("Who did not answer")),
        Section("distribution", _("Distribution")),
        Section("near", _("Around the cut-off")),
        Section("one-by-one", _("Each community")),
        Section("what-if", _("Under other rules")),
    ]


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("Criterion and evidence")


PAGE: Final = Page(path="criterion/", title=title, sections=sections, draw=draw, register=register)
