"""Communities that would enter or leave the list under another assumption: chart, counts and names."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import pandas as pd
from dash.development.base_component import Component

from dashboards.figures.evidence import change_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import among, met, scale_of
from dashboards.languages import pick, translator
from dashboards.routes import ROUTES
from dashboards.widgets.components import (
    Column,
    Numbers,
    NumbersColumn,
    chart,
    data_table,
    empty,
    partial_caption,
    records,
)
from dashboards.widgets.links import named_link
from dashboards.widgets.next_steps import choose_another

MOST_NAMED: Final = 100
"""Most names listed: nobody reads more here."""
WHAT_IF_COLUMNS: Final = (
    "community_id",
    "responses",
    "satisfied",
    "criterion_status",
    *(column for route in ROUTES.values() for column in (route.rank, route.score, route.status, route.reason)),
)
"""Columns of hypothetical standings that are shown."""


def changes(
    shown: PageData,
    after: pd.DataFrame,
    *,
    name: str,
    only_verdicts: Collection[str] = frozenset(),
    without_ranks: Collection[str] = frozenset(),
) -> list[Component]:
    """Return the communities that would enter or leave the list that is shown.

    Parameters
    ----------
    after : DataFrame
        `WHAT_IF_COLUMNS` of the same communities under the other assumption.
    name : str
        Name of the chart and of the file to download.
    only_verdicts : collection of str
        Ids of the communities of which neither rank nor score is told: another score than the official one would tell
        what the few answered that make the difference.
    without_ranks : collection of str
        Ids of the communities of which the rank by satisfaction is not told: it would tell where one of those stands.
    """
    _ = translator(shown.language)
    compared = _compared(shown, after)
    regions = _by_region(compared, shown)
    stays, enters, leaves = (int(compared[column].sum()) for column in ("stays", "enters", "leaves"))
    summary = _(
        "Communities that meet the criterion: {before}; under this assumption: {after}. Entering: {enters}; "
        "leaving: {leaves}."
    ).format(before=stays + leaves, after=stays + enters, enters=enters, leaves=leaves)
    if not stays + enters + leaves:
        none = _("No community here meets the criterion, neither by the rules nor under this assumption.")
        return [empty(none, choose_another(shown.language))]
    drawn = chart(
        change_figure(regions, shown.language),
        name=name,
        summary=summary,
        language=shown.language,
        numbers=_numbers(regions, shown.language),
    )
    moved = compared[compared["enters"] | compared["leaves"]]
    return [drawn, *([_names(shown, moved, after, only_verdicts, without_ranks)] if len(moved) else [])]


def _compared(shown: PageData, after: pd.DataFrame) -> pd.DataFrame:
    """Return the communities shown, with the columns `stays`, `enters` and `leaves`."""
    own = shown.standings[["community_id", "number", "name", "english_name", "region", "region_english"]]
    was = met(shown.standings, "criterion_status")
    then = among(own["community_id"], after.loc[met(after, "criterion_status"), "community_id"])
    return own.assign(stays=was & then, enters=~was & then, leaves=was & ~then)


def _by_region(compared: pd.DataFrame, shown: PageData) -> pd.DataFrame:
    columns = ["stays", "enters", "leaves"]
    counted = compared.groupby("region", sort=False)[columns].sum()
    return counted.reset_index(drop=True).assign(label=[shown.region_label(region) for region in counted.index])


def _numbers(regions: pd.DataFrame, language: str) -> Numbers:
    _ = translator(language)
    columns = [
        NumbersColumn(_("District")),
        *(NumbersColumn(name, numeric=True) for name in (_("Stay"), _("Enter"), _("Leave"))),
    ]
    rows = [[row["label"], int(row["stays"]), int(row["enters"]), int(row["leaves"])] for row in records(regions)]
    return Numbers(_("Who would enter and leave"), columns, rows)


def _names(
    shown: PageData,
    moved: pd.DataFrame,
    after: pd.DataFrame,
    only_verdicts: Collection[str],
    without_ranks: Collection[str],
) -> Component:
    _ = translator(shown.language)
    untold = [_("not shown")] * len(ROUTES)
    words = {True: _("would enter"), False: _("would leave")}
    named = moved.head(MOST_NAMED)
    supposed = {row["community_id"]: row for row in records(after[after["community_id"].isin(named["community_id"])])}
    headings = (_("Community"), _("District"), _("Change"), _("Satisfaction"), _("Complaints"), _("Please check"))
    columns = [Column(heading, heading) for heading in headings]
    rows: list[list[str | Component]] = [
        [
            named_link(shown.view, row["number"], row["name"], row["english_name"]),
            pick(shown.language, row["region"], row["region_english"]),
            words[bool(row["enters"])],
            *(
                untold
                if row["community_id"] in only_verdicts
                else _places(
                    supposed[row["community_id"]], shown, is_rank_told=row["community_id"] not in without_ranks
                )
            ),
            "\n".join(shown.warnings_about(row["number"])),
        ]
        for row in records(named)
    ]
    caption = partial_caption(_("Who would enter and leave"), named, moved, shown.language)
    return data_table(columns, rows, caption=caption)


def _places(standing: Mapping[str, Any], shown: PageData, *, is_rank_told: bool) -> list[str]:
    """Return rank and score on both routes under the other assumption; by satisfaction the rank where it is told."""
    _ = translator(shown.language)
    said = []
    for route in ROUTES.values():
        scale = scale_of(shown.header, route, shown.language)
        rank, score = standing[route.rank], scale.write(standing[route.score])
        if pd.isna(rank):
            said.append("—")
        elif is_rank_told or route.key != "satisfaction":
            said.append(_("rank {rank}, {score}").format(rank=int(rank), score=score))
        else:
            said.append(score)
    return said
