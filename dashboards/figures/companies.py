"""Charts of property companies: funnels of the satisfied among their communities' answers, and of answers in time."""

from html import escape
from typing import Any, Final

import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import MOST_POINTS, Figure, horizontal_line, layout_of
from dashboards.figures.funnels import FunnelPlot, funnel_traces
from dashboards.frames.chart_context import ChartContext
from dashboards.labels import satisfaction_positions
from dashboards.languages import pick, translator

_PERCENT: Final = 100
_HEIGHT: Final = 420
_TOP: Final = 64
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
    layout = layout_of(drawing, height=_HEIGHT, top=_TOP) | _axes(drawing.scale.counted, drawing.scale.axis)
    return _share_funnel(measured, target, _plot("responses", "satisfied", drawing.language), layout, drawing.language)


def casework_funnel_figure(measured: pd.DataFrame, target: float, language: str) -> Figure:
    """Return the funnel plot of companies: share of answers in time against their number, with control limits.

    Parameters
    ----------
    measured : DataFrame
        Columns company, company_english, of, some, proportion, adjusted_position and the adjusted lines of
        `analytics.statistics.funnel`: one row per company.
    target : float
        The share of all of them together, in the middle.
    """
    _ = translator(language)
    layout = {"template": theme.TEMPLATE, "height": _HEIGHT, "margin": {"t": _TOP}}
    layout |= _axes(_("Answers that came due"), _("Answered in time (%)"))
    return _share_funnel(measured, target, _plot("of", "some", language), layout, language)


def _axes(counted: str, share: str) -> dict[str, Any]:
    return {
        "xaxis": {"title": {"text": counted}, "rangemode": "tozero", "nticks": 6},
        "yaxis": {"title": {"text": share}, "nticks": 6},
    }


def _plot(of: str, some: str, language: str) -> FunnelPlot:
    """Return how a funnel is drawn whose table has the columns `of` and `some`: how many, and how many of them."""

    def texts_of(points: pd.DataFrame) -> list[str]:
        said = ("company", "company_english", some, of, "proportion")
        return [
            f"<b>{escape(pick(language, name, english))}</b><br>{count:,} / {whole:,} · {share:.1%}"
            for name, english, count, whole, share in zip(*(points[each] for each in said), strict=True)
        ]

    return FunnelPlot(of, "proportion", _PERCENT, _PERCENT, satisfaction_positions(language), _MARKS, texts_of)


def _share_funnel(
    measured: pd.DataFrame, target: float, plot: FunnelPlot, layout: dict[str, Any], language: str
) -> Figure:
    drawn = measured[["proportion", "adjusted_lower_99_8", "adjusted_upper_99_8"]].to_numpy("float64") * _PERCENT
    margin = max(2.0, float(drawn.max() - drawn.min()) / 20)
    layout["yaxis"]["range"] = [max(-1.0, float(drawn.min()) - margin), min(101.0, float(drawn.max()) + margin)]
    layout["shapes"] = [
        {**horizontal_line(target * _PERCENT), "line": {"color": theme.QUIET, "width": 1, "dash": "dot"}}
    ]
    return {"data": funnel_traces(measured, plot, language, most=MOST_POINTS), "layout": layout}
