"""Filter bar above every page: the filters write the address, and the page follows the address."""

from collections.abc import Callable
from typing import Any, Final, Literal

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, set_props
from dash.development.base_component import Component

from analytics.reports.labels import route_words
from dashboards.address import View, evaluation_id
from dashboards.frames.standings import regions_of
from dashboards.labels import state_words
from dashboards.languages import last_day, pick, translator
from dashboards.routes import ROUTES
from dashboards.source import EvaluationHeader, EvaluationSource, select_evaluation
from dashboards.widgets.components import records

Filter = Literal["evaluation", "region", "route"]
"""What a page can be narrowed by."""

ALL_REGIONS: Final = ""
OUTPUTS: Final = (
    Output("evaluation", "data"),
    Output("evaluation", "value"),
    Output("region", "data"),
    Output("region", "value"),
    Output("route", "value"),
)
"""Properties that `filter_values` fills in."""


def filter_bar(active_filters: tuple[Filter, ...], language: str) -> Component:
    """Return the filter bar; filters that a page does not use are hidden, not absent, since callbacks refer to them."""
    _ = translator(language)
    options = [{"value": key, "label": name} for key, name in route_words(language).items()]
    route = html.Div(
        [
            html.Span(_("Route"), className="filter-label", id="route-label"),
            dmc.SegmentedControl(
                id="route",
                data=options,
                value="satisfaction",
                attributes={"root": {"aria-labelledby": "route-label"}},
            ),
        ]
    )
    fields: dict[Filter, tuple[Component, str]] = {
        "evaluation": (
            dmc.Select(id="evaluation", label=_("Evaluation"), data=[], allowDeselect=False),
            "filter wide",
        ),
        "region": (dmc.Select(id="region", label=_("District"), data=[], allowDeselect=False), "filter"),
        "route": (route, "filter"),
    }
    cells = [html.Div(field, className=name, hidden=key not in active_filters) for key, (field, name) in fields.items()]
    return html.Div(cells, className="filters", hidden=not active_filters)


def filter_values(source: EvaluationSource, view: View) -> tuple[Any, ...]:
    """Return the values of `OUTPUTS` for a view."""
    _ = translator(view.language)
    headers = source.evaluations()
    header = select_evaluation(headers, view.evaluation)
    offered = [{"value": str(each.id), "label": evaluation_label(each, view.language)} for each in headers]
    if header is None:
        return offered, None, [], ALL_REGIONS, view.route.key
    places = source.places(header.id).drop_duplicates("region")
    regions = [
        {"value": row["region"], "label": pick(view.language, row["region"], row["region_english"])}
        for row in records(places)
    ]
    known = view.region if view.region in regions_of(places) else ALL_REGIONS
    return (
        offered,
        str(header.id),
        [{"value": ALL_REGIONS, "label": _("All districts")}, *regions],
        known,
        view.route.key,
    )


def register(app: Dash, source: EvaluationSource, language: Callable[[], str]) -> None:
    """Register the callbacks through which filters write the address, so that every view can be sent on."""

    # `set_props` instead of an Output: Dash would take this and what follows the address for a circle.
    @app.callback(
        Input("evaluation", "value"),
        Input("region", "value"),
        Input("route", "value"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def change_address(evaluation: str | None, region: str | None, route: str, search: str | None) -> None:
        shown = View.of(search, language)
        asked = shown.with_changes(
            evaluation=evaluation_id(evaluation),
            region=region or None,
            route=ROUTES.get(route, ROUTES["satisfaction"]),
        )
        if _complete(source, shown) != _complete(source, asked):
            set_props("address", {"search": asked.search})


def evaluation_label(header: EvaluationHeader, language: str) -> str:
    """Return the label of an evaluation in a list of several."""
    state = state_words(header, language)
    return f"{header.round_label(language)} · {state} · {last_day(header.cut_off, header.rules.time_zone)}"


def _complete(source: EvaluationSource, view: View) -> View:
    """Return the view with the evaluation that is shown when its address names none."""
    if view.evaluation is not None:
        return view
    header = select_evaluation(source.evaluations(), None)
    return view.with_changes(evaluation=header.id if header else None)
