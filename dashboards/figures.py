"""Frames in, figures out: what is drawn is what the standings say, and nothing is decided anew.

Figures are plain dicts in plotly's own format: plotly's Python classes check the same 300 properties on every call,
which took four fifths of the time a page needed. The tests have them check every figure once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.support import evidence_words
from dashboards import theme
from dashboards.languages import pick, translator
from dashboards.results import CutOff, Route, Scale, met, regions_of
from dashboards.source import Polygon
from dashboards.wording import funnel_positions

Figure = dict[str, Any]
Floats = npt.NDArray[np.float64]

MOST_POINTS: Final = 600
"""More dots than this in one chart are a blob and a slow page: the middle is thinned."""

_BINS: Final = 40
_ROW_HEIGHT: Final = 92
# Percent of the width: in a narrower part no number has room.
_NARROWEST_LABEL: Final = 4
# A smooth line needs no more.
_LINE_POINTS: Final = 80
# Colour, symbol and size: fewer complaints in blue and pointing down, more in vermilion and pointing up.
_FUNNEL_MARKS: Final = {
    "inside": (theme.OTHER, "circle", 5),
    "below_95": (theme.EVIDENCE["likely"][0], "triangle-down", 9),
    "below_99_8": (theme.MET, "triangle-down", 11),
    "above_95": (theme.SHORT, "triangle-up", 9),
    "above_99_8": (theme.CUT_OFF, "triangle-up", 11),
}
# Of one outline.
_RING_POINTS: Final = 400
# Characters of a name beside a chart: more would leave no room for the chart on a phone.
_LONGEST_LABEL: Final = 16
_GAP: Final = 34


@dataclass(frozen=True)
class Drawing:
    """What every figure of one view shares."""

    language: str
    route: Route
    scale: Scale
    provisional: bool
    # From the lowest to the highest that is drawn, so that charts side by side can be compared.
    score_range: tuple[float, float] | None = None


def order_figure(ordered: pd.DataFrame, cut_off: CutOff | None, drawing: Drawing) -> Figure:
    """Return the communities of one region in order, with the cut-off and the confidence intervals.

    Parameters
    ----------
    ordered : DataFrame
        Ranked communities as `dashboards.results.in_order` returns them, with `lower` and `upper` as
        `dashboards.results.with_intervals` adds them.
    """
    _ = translator(drawing.language)
    drawn = thinned(ordered, keep_first=cut_off.k if cut_off else 0)
    is_met = met(drawn, drawing.route.status).to_numpy()
    traces = [
        _dots(drawn[~is_met], drawing, _("Others"), {"color": theme.OTHER, "size": 5, "symbol": "circle"}),
        _dots(drawn[is_met], drawing, _("Meets the requirement"), {"color": theme.MET, "size": 9, "symbol": "diamond"}),
    ]
    if drawn["lower"].notna().any():
        traces.insert(0, _intervals(drawn, drawing))
    last = int(ordered["position"].max()) if len(ordered) else 1
    layout = _layout(drawing, height=320)
    layout["xaxis"] = {"title": {"text": _("Rank")}, "range": [0, last + 1], "nticks": 6, "showgrid": False}
    layout["yaxis"] = {"title": {"text": drawing.scale.axis}, "nticks": 6}
    if drawing.score_range:
        layout["yaxis"]["range"] = list(drawing.score_range)
    if cut_off and cut_off.score is not None:
        layout["shapes"], note = _cut_off_marks(cut_off, drawing)
        layout["annotations"] = [*layout["annotations"], note]
    return {"data": traces, "layout": layout}


def distribution_figure(ranked: pd.DataFrame, cut_offs: Sequence[CutOff], drawing: Drawing) -> Figure:
    """Return how many communities have which score, one row per region, with each region's cut-off.

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
    layout = _layout(drawing, height=height, top=48) | {"barmode": "stack", "bargap": 0.06, "shapes": []}
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
            (here & is_met, _("Meets the requirement"), theme.MET),
            (here & ~is_met, _("Others"), theme.OTHER),
        ):
            traces.append(_bars(scores[chosen], edges, name, color, axis, is_first=place == 0))
        label = pick(drawing.language, region, ranked.loc[here, "region_english"].iloc[0])
        layout["annotations"].append(_row_label(label, axis))
        cut_off = by_region.get(region)
        if cut_off and cut_off.score is not None:
            layout["shapes"].append(_upright(cut_off.score * drawing.scale.factor, f"{axis} domain"))
    return {"data": traces, "layout": layout}


def funnel_figure(measured: pd.DataFrame, target: float, drawing: Drawing) -> Figure:
    """Return the complaint rates of one region against household-years, between the lines that chance explains.

    Parameters
    ----------
    measured : DataFrame
        Standings of one region with `rate`, `adjusted_position` and the adjusted lines of `analytics.funnel`.
    target : float
        The pooled rate in the middle.
    """
    words = funnel_positions(drawing.language)
    along = measured.sort_values("exposure_household_years").drop_duplicates("exposure_household_years")
    along = along.iloc[np.unique(np.linspace(0, len(along) - 1, min(len(along), _LINE_POINTS)).astype("int64"))]
    traces = [
        _line(along, column, level, is_first=side == "lower", drawing=drawing)
        for level in ("95", "99_8")
        for side in ("lower", "upper")
        for column in (f"adjusted_{side}_{level}",)
    ]
    inside = measured[measured["adjusted_position"] == "inside"]
    drawn = {
        "inside": inside.iloc[np.unique(np.linspace(0, len(inside) - 1, min(len(inside), MOST_POINTS)).astype("int64"))]
        if len(inside)
        else inside,
        **{position: measured[measured["adjusted_position"] == position] for position in words if position != "inside"},
    }
    for position, points in drawn.items():
        if len(points):
            traces.append(_funnel_dots(points, words[position], _FUNNEL_MARKS[position], drawing))
    layout = _layout(drawing, height=360, top=64)
    layout["xaxis"] = {
        "title": {"text": translator(drawing.language)("Household-years")},
        "rangemode": "tozero",
        "nticks": 5,
    }
    layout["yaxis"] = {"title": {"text": drawing.scale.axis}, "rangemode": "tozero", "nticks": 6}
    layout["shapes"] = [
        {**_across(target), "line": {"color": theme.QUIET, "width": 1, "dash": "dot"}},
    ]
    return {"data": traces, "layout": layout}


def bounds_figure(zero: pd.DataFrame, drawing: Drawing) -> Figure:
    """Return how high the true rate of communities without a complaint may be.

    Parameters
    ----------
    zero : DataFrame
        Communities without a complaint in the order of their upper bounds, at least one.
    """
    _ = translator(drawing.language)
    bounds = zero[drawing.route.upper].to_numpy("float64") * drawing.scale.factor
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": _rounded(bounds),
        "y": (-np.arange(len(zero))).tolist(),
        "marker": {"color": theme.EVIDENCE["likely"][0]},
        "text": [drawing.scale.write(bound) for bound in zero[drawing.route.upper]],
        "textposition": "auto",
        "textfont": {"size": 12, "color": theme.INK},
        "hovertemplate": _("Upper bound") + " %{x}<extra></extra>",
    }
    layout = _layout(drawing, height=72 + 26 * len(zero), top=16)
    layout["xaxis"] = {"title": {"text": drawing.scale.axis}, "rangemode": "tozero", "nticks": 5}
    layout["yaxis"] = {
        "tickmode": "array",
        "tickvals": trace["y"],
        "ticktext": [escape(_shortened(name)) for name in _names(zero, drawing.language)],
        "showgrid": False,
        "tickfont": {"size": 12, "color": theme.INK},
    }
    layout["showlegend"] = False
    return {"data": [trace], "layout": layout}


def map_figure(regions: pd.DataFrame, boundaries: Mapping[str, Sequence[Polygon]], drawing: Drawing) -> Figure:
    """Return the districts as filled polygons, the better the middle community the darker; others are outlines.

    Parameters
    ----------
    regions : DataFrame
        Columns region, label, middle (missing where nobody is ranked): one row per district shown.
    boundaries : mapping
        Polygons of longitudes and latitudes by district.
    """
    shown = {row["region"]: row for row in regions.to_dict("records")}
    shades = _shades(regions["middle"].to_numpy("float64"), fewest_first=drawing.route.fewest_first)
    colors = dict(zip(regions["region"], shades, strict=True))
    traces, notes = [], []
    for district, polygons in boundaries.items():
        row = shown.get(district)
        written = drawing.scale.write(row["middle"]) if row else ""
        label = escape(row["label"]) if row else ""
        traces.append(_outline(polygons, colors.get(district, theme.SURFACE), f"{label}<br>{written}"))
        if row:
            notes.append(_map_label(polygons, f"<b>{label}</b><br>{written}", colors[district]))
    latitudes = [latitude for polygons in boundaries.values() for ring in polygons for _x, latitude in ring[0]]
    layout = _layout(drawing, height=380, top=8) | {"showlegend": False}
    layout["annotations"] += notes
    layout["xaxis"] = {"visible": False}
    # A degree of longitude is shorter than one of latitude, the more so the farther from the equator.
    stretch = 1 / np.cos(np.radians(np.mean(latitudes)))
    layout["yaxis"] = {"visible": False, "scaleanchor": "x", "scaleratio": float(stretch)}
    return {"data": traces, "layout": layout}


def progress_figure(regions: pd.DataFrame, language: str) -> Figure:
    """Return how many communities of each region have answers enough, and how many are still short.

    Parameters
    ----------
    regions : DataFrame
        Columns label, enough, short: one row per region.
    """
    _ = translator(language)
    labels = [escape(label) for label in regions["label"]]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": labels,
            "x": regions[column].tolist(),
            "marker": {"color": color},
            "text": [str(count) if count else "" for count in regions[column]],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "textfont": {"color": ink, "size": 13},
            "hovertemplate": f"%{{y}}<br>{name} %{{x}}<extra></extra>",
        }
        for column, name, color, ink in (
            ("enough", _("Enough answers"), theme.MET, theme.SURFACE),
            ("short", _("Still short"), theme.SHORT, theme.INK),
        )
    ]
    layout = {
        "template": theme.TEMPLATE,
        "height": 110 + 44 * len(regions),
        "barmode": "stack",
        "bargap": 0.35,
        "xaxis": {"title": {"text": _("Communities")}, "nticks": 5},
        "yaxis": {"autorange": "reversed", "showgrid": False, "tickfont": {"size": 13, "color": theme.INK}},
    }
    return {"data": traces, "layout": layout}


def support_figure(crossed: pd.DataFrame, language: str) -> Figure:
    """Return which share of the listed and of the other communities has each word of evidence.

    Parameters
    ----------
    crossed : DataFrame
        Numbers of communities: index True (listed) and False, columns the words of evidence, the surest first.
    """
    _ = translator(language)
    words = evidence_words(language)
    totals = crossed.sum(axis=1)
    shares = crossed.div(totals.where(totals > 0, 1), axis=0) * 100
    names = {True: _("Listed"), False: _("Not listed")}
    rows = [f"{names[bool(listed)]}<br>{total:,}" for listed, total in totals.items()]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": words[str(band)],
            "y": rows,
            "x": _rounded(shares[band].to_numpy("float64")),
            "marker": {"color": theme.EVIDENCE[str(band)][0]},
            "text": [
                f"{count:,}" if share >= _NARROWEST_LABEL else ""
                for count, share in zip(crossed[band], shares[band], strict=True)
            ],
            "customdata": crossed[band].tolist(),
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "textfont": {"color": theme.EVIDENCE[str(band)][1], "size": 13},
            "hovertemplate": f"{words[str(band)]}: %{{customdata:,}} (%{{x:.0f}} %)<extra></extra>",
        }
        for band in crossed.columns
    ]
    layout = {
        "template": theme.TEMPLATE,
        "height": 240,
        "barmode": "stack",
        "bargap": 0.3,
        "margin": {"t": 48},
        "xaxis": {"range": [0, 100], "ticksuffix": " %", "nticks": 5},
        "yaxis": {"autorange": "reversed", "showgrid": False, "tickfont": {"size": 13, "color": theme.INK}},
    }
    return {"data": traces, "layout": layout}


def near_figure(near: pd.DataFrame, cut_off: CutOff, drawing: Drawing) -> Figure:
    """Return the communities around the cut-off by name, with their intervals and the colours of their evidence.

    Parameters
    ----------
    near : DataFrame
        Communities of one region in order, with `position`, `tied`, `lower` and `upper`, at least one.
    cut_off : CutOff
        With k ≥ 1.
    """
    words = evidence_words(drawing.language)
    rows = near.reset_index(drop=True)
    place = -np.arange(len(rows))
    factor = drawing.scale.factor
    traces: list[dict[str, Any]] = []
    said = rows[drawing.route.evidence].fillna("")
    for band in (*theme.EVIDENCE, ""):
        here = (said == band).to_numpy()
        if here.any():
            traces.append(_forest(rows[here], place[here], words.get(band, "—"), band, drawing))
    layout = _layout(drawing, height=120 + 26 * len(rows), top=56)
    layout["xaxis"] = {"title": {"text": drawing.scale.axis}, "nticks": 5}
    layout["yaxis"] = {
        "tickmode": "array",
        "tickvals": place.tolist(),
        "ticktext": _near_labels(rows, drawing),
        "range": [float(place.min()) - 0.7, 0.7],
        "showgrid": False,
        "tickfont": {"size": 12, "color": theme.INK},
    }
    inside = int((rows["position"] <= cut_off.k).sum())
    layout["shapes"] = [_across(0.5 - inside)]
    if cut_off.score is not None:
        layout["shapes"].append(_upright(cut_off.score * factor, "paper"))
    return {"data": traces, "layout": layout}


def change_figure(regions: pd.DataFrame, language: str) -> Figure:
    """Return how many communities of each region would stay, enter and leave the list under another rule.

    Parameters
    ----------
    regions : DataFrame
        Columns label, stays, enters, leaves: one row per region. Those that leave are drawn to the left of nought.
    """
    _ = translator(language)
    labels = [escape(label) for label in regions["label"]]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": labels,
            "x": [sign * int(count) for count in regions[column]],
            "marker": {"color": color},
            "text": [str(count) if count else "" for count in regions[column]],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "textangle": 0,
            "textfont": {"color": ink, "size": 13},
            "hovertemplate": f"%{{y}}<br>{name} %{{text}}<extra></extra>",
        }
        for column, name, color, ink, sign in (
            ("leaves", _("Leave"), theme.CUT_OFF, theme.SURFACE, -1),
            ("stays", _("Stay"), theme.INTERVAL, theme.INK, 1),
            ("enters", _("Enter"), theme.MET, theme.SURFACE, 1),
        )
    ]
    layout = {
        "template": theme.TEMPLATE,
        "height": 110 + 44 * len(regions),
        "barmode": "relative",
        "bargap": 0.35,
        "xaxis": {"title": {"text": _("Communities")}, "nticks": 5, "zeroline": True, "zerolinecolor": theme.QUIET},
        "yaxis": {"autorange": "reversed", "showgrid": False, "tickfont": {"size": 13, "color": theme.INK}},
    }
    return {"data": traces, "layout": layout}


def daily_figure(daily: pd.DataFrame, language: str) -> Figure:
    """Return how many answers came on each day of the open round."""
    _ = translator(language)
    trace = {
        "type": "bar",
        "x": [day.isoformat() for day in daily["date"]],
        "y": daily["responses"].tolist(),
        "marker": {"color": theme.MET},
        "hovertemplate": "%{x|%Y-%m-%d}<br>" + _("Answers") + " %{y:,}<extra></extra>",
    }
    layout = {
        "template": theme.TEMPLATE,
        "height": 240,
        "bargap": 0.15,
        "showlegend": False,
        "margin": {"t": 16},
        "xaxis": {"type": "date", "tickformat": "%-m-%-d", "nticks": 6, "showgrid": False},
        "yaxis": {"title": {"text": _("Answers a day")}, "nticks": 5, "rangemode": "tozero"},
    }
    return {"data": [trace], "layout": layout}


def thinned(ordered: pd.DataFrame, *, keep_first: int, most: int = MOST_POINTS) -> pd.DataFrame:
    """Return about `most` of the ordered communities: the head around the cut-off and the tail whole.

    Of the middle an even selection stays. The head holds the first `keep_first` and as many again, so that everything
    near the cut-off is there; a head that alone is longer than `most` makes the result longer.
    """
    if len(ordered) <= most:
        return ordered
    head = min(len(ordered), max(2 * keep_first, most // 4))
    tail = max(head, len(ordered) - most // 8)
    room = max(0, most - head - (len(ordered) - tail))
    middle = np.unique(np.linspace(head, tail, room, endpoint=False).astype("int64"))
    return ordered.iloc[np.concatenate([np.arange(head), middle, np.arange(tail, len(ordered))])]


def _layout(drawing: Drawing, *, height: int, top: int = 40) -> dict[str, Any]:
    layout: dict[str, Any] = {"template": theme.TEMPLATE, "height": height, "margin": {"t": top}, "annotations": []}
    if drawing.provisional:
        # Inside the picture, since pictures are downloaded and passed on without the page around them.
        _ = translator(drawing.language)
        layout["annotations"].append(
            {
                "text": _("Preview, not an official result"),
                "xref": "paper",
                "yref": "paper",
                "x": 0.5,
                "y": 0.5,
                "showarrow": False,
                "font": {"size": 18, "color": theme.CUT_OFF},
                "opacity": 0.3,
            }
        )
    return layout


def _intervals(drawn: pd.DataFrame, drawing: Drawing) -> dict[str, Any]:
    _ = translator(drawing.language)
    gap = np.full(len(drawn), np.nan)
    heights = np.column_stack([drawn["lower"], drawn["upper"], gap]).ravel() * drawing.scale.factor
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("95 percent interval"),
        "x": np.repeat(drawn["position"].to_numpy(), 3).tolist(),
        "y": _rounded(heights),
        "line": {"color": theme.INTERVAL, "width": 1.5},
        "hoverinfo": "skip",
    }


def _dots(drawn: pd.DataFrame, drawing: Drawing, name: str, marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": drawn["position"].tolist(),
        "y": _rounded(drawn[drawing.route.score].to_numpy("float64") * drawing.scale.factor),
        "text": _hover_texts(drawn, drawing),
        "marker": marker,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _hover_texts(drawn: pd.DataFrame, drawing: Drawing) -> list[str]:
    _ = translator(drawing.language)
    route = drawing.route
    place = {True: _("Rank {rank}, tied"), False: _("Rank {rank}")}
    if route.key == "satisfaction":
        counted, column = _("{count} valid answers"), drawn["responses"]
    else:
        counted, column = _("{count} valid complaints"), drawn["complaints"]
    facts = zip(
        drawn["name"], drawn["english_name"], drawn[route.rank], drawn["tied"], drawn[route.score], column, strict=True
    )
    return [
        # plotly reads tags in hover texts: a name must not be able to bring its own.
        f"<b>{escape(pick(drawing.language, name, english))}</b><br>{place[bool(tied)].format(rank=rank)}"
        f" · {drawing.scale.write(score)}<br>{counted.format(count=_whole(count))}"
        for name, english, rank, tied, score, count in facts
    ]


def _cut_off_marks(cut_off: CutOff, drawing: Drawing) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the lines at the k-th position and at its score, and their words in the empty corner of the drawing."""
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
    return [_upright(cut_off.k + 0.5, "paper"), level], note


def _upright(x: float, reference: str) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "yref": reference,
        "y0": 0,
        "y1": 1,
        "line": {"color": theme.CUT_OFF, "width": 2, "dash": "dash"},
    }


def _bars(scores: Floats, edges: Floats, name: str, color: str, axis: str, *, is_first: bool) -> dict[str, Any]:
    heights, _edges = np.histogram(scores, bins=edges)
    return {
        "type": "bar",
        "name": name,
        "x": _rounded((edges[:-1] + edges[1:]) / 2),
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


def _forest(rows: pd.DataFrame, place: npt.NDArray[np.int64], name: str, band: str, drawing: Drawing) -> dict[str, Any]:
    """Return the marks of one word of evidence, with intervals; those that meet the criterion are diamonds."""
    factor = drawing.scale.factor
    score = rows[drawing.route.score].to_numpy("float64")
    color = theme.EVIDENCE[band][0] if band else theme.OTHER
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": _rounded(score * factor),
        "y": place.tolist(),
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": _rounded((rows["upper"].to_numpy("float64") - score) * factor),
            "arrayminus": _rounded((score - rows["lower"].to_numpy("float64")) * factor),
            "color": theme.OTHER,
            "thickness": 1.5,
            "width": 0,
        },
        "text": _hover_texts(rows, drawing),
        "marker": {
            "color": color,
            "size": 11,
            "symbol": np.where(met(rows, drawing.route.status), "diamond", "circle").tolist(),
            "line": {"color": theme.INK, "width": 1},
        },
        "hovertemplate": f"%{{text}}<br>{name}<extra></extra>",
    }


def _near_labels(rows: pd.DataFrame, drawing: Drawing) -> list[str]:
    names = map(_shortened, _names(rows, drawing.language))
    return [f"{escape(name)}  {rank}" for name, rank in zip(names, rows[drawing.route.rank], strict=True)]


def _names(rows: pd.DataFrame, language: str) -> list[str]:
    return [pick(language, *pair) for pair in zip(rows["name"], rows["english_name"], strict=True)]


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"


def _line(along: pd.DataFrame, column: str, level: str, *, is_first: bool, drawing: Drawing) -> dict[str, Any]:
    _ = translator(drawing.language)
    names = {"95": _("95 percent"), "99_8": _("99.8 percent")}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": names[level],
        "legendgroup": level,
        "showlegend": is_first,
        "x": _rounded(along["exposure_household_years"].to_numpy("float64")),
        "y": _rounded(along[column].to_numpy("float64")),
        "line": {"color": theme.OTHER, "width": 1.5, "dash": "dash" if level == "95" else "solid"},
        "hoverinfo": "skip",
    }


def _funnel_dots(points: pd.DataFrame, name: str, mark: tuple[str, str, int], drawing: Drawing) -> dict[str, Any]:
    _ = translator(drawing.language)
    color, symbol, size = mark
    counted = _("{count} valid complaints")
    texts = [
        f"<b>{escape(called)}</b><br>{counted.format(count=int(count))} · {drawing.scale.write(rate)}"
        for called, count, rate in zip(
            _names(points, drawing.language), points["complaints"], points["rate"], strict=True
        )
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": _rounded(points["exposure_household_years"].to_numpy("float64")),
        "y": _rounded(points["rate"].to_numpy("float64")),
        "text": texts,
        "marker": {"color": color, "symbol": symbol, "size": size},
        "hovertemplate": "%{text}<extra></extra>",
    }


def _across(y: float) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": theme.CUT_OFF, "width": 2, "dash": "dash"},
    }


def _shades(values: Floats, *, fewest_first: bool) -> list[str]:
    """Return a colour for each value, the darkest for the best; white where there is none."""
    known = values[~np.isnan(values)]
    if not known.size:
        return [theme.SURFACE] * values.size
    lowest, highest = float(known.min()), float(known.max())
    place = np.full(values.shape, 0.5) if highest == lowest else (values - lowest) / (highest - lowest)
    place = 1 - place if fewest_first else place
    steps = len(theme.SHADES) - 1
    return [theme.SURFACE if np.isnan(value) else theme.SHADES[round(float(value) * steps)] for value in place]


def _outline(polygons: Sequence[Polygon], color: str, text: str) -> dict[str, Any]:
    points = [point for polygon in polygons for ring in polygon for point in (*_sparse(ring), (None, None))]
    return {
        "type": "scatter",
        "mode": "lines",
        "fill": "toself",
        "x": [x for x, _y in points],
        "y": [y for _x, y in points],
        "fillcolor": color,
        "line": {"color": theme.QUIET, "width": 1},
        "hoveron": "fills",
        "text": text,
        "hoverinfo": "text",
    }


def _sparse(ring: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return at most about `_RING_POINTS` points of a ring: more than that no screen shows."""
    step = -(-len(ring) // _RING_POINTS)
    return ring if step == 1 else [*ring[::step], ring[-1]]


def _centre(ring: Sequence[tuple[float, float]]) -> tuple[float, tuple[float, float]]:
    """Return the area of a closed ring and its centre of gravity."""
    x, y = np.asarray(ring, dtype=np.float64).T
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    area = cross.sum() / 2
    if area == 0:
        return 0.0, (float(x.mean()), float(y.mean()))
    centre = [float(((side[:-1] + side[1:]) * cross).sum() / (6 * area)) for side in (x, y)]
    return abs(float(area)), (centre[0], centre[1])


def _map_label(polygons: Sequence[Polygon], text: str, color: str) -> dict[str, Any]:
    x, y = max((_centre(polygon[0]) for polygon in polygons), key=lambda centre: centre[0])[1]
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "font": {"size": 13, "color": theme.SURFACE if color in theme.SHADES[len(theme.SHADES) // 2 :] else theme.INK},
    }


def _whole(count: Any) -> str:
    return "—" if pd.isna(count) else f"{int(count):,}"


def _rounded(values: Floats) -> list[float | None]:
    # Five digits are more than a pixel can show; full floats make the answer to the browser twice as long.
    return [None if np.isnan(value) else float(f"{value:.5g}") for value in values]
