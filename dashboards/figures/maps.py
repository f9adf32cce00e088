"""Choropleth map of districts as filled polygons."""

from collections.abc import Collection, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import Figure, Floats, layout_of
from dashboards.frames.chart_context import ChartContext
from dashboards.languages import translator
from dashboards.source import Polygon

# Most points of one outline.
_RING_POINTS: Final = 400


# Shares of a district's communities among the best quarter, from which each darker colour begins.
_SHARES: Final = (0.1, 0.2, 0.3, 0.4)


def map_figure(
    regions: pd.DataFrame,
    boundaries: Mapping[str, Sequence[Polygon]],
    drawing: ChartContext,
    *,
    is_by_percentile: bool = False,
) -> Figure:
    """Return a choropleth map of the districts, the better the darker; where nobody is ranked they are hollow.

    Parameters
    ----------
    regions : DataFrame
        Columns region, label, middle and share (missing where nobody is ranked): one row per district shown.
    boundaries : mapping
        Polygons of longitudes and latitudes by district.
    is_by_percentile : bool
        Whether the share of communities among the best quarter is drawn, in classes that the legend names, instead of
        the median score.
    """
    shown = {row["region"]: row for row in regions.to_dict("records")}
    shades = (
        _classes(regions["share"].to_numpy("float64"))
        if is_by_percentile
        else _shades(regions["middle"].to_numpy("float64"), fewest_first=drawing.route.fewest_first)
    )
    colors = dict(zip(regions["region"], shades, strict=True))
    traces, notes = [], []
    for district, polygons in boundaries.items():
        row = shown.get(district)
        written = _value(row, drawing, is_by_percentile=is_by_percentile) if row else ""
        label = escape(row["label"]) if row else ""
        traces.append(_outline(polygons, colors.get(district, theme.SURFACE), f"{label}<br>{written}"))
        if row:
            notes.append(_map_label(polygons, f"<b>{label}</b><br>{written}", colors[district]))
    latitudes = [latitude for polygons in boundaries.values() for ring in polygons for _x, latitude in ring[0]]
    layout = layout_of(drawing, height=440, top=64) | {"showlegend": True}
    classes = (
        _share_classes(drawing.language)
        if is_by_percentile
        else _score_classes(regions["middle"].to_numpy("float64"), drawing)
    )
    traces += _legend(classes, colors.values(), drawing.language)
    layout["annotations"] += notes
    layout["xaxis"] = {"visible": False}
    # A degree of longitude is shorter than one of latitude, the more so the farther from the equator.
    stretch = 1 / np.cos(np.radians(np.mean(latitudes)))
    layout["yaxis"] = {"visible": False, "scaleanchor": "x", "scaleratio": float(stretch)}
    return {"data": traces, "layout": layout}


def _value(row: Mapping[Any, Any], drawing: ChartContext, *, is_by_percentile: bool) -> str:
    if not is_by_percentile:
        return drawing.scale.write(row["middle"])
    return "—" if np.isnan(row["share"]) else f"{row['share']:.0%}"


def _classes(shares: Floats) -> list[str]:
    """Return the colour of the class of each share; white where there is none."""
    places = np.searchsorted(_SHARES, shares, side="right").tolist()
    known = (~np.isnan(shares)).tolist()
    return [theme.SHADES[place] if is_known else theme.SURFACE for place, is_known in zip(places, known, strict=True)]


def _share_classes(language: str) -> list[tuple[str, str]]:
    """Return the colour of every class of shares with its name."""
    _ = translator(language)
    edges = [f"{share:.0%}" for share in _SHARES]
    names = [
        _("below {share}").format(share=edges[0]),
        *(_class_name(lower, upper, language) for lower, upper in pairwise(edges)),
        _("{share} and more").format(share=edges[-1]),
    ]
    return list(zip(theme.SHADES, names, strict=True))


def _class_name(lower: str, upper: str, language: str) -> str:
    """Return the name of a class that its upper end does not belong to."""
    _ = translator(language)
    return _("{lower} to below {upper}").format(lower=lower, upper=upper)


def _score_classes(values: Floats, drawing: ChartContext) -> list[tuple[str, str]]:
    """Return the colour of every class of median scores with the scores that it stands for, the best first."""
    known = values[~np.isnan(values)]
    if not known.size or known.min() == known.max():
        return []
    edges = [drawing.scale.write(edge) for edge in (known.min(), *_edges(known).tolist(), known.max())]
    names = [
        *(_class_name(lower, upper, drawing.language) for lower, upper in pairwise(edges[:-1])),
        "–".join(edges[-2:]),
    ]
    shades = _shades_upwards(fewest_first=drawing.route.fewest_first)
    best_first = -1 if not drawing.route.fewest_first else 1
    return list(zip(shades, names, strict=True))[::best_first]


def _legend(classes: Sequence[tuple[str, str]], colors: Collection[str], language: str) -> list[dict[str, Any]]:
    """Return the entries of the legend: every class, and where nobody is ranked if that is drawn."""
    _ = translator(language)
    entries = [*classes, *([(theme.SURFACE, _("nobody ranked"))] if theme.SURFACE in colors else [])]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            # A legend lists what is drawn: a point that is nowhere.
            "x": [None],
            "y": [None],
            "marker": {
                "symbol": "square",
                "size": 14,
                "color": color,
                "line": {"color": theme.QUIET, "width": 1},
            },
            "hoverinfo": "skip",
        }
        for color, name in entries
    ]


def _shades(values: Floats, *, fewest_first: bool) -> list[str]:
    """Return a colour for each value, the darkest for the best; white where there is none."""
    known = values[~np.isnan(values)]
    if not known.size:
        return [theme.SURFACE] * values.size
    middle = len(theme.SHADES) // 2
    # One value alone is neither high nor low.
    is_one = known.min() == known.max()
    places = [middle] * values.size if is_one else np.searchsorted(_edges(known), values, side="right").tolist()
    shades = _shades_upwards(fewest_first=fewest_first)
    return [
        theme.SURFACE if np.isnan(value) else shades[place]
        for value, place in zip(values.tolist(), places, strict=True)
    ]


def _shades_upwards(*, fewest_first: bool) -> Sequence[str]:
    """Return the colours from the class of the lowest values to that of the highest."""
    return theme.SHADES[::-1] if fewest_first else theme.SHADES


def _edges(known: Floats) -> Floats:
    """Return where one class of values ends and the next begins: a colour is that of the nearest of equal steps."""
    steps = len(theme.SHADES) - 1
    inner: Floats = known.min() + (np.arange(steps) + 0.5) / steps * (known.max() - known.min())
    return inner


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
        "showlegend": False,
    }


def _sparse(ring: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return at most about `_RING_POINTS` points of a ring: no screen shows more."""
    step = -(-len(ring) // _RING_POINTS)
    return ring if step == 1 else [*ring[::step], ring[-1]]


def _centre(ring: Sequence[tuple[float, float]]) -> tuple[float, tuple[float, float]]:
    """Return the area and the centroid of a closed ring."""
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
        "font": {"size": 13, "color": theme.SURFACE if color in theme.DARK_SHADES else theme.INK},
    }
