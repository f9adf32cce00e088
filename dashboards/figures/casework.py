"""Charts of casework: shares in time by month, the wait for an answer, open cases by age, flow in and out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import Figure, count_axis, rounded, rows_axis, stacked_bars
from dashboards.languages import translator

_PERCENT = 100


def in_time_figure(months: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the shares acknowledged and answered in time, month by month.

    Parameters
    ----------
    months : DataFrame
        As `dashboards.frames.casework.CaseworkData.by_month` returns it, at least one row.
    """
    _ = translator(language)
    names = {
        "acknowledged": (_("Acknowledged in time"), theme.OTHER, "circle"),
        "answered": (_("Answered in time"), theme.MET, "diamond"),
    }
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": months.index.tolist(),
            "y": rounded(months[f"{key}_share"].to_numpy("float64") * _PERCENT),
            "line": {"color": color, "width": 2},
            "marker": {"color": color, "symbol": symbol, "size": 8},
            "hovertemplate": f"%{{x}}<br>{name} %{{y:.1f}}%<extra></extra>",
        }
        for key, (name, color, symbol) in names.items()
    ]
    lowest = np.nanmin([months[f"{key}_share"].min() for key in names])
    layout = {
        "template": theme.TEMPLATE,
        "height": 320,
        "xaxis": {"type": "category", "showgrid": False, "nticks": 6},
        "yaxis": {
            "title": {"text": _("In time (%)")},
            "range": [max(-2.0, float(lowest) * _PERCENT - 5), 102],
            "nticks": 5,
        },
    }
    return {"data": traces, "layout": layout}


def waiting_figure(curve: pd.DataFrame, language: str) -> Figure:
    """Return the curve of the share answered within so many working days, with its limits.

    Parameters
    ----------
    curve : DataFrame
        As `analytics.casework.waiting_times.WaitingTimes.curve`, at least one row.
    """
    _ = translator(language)
    days = [0.0, *curve["days"].tolist()]

    def steps(name: str) -> list[float | None]:
        return rounded(np.concatenate([[0.0], curve[name].to_numpy("float64")]) * _PERCENT)

    edge: dict[str, Any] = {"width": 0, "shape": "hv"}
    band = {"type": "scatter", "mode": "lines", "x": days, "line": edge, "hoverinfo": "skip"}
    traces = [
        {**band, "y": steps("lower"), "showlegend": False},
        {
            **band,
            "y": steps("upper"),
            "name": _("Possible by chance alone"),
            "fill": "tonexty",
            "fillcolor": theme.INTERVAL,
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": _("Answered"),
            "x": days,
            "y": steps("answered"),
            "line": {"color": theme.MET, "width": 2, "shape": "hv"},
            "hovertemplate": _("by working day {day}").format(day="%{x}") + " %{y:.1f}%<extra></extra>",
        },
    ]
    layout = {
        "template": theme.TEMPLATE,
        "height": 320,
        "margin": {"t": 48},
        "xaxis": {"title": {"text": _("Working days since the case was filed")}, "rangemode": "tozero", "nticks": 6},
        "yaxis": {"title": {"text": _("Answered (%)")}, "range": [0, 102], "nticks": 5},
    }
    return {"data": traces, "layout": layout}


def ages_figure(ages: pd.DataFrame, labels: Sequence[str], language: str) -> Figure:
    """Return a chart of the open cases by age, and by who is to act.

    Parameters
    ----------
    ages : DataFrame
        As `analytics.casework.flow.open_by_age` returns it.
    labels : sequence of str
        What each class of age is called.
    """
    _ = translator(language)
    who = {
        "office": (_("The office or the company"), theme.SHORT, theme.INK),
        "resident": (_("The resident"), theme.OTHER, theme.SURFACE),
    }
    traces = [
        stacked_bars(
            labels,
            ages[key].tolist(),
            [str(count) if count else "" for count in ages[key]],
            name=name,
            color=color,
            ink=ink,
            hover=f"%{{y}}<br>{name} %{{x:,}}",
        )
        for key, (name, color, ink) in who.items()
    ]
    layout = {
        "template": theme.TEMPLATE,
        "height": 110 + 38 * len(labels),
        "barmode": "stack",
        "bargap": 0.35,
        "xaxis": count_axis(_("Open cases"), (ages["office"] + ages["resident"]).max()),
        "yaxis": rows_axis(),
    }
    return {"data": traces, "layout": layout}


def flow_figure(flow: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the cases that came in and ended each month, and of those open at its end.

    Parameters
    ----------
    flow : DataFrame
        As `analytics.casework.flow.monthly_flow` returns it.
    """
    _ = translator(language)
    months = flow.index.tolist()
    bars = {
        _("Came in"): (flow["filed"] + flow["reopened"], theme.SHORT),
        _("Ended"): (flow["ended"], theme.MET),
    }
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": name,
            "x": months,
            "y": counts.tolist(),
            "marker": {"color": color},
            "hovertemplate": f"%{{x}}<br>{name} %{{y:,}}<extra></extra>",
        }
        for name, (counts, color) in bars.items()
    ]
    name = _("Open at the end")
    traces.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": months,
            "y": flow["open"].tolist(),
            "line": {"color": theme.INK, "width": 1.5, "dash": "dot"},
            "marker": {"color": theme.INK, "size": 6},
            "hovertemplate": f"%{{x}}<br>{name} %{{y:,}}<extra></extra>",
        }
    )
    layout = {
        "template": theme.TEMPLATE,
        "height": 340,
        "barmode": "group",
        "bargap": 0.25,
        "xaxis": {"type": "category", "showgrid": False, "nticks": 6},
        "yaxis": count_axis(_("Cases"), max(flow["open"].max(), flow["filed"].max())),
    }
    return {"data": traces, "layout": layout}
