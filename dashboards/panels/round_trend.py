"""Scores of one community by round: what changed, what chance alone would do, and regression to the mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from analytics.decision.percentiles import DECILES, score_deciles
from analytics.statistics.trends import compare_rounds, control_chart, regression_to_the_mean
from dashboards.figures.chart_parts import Floats
from dashboards.figures.community import trend_figure
from dashboards.frames.page_data import PageData
from dashboards.frames.standings import counted_words, interval_estimates, scale_of
from dashboards.languages import pick, translator
from dashboards.routes import ROUTES
from dashboards.source import EvaluationSource, header_of
from dashboards.widgets.components import Numbers, NumbersColumn, chart, empty, panel

_ROUTE: Final = ROUTES["satisfaction"]


@dataclass(frozen=True)
class Trend:
    """Official scores of a community by round, at least two, with the deciles of those ranked with it, and sentences.

    `change` is what has changed since the round before, `regression` what chance alone made of a former winner, or "".
    """

    rounds: pd.DataFrame
    fan: Floats
    change: str
    regression: str


def trend_of(shown: PageData, row: Mapping[str, Any], history: pd.DataFrame) -> Trend | None:
    """Return the official scores of a community up to the evaluation that is shown; None of fewer than two rounds."""
    past = history[history["cut_off"] <= shown.header.cut_off] if len(history) else history
    past = past[past["satisfaction_score"].notna()]
    if len(past) < 2:
        return None
    rounds = with_limits(past).assign(
        round=[
            pick(shown.language, *pair) for pair in zip(past["round_name"], past["round_english_name"], strict=True)
        ],
        estimate=interval_estimates(past, _ROUTE, past["evidence_method"]),
    )
    fan = _fan(shown, row["region"], past["evaluation_id"].tolist())
    return Trend(rounds, fan, _change_sentence(shown, rounds), _regression_sentence(shown, row, history))


def no_second_round(language: str) -> str:
    """Return what is said of a community without two rounds to compare."""
    _ = translator(language)
    return _("There is no second round with official results to compare with.")


def trend_panel(shown: PageData, row: Mapping[str, Any], history: pd.DataFrame) -> Component:
    """Return the panel of `trend_of`."""
    _ = translator(shown.language)
    name, trend = _("Round by round"), trend_of(shown, row, history)
    if trend is None:
        then = _("It is drawn once the result of a second round is official.")
        return panel(name, empty(no_second_round(shown.language), then), anchor="trend")
    notes = [_("Between the dashed lines, three standard errors away, chance alone can explain a round.")]
    if not np.isnan(trend.fan).all():
        notes.append(_("Shaded: the deciles of all communities ranked with it, the median in the middle."))
    return panel(
        name,
        chart(
            trend_figure(trend.rounds, trend.fan, shown.drawing(_ROUTE)),
            name=f"trend-{row['number']}",
            summary=trend.change,
            language=shown.language,
            numbers=_numbers(shown, trend),
        ),
        *([html.P(trend.regression, className="apart")] if trend.regression else []),
        anchor="trend",
        note=" ".join(notes),
    )


def _fan(shown: PageData, region: str, evaluations: Sequence[int]) -> Floats:
    """Return the deciles of those ranked together by round, shape (rounds, 9); missing where not all are in scope."""
    return np.array([shown.source.compute_once(evaluation, deciles_of_region, region) for evaluation in evaluations])


def deciles_of_region(source: EvaluationSource, evaluation_id: int, region: str) -> Floats:
    """Return the deciles of a region's scores; missing where the region is ranked with others, or partly in scope."""
    facts = header_of(source, evaluation_id).summary["regions"].get(region)
    scores = source.ranked_scores(evaluation_id, region)
    if facts is None or len(scores) != facts["satisfaction"]["N"]:
        return np.full(len(DECILES), np.nan)
    return score_deciles(scores)


def with_limits(history: pd.DataFrame) -> pd.DataFrame:
    """Return the rounds with `centre`, `lower_limit` and `upper_limit`, missing where scores are no rates of counts."""
    counts, sizes = history["satisfied"], history["responses"]
    if counts.isna().any() or sizes.isna().any():
        return history.assign(centre=np.nan, lower_limit=np.nan, upper_limit=np.nan)
    limits = control_chart([counts.tolist()], [sizes.tolist()], dispersion="binomial")
    is_rate = np.allclose(limits.rate[0], history["satisfaction_score"].to_numpy("float64"), equal_nan=True)
    if not is_rate:
        return history.assign(centre=np.nan, lower_limit=np.nan, upper_limit=np.nan)
    return history.assign(centre=limits.centre[0], lower_limit=limits.lower[0], upper_limit=limits.upper[0])


def rate_variance(rows: pd.DataFrame) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return the sampling variance of rates from counts, shrunk a little so that 0 and 1 have one too."""
    answers = rows["responses"].to_numpy("float64")
    share = (rows["satisfied"].to_numpy("float64") + 1) / (answers + 2)
    return np.asarray(share * (1 - share) / np.maximum(answers, 1))


def _is_counted(row: Mapping[str, Any]) -> bool:
    """Return whether a community is ranked by counts: a score that was entered does not say how precise it is."""
    return not (pd.isna(row[_ROUTE.rank]) or pd.isna(row["satisfied"]))


def _change_sentence(shown: PageData, history: pd.DataFrame) -> str:
    _ = translator(shown.language)
    scale = scale_of(shown.header, _ROUTE, shown.language)
    before, after = history.iloc[-2], history.iloc[-1]
    change = (after["satisfaction_score"] - before["satisfaction_score"]) * scale.factor
    said = _("{change} points since {round}.").format(change=f"{change:+.1f}".replace("-", "−"), round=before["round"])
    if np.isnan(float(after["centre"])):
        return said
    variances = rate_variance(history.iloc[-2:])
    tested = compare_rounds(
        before["satisfaction_score"],
        after["satisfaction_score"],
        earlier_variance=variances[0],
        later_variance=variances[1],
        level=float(shown.header.rules.evidence.level),
    ).iloc[0]
    beyond = tested["lower"] > 0 or tested["upper"] < 0
    return said + (_(" That is more than chance explains.") if beyond else _(" That is within what chance explains."))


def _regression_sentence(shown: PageData, row: Mapping[str, Any], history: pd.DataFrame) -> str:
    """Return the regression to the mean that a former winner must expect, or an empty text for others."""
    _ = translator(shown.language)
    region = None if shown.earlier is None else shown.earlier.summary["regions"].get(row["region"])
    if shown.earlier is None or region is None or region["satisfaction"]["k"] == 0:
        return ""
    if {each.rules.satisfaction.measure for each in (shown.header, shown.earlier)} != {"satisfaction_rate"}:
        # Another score does not say how precise it is, and satisfied answers are not public beside it.
        return ""
    [*ranks] = history.loc[history["evaluation_id"] == shown.earlier.id, _ROUTE.rank].dropna()
    is_own = region["satisfaction"]["ranked_with"] == "district"
    if not ranks or (is_own and ranks[0] > region["satisfaction"]["k"]):
        # Whoever was not among the best, as nearly all are, needs no comparison of all communities.
        return ""
    if not _is_counted(row):
        return ""
    expected = shown.source.compute_once(shown.earlier.id, expect_of_former_winners, row["region"])
    if row["number"] not in expected.index:
        return ""
    [before] = history.loc[history["evaluation_id"] == shown.earlier.id, _ROUTE.score]
    factor = scale_of(shown.header, _ROUTE, shown.language).factor
    return _(
        "It was among the best of the previous round. Regression to the mean alone would have moved it by {expected}"
        " points; it moved by {change}."
    ).format(
        expected=f"{expected[row['number']] * factor:+.1f}".replace("-", "−"),
        change=f"{(row[_ROUTE.score] - before) * factor:+.1f}".replace("-", "−"),
    )


def expect_of_former_winners(source: EvaluationSource, evaluation_id: int, region: str) -> "pd.Series[float]":
    """Return, by number, how far regression to the mean alone moves the k best of a region in the round after."""
    ranked = source.ranked_counts(evaluation_id, region)
    header = header_of(source, evaluation_id)
    table = regression_to_the_mean(
        ranked["satisfaction_score"],
        # What is expected follows from the earlier round alone.
        np.full(len(ranked), np.nan),
        earlier_variance=rate_variance(ranked),
        later_variance=0.0,
        region=np.full(len(ranked), region),
        size=header.summary["regions"][region]["satisfaction"]["k"],
        level=float(header.rules.evidence.level),
    ).set_axis(ranked["number"])
    expected: pd.Series[float] = table.loc[table["former_winner"], "by_regression"]
    return expected


def rounds_numbers(shown: PageData, rounds: pd.DataFrame) -> Numbers:
    """Return the scores of a community by round as a table."""
    _ = translator(shown.language)
    scale = scale_of(shown.header, _ROUTE, shown.language)
    columns = [
        NumbersColumn(_("Round")),
        NumbersColumn(counted_words(shown.header, shown.language), numeric=True),
        NumbersColumn(scale.title, numeric=True, write=scale.write),
        NumbersColumn(_("Estimate for all households"), numeric=True, write=scale.write),
        NumbersColumn(_("Lower bound"), numeric=True, write=scale.write),
        NumbersColumn(_("Upper bound"), numeric=True, write=scale.write),
        NumbersColumn(_("Rank"), numeric=True),
    ]
    shown_estimates = rounds["estimate"].where(rounds["estimate"] != rounds["satisfaction_score"])
    scores = ["satisfaction_score", "estimate", *(f"satisfaction_{name}" for name in ("lower", "upper", "rank"))]
    rows = rounds.assign(estimate=shown_estimates)[["round", "responses", *scores]].to_numpy(dtype=object).tolist()
    return Numbers(_("Round by round"), columns, rows)


def deciles_numbers(shown: PageData, trend: Trend) -> Numbers:
    """Return the deciles of those ranked with a community by round as a table."""
    _ = translator(shown.language)
    scale = scale_of(shown.header, _ROUTE, shown.language)
    deciles = [
        NumbersColumn(_("Decile {number}").format(number=number), True, scale.write)
        for number in range(1, len(DECILES) + 1)
    ]
    rows = [[name, *of_all] for name, of_all in zip(trend.rounds["round"], trend.fan, strict=True)]
    return Numbers(_("Deciles of all ranked with it"), [NumbersColumn(_("Round")), *deciles], rows)


def _numbers(shown: PageData, trend: Trend) -> Numbers:
    """Return the scores beside the deciles."""
    of_one, of_all = rounds_numbers(shown, trend.rounds), deciles_numbers(shown, trend)
    rows = [[*own, *deciles[1:]] for own, deciles in zip(of_one.rows, of_all.rows, strict=True)]
    return Numbers(of_one.caption, [*of_one.columns, *of_all.columns[1:]], rows)
