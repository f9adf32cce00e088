"""Charts of the evaluation report for each region, with their captions."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pandas as pd

from analytics.decision.evaluate import Evaluation
from analytics.decision.table_columns import float_column
from analytics.languages import translator
from analytics.reports import svg_charts
from analytics.reports.chart_words import Drawing, Labels, RegionDrawings, wordless
from analytics.reports.html_page import percent
from analytics.reports.labels import measure_axis
from analytics.reports.svg_charts import ScoreIntervals
from analytics.statistics.funnel import rate_dispersion
from analytics.statistics.validation import BooleanArray

_MOST_CATERPILLAR_ROWS: Final = 30


def draw_region(evaluation: Evaluation, part: pd.DataFrame, *, scale: float, number: int) -> RegionDrawings:
    """Draw the charts of one region: best communities, all scores, histogram of scores, funnel plot of complaints.

    Parameters
    ----------
    evaluation : Evaluation
    part : DataFrame
        Standings, names and evidence of the region's communities, the best first.
    scale : float
        100 if scores are shares shown as percentages, else 1.
    number : int
        Number of the region, because ids in drawings must be unique on the page.

    Returns
    -------
    RegionDrawings
        No drawing of a route by which nobody is ranked, or by which none qualifies since k = 0.
    """
    facts = evaluation.summary["regions"][str(part["region"].iloc[0])]
    drawings: list[Drawing] = []
    ranked = part[part["satisfaction_rank"].notna()]
    if len(ranked) and facts["satisfaction"]["k"]:
        drawings += _score_drawings(evaluation, ranked, facts["satisfaction"], scale=scale, number=number)
    exposed = part[part["complaint_rank"].notna()]
    if len(exposed) and facts["complaints"]["k"]:
        drawings.append(_funnel(exposed, number))
    return RegionDrawings(tuple(drawings))


def _score_drawings(
    evaluation: Evaluation, ranked: pd.DataFrame, facts: Mapping[str, Any], *, scale: float, number: int
) -> Iterator[Drawing]:
    cut_off = None if facts["cut_off_score"] is None else facts["cut_off_score"] * scale
    best, count = ranked.head(_MOST_CATERPILLAR_ROWS), len(ranked)

    def measure(language: str) -> str:
        return measure_axis(evaluation.rules.satisfaction.measure, language)

    def line(language: str) -> str:
        _ = translator(language)
        return _("- - position {k}", k=facts["k"])

    def of_best(language: str) -> Labels:
        _ = translator(language)
        caption = _(
            "The first {shown} of {count} communities. Green: meet the criterion. The point is the score of those who"
            " answered; the line is where that of all households may well lie, its stroke the best estimate.",
            shown=len(best),
            count=count,
        )
        return Labels(caption, measure(language), _("Community"), line(language))

    def of_all(language: str) -> Labels:
        _ = translator(language)
        return Labels(_all_ranked(count, language), _("Rank"), measure(language), line(language))

    def of_numbers(language: str) -> Labels:
        _ = translator(language)
        caption = _("Number of communities by score.")
        return Labels(caption, measure(language), _("Communities"), line(language))

    words = wordless(has_cut_off=cut_off is not None)
    drawn = svg_charts.caterpillar_chart(
        best["name"].tolist(),
        _score_intervals(best, scale),
        cut_off=cut_off,
        labels=words,
        name=f"ladder-{number}",
    )
    yield Drawing(drawn, of_best)
    drawn = svg_charts.scores_chart(
        float_column(ranked, "satisfaction_rank"),
        _score_intervals(ranked, scale),
        cut_off=cut_off,
        labels=words,
        name=f"scores-{number}",
    )
    yield Drawing(drawn, of_all)
    drawn = svg_charts.histogram_chart(
        float_column(ranked, "satisfaction_score") * scale, cut_off=cut_off, labels=words, name=f"histogram-{number}"
    )
    yield Drawing(drawn, of_numbers)


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


def _funnel(exposed: pd.DataFrame, number: int) -> Drawing:
    complaints, exposure = float_column(exposed, "complaints"), float_column(exposed, "exposure_household_years")
    pooled = float(complaints.sum() / exposure.sum() * 1000)
    spread = rate_dispersion(complaints, exposure / 1000, target=pooled)
    step = svg_charts.thinning_step(len(exposed))

    def of_rates(language: str) -> Labels:
        _ = translator(language)
        caption = _(
            "Each point is a community; hollow: no complaints. The lines allow for chance and for how much communities"
            " differ beyond it: if none stood apart, {inner} of them would lie between the dashed lines and {outer}"
            " between the outer lines. A small community more often has a low rate"
            " by chance.",
            inner=percent(svg_charts.INNER_LEVEL),
            outer=percent(svg_charts.OUTER_LEVEL),
        )
        if step > 1:
            thinned = _("One of every {step} communities is drawn.", step=step)
            caption = _("{first} {second}", first=caption, second=thinned)
        return Labels(caption, _("Household-years"), _("Complaints per 1,000 households a year"), "")

    drawn = svg_charts.funnel_chart(
        float_column(exposed, "complaints_per_1000_household_years"),
        exposure,
        pooled=pooled,
        # One community differs from nobody.
        between_variance=spread.between_variance if spread.communities > 1 else 0.0,
        listed=_is_met(exposed, "complaint_status"),
        labels=wordless(has_cut_off=False),
        name=f"funnel-{number}",
    )
    return Drawing(drawn, of_rates)


def _is_met(frame: pd.DataFrame, name: str) -> BooleanArray:
    return (frame[name] == "met").to_numpy(dtype=bool)
