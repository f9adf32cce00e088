"""Districts side by side: their numbers are those of the standings, and lead to the rows behind them."""

import json
from urllib.parse import quote

import pytest
from plotly.utils import PlotlyJSONEncoder

from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import in_region, is_left_open
from dashboards.panels.districts import districts_panel


@pytest.fixture(scope="module")
def shown(city):
    return PageData.of(city, View("en"))


def rows_of(shown):
    """Return the texts of the cells, row by row."""
    table = next(part for part in parts_of(districts_panel(shown)[0]) if type(part).__name__ == "TableTbody")
    return [["".join(texts_of(cell)) for cell in row.children] for row in table.children]


def parts_of(component):
    yield component
    children = getattr(component, "children", None)
    for child in children if isinstance(children, list) else [children]:
        if child is not None and not isinstance(child, str):
            yield from parts_of(child)


def texts_of(component):
    for part in parts_of(component):
        children = part.children if isinstance(part.children, list) else [part.children]
        yield from (child for child in children if isinstance(child, str))


def test_each_district_has_its_own_numbers_in_the_order_of_the_register(shown):
    rows = rows_of(shown)

    assert [row[0] for row in rows] == [shown.region_label(region) for region in shown.regions]
    for region, row in zip(shown.regions, rows, strict=True):
        own = in_region(shown.everywhere, region)
        ranked = own[own["satisfaction_rank"].notna()]
        rate = ranked["satisfied"].sum() / ranked["responses"].sum()
        assert row[1:] == [
            f"{len(own):,}",
            f"{len(ranked):,}",
            f"{ranked['responses'].sum():,}",
            f"{rate:.1%}",
            f"{(own['criterion_status'] == 'met').sum():,}",
            f"{is_left_open(own).sum():,}",
        ]


def test_numbers_lead_to_the_rows_behind_them(shown):
    drawn = json.dumps(districts_panel(shown), cls=PlotlyJSONEncoder)

    for region in shown.regions:
        assert f"/dashboards/communities/?evaluation=2&region={quote(region)}&lang=en&status=met" in drawn


def test_one_district_alone_is_compared_with_nobody(city):
    assert districts_panel(PageData.of(city, View("en", region="海勃湾区"))) == []
