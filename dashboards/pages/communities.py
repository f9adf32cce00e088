"""Communities page: one table that the database sorts, filters and paginates."""

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, cast, get_args

import dash_ag_grid as dag
import dash_mantine_components as dmc
import pandas as pd
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update, set_props
from dash.development.base_component import Component
from flask import Response, abort, request

from analytics.decision.summary import STATUSES
from analytics.evidence.bands import Evidence
from analytics.reports.labels import evidence_words, sentence_case, status_words
from dashboards.address import View
from dashboards.frames.standings import counted_words, in_region
from dashboards.frames.survey_channels import channels_by_number
from dashboards.frames.underreported_complaints import underreporting_notes, underreporting_warnings
from dashboards.languages import pick, translator
from dashboards.pages.page import Page, Part, Parts
from dashboards.source import (
    CommunityGroup,
    EvaluationHeader,
    EvaluationSource,
    GridColumn,
    GridOrder,
    GridQuery,
    select_evaluation,
)
from dashboards.widgets import community_table
from dashboards.widgets.components import attributes, panel, records
from dashboards.widgets.evaluation_notices import no_evaluation, provisional_notice_for
from dashboards.widgets.links import COMMUNITIES_PATH

PAGE_ROWS: Final = 20
MOST_ROWS: Final = 200
"""Most rows that one request may ask for; no page of the table needs more."""
FILE_PATH: Final = "/dashboards/communities.csv"

_SORTABLE: Final = frozenset(get_args(GridColumn))
# Widths with which a phone first shows the name and two numbers; the other columns are a swipe away. Chinese headings,
# which break anywhere, let a screen of 1,440 pixels show all columns.
_LEAST_WIDTHS: Final = {
    "zh-Hans": {
        "name": 124,
        **dict.fromkeys(("satisfaction_percentile", "complaint_percentile"), 68),
        **dict.fromkeys(("satisfaction_score", "responses", "complaints_per_1000_household_years"), 74),
        "evidence": 104,
        **dict.fromkeys(("status", "place"), 96),
        "channel": 80,
        "check": 124,
    },
    "en": {"name": 128, "status": 150, "place": 120, "evidence": 120, "channel": 120, "check": 200},
}
_LEAST_WIDTH: Final = 92
# Of three lines; this kind of table cannot be asked to fit each row.
_ROW_HEIGHT: Final = 64
_NUMERIC: Final = _SORTABLE - {"name"} | {"satisfaction_percentile", "complaint_percentile"}
_ORDER: Final = (GridOrder("satisfaction_rank"),)
_EVIDENCE: Final = tuple(Evidence)
_GROUPS: Final = frozenset(get_args(CommunityGroup))
# Filters of this page, by the address parameter that each writes.
_FILTERS: Final = {
    "name": "table-of-communities-name",
    "subdistrict": "table-of-communities-subdistrict",
    "company": "table-of-communities-company",
    "status": "table-of-communities-status",
    "evidence": "table-of-communities-evidence",
    "least": "table-of-communities-least",
    "group": "table-of-communities-group",
}


def draw(source: EvaluationSource, view: View, _now: datetime) -> Parts:
    """Return the parts of the page for one view; the rows of the table are filled in by its callback."""
    header = select_evaluation(source.evaluations(), view.evaluation)
    if header is None:
        return no_evaluation(view)
    return [*provisional_notice_for(header, view.language), Part(lambda: _table_panel(source, header, view))]


def _table_panel(source: EvaluationSource, header: EvaluationHeader, view: View) -> Component:
    _ = translator(view.language)
    keep = html.A(
        _("This table as CSV"), href=f"{FILE_PATH}{view.search}", id="table-of-communities-file", className="quiet-link"
    )
    return panel(
        _("All communities"),
        _filters(header, view, subdistricts_of(source.places(header.id), view)),
        _grid(header, view),
        html.P(keep, className="apart"),
        anchor="communities",
    )


def register(app: Dash, source: EvaluationSource, language: Callable[[], str]) -> None:
    """Add the callbacks of this page to `app`, and the route of its CSV file."""

    @app.callback(
        Output("table-of-communities", "getRowsResponse"),
        Input("table-of-communities", "getRowsRequest"),
        State("address", "search"),
    )
    def fill_rows(asked: Mapping[str, Any] | None, search: str | None) -> Any:
        return no_update if asked is None else rows_for(source, View.of(search, language), asked)

    @app.callback(
        *(Input(name, "value") for name in _FILTERS.values()), State("address", "search"), prevent_initial_call=True
    )
    def change_address(*said: Any) -> None:
        *values, search = said
        shown = View.of(search, language)
        written = {name: (value or "").strip() or None for name, value in zip(_FILTERS, values, strict=True)}
        asked = shown.with_own(**written)
        if asked != shown:
            set_props("address", {"search": asked.search})

    def file_of_table() -> Response:
        view = View.of(request.query_string.decode("utf-8", "replace"), language)
        header = select_evaluation(source.evaluations(), view.evaluation)
        if header is None:
            abort(HTTPStatus.NOT_FOUND)
        pieces = source.export_rows(header.id, query_of(header, view))
        response = Response(
            community_table.community_table_csv(
                pieces,
                header,
                view.language,
                channels=channels_by_number(source, header.id),
                checks=underreporting_warnings(source, header.id, view.language),
            ),
            mimetype="text/csv",
        )
        name = f"communities-evaluation-{header.id}{'-preview' if header.provisional else ''}.csv"
        response.headers.set("Content-Disposition", "attachment", filename=name)
        return response

    app.server.add_url_rule(FILE_PATH, "dashboards-communities-file", file_of_table, methods=["GET"])
    _register_scripts(app)


def _register_scripts(app: Any) -> None:  # Dash leaves this method without annotations
    app.clientside_callback(
        ClientsideFunction("jiayuan", "tableFollowsAddress"),
        *(Output(name, "value") for name in _FILTERS.values()),
        Output("table-of-communities-file", "href"),
        Input("address", "search"),
        *(State(name, "value") for name in _FILTERS.values()),
        State("table-of-communities-file", "href"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("jiayuan", "addressFollowsOrder"),
        Input("table-of-communities", "getRowsRequest"),
        State("address", "search"),
        prevent_initial_call=True,
    )


def rows_for(source: EvaluationSource, view: View, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows that the table asks for, and how many there are in all."""
    header = select_evaluation(source.evaluations(), view.evaluation)
    if header is None:
        return {"rowData": [], "rowCount": 0}
    try:
        order = ",".join(f"{'-' * (each['sort'] == 'desc')}{each['colId']}" for each in asked.get("sortModel") or [])
        start, end = (max(0, int(asked[row])) for row in ("startRow", "endRow"))
    except (KeyError, TypeError, ValueError):
        abort(HTTPStatus.BAD_REQUEST)
    wanted = min(max(0, end - start), MOST_ROWS)
    query = query_of(header, view.with_own(sort=order or None), offset=start, limit=wanted)
    page = source.grid(header.id, query)
    channels = channels_by_number(source, header.id)
    checks = underreporting_notes(source, header.id, view.language)
    rows = [
        community_table.community_table_row(
            row, header, view, channel=channels.get(row["number"]), check=checks.get(row["number"], "")
        )
        for row in records(page.rows)
    ]
    return {"rowData": rows, "rowCount": page.total}


def query_of(header: EvaluationHeader, view: View, *, offset: int = 0, limit: int | None = None) -> GridQuery:
    """Parse an address into a query of the table; a part that is invalid counts as missing."""
    own = view.own
    least, group = own.get("least", ""), own.get("group")
    enough = header.rules.satisfaction.minimum_responses
    return GridQuery(
        text=own.get("name", "").strip(),
        region=view.region if view.region in header.summary["regions"] else None,
        subdistrict=own.get("subdistrict"),
        company=own.get("company", "").strip(),
        status=own["status"] if own.get("status") in STATUSES else None,
        evidence=own["evidence"] if own.get("evidence") in _EVIDENCE else None,
        minimum_responses=int(least) if least.isascii() and least.isdigit() and len(least) < 8 else None,
        group=cast("CommunityGroup", group) if group in _GROUPS else None,
        enough_responses=enough.enough if enough and group == "few_answers" else None,
        order=order_of(view),
        offset=offset,
        limit=limit,
    )


def order_of(view: View) -> tuple[GridOrder, ...]:
    """Return the order that an address writes as `-responses,name`."""
    parts = view.own.get("sort", "").split(",")
    named = {part.removeprefix("-"): part.startswith("-") for part in parts}
    known = [GridOrder(cast("GridColumn", name), descending) for name, descending in named.items() if name in _SORTABLE]
    return tuple(known) or _ORDER


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("All communities")


PAGE: Final = Page(
    path=COMMUNITIES_PATH,
    title=title,
    draw=draw,
    filters=("evaluation", "region"),
    register=register,
    updates_itself=True,
    has_grid=True,
)


def subdistricts_of(places: pd.DataFrame, view: View) -> dict[str, str]:
    """Return the subdistricts of the district that is shown, or of all: by name, what the page calls each."""
    names: dict[str, list[str]] = {}
    for row in records(in_region(places, view.region).dropna(subset=["subdistrict"])):
        words = pick(view.language, row["subdistrict"], row["subdistrict_english"])
        if view.region is None:
            words = f"{pick(view.language, row['region'], row['region_english'])} · {words}"
        names.setdefault(row["subdistrict"], []).append(words)
    # Of one name in two districts, both are shown.
    return {name: ", ".join(words) for name, words in sorted(names.items(), key=lambda each: each[1])}


def _filters(header: EvaluationHeader, view: View, subdistricts: Mapping[str, str]) -> Component:
    _ = translator(view.language)
    results = {key: sentence_case(word) for key, word in status_words(view.language).items()}
    return html.Div(
        [
            _typed("name", _("Name or number contains"), view),
            _choice("subdistrict", _("Subdistrict"), _("All subdistricts"), subdistricts, view),
            _typed("company", _("Property company contains"), view),
            _choice("status", _("Result (either route)"), _("All results"), results, view),
            _choice("evidence", _("Evidence (either route)"), _("Any evidence"), evidence_words(view.language), view),
            _typed(
                "least",
                _("{counted} at least").format(counted=counted_words(header, view.language)),
                view,
                inputProps={"inputMode": "numeric"},
            ),
            _group_choice(view),
        ],
        className="filters",
    )


def _typed(key: str, label: str, view: View, **more: Any) -> Component:
    field: Component = dmc.TextInput(
        id=_FILTERS[key], label=label, value=view.own.get(key, ""), debounce=300, className="filter", **more
    )
    return field


def _choice(key: str, label: str, every: str, words: Mapping[str, str], view: View) -> Component:
    options = [{"value": "", "label": every}, *({"value": value, "label": word} for value, word in words.items())]
    value = view.own.get(key, "")
    select: Component = dmc.Select(
        id=_FILTERS[key],
        label=label,
        data=options,
        value=value if value in words else "",
        allowDeselect=False,
        className="filter",
    )
    return select


def _group_choice(view: View) -> Component:
    """Return the choice among the groups that the other pages count, each of which they link to."""
    _ = translator(view.language)
    words = group_words(view.language)
    kinds = {
        _("Ranked"): ("ranked_by_satisfaction", "ranked_by_complaints", "ranked_by_neither"),
        _("Meet the criterion"): ("met_by_satisfaction", "met_by_complaints", "met_by_both", "left_open"),
        _("Please check"): ("few_answers", "held_answers"),
        _("Complaints"): ("with_complaints", "without_complaints", "without_rate"),
    }
    groups = [
        {"group": kind, "items": [{"value": group, "label": words[group]} for group in members]}
        for kind, members in kinds.items()
    ]
    asked = view.own.get("group", "")
    select: Component = dmc.Select(
        id=_FILTERS["group"],
        label=_("Only those"),
        data=[{"value": "", "label": _("All communities")}, *groups],
        value=asked if asked in words else "",
        allowDeselect=False,
        className="filter",
    )
    return select


def group_words(language: str) -> Mapping[str, str]:
    """Return what each `CommunityGroup` is called in the choice among them."""
    _ = translator(language)
    return {
        "ranked_by_satisfaction": _("Ranked by satisfaction"),
        "ranked_by_complaints": _("Ranked by complaints"),
        "ranked_by_neither": _("Ranked by neither"),
        "met_by_satisfaction": _("Meet it by satisfaction"),
        "met_by_complaints": _("Meet it by complaints"),
        "met_by_both": _("Meet it by both"),
        "left_open": _("Meet it, left open by the data"),
        "few_answers": _("Ranked with few answers"),
        "held_answers": _("Answers held for review"),
        "with_complaints": _("With complaints"),
        "without_complaints": _("Without a complaint"),
        "without_rate": _("Without a complaint rate"),
    }


def _grid(header: EvaluationHeader, view: View) -> Component:
    _ = translator(view.language)
    grid: Component = dag.AgGrid(
        id="table-of-communities",
        rowModelType="infinite",
        columnDefs=_columns(header, view),
        defaultColDef={
            "sortable": False,
            "sortingOrder": ["asc", "desc"],
            "unSortIcon": True,
            "resizable": True,
            "wrapText": True,
            "suppressMovable": True,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
        },
        columnSize="responsiveSizeToFit",
        className="table-of-communities",
        style={"height": None, "width": "100%"},
        dashGridOptions={
            "domLayout": "autoHeight",
            "pagination": True,
            "paginationPageSize": PAGE_ROWS,
            "paginationPageSizeSelector": False,
            "cacheBlockSize": PAGE_ROWS,
            "maxBlocksInCache": 20,
            "rowHeight": _ROW_HEIGHT,
            "ensureDomOrder": True,
            "enableCellTextSelection": True,
            "localeText": _grid_words(view.language),
        },
    )
    return html.Div(grid, role="region", **attributes(aria_label=_("All communities")))


def _columns(header: EvaluationHeader, view: View) -> list[dict[str, Any]]:
    orders = {order.column: (place, order) for place, order in enumerate(order_of(view))}
    columns = []
    for key, name in community_table.column_names(header, view.language).items():
        least = _LEAST_WIDTHS[view.language].get(key, _LEAST_WIDTH)
        column: dict[str, Any] = {"field": key, "headerName": name, "minWidth": least, "width": least}
        if key in _SORTABLE:
            column["sortable"] = True
        if key in _NUMERIC:
            column["type"] = "rightAligned"
        if key == "name":
            column |= {"cellRenderer": "NameLink", "pinned": "left"}
        if key in orders:
            place, order = orders[key]
            column |= {"sort": "desc" if order.descending else "asc", "sortIndex": place}
        columns.append(column)
    return columns


def _grid_words(language: str) -> dict[str, str]:
    """Return the texts of the table's own controls that this page shows or a screen reader reads out."""
    _ = translator(language)
    return {
        "page": _("Page"),
        "to": _("to"),
        "of": _("of"),
        "more": _("more"),
        "firstPage": _("First page"),
        "previousPage": _("Previous page"),
        "nextPage": _("Next page"),
        "lastPage": _("Last page"),
        "loadingOoo": _("Loading…"),
        "noRowsToShow": _("No community matches your filters."),
        "ariaSortableColumn": _("Press Enter to order by this column"),
    }
