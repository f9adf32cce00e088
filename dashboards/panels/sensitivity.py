"""Sensitivity of the list by satisfaction: without communities with few answers, and within ways of answering."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.decision.evaluate import evaluate
from analytics.evidence.sensitivity import LEAST_COMPLETES, analyse_sensitivity
from analytics.reports.labels import mode_words
from analytics.reports.sensitivity_sentences import region_sentences
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import met, scale_of
from dashboards.languages import translator
from dashboards.routes import ROUTES
from dashboards.source import EvaluationSource, header_of
from dashboards.widgets.components import Column, data_table, panel, records, scrolled
from dashboards.widgets.links import named_link

MOST_LISTED: Final = 40
"""Most communities listed; a longer list is in the report of the evaluation."""

_ROUTE: Final = ROUTES["satisfaction"]
_WITHOUT_FEW: Final = "satisfaction_rank_without_few"
_WITHIN: Final = ("satisfaction_main_mode", "satisfaction_rank_within_mode", "satisfaction_ranked_within_mode")


@dataclass(frozen=True)
class _Analysed:
    """What is shown of a sensitivity analysis; `communities` are indexed by number."""

    communities: pd.DataFrame
    regions: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.communities)


def sensitivity_panel(shown: PageData) -> list[Component]:
    """Return on what the list depends; nothing on the other route, or where the account sees a part of the region."""
    said = {} if shown.view.route != _ROUTE else sensitivity_by_region(shown)
    if not said:
        return []
    _ = translator(shown.language)
    found = shown.source.compute_once(shown.header.id, analyse)
    cards = [
        html.Div([html.H3(shown.region_label(region)), html.Ul([html.Li(each) for each in sentences])])
        for region, sentences in said.items()
    ]
    note = _("Answers on paper or by telephone are often kinder, and other people give them. Nothing is decided here.")
    return [
        panel(
            _("Few answers, and ways of answering"),
            html.Div(cards, className="charts" if len(cards) > 1 else "charts one"),
            *_listed(shown, found),
            anchor="sensitivity",
            note=note if any(facts["main_modes"] for facts in found.regions.values()) else None,
        )
    ]


def sensitivity_by_region(shown: PageData) -> dict[str, list[str]]:
    """Return for each region of which something can be said on what its list depends; none unless all is seen."""
    if not shown.sees_whole_regions:
        return {}
    found = shown.source.compute_once(shown.header.id, analyse)
    scale = scale_of(shown.header, _ROUTE, shown.language).factor
    said = {
        region: list(region_sentences(found.regions[region], scale=scale, language=shown.language))
        for region in shown.regions
    }
    return {region: sentences for region, sentences in said.items() if sentences}


def analyse(source: EvaluationSource, evaluation_id: int) -> _Analysed:
    """Return how sensitive the list of an evaluation is."""
    result = evaluate(source.inputs(evaluation_id), header_of(source, evaluation_id).rules, look_alikes=False)
    found = analyse_sensitivity(result)
    kept = [name for name in (_WITHOUT_FEW, *_WITHIN) if name in found.communities]
    communities = found.communities[kept].set_axis(result.communities["community_id"], axis="index")
    return _Analysed(communities, found.regions)


def _listed(shown: PageData, found: _Analysed) -> list[Component]:
    """Return the listed communities with their ranks among others alone."""
    _ = translator(shown.language)
    listed = shown.standings[met(shown.standings, _ROUTE.status)].sort_values(_ROUTE.rank, kind="stable")
    if listed.empty or found.communities.columns.empty:
        return []
    headings = [_("Community"), _("Rank")]
    if _WITHOUT_FEW in found.communities:
        headings.append(_("Among those with at least {least} answers").format(least=LEAST_COMPLETES))
    if set(_WITHIN) <= set(found.communities):
        headings.append(_("Among those that answered the same way"))
    columns = [Column(heading, heading) for heading in headings]
    rows: list[list[str | Component]] = [
        [
            named_link(shown.view, row["number"], row["name"], row["english_name"]),
            f"{int(row[_ROUTE.rank]):,}",
            *_ranks(found.communities.loc[row["number"]], shown.language),
        ]
        for row in records(listed.head(MOST_LISTED))
    ]
    caption = _("{shown} of {count}").format(shown=len(rows), count=len(listed))
    name = _("Listed communities and their ranks among others")
    return [scrolled(data_table(columns, rows, caption=caption), name)]


def _ranks(own: "pd.Series[Any]", language: str) -> list[str]:
    _ = translator(language)
    said = []
    if _WITHOUT_FEW in own:
        said.append("—" if pd.isna(own[_WITHOUT_FEW]) else f"{int(own[_WITHOUT_FEW]):,}")
    if set(_WITHIN) <= set(own.index):
        mode, rank, ranked = (own[name] for name in _WITHIN)
        place = _("{rank} of {count}, {way}")
        known = pd.notna(rank)
        said.append(place.format(rank=rank, count=ranked, way=mode_words(language)[mode]) if known else "—")
    return said
