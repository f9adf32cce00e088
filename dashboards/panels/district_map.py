"""Map of the districts: polygons filled from the city's own boundaries, no tiles and no other host."""

from collections.abc import Mapping, Sequence

import pandas as pd
from dash.development.base_component import Component

from dashboards.figures.maps import map_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import met, regions_of, scale_of
from dashboards.labels import ranked_words
from dashboards.languages import translator
from dashboards.source import Polygon
from dashboards.widgets.components import Numbers, NumbersColumn, chart, panel, records


def map_panel(shown: PageData, boundaries: Mapping[str, Sequence[Polygon]]) -> list[Component]:
    """Return the map of the districts shown; empty where no boundary is known or no district is a region."""
    regions = district_facts(shown)
    if not set(regions["region"]) & boundaries.keys():
        return []
    _ = translator(shown.language)
    return [
        panel(
            _("District by district"),
            chart(
                map_figure(regions, boundaries, shown.drawing()),
                name=f"districts-{shown.view.route.key}",
                summary=_sentence(shown, regions),
                language=shown.language,
                numbers=_numbers(shown, regions),
            ),
            anchor="map",
            note=_(
                "Colour: the score of the middle community of each district. Districts are not ranked against "
                "each other."
            ),
        )
    ]


def district_facts(shown: PageData) -> pd.DataFrame:
    """Return one row per region shown: region, label, middle, ranked, met, underreported.

    `middle` is the median score of those ranked; the last three are numbers of communities, `underreported` of those
    whose complaints may be.
    """
    route = shown.view.route
    standings = shown.standings[["region", "criterion_status", route.rank, route.score]].assign(
        underreported=shown.standings["number"].isin(list(shown.underreported))
    )
    rows = []
    for region in regions_of(standings):
        own = standings[standings["region"] == region]
        ranked = own[own[route.rank].notna()]
        middle = float(ranked[route.score].median()) if len(ranked) else None
        listed, warned = int(met(own, "criterion_status").sum()), int(own["underreported"].sum())
        rows.append((region, shown.region_label(region), middle, len(ranked), listed, warned))
    return pd.DataFrame(rows, columns=["region", "label", "middle", "ranked", "met", "underreported"])


def _sentence(shown: PageData, regions: pd.DataFrame) -> str:
    _ = translator(shown.language)
    scale = scale_of(shown.header, shown.view.route, shown.language)
    said = [f"{row['label']} {scale.write(row['middle'])}" for row in records(regions)]
    return _("{measure} of the middle community: {districts}.").format(
        measure=scale.title, districts=_(", ").join(said)
    )


def _numbers(shown: PageData, regions: pd.DataFrame) -> Numbers:
    _ = translator(shown.language)
    scale = scale_of(shown.header, shown.view.route, shown.language)
    columns = [
        NumbersColumn(_("District")),
        NumbersColumn(_("Middle"), numeric=True, write=scale.write),
        NumbersColumn(ranked_words(shown.view.route, shown.language), numeric=True),
        NumbersColumn(_("Meet the criterion"), numeric=True),
        NumbersColumn(_("Complaints may be underreported"), numeric=True),
    ]
    names = ("label", "middle", "ranked", "met", "underreported")
    rows = [[row[name] for name in names] for row in records(regions)]
    return Numbers(_("District by district"), columns, rows)
