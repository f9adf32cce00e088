"""Spine chart of one community: its percentile in each aspect of service, over the middle half of all communities."""

from html import escape
from typing import Any, Final

import numpy as np
import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import Figure, interval_bars, named_ticks, rounded
from dashboards.frames.aspects import Beside
from dashboards.languages import pick, translator

_ROW: Final = 44
_QUARTERS: Final = (0, 25, 50, 75, 100)
# Told by form and by colour, and by the words beside them in the legend and in the numbers.
_MARKS: Final = {
    Beside.ABOVE: ("triangle-up", theme.MET),
    Beside.BELOW: ("triangle-down", theme.CUT_OFF),
    Beside.OPEN: ("circle-open", theme.QUIET),
}


def beside_words(language: str) -> dict[Beside, str]:
    """Return what each place beside the middle is called."""
    _ = translator(language)
    return {
        Beside.ABOVE: _("Clearly above the middle"),
        Beside.BELOW: _("Clearly below the middle"),
        Beside.OPEN: _("Cannot be told apart from the middle"),
    }


def spine_figure(aspects: pd.DataFrame, language: str) -> Figure:
    """Return a chart of a community's percentile in each aspect, with its interval; share and number stand beside it.

    Parameters
    ----------
    aspects : DataFrame
        As `dashboards.frames.aspects.aspects_of_community` returns it.
    """
    _ = translator(language)
    place, words = -np.arange(len(aspects)), beside_words(language)
    traces = []
    for beside, (symbol, color) in _MARKS.items():
        chosen = (aspects["beside"] == beside).to_numpy()
        middle, lower, upper = (
            aspects.loc[chosen, name].to_numpy("float64") for name in ("percentile", "lower", "upper")
        )
        if chosen.any():
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": words[beside],
                    "x": rounded(middle),
                    "y": place[chosen].tolist(),
                    "error_x": interval_bars(middle, lower, upper, color=color, width=0),
                    "marker": {"symbol": symbol, "size": 12, "color": color, "line": {"width": 2, "color": color}},
                    "hovertemplate": "%{x:.1f}<extra></extra>",
                }
            )
    layout = {
        "template": theme.TEMPLATE,
        "height": 130 + _ROW * len(aspects),
        "margin": {"t": 76},
        # What a mark means stands there also where all are alike.
        "showlegend": True,
        "shapes": [_middle_half(), _middle_line()],
        "xaxis": {
            "title": {"text": _("Percentile (shaded: the middle half)")},
            "range": [-2, 102],
            "tickmode": "array",
            "tickvals": list(_QUARTERS),
        },
        "yaxis": named_ticks(place.tolist(), _labels(aspects, language)) | {"range": [float(place.min()) - 0.6, 0.6]},
    }
    return {"data": traces, "layout": layout}


def _middle_half() -> dict[str, Any]:
    shape = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": _QUARTERS[1], "x1": _QUARTERS[3]}
    return {**shape, "fillcolor": theme.INTERVAL, "opacity": 0.45, "line": {"width": 0}, "layer": "below"}


def _middle_line() -> dict[str, Any]:
    line = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": _QUARTERS[2], "x1": _QUARTERS[2]}
    return {**line, "line": {"color": theme.QUIET, "width": 1, "dash": "dot"}}


def _labels(aspects: pd.DataFrame, language: str) -> list[str]:
    """Return the name of each aspect, with the share and the number of answers under it."""
    _ = translator(language)
    labels = []
    for label, english, satisfied, answered in zip(
        *(aspects[name] for name in ("label", "english_label", "satisfied", "answered")), strict=True
    ):
        said = (
            _("not shown")
            if pd.isna(answered)
            else _("{share} of {count} answers").format(share=f"{satisfied / answered:.1%}", count=f"{answered:,.0f}")
        )
        labels.append(f"{escape(pick(language, label, english))}<br>{escape(said)}")
    return labels
