"""Funnel plot of complaints: rates of communities beside what chance explains."""

from dataclasses import dataclass
from typing import Final, Self

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.statistics.funnel import Funnel, rate_funnel
from dashboards.figures.chart_parts import allocate_points
from dashboards.figures.complaints import funnel_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import in_region, scale_of
from dashboards.labels import funnel_positions
from dashboards.languages import pick, translator
from dashboards.routes import ROUTES
from dashboards.source import EvaluationSource
from dashboards.widgets.components import (
    MOST_ROWS_BEHIND_CHART,
    Numbers,
    NumbersColumn,
    chart,
    empty,
    panel,
    partial_caption,
    records,
    side_by_side,
)
from dashboards.widgets.next_steps import choose_another, complete_register

MULTIPLIER: Final = 1000
"""Rates are quoted per this number of household-years."""

_ROUTE: Final = ROUTES["complaints"]
_EXPOSED: Final = (
    *("number", "name", "english_name", "region", "region_english"),
    *("complaints", "exposure_household_years", _ROUTE.lower, _ROUTE.upper),
)
_FUNNEL_COLUMNS: Final = ("rate", "adjusted_position", "adjusted_lower_95", "adjusted_upper_95")
_OUTER_COLUMNS: Final = ("adjusted_lower_99_8", "adjusted_upper_99_8")


@dataclass(frozen=True)
class MeasuredFunnel:
    """Columns of a funnel that are drawn, in the order of its communities."""

    table: pd.DataFrame
    target: float
    phi: float
    between_variance: float

    @classmethod
    def of(cls, funnel: Funnel) -> Self:
        table = funnel.table[[*_FUNNEL_COLUMNS, *_OUTER_COLUMNS]].astype({"adjusted_position": "category"})
        return cls(table, funnel.target, funnel.dispersion.phi, funnel.dispersion.between_variance)

    def __len__(self) -> int:
        return len(self.table)


def exposed_communities(standings: pd.DataFrame) -> pd.DataFrame:
    """Return the communities whose complaints can be counted against households: both numbers are known."""
    return standings[list(_EXPOSED)][standings["complaints"].notna() & (standings["exposure_household_years"] > 0)]


def funnel_of(exposed: pd.DataFrame) -> Funnel:
    """Return the funnel limits of one region's complaints around its pooled rate; at least two communities."""
    return rate_funnel(
        exposed["complaints"].to_numpy("float64"),
        exposed["exposure_household_years"].to_numpy("float64"),
        multiplier=MULTIPLIER,
        rule="exact_tail",
        transformation="square_root",
    )


def measure_region(source: EvaluationSource, evaluation_id: int, region: str) -> MeasuredFunnel:
    """Return what is drawn of the funnel of one region."""
    return MeasuredFunnel.of(funnel_of(exposed_communities(in_region(source.standings(evaluation_id), region))))


def funnel_panel(shown: PageData, exposed: pd.DataFrame) -> Component:
    """Return a funnel plot of each region, of communities as `exposed_communities` returns them."""
    _ = translator(shown.language)
    name = _("More or fewer complaints than chance explains")
    by_region = {region: in_region(exposed, region) for region in shown.regions}
    sizes = [len(communities) for communities in by_region.values()]
    cards = [
        _funnel_card(shown, region, by_region[region], most_drawn=drawn, most_listed=listed)
        for region, drawn, listed in zip(
            by_region, allocate_points(sizes), allocate_points(sizes, MOST_ROWS_BEHIND_CHART), strict=True
        )
    ]
    return panel(
        name,
        side_by_side(cards),
        anchor="funnel",
        note=_("Small communities vary more. Between the control lines a difference says little about management."),
    )


def _funnel_card(
    shown: PageData, region: str, exposed: pd.DataFrame, *, most_drawn: int, most_listed: int
) -> Component:
    head = html.H3(shown.region_label(region))
    funnel = funnel_in(shown, region, exposed)
    if funnel is None:
        return html.Div([head, without_funnel(exposed, shown.language)])
    measured = exposed.join(funnel.table.set_axis(exposed.index))
    return html.Div(
        [
            head,
            chart(
                funnel_figure(measured, funnel.target, shown.drawing(_ROUTE), most=most_drawn),
                name=f"funnel-{region}",
                summary=funnel_sentence(shown, funnel),
                language=shown.language,
                numbers=funnel_numbers(shown, measured, most=most_listed),
            ),
        ]
    )


def funnel_in(shown: PageData, region: str, exposed: pd.DataFrame) -> MeasuredFunnel | None:
    """Return the funnel of a region with these exposed communities; None of fewer than two."""
    return shown.source.compute_once(shown.header.id, measure_region, region) if len(exposed) > 1 else None


def no_funnel(exposed: pd.DataFrame, language: str) -> str:
    """Return why there is no funnel of these exposed communities, which are none or one."""
    _ = translator(language)
    if exposed.empty:
        return _("No community here has both a count of complaints and a known number of households.")
    return _("There is only one community here: no other tells what is usual.")


def without_funnel(exposed: pd.DataFrame, language: str) -> Component:
    """Return what is shown where there is no funnel of these exposed communities, which are none or one."""
    return empty(no_funnel(exposed, language), (complete_register if exposed.empty else choose_another)(language))


def funnel_sentence(shown: PageData, funnel: MeasuredFunnel) -> str:
    """Return how many communities of a funnel lie beyond its lines."""
    _ = translator(shown.language)
    position = funnel.table["adjusted_position"]
    above, below = (int(position.isin([f"{side}_95", f"{side}_99_8"]).sum()) for side in ("above", "below"))
    said = _("Above the 95 percent lines: {above} of {count} communities; below them: {below}.").format(
        count=len(position), above=above, below=below
    )
    if funnel.phi > 1:
        said += _(" The lines allow for communities differing {factor} times as much as by chance.").format(
            factor=f"{funnel.phi:.1f}"
        )
    return said


def funnel_numbers(shown: PageData, measured: pd.DataFrame, *, most: int = MOST_ROWS_BEHIND_CHART) -> Numbers:
    """Return the numbers of the communities beyond the limits; the others are in the table of all communities."""
    _ = translator(shown.language)
    scale = scale_of(shown.header, _ROUTE, shown.language)
    words = funnel_positions(shown.language)
    columns = [
        NumbersColumn(_("Community")),
        NumbersColumn(_("Valid complaints"), numeric=True),
        NumbersColumn(_("Household-years"), numeric=True, write="{:,.0f}".format),
        NumbersColumn(scale.title, numeric=True, write=scale.write),
        NumbersColumn(_("Place")),
        NumbersColumn(_("Please check")),
    ]
    outside = measured[measured["adjusted_position"] != "inside"].sort_values("rate", ascending=False, kind="stable")
    beyond = outside.head(most)
    rows = [
        [
            pick(shown.language, row["name"], row["english_name"]),
            row["complaints"],
            row["exposure_household_years"],
            row["rate"],
            words[row["adjusted_position"]],
            shown.underreported.get(row["number"]),
        ]
        for row in records(beyond)
    ]
    return Numbers(
        partial_caption(_("Communities beyond the 95 percent lines"), beyond, outside, shown.language), columns, rows
    )
