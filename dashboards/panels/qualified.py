"""Qualified communities: the list that the evaluation is about, with the reason of each decision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.reports.labels import evidence_words, route_words, survey_channel_words
from analytics.reports.percentile_words import percentile_cell
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import met, scale_of
from dashboards.frames.survey_channels import channels_by_number
from dashboards.languages import pick, translator
from dashboards.panels.row_warnings import row_warnings
from dashboards.routes import ROUTES, Route
from dashboards.widgets import community_table
from dashboards.widgets.components import Column, data_table, empty, panel, records, scrolled
from dashboards.widgets.links import named_link
from dashboards.widgets.next_steps import choose_another

MOST_QUALIFIED: Final = 40
"""Most names listed here; more are read in the table of all communities."""


def qualified_panel(shown: PageData) -> Component:
    """Return the communities that meet the criterion, each with its routes and its reasons."""
    _ = translator(shown.language)
    name = _("Who qualifies, by which route and why")
    qualified = qualified_in_order(shown)
    if qualified.empty:
        return panel(name, empty(none_qualifies(shown.language), choose_another(shown.language)), anchor="qualified")
    listed = shown.with_all_columns(qualified.head(MOST_QUALIFIED))
    headings = (
        _("Community"),
        _("District"),
        _("Route"),
        _("Percentile"),
        _("Rank"),
        _("Score"),
        _("Evidence"),
        _("Please check"),
    )
    columns = [Column(heading, heading, wide=heading == headings[-1]) for heading in headings]
    said = _Said(
        reasons={key: shown.reasons(listed, route) for key, route in ROUTES.items()},
        channels=channels_by_number(shown.source, shown.header.id),
        warnings=row_warnings(shown, listed),
    )
    rows = [_qualified_row(row, shown, said) for row in records(listed)]
    caption = _("{shown} of {count}").format(shown=len(rows), count=len(qualified))
    table = scrolled(data_table(columns, rows, caption=caption), name)
    return panel(name, table, anchor="qualified", note=qualified_sentence(qualified, shown.language))


def qualified_in_order(shown: PageData) -> pd.DataFrame:
    """Return all communities that meet the criterion, region by region in the order of their ranks.

    Columns: number, region, the ranks and the status on each route.
    """
    ranks = ["satisfaction_rank", "complaint_rank"]
    decided = shown.standings[["number", "region", *ranks, *(route.status for route in ROUTES.values())]]
    qualified = decided[met(shown.standings, "criterion_status")]
    order = {region: place for place, region in enumerate(shown.regions)}
    keyed = qualified[ranks].assign(place=qualified["region"].map(order).astype("int64"))
    return qualified.loc[keyed.sort_values(["place", *ranks], kind="stable").index]


def qualified_sentence(qualified: pd.DataFrame, language: str) -> str:
    """Return how many communities of `qualified_in_order` meet the criterion, by which routes."""
    _ = translator(language)
    by_route = {route.key: int(met(qualified, route.status).sum()) for route in ROUTES.values()}
    both = by_route["satisfaction"] + by_route["complaints"] - len(qualified)
    return _(
        "Communities: {count}; by satisfaction {satisfaction}, by complaints {complaints}, by both {both}."
    ).format(count=len(qualified), both=both, **by_route)


def none_qualifies(language: str) -> str:
    """Return what is said where no community meets the criterion."""
    _ = translator(language)
    return _("No community meets the criterion here.")


@dataclass(frozen=True)
class _Said:
    """What is said of communities, by number."""

    reasons: Mapping[str, Mapping[str, str]]
    channels: Mapping[str, str]
    warnings: Mapping[str, Sequence[str]]


def _qualified_row(row: dict[str, Any], shown: PageData, said: _Said) -> list[str | Component]:
    ways = [route for route in ROUTES.values() if row[route.status] == "met"]
    names, regions = route_words(shown.language), shown.header.summary["regions"]
    return [
        named_link(shown.view, row["number"], row["name"], row["english_name"]),
        pick(shown.language, row["region"], row["region_english"]),
        _lines(names[route.key] for route in ways),
        _lines(percentile_cell(row, regions, route.key) or "—" for route in ways),
        _lines(community_table.rank_words(row, route.key, shown.language) for route in ways),
        _lines(_score(row, shown, route) for route in ways),
        _lines(evidence_words(shown.language).get(row[route.evidence], "—") for route in ways),
        html.Div([_lines(said.warnings[row["number"]]), _why(row, shown, ways, said)]),
    ]


def _score(row: dict[str, Any], shown: PageData, route: Route) -> str:
    """Return the score of a community on a route, and of how many answers it is."""
    score = scale_of(shown.header, route, shown.language).write(row[route.score])
    if route.key != "satisfaction" or pd.isna(row["responses"]):
        return score
    _ = translator(shown.language)
    return _("{score} of {count}").format(score=score, count=f"{int(row['responses']):,}")


def _why(row: dict[str, Any], shown: PageData, ways: Sequence[Route], said: _Said) -> Component:
    """Return the reasons of a decision, which are read one at a time."""
    _ = translator(shown.language)
    number = row["number"]
    lines = [said.reasons[route.key][number] for route in ways]
    if channel := said.channels.get(number):
        lines.append(
            _("Answers came through: {channel}.").format(channel=survey_channel_words(shown.language)[channel])
        )
    return html.Details([html.Summary(_("Why")), _lines(lines)])


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(texts)
