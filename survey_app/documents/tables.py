"""Tables that several documents have: the cut-offs of a result, and the numbers behind the charts of the pages."""

from typing import Final

from dashboards.figures.chart_parts import count_text
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import in_region, met, scale_of
from dashboards.routes import ROUTES
from dashboards.widgets.components import Numbers
from survey_app.catalogue import translator
from survey_app.documents.blocks import Block, Cell, TableColumn, table

_WIDTH_OF_WORDS: Final = 2.0
_WIDTH_OF_NUMBERS: Final = 1.3


def numbers_table(numbers: Numbers) -> Block:
    """Return the numbers behind a chart as a table, with more room for words than for numbers."""
    columns = [
        TableColumn(
            column.label, width=_WIDTH_OF_NUMBERS if column.numeric else _WIDTH_OF_WORDS, numeric=column.numeric
        )
        for column in numbers.columns
    ]
    return table(columns, numbers.written, caption=numbers.caption)


def cut_offs_table(shown: PageData) -> Block:
    """Return how many are ranked and how many positions there are on each route of each region, and the cut-off."""
    _ = translator(shown.language)
    columns = [
        TableColumn(_("District"), width=1.4),
        TableColumn(_("Measure"), width=2.6),
        TableColumn(_("Ranked"), numeric=True),
        TableColumn(_("Positions"), numeric=True),
        TableColumn(_("Cut-off"), numeric=True),
        TableColumn(_("Meet it"), numeric=True),
    ]
    rows: list[list[Cell]] = [
        [
            shown.region_label(here.region),
            scale.title,
            count_text(here.ranked),
            count_text(here.k),
            scale.write(here.score),
            count_text(met(in_region(shown.standings, here.region), route.status).sum()),
        ]
        for route in ROUTES.values()
        for scale in [scale_of(shown.header, route, shown.language)]
        for here in shown.cut_offs(route)
    ]
    return table(columns, rows, caption=_("Positions and cut-offs by the rules"))
