"""Notices of a page that has no evaluation to show, or a provisional one."""

from dash.development.base_component import Component

from dashboards.frames.page_data import PageData
from dashboards.languages import translator
from dashboards.source import EvaluationHeader
from dashboards.widgets.components import empty, notice, panel


def no_evaluation(language: str) -> list[Component]:
    """Return what a page of results says while there are none."""
    _ = translator(language)
    words = _("Results appear here once a round has closed and been evaluated, or a preview has been made.")
    return [panel(_("No evaluation yet"), empty(words))]


def provisional_notice(shown: PageData) -> list[Component]:
    """Return the warning that a page of provisional results begins with, and nothing for an official one."""
    return provisional_notice_for(shown.header, shown.language)


def provisional_notice_for(header: EvaluationHeader, language: str) -> list[Component]:
    """Return the same of an evaluation whose standings a page does not draw."""
    if not header.provisional:
        return []
    _ = translator(language)
    words = _("The round was still open. Ranks and scores here may change until it has closed.")
    return [notice(_("Preview, not an official result"), words)]
