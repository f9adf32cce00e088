"""Notices of a page that has no evaluation to show, or a provisional one."""

from dash.development.base_component import Component

from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.languages import translator
from dashboards.source import EvaluationHeader
from dashboards.widgets.components import empty, notice, panel
from dashboards.widgets.links import COLLECTION_PATH, page_link


def no_evaluation(view: View) -> list[Component]:
    """Return what a page says while there are no results, or not those that were asked for, with the way to others."""
    _ = translator(view.language)
    if view.evaluation is not None:
        words = _("It does not exist, or your account may not see it.")
        newest = page_link(view.with_changes(evaluation=None), "", _("The newest result"))
        return [panel(_("There is no such evaluation"), empty(words, None), newest)]
    why = _("Results appear here once a round has closed and been evaluated.")
    more = page_link(view, COLLECTION_PATH, _("How the collection is going"))
    return [panel(_("No evaluation yet"), empty(why, _("Until then only the collection is shown.")), more)]


def no_answers_kept(language: str) -> str:
    """Return why a result that is not official has no answers by question."""
    _ = translator(language)
    return _("Answers by question are kept with official results only; otherwise they could reveal who answered.")


def provisional_notice(shown: PageData) -> list[Component]:
    """Return the warning that a page of provisional results begins with, and nothing for an official one."""
    return provisional_notice_for(shown.header, shown.language)


def provisional_notice_for(header: EvaluationHeader, language: str) -> list[Component]:
    """Return the same of an evaluation whose standings a page does not draw."""
    if not header.provisional:
        return []
    return [notice(*provisional_words(language))]


def provisional_words(language: str) -> tuple[str, str]:
    """Return the title and the sentence of the warning about provisional results."""
    _ = translator(language)
    words = _("The round has closed and is not decided. Ranks and scores here may change until it is.")
    return _("Preview, not an official result"), words
