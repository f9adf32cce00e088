"""Funnel plots: dots beside the control limits of what chance allows at each size."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import allocate_points, rounded, thinned_evenly
from dashboards.languages import translator

# Points of a control limit: a smooth line needs no more.
_LINE_POINTS: Final = 80

Mark = tuple[str, str, int]
"""Colour, symbol and size of the dots of one position."""


@dataclass(frozen=True)
class FunnelPlot:
    """How a funnel is drawn.

    `size` and `value` are columns of the table that is drawn, which also has `adjusted_position` and the adjusted lines
    of `analytics.statistics.funnel`; `factor` turns a value into the number that is displayed. Dots above the `roof`
    are drawn at it. `words` are the names of the positions, `texts_of` what dots say when they are pointed at.
    """

    size: str
    value: str
    factor: float
    roof: float
    words: Mapping[str, str]
    marks: Mapping[str, Mark]
    texts_of: Callable[[pd.DataFrame], Sequence[str]]


def funnel_traces(measured: pd.DataFrame, plot: FunnelPlot, language: str, *, most: int) -> list[dict[str, Any]]:
    """Return the control limits and at most `most` dots: those beyond the limits are thinned last."""
    along = measured.sort_values(plot.size).drop_duplicates(plot.size)
    along = along.iloc[np.unique(np.linspace(0, len(along) - 1, min(len(along), _LINE_POINTS)).astype("int64"))]
    traces = [
        _line(along, f"adjusted_{side}_{level}", level, plot, language, is_first=side == "lower")
        for level in ("95", "99_8")
        for side in ("lower", "upper")
    ]
    groups = {
        position: measured[measured["adjusted_position"] == position]
        for position in ("inside", *(position for position in plot.words if position != "inside"))
    }
    for position, room in zip(groups, allocate_points([len(points) for points in groups.values()], most), strict=True):
        points = thinned_evenly(groups[position], room)
        if len(points):
            traces.append(_dots(points, position, plot))
    return traces


def _line(
    along: pd.DataFrame, column: str, level: str, plot: FunnelPlot, language: str, *, is_first: bool
) -> dict[str, Any]:
    _ = translator(language)
    names = {"95": _("95 percent"), "99_8": _("99.8 percent")}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": names[level],
        "legendgroup": level,
        "showlegend": is_first,
        "x": rounded(along[plot.size].to_numpy("float64")),
        "y": rounded(along[column].to_numpy("float64") * plot.factor),
        "line": {"color": theme.OTHER, "width": 1.5, "dash": "dash" if level == "95" else "solid"},
        "hoverinfo": "skip",
    }


def _dots(points: pd.DataFrame, position: str, plot: FunnelPlot) -> dict[str, Any]:
    color, symbol, size = plot.marks[position]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plot.words[position],
        "x": rounded(points[plot.size].to_numpy("float64")),
        "y": rounded((points[plot.value].to_numpy("float64") * plot.factor).clip(max=plot.roof)),
        "text": list(plot.texts_of(points)),
        "marker": {"color": color, "symbol": symbol, "size": size},
        "hovertemplate": "%{text}<extra></extra>",
    }
