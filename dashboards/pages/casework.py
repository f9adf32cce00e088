"""Casework page: cases acknowledged and answered in time, waits, verdicts, companies, open cases, flow, exclusions."""

from datetime import datetime
from typing import Final

from dashboards.address import View
from dashboards.frames.casework import CaseworkData
from dashboards.languages import translator
from dashboards.pages.page import Page, Part, Parts, Section
from dashboards.panels.case_companies import companies_panel
from dashboards.panels.case_flow import ages_panel, flow_panel
from dashboards.panels.case_outcomes import exclusions_panel, rates_panel, verdicts_panel
from dashboards.panels.case_timeliness import groups_panel, in_time_panel, key_figures_panel
from dashboards.panels.case_waits import waits_panel
from dashboards.source import EvaluationSource


def draw(source: EvaluationSource, view: View, _now: datetime) -> Parts:
    """Return the parts of the page for one view."""
    shown = CaseworkData.of(source.casework(), view)
    return [
        Part(lambda: key_figures_panel(shown)),
        Part(lambda: in_time_panel(shown), "in-time"),
        Part(lambda: waits_panel(shown), "waits"),
        Part(lambda: companies_panel(shown), "case-companies"),
        Part(lambda: verdicts_panel(shown), "verdicts"),
        Part(lambda: rates_panel(shown)),
        Part(lambda: ages_panel(shown), "open-cases"),
        Part(lambda: flow_panel(shown), "flow"),
        Part(lambda: exclusions_panel(shown), "exclusions"),
        Part(lambda: groups_panel(shown), "case-groups"),
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
