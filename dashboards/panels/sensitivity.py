"""Sensitivity of the list by satisfaction: without communities with few answers, and within ways of answering."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from dash.development.base_component import Component

from analytics.evidence.sensitivity import LEAST_COMPLETES
from analytics.reports.labels import mode_words
from analytics.reports.sensitivity_sentences import only_main_mode, region_sentences
from dashboards.frames.list_analysis import WITHIN, WITHOUT_FEW, ListAnalysis, analyse_list
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import met, scale_of
from dashboards.languages import translator
from dashboards.routes import ROUTES
from dashboards.widgets.components import Column, data_table, panel, records, scrolled, titled_sentences
from dashboards.widgets.links import named_link
from dashboards.widgets.next_steps import none_ranked, sees_a_part

MOST_LISTED: Final = 40
"""Most communities listed; a longer list is in the report of the evaluation."""

_ROUTE: Final = ROUTES["satisfaction"]


def sensitivity_panel(shown: PageData) -> list[Component]:
    """Return on what the list depends, or why that is not known; nothing on the other route."""
    if shown.view.route != _ROUTE:
        return []
    _ = translator(shown.language)
    name, said = _("Few answers, and ways of answering"), sensitivity_by_region(shown)
    if not shown.sees_whole_regions:
        return [panel(name, sees_a_part(shown.language), anchor="sensitivity")]
    if not said:
        return [panel(name, none_ranked(shown.language), anchor="sensitivity")]
    found = shown.source.compute_once(shown.header.id, analyse_list)
    note = _("Answers on paper or by telephone are often kinder, and other people give them. Nothing is decided here.")
    return [
        panel(
            name,
            titled_sentences((shown.region_label(region), about) for region, about in said.items()),
            *_listed(shown, found),
            anchor="sensitivity",
            note=note if any(facts["main_modes"] for facts in found.regions.values()) else None,
        )
    ]


def sensitivity_by_region(shown: PageData) -> dict[str, list[str]]:
    """Return for each region of which something can be said on what its list depends; none unless all is seen."""
    if not shown.sees_whole_regions:
        return {}
    found = shown.source.compute_once(shown.header.id, analyse_list)
    scale = scale_of(shown.header, _ROUTE, shown.language).factor
    said = {
        region: list(region_sentences(found.regions[region], scale=scale, language=shown.language))
        for region in shown.regions
    }
    return {region: sentences for region, sentences in said.items() if sentences}


def _listed(shown: PageData, found: ListAnalysis) -> list[Component]:
    """Return the listed communities with their ranks among others alone."""
    _ = translator(shown.language)
    listed = shown.standings[met(shown.standings, _ROUTE.status)].sort_values(_ROUTE.rank, kind="stable")
    if listed.empty or found.ranks.columns.empty:
        return []
    ranks = found.ranks[_columns_that_differ(found, shown.regions)].loc[listed["number"]].dropna(axis=1, how="all")
    headings = [_("Community"), _("Rank")]
    if WITHOUT_FEW in ranks:
        headings.append(_("Among those with at least {least} answers").format(least=LEAST_COMPLETES))
    if set(WITHIN) <= set(ranks):
        headings.append(_("Among those that answered the same way"))
    if len(headings) == 2:
        return []
    columns = [Column(heading, heading) for heading in headings]
    rows: list[list[str | Component]] = [
        [
            named_link(shown.view, row["number"], row["name"], row["english_name"]),
            f"{int(row[_ROUTE.rank]):,}",
            *_ranks(ranks.loc[row["number"]], shown.language),
        ]
        for row in records(listed.head(MOST_LISTED))
    ]
    caption = _("{shown} of {count}").format(shown=len(rows), count=len(listed))
    name = _("Listed communities and their ranks among others")
    return [scrolled(data_table(columns, rows, caption=caption), name)]


def _columns_that_differ(found: ListAnalysis, regions: Sequence[str]) -> list[str]:
    """Return the columns of ranks, without those within ways of answering where each region has one way alone."""
    ways = [found.regions[region]["main_modes"] for region in regions]
    is_one = all(only_main_mode(each) for each in ways if each)
    return [name for name in found.ranks.columns if not (is_one and name in WITHIN)]


def _ranks(own: "pd.Series[Any]", language: str) -> list[str]:
    _ = translator(language)
    said = []
    if WITHOUT_FEW in own:
        said.append("—" if pd.isna(own[WITHOUT_FEW]) else f"{int(own[WITHOUT_FEW]):,}")
    if set(WITHIN) <= set(own.index):
        mode, rank, ranked = (own[name] for name in WITHIN)
        place = _("{rank} of {count}, {way}")
        known = pd.notna(rank)
        said.append(place.format(rank=rank, count=ranked, way=mode_words(language)[mode]) if known else "—")
    return said
