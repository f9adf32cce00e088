"""Integrity page: signs of false responses, what is held for review, and standings without held responses."""

from datetime import datetime
from typing import Final

from dash import html
from dash.development.base_component import Component

from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.languages import minute, translator
from dashboards.pages.page import Page, Part, Parts, Section
from dashboards.panels.clerk_effects import clerk_effects_panel
from dashboards.panels.held_answers import without_held_panel
from dashboards.panels.integrity_signals import families_panel, flagged_panel, in_scope
from dashboards.source import EvaluationSource, Examination
from dashboards.widgets.components import (
    empty,
    key_figure,
    panel,
)
from dashboards.widgets.evaluation_notices import no_evaluation
from dashboards.widgets.links import INTEGRITY_PATH, Linked, communities_address, linked
from dashboards.widgets.next_steps import examine_answers


def draw(source: EvaluationSource, view: View, _now: datetime) -> Parts:
    """Return the parts of the page for one view."""
    shown = PageData.of(source, view)
    if shown is None:
        return no_evaluation(view)
    _ = translator(view.language)
    examination = source.examination(shown.header.id)
    if examination is None:
        said = _("The answers of this round have not been examined, or there were none.")
        return [panel(_("Signs of false answers"), empty(said, examine_answers(view.language)), anchor="families")]
    return [
        Part(lambda: _key_figures(shown, examination)),
        Part(lambda: families_panel(shown, examination), "families"),
        Part(lambda: flagged_panel(shown, examination), "flagged"),
        Part(lambda: clerk_effects_panel(shown)),
        Part(lambda: without_held_panel(shown, examination, source.inputs(shown.header.id)), "without"),
    ]


def sections(language: str) -> list[Section]:
    """Return the sections of this page for the navigation."""
    _ = translator(language)
    return [
        Section("families", _("Kinds of signs")),
        Section("flagged", _("Flagged communities")),
        Section("without", _("Without held answers")),
    ]


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("Integrity")


PAGE: Final = Page(path=INTEGRITY_PATH, title=title, sections=sections, draw=draw, filters=("evaluation", "region"))


def _key_figures(shown: PageData, examination: Examination) -> Component:
    _ = translator(shown.language)
    counts = in_scope(examination.counts, shown.standings)
    examined = _("examined {moment}").format(
        moment=minute(examination.examined_at, shown.language, shown.header.rules.time_zone)
    )
    held = Linked(f"{int((counts['waiting'] > 0).sum()):,}", communities_address(shown.view, group="held_answers"))
    figures = [
        key_figure(
            _("Waiting for a decision"),
            f"{int(counts['waiting'].sum()):,}",
            note=_("held responses of owners and tenants"),
        ),
        key_figure(_("Released"), f"{int(counts['released'].sum()):,}", note=_("count")),
        key_figure(_("Excluded"), f"{int(counts['excluded'].sum()):,}", note=_("no longer count")),
        key_figure(_("Communities with held responses"), linked(held), note=examined),
    ]
    return html.Dl(figures, className="key-figures four")
