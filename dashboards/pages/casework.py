"""Casework page: cases acknowledged and answered in time, waits, verdicts, companies, open cases, flow, exclusions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from dash.development.base_component import Component

from dashboards.address import View
from dashboards.frames.casework import CaseworkData
from dashboards.languages import translator
from dashboards.pages.page import Page, Section
from dashboards.panels.case_companies import companies_panel
from dashboards.panels.case_flow import ages_panel, flow_panel
from dashboards.panels.case_outcomes import exclusions_panel, rates_panel, verdicts_panel
from dashboards.panels.case_timeliness import groups_panel, in_time_panel, key_figures_panel
from dashboards.panels.case_waits import waits_panel
from dashboards.source import EvaluationSource


def draw(source: EvaluationSource, view: View, _now: datetime) -> Sequence[Component]:
    """Return the page for one view."""
    shown = CaseworkData.of(source.casework(), view)
    return [
        key_figures_panel(shown),
        in_time_panel(shown),
        waits_panel(shown),
        companies_panel(shown),
        verdicts_panel(shown),
        rates_panel(shown),
        ages_panel(shown),
        flow_panel(shown),
        exclusions_panel(shown),
        groups_panel(shown),
    ]


def sections(language: str) -> list[Section]:
    """Return the sections of this page for the navigation."""
    _ = translator(language)
    return [
        Section("in-time", _("In time")),
        Section("waits", _("Wait for an answer")),
        Section("case-companies", _("Companies")),
        Section("verdicts", _("What residents say")),
        Section("open-cases", _("Open cases")),
        Section("flow", _("In and out")),
        Section("exclusions", _("Not to be answered")),
        Section("case-groups", _("By district and more")),
    ]


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("Casework")


PAGE: Final = Page(path="casework/", title=title, sections=sections, draw=draw, filters=("region",))
