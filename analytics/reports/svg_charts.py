"""Charts as reproducible SVG text: equal numbers give equal bytes, without scripts, font files or network.

Words stay text in the reader's own font, so that Chinese needs no font file and names can be searched.
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analytics.reports.chart_words import Labels
from analytics.statistics.funnel import widened_rate_limits
from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray

MOST_DRAWN: Final = 500
"""Most points in one chart; with more communities every second, third … is drawn."""

INNER_LEVEL: Final = 0.95
OUTER_LEVEL: Final = 0.998
"""Level of the outer lines of `funnel_chart`; `INNER_LEVEL` is that of the dashed ones."""

LISTED_COLOUR: Final = "#0b6e4f"
OTHERS_COLOUR: Final = "#5a6b7f"
CUT_OFF: Final = "#b3261e"
_FAINT: Final = "#d5dbe3"

_DASHED: Final = (0, (4, 2))
_SOLID: Final = "-"

_SVG: Final = "http://www.w3.org/2000/svg"
_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_FONTS: Final = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
_WIDTH: Final = 420
_POINTS_PER_INCH: Final = 72
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "jiayuan",
    "font.size": 11,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#5a6b7f",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "text.parse_math": False,
    "xtick.color": "#3a4656",
    "ytick.color": "#3a4656",
}


@dataclass(frozen=True)
class ScoreIntervals:
    """Scores with their intervals, in the order of the ranks.

    Attributes
    ----------
    scores, estimates, lower, upper : ndarray of float
        Score, and the interval around an estimate, which has a stroke where it is another than the score; NaN limits
        draw no interval.
    listed : ndarray of bool
        Which of them meet the criterion, or are marked for another reason: drawn in green.
    """

    scores: FloatArray
    estimates: FloatArray
    lower: FloatArray
    upper: FloatArray
    listed: BooleanArray


def thinning_step(count: int) -> int:
    """Return the least n for which every n-th of `count` points is at most `MOST_DRAWN` points.

    Examples
    --------
    >>> thinning_step(500), thinning_step(501), thinning_step(300_000)
    (1, 2, 600)
    """
    return max(1, -(-count // MOST_DRAWN))


def caterpillar_chart(
    names: Sequence[str], intervals: ScoreIntervals, *, cut_off: float | None, labels: Labels, name: str
) -> str:
    """Draw a caterpillar plot: communities one below the other, the best on top, each with its interval.

    Parameters
    ----------
    names : sequence of str
        Names in the order of the ranks.
    intervals : ScoreIntervals
    cut_off : float or None
        Score at the last position.
    labels : Labels
    name : str
        Unique on its page, for the ids within the drawing.

    Returns
    -------
    str
        One SVG element.
    """
    with _row_axes([_shortened(text) for text in names], left=132, labels=labels) as (figure, axes, places):
        _draw_intervals(axes, places, intervals, upright=False)
        _draw_cut_off(axes, cut_off, upright=True)
    return _svg(figure, labels, name)


def scores_chart(
    ranks: FloatArray, intervals: ScoreIntervals, *, cut_off: float | None, labels: Labels, name: str
) -> str:
    """Draw every community as a point by rank with its interval, thinned; parameters as in `caterpillar_chart`."""
    step = thinning_step(ranks.size)
    thinned = ScoreIntervals(**{part: values[::step] for part, values in vars(intervals).items()})
    with _axes(280, left=46, labels=labels) as (figure, axes):
        _draw_intervals(axes, ranks[::step], thinned, upright=True)
        _draw_cut_off(axes, cut_off, upright=False)
    return _svg(figure, labels, name)


def histogram_bins(scores: FloatArray) -> tuple[IntegerArray, FloatArray]:
    """Return the bars of `histogram_chart`: between 5 and 24 of equal width, more for more scores.

    Parameters
    ----------
    scores : ndarray of float, shape (n,)
        At least one score, none missing.

    Returns
    -------
    counts : ndarray of int, shape (m,)
        Scores in each bar; one on an edge is in the bar that begins there, the highest in the last.
    edges : ndarray of float, shape (m + 1,)

    Examples
    --------
    >>> counts, edges = histogram_bins(np.array([80.0, 81.0, 90.0]))
    >>> counts.tolist(), edges.tolist()
    ([2, 0, 0, 0, 1], [80.0, 82.0, 84.0, 86.0, 88.0, 90.0])
    """
    counts, edges = np.histogram(scores, bins=min(24, max(5, round(scores.size**0.5) * 2)))
    return counts, edges


def histogram_chart(scores: FloatArray, *, cut_off: float | None, labels: Labels, name: str) -> str:
    """Draw a histogram of scores, with the score at the last position.

    Parameters
    ----------
    scores : ndarray of float
        At least one score, none missing.
    cut_off : float or None
    labels : Labels
    name : str
        Unique on its page, for the ids within the drawing.

    Returns
    -------
    str
        One SVG element.
    """
    counts, edges = histogram_bins(scores)
    with _axes(280, left=46, labels=labels) as (figure, axes):
        axes.bar(
            edges[:-1],
            counts,
            width=np.diff(edges),
            align="edge",
            color=OTHERS_COLOUR,
            edgecolor="white",
            linewidth=0.6,
        )
        _draw_cut_off(axes, cut_off, upright=True, before=True)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return _svg(figure, labels, name)


def funnel_chart(
    rates: FloatArray,
    exposure: FloatArray,
    *,
    pooled: float,
    between_variance: float,
    listed: BooleanArray,
    labels: Labels,
    name: str,
) -> str:
    """Draw a funnel plot: complaint rates by exposure, with control limits around the pooled rate.

    Parameters
    ----------
    rates : ndarray of float
        Per 1,000 household-years, none missing.
    exposure : ndarray of float
        Household-years, above 0.
    pooled : float
        Rate of all communities together, per 1,000 household-years.
    between_variance : float
        τ² of the square roots of such rates, `analytics.statistics.funnel.rate_dispersion`.
    listed : ndarray of bool
        Which communities meet the criterion by their rate.
    labels : Labels
    name : str
        Unique on its page, for the ids within the drawing.

    Returns
    -------
    str
        One SVG element. Communities without complaints are hollow points.

    Notes
    -----
    The lines are limits at 95 % and 99.8 % that allow for how much communities differ beyond chance, as
    `analytics.statistics.funnel.widened_rate_limits` has them.
    """
    along = np.linspace(exposure.min(), max(exposure.max(), exposure.min() * 1.01), 200)
    order = np.argsort(exposure, kind="stable")[:: thinning_step(exposure.size)]
    with _axes(300, left=46, labels=labels) as (figure, axes):
        for level, dashes in ((INNER_LEVEL, _DASHED), (OUTER_LEVEL, _SOLID)):
            limits = widened_rate_limits(along / 1000, target=pooled, level=level, between_variance=between_variance)
            for line in limits:
                axes.plot(along, line, color=OTHERS_COLOUR, linewidth=0.8, linestyle=dashes)
        axes.axhline(pooled, color="#3a4656", linewidth=0.8)
        for among, color in ((~listed[order], OTHERS_COLOUR), (listed[order], LISTED_COLOUR)):
            rows = order[among]
            filled, hollow = rows[rates[rows] > 0], rows[rates[rows] == 0]
            axes.scatter(exposure[filled], rates[filled], s=13, color=color, linewidths=0, zorder=3)
            axes.scatter(
                exposure[hollow], rates[hollow], s=17, facecolors="white", edgecolors=color, zorder=4, clip_on=False
            )
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
    return _svg(figure, labels, name)


def rounds_chart(
    rounds: Sequence[str], intervals: ScoreIntervals, fan: FloatArray, *, labels: Labels, name: str
) -> str:
    """Draw the scores of one community by round, with their intervals, before the deciles of those ranked with it.

    Parameters
    ----------
    rounds : sequence of str
        Names of the rounds in their order, m of them.
    intervals : ScoreIntervals
        Of m scores.
    fan : ndarray of float, shape (m, 9)
        Deciles by round, in rising order; NaN where there are none. Bands between those equally far from the median
        overlap to a fan, which grows darker towards it.
    labels : Labels
        Without a cut-off.
    name : str
        Unique on its page, for the ids within the drawing.

    Returns
    -------
    str
        One SVG element.
    """
    places = np.arange(len(rounds), dtype=np.float64)
    with _axes(280, left=46, labels=labels) as (figure, axes):
        middle = fan.shape[1] // 2
        for place in range(middle):
            axes.fill_between(places, fan[:, place], fan[:, -1 - place], color=OTHERS_COLOUR, alpha=0.12, linewidth=0)
        axes.plot(places, fan[:, middle], color=OTHERS_COLOUR, linewidth=1, linestyle=_DASHED)
        axes.plot(places, intervals.scores, color=LISTED_COLOUR, linewidth=1.2)
        _draw_intervals(axes, places, intervals, upright=True)
        axes.set_xticks(places, [_shortened(text) for text in rounds])
        axes.set_xlim(-0.4, len(rounds) - 0.6)
    return _svg(figure, labels, name)


def coverage_chart(
    names: Sequence[str], overall: FloatArray, among_best: FloatArray, *, level: float, labels: Labels, name: str
) -> str:
    """Draw the coverage of intervals, one row per simulated setting.

    Parameters
    ----------
    names : sequence of str
        Names of the settings.
    overall, among_best : ndarray of float
        Share of all communities, and of the observed best ones (green), whose interval contains the true value.
    level : float
        Nominal level; the dashed line.
    labels : Labels
    name : str
        Unique on its page, for the ids within the drawing.

    Returns
    -------
    str
        One SVG element.
    """
    with _row_axes(names, left=190, labels=labels) as (figure, axes, places):
        for values, color in ((overall, OTHERS_COLOUR), (among_best, LISTED_COLOUR)):
            axes.scatter(values, places, s=22, color=color, linewidths=0, zorder=3)
        _draw_cut_off(axes, level, upright=True)
    return _svg(figure, labels, name)


def reliability_chart(
    predicted: FloatArray, realised: FloatArray, *, marked: BooleanArray, labels: Labels, name: str
) -> str:
    """Draw a reliability diagram: realised share by predicted probability, with the diagonal dashed.

    Parameters
    ----------
    predicted, realised : ndarray of float
        Mean predicted probability of groups of communities, and the share of each that is truly among the best.
    marked : ndarray of bool
        Groups drawn in green.
    labels : Labels
    name : str
        Unique on its page, for the ids within the drawing.

    Returns
    -------
    str
        One SVG element.
    """
    with _axes(_WIDTH, left=46, labels=labels) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=CUT_OFF, linewidth=1, linestyle=_DASHED, zorder=1)
        for among, color in ((~marked, OTHERS_COLOUR), (marked, LISTED_COLOUR)):
            axes.scatter(predicted[among], realised[among], s=22, color=color, linewidths=0, zorder=3, clip_on=False)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
    return _svg(figure, labels, name)


def _shortened(text: str) -> str:
    """Shorten a name to the width of its label; a Chinese character is two Latin letters wide."""
    width, most = 0, 18
    text = "".join(character if character.isprintable() else " " for character in text)
    for place, character in enumerate(text):
        width += 1 if character.isascii() else 2
        if width > most:
            return f"{text[: place - 1]}…"
    return text


def _draw_intervals(axes: Axes, places: FloatArray, intervals: ScoreIntervals, *, upright: bool) -> None:
    draw = axes.vlines if upright else axes.hlines
    for among, color in ((~intervals.listed, OTHERS_COLOUR), (intervals.listed, LISTED_COLOUR)):
        at, score, estimate = places[among], intervals.scores[among], intervals.estimates[among]
        draw(at, intervals.lower[among], intervals.upper[among], color=color, linewidth=0.9, alpha=0.6)
        apart = estimate != score
        across, upward = (at[apart], estimate[apart]) if upright else (estimate[apart], at[apart])
        axes.scatter(across, upward, s=12 if upright else 36, marker="_" if upright else "|", color=color, linewidths=1)
        across, upward = (at, score) if upright else (score, at)
        axes.scatter(across, upward, s=9 if upright else 22, color=color, linewidths=0, zorder=3)


@contextmanager
def _axes(height: float, *, left: float, labels: Labels) -> Iterator[tuple[Figure, Axes]]:
    """Provide axes at fixed positions, because the layout must not depend on fonts that the reader may not have."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH / _POINTS_PER_INCH, height / _POINTS_PER_INCH), dpi=_POINTS_PER_INCH)
        axes = figure.add_axes((left / _WIDTH, 40 / height, (_WIDTH - left - 12) / _WIDTH, (height - 62) / height))
        axes.grid(visible=True, axis="both", color=_FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.set_xlabel(labels.across)
        figure.text(4 / _WIDTH, 1 - 13 / height, labels.upward, ha="left", va="baseline", color="#3a4656")
        figure.text(1 - 6 / _WIDTH, 1 - 13 / height, labels.cut_off, ha="right", va="baseline", color=CUT_OFF)
        yield figure, axes


@contextmanager
def _row_axes(names: Sequence[str], *, left: float, labels: Labels) -> Iterator[tuple[Figure, Axes, FloatArray]]:
    """Provide axes with a labelled row per name, the first on top, and the positions of the rows."""
    places = np.arange(len(names), dtype=np.float64)
    with _axes(62 + 19 * len(names), left=left, labels=labels) as (figure, axes):
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_yticks(places, names)
        axes.tick_params(axis="y", length=0)
        yield figure, axes, places


def _draw_cut_off(axes: Axes, place: float | None, *, upright: bool, before: bool = False) -> None:
    """Draw the cut-off line across the axes, behind everything else unless `before`."""
    if place is not None:
        draw = axes.axvline if upright else axes.axhline
        draw(place, color=CUT_OFF, linewidth=1, linestyle=_DASHED, zorder=3 if before else 1)


def _svg(figure: Figure, labels: Labels, name: str) -> str:
    stream = io.BytesIO()
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # Texts are measured in a font that may lack their glyphs; they are placed by their anchor, not by that width.
        warnings.filterwarnings("ignore", message=".*Glyph")
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return _tidied(stream.getvalue(), labels.description, name)


def _tidied(drawn: bytes, description: str, name: str) -> str:
    """Prepare a drawing for a page with other drawings: unique ids, the reader's fonts, a text alternative."""
    root = ET.fromstring(drawn)  # noqa: S314 - our own drawing, no foreign XML
    # The style would apply to the whole page, and the metadata only name the drawing software.
    for unwanted in [*root.findall(f"{{{_SVG}}}metadata"), *root.findall(f"{{{_SVG}}}defs[{{{_SVG}}}style]")]:
        root.remove(unwanted)
    for element in root.iter():
        if element.tag == f"{{{_SVG}}}text":
            element.set("style", re.sub(r"font-family:[^;]*; ?", "", element.get("style", "")))
        if "id" in element.attrib:
            element.set("id", f"{name}-{element.get('id')}")
        if "clip-path" in element.attrib:
            element.set("clip-path", element.get("clip-path", "").replace("#", f"#{name}-"))
        if _HREF in element.attrib:
            element.set("href", element.attrib.pop(_HREF).replace("#", f"#{name}-"))
    width, height = (root.attrib.pop(side).removesuffix("pt") for side in ("width", "height"))
    root.attrib.pop("version", None)
    root.attrib |= {"stroke-linejoin": "round", "role": "img", "aria-label": description, "font-family": _FONTS}
    root.set("viewBox", f"0 0 {float(width):g} {float(height):g}")
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode")
