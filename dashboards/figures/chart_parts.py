"""Shared parts of charts: layout, axes, marks, shortened names, rounded numbers."""

from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboards import theme
from dashboards.frames.chart_context import ChartContext
from dashboards.languages import pick, translator

Figure = dict[str, Any]
Floats = npt.NDArray[np.float64]

MOST_POINTS: Final = 420
"""Most dots in similar charts together: more are a blob and a slow page, so the middle is thinned."""
FEWEST_POINTS: Final = 60
"""Fewest dots that each chart has room for, however many charts there are."""

# Longest name beside a chart, in characters: more would leave no room for the chart on a phone.
_LONGEST_LABEL: Final = 16
# Longest line of a label that may go on in a second one.
_LONGEST_LINE: Final = 24
# Up to this count plotly would put ticks at halves.
_FEW: Final = 5


def layout_of(drawing: ChartContext, *, height: int, top: int = 40) -> dict[str, Any]:
    """Return the layout of a chart of results, with a mark inside a preview."""
    layout: dict[str, Any] = {"template": theme.TEMPLATE, "height": height, "margin": {"t": top}, "annotations": []}
    if drawing.provisional:
        # Inside the picture, since pictures are downloaded and passed on without the page around them.
        _ = translator(drawing.language)
        layout["annotations"].append(
            {
                "text": _("Preview, not an official result"),
                "xref": "paper",
                "yref": "paper",
                "x": 0.5,
                "y": 0.5,
                "showarrow": False,
                "font": {"size": 18, "color": theme.CUT_OFF},
                "opacity": 0.3,
            }
        )
    return layout


def vertical_line(x: float, reference: str) -> dict[str, Any]:
    """Return a dashed line over the whole height of `reference`, a domain of plotly such as `paper`."""
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "yref": reference,
        "y0": 0,
        "y1": 1,
        "line": {"color": theme.CUT_OFF, "width": 2, "dash": "dash"},
    }


def horizontal_line(y: float) -> dict[str, Any]:
    """Return a dashed line over the whole width."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": theme.CUT_OFF, "width": 2, "dash": "dash"},
    }


def names_of(rows: pd.DataFrame, language: str) -> list[str]:
    return [pick(language, *pair) for pair in zip(rows["name"], rows["english_name"], strict=True)]


def shortened(name: str) -> str:
    """Return a name cut so that it leaves room for the chart beside it."""
    return name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"


def hover_texts(drawn: pd.DataFrame, drawing: ChartContext) -> list[str]:
    """Return name, rank, score and number of answers or complaints of each community, as its mark tells them."""
    _ = translator(drawing.language)
    route = drawing.route
    place, colon = {True: _("Rank {rank}, tied"), False: _("Rank {rank}")}, _(": ")
    column = drawn["responses"] if route.key == "satisfaction" else drawn["complaints"]
    facts = zip(
        drawn["name"], drawn["english_name"], drawn[route.rank], drawn["tied"], drawn[route.score], column, strict=True
    )
    return [
        # plotly reads tags in hover texts: a name must not be able to bring its own.
        f"<b>{escape(pick(drawing.language, name, english))}</b><br>{place[bool(tied)].format(rank=rank)}"
        f" · {drawing.scale.write(score)}<br>{drawing.scale.counted}{colon}{count_text(count)}"
        for name, english, rank, tied, score, count in facts
    ]


def count_text(count: Any) -> str:
    return "—" if pd.isna(count) else f"{int(count):,}"


def allocate_points(sizes: Sequence[int], most: int = MOST_POINTS) -> list[int]:
    """Return how many of each of several groups can be drawn, `most` in all: small groups whole, others alike."""
    room, left = [0] * len(sizes), most
    for done, place in enumerate(np.argsort(sizes, kind="stable").tolist()):
        room[place] = min(sizes[place], max(FEWEST_POINTS, left // (len(sizes) - done)))
        left = max(0, left - room[place])
    return room


def thinned_evenly(points: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most `most` of the communities, evenly spaced in their order."""
    if len(points) <= most:
        return points
    return points.iloc[np.linspace(0, len(points) - 1, most).astype("int64")]


def rounded(values: Floats) -> list[float | None]:
    # Five digits are more than a pixel can show; full floats make the answer to the browser twice as long.
    return [None if np.isnan(value) else float(f"{value:.5g}") for value in values]


def interval_bars(values: Floats, lower: Floats, upper: Floats, *, color: str, width: int) -> dict[str, Any]:
    """Return the intervals of some values as plotly's error bars; `width` is that of the caps."""
    return {
        "type": "data",
        "symmetric": False,
        "array": rounded(upper - values),
        "arrayminus": rounded(values - lower),
        "color": color,
        "thickness": 1.5,
        "width": width,
    }


def count_axis(title: str, most: float) -> dict[str, Any]:
    """Return an axis of whole numbers up to `most`: there are no half cases."""
    steps: dict[str, Any] = {"dtick": 1} if most < _FEW else {"nticks": 5}
    return {"title": {"text": title}, "rangemode": "tozero", **steps}


def rows_axis() -> dict[str, Any]:
    """Return the axis of a few named rows, the first at the top."""
    return {"autorange": "reversed", "showgrid": False, "tickfont": {"size": 13, "color": theme.INK}}


def named_ticks(places: Sequence[int], names: Sequence[str]) -> dict[str, Any]:
    """Return the axis of many named rows, each name at its place."""
    return {
        "tickmode": "array",
        "tickvals": list(places),
        "ticktext": list(names),
        "showgrid": False,
        "tickfont": {"size": 12, "color": theme.INK},
    }


def stacked_bars(
    labels: Sequence[str],
    lengths: Sequence[float | None],
    texts: Sequence[str],
    *,
    name: str,
    color: str,
    ink: str,
    hover: str,
) -> dict[str, Any]:
    """Return one part of stacked horizontal bars, with a text of the colour `ink` in the middle of each."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": list(labels),
        "x": list(lengths),
        "marker": {"color": color},
        "text": list(texts),
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "textfont": {"color": ink, "size": 13},
        "hovertemplate": f"{hover}<extra></extra>",
    }


def is_one_bar(figure: Figure) -> bool:
    """Return whether a chart is a single bar, which fills it whatever its length.

    Of horizontal bars one alone has a length; upright ones, which may be of several parts, stand at a single place.
    """
    traces = figure["data"]
    if any(trace.get("type") != "bar" for trace in traces):
        return False
    if all(trace.get("orientation") == "h" for trace in traces):
        return sum(bool(length) for trace in traces for length in trace["x"]) == 1
    return len({place for trace in traces for place in trace["x"]}) == 1


def count_bars(labels: Sequence[str], counts: Sequence[int], *, title: str, color: str) -> Figure:
    """Return a horizontal bar chart of a few counts, each written at its bar."""
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": ["<br>".join(map(escape, wrap(label, _LONGEST_LINE))) for label in labels],
        "x": list(counts),
        "text": [f"{count:,}" for count in counts],
        "textposition": "auto",
        "marker": {"color": color},
        "hovertemplate": "%{y}: %{x:,}<extra></extra>",
    }
    layout = {
        "template": theme.TEMPLATE,
        "height": 96 + 34 * len(labels),
        "bargap": 0.3,
        "showlegend": False,
        "margin": {"t": 16},
        "xaxis": count_axis(title, max(counts, default=0)),
        "yaxis": rows_axis(),
    }
    return {"data": [trace], "layout": layout}
