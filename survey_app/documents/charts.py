"""Charts of documents: drawn as the report of an evaluation draws them, one at a time."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

from analytics.reports import svg_charts
from analytics.reports.chart_words import Labels
from analytics.reports.svg_charts import ScoreIntervals
from analytics.statistics.validation import BooleanArray, FloatArray
from survey_app.documents.blocks import Block, drawing

# The drawing library has one set of settings for the whole process.
_DRAWING: Final = Lock()
# A document shows each drawing by itself, so that ids in them may be the same.
_NAME: Final = "drawing"


def histogram(scores: FloatArray, *, cut_off: float | None, labels: Labels) -> Block:
    """Return a histogram of scores, of which there is one at least."""
    return _drawn(
        lambda: svg_charts.histogram_chart(scores, cut_off=cut_off, labels=labels, name=_NAME), labels.description
    )


def caterpillar(names: Sequence[str], intervals: ScoreIntervals, *, cut_off: float | None, labels: Labels) -> Block:
    """Return communities or questions one below the other, each with its interval."""
    return _drawn(
        lambda: svg_charts.caterpillar_chart(names, intervals, cut_off=cut_off, labels=labels, name=_NAME),
        labels.description,
    )


def rounds(names: Sequence[str], intervals: ScoreIntervals, fan: FloatArray, *, labels: Labels) -> Block:
    """Return the scores of one community by round before the deciles of those ranked with it."""
    return _drawn(lambda: svg_charts.rounds_chart(names, intervals, fan, labels=labels, name=_NAME), labels.description)


def funnel(
    rates: FloatArray,
    exposure: FloatArray,
    *,
    pooled: float,
    between_variance: float,
    listed: BooleanArray,
    labels: Labels,
) -> Block:
    """Return complaint rates by exposure beside what chance explains, of two communities at least."""
    return _drawn(
        lambda: svg_charts.funnel_chart(
            rates,
            exposure,
            pooled=pooled,
            between_variance=between_variance,
            listed=listed,
            labels=labels,
            name=_NAME,
        ),
        labels.description,
    )


def _drawn(draw: Callable[[], str], description: str) -> Block:
    with _DRAWING:
        svg = draw()
    return drawing(svg, description=description)
