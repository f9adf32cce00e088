"""Districts side by side: how many communities take part, how content they are, who qualifies; no ranking of them."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboards.frames.page_data import PageData
from dashboards.frames.standings import counted_words, in_region, is_left_open, key_counts_of, satisfied_rate
from dashboards.languages import translator
from dashboards.widgets.components import Column, data_table, panel, scrolled
from dashboards.widgets.links import Linked, communities_address, linked


def districts_panel(shown: PageData) -> list[Component]:
    """Return the districts in the order of the register; nothing where only one is shown."""
    if len(shown.regions) < 2:
        return []
    _ = translator(shown.language)
    name = _("District by district")
    headings = (
        _("District"),
        _("Communities"),
        _("Ranked by satisfaction"),
        counted_words(shown.header, shown.language),
        _("Satisfied"),
        _("Meet the criterion"),
        _("Of them left open by the data"),
    )
    columns = [Column(heading, heading, numeric=place > 0) for place, heading in enumerate(headings)]
    rows = [_row(shown, region) for region in shown.regions]
    caption = _("In the order of the register; districts are not ranked.")
    return [panel(name, scrolled(data_table(columns, rows, caption=caption), name), anchor="districts")]


def _row(shown: PageData, region: str) -> Sequence[str | Component]:
    _ = translator(shown.language)
    standings = in_region(shown.standings, region)
    counts, view = key_counts_of(standings), shown.view.with_changes(region=region)

    def communities(count: int | None, **own: str) -> str | Component:
        return "—" if count is None else linked(Linked(f"{count:,}", communities_address(view, **own)))

    is_rate = shown.header.rules.satisfaction.measure == "satisfaction_rate"
    rate = f"{satisfied_rate(counts):.1%}" if counts.rated and is_rate else "—"
    return [
        html.A(shown.region_label(region), href=f"/dashboards/{view.shared.search}", className="name-link"),
        communities(counts.communities),
        communities(counts.ranked["satisfaction"], group="ranked_by_satisfaction"),
        communities(counts.rated, group="ranked_by_satisfaction", sort="-responses"),
        rate,
        communities(counts.met, status="met"),
        communities(int(is_left_open(standings).sum()), group="left_open"),
    ]
