"""Complaints page: rates beside what chance explains, and how little “no complaint” can mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.disclosure.suppression import can_be_shown
from analytics.statistics.funnel import Funnel, rate_funnel
from dashboards.address import View
from dashboards.figures.chart_parts import allocate_points
from dashboards.figures.community import categories_figure
from dashboards.figures.complaints import bounds_figure, funnel_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.profile import cases_by_category
from dashboards.frames.standings import in_region, regions_of, scale_of
from dashboards.labels import funnel_positions
from dashboards.languages import pick, translator
from dashboards.pages.page import Page, Section
from dashboards.panels.community_profile import MOST_CATEGORIES, categories_numbers
from dashboards.panels.complaint_channels import channels_panel
from dashboards.panels.survey_reported_complaints import likely_underreported
from dashboards.routes import ROUTES
from dashboards.source import EvaluationSource
from dashboards.widgets.components import (
    Numbers,
    NumbersColumn,
    chart,
    empty,
    key_figure,
    notice,
    panel,
    partial_caption,
    records,
)
from dashboards.widgets.evaluation_notices import no_evaluation, provisional_notice

MULTIPLIER: Final = 1000
"""Rates are quoted per this number of household-years."""
MOST_BOUNDS: Final = 30
MOST_LISTED: Final = 300
"""Most rows of a table behind a chart: nobody reads longer ones, and they make the page slow."""

_ROUTE: Final = ROUTES["complaints"]
_EXPOSED: Final = (
    *("number", "name", "english_name", "region", "region_english"),
    *("complaints", "exposure_household_years", _ROUTE.lower, _ROUTE.upper),
)
_FUNNEL_COLUMNS: Final = ("rate", "adjusted_position", "adjusted_lower_95", "adjusted_upper_95")
_OUTER_COLUMNS: Final = ("adjusted_lower_99_8", "adjusted_upper_99_8")


def draw(source: EvaluationSource, view: View, _now: datetime) -> Sequence[Component]:
    """Return the page for one view."""
    shown = PageData.of(source, view)
    if shown is None:
        return no_evaluation(view.language)
    exposed = exposed_communities(shown.standings)
    cases = in_region(source.cases(shown.header.id), shown.view.region)
    return [
        *provisional_notice(shown),
        _key_figures(shown, exposed),
        _funnel_panel(shown, exposed),
        _categories_panel(shown, cases),
        channels_panel(shown, in_region(source.channels(shown.header.id), shown.view.region)),
        _zero_panel(shown, exposed, source),
    ]


def sections(language: str) -> list[Section]:
    """Return the sections of this page for the navigation."""
    _ = translator(language)
    return [
        Section("funnel", _("Beyond chance?")),
        Section("categories", _("What about")),
        Section("channels", _("By which way")),
        Section("zero", _("No complaint at all")),
    ]


def title(language: str) -> str:
    """Return the title of this page in the navigation."""
    _ = translator(language)
    return _("Complaints")


PAGE: Final = Page(path="complaints/", title=title, sections=sections, draw=draw, filters=("evaluation", "region"))


@dataclass(frozen=True)
class _Measured:
    """Columns of a funnel that are drawn, in the order of its communities."""

    table: pd.DataFrame
    target: float
    phi: float

    @classmethod
    def of(cls, funnel: Funnel) -> Self:
        table = funnel.table[[*_FUNNEL_COLUMNS, *_OUTER_COLUMNS]].astype({"adjusted_position": "category"})
        return cls(table, funnel.target, funnel.dispersion.phi)

    def __len__(self) -> int:
        return len(self.table)


def exposed_communities(standings: pd.DataFrame) -> pd.DataFrame:
    """Return the communities whose complaints can be counted against households: both numbers are known."""
    return standings[list(_EXPOSED)][standings["complaints"].notna() & (standings["exposure_household_years"] > 0)]


def funnel_of(exposed: pd.DataFrame) -> Funnel:
    """Return the funnel limits of one region's complaints around its pooled rate; at least one community."""
    return rate_funnel(
        exposed["complaints"].to_numpy("float64"),
        exposed["exposure_household_years"].to_numpy("float64"),
        multiplier=MULTIPLIER,
        rule="exact_tail",
        transformation="square_root",
    )


def measure_region(source: EvaluationSource, evaluation_id: int, region: str) -> _Measured:
    """Return what is drawn of the funnel of one region."""
    return _Measured.of(funnel_of(exposed_communities(in_region(source.standings(evaluation_id), region))))


def _key_figures(shown: PageData, exposed: pd.DataFrame) -> Component:
    _ = translator(shown.language)
    complaints, years = int(exposed["complaints"].sum()), float(exposed["exposure_household_years"].sum())
    scale = scale_of(shown.header, _ROUTE, shown.language)
    rate = complaints / years * MULTIPLIER if years else None
    none = int((exposed["complaints"] == 0).sum())
    unknown = len(shown.standings) - len(exposed)
    return html.Dl(
        [
            key_figure(_("Valid complaints"), f"{complaints:,}"),
            key_figure(scale.title, scale.write(rate), note=_("all communities together")),
            key_figure(
                _("Communities without a complaint"), f"{none:,}", note=_("of {count}").format(count=len(exposed))
            ),
            key_figure(_("Households not known"), f"{unknown:,}", note=_("communities without a rate")),
        ],
        className="key-figures four",
    )


def _funnel_panel(shown: PageData, exposed: pd.DataFrame) -> Component:
    _ = translator(shown.language)
    name = _("More or fewer complaints than chance explains")
    by_region = {region: in_region(exposed, region) for region in regions_of(shown.standings)}
    sizes = [len(communities) for communities in by_region.values()]
    cards = [
        _funnel_card(shown, region, by_region[region], most_drawn=drawn, most_listed=listed)
        for region, drawn, listed in zip(
            by_region, allocate_points(sizes), allocate_points(sizes, MOST_LISTED), strict=True
        )
    ]
    return panel(
        name,
        html.Div(cards, className="charts" if len(cards) > 1 else "charts one"),
        anchor="funnel",
        note=_("Small communities vary more. Inside the funnel a difference says little about management."),
    )


def _funnel_card(
    shown: PageData, region: str, exposed: pd.DataFrame, *, most_drawn: int, most_listed: int
) -> Component:
    _ = translator(shown.language)
    head = html.H3(shown.region_label(region))
    if exposed.empty:
        return html.Div([head, empty(_("No community here has both complaints counted and households known."))])
    funnel = shown.source.compute_once(shown.header.id, measure_region, region)
    measured = exposed.join(funnel.table.set_axis(exposed.index))
    return html.Div(
        [
            head,
            chart(
                funnel_figure(measured, funnel.target, shown.drawing(_ROUTE), most=most_drawn),
                name=f"funnel-{region}",
                summary=_funnel_sentence(shown, funnel),
                language=shown.language,
                numbers=_funnel_numbers(shown, measured, most=most_listed),
            ),
        ]
    )


def _funnel_sentence(shown: PageData, funnel: "_Measured") -> str:
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


def _funnel_numbers(shown: PageData, measured: pd.DataFrame, *, most: int = MOST_LISTED) -> Numbers:
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
        ]
        for row in records(beyond)
    ]
    return Numbers(
        partial_caption(_("Communities beyond the 95 percent lines"), beyond, outside, shown.language), columns, rows
    )


def _categories_panel(shown: PageData, cases: pd.DataFrame) -> Component:
    """Return the cases of the period by category, and the share of them that the rate does not count."""
    _ = translator(shown.language)
    name = _("What the cases are about")
    if cases.empty:
        return panel(name, empty(_("Cases are kept with official results.")), anchor="categories")
    categories = cases_by_category(cases)
    counted, other = int(categories["counted"].sum()), int(categories["other"].sum())
    return panel(
        name,
        chart(
            categories_figure(categories.head(MOST_CATEGORIES), shown.language),
            name="categories",
            summary=_("Of {filed} cases filed, {other} ({share}) are not counted in the rate.").format(
                filed=f"{counted + other:,}", other=f"{other:,}", share=f"{other / (counted + other):.0%}"
            ),
            language=shown.language,
            numbers=categories_numbers(categories, shown.language),
        ),
        anchor="categories",
        note=_("Not counted: repairs, enquiries, duplicates, unfounded cases, what others are responsible for."),
    )


def _zero_panel(shown: PageData, exposed: pd.DataFrame, source: EvaluationSource) -> Component:
    _ = translator(shown.language)
    name = _("No complaint at all")
    zero = exposed[exposed["complaints"] == 0].sort_values(_ROUTE.upper, kind="stable")
    if zero.empty:
        return panel(name, empty(_("Every community here has at least one valid complaint.")), anchor="zero")
    drawn, listed = zero.head(MOST_BOUNDS), zero.head(MOST_LISTED)
    reported = source.reported(shown.header.id, listed["number"].tolist())
    summary = _(
        "{count} communities have none. That is not the same as a rate of nought: with few households none is often "
        "luck. The bar reaches as far as the true rate may lie."
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
        *_underreporting_sentence(
            shown,
            likely_underreported(
                shown.standings.loc[listed.index], reported, shown.header.rules, disclosure=shown.disclosure
            ),
        ),
        *(
            [html.P(_("Drawn are the {count} with the lowest bound.").format(count=MOST_BOUNDS), className="apart")]
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
        "In these communities residents say that they complained, and no case is on record. Complaints may have been "
        "discouraged, or made elsewhere: {communities}."
    )
    return [notice(_("No case, yet residents say they complained"), words.format(communities=_("; ").join(named)))]


def _zero_numbers(shown: PageData, zero: pd.DataFrame, reported: pd.DataFrame) -> Numbers:
    _ = translator(shown.language)
    scale = scale_of(shown.header, _ROUTE, shown.language)
    columns = [
        NumbersColumn(_("Community")),
        NumbersColumn(_("District")),
        NumbersColumn(_("Household-years"), numeric=True, write="{:,.0f}".format),
        NumbersColumn(_("Upper bound"), numeric=True, write=scale.write),
        NumbersColumn(_("Say that they complained"), numeric=True),
        NumbersColumn(_("Of so many respondents"), numeric=True),
    ]
    listed = zero.head(MOST_LISTED)
    said = {
        row["number"]: [row["said"], row["asked"]]
        for row in records(reported)
        if can_be_shown(row["said"], row["asked"], rules=shown.disclosure)
    }
    rows = [[*_zero_row(row, shown), *said.get(row["number"], [None, None])] for row in records(listed)]
    caption = partial_caption(_("Communities without a complaint"), listed, zero, shown.language)
    return Numbers(caption, columns, rows)


def _zero_row(row: Mapping[str, Any], shown: PageData) -> list[Any]:
    return [
        pick(shown.language, row["name"], row["english_name"]),
        pick(shown.language, row["region"], row["region_english"]),
        row["exposure_household_years"],
        row[_ROUTE.upper],
    ]
