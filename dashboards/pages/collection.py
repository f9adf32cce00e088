"""Collection page: progress of the open round."""

from datetime import datetime
from typing import Final

from dashboards.address import View
from dashboards.languages import translator
from dashboards.pages.page import Page, Part, Parts
from dashboards.panels.collection_progress import collection_panel
from dashboards.source import EvaluationSource
from dashboards.widgets.links import COLLECTION_PATH


def draw(source: EvaluationSource, view: View, now: datetime) -> Parts:
    """Return the parts of the page for one view."""
    return [Part(lambda: collection_panel(source, view, now=now))]


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("Collection")


PAGE: Final = Page(path=COLLECTION_PATH, title=title, draw=draw, filters=("region",))
