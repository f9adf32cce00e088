"""Charts of the open round's progress."""

from html import escape

import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import Figure, count_axis, count_bars, rows_axis, stacked_bars
from dashboards.languages import translator


def progress_figure(regions: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the communities in each region that have enough responses or are still short.

    Parameters
    ----------
    regions : DataFrame
        Columns label, enough, short: one row per region.
    """
    _ = translator(language)
    labels = [escape(label) for label in regions["label"]]
    traces = [
        stacked_bars(
            labels,
            regions[column].tolist(),
            [str(count) if count else "" for count in regions[column]],
            name=name,
            color=color,
            ink=ink,
            hover=f"%{{y}}<br>{name} %{{x}}",
        )
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
        "xaxis": count_axis(_("Communities"), (regions["enough"] + regions["short"]).max()),
        "yaxis": rows_axis(),
    }
    return {"data": traces, "layout": layout}


def daily_figure(daily: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the responses on each day of the open round."""
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
        "yaxis": count_axis(_("Answers a day"), daily["responses"].max()),
    }
    return {"data": [trace], "layout": layout}


def hourly_figure(hourly: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the responses in each hour of the day."""
    _ = translator(language)
    trace = {
        "type": "bar",
        "x": hourly["hour"].tolist(),
        "y": hourly["responses"].tolist(),
        "marker": {"color": theme.MET},
        "hovertemplate": "%{x}:00 · %{y:,}<extra></extra>",
    }
    layout = {
        "template": theme.TEMPLATE,
        "height": 240,
        "bargap": 0.15,
        "showlegend": False,
        "margin": {"t": 16},
        "xaxis": {"title": {"text": _("Hour")}, "dtick": 6, "range": [-0.6, 23.6], "showgrid": False},
        "yaxis": count_axis(_("Answers"), hourly["responses"].max()),
    }
    return {"data": [trace], "layout": layout}


def modes_figure(modes: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the responses in each mode.

    Parameters
    ----------
    modes : DataFrame
        Columns label, responses: one row per mode.
    """
    _ = translator(language)
    return count_bars(modes["label"].tolist(), modes["responses"].tolist(), title=_("Answers"), color=theme.MET)
