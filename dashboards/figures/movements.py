"""Figure of who moved: percentiles of one round and of the next, joined by a line."""

from html import escape
from typing import Any

import numpy as np
import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import Figure, Floats, named_ticks, names_of, rounded, shortened
from dashboards.languages import translator


def movements_figure(moved: pd.DataFrame, before: str, now: str, language: str) -> Figure:
    """Return a chart of percentiles before and now, one community below the other.

    Parameters
    ----------
    moved : DataFrame
        Columns name, english_name, percentile and percentile_before, shares in (0, 1), and is_clear: whether more than
        chance explains the change. At least one row.
    before, now : str
        Names of the rounds.
    """
    _ = translator(language)
    place = -np.arange(len(moved))
    names = [escape(shortened(name)) for name in names_of(moved, language)]
    start, end = (moved[name].to_numpy("float64") * 100 for name in ("percentile_before", "percentile"))
    clear = moved["is_clear"].to_numpy(bool)
    traces = [
        _lines(start, end, place),
        _marks(start, place, escape(before), {"symbol": "circle-open", "color": theme.QUIET}),
    ]
    for shown, name, color in ((clear, _("more than chance"), theme.MET), (~clear, _("within chance"), theme.OTHER)):
        if shown.any():
            marker = {"symbol": "diamond" if color == theme.MET else "circle", "color": color}
            traces.append(_marks(end[shown], place[shown], f"{escape(now)}: {name}", marker))
    layout = {
        "template": theme.TEMPLATE,
        "height": 120 + 26 * len(moved),
        "margin": {"t": 56},
        "xaxis": {"title": {"text": _("Percentile")}, "range": [-3, 103], "tickvals": [0, 25, 50, 75, 100]},
        "yaxis": named_ticks(place.tolist(), names) | {"range": [float(place.min()) - 0.7, 0.7]},
    }
    return {"data": traces, "layout": layout}


def _lines(start: Floats, end: Floats, place: Any) -> dict[str, Any]:
    """Return the lines between both percentiles as one trace with gaps."""
    gaps = np.full(len(start), np.nan)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": rounded(np.column_stack([start, end, gaps]).ravel()),
        "y": [None if gap else int(row) for row in place for gap in (False, False, True)],
        "line": {"color": theme.INTERVAL, "width": 3},
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _marks(values: Floats, place: Any, name: str, marker: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": rounded(values),
        "y": place.tolist(),
        "marker": {"size": 11, **marker},
        "hovertemplate": f"%{{x:.1f}}<br>{name}<extra></extra>",
    }
