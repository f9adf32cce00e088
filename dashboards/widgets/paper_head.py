"""Head of a printed page: of which result it is, how far that has come, and when it was printed."""

from datetime import datetime
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from dashboards.frames.page_data import PageData
from dashboards.labels import state_words
from dashboards.languages import day, end, translator
from dashboards.widgets.components import facts


def paper_head(shown: PageData, title: str, *, now: datetime) -> Component:
    """Return the head of a page, which is seen on paper only."""
    _ = translator(shown.language)
    header, zone = shown.header, shown.header.rules.time_zone
    said = [
        (_("City"), header.rules.city.in_language(shown.language)),
        *([(_("District"), shown.region_label(shown.view.region))] if shown.view.region else []),
        (_("Round"), header.round_label(shown.language)),
        (_("State of this result"), state_words(header, shown.language)),
        (_("Answers counted until"), end(header.cut_off, shown.language, zone)),
        (_("Printed on"), day(now.astimezone(ZoneInfo(zone)), shown.language)),
    ]
    return html.Div([html.H2(title, className="panel-title"), facts(said)], className="panel on-paper", id="on-paper")
