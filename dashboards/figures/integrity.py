"""Kinds of signs, and how many communities each points at."""

from html import escape

import pandas as pd

from dashboards import theme
from dashboards.figures.drawing import Figure
from dashboards.languages import translator


def families_figure(families: pd.DataFrame, language: str) -> Figure:
    """Return how many communities each kind of sign flags.

    Parameters
    ----------
    families : DataFrame
        Columns label, judged, flagged: one row per kind.
    """
    _ = translator(language)
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [escape(label) for label in families["label"]],
        "x": families["flagged"].tolist(),
        "text": [f"{flagged:,}" for flagged in families["flagged"]],
        "textposition": "auto",
        "marker": {"color": theme.CUT_OFF},
        "hovertemplate": "%{y}: %{x}<extra></extra>",
    }
    layout = {
        "template": theme.TEMPLATE,
        "height": 96 + 34 * len(families),
        "margin": {"t": 16},
        "showlegend": False,
        "xaxis": {"title": {"text": _("Communities flagged")}, "rangemode": "tozero", "nticks": 5},
        "yaxis": {"autorange": "reversed", "showgrid": False, "tickfont": {"size": 13, "color": theme.INK}},
    }
    return {"data": [trace], "layout": layout}
