"""Trends page: changes between survey rounds, tested against chance and regression to the mean, as CSV and HTML."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from markupsafe import Markup

from analytics.decision.evaluate import Evaluation
from analytics.decision.table_columns import float_column
from analytics.evidence.sampling_variance import sampling_variance
from analytics.files.csv_files import frame_csv
from analytics.languages import translator
from analytics.reports import svg_charts
from analytics.reports.chart_words import Labels
from analytics.reports.html_page import Chart, Page, PageTable, Section, between, percent, provenance_facts
from analytics.reports.svg_charts import ScoreIntervals
from analytics.rules import Rules
from analytics.statistics.multiple_testing import adjusted_p_values
from analytics.statistics.trends import FEWEST_FOR_SLOPE, compare_rounds, fit_slopes, regression_to_the_mean
from analytics.statistics.validation import FloatArray

FALSE_DISCOVERY_RATE: Final = 0.05
"""Largest expected share of chance findings among the communities reported as changed."""

SHOWN: Final = 30
"""Most communities that a table or chart of the page names."""

_DAYS_A_YEAR: Final = 365.25


@dataclass(frozen=True)
class EvaluatedRound:
    """An evaluated round and its day."""

    day: date
    evaluation: Evaluation


@dataclass(frozen=True)
class Trends:
    """Trends of communities over rounds.

    Attributes
    ----------
    days : tuple of date
        Days of the rounds, in order.
    rules : Rules
    communities : DataFrame
        One row per community of any round, in the order of ids: community_id, name, region (of the newest round that
        has it); ``responses_<day>`` and ``score_<day>`` of each round, missing where it is not in it; change,
        change_lower, change_upper, change_p and change_p_adjusted (Benjamini and Hochberg, over all) between the last
        two rounds; slope_per_year, slope_lower, slope_upper, slope_p and slope_p_adjusted, missing below three rounds;
        former_winner (bool), by_regression, region_change, own_change, own_lower, own_upper, own_p: the change split
        into regression to the mean, the change of the region, and the rest, for the communities that were ranked in the
        last round but one. Scores are in the unit of the measure.
    """

    days: tuple[date, ...]
    rules: Rules
    communities: pd.DataFrame


def compute_trends(rounds: Sequence[EvaluatedRound]) -> Trends:
    """Compute the trends of communities over two or more rounds.

    Parameters
    ----------
    rounds : sequence of EvaluatedRound
        In any order, of different days, all evaluated by rules of one measure.

    Returns
    -------
    Trends

    Raises
    ------
    ValueError
        If there are fewer than two rounds, two of one day, or two measures.

    Notes
    -----
    The sampling variance of a score is s̃²/n · (1 − f), s̃² stabilised by the variance of its region, f the share of
    households that responded if the rules of the round say that each answers once. Rounds are treated as independent:
    households that answered twice make changes less uncertain than stated, never more. A given score has no known
    variance, so it is not tested.

    `FALSE_DISCOVERY_RATE` bounds the expected share of chance among the changes that are reported.
    """
    ordered = sorted(rounds, key=lambda past: past.day)
    days = tuple(past.day for past in ordered)
    if len(set(days)) < max(2, len(days)):
        raise ValueError(f"at least two rounds of different days are needed, got {[str(day) for day in days]}")
    measures = {past.evaluation.rules.satisfaction.measure for past in ordered}
    if len(measures) > 1:
        raise ValueError(f"rounds of different measures cannot be compared: {', '.join(sorted(measures))}")
    frame = _register(ordered)
    ids = frame["community_id"]
    scores, variances = (
        np.column_stack([_of_round(past.evaluation, name, ids) for past in ordered]) for name in ("score", "variance")
    )
    for place, past in enumerate(ordered):
        frame[f"responses_{past.day}"] = _of_round(past.evaluation, "responses", ids)
        frame[f"score_{past.day}"] = scores[:, place]
    tested = np.where(np.isnan(variances), np.nan, scores)
    level = float(ordered[-1].evaluation.rules.evidence.level)
    years = np.array([(day - days[0]).days / _DAYS_A_YEAR for day in days])
    parts = [
        _changes(scores, tested, variances, level=level),
        _slopes(tested, variances, years=years, level=level),
        _regressions(tested[:, -2], tested[:, -1], variances, ordered[-2].evaluation, ids, level=level),
    ]
    frame = pd.concat([frame, *parts], axis=1)
    counts = [f"responses_{day}" for day in days]
    return Trends(days, ordered[-1].evaluation.rules, frame.astype(dict.fromkeys(counts, "Int64")))


def _register(rounds: Sequence[EvaluatedRound]) -> pd.DataFrame:
    """List every community of any round, with its name and region from the newest round that has it."""
    tables = [
        past.evaluation.communities.assign(name=past.evaluation.communities.get("name", ""))[
            ["community_id", "name", "region"]
        ]
        for past in reversed(rounds)
    ]
    newest = pd.concat(tables).drop_duplicates("community_id", keep="first")
    return newest.sort_values("community_id", ignore_index=True)


def _of_round(evaluation: Evaluation, name: str, ids: "pd.Series[str]") -> FloatArray:
    """Return one value of each community in a round, NaN if the round does not have it."""
    if name == "variance":
        values = sampling_variance(evaluation)
    else:
        values = float_column(evaluation.standings, {"score": "satisfaction_score"}.get(name, name))
    found = pd.Series(values, index=evaluation.standings["community_id"]).reindex(ids)
    return np.asarray(found, dtype=np.float64)


def _changes(scores: FloatArray, tested: FloatArray, variances: FloatArray, *, level: float) -> pd.DataFrame:
    found = compare_rounds(
        tested[:, -2],
        tested[:, -1],
        earlier_variance=variances[:, -2],
        later_variance=variances[:, -1],
        level=level,
    )
    return pd.DataFrame(
        {
            "change": scores[:, -1] - scores[:, -2],
            "change_lower": found["lower"],
            "change_upper": found["upper"],
            "change_p": found["p"],
            "change_p_adjusted": adjusted_p_values(found["p"].to_numpy()),
        }
    )


def _slopes(tested: FloatArray, variances: FloatArray, *, years: FloatArray, level: float) -> pd.DataFrame:
    found = fit_slopes(tested, variances, years=years, level=level)
    return pd.DataFrame(
        {
            "slope_per_year": found["slope_per_year"],
            "slope_lower": found["lower"],
            "slope_upper": found["upper"],
            "slope_p": found["p"],
            "slope_p_adjusted": adjusted_p_values(found["p"].to_numpy()),
        }
    )


def _regressions(
    earlier: FloatArray,
    later: FloatArray,
    variances: FloatArray,
    evaluation: Evaluation,
    ids: "pd.Series[str]",
    *,
    level: float,
) -> pd.DataFrame:
    """Compute regression to the mean for each set of communities that were ranked together, with its own k."""
    standings = evaluation.standings.set_index("community_id").reindex(ids)
    ranked = standings["satisfaction_rank"].notna().to_numpy()
    facts = {name: entry["satisfaction"] for name, entry in evaluation.summary["regions"].items()}
    found = pd.DataFrame(
        {name: np.full(len(ids), np.nan) for name in ("by_regression", "region_change", "own_change")}
        | {name: np.full(len(ids), np.nan) for name in ("own_lower", "own_upper", "own_p")}
    )
    winner = np.zeros(len(ids), dtype=bool)
    for regions, size in _sets_ranked_together(facts):
        rows = np.flatnonzero(ranked & standings["region"].isin(regions).to_numpy())
        if not rows.size:
            continue
        table = regression_to_the_mean(
            earlier[rows],
            later[rows],
            earlier_variance=variances[rows, -2],
            later_variance=variances[rows, -1],
            region=np.zeros(rows.size, dtype=np.int64),
            size=size,
            level=level,
        )
        winner[rows] = table["former_winner"]
        names = ["by_regression", "region_change", "own_change", "lower", "upper", "p"]
        found.loc[rows] = table[names].to_numpy()
    return found.assign(former_winner=winner)


def _sets_ranked_together(facts: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[list[str], int]]:
    whole = [name for name, route in facts.items() if route["ranked_with"] == "city"]
    if whole:
        yield whole, int(str(facts[whole[0]]["k"]))
    for name, route in facts.items():
        # A region that was ranked with the whole city had no winners of its own.
        if route["ranked_with"] != "city":
            yield [name], int(str(route["k"])) if route["ranked_with"] == "district" else 0


def trends_csv(trends: Trends) -> bytes:
    """Return the communities of `Trends` as a CSV file, numbers with six decimals."""
    frame = trends.communities.round(6)
    return frame_csv(frame)


def trends_page(trends: Trends, language: str) -> Page:
    """Build the trends page: sentences, charts and tables."""
    _ = translator(language)
    first, last = trends.days[-2], trends.days[-1]
    sections = [_change_section(trends, language), _winner_section(trends, language)]
    if len(trends.days) >= FEWEST_FOR_SLOPE:
        sections.append(_slope_section(trends, language))
    sections.append(
        Section(
            _("How to read this"),
            [
                _(
                    "Every score has an error because only some residents answered. A change is called a rise or fall"
                    " only where chance hardly explains it; of those so called, at most about {share} are expected to"
                    " be chance after all.",
                    share=percent(FALSE_DISCOVERY_RATE),
                ),
                _(
                    "Regression to the mean: whoever stands at the very top in one round was, on average, also lucky."
                    " With nothing changed in the community the next score is expected to be lower. That fall is no"
                    " failure, and the rise of those who stood last is no success."
                ),
                _(
                    "The rounds are compared as if different households had answered. Where the same ones did, the"
                    " intervals are wider than they need be."
                ),
            ],
        )
    )
    lead = _(
        "{count} rounds of the same communities: {days}. It says what changed, how far chance alone would explain it,"
        " and how far regression to the mean would.",
        count=len(trends.days),
        days=_("; ").join(day.isoformat() for day in trends.days),
    )
    title = _("Changes from {first} to {last}", first=first, last=last)
    return Page(title, lead, sections, provenance_facts(trends.rules, language))


def _scale(trends: Trends) -> int:
    return 100 if trends.rules.satisfaction.measure == "satisfaction_rate" else 1


def _signed(value: float, scale: int) -> str:
    return "" if np.isnan(value) else f"{value * scale:+.1f}"


def _interval(row: Mapping[Any, Any], lower: str, upper: str, scale: int) -> str:
    return between(row[lower], row[upper], decimals=1, scale=scale)


def _change_section(trends: Trends, language: str) -> Section:
    _, frame, scale = translator(language), trends.communities, _scale(trends)
    compared = frame[frame["change"].notna()]
    real = compared["change_p_adjusted"] <= FALSE_DISCOVERY_RATE
    rose, fell = (real & (compared["change"] > 0)).sum(), (real & (compared["change"] < 0)).sum()
    sentences = [
        _(
            "Communities with a score in both of the last two rounds: {compared}; in one of them only: {single}."
            " Risen beyond chance: {rose}, fallen: {fell}; of the others nothing can be said.",
            compared=len(compared),
            single=_in_one_only(trends),
            rose=int(rose),
            fell=int(fell),
        )
    ]
    means = compared.groupby("region")["change"].mean()
    sentences += [
        _("{region}: the mean change is {change} points.", region=name, change=_signed(float(mean), scale))
        for name, mean in means.head(SHOWN).items()
    ]
    if len(means) > SHOWN:
        sentences.append(_("further regions: {count}", count=len(means) - SHOWN))
    extreme = compared.reindex(compared["change"].abs().sort_values(ascending=False, kind="stable").index).head(SHOWN)
    extreme = extreme.sort_values(["change", "community_id"], ascending=[False, True], kind="stable")
    charts = [_change_chart(extreme, trends, language)] if len(extreme) else []
    return Section(_("Between the last two rounds"), sentences, charts=charts)


def _in_one_only(trends: Trends) -> int:
    last_two = trends.communities[[f"score_{day}" for day in trends.days[-2:]]].notna()
    return int((last_two.sum(axis=1) == 1).sum())


def _change_chart(extreme: pd.DataFrame, trends: Trends, language: str) -> Chart:
    _, scale = translator(language), _scale(trends)
    caption = _(
        "The {count} largest changes, rises above and falls below. Green: beyond chance. The line through a point is"
        " where the true change may well lie.",
        count=len(extreme),
    )
    change, lower, upper = (
        extreme[name].to_numpy(dtype=np.float64) * scale for name in ("change", "change_lower", "change_upper")
    )
    real = extreme["change_p_adjusted"] <= FALSE_DISCOVERY_RATE
    drawing = svg_charts.caterpillar_chart(
        [name or number for name, number in zip(extreme["name"], extreme["community_id"], strict=True)],
        ScoreIntervals(change, change, lower, upper, real.to_numpy(dtype=bool)),
        cut_off=0.0,
        labels=Labels(caption, _("Change in points"), _("Community"), _("- - no change")),
        name="changes",
    )
    return Chart(Markup(drawing), caption)  # noqa: S704 - `svg_charts` escapes every name


def _winner_section(trends: Trends, language: str) -> Section:
    _, scale = translator(language), _scale(trends)
    first, last = (f"score_{day}" for day in trends.days[-2:])
    winners = trends.communities[trends.communities["former_winner"]]
    winners = winners.sort_values([first, "community_id"], ascending=[False, True], kind="stable")
    headings = [
        _("Community"),
        _("region"),
        trends.days[-2].isoformat(),
        trends.days[-1].isoformat(),
        _("Change in points"),
        _("Regression alone"),
        _("Their own change"),
        _("Where that may lie"),
    ]
    rows = [
        [
            row["name"] or row["community_id"],
            row["region"],
            _shown(row[first], scale),
            _shown(row[last], scale),
            _signed(row["change"], scale),
            _signed(row["by_regression"], scale),
            _signed(row["own_change"], scale),
            _interval(row, "own_lower", "own_upper", scale),
        ]
        for row in winners.head(SHOWN).to_dict("records")
    ]
    grid = PageTable(headings, rows, 2) if rows else None
    return Section(_("The best of the previous round"), [_winner_sentence(winners, scale, language)], grid=grid)


def _winner_sentence(winners: pd.DataFrame, scale: int, language: str) -> str:
    _ = translator(language)
    known = winners[winners["own_change"].notna()]
    if winners.empty:
        return _("No community was among the best of the previous round.")
    if known.empty:
        return _("None of the best of the previous round has a score in the last round.")
    return _(
        "Best communities of the previous round that were surveyed again: {count}. Their mean change is"
        " {change} points; regression to the mean alone would give {regression}, the change of their whole"
        " region {region}, and the remaining {own} are their own change.",
        count=len(known),
        change=_signed(known["change"].mean(), scale),
        regression=_signed(known["by_regression"].mean(), scale),
        region=_signed(known["region_change"].mean(), scale),
        own=_signed(known["own_change"].mean(), scale),
    )


def _shown(value: float, scale: int) -> str:
    return "" if np.isnan(value) else f"{value * scale:.1f}"


def _slope_section(trends: Trends, language: str) -> Section:
    _, scale = translator(language), _scale(trends)
    frame = trends.communities[trends.communities["slope_per_year"].notna()]
    real = frame["slope_p_adjusted"] <= FALSE_DISCOVERY_RATE
    sentences = [
        _(
            "Communities with three rounds or more: {count}. Rising beyond chance: {rising}, falling: {falling}.",
            count=len(frame),
            rising=int((real & (frame["slope_per_year"] > 0)).sum()),
            falling=int((real & (frame["slope_per_year"] < 0)).sum()),
        )
    ]
    steepest = frame.reindex(frame["slope_per_year"].abs().sort_values(ascending=False, kind="stable").index)
    rows = [
        [
            row["name"] or row["community_id"],
            row["region"],
            _signed(row["slope_per_year"], scale),
            _interval(row, "slope_lower", "slope_upper", scale),
            _("beyond chance") if row["slope_p_adjusted"] <= FALSE_DISCOVERY_RATE else _("chance may explain it"),
        ]
        for row in steepest.head(SHOWN).to_dict("records")
    ]
    headings = [_("Community"), _("region"), _("Points a year"), _("Where that may lie"), _("Finding")]
    return Section(_("Over all rounds"), sentences, grid=PageTable(headings, rows, 2) if rows else None)
