"""Charts of one community: domains beside its region's, scores by round, drivers of satisfaction, complaints."""

from html import escape
from typing import Any, Final

import numpy as np
import pandas as pd

from dashboards import theme
from dashboards.figures.chart_parts import Figure, Floats, count_axis, interval_bars, layout_of, named_ticks, rounded
from dashboards.frames.chart_context import ChartContext
from dashboards.languages import pick, translator

_ROW: Final = 30


def domains_figure(domains: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the share satisfied in each domain, with its interval and the region's share.

    Parameters
    ----------
    domains : DataFrame
        Columns label, english_label, rate, lower, upper (missing where too few answered), region_rate; shares 0 to 1.
    """
    _ = translator(language)
    return _beside_region(domains, _("Satisfied (%)"), language, hover="%{x:.1f}%")


def reported_figure(rates: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the share that says it complained and of the cases on record, here and where it was ranked.

    Parameters
    ----------
    rates : DataFrame
        Columns as those of `domains_figure`, shares of respondents and cases per household and year.
    """
    _ = translator(language)
    return _beside_region(rates, _("Per 100 respondents or households"), language, hover="%{x:.1f}")


def _beside_region(rows: pd.DataFrame, axis: str, language: str, *, hover: str) -> Figure:
    """Return a chart of rates in percent with their intervals, beside those of all that were ranked together."""
    _ = translator(language)
    place = -np.arange(len(rows))
    here, lower, upper = (rows[name].to_numpy("float64") * 100 for name in ("rate", "lower", "upper"))
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("All communities ranked with it"),
            "x": rounded(rows["region_rate"].to_numpy("float64") * 100),
            "y": place.tolist(),
            "marker": {
                "symbol": "line-ns",
                "size": 16,
                "color": theme.CUT_OFF,
                "line": {"width": 2, "color": theme.CUT_OFF},
            },
            "hovertemplate": hover + "<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("This community"),
            "x": rounded(here),
            "y": place.tolist(),
            "error_x": interval_bars(here, lower, upper, color=theme.OTHER, width=0),
            "marker": {"symbol": "diamond", "size": 11, "color": theme.MET},
            "hovertemplate": hover + "<extra></extra>",
        },
    ]
    layout = {
        "template": theme.TEMPLATE,
        "height": 110 + _ROW * len(rows),
        "margin": {"t": 48},
        "xaxis": {"title": {"text": axis}, "nticks": 6},
        "yaxis": _labelled(place, rows, language),
    }
    return {"data": traces, "layout": layout}


def trend_figure(history: pd.DataFrame, fan: Floats, drawing: ChartContext) -> Figure:
    """Return a chart of one community's scores by round over the deciles of all, with intervals and control limits.

    Parameters
    ----------
    history : DataFrame
        One row per round in order of time: round (its name), satisfaction_score, the interval satisfaction_lower to
        satisfaction_upper around its estimate, and lower_limit, upper_limit, centre (missing where there are none), in
        the unit of the score.
    fan : ndarray of float, shape (rounds, 9)
        Deciles of all that were ranked with it, in the unit of the score; missing where they are not known.
    """
    _ = translator(drawing.language)
    factor = drawing.scale.factor
    score, lower, upper, estimate = (
        history[name].to_numpy("float64") * factor
        for name in ("satisfaction_score", "satisfaction_lower", "satisfaction_upper", "estimate")
    )
    rounds = [escape(name) for name in history["round"]]
    traces = _fan_traces(rounds, fan * factor, drawing.language)
    for column, name, dash in (
        ("lower_limit", _("Control limits"), "dash"),
        ("upper_limit", _("Control limits"), "dash"),
        ("centre", _("All rounds together"), "dot"),
    ):
        values = history[column].to_numpy("float64") * factor
        if not np.isnan(values).all():
            traces.append(_level(rounds, values, name, dash, is_named=column != "lower_limit"))
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": _("95 percent interval"),
            "x": rounds,
            "y": rounded(estimate),
            "error_y": interval_bars(estimate, lower, upper, color=theme.OTHER, width=0),
            "marker": {"symbol": "line-ew", "size": 12, "line": {"color": theme.OTHER, "width": 2}},
            "hoverinfo": "skip",
        }
    )
    traces.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": drawing.scale.title,
            "x": rounds,
            "y": rounded(score),
            "marker": {"symbol": "diamond", "size": 10, "color": theme.MET},
            "line": {"color": theme.MET, "width": 2},
            "hovertemplate": "%{x}: %{y:.1f}<extra></extra>",
        }
    )
    layout = layout_of(drawing, height=320, top=56)
    layout["xaxis"] = {"type": "category", "showgrid": False, "range": [-0.5, len(rounds) - 0.5]}
    layout["yaxis"] = {"title": {"text": drawing.scale.axis}, "nticks": 6}
    return {"data": traces, "layout": layout}


def _fan_traces(rounds: list[str], fan: Floats, language: str) -> list[dict[str, Any]]:
    """Return bands between deciles equally far from the median, which overlap to a fan, and the median."""
    _ = translator(language)
    if np.isnan(fan).all():
        return []
    name, middle = _("Deciles of all ranked with it"), fan.shape[1] // 2
    line = {"type": "scatter", "mode": "lines", "x": rounds, "hoverinfo": "skip", "legendgroup": "deciles"}
    traces: list[dict[str, Any]] = []
    for place in range(middle):
        band = {"line": {"width": 0}, "showlegend": False}
        traces.append({**line, **band, "y": rounded(fan[:, place])})
        traces.append({**line, **band, "y": rounded(fan[:, -1 - place]), "fill": "tonexty", "fillcolor": theme.DECILES})
    median = {"color": theme.OTHER, "width": 1.5}
    return [*traces, {**line, "name": name, "y": rounded(fan[:, middle]), "line": median}]


def drivers_figure(drivers: pd.DataFrame, language: str) -> Figure:
    """Return a chart of how strongly each domain is associated with overall satisfaction, the strongest first.

    Parameters
    ----------
    drivers : DataFrame
        Columns label, english_label, weight, lower, upper (of the variance explained, 0 to 1) and above_noise; one row
        at least.
    """
    _ = translator(language)
    place = -np.arange(len(drivers))
    above = drivers["above_noise"].to_numpy(dtype=bool)
    weight, lower, upper = (drivers[name].to_numpy("float64") * 100 for name in ("weight", "lower", "upper"))
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": rounded(weight[chosen]),
            "y": place[chosen].tolist(),
            "error_x": interval_bars(weight[chosen], lower[chosen], upper[chosen], color=theme.INK, width=3),
            "marker": {"color": color, "pattern": {"shape": pattern}},
            "hovertemplate": "%{x:.0f}%<extra></extra>",
        }
        for chosen, name, color, pattern in (
            (above, _("More than chance"), theme.MET, ""),
            (~above, _("Perhaps by chance"), theme.INTERVAL, "/"),
        )
        if chosen.any()
    ]
    layout = {
        "template": theme.TEMPLATE,
        "height": 110 + _ROW * len(drivers),
        "margin": {"t": 48},
        "barmode": "overlay",
        "xaxis": {
            "title": {"text": _("Associated differences in overall satisfaction (%)")},
            "rangemode": "tozero",
            "nticks": 5,
        },
        "yaxis": _labelled(place, drivers, language),
        # One kind alone would go without a legend, and its colour without a meaning.
        "showlegend": True,
    }
    return {"data": traces, "layout": layout}


def categories_figure(cases: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the cases in each category, those that the rate counts and the others.

    Parameters
    ----------
    cases : DataFrame
        Columns label, english_label, counted, other (numbers of cases), the most frequent first.
    """
    _ = translator(language)
    place = (-np.arange(len(cases))).tolist()
    layout = {
        "template": theme.TEMPLATE,
        "height": 110 + _ROW * len(cases),
        "margin": {"t": 48},
        "barmode": "stack",
        "xaxis": count_axis(_("Cases"), (cases["counted"] + cases["other"]).max()),
        "yaxis": _labelled(np.array(place), cases, language),
    }
    traces = [
        {**bar, "orientation": "h", "x": cases[column].tolist(), "y": place, "hovertemplate": "%{x}<extra></extra>"}
        for column, bar in _case_bars(language)
    ]
    return {"data": traces, "layout": layout}


def months_figure(months: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the cases in each month, those that the rate counts and the others.

    Parameters
    ----------
    months : DataFrame
        Columns month ("2026-09"), counted, other: one row for each month, without gaps.
    """
    _ = translator(language)
    layout = {
        "template": theme.TEMPLATE,
        "height": 280,
        "margin": {"t": 48},
        "barmode": "stack",
        "bargap": 0.2,
        "xaxis": {"type": "category", "showgrid": False, "nticks": 5, "tickangle": 0},
        "yaxis": count_axis(_("Cases"), (months["counted"] + months["other"]).max()),
    }
    traces = [
        {
            **bar,
            "x": months["month"].tolist(),
            "y": months[column].tolist(),
            "hovertemplate": "%{x}: %{y}<extra></extra>",
        }
        for column, bar in _case_bars(language)
    ]
    return {"data": traces, "layout": layout}


def _case_bars(language: str) -> list[tuple[str, dict[str, Any]]]:
    _ = translator(language)
    return [
        ("counted", {"type": "bar", "name": _("Counted in the rate"), "marker": {"color": theme.MET}}),
        (
            "other",
            {"type": "bar", "name": _("Not counted"), "marker": {"color": theme.INTERVAL, "pattern": {"shape": "/"}}},
        ),
    ]


def _level(rounds: list[str], values: Any, name: str, dash: str, *, is_named: bool) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "showlegend": is_named,
        "x": rounds,
        "y": rounded(values),
        "line": {"color": theme.QUIET, "width": 1.5, "dash": dash},
        "hoverinfo": "skip",
    }


def _labelled(place: Any, rows: pd.DataFrame, language: str) -> dict[str, Any]:
    labels = [escape(pick(language, *pair)) for pair in zip(rows["label"], rows["english_label"], strict=True)]
    return named_ticks(place.tolist(), labels) | {"range": [float(place.min()) - 0.7, 0.7]}
