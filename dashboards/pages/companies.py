"""Companies page: which property companies' residents are more or less satisfied than chance allows."""

from datetime import datetime
from typing import Final

from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.languages import translator
from dashboards.pages.page import Page, Part, Parts
from dashboards.panels.company_funnel import company_panels
from dashboards.source import EvaluationSource
from dashboards.widgets.evaluation_notices import no_evaluation, provisional_notice
from dashboards.widgets.links import COMPANIES_PATH


def draw(source: EvaluationSource, view: View, _now: datetime) -> Parts:
    """Return the parts of the page for one view."""
    shown = PageData.of(source, view)
    if shown is None:
        return no_evaluation(view)
    return [*provisional_notice(shown), Part(lambda: company_panels(shown))]


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("Property companies")


PAGE: Final = Page(path=COMPANIES_PATH, title=title, draw=draw, filters=("evaluation", "region"))
