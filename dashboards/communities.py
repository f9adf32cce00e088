"""All communities in one table: searched, filtered, ordered, page by page."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboards import ledger
from dashboards.address import View
from dashboards.languages import translator
from dashboards.pages import Page
from dashboards.parts import empty, panel
from dashboards.results import ROUTES, scale_of
from dashboards.shown import Shown
from dashboards.source import EvaluationSource
from dashboards.wording import STATUSES, status_words


def draw(_source: EvaluationSource, view: View, _now: datetime) -> Sequence[Component]:
    """Return the page for one view; the table itself is filled in by its callback."""
    return [_ledger_panel(view.language)]


def register(app: Dash, source: EvaluationSource, language: Callable[[], str]) -> None:
    """Add the callbacks of this page to `app`."""

    @app.callback(
        Output("ledger", "children"),
        Output("ledger-page", "total"),
        Output("ledger-page", "value"),
        Input("address", "search"),
        Input("ledger-order", "value"),
        Input("ledger-status", "value"),
        Input("ledger-name", "value"),
        Input("ledger-page", "value"),
    )
    def fill_ledger(
        search: str | None, order: str, status: str | None, name: str | None, page: int
    ) -> tuple[Component, int, int]:
        is_new = ctx.triggered_id != "ledger-page"
        asked = ledger.Asked(str(order), status or "", name or "", 1 if is_new else page)
        return _ledger_parts(source, View.of(search, language), asked)

    @app.callback(
        Output("ledger-order", "value"),
        Input({"type": "ledger-sort", "column": ALL}, "n_clicks"),
        State("ledger-order", "value"),
        prevent_initial_call=True,
    )
    def reorder(taps: list[int | None], order: str) -> Any:
        # Headings that have just been drawn report themselves with no tap.
        if not any(taps) or not isinstance(ctx.triggered_id, dict):
            return no_update
        return ledger.Asked(order).reordered_by(ctx.triggered_id["column"])


def title(language: str) -> str:
    """Return what the navigation calls this page."""
    _ = translator(language)
    return _("All communities")


PAGE: Final = Page(path="communities/", title=title, draw=draw, filters=("evaluation", "region"), register=register)


def _ledger_panel(language: str) -> Component:
    _ = translator(language)
    words = status_words(language)
    statuses = [{"value": "", "label": _("All results")}, *({"value": key, "label": words[key]} for key in STATUSES)]
    return panel(
        _("All communities"),
        html.Div(
            [
                dmc.TextInput(id="ledger-name", label=_("Name contains"), debounce=300, className="filter"),
                dmc.Select(
                    id="ledger-status",
                    label=_("Result"),
                    data=statuses,
                    value="",
                    allowDeselect=False,
                    className="filter",
                ),
                dmc.Select(
                    id="ledger-order",
                    label=_("Order by"),
                    data=ledger.orders(language),
                    value=ledger.FIRST_ORDER,
                    allowDeselect=False,
                    className="filter",
                ),
            ],
            className="filters",
        ),
        html.Div(id="ledger"),
        dmc.Pagination(
            id="ledger-page", total=1, value=1, siblings=1, withControls=False, className="pages", hideWithOnePage=True
        ),
        anchor="communities",
    )


def _ledger_parts(source: EvaluationSource, view: View, asked: ledger.Asked) -> tuple[Component, int, int]:
    _ = translator(view.language)
    shown = Shown.of(source, view)
    if shown is None:
        return empty(_("No evaluation yet")), 1, 1
    chosen = ledger.selected(shown.standings, asked)
    pages = ledger.count_pages(len(chosen))
    # An answer may have come for a longer table than the one that is asked for by now.
    asked = replace(asked, page=min(max(1, asked.page), pages))
    scales = {key: scale_of(shown.header, route, view.language) for key, route in ROUTES.items()}
    table = ledger.ledger_table(chosen, asked, scales, view.language)
    return table, pages, asked.page
