"""Complaints of the period as a document: by channel, by category, and the rate of each community."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from analytics.decision.table_columns import float_column
from analytics.reports.chart_words import Labels
from analytics.reports.html_page import percent
from analytics.reports.svg_charts import INNER_LEVEL, OUTER_LEVEL, thinning_step
from dashboards.figures.chart_parts import count_text
from dashboards.frames.page_data import PageData
from dashboards.frames.profile import cases_by_category
from dashboards.frames.standings import in_region, met, scale_of
from dashboards.labels import funnel_positions
from dashboards.languages import pick
from dashboards.pages.complaints import complaint_figures
from dashboards.panels.complaint_categories import categories_numbers, categories_sentence, uncounted_note
from dashboards.panels.complaint_channels import channels_note, told_by_channel
from dashboards.panels.complaint_funnel import (
    MULTIPLIER,
    MeasuredFunnel,
    exposed_communities,
    funnel_in,
    funnel_sentence,
    no_funnel,
)
from dashboards.routes import ROUTES
from dashboards.widgets.components import records
from survey_app.catalogue import translator
from survey_app.documents.blocks import Block, Cell, TableColumn, check_length, heading, paragraph, table
from survey_app.documents.charts import funnel
from survey_app.documents.cover import Contents
from survey_app.documents.tables import numbers_table

_ROUTE = ROUTES["complaints"]


def complaints(shown: PageData) -> Contents:
    """Return the contents of the document for one view."""
    _ = translator(shown.language)
    region, exposed = shown.view.region, exposed_communities(shown.standings)
    check_length(len(exposed))
    return Contents(
        title=_("Complaints of the period"),
        place=None if region is None else shown.region_label(region),
        blocks=[
            heading(_("Key figures")),
            _figures(shown, exposed),
            heading(_("By channel")),
            *_channels(shown),
            heading(_("By category")),
            *_categories(shown),
            heading(_("Rates of the communities")),
            *(block for name in shown.regions for block in _region(shown, name, in_region(exposed, name))),
        ],
    )


def _figures(shown: PageData, exposed: pd.DataFrame) -> Block:
    _ = translator(shown.language)
    columns = [
        TableColumn(_("Figure"), width=3),
        TableColumn(_("Value"), numeric=True),
        TableColumn(_("What it is of"), width=3),
    ]
    rows = [[name, value, note or "—"] for name, value, note, _rows in complaint_figures(shown, exposed)]
    return table(columns, rows, caption=_("Complaints of the period in figures"))


def _channels(shown: PageData) -> Iterator[Block]:
    told = told_by_channel(shown, in_region(shown.source.channels(shown.header.id), shown.view.region))
    yield paragraph(told.sentence)
    if told.numbers is not None:
        yield numbers_table(told.numbers)
        yield paragraph(channels_note(shown))


def _categories(shown: PageData) -> Iterator[Block]:
    cases = in_region(shown.source.cases(shown.header.id), shown.view.region)
    yield paragraph(categories_sentence(shown, cases))
    if not cases.empty:
        yield numbers_table(categories_numbers(cases_by_category(cases), shown.language))
        yield paragraph(uncounted_note(shown.language))


def _region(shown: PageData, region: str, exposed: pd.DataFrame) -> Iterator[Block]:
    """Yield the complaint rates of a region beside what chance explains: the drawing, and every community."""
    yield heading(shown.region_label(region), level=2)
    measured = funnel_in(shown, region, exposed)
    if measured is None:
        yield paragraph(no_funnel(exposed, shown.language))
    else:
        yield paragraph(funnel_sentence(shown, measured))
        yield _drawing(shown, exposed, measured)
    if len(exposed):
        yield _rates(shown, exposed, measured)


def _drawing(shown: PageData, exposed: pd.DataFrame, measured: MeasuredFunnel) -> Block:
    _ = translator(shown.language)
    step = thinning_step(len(exposed))
    description = _(
        "Each point is a community; hollow: no complaints. The lines allow for chance and for how much communities"
        " differ beyond it: if none stood apart, {inner} of them would lie between the dashed lines and {outer}"
        " between the outer lines. The table goes by the same lines."
    ).format(inner=percent(INNER_LEVEL), outer=percent(OUTER_LEVEL))
    if step > 1:
        description += _(" One of every {step} communities is drawn.").format(step=step)
    scale = scale_of(shown.header, _ROUTE, shown.language)
    return funnel(
        float_column(measured.table, "rate"),
        float_column(exposed, "exposure_household_years"),
        pooled=measured.target,
        between_variance=measured.between_variance,
        listed=met(shown.standings.loc[exposed.index], _ROUTE.status).to_numpy(dtype=bool),
        labels=Labels(description, _("Household-years"), scale.axis, ""),
    )


def _rates(shown: PageData, exposed: pd.DataFrame, measured: MeasuredFunnel | None) -> Block:
    """Return the complaints and the rate of every community, the highest rate first."""
    _ = translator(shown.language)
    scale, words = scale_of(shown.header, _ROUTE, shown.language), funnel_positions(shown.language)
    columns = [
        TableColumn(_("Community"), width=2.2),
        TableColumn(_("Valid complaints"), width=1.2, numeric=True),
        TableColumn(_("Household-years"), width=1.1, numeric=True),
        TableColumn(scale.title, width=1.3, numeric=True),
        TableColumn(_("Lower bound"), numeric=True),
        TableColumn(_("Upper bound"), numeric=True),
        TableColumn(_("Beside what chance explains"), width=1.8),
    ]
    positions: list[Any] = [None] * len(exposed) if measured is None else measured.table["adjusted_position"].tolist()
    rates = exposed["complaints"].astype("float64") / exposed["exposure_household_years"] * MULTIPLIER
    ordered = exposed.assign(rate=rates, position=positions).sort_values("rate", ascending=False, kind="stable")
    rows: list[list[Cell]] = [
        [
            f"{pick(shown.language, row['name'], row['english_name'])}\n{row['number']}",
            count_text(row["complaints"]),
            f"{row['exposure_household_years']:,.0f}",
            scale.write(row["rate"]),
            scale.write(row[_ROUTE.lower]),
            scale.write(row[_ROUTE.upper]),
            "\n".join([words.get(row["position"], "—"), *shown.warnings_about(row["number"])]),
        ]
        for row in records(ordered)
    ]
    return table(columns, rows, caption=_("All communities whose households are known, the highest rate first"))
