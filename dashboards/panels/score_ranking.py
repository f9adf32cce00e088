"""Communities in rank order: the score ladder with the cut-off, and the distribution of scores."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.reports.labels import route_words
from dashboards.figures.chart_parts import allocate_points
from dashboards.figures.scores import distribution_figure, score_ranking_figure, thinned
from dashboards.frames.chart_context import ChartContext
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import CutOff, in_rank_order, in_region, met, regions_of, scale_of, with_intervals
from dashboards.languages import pick, translator
from dashboards.routes import Route
from dashboards.widgets.components import Numbers, NumbersColumn, chart, panel, side_by_side
from dashboards.widgets.next_steps import none_ranked

_NAMED: Final = ("number", "name", "english_name", "responses", "complaints")


def _measured_by(route: Route) -> list[str]:
    return ["region", "lower", "upper", "estimate", route.score, route.rank, route.last_rank, route.status]


def score_ranking_panel(shown: PageData) -> Component:
    """Return the communities of each region in rank order, with the cut-off."""
    _ = translator(shown.language)
    route = shown.view.route
    cut_offs_here = {cut_off.region: cut_off for cut_off in shown.cut_offs(route)}
    # Splitting a frame of fifty columns into regions takes longer than all the drawing.
    measured = with_intervals(shown.standings, route, evidence_method=shown.header.evidence_method)[_measured_by(route)]
    drawing = shown.drawing(score_range=_score_range(measured, route, shown.drawing().scale.factor))
    ladders = [
        _RankedRegion.of(region, in_region(measured, region), route, cut_offs_here.get(region))
        for region in shown.regions
    ]
    name = _("The communities in order, and the cut-off")
    if all(ladder.ordered.empty for ladder in ladders):
        return panel(name, none_ranked(shown.language), anchor="order")
    room = allocate_points([len(ladder.ordered) for ladder in ladders])
    cards = [_score_ranking_card(shown, ladder, drawing, most=most) for ladder, most in zip(ladders, room, strict=True)]
    best = _("from the highest satisfaction down") if not route.fewest_first else _("from the fewest complaints up")
    return panel(
        name,
        side_by_side(cards),
        anchor="order",
        note=_("{route}, {best}. One dot is one community; the thin line is its 95 percent interval.").format(
            route=route_words(shown.language)[route.key], best=best
        ),
    )


def _score_range(measured: pd.DataFrame, route: Route, factor: float) -> tuple[float, float] | None:
    drawn = measured.loc[measured[route.rank].notna(), [route.score, "lower", "upper"]].to_numpy("float64") * factor
    if not len(drawn):
        return None
    lowest, highest = float(np.nanmin(drawn)), float(np.nanmax(drawn))
    margin = max((highest - lowest) * 0.04, 0.5)
    return lowest - margin, highest + margin


@dataclass(frozen=True)
class _RankedRegion:
    """Ranked communities of one region in order, how many are not ranked, and where the list ends."""

    region: str
    ordered: pd.DataFrame
    unranked: int
    cut_off: CutOff | None

    @classmethod
    def of(cls, region: str, communities: pd.DataFrame, route: Route, cut_off: CutOff | None) -> Self:
        ordered = in_rank_order(communities, route)
        return cls(region, ordered, len(communities) - len(ordered), cut_off)


def _score_ranking_card(shown: PageData, ladder: _RankedRegion, drawing: ChartContext, *, most: int) -> Component:
    _ = translator(shown.language)
    route, ordered, cut_off = shown.view.route, ladder.ordered, ladder.cut_off
    parts: list[Component] = [html.H3(shown.region_label(ladder.region))]
    if ordered.empty:
        parts.append(none_ranked(shown.language))
    else:
        drawn = thinned(ordered, keep_first=cut_off.k if cut_off else 0, most=most)
        drawn = drawn.join(shown.standings.loc[drawn.index, list(_NAMED)])
        parts.append(
            chart(
                score_ranking_figure(drawn, cut_off, drawing),
                name=f"order-{route.key}-{ladder.region}",
                summary=_score_ranking_summary(shown, ordered, cut_off),
                language=shown.language,
                numbers=_score_ranking_numbers(shown, drawn),
            )
        )
    if ladder.unranked:
        words = _("Not ranked on this route: {count}")
        parts.append(html.P(words.format(count=ladder.unranked), className="apart"))
    if len(ordered) > most:
        parts.append(
            html.P(
                _(
                    "The chart shows only some of the communities in the middle; the table of all "
                    "communities has every one."
                ),
                className="apart",
            )
        )
    return html.Div(parts)


def _score_ranking_numbers(shown: PageData, drawn: pd.DataFrame) -> Numbers:
    """Return the numbers of the communities that are drawn, which are not all of a long list."""
    _ = translator(shown.language)
    route = shown.view.route
    scale = scale_of(shown.header, route, shown.language)
    columns = [
        NumbersColumn(_("Rank"), numeric=True),
        NumbersColumn(_("Community")),
        *(
            NumbersColumn(heading, numeric=True, write=scale.write)
            for heading in (scale.title, _("Lower bound"), _("Upper bound"))
        ),
        NumbersColumn(_("Please check")),
    ]
    names = [pick(shown.language, *pair) for pair in zip(drawn["name"], drawn["english_name"], strict=True)]
    figures = drawn[[route.rank, route.score, "lower", "upper"]].itertuples(index=False, name=None)
    checks = [shown.underreported.get(number) for number in drawn["number"]]
    rows = [[rank, name, *scores, check] for name, (rank, *scores), check in zip(names, figures, checks, strict=True)]
    return Numbers(scale.title, columns, rows)


def _score_ranking_summary(shown: PageData, ordered: pd.DataFrame, cut_off: CutOff | None) -> str:
    _ = translator(shown.language)
    route = shown.view.route
    if cut_off is None or cut_off.k == 0:
        return _("Communities ranked: {count}; too few for a single position.").format(count=len(ordered))
    sentence = _("Communities ranked: {ranked}; meeting the criterion: {met}; the cut-off is {score}.").format(
        ranked=len(ordered),
        met=int(met(ordered, route.status).sum()),
        score=scale_of(shown.header, route, shown.language).write(cut_off.score),
    )
    at_cut_off = ordered[(ordered[route.rank] <= cut_off.k) & (ordered[route.last_rank] >= cut_off.k)]
    if len(at_cut_off) > 1:
        sentence += _(" {count} are tied at the cut-off.").format(count=len(at_cut_off))
    return sentence


def distribution_panel(shown: PageData) -> Component:
    """Return the distribution of the scores, region by region."""
    _ = translator(shown.language)
    route = shown.view.route
    name = _("Distribution of the scores")
    columns = ["region", "region_english", route.score, route.status]
    ranked = shown.standings[columns][shown.standings[route.rank].notna()]
    if ranked.empty:
        return panel(name, none_ranked(shown.language), anchor="distribution")
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
            numbers=_distribution_numbers(shown, ranked),
        ),
        anchor="distribution",
        note=scale.title,
    )


def _distribution_numbers(shown: PageData, ranked: pd.DataFrame) -> Numbers:
    _ = translator(shown.language)
    route = shown.view.route
    scale = scale_of(shown.header, route, shown.language)
    here = {cut_off.region: cut_off.score for cut_off in shown.cut_offs(route)}
    scores = (_("Lowest"), _("Lower quarter"), _("Middle"), _("Upper quarter"), _("Highest"), _("Cut-off"))
    columns = [
        NumbersColumn(_("District")),
        NumbersColumn(_("Ranked"), numeric=True),
        *(NumbersColumn(heading, numeric=True, write=scale.write) for heading in scores),
    ]
    rows = []
    for region in regions_of(ranked):
        own = in_region(ranked, region)[route.score].to_numpy("float64")
        quantiles = np.quantile(own, (0, 0.25, 0.5, 0.75, 1)).tolist()
        rows.append([shown.region_label(region), len(own), *quantiles, here.get(region)])
    return Numbers(scale.title, columns, rows)
