"""Charts of the evaluation report for each region, with their captions."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pandas as pd
from markupsafe import Markup

from analytics.decision.evaluate import Evaluation
from analytics.decision.table_columns import float_column
from analytics.languages import translator
from analytics.reports import svg_charts
from analytics.reports.html_page import Chart, percent
from analytics.reports.labels import measure_axis
from analytics.reports.svg_charts import Labels, ScoreIntervals
from analytics.statistics.validation import BooleanArray

_MOST_CATERPILLAR_ROWS: Final = 30


def region_charts(
    evaluation: Evaluation, part: pd.DataFrame, *, scale: float, language: str, number: int
) -> Iterator[Chart]:
    """Yield the charts of one region: best communities, all scores, histogram of scores, funnel plot of complaints.

    Parameters
    ----------
    evaluation : Evaluation
    part : DataFrame
        Standings, names and evidence of the region's communities, the best first.
    scale : float
        100 if scores are shares shown as percentages, else 1.
    language : str
        One of `analytics.languages.LANGUAGES`.
    number : int
        Number of the region, because ids in drawings must be unique on the page.

    Yields
    ------
    Chart
        No chart of a route by which nobody is ranked, or by which none qualifies since k = 0.
    """
    facts = evaluation.summary["regions"][str(part["region"].iloc[0])]
    ranked = part[part["satisfaction_rank"].notna()]
    if len(ranked) and facts["satisfaction"]["k"]:
        yield from _score_charts(
            evaluation, ranked, facts["satisfaction"], scale=scale, language=language, number=number
        )
    exposed = part[part["complaint_rank"].notna()]
    if len(exposed) and facts["complaints"]["k"]:
        yield _funnel(exposed, language, number)


def _score_charts(
    evaluation: Evaluation,
    ranked: pd.DataFrame,
    facts: Mapping[str, Any],
    *,
    scale: float,
    language: str,
    number: int,
) -> Iterator[Chart]:
    _ = translator(language)
    cut_off = None if facts["cut_off_score"] is None else facts["cut_off_score"] * scale
    measure = measure_axis(evaluation.rules.satisfaction.measure, language)
    line = "" if cut_off is None else _("- - position {k}", k=facts["k"])
    best = ranked.head(_MOST_CATERPILLAR_ROWS)
    caption = _(
        "The first {shown} of {count} communities. Green: meet the criterion. The point is the score of those who"
        " answered; the line is where that of all households may well lie, its stroke the best estimate.",
        shown=len(best),
        count=len(ranked),
    )
    drawing = svg_charts.caterpillar_chart(
        best["name"].tolist(),
        _score_intervals(best, scale),
        cut_off=cut_off,
        labels=Labels(caption, measure, _("Community"), line),
        name=f"ladder-{number}",
    )
    yield Chart(Markup(drawing), caption)  # noqa: S704 - `svg_charts` escapes every name
    caption = _all_ranked(len(ranked), language)
    drawing = svg_charts.scores_chart(
        float_column(ranked, "satisfaction_rank"),
        _score_intervals(ranked, scale),
        cut_off=cut_off,
        labels=Labels(caption, _("Rank"), measure, line),
        name=f"scores-{number}",
    )
    yield Chart(Markup(drawing), caption)  # noqa: S704
    caption = _("Number of communities by score.")
    drawing = svg_charts.histogram_chart(
        float_column(ranked, "satisfaction_score") * scale,
        cut_off=cut_off,
        labels=Labels(caption, measure, _("Communities"), line),
        name=f"histogram-{number}",
    )
    yield Chart(Markup(drawing), caption)  # noqa: S704


def _score_intervals(ranked: pd.DataFrame, scale: float) -> ScoreIntervals:
    scores, estimates, lower, upper = (
        float_column(ranked, f"satisfaction_{part}") * scale for part in ("score", "shrunk", "lower", "upper")
    )
    return ScoreIntervals(scores, estimates, lower, upper, _is_met(ranked, "satisfaction_status"))


def _all_ranked(count: int, language: str) -> str:
    _, step = translator(language), svg_charts.thinning_step(count)
    if step > 1:
        return _("One of every {step} ranked communities of the region, the first on the left.", step=step)
    return _("All ranked communities of the region, the first on the left.")


def _funnel(exposed: pd.DataFrame, language: str, number: int) -> Chart:
    _ = translator(language)
    complaints, exposure = float_column(exposed, "complaints"), float_column(exposed, "exposure_household_years")
    step = svg_charts.thinning_step(len(exposed))
    caption = _(
        "Each point is a community; hollow: no complaints. If all communities were alike, {inner} of them would lie"
        " between the dashed lines and {outer} between the outer lines. A small community more often has a low rate by"
        " chance.",
        inner=percent(svg_charts.INNER_LEVEL),
        outer=percent(svg_charts.OUTER_LEVEL),
    )
    if step > 1:
        thinned = _("One of every {step} communities is drawn.", step=step)
        caption = _("{first} {second}", first=caption, second=thinned)
    drawing = svg_charts.funnel_chart(
        float_column(exposed, "complaints_per_1000_household_years"),
        exposure,
        pooled=float(complaints.sum() / exposure.sum() * 1000),
        listed=_is_met(exposed, "complaint_status"),
        labels=Labels(caption, _("Household-years"), _("Complaints per 1,000 households a year"), ""),
        name=f"funnel-{number}",
    )
    return Chart(Markup(drawing), caption)  # noqa: S704


def _is_met(frame: pd.DataFrame, name: str) -> BooleanArray:
    return (frame[name] == "met").to_numpy(dtype=bool)
