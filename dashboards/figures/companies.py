"""Charts of property companies: a funnel of the satisfied among their communities' answers."""

from html import escape
from typing import Final

import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import MOST_POINTS, Figure, horizontal_line, layout_of
from dashboards.figures.funnels import FunnelPlot, funnel_traces
from dashboards.frames.chart_context import ChartContext
from dashboards.labels import satisfaction_positions
from dashboards.languages import pick, translator

_PERCENT: Final = 100
# More satisfied in blue and pointing up, fewer in vermilion and pointing down.
_MARKS: Final = {
    "inside": (theme.OTHER, "circle", 7),
    "above_95": (theme.EVIDENCE["likely"][0], "triangle-up", 10),
    "above_99_8": (theme.MET, "triangle-up", 12),
    "below_95": (theme.SHORT, "triangle-down", 10),
    "below_99_8": (theme.CUT_OFF, "triangle-down", 12),
}


def company_funnel_figure(measured: pd.DataFrame, target: float, drawing: ChartContext) -> Figure:
    """Return the funnel plot of companies: share of satisfied answers against their number, with control limits.

    Parameters
    ----------
    measured : DataFrame
        Columns company, company_english, responses, satisfied, proportion, adjusted_position and the adjusted lines of
        `analytics.statistics.funnel`: one row per company.
    target : float
        The share of all of them together, in the middle.
    """
    language = drawing.language
    _ = translator(language)

    def texts_of(points: pd.DataFrame) -> list[str]:
        columns = ("company", "company_english", "satisfied", "responses", "proportion")
        return [
            f"<b>{escape(pick(language, name, english))}</b><br>{satisfied:,} / {responses:,} · {share:.1%}"
            for name, english, satisfied, responses, share in zip(*(points[each] for each in columns), strict=True)
        ]

    plot = FunnelPlot("responses", "proportion", _PERCENT, _PERCENT, satisfaction_positions(language), _MARKS, texts_of)
    layout = layout_of(drawing, height=420, top=64)
    layout["xaxis"] = {"title": {"text": drawing.scale.counted}, "rangemode": "tozero", "nticks": 6}
    drawn = measured[["proportion", "adjusted_lower_99_8", "adjusted_upper_99_8"]].to_numpy("float64") * _PERCENT
    margin = max(2.0, float(drawn.max() - drawn.min()) / 20)
    layout["yaxis"] = {
        "title": {"text": drawing.scale.axis},
        "range": [max(-1.0, float(drawn.min()) - margin), min(101.0, float(drawn.max()) + margin)],
        "nticks": 6,
    }
    layout["shapes"] = [
        {**horizontal_line(target * _PERCENT), "line": {"color": theme.QUIET, "width": 1, "dash": "dot"}}
    ]
    return {"data": funnel_traces(measured, plot, language, most=MOST_POINTS), "layout": layout}
