"""Communities without a complaint: how high their true rate may be, and whether residents say that they complained."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboards.figures.complaints import bounds_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import scale_of
from dashboards.frames.underreported_complaints import can_be_told
from dashboards.languages import pick, translator
from dashboards.panels.complaint_funnel import without_funnel
from dashboards.routes import ROUTES
from dashboards.source import EvaluationSource
from dashboards.widgets.components import (
    MOST_ROWS_BEHIND_CHART,
    Numbers,
    NumbersColumn,
    chart,
    empty,
    notice,
    panel,
    partial_caption,
    records,
)

MOST_BOUNDS: Final = 30
"""Most upper bounds drawn, and most names in a sentence."""

_ROUTE: Final = ROUTES["complaints"]


def communities_without_complaints_panel(shown: PageData, exposed: pd.DataFrame, source: EvaluationSource) -> Component:
    """Return the upper bounds of the rates of communities without a complaint, and those that may be underreported."""
    _ = translator(shown.language)
    name = _("No complaints at all")
    if exposed.empty:
        return panel(name, without_funnel(exposed, shown.language), anchor="zero")
    zero = exposed[exposed["complaints"] == 0].sort_values(_ROUTE.upper, kind="stable")
    if zero.empty:
        every = _("Every community here has at least one valid complaint.")
        return panel(name, empty(every, None), anchor="zero")
    drawn, listed = zero.head(MOST_BOUNDS), zero.head(MOST_ROWS_BEHIND_CHART)
    reported = source.reported(shown.header.id, listed["number"].tolist())
    summary = _(
        "Communities without a complaint: {count}. That is not the same as a rate of zero: with few households it "
        "is often chance. The bar shows how high the true rate may be."
    ).format(count=len(zero))
    return panel(
        name,
        chart(
            bounds_figure(drawn, shown.drawing(_ROUTE)),
            name="zero-complaints",
            summary=summary,
            language=shown.language,
            numbers=_zero_numbers(shown, zero, reported),
        ),
        *_underreporting_sentence(shown, zero[zero["number"].isin(list(shown.underreported))]),
        *(
            [
                html.P(
                    _("The chart shows the {count} communities with the lowest bounds.").format(count=MOST_BOUNDS),
                    className="apart",
                )
            ]
            if len(zero) > MOST_BOUNDS
            else []
        ),
        anchor="zero",
        note=_("Low recorded numbers can also mean that people do not complain."),
    )


def _underreporting_sentence(shown: PageData, found: pd.DataFrame) -> list[Component]:
    """Return the communities without a case on record although residents say that they complained."""
    if found.empty:
        return []
    _ = translator(shown.language)
    named = [pick(shown.language, row["name"], row["english_name"]) for row in records(found.head(MOST_BOUNDS))]
    if len(found) > MOST_BOUNDS:
        named.append(_("… and {count} more").format(count=len(found) - MOST_BOUNDS))
    words = _(
        "In these communities residents say that they complained, but no case is on record. Complaints may have been"
        " discouraged, or made elsewhere: {communities}."
    )
    return [
        notice(_("No case on record, but residents say they complained"), words.format(communities=_("; ").join(named)))
    ]


def _zero_numbers(shown: PageData, zero: pd.DataFrame, reported: pd.DataFrame) -> Numbers:
    _ = translator(shown.language)
    scale = scale_of(shown.header, _ROUTE, shown.language)
    columns = [
        NumbersColumn(_("Community")),
        NumbersColumn(_("District")),
        NumbersColumn(_("Household-years"), numeric=True, write="{:,.0f}".format),
        NumbersColumn(_("Upper bound"), numeric=True, write=scale.write),
        NumbersColumn(_("Say that they complained"), numeric=True),
        NumbersColumn(_("Respondents"), numeric=True),
        NumbersColumn(_("Please check")),
    ]
    listed = zero.head(MOST_ROWS_BEHIND_CHART)
    said = {
        row["number"]: [row["said"], row["asked"]]
        for row in records(reported)
        if can_be_told(row["said"], row["asked"], row["answered"], shown.disclosure)
    }
    rows = [
        [*_zero_row(row, shown), *said.get(row["number"], [None, None]), shown.underreported.get(row["number"])]
        for row in records(listed)
    ]
    caption = partial_caption(_("Communities without a complaint"), listed, zero, shown.language)
    return Numbers(caption, columns, rows)


def _zero_row(row: Mapping[str, Any], shown: PageData) -> list[Any]:
    return [
        pick(shown.language, row["name"], row["english_name"]),
        pick(shown.language, row["region"], row["region_english"]),
        row["exposure_household_years"],
        row[_ROUTE.upper],
    ]
