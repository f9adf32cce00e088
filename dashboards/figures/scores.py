"""Charts of scores: communities in rank order, and the distribution of scores."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np
import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import MOST_POINTS, Figure, Floats, hover_texts, layout_of, rounded, vertical_line
from dashboards.frames.chart_context import ChartContext
from dashboards.frames.standings import CutOff, met, regions_of
from dashboards.languages import pick, translator

_BINS: Final = 40
_ROW_HEIGHT: Final = 92
_GAP: Final = 34


def score_ranking_figure(ordered: pd.DataFrame, cut_off: CutOff | None, drawing: ChartContext) -> Figure:
    """Return a chart of one region's communities in rank order, with the cut-off and the confidence intervals.

    Parameters
    ----------
    ordered : DataFrame
        Ranked communities as `dashboards.frames.standings.in_rank_order` returns them, with `lower`, `upper` and
        `estimate` as `dashboards.frames.standings.with_intervals` adds them.
    """
    _ = translator(drawing.language)
    drawn = thinned(ordered, keep_first=cut_off.k if cut_off else 0)
    is_met = met(drawn, drawing.route.status).to_numpy()
    traces = [
        _dots(drawn[~is_met], drawing, _("Others"), {"color": theme.OTHER, "size": 5, "symbol": "circle"}),
        _dots(drawn[is_met], drawing, _("Meets the criterion"), {"color": theme.MET, "size": 9, "symbol": "diamond"}),
    ]
    if drawn["lower"].notna().any():
        traces.insert(0, _intervals(drawn, drawing))
        apart = drawn[(drawn["estimate"] != drawn[drawing.route.score]).to_numpy(dtype=bool) & drawn["lower"].notna()]
        if len(apart):
            traces.insert(1, _estimates(apart, drawing))
    last = int(ordered["position"].max()) if len(ordered) else 1
    layout = layout_of(drawing, height=320)
    layout["xaxis"] = {"title": {"text": _("Rank")}, "range": [0, last + 1], "nticks": 6, "showgrid": False}
    layout["yaxis"] = {"title": {"text": drawing.scale.axis}, "nticks": 6}
    if drawing.score_range:
        layout["yaxis"]["range"] = list(drawing.score_range)
    if cut_off and cut_off.score is not None:
        layout["shapes"], note = _cut_off_marks(cut_off, drawing)
        layout["annotations"] = [*layout["annotations"], note]
    return {"data": traces, "layout": layout}


def distribution_figure(ranked: pd.DataFrame, cut_offs: Sequence[CutOff], drawing: ChartContext) -> Figure:
    """Return histograms of the scores, one row per region, with each region's cut-off.

    The bins are counted here: the figure is as small for 100,000 communities as for 100.

    Parameters
    ----------
    ranked : DataFrame
        The ranked communities of one or more regions, at least one.
    """
    _ = translator(drawing.language)
    scores = ranked[drawing.route.score].to_numpy("float64") * drawing.scale.factor
    edges = np.histogram_bin_edges(scores, bins=_BINS)
    is_met = met(ranked, drawing.route.status).to_numpy()
    regions = regions_of(ranked)
    height = 116 + len(regions) * (_ROW_HEIGHT + _GAP)
    layout = layout_of(drawing, height=height, top=48) | {"barmode": "stack", "bargap": 0.06, "shapes": []}
    layout["xaxis"] = {
        "title": {"text": drawing.scale.axis},
        "nticks": 7,
        "anchor": "y" if len(regions) == 1 else f"y{len(regions)}",
    }
    by_region = {cut_off.region: cut_off for cut_off in cut_offs}
    traces: list[dict[str, Any]] = []
    for place, region in enumerate(regions):
        axis = "y" if place == 0 else f"y{place + 1}"
        here = (ranked["region"] == region).to_numpy()
        bottom = (len(regions) - 1 - place) / len(regions)
        top = bottom + _ROW_HEIGHT / (_ROW_HEIGHT + _GAP) / len(regions)
        layout[axis.replace("y", "yaxis")] = {"domain": [bottom, top], "nticks": 3, "rangemode": "tozero"}
        for chosen, name, color in (
            (here & is_met, _("Meets the criterion"), theme.MET),
            (here & ~is_met, _("Others"), theme.OTHER),
        ):
            traces.append(_bars(scores[chosen], edges, name, color, axis, is_first=place == 0))
        label = pick(drawing.language, region, ranked.loc[here, "region_english"].iloc[0])
        layout["annotations"].append(_row_label(label, axis))
        cut_off = by_region.get(region)
        if cut_off and cut_off.score is not None:
            layout["shapes"].append(vertical_line(cut_off.score * drawing.scale.factor, f"{axis} domain"))
    return {"data": traces, "layout": layout}


def thinned(ordered: pd.DataFrame, *, keep_first: int, most: int = MOST_POINTS) -> pd.DataFrame:
    """Return at most `most` of the ordered communities: all near the cut-off and at the end, else evenly spaced.

    The first `keep_first` and as many again are kept whole, so that everything near the cut-off is there; where that is
    more than half of `most`, only the nearest to the cut-off on both sides.
    """
    if len(ordered) <= most:
        return ordered
    near = most // 4
    first = 0 if keep_first <= near else keep_first - near
    whole = np.arange(first, min(len(ordered), max(keep_first + min(keep_first, near), near)))
    tail = np.arange(len(ordered) - most // 8, len(ordered))
    others = np.linspace(0, len(ordered) - 1, most - len(whole) - len(tail)).astype("int64")
    return ordered.iloc[np.unique(np.concatenate([whole, tail, others]))]


def _intervals(drawn: pd.DataFrame, drawing: ChartContext) -> dict[str, Any]:
    _ = translator(drawing.language)
    gap = np.full(len(drawn), np.nan)
    heights = np.column_stack([drawn["lower"], drawn["upper"], gap]).ravel() * drawing.scale.factor
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("95 percent interval"),
        "x": np.repeat(drawn["position"].to_numpy(), 3).tolist(),
        "y": rounded(heights),
        "line": {"color": theme.INTERVAL, "width": 1.5},
        "hoverinfo": "skip",
    }


def _estimates(drawn: pd.DataFrame, drawing: ChartContext) -> dict[str, Any]:
    _ = translator(drawing.language)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _("Estimate for all households"),
        "x": drawn["position"].tolist(),
        "y": rounded(drawn["estimate"].to_numpy("float64") * drawing.scale.factor),
        "marker": {"symbol": "line-ew", "size": 7, "line": {"color": theme.QUIET, "width": 1.5}},
        "hoverinfo": "skip",
    }


def _dots(drawn: pd.DataFrame, drawing: ChartContext, name: str, marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": drawn["position"].tolist(),
        "y": rounded(drawn[drawing.route.score].to_numpy("float64") * drawing.scale.factor),
        "text": hover_texts(drawn, drawing),
        "marker": marker,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _cut_off_marks(cut_off: CutOff, drawing: ChartContext) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the lines at the k-th position and at its score, and their labels in the empty corner of the chart."""
    _ = translator(drawing.language)
    assert cut_off.score is not None
    height = cut_off.score * drawing.scale.factor
    level = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": height,
        "y1": height,
        "line": {"color": theme.CUT_OFF, "width": 1, "dash": "dot"},
    }
    words = _("Cut-off: the first {k} of {ranked}").format(k=cut_off.k, ranked=cut_off.ranked)
    at_top = drawing.route.fewest_first
    note = {
        "text": f"{words}<br>{drawing.scale.write(cut_off.score)}",
        "x": cut_off.k + 0.5,
        "xanchor": "left",
        "xshift": 6,
        "yref": "paper",
        "y": 1 if at_top else 0,
        "yanchor": "top" if at_top else "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 13, "color": theme.CUT_OFF},
        "bgcolor": "rgba(255,255,255,.85)",
    }
    return [vertical_line(cut_off.k + 0.5, "paper"), level], note


def _bars(scores: Floats, edges: Floats, name: str, color: str, axis: str, *, is_first: bool) -> dict[str, Any]:
    heights, _edges = np.histogram(scores, bins=edges)
    return {
        "type": "bar",
        "name": name,
        "x": rounded((edges[:-1] + edges[1:]) / 2),
        "y": heights.tolist(),
        "yaxis": axis,
        "marker": {"color": color},
        "showlegend": is_first,
        "legendgroup": name,
        "hovertemplate": f"{name}<br>%{{x}}: %{{y}}<extra></extra>",
    }


def _row_label(label: str, axis: str) -> dict[str, Any]:
    return {
        "text": f"<b>{escape(label)}</b>",
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "yref": f"{axis} domain",
        "y": 1,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 14},
    }
