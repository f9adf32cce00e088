"""Aspects page: what residents are least satisfied with, and the percentile of every community in each aspect."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import pandas as pd
from dash import Dash, dcc, html
from dash.development.base_component import Component
from flask import Response, abort, request

from analytics.evidence.aspect_percentiles import LEAST_TOGETHER
from analytics.files.csv_files import csv_file
from dashboards import theme
from dashboards.address import View
from dashboards.frames.aspects import percentiles_by_number, told_percentile
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import counted_words
from dashboards.languages import pick, translator
from dashboards.pages.page import Page, Part, Parts
from dashboards.panels.least_satisfied import least_satisfied_sentence, shares_shown
from dashboards.source import EvaluationSource, GridQuery
from dashboards.widgets.components import attributes, panel, records
from dashboards.widgets.evaluation_notices import no_evaluation, provisional_notice
from dashboards.widgets.links import ASPECTS_PATH, named_link
from dashboards.widgets.next_steps import answers_not_kept

PAGE_ROWS: Final = 50
MOST_ROWS: Final = 300
"""Most rows of a page that shows all of them: the browser would take many seconds to build more."""
FILE_PATH: Final = "/dashboards/aspects.csv"

_NAME: Final = "name"
_ALL: Final = "all"
# Longest number of a page in an address: a million rows fit.
_LONGEST_PAGE: Final = 5


def draw(source: EvaluationSource, view: View, _now: datetime) -> Parts:
    """Return the parts of the page for one view."""
    shown = PageData.of(source, view)
    if shown is None:
        return no_evaluation(view)
    return [*provisional_notice(shown), Part(lambda: _aspects_panel(shown))]


def _aspects_panel(shown: PageData) -> Component:
    shares, name = shares_shown(shown), title(shown.language)
    if shares.empty:
        return panel(name, answers_not_kept(shown.language), anchor="aspects")
    standings = {region: shown.source.aspect_standings(shown.header.id, region) for region in shown.regions}
    sentence = least_satisfied_sentence(shares, shown.language)
    return panel(
        name,
        *([html.P(sentence, className="chart-summary")] if sentence else []),
        *_Table(shown, shares, standings).drawn(),
        anchor="aspects",
        note=_what_it_shows(shown),
    )


def register(app: Dash, source: EvaluationSource, language: Callable[[], str]) -> None:
    """Add the route of the CSV file to `app`."""

    def file_of_table() -> Response:
        shown = PageData.of(source, View.of(request.query_string.decode("utf-8", "replace"), language))
        if shown is None:
            abort(HTTPStatus.NOT_FOUND)
        response = Response(_csv(shown), mimetype="text/csv")
        preview = "-preview" if shown.header.provisional else ""
        name = f"aspects-evaluation-{shown.header.id}{preview}.csv"
        response.headers.set("Content-Disposition", "attachment", filename=name)
        return response

    app.server.add_url_rule(FILE_PATH, "dashboards-aspects-file", file_of_table, methods=["GET"])


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("Aspects of service")


PAGE: Final = Page(path=ASPECTS_PATH, title=title, draw=draw, filters=("evaluation", "region"), register=register)


class _Table:
    """Heat map of one view: communities in its order, a part of them at a time."""

    def __init__(self, shown: PageData, shares: pd.DataFrame, standings: Mapping[str, pd.DataFrame]) -> None:
        self._shown, self._shares, self._standings = shown, shares, standings
        self._translate = translator(shown.language)
        self._sort, self._descending = self._order()
        communities = self._sorted(shown.standings)
        self._count = len(communities)
        self._is_whole = shown.view.own.get("rows") == _ALL and self._count <= MOST_ROWS
        self._pages = 1 if self._is_whole else max(1, -(-self._count // PAGE_ROWS))
        self._page = min(_number(shown.view.own.get("page")), self._pages)
        self._start = (self._page - 1) * PAGE_ROWS
        self._listed = communities if self._is_whole else communities.iloc[self._start : self._start + PAGE_ROWS]

    def drawn(self) -> list[Component]:
        """Return the table with the legend above it, and the ways to its other parts and its file below."""
        _ = self._translate
        table = html.Table(
            [
                html.Caption(_("Percentile of each community by aspect of service"), className="unseen"),
                html.Thead(html.Tr(list(self._headings()))),
                html.Tbody(list(self._rows())),
            ],
            className="heat-map",
        )
        scrolled = html.Div(
            table, className="heat-map-window", tabIndex="0", role="region", **attributes(aria_label=_("Percentiles"))
        )
        keep = html.A(
            _("This table as CSV"), href=f"{FILE_PATH}{self._shown.view.shared.search}", className="quiet-link"
        )
        printing = html.Button(_("Print"), id="print", className="quiet-button", type="button")
        below = html.Div([*self._ways(), keep, printing], className="heat-map-ways unprinted")
        return [_legend(self._shown.language), scrolled, below]

    def _order(self) -> tuple[str, bool]:
        """Return by what the address orders the table, and whether from the best down; else by the worst aspect."""
        asked = self._shown.view.own.get("sort", "")
        if asked.removeprefix("-") in {_NAME, *self._shares["question"]}:
            return asked.removeprefix("-"), asked.startswith("-")
        return str(self._shares.sort_values("share", kind="stable")["question"].iloc[0]), False

    def _sorted(self, communities: pd.DataFrame) -> pd.DataFrame:
        """Return the communities in the order asked for; those without a percentile come last in either."""
        if self._sort == _NAME:
            return communities.iloc[::-1] if self._descending else communities
        found = pd.concat([percentiles_by_number(each, self._sort) for each in self._standings.values()])
        values = found.reindex(communities["number"]).to_numpy()
        keyed = pd.Series(-values if self._descending else values)
        return communities.iloc[keyed.sort_values(kind="stable", na_position="last").index]

    def _headings(self) -> Iterator[Component]:
        _ = self._translate
        yield self._heading(_NAME, _("Community"))
        for row in records(self._shares):
            share = None if pd.isna(row["share"]) else f"{row['share']:.0%}"
            yield self._heading(row["question"], pick(self._shown.language, row["label"], row["english_label"]), share)

    def _heading(self, key: str, words: str, share: str | None = None) -> Component:
        is_current = key == self._sort
        mark = ("▼" if self._descending else "▲") if is_current else ""
        search = self._address(sort=f"-{key}" if is_current and not self._descending else key, page=None)
        link = dcc.Link([words, html.Span(mark, **attributes(aria_hidden="true"))], href=search, className="name-link")
        order = ("descending" if self._descending else "ascending") if is_current else "none"
        below = [] if share is None else [html.Span(share, className="heat-map-share")]
        return html.Th([link, *below], scope="col", **attributes(aria_sort=order))

    def _rows(self) -> Iterator[Component]:
        view, cells = self._shown.view, _cells(self._listed, self._standings)
        several = len(self._shown.regions) > 1
        for row in records(self._listed[["number", "name", "english_name", "region"]]):
            link = named_link(view, row["number"], row["name"], row["english_name"])
            place = [html.Span(self._shown.region_label(row["region"]), className="heat-map-share")] if several else []
            own = (cells.get((row["number"], question)) for question in self._shares["question"])
            yield html.Tr([html.Th([link, *place], scope="row"), *map(_cell, own)])

    def _ways(self) -> Iterator[Component]:
        """Yield which part is listed, and links to the others."""
        _ = self._translate
        last = self._start + len(self._listed)
        if self._count:
            said = _("Communities {first} to {last} of {count}")
            numbers = {"first": self._start + 1, "last": last, "count": self._count}
            yield html.Span(said.format(**{name: f"{number:,}" for name, number in numbers.items()}))
        if self._page > 1:
            yield self._way(_("Previous page"), page=str(self._page - 1))
        if self._page < self._pages:
            yield self._way(_("Next page"), page=str(self._page + 1))
        if self._is_whole and self._count > PAGE_ROWS:
            yield self._way(_("In pages"), rows=None)
        elif PAGE_ROWS < self._count <= MOST_ROWS:
            yield self._way(_("All on one page, to print"), rows=_ALL, page=None)

    def _way(self, words: str, **changes: str | None) -> Component:
        link: Component = dcc.Link(words, href=self._address(**changes), className="quiet-link")
        return link

    def _address(self, **changes: str | None) -> str:
        return f"/dashboards/{ASPECTS_PATH}{self._shown.view.with_own(**changes).search}"


def _cells(
    communities: pd.DataFrame, standings: Mapping[str, pd.DataFrame]
) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return how some communities stand in each aspect, by their number and the question."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for region, numbers in communities.groupby("region", observed=True)["number"]:
        of_region = standings[str(region)]
        for row in records(of_region[of_region["number"].isin(numbers)]):
            found[row["number"], row["question"]] = row
    return found


def _cell(standing: Mapping[str, Any] | None) -> Component:
    """Return the percentile of a community in an aspect on its colour, a dash where there is none."""
    told = None if standing is None else told_percentile(standing)
    if standing is None or told is None:
        cell: Component = html.Td("—", className="heat-map-empty")
        return cell
    background, ink = shade_of(standing["percentile"])
    return html.Td(told, style={"backgroundColor": background, "color": ink})


def shade_of(percentile: float) -> tuple[str, str]:
    """Return the colour of a percentile in (0, 1), and that of the text on it."""
    return next((background, ink) for most, background, ink in theme.PERCENTILES if percentile <= most)


def _legend(language: str) -> Component:
    _ = translator(language)
    words = (
        _("up to 10"),
        _("up to 25"),
        _("middle half"),
        _("above 75"),
        _("above 90"),
    )
    items = [
        html.Li(said, style={"backgroundColor": background, "color": ink})
        for said, (_most, background, ink) in zip(words, theme.PERCENTILES, strict=True)
    ]
    return html.Ul(items, className="heat-map-legend", **attributes(aria_label=_("Percentile")))


def _what_it_shows(shown: PageData) -> str:
    _ = translator(shown.language)
    return _(
        "Percentile among the communities ranked together: a low one means that most others have a higher share of "
        "satisfied answers. Under each aspect: the share satisfied of all. A dash: fewer than {base} answered, fewer "
        "than {few} were satisfied or were not, or fewer than {least} communities can be compared."
    ).format(base=shown.disclosure.minimum_base, few=shown.disclosure.minimum_cell, least=LEAST_TOGETHER)


def _number(written: str | None) -> int:
    """Return the page that an address asks for, the first where it is none."""
    is_number = written is not None and written.isascii() and written.isdigit() and len(written) <= _LONGEST_PAGE
    return max(1, int(written)) if is_number and written else 1


def _csv(shown: PageData) -> Iterator[str]:
    """Return the table as a CSV file in pieces, in the order of the communities' names."""
    _ = translator(shown.language)
    language, aspects = shown.language, records(shares_shown(shown))
    counted = counted_words(shown.header, language)
    parts = (counted, _("Satisfied"), _("Percentile"), _("Lower bound"), _("Upper bound"))
    headings = [
        *(_("Kind of result"), _("Number"), _("Community"), _("District")),
        *(
            _("{aspect}: {number}").format(aspect=pick(language, each["label"], each["english_label"]), number=part)
            for each in aspects
            for part in parts
        ),
    ]
    kind = _("Preview, not an official result") if shown.header.provisional else _("official")
    # Before the first piece, while it is known who asks.
    standings = {region: shown.source.aspect_standings(shown.header.id, region) for region in shown.regions}
    pieces = shown.source.export_rows(shown.header.id, GridQuery(region=shown.view.region), kind="aspects")
    questions = [each["question"] for each in aspects]

    def rows_of(piece: pd.DataFrame) -> list[list[Any]]:
        cells = _cells(piece, standings)
        return [
            [
                kind,
                row["number"],
                pick(language, row["name"], row["english_name"]),
                pick(language, row["region"], row["region_english"]),
                *(value for question in questions for value in _file_values(cells.get((row["number"], question)))),
            ]
            for row in records(piece)
        ]

    return csv_file(headings, map(rows_of, pieces))


def _file_values(standing: Mapping[str, Any] | None) -> list[Any]:
    if standing is None:
        return [None] * 5
    limits = (standing["percentile_lower"], standing["percentile_upper"])
    told = [None if pd.isna(limit) else f"{limit * 100:.1f}" for limit in limits]
    return [standing["answered"], standing["satisfied"], told_percentile(standing), *told]
