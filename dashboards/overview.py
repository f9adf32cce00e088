"""The overview: who meets the criterion and why, how the list came about, how the collection is going."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import dash_mantine_components as dmc
import numpy as np
import pandas as pd
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update, set_props
from dash.development.base_component import Component

from analytics.reasons import reason_sentence, warning_sentence
from dashboards import ledger
from dashboards.address import View
from dashboards.collection import collection_panel
from dashboards.figures import MOST_POINTS, Drawing, distribution_figure, order_figure
from dashboards.languages import minute, pick, translator
from dashboards.pages import Page, Section
from dashboards.parts import Column, chart, data_table, empty, key_figure, notice, panel, records, scrolled
from dashboards.results import (
    ROUTES,
    CutOff,
    Route,
    counts,
    cut_offs,
    in_order,
    met,
    regions_of,
    scale_of,
    with_intervals,
)
from dashboards.rules_panel import rules_panel
from dashboards.source import EvaluationHeader, EvaluationSource
from dashboards.wording import STATUSES, route_words, status_words

ALL_REGIONS: Final = ""
MOST_QUALIFIED: Final = 60
"""More names than this are read in the table of all communities."""


@dataclass(frozen=True)
class Shown:
    """What one view draws from: an evaluation, the one of the round before, and the region asked for."""

    view: View
    header: EvaluationHeader
    everywhere: pd.DataFrame
    standings: pd.DataFrame
    earlier: EvaluationHeader | None
    earlier_standings: pd.DataFrame | None

    @classmethod
    def of(cls, source: EvaluationSource, headers: Sequence[EvaluationHeader], view: View) -> "Shown":
        """Read from `source` what `view` shows; one evaluation at least must exist."""
        header = next((header for header in headers if header.id == view.evaluation), headers[0])
        earlier = _round_before(headers, header)
        everywhere = source.standings(header.id)
        if view.region not in regions_of(everywhere):
            view = view.but(region=None)
        return cls(
            view=view.but(evaluation=header.id),
            header=header,
            everywhere=everywhere,
            standings=_in_region(everywhere, view.region),
            earlier=earlier,
            earlier_standings=_in_region(source.standings(earlier.id), view.region) if earlier else None,
        )

    @property
    def language(self) -> str:
        return self.view.language

    def cut_offs(self, route: Route) -> list[CutOff]:
        """Return the cut-offs of the regions shown, in the order of their communities."""
        by_region = {cut_off.region: cut_off for cut_off in cut_offs(self.header, route)}
        return [by_region[region] for region in regions_of(self.standings) if region in by_region]

    def region_label(self, region: str) -> str:
        """Return what a region is called in the language of the view."""
        english = self.everywhere.loc[self.everywhere["region"] == region, "region_english"].iloc[0]
        return pick(self.language, region, english)

    def reason(self, row: Mapping[str, Any], route: Route) -> str:
        """Return why a community has its status on a route."""
        region = self.header.summary["regions"][row["region"]]
        named = {**row, "region": pick(self.language, row["region"], row["region_english"])}
        return reason_sentence(named, region, route.key, self.language)

    def warnings(self) -> list[str]:
        """Return what the evaluation warns of, about the regions shown and about the whole."""
        said = [
            f"{self.region_label(region)} · {warning_sentence(warning, self.language)}"
            for region in regions_of(self.standings)
            for warning in self.header.summary["regions"][region]["warnings"]
        ]
        return said + [warning_sentence(warning, self.language) for warning in self.header.summary["warnings"]]

    def drawing(self, *, score_range: tuple[float, float] | None = None) -> Drawing:
        """Return what every figure of this view shares."""
        scale = scale_of(self.header, self.view.route, self.language)
        return Drawing(self.language, self.view.route, scale, self.header.provisional, score_range)


def register(app: Dash, source: EvaluationSource, language: Callable[[], str]) -> None:
    """Add the callbacks of this page to `app`."""

    @app.callback(
        Output("evaluation", "data"),
        Output("evaluation", "value"),
        Output("region", "data"),
        Output("region", "value"),
        Output("route", "value"),
        Output("results", "children"),
        Output("rest", "children"),
        Input("address", "search"),
    )
    def follow_address(search: str | None) -> tuple[Any, ...]:
        return _view_parts(source, View.of(search, language), now=datetime.now(UTC))

    # The filters write the address, and the page follows the address: no view exists that cannot be sent on.
    # `set_props` instead of an Output, since Dash takes the two callbacks for a circle otherwise.
    @app.callback(
        Input("evaluation", "value"),
        Input("region", "value"),
        Input("route", "value"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def change_address(evaluation: str | None, region: str | None, route: str, search: str | None) -> None:
        shown = View.of(search, language)
        asked = shown.but(
            evaluation=int(evaluation) if evaluation and evaluation.isdigit() else None,
            region=region or None,
            route=ROUTES.get(route, ROUTES["satisfaction"]),
        )
        if _complete(source, shown) != _complete(source, asked):
            set_props("address", {"search": asked.search})

    @app.callback(
        Output("ledger", "children"),
        Output("ledger-page", "total"),
        Output("ledger-page", "value"),
        Input("address", "search"),
        Input("ledger-order", "value"),
        Input("ledger-status", "value"),
        Input("ledger-name", "value"),
        Input("ledger-page", "value"),
    )
    def fill_ledger(
        search: str | None, order: str, status: str | None, name: str | None, page: int
    ) -> tuple[Component, int, int]:
        is_new = ctx.triggered_id != "ledger-page"
        asked = ledger.Asked(str(order), status or "", name or "", 1 if is_new else page)
        return _ledger_parts(source, View.of(search, language), asked)

    @app.callback(
        Output("ledger-order", "value"),
        Input({"type": "ledger-sort", "column": ALL}, "n_clicks"),
        State("ledger-order", "value"),
        prevent_initial_call=True,
    )
    def reorder(taps: list[int | None], order: str) -> Any:
        # Headings that have just been drawn report themselves with no tap.
        if not any(taps) or not isinstance(ctx.triggered_id, dict):
            return no_update
        return ledger.Asked(order).reordered_by(ctx.triggered_id["column"])


def layout(language: str) -> Component:
    """Return the fixed parts of the page; what depends on the address is filled in by the callbacks."""
    _ = translator(language)
    return html.Div([_filters(language), html.Div(id="results"), _ledger_panel(language), html.Div(id="rest")])


def sections(language: str) -> list[Section]:
    """Return the parts of the page that the navigation leads to."""
    _ = translator(language)
    return [
        Section("qualified", _("Who qualifies")),
        Section("order", _("Order and cut-off")),
        Section("distribution", _("Distribution")),
        Section("communities", _("All communities")),
        Section("collection", _("Collection")),
        Section("rules", _("Rules in force")),
    ]


def title(language: str) -> str:
    """Return what the navigation calls this page."""
    _ = translator(language)
    return _("Overview")


PAGE: Final = Page(path="", title=title, sections=sections, layout=layout, register=register)


def _filters(language: str) -> Component:
    _ = translator(language)
    options = [{"value": key, "label": name} for key, name in route_words(language).items()]
    return html.Div(
        [
            dmc.Select(id="evaluation", label=_("Evaluation"), data=[], allowDeselect=False, className="filter wide"),
            dmc.Select(id="region", label=_("District"), data=[], allowDeselect=False, className="filter"),
            html.Div(
                [
                    html.Span(_("Route"), className="filter-label", id="route-label"),
                    dmc.SegmentedControl(
                        id="route",
                        data=options,
                        value="satisfaction",
                        attributes={"root": {"aria-labelledby": "route-label"}},
                    ),
                ],
                className="filter",
            ),
        ],
        className="filters",
    )


def _ledger_panel(language: str) -> Component:
    _ = translator(language)
    words = status_words(language)
    statuses = [{"value": "", "label": _("All results")}, *({"value": key, "label": words[key]} for key in STATUSES)]
    return panel(
        _("All communities"),
        html.Div(
            [
                dmc.TextInput(id="ledger-name", label=_("Name contains"), debounce=300, className="filter"),
                dmc.Select(
                    id="ledger-status",
                    label=_("Result"),
                    data=statuses,
                    value="",
                    allowDeselect=False,
                    className="filter",
                ),
                dmc.Select(
                    id="ledger-order",
                    label=_("Order by"),
                    data=ledger.orders(language),
                    value=ledger.FIRST_ORDER,
                    allowDeselect=False,
                    className="filter",
                ),
            ],
            className="filters",
        ),
        html.Div(id="ledger"),
        dmc.Pagination(
            id="ledger-page", total=1, value=1, siblings=1, withControls=False, className="pages", hideWithOnePage=True
        ),
        anchor="communities",
    )


def _view_parts(source: EvaluationSource, view: View, *, now: datetime) -> tuple[Any, ...]:
    _ = translator(view.language)
    headers = source.evaluations()
    progress = source.progress()
    collection = collection_panel(progress, view.region, view.language, now=now)
    if not headers:
        nothing = panel(
            _("No evaluation yet"),
            empty(_("Results stand here once a round has closed and been evaluated, or a preview has been made.")),
        )
        return [], None, [], ALL_REGIONS, view.route.key, nothing, collection
    shown = Shown.of(source, headers, view)
    regions = [{"value": region, "label": shown.region_label(region)} for region in regions_of(shown.everywhere)]
    return (
        [{"value": str(header.id), "label": _evaluation_label(header, view.language)} for header in headers],
        str(shown.header.id),
        [{"value": ALL_REGIONS, "label": _("All districts")}, *regions],
        shown.view.region or ALL_REGIONS,
        view.route.key,
        _results(shown),
        [collection, rules_panel(shown.header, view.language)],
    )


def _ledger_parts(source: EvaluationSource, view: View, asked: ledger.Asked) -> tuple[Component, int, int]:
    _ = translator(view.language)
    headers = source.evaluations()
    if not headers:
        return empty(_("No evaluation yet")), 1, 1
    header = next((header for header in headers if header.id == view.evaluation), headers[0])
    standings = source.standings(header.id)
    if view.region in regions_of(standings):
        standings = _in_region(standings, view.region)
    chosen = ledger.selected(standings, asked)
    pages = ledger.count_pages(len(chosen))
    # An answer may have come for a longer table than the one that is asked for by now.
    asked = replace(asked, page=min(max(1, asked.page), pages))
    scales = {key: scale_of(header, route, view.language) for key, route in ROUTES.items()}
    table = ledger.ledger_table(chosen, asked, scales, view.language)
    return table, pages, asked.page


def _complete(source: EvaluationSource, view: View) -> View:
    """Return the view with the evaluation that it shows when its address names none."""
    if view.evaluation is not None:
        return view
    headers = source.evaluations()
    return view.but(evaluation=headers[0].id if headers else None)


def _results(shown: Shown) -> list[Component]:
    _ = translator(shown.language)
    parts: list[Component] = []
    if shown.header.provisional:
        parts.append(
            notice(
                _("Preview, not an official result"),
                _("The round was still open. Ranks and scores here may change until it has closed."),
            )
        )
    parts += [_key_figures(shown), _qualified_panel(shown)]
    if warnings := shown.warnings():
        parts.append(panel(_("To bear in mind"), html.Ul([html.Li(said) for said in warnings]), anchor="warnings"))
    return [*parts, _order_panel(shown), _distribution_panel(shown)]


def _key_figures(shown: Shown) -> Component:
    _ = translator(shown.language)
    now, before = counts(shown.standings, shown.view.route), None
    if shown.earlier_standings is not None:
        before = counts(shown.earlier_standings, shown.view.route)

    def note(key: str) -> str | None:
        if before is None:
            return None
        return _("{change} since the round before").format(change=_signed(now[key] - before[key]))

    figures = [
        key_figure(_("Communities"), f"{now['communities']:,}", note=note("communities")),
        key_figure(_("Ranked"), f"{now['ranked']:,}", note=note("ranked")),
        key_figure(_("Meet the requirement"), f"{now['met']:,}", note=note("met")),
        key_figure(_("Valid answers"), f"{now['responses']:,}", note=note("responses")),
        _cut_off_figure(shown),
    ]
    return html.Dl(figures, className="key-figures five", id="key-figures")


def _cut_off_figure(shown: Shown) -> Component:
    _ = translator(shown.language)
    scale = scale_of(shown.header, shown.view.route, shown.language)
    here = shown.cut_offs(shown.view.route)
    name = _("Cut-off: {measure}").format(measure=scale.title)
    if len(here) == 1:
        return key_figure(name, scale.write(here[0].score), note=_cut_off_change(shown, here[0]))
    scores = [cut_off.score for cut_off in here if cut_off.score is not None]
    if not scores:
        return key_figure(name, "—", note=_("no position to give"))
    if len(here) > 4:
        return key_figure(name, f"{scale.write(min(scores))} – {scale.write(max(scores))}", note=_("by district"))
    lines = [
        html.Span(
            [html.Span(shown.region_label(cut_off.region)), html.Strong(scale.write(cut_off.score))], className="line"
        )
        for cut_off in here
    ]
    return key_figure(name, html.Div(lines, className="lines"))


def _cut_off_change(shown: Shown, here: CutOff) -> str | None:
    _ = translator(shown.language)
    if shown.earlier is None or here.score is None:
        return None
    same_measure = shown.earlier.rules.satisfaction.measure == shown.header.rules.satisfaction.measure
    before = {cut_off.region: cut_off.score for cut_off in cut_offs(shown.earlier, shown.view.route)}.get(here.region)
    if before is None or not same_measure:
        return None
    scale = scale_of(shown.header, shown.view.route, shown.language)
    change = f"{(here.score - before) * scale.factor:+.{scale.decimals}f}".replace("-", "−")
    return _("{change} points since the round before").format(change=change)


def _qualified_panel(shown: Shown) -> Component:
    _ = translator(shown.language)
    name = _("Who qualifies, by which route and why")
    qualified = shown.standings[met(shown.standings, "requirement_status")]
    if qualified.empty:
        return panel(name, empty(_("No community meets the requirement here.")), anchor="qualified")
    order = {region: place for place, region in enumerate(regions_of(shown.standings))}
    keyed = qualified.assign(place=qualified["region"].map(order))
    listed = keyed.sort_values(["place", "satisfaction_rank", "complaint_rank"], kind="stable").head(MOST_QUALIFIED)
    headings = (_("Community"), _("District"), _("Route"), _("Rank"), _("Score"), _("Why"))
    columns = [Column(heading, heading, wide=heading == headings[-1]) for heading in headings]
    rows = [_qualified_row(row, shown) for row in records(listed)]
    by_route = {route.key: int(met(qualified, route.status).sum()) for route in ROUTES.values()}
    both = by_route["satisfaction"] + by_route["complaints"] - len(qualified)
    note = _(
        "{count} communities: {satisfaction} by satisfaction, {complaints} by complaints, {both} of them by both."
    ).format(count=len(qualified), both=both, **by_route)
    caption = _("{shown} of {count}").format(shown=len(rows), count=len(qualified))
    return panel(name, scrolled(data_table(columns, rows, caption=caption), name), anchor="qualified", note=note)


def _qualified_row(row: dict[str, Any], shown: Shown) -> list[str]:
    ways = [route for route in ROUTES.values() if row[route.status] == "met"]
    names = route_words(shown.language)
    return [
        pick(shown.language, row["name"], row["english_name"]),
        pick(shown.language, row["region"], row["region_english"]),
        _lines(names[route.key] for route in ways),
        _lines(ledger.rank_words(row, route.key, shown.language) for route in ways),
        _lines(scale_of(shown.header, route, shown.language).write(row[route.score]) for route in ways),
        _lines(shown.reason(row, route) for route in ways),
    ]


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(texts)


def _order_panel(shown: Shown) -> Component:
    _ = translator(shown.language)
    route = shown.view.route
    cut_offs_here = {cut_off.region: cut_off for cut_off in shown.cut_offs(route)}
    measured = with_intervals(shown.standings, shown.header, route)
    drawing = shown.drawing(score_range=_score_range(measured, route, shown.drawing().scale.factor))
    cards = [
        _order_card(shown, region, measured[measured["region"] == region], cut_offs_here.get(region), drawing)
        for region in regions_of(shown.standings)
    ]
    best = _("from the highest satisfaction down") if not route.fewest_first else _("from the fewest complaints up")
    return panel(
        _("The communities in order, and the cut-off"),
        html.Div(cards, className="charts" if len(cards) > 1 else "charts one"),
        anchor="order",
        note=_("{route}, {best}. One dot is one community; the thin line is its 95 percent interval.").format(
            route=route.name(shown.language), best=best
        ),
    )


def _score_range(measured: pd.DataFrame, route: Route, factor: float) -> tuple[float, float] | None:
    drawn = measured.loc[measured[route.rank].notna(), [route.score, "lower", "upper"]].to_numpy("float64") * factor
    if not len(drawn):
        return None
    lowest, highest = float(np.nanmin(drawn)), float(np.nanmax(drawn))
    margin = max((highest - lowest) * 0.04, 0.5)
    return lowest - margin, highest + margin


def _order_card(
    shown: Shown, region: str, communities: pd.DataFrame, cut_off: CutOff | None, drawing: Drawing
) -> Component:
    _ = translator(shown.language)
    route = shown.view.route
    ordered = in_order(communities, route)
    unranked = len(communities) - len(ordered)
    parts: list[Component] = [html.H3(shown.region_label(region))]
    if ordered.empty:
        parts.append(empty(_("No community here is ranked on this route.")))
    else:
        parts.append(
            chart(
                order_figure(ordered, cut_off, drawing),
                name=f"order-{route.key}-{region}",
                summary=_order_summary(shown, ordered, cut_off),
                language=shown.language,
            )
        )
    if unranked:
        words = _("Not ranked, with too few answers or households: {count}")
        parts.append(html.P(words.format(count=unranked), className="apart"))
    if len(ordered) > MOST_POINTS:
        parts.append(html.P(_("Of the middle only some are drawn; the table has all."), className="apart"))
    return html.Div(parts)


def _order_summary(shown: Shown, ordered: pd.DataFrame, cut_off: CutOff | None) -> str:
    _ = translator(shown.language)
    route = shown.view.route
    if cut_off is None or cut_off.k == 0:
        return _("{count} communities are ranked; too few for a single position.").format(count=len(ordered))
    sentence = _("{ranked} communities are ranked, {met} of them meet the requirement; the cut-off is {score}.").format(
        ranked=len(ordered),
        met=int(met(ordered, route.status).sum()),
        score=scale_of(shown.header, route, shown.language).write(cut_off.score),
    )
    at_cut_off = ordered[(ordered[route.rank] <= cut_off.k) & (ordered[route.last_rank] >= cut_off.k)]
    if len(at_cut_off) > 1:
        sentence += _(" {count} are tied at the cut-off.").format(count=len(at_cut_off))
    return sentence


def _distribution_panel(shown: Shown) -> Component:
    _ = translator(shown.language)
    route = shown.view.route
    name = _("How the scores are spread")
    ranked = shown.standings[shown.standings[route.rank].notna()]
    if ranked.empty:
        return panel(name, empty(_("No community here is ranked on this route.")), anchor="distribution")
    scale = scale_of(shown.header, route, shown.language)
    median = scale.write(float(ranked[route.score].median()))
    return panel(
        name,
        chart(
            distribution_figure(ranked, shown.cut_offs(route), shown.drawing()),
            name=f"distribution-{route.key}",
            summary=_(
                "Half of the {count} ranked communities lie below {median}. The dashed line is the cut-off."
            ).format(count=f"{len(ranked):,}", median=median),
            language=shown.language,
            table=_distribution_table(shown, ranked),
        ),
        anchor="distribution",
        note=scale.title,
    )


def _distribution_table(shown: Shown, ranked: pd.DataFrame) -> Component:
    _ = translator(shown.language)
    route = shown.view.route
    scale = scale_of(shown.header, route, shown.language)
    here = {cut_off.region: cut_off.score for cut_off in shown.cut_offs(route)}
    headings = (
        _("District"),
        _("Ranked"),
        _("Lowest"),
        _("Lower quarter"),
        _("Middle"),
        _("Upper quarter"),
        _("Highest"),
        _("Cut-off"),
    )
    columns = [Column(heading, heading, numeric=place > 0) for place, heading in enumerate(headings)]
    rows = []
    for region in regions_of(ranked):
        scores = ranked.loc[ranked["region"] == region, route.score].astype("float64")
        quantiles = [scale.write(float(scores.quantile(share))) for share in (0, 0.25, 0.5, 0.75, 1)]
        rows.append([shown.region_label(region), f"{len(scores):,}", *quantiles, scale.write(here.get(region))])
    return data_table(columns, rows, caption=scale.title)


def _evaluation_label(header: EvaluationHeader, language: str) -> str:
    _ = translator(language)
    kind = _("preview") if header.provisional else _("official")
    return f"{header.round_label(language)} · {kind} · {minute(header.cut_off, language, header.rules.time_zone)[:10]}"


def _round_before(headers: Sequence[EvaluationHeader], header: EvaluationHeader) -> EvaluationHeader | None:
    """Return the newest official evaluation of the latest round before that of `header`."""
    before = [
        other
        for other in headers
        if not other.provisional and other.round_name != header.round_name and other.cut_off < header.cut_off
    ]
    return max(before, key=lambda other: (other.cut_off, other.id), default=None)


def _in_region(standings: pd.DataFrame, region: str | None) -> pd.DataFrame:
    return standings if region is None else standings[standings["region"] == region]


def _signed(change: int) -> str:
    return "±0" if change == 0 else f"{change:+,}".replace("-", "−")
