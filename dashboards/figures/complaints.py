"""Charts of complaint rates: funnel plot with control limits, and upper bounds where there is no complaint."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.reports.labels import channel_words, sentence_case
from dashboards import theme
from dashboards.figures.chart_parts import (
    MOST_POINTS,
    Figure,
    Floats,
    horizontal_line,
    interval_bars,
    layout_of,
    named_ticks,
    names_of,
    rounded,
    shortened,
)
from dashboards.figures.funnels import FunnelPlot, funnel_traces
from dashboards.frames.chart_context import ChartContext
from dashboards.labels import funnel_positions
from dashboards.languages import translator

# Most communities that may lie above the part of a funnel that is drawn to scale.
_MOST_ABOVE: Final = 5
# Colour, symbol and size: fewer complaints in blue and pointing down, more in vermilion and pointing up.
_MARKS: Final = {
    "inside": (theme.OTHER, "circle", 5),
    "below_95": (theme.EVIDENCE["likely"][0], "triangle-down", 9),
    "below_99_8": (theme.MET, "triangle-down", 11),
    "above_95": (theme.SHORT, "triangle-up", 9),
    "above_99_8": (theme.CUT_OFF, "triangle-up", 11),
}


def funnel_figure(measured: pd.DataFrame, target: float, drawing: ChartContext, *, most: int = MOST_POINTS) -> Figure:
    """Return the funnel plot of one region: complaint rates against household-years, with control limits.

    Parameters
    ----------
    measured : DataFrame
        Standings of one region with `rate`, `adjusted_position` and the adjusted lines of
        `analytics.statistics.funnel`.
    target : float
        The pooled rate in the middle.
    most : int
        Most dots: beyond the limits the smaller groups are drawn whole, larger ones are thinned.
    """
    roof = _roof(measured, target)
    counted = translator(drawing.language)("Valid complaints: {count}")

    def texts_of(points: pd.DataFrame) -> list[str]:
        return [
            f"<b>{escape(called)}</b><br>{counted.format(count=int(count))} · {drawing.scale.write(rate)}"
            for called, count, rate in zip(
                names_of(points, drawing.language), points["complaints"], points["rate"], strict=True
            )
        ]

    words = funnel_positions(drawing.language)
    plot = FunnelPlot("exposure_household_years", "rate", 1, roof, words, _MARKS, texts_of)
    traces = funnel_traces(measured, plot, drawing.language, most=most)
    layout = layout_of(drawing, height=360, top=64)
    layout["xaxis"] = {
        "title": {"text": translator(drawing.language)("Household-years")},
        "rangemode": "tozero",
        "nticks": 5,
    }
    # The axis begins a little below zero, where many dots lie, and ends above the highest.
    layout["yaxis"] = {"title": {"text": drawing.scale.axis}, "range": [-roof / 40, roof * 1.1], "nticks": 6}
    layout["annotations"] += _above(measured, roof, drawing)
    layout["shapes"] = [
        {**horizontal_line(target), "line": {"color": theme.QUIET, "width": 1, "dash": "dot"}},
    ]
    return {"data": traces, "layout": layout}


def bounds_figure(zero: pd.DataFrame, drawing: ChartContext) -> Figure:
    """Return a chart of the upper bounds of the true rate in communities without a complaint.

    Parameters
    ----------
    zero : DataFrame
        Communities without a complaint in the order of their upper bounds, at least one.
    """
    _ = translator(drawing.language)
    return _rate_bars(
        zero[drawing.route.upper].to_numpy("float64") * drawing.scale.factor,
        [escape(shortened(name)) for name in names_of(zero, drawing.language)],
        drawing,
        row_height=26,
        text=[drawing.scale.write(bound) for bound in zero[drawing.route.upper]],
        textposition="auto",
        textfont={"size": 12, "color": theme.INK},
        hovertemplate=_("Upper bound") + " %{x}<extra></extra>",
    )


def _roof(measured: pd.DataFrame, target: float) -> float:
    """Return the highest rate that is drawn to scale.

    One outlier would flatten all others at the bottom; at most a few lie above this limit.
    """
    rates = np.sort(measured["rate"].to_numpy("float64"))
    if len(rates) <= _MOST_ABOVE:
        return max(float(rates[-1]), target)
    crowd = max(float(rates[-1 - _MOST_ABOVE]), float(measured["adjusted_upper_99_8"].median()), target)
    return min(1.25 * crowd, max(float(rates[-1]), crowd))


def _above(measured: pd.DataFrame, roof: float, drawing: ChartContext) -> list[dict[str, Any]]:
    """Return the dots of communities beyond the scale, drawn at its upper end."""
    rates = measured["rate"][measured["rate"] > roof].sort_values(ascending=False)
    if rates.empty:
        return []
    _ = translator(drawing.language)
    return [
        {
            "xref": "paper",
            "x": 1,
            "y": roof,
            "text": _("↑ beyond the chart: {rates}").format(
                rates=" · ".join(drawing.scale.write(rate) for rate in rates)
            ),
            "showarrow": False,
            "xanchor": "right",
            "yanchor": "bottom",
            "font": {"size": 12, "color": theme.CUT_OFF},
        }
    ]


def channels_figure(rates: pd.DataFrame, drawing: ChartContext) -> Figure:
    """Return a chart of the complaint rate of each channel with its interval.

    Parameters
    ----------
    rates : DataFrame
        Columns channel, rate_per_1000_households, lower, upper, from the top to the bottom.
    """
    words = channel_words(drawing.language)
    columns = ("rate_per_1000_households", "lower", "upper")
    rate, lower, upper = (rates[name].to_numpy("float64") * drawing.scale.factor for name in columns)
    return _rate_bars(
        rate,
        [sentence_case(words[channel]) for channel in rates["channel"]],
        drawing,
        row_height=34,
        error_x=interval_bars(rate, lower, upper, color=theme.INK, width=3),
        hovertemplate="%{x}<extra></extra>",
    )


def _rate_bars(rates: Floats, names: Sequence[str], drawing: ChartContext, *, row_height: int, **marks: Any) -> Figure:
    """Return a chart of one horizontal bar for each rate, as displayed; `marks` are further properties of the bars."""
    places = (-np.arange(len(names))).tolist()
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": rounded(rates),
        "y": places,
        "marker": {"color": theme.EVIDENCE["likely"][0]},
        **marks,
    }
    layout = layout_of(drawing, height=72 + row_height * len(names), top=16)
    layout["xaxis"] = {"title": {"text": drawing.scale.axis}, "rangemode": "tozero", "nticks": 5}
    layout["yaxis"] = named_ticks(places, names)
    layout["showlegend"] = False
    return {"data": [trace], "layout": layout}
