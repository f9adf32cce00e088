"""Qualified communities: the list that the evaluation is about, with the reason of each decision."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from dash.development.base_component import Component

from analytics.reports.labels import route_words, survey_channel_words
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import met, scale_of
from dashboards.frames.survey_channels import channels_by_number
from dashboards.languages import pick, translator
from dashboards.routes import ROUTES
from dashboards.widgets import community_table
from dashboards.widgets.components import Column, data_table, empty, panel, records, scrolled
from dashboards.widgets.links import named_link

MOST_QUALIFIED: Final = 60
"""Most names listed here; more are read in the table of all communities."""


def qualified_panel(shown: PageData) -> Component:
    """Return the communities that meet the criterion, each with its routes and its reasons."""
    _ = translator(shown.language)
    name = _("Who qualifies, by which route and why")
    ranks = ["satisfaction_rank", "complaint_rank"]
    decided = shown.standings[["number", "region", *ranks, *(route.status for route in ROUTES.values())]]
    qualified = decided[met(shown.standings, "criterion_status")]
    if qualified.empty:
        return panel(name, empty(_("No community meets the criterion here.")), anchor="qualified")
    order = {region: place for place, region in enumerate(shown.regions)}
    keyed = qualified[ranks].assign(place=qualified["region"].map(order).astype("int64"))
    keyed = keyed.sort_values(["place", *ranks], kind="stable").head(MOST_QUALIFIED)
    listed = shown.with_all_columns(qualified.loc[keyed.index])
    headings = (_("Community"), _("District"), _("Route"), _("Rank"), _("Score"), _("Answers came through"), _("Why"))
    columns = [Column(heading, heading, wide=heading == headings[-1]) for heading in headings]
    reasons = {key: shown.reasons(listed, route) for key, route in ROUTES.items()}
    channels = channels_by_number(shown.source, shown.header.id)
    rows = [_qualified_row(row, shown, reasons, channels) for row in records(listed)]
    by_route = {route.key: int(met(qualified, route.status).sum()) for route in ROUTES.values()}
    both = by_route["satisfaction"] + by_route["complaints"] - len(qualified)
    note = _(
        "{count} communities: {satisfaction} by satisfaction, {complaints} by complaints, {both} of them by both."
    ).format(count=len(qualified), both=both, **by_route)
    caption = _("{shown} of {count}").format(shown=len(rows), count=len(qualified))
    return panel(name, scrolled(data_table(columns, rows, caption=caption), name), anchor="qualified", note=note)


def _qualified_row(
    row: dict[str, Any],
    shown: PageData,
    reasons: Mapping[str, Mapping[str, str]],
    channels: Mapping[str, str],
) -> list[str | Component]:
    ways = [route for route in ROUTES.values() if row[route.status] == "met"]
    names = route_words(shown.language)
    channel = channels.get(row["number"])
    return [
        named_link(shown.view, row["number"], row["name"], row["english_name"]),
        pick(shown.language, row["region"], row["region_english"]),
        _lines(names[route.key] for route in ways),
        _lines(community_table.rank_words(row, route.key, shown.language) for route in ways),
        _lines(scale_of(shown.header, route, shown.language).write(row[route.score]) for route in ways),
        survey_channel_words(shown.language)[channel] if channel else "—",
        _lines([*(reasons[route.key][row["number"]] for route in ways), *shown.warnings_about(row["number"])]),
    ]


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(texts)
