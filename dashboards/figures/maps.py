"""Choropleth map of districts as filled polygons."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import numpy as np
import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import Figure, Floats, layout_of
from dashboards.frames.chart_context import ChartContext
from dashboards.source import Polygon

# Most points of one outline.
_RING_POINTS: Final = 400


def map_figure(regions: pd.DataFrame, boundaries: Mapping[str, Sequence[Polygon]], drawing: ChartContext) -> Figure:
    """Return a choropleth map of the districts, the better the median score the darker; others are outlines.

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
    layout = layout_of(drawing, height=380, top=8) | {"showlegend": False}
    layout["annotations"] += notes
    layout["xaxis"] = {"visible": False}
    # A degree of longitude is shorter than one of latitude, the more so the farther from the equator.
    stretch = 1 / np.cos(np.radians(np.mean(latitudes)))
    layout["yaxis"] = {"visible": False, "scaleanchor": "x", "scaleratio": float(stretch)}
    return {"data": traces, "layout": layout}


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
        "font": {"size": 13, "color": theme.SURFACE if color in theme.SHADES[len(theme.SHADES) // 2 :] else theme.INK},
    }
