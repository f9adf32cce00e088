"""Charts of the decision beside its evidence, and of what other rules would change."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.evidence.bands import Evidence
from analytics.evidence.list_stability import NONRESPONSE_SPREADS
from analytics.reports.html_page import percent
from analytics.reports.labels import evidence_words
from dashboards import theme
from dashboards.figures.chart_parts import (
    Figure,
    count_axis,
    horizontal_line,
    hover_texts,
    interval_bars,
    layout_of,
    named_ticks,
    names_of,
    rounded,
    rows_axis,
    shortened,
    stacked_bars,
    vertical_line,
)
from dashboards.frames.chart_context import ChartContext
from dashboards.frames.standings import CutOff, met
from dashboards.languages import translator

# Percent of the width: a narrower part has no room for a number.
_SHARES: Final = (0, 25, 50, 75, 100)
_NARROWEST_LABEL: Final = 4


def list_evidence_figure(crossed: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the share of listed and of other communities in each evidence band.

    Parameters
    ----------
    crossed : DataFrame
        Numbers of communities: index True (listed) and False, columns the evidence bands, the strongest first.
    """
    _ = translator(language)
    words = evidence_words(language)
    totals = crossed.sum(axis=1)
    shares = crossed.div(totals.where(totals > 0, 1), axis=0) * 100
    names = {True: _("Listed"), False: _("Not listed")}
    rows = [f"{names[bool(listed)]}<br>{total:,}" for listed, total in totals.items()]
    traces = [
        stacked_bars(
            rows,
            rounded(shares[band].to_numpy("float64")),
            [
                f"{count:,}" if share >= _NARROWEST_LABEL else ""
                for count, share in zip(crossed[band], shares[band], strict=True)
            ],
            name=words[str(band)],
            color=theme.EVIDENCE[str(band)][0],
            ink=theme.EVIDENCE[str(band)][1],
            hover=f"{words[str(band)]}: %{{customdata:,}} (%{{x:.0f}}%)",
        )
        | {"customdata": crossed[band].tolist()}
        for band in crossed.columns
    ]
    layout = {
        "template": theme.TEMPLATE,
        "height": 240,
        "barmode": "stack",
        "bargap": 0.3,
        # The last word of the axis is as wide as its half beside it.
        "margin": {"t": 48, "r": 28},
        "xaxis": {"range": [0, 100], "tickvals": list(_SHARES), "ticktext": [f"{share}%" for share in _SHARES]},
        "yaxis": rows_axis(),
    }
    return {"data": traces, "layout": layout}


def standing_figure(standing: Sequence[int], listed: int, language: str) -> Figure:
    """Return a chart of how many listed communities stand under each assumption about nonresponse.

    Parameters
    ----------
    standing : sequence of int
        Their number under each of `analytics.evidence.list_stability.NONRESPONSE_SPREADS`.
    listed : int
        Number of listed communities, the height of the axis.
    """
    _ = translator(language)
    bars = {
        "type": "bar",
        "x": [percent(spread) for spread in NONRESPONSE_SPREADS],
        "y": list(standing),
        "text": [f"{count:,}" for count in standing],
        "textposition": "auto",
        "marker": {"color": theme.EVIDENCE[str(Evidence.LIKELY)][0]},
        "hovertemplate": "%{x}: %{y:,}<extra></extra>",
    }
    layout = {
        "template": theme.TEMPLATE,
        "height": 220,
        "bargap": 0.3,
        "showlegend": False,
        "margin": {"t": 16},
        "xaxis": {"title": {"text": _("Assumed difference of those who did not answer")}, "type": "category"},
        "yaxis": count_axis(_("Communities"), listed) | {"range": [0, max(listed, 1)]},
    }
    return {"data": [bars], "layout": layout}


def around_cut_off_figure(near: pd.DataFrame, cut_off: CutOff, drawing: ChartContext) -> Figure:
    """Return a forest plot of the communities around the cut-off, with intervals and the colours of their evidence.

    Parameters
    ----------
    near : DataFrame
        Communities of one region in order, with `position`, `tied`, `lower`, `upper` and `estimate`, at least one.
    cut_off : CutOff
        With k ≥ 1.
    """
    words = evidence_words(drawing.language)
    rows = near.reset_index(drop=True)
    place = -np.arange(len(rows))
    factor = drawing.scale.factor
    traces = [_interval_rows(rows, place, drawing)]
    said = rows[drawing.route.evidence].astype(object).fillna("")
    for band in (*theme.EVIDENCE, ""):
        here = (said == band).to_numpy()
        if here.any():
            traces.append(_forest(rows[here], place[here], words.get(band, "—"), band, drawing))
    layout = layout_of(drawing, height=120 + 26 * len(rows), top=56)
    layout["xaxis"] = {"title": {"text": drawing.scale.axis}, "nticks": 5}
    layout["yaxis"] = named_ticks(place.tolist(), _around_cut_off_labels(rows, drawing))
    layout["yaxis"]["range"] = [float(place.min()) - 0.7, 0.7]
    inside = int((rows["position"] <= cut_off.k).sum())
    layout["shapes"] = [horizontal_line(0.5 - inside)]
    if cut_off.score is not None:
        layout["shapes"].append(vertical_line(cut_off.score * factor, "paper"))
    return {"data": traces, "layout": layout}


def change_figure(regions: pd.DataFrame, language: str) -> Figure:
    """Return a chart of the communities in each region that would stay, enter or leave under another rule.

    Parameters
    ----------
    regions : DataFrame
        Columns label, stays, enters, leaves: one row per region. Those that leave are drawn to the left of zero.
    """
    _ = translator(language)
    labels = [escape(label) for label in regions["label"]]
    traces = [
        stacked_bars(
            labels,
            [sign * int(count) for count in regions[column]],
            [str(count) if count else "" for count in regions[column]],
            name=name,
            color=color,
            ink=ink,
            hover=f"%{{y}}<br>{name} %{{text}}",
        )
        for column, name, color, ink, sign in (
            ("leaves", _("Leave"), theme.CUT_OFF, theme.SURFACE, -1),
            ("stays", _("Stay"), theme.INTERVAL, theme.INK, 1),
            ("enters", _("Enter"), theme.MET, theme.SURFACE, 1),
        )
    ]
    layout = {
        "template": theme.TEMPLATE,
        "height": 110 + 44 * len(regions),
        "barmode": "relative",
        "bargap": 0.35,
        "xaxis": count_axis(_("Communities"), regions[["stays", "enters", "leaves"]].to_numpy("float64").max(initial=0))
        | {"zeroline": True, "zerolinecolor": theme.QUIET},
        "yaxis": rows_axis(),
    }
    return {"data": traces, "layout": layout}


def _interval_rows(rows: pd.DataFrame, place: npt.NDArray[np.int64], drawing: ChartContext) -> dict[str, Any]:
    """Return the intervals around their estimates, each of which is a stroke: the score can lie beside it."""
    _ = translator(drawing.language)
    factor = drawing.scale.factor
    estimate, lower, upper = (rows[name].to_numpy("float64") * factor for name in ("estimate", "lower", "upper"))
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _("95 percent interval"),
        "x": rounded(estimate),
        "y": place.tolist(),
        "error_x": interval_bars(estimate, lower, upper, color=theme.OTHER, width=0),
        "marker": {"symbol": "line-ns", "size": 11, "line": {"color": theme.OTHER, "width": 2}},
        "hoverinfo": "skip",
    }


def _forest(
    rows: pd.DataFrame, place: npt.NDArray[np.int64], name: str, band: str, drawing: ChartContext
) -> dict[str, Any]:
    """Return the marks of one evidence band at their scores; communities that meet the criterion are diamonds."""
    score = rows[drawing.route.score].to_numpy("float64") * drawing.scale.factor
    color = theme.EVIDENCE[band][0] if band else theme.OTHER
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": rounded(score),
        "y": place.tolist(),
        "text": hover_texts(rows, drawing),
        "marker": {
            "color": color,
            "size": 11,
            "symbol": np.where(met(rows, drawing.route.status), "diamond", "circle").tolist(),
            "line": {"color": theme.INK, "width": 1},
        },
        "hovertemplate": f"%{{text}}<br>{name}<extra></extra>",
    }


def _around_cut_off_labels(rows: pd.DataFrame, drawing: ChartContext) -> list[str]:
    names = map(shortened, names_of(rows, drawing.language))
    return [f"{escape(name)}  {rank}" for name, rank in zip(names, rows[drawing.route.rank], strict=True)]
