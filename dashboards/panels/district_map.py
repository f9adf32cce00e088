"""Map of the districts: polygons filled from the city's own boundaries, no tiles and no other host."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboards.figures.maps import map_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import met, percentiles_together, regions_of, scale_of, sees_everything
from dashboards.labels import ranked_words
from dashboards.languages import translator
from dashboards.source import Polygon
from dashboards.widgets.components import Numbers, NumbersColumn, attributes, chart, panel, records
from dashboards.widgets.next_steps import none_ranked

BEST_QUARTER: Final = "best_quarter"
"""In an address: the map is coloured by percentile."""

_BEST: Final = 0.75


def map_panel(shown: PageData, boundaries: Mapping[str, Sequence[Polygon]]) -> list[Component]:
    """Return the map of the districts shown; empty where no boundary is known or no district is a region."""
    regions = district_facts(shown)
    if not set(regions["region"]) & boundaries.keys():
        return []
    _ = translator(shown.language)
    if not regions["ranked"].sum():
        return [panel(_("Map of the districts"), none_ranked(shown.language), anchor="map")]
    is_offered = compares_districts(shown)
    is_by_percentile = is_offered and shown.view.own.get("shade") == BEST_QUARTER
    colour = (
        _("Colour: how many of the ranked communities of each district are among the best quarter of the whole city.")
        if is_by_percentile
        else _("Colour: the score of the middle community of each district.")
    )
    return [
        panel(
            _("Map of the districts"),
            *([_ways(shown, is_by_percentile=is_by_percentile)] if is_offered else []),
            chart(
                map_figure(regions, boundaries, shown.drawing(), is_by_percentile=is_by_percentile),
                name=f"districts-{shown.view.route.key}",
                summary=_shares_sentence(shown, regions) if is_by_percentile else _sentence(shown, regions),
                language=shown.language,
                numbers=_numbers(shown, regions, is_offered=is_offered),
            ),
            anchor="map",
            note=_("{colour} Districts are not ranked against each other.").format(colour=colour),
        )
    ]


def compares_districts(shown: PageData) -> bool:
    """Return whether communities can be compared across districts: there are several, and the account sees them all."""
    return len(shown.header.summary["regions"]) > 1 and sees_everything(
        shown.header, shown.source.inputs(shown.header.id)
    )


def _ways(shown: PageData, *, is_by_percentile: bool) -> Component:
    """Return the choice of what the colours tell, as links: each is a view to send on."""
    _ = translator(shown.language)
    ways = [(_("Score of the middle community"), None), (_("Share among the best quarter"), BEST_QUARTER)]
    links = [
        html.A(
            words,
            href=f"{shown.view.with_own(shade=shade).search}#map",
            className="quiet-link",
            **(attributes(aria_current="true") if is_by_percentile == (shade is not None) else {}),
        )
        for words, shade in ways
    ]
    return html.Div([html.Span(_("Colour by")), *links], className="map-ways unprinted")


def district_facts(shown: PageData) -> pd.DataFrame:
    """Return one row per region shown: region, label, middle, ranked, best, share, met, underreported.

    `middle` is the median score of those ranked, `share` how much of them the `best` are: those of them whose
    percentile among all ranked communities of the evaluation is 75 or more. The others are numbers of communities,
    `underreported` of those whose complaints may be.
    """
    route = shown.view.route
    is_best = percentiles_together(shown.everywhere, route) >= _BEST
    standings = shown.standings[["region", "criterion_status", route.rank, route.score]].assign(
        underreported=shown.standings["number"].isin(list(shown.underreported)), best=is_best[shown.standings.index]
    )
    rows = []
    for region in regions_of(standings):
        own = standings[standings["region"] == region]
        ranked = own[own[route.rank].notna()]
        middle = float(ranked[route.score].median()) if len(ranked) else None
        listed, warned = int(met(own, "criterion_status").sum()), int(own["underreported"].sum())
        best = int(own["best"].sum())
        share = best / len(ranked) if len(ranked) else None
        rows.append((region, shown.region_label(region), middle, len(ranked), best, share, listed, warned))
    names = ["region", "label", "middle", "ranked", "best", "share", "met", "underreported"]
    return pd.DataFrame(rows, columns=names).astype({"middle": "float64", "share": "float64"})


def _sentence(shown: PageData, regions: pd.DataFrame) -> str:
    _ = translator(shown.language)
    scale = scale_of(shown.header, shown.view.route, shown.language)
    said = [f"{row['label']} {scale.write(row['middle'])}" for row in records(regions)]
    return _("{measure} of the middle community: {districts}.").format(
        measure=scale.title, districts=_(", ").join(said)
    )


def _shares_sentence(shown: PageData, regions: pd.DataFrame) -> str:
    _ = translator(shown.language)
    said = [
        _("{district} {best} of {ranked}").format(district=row["label"], best=row["best"], ranked=row["ranked"])
        for row in records(regions)
    ]
    return _(
        "Among the best quarter of all ranked communities of the city: {districts}. If districts were alike, it would "
        "be a quarter of each."
    ).format(districts=_(", ").join(said))


def _numbers(shown: PageData, regions: pd.DataFrame, *, is_offered: bool) -> Numbers:
    _ = translator(shown.language)
    scale = scale_of(shown.header, shown.view.route, shown.language)
    columns = [
        NumbersColumn(_("District")),
        NumbersColumn(_("Middle"), numeric=True, write=scale.write),
        NumbersColumn(ranked_words(shown.view.route, shown.language), numeric=True),
        *([NumbersColumn(_("Among the best quarter"), numeric=True)] if is_offered else []),
        NumbersColumn(_("Meet the criterion"), numeric=True),
        NumbersColumn(_("Complaints may be underreported"), numeric=True),
    ]
    names = ("label", "middle", "ranked", *(["best"] if is_offered else []), "met", "underreported")
    rows = [[row[name] for name in names] for row in records(regions)]
    return Numbers(_("Map of the districts"), columns, rows)
