"""Components of pages: panels, charts with their text and numbers, tables that become cards on a phone."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final
from urllib.parse import quote

import dash_mantine_components as dmc
import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from analytics.files.csv_files import csv_file
from dashboards.figures.chart_parts import Figure, is_one_bar
from dashboards.languages import translator
from dashboards.theme import chart_config
from dashboards.widgets.links import Linked, linked

Content = Component | str | int | float | None

MOST_ROWS_BEHIND_CHART: Final = 300
"""Most rows of a table behind a chart: nobody reads longer ones, and they make the page slow."""

_FEW_CARDS: Final = 8
"""Most rows of a table that a phone, where they are cards, shows without a window of their own."""


@dataclass(frozen=True)
class Column:
    """Column of a table; `wide` ones take a row of their own on a narrow screen."""

    heading: Content
    label: str
    numeric: bool = False
    wide: bool = False


@dataclass(frozen=True)
class NumbersColumn:
    """Column of the numbers behind a chart; `write` formats a value for people."""

    label: str
    numeric: bool = False
    write: Callable[[Any], str] = str


@dataclass(frozen=True)
class Numbers:
    """Numbers behind a chart, as a table to read and as a file to download: the same rows in both.

    A value of a row may be `Linked`, which leads to what it stands for.
    """

    caption: str
    columns: Sequence[NumbersColumn]
    rows: Sequence[Sequence[Any]]

    @property
    def table(self) -> Component:
        """The rows as a table for people."""
        return self.table_under(None)

    def table_under(self, title: str | None) -> Component:
        """Return the rows as a table for people, under a title that need not be said again."""
        columns = [Column(column.label, column.label, numeric=column.numeric) for column in self.columns]
        shown = [
            [linked(value) if isinstance(value, Linked) else _read(value, column) for value, column in self._pairs(row)]
            for row in self.rows
        ]
        return data_table(columns, shown, caption=self.caption, title=title)

    @property
    def written(self) -> list[list[str]]:
        """The rows as people read them on paper."""
        return [[_read(_without_link(value), column) for value, column in self._pairs(row)] for row in self.rows]

    @property
    def csv(self) -> str:
        """The rows as CSV to six digits, as a file."""
        rows = ([_to_six_digits(_without_link(value)) for value in row] for row in self.rows)
        return "".join(csv_file([column.label for column in self.columns], [rows]))

    def _pairs(self, row: Sequence[Any]) -> Iterator[tuple[Any, NumbersColumn]]:
        return zip(row, self.columns, strict=True)


def attributes(**values: str) -> dict[str, Any]:
    """Return `aria_label="…"` and the like with hyphens, as Dash needs them and Python's names cannot hold."""
    return {name.replace("_", "-"): value for name, value in values.items()}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as dicts by column name."""
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, values, strict=True)) for values in frame.itertuples(index=False, name=None)]


def panel(title: str, *content: Content, anchor: str | None = None, note: str | None = None) -> Component:
    """Return a titled panel, which the navigation can link to by its anchor."""
    head: list[Component] = [html.H2(title, className="panel-title")]
    if note:
        head.append(html.P(note, className="panel-note"))
    identity: dict[str, Any] = {"id": anchor} if anchor else {}
    return html.Section([html.Div(head, className="panel-head"), *content], className="panel", **identity)


def side_by_side(cards: Sequence[Component]) -> Component:
    """Return parts of a panel beside one another as far as there is room, one alone over the whole width."""
    return html.Div(cards, className="charts" if len(cards) > 1 else "charts one")


def titled_sentences(said: Iterable[tuple[str, Sequence[str]]]) -> Component:
    """Return sentences under their titles, such as those about each region, side by side."""
    return side_by_side(
        [html.Div([html.H3(title), html.Ul([html.Li(each) for each in about])]) for title, about in said]
    )


def folded_part(title: str, *panels: Component, anchor: str) -> Component:
    """Return a part of a page that unfolds, for those who ask how its beginning came about; on paper it is open."""
    return html.Details(
        [html.Summary(html.H2(title, className="panel-title")), html.Div(panels)], id=anchor, className="folded-part"
    )


def chart(
    figure: Figure, *, name: str, summary: str, language: str, numbers: Numbers, is_unfolded: bool = False
) -> Component:
    """Return a chart with a text summary, for those who cannot see it, and its numbers to unfold or download.

    They are unfolded from the beginning where the list says more than the chart, and stand alone where the chart would
    be a single bar.
    """
    _ = translator(language)
    parts: list[Component] = [html.P(summary, className="chart-summary")]
    is_alone = is_one_bar(figure)
    if not is_alone:
        parts.append(html.Div(_graph(figure, name, language), role="group", **attributes(aria_label=_("Chart"))))
    if not numbers.rows:
        nothing = _("{table}: none.").format(table=numbers.caption)
        return html.Div([*parts, html.P(nothing, className="apart")], className="chart")
    address = "data:text/csv;charset=utf-8," + quote(numbers.csv)
    keep = html.A(_("Numbers as CSV"), href=address, download=f"{name}.csv", className="quiet-link")
    listed = [html.Summary(_("Show the numbers")), scrolled(numbers.table, numbers.caption), keep]
    parts.append(html.Details(listed, open=True) if is_unfolded or is_alone else html.Details(listed))
    return html.Div(parts, className="chart")


def _graph(figure: Figure, name: str, language: str) -> Component:
    config: Any = chart_config(language, name)
    graph: Component = dcc.Graph(
        figure=figure, config=config, responsive=True, style={"height": figure["layout"]["height"]}
    )
    return graph


def data_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str | Component]], *, caption: str, title: str | None = None
) -> Component:
    """Return a table whose rows become cards on a narrow screen, each value with its heading.

    A caption that only repeats the `title` above the table is for those alone who have the table read out.

    Plain text becomes one Dash component: the browser takes seconds to build a long table with one for every cell. Rows
    with links in them need one for each.
    """
    # The style sheet shows these beside the values when there is no room for a line of headings.
    labels = {
        f"--label-{place}": json.dumps(column.label, ensure_ascii=False)
        for place, column in enumerate(columns, start=1)
    }
    kinds = [
        f"{kind}-{place}"
        for place, column in enumerate(columns, start=1)
        for kind in ("numeric", "wide")
        if getattr(column, kind)
    ]
    heads = [column.heading for column in columns]
    has_links = any(isinstance(cell, Component) for row in rows for cell in row)
    content: dict[str, Any] = (
        {"children": _built(heads, rows, caption)}
        if has_links
        else {"data": {"head": heads, "body": rows, "caption": caption}}
    )
    table: Component = dmc.Table(
        **content,
        className=" ".join(["folding", *kinds, *(["titled"] if caption == title else [])]),
        style=labels,
        captionSide="bottom",
        verticalSpacing="xs",
    )
    return table


def _built(heads: Sequence[Content], rows: Sequence[Sequence[str | Component]], caption: str) -> list[Component]:
    body = [dmc.TableTr([dmc.TableTd(cell) for cell in row]) for row in rows]
    return [
        dmc.TableThead(dmc.TableTr([dmc.TableTh(head) for head in heads])),
        dmc.TableTbody(body),
        dmc.TableCaption(caption),
    ]


def partial_caption(caption: str, listed: pd.DataFrame, everyone: pd.DataFrame, language: str) -> str:
    """Return the caption of a table, which says so where it lists only the first rows."""
    _ = translator(language)
    if len(listed) == len(everyone):
        return caption
    words = _("{caption}: the first {shown} of {count}")
    return words.format(caption=caption, shown=f"{len(listed):,}", count=f"{len(everyone):,}")


def scrolled(table: Component, title: str) -> Component:
    """Return a table of `data_table` in a window, which scrolls where it is long, for the keyboard too."""
    content: dict[str, Any] | None = getattr(table, "data", None)
    rows: Sequence[Any] = table.children[1].children if content is None else content["body"]
    kind = "tall few" if len(rows) <= _FEW_CARDS else "tall"
    return html.Div(table, className=kind, tabIndex="0", role="region", **attributes(aria_label=title))


def facts(pairs: Sequence[tuple[str, Content | list[Component]]]) -> Component:
    """Return a list of names with their values."""
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in pairs], className="facts")


def key_figure(title: str, value: Content | list[Component], *, note: Content = None) -> Component:
    """Return one key figure in large type."""
    parts: list[Component] = [html.Dt(title), html.Dd(value, className="figure")]
    if note:
        parts.append(html.Dd(note, className="note"))
    return html.Div(parts, className="key-figure")


def _without_link(value: Any) -> Any:
    return value.words if isinstance(value, Linked) else value


def _to_six_digits(value: Any) -> Any:
    # More digits than a survey can have would make pages half as heavy again.
    return float(f"{value:.6g}") if isinstance(value, float) and isfinite(value) else value


def _read(value: Any, column: NumbersColumn) -> str:
    # Missing is not zero.
    return "—" if value is None or pd.isna(value) else column.write(value)


def empty(why: str, then: str | None) -> Component:
    """Return a placeholder that says why there is nothing to show and, unless all is well, what to do next."""
    return html.P(why if then is None else [why, html.Span(then, className="next-step")], className="empty")


def notice(title: str, text: str) -> Component:
    """Return a warning that cannot be overlooked."""
    alert: Component = dmc.Alert(text, title=title, color="orange", variant="light", className="notice")
    return alert
