"""The table of all communities: searched, sorted and cut into pages here, so that the browser holds one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboards.languages import pick, translator
from dashboards.parts import Column, attributes, data_table, empty, records
from dashboards.results import ROUTES, Scale
from dashboards.wording import status_words

PAGE_ROWS: Final = 20
FIRST_ORDER: Final = "satisfaction_rank"

_NUMERIC = frozenset({"satisfaction_rank", "satisfaction_score", "responses", "complaint_rank", "complaint_rate"})
# Those of the charts: a result is not told by colour alone.
_MARKS: Final = {"met": "◆", "not_met": "•", "not_assessed": "○", "not_applicable": "–"}
_SORT_COLUMNS: Final[Mapping[str, str | None]] = {
    # The source hands communities over in the order of their sort keys, which is pinyin for Chinese names.
    "name": None,
    "satisfaction_rank": "satisfaction_rank",
    "responses": "responses",
    "complaint_rank": "complaint_rank",
}


@dataclass(frozen=True)
class Asked:
    """Which part of the table is asked for; `order` is a column, with a minus before it for the last first."""

    order: str = FIRST_ORDER
    status: str = ""
    name: str = ""
    page: int = 1

    @property
    def column(self) -> str:
        return self.order.removeprefix("-")

    @property
    def descending(self) -> bool:
        return self.order.startswith("-")

    def reordered_by(self, column: str) -> str:
        """Return the order after a tap on the heading of `column`."""
        return f"-{column}" if self.order == column else column


def orders(language: str) -> list[dict[str, str]]:
    """Return every order of the table as options of a select."""
    _ = translator(language)
    names = _column_names(language)
    return [
        {"value": prefix + column, "label": words.format(column=names[column])}
        for column in _SORT_COLUMNS
        for prefix, words in (("", _("{column}, ascending")), ("-", _("{column}, descending")))
    ]


def selected(standings: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """Return the communities that are asked for, in the order that is asked for; what has no value comes last."""
    chosen = standings
    if asked.status:
        chosen = chosen[chosen["requirement_status"] == asked.status]
    if wanted := asked.name.strip().casefold():
        found = chosen["name"].str.casefold().str.contains(wanted, regex=False)
        english = chosen["english_name"].fillna("").str.casefold().str.contains(wanted, regex=False)
        chosen = chosen[found | english]
    column = _SORT_COLUMNS.get(asked.column)
    if column is None:
        return chosen.iloc[::-1] if asked.descending else chosen
    return chosen.sort_values(column, ascending=not asked.descending, kind="stable", na_position="last")


def count_pages(rows: int) -> int:
    """Return how many pages the table has."""
    return max(1, ceil(rows / PAGE_ROWS))


def ledger_table(chosen: pd.DataFrame, asked: Asked, scales: Mapping[str, Scale], language: str) -> Component:
    """Return one page of the table."""
    _ = translator(language)
    if chosen.empty:
        return empty(_("No community fits what you asked for."))
    start = (asked.page - 1) * PAGE_ROWS
    rows = [_row(row, scales, language) for row in records(chosen.iloc[start : start + PAGE_ROWS])]
    caption = _("{first}–{last} of {count} communities").format(
        first=start + 1, last=start + len(rows), count=f"{len(chosen):,}"
    )
    return data_table(_columns(asked, scales, language), rows, caption=caption)


def _columns(asked: Asked, scales: Mapping[str, Scale], language: str) -> list[Column]:
    names = _column_names(language) | {
        "satisfaction_score": scales["satisfaction"].title,
        "complaint_rate": scales["complaints"].title,
    }
    return [Column(_heading(key, name, asked, language), name, numeric=key in _NUMERIC) for key, name in names.items()]


def _heading(key: str, name: str, asked: Asked, language: str) -> Component | str:
    if key not in _SORT_COLUMNS:
        return name
    _ = translator(language)
    arrow, words = "↕", _("Order by {column}")
    if key == asked.column:
        arrow, words = ("↓", _("{column}, descending")) if asked.descending else ("↑", _("{column}, ascending"))
    return html.Button(
        f"{name} {arrow}",
        id={"type": "ledger-sort", "column": key},
        className="sort",
        **attributes(aria_label=words.format(column=name)),
    )


def _column_names(language: str) -> dict[str, str]:
    _ = translator(language)
    return {
        "name": _("Community"),
        "region": _("District"),
        "satisfaction_rank": _("Satisfaction: rank"),
        "satisfaction_score": "",
        "responses": _("Valid answers"),
        "complaint_rank": _("Complaints: rank"),
        "complaint_rate": "",
        "status": _("Result"),
    }


def _row(row: Mapping[str, Any], scales: Mapping[str, Scale], language: str) -> Sequence[str]:
    status = row["requirement_status"]
    return [
        pick(language, row["name"], row["english_name"]),
        pick(language, row["region"], row["region_english"]),
        rank_words(row, "satisfaction", language),
        scales["satisfaction"].write(_if_ranked(row, "satisfaction")),
        "—" if pd.isna(row["responses"]) else f"{int(row['responses']):,}",
        rank_words(row, "complaints", language),
        scales["complaints"].write(_if_ranked(row, "complaints")),
        f"{_MARKS[status]} {status_words(language)[status]}",
    ]


def _if_ranked(row: Mapping[str, Any], route_key: str) -> float | None:
    # The score of a handful of answers would be read as a rank, and could give single answers away.
    route = ROUTES[route_key]
    return None if pd.isna(row[route.rank]) else row[route.score]


def rank_words(row: Mapping[str, Any], route_key: str, language: str) -> str:
    """Return the rank of a community on a route, and whether others share it."""
    _ = translator(language)
    route = ROUTES[route_key]
    if pd.isna(row[route.rank]):
        return "—"
    rank = int(row[route.rank])
    return _("{rank} (tied)").format(rank=rank) if row[route.last_rank] > rank else str(rank)
