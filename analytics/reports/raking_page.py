"""Raking page: response weights and weighted scores that match known population margins, as CSV and HTML page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.decision.recount import OWNER
from analytics.decision.table_columns import float_column
from analytics.files.csv_files import frame_csv
from analytics.files.response_tables import ResponseTable
from analytics.files.table_cells import read_cells
from analytics.files.typed_columns import CellReader, Column
from analytics.languages import N_, translator
from analytics.progress import ProgressCallback, ignore_progress, track_progress
from analytics.reports.html_page import Page, PageTable, Section, between, percent, provenance_facts
from analytics.rules import Rules
from analytics.statistics.intervals import normal_quantile
from analytics.statistics.raking_weights import (
    SCORE_DECIMALS,
    Margin,
    WeightedMean,
    effective_sample_size,
    margin_deviations,
    rake,
    raked_mean,
    trim_weights,
    weighted_mean,
)
from analytics.statistics.validation import BooleanArray, FloatArray

MOST_NAMED: Final = 200
"""Most communities that the table of the page names; raked.csv has all."""

_MARGIN_COLUMNS: Final[Mapping[str, Column]] = {
    "community_id": Column("text"),
    "margin": Column("text"),
    "category": Column("text"),
    "total": Column("number", most=1e12),
}


@dataclass(frozen=True)
class Raked:
    """Raked weights of responses and the weighted scores of communities.

    Attributes
    ----------
    weights : DataFrame
        One row per raked response: response_id if available, community_id, weight (mean 1 in each set that was raked
        together).
    scores : DataFrame
        One row per community in the order of ids: community_id, responses (valid answers), effective_responses
        (Kish), plain_score and score (raked; in points, half to even at six decimals), standard_error, lower, upper,
        largest_gap (of a margin, after trimming), and not_raked with its cells: the reason why a community was not
        raked, a key of `reason_sentences`, otherwise empty.
    trimmed_at : float or None
        Largest allowed ratio of weight to mean weight.
    level : float
    """

    weights: pd.DataFrame
    scores: pd.DataFrame
    trimmed_at: float | None
    level: float


def read_margins(path: Path) -> pd.DataFrame:
    """Read population margins from a CSV or Parquet file and check them.

    Parameters
    ----------
    path : Path
        CSV or Parquet: `margin` (a column of the responses, such as tenure or building), `category`, `total` (above 0)
        and, if each community has its own figures, `community_id`.

    Returns
    -------
    DataFrame
        Those columns.

    Raises
    ------
    TableError
        With every fault: its line, its column, the name of the column and the value.
    """
    reader = CellReader(read_cells(path))
    reader.refuse_unknown_columns(_MARGIN_COLUMNS)
    reader.expect_columns(["margin", "category", "total"])
    reader.expect_rows()
    table = reader.read(_MARGIN_COLUMNS)
    reader.note_empty(table, list(_MARGIN_COLUMNS))
    if {"margin", "category", "total"} <= set(table.columns):
        total = float_column(table, "total")
        reader.note(total <= 0, "total", N_("a total must be above 0"), table)
        keys = [name for name in ("community_id", "margin", "category") if name in table]
        message = N_("the margin {margin} has {category} already")
        reader.note(table.duplicated(keys).to_numpy(dtype=bool), "category", message, table, "margin", "category")
        place = table["community_id"] if "community_id" in table else pd.Series("", index=table.index)
        sums = table.groupby([place, table["margin"]])["total"].transform("sum")
        first = sums.groupby(place).transform("first")
        message = N_("the totals of {margin} add up to another sum than those of the first margin")
        ends = ~table.assign(place=place).duplicated(["place", "margin"])
        differs = ((sums - first).abs() > 1e-9 * first).to_numpy(dtype=bool)
        reader.note(differs & ends.to_numpy(dtype=bool) & (total > 0), "total", message, table, "margin")
    reader.raise_faults(str(path))
    return table


class CannotRake(ValueError):
    """Raised when responses cannot be raked; `reason` is a key of `reason_sentences`, `cells` are those at fault."""

    def __init__(self, reason: str, cells: tuple[str, ...] = ()) -> None:
        super().__init__(f"{reason}: {', '.join(cells)}")
        self.reason, self.cells = reason, cells


def rake_responses(
    table: ResponseTable,
    margins: pd.DataFrame,
    rules: Rules,
    *,
    largest_ratio: float | None,
    tell: ProgressCallback = ignore_progress,
) -> Raked:
    """Rake responses to the margins and score each community under the weights.

    Parameters
    ----------
    table : ResponseTable
        Responses that count, with the columns of the margins as text.
    margins : DataFrame
        From `read_margins`. With `community_id` each community is raked to its own figures, otherwise all responses
        together.
    rules : Rules
        The measure is a satisfaction rate (in percent) or a satisfaction index.
    largest_ratio : float or None
        Weights above this many times the mean are trimmed; None: not at all.
    tell : callable
        Called with the share of the communities that is done.

    Returns
    -------
    Raked

    Raises
    ------
    CannotRake
        If all responses are raked together and cannot be, the rules' measure is a composite, or the rules rank owners
        and a margin counts tenants, who have no response among those that count.

    Notes
    -----
    A community without margins of its own, with an empty margin cell, a category without a total or margins that
    contradict its answers is not raked: it keeps its plain score with the reason, since giving the weight of
    non-respondents to others would be invention. The standard error is reduced by what the margins explain
    (`analytics.statistics.raking_weights.raked_mean`), except for trimmed weights, which no longer meet the margins.
    """
    _expect_ranked_population(margins, rules)
    scores = _points(table, rules)
    answered = np.flatnonzero(~np.isnan(scores))
    place = table.responses["community_id"].to_numpy(dtype=np.str_)
    weights, rows = np.full(len(scores), np.nan), []
    whole = None
    if "community_id" not in margins:
        whole = _rake_set(table.responses.iloc[answered], scores[answered], margins, largest_ratio)
        weights[answered] = whole.weights
    communities = np.unique(place)
    for community in track_progress(communities, tell, total=communities.size):
        chosen = answered[place[answered] == community]
        plain = float(np.round(scores[chosen].mean(), SCORE_DECIMALS)) if chosen.size else np.nan
        row = {"community_id": str(community), "responses": chosen.size, "plain_score": plain}
        try:
            if not chosen.size:
                raise CannotRake("no_answers")  # noqa: TRY301 - one handler for everything that cannot be raked
            if whole is None:
                own = margins[margins["community_id"] == community]
                found = _rake_set(table.responses.iloc[chosen], scores[chosen], own, largest_ratio)
                weights[chosen] = found.weights
                row |= found.row(None, weights[chosen])
            else:
                row |= whole.row(place[answered] == community, weights[chosen])
        except CannotRake as error:
            weights[chosen] = 1.0
            row |= _plain_row(scores[chosen], error)
        rows.append(row)
    level = float(rules.evidence.level)
    return Raked(_weight_rows(table, weights), _with_limits(pd.DataFrame(rows), level), largest_ratio, level)


def _expect_ranked_population(margins: pd.DataFrame, rules: Rules) -> None:
    if rules.satisfaction.population == "owners":
        others = margins.loc[(margins["margin"] == "tenure") & (margins["category"] != str(OWNER)), "category"]
        if len(others):
            raise CannotRake("owners_only", tuple(f"tenure {category}" for category in sorted(set(others))))


@dataclass(frozen=True)
class _Set:
    """Responses raked together: weights with mean 1, their weighted mean and the largest deviation from a margin."""

    weights: FloatArray
    mean: Callable[[BooleanArray | None], WeightedMean]
    largest_gap: float

    def row(self, within: BooleanArray | None, weights: FloatArray) -> dict[str, Any]:
        found = self.mean(within)
        return {
            "score": float(np.round(found.mean, SCORE_DECIMALS)),
            "standard_error": found.standard_error,
            "effective_responses": effective_sample_size(weights),
            "largest_gap": self.largest_gap,
            "not_raked": "",
            "cells": "",
        }


def _rake_set(responses: pd.DataFrame, scores: FloatArray, margins: pd.DataFrame, largest_ratio: float | None) -> _Set:
    known = _margins(responses, margins)
    try:
        raking = rake(np.ones(len(scores)), known)
    except ValueError as error:
        raise CannotRake("margins_contradict") from error
    weights = raking.weights / raking.weights.mean()
    if largest_ratio is None or weights.max() <= largest_ratio:
        return _Set(weights, lambda within: raked_mean(scores, raking, within=within), 0.0)
    try:
        trimmed = trim_weights(weights, largest_ratio=largest_ratio)
    except ValueError as error:
        raise CannotRake("cannot_trim") from error
    gaps = margin_deviations(trimmed * raking.weights.mean(), known)
    largest = max(abs(gap) for cells in gaps.values() for gap in cells.values())
    return _Set(trimmed, lambda within: weighted_mean(scores, trimmed, within=within), largest)


def _margins(responses: pd.DataFrame, margins: pd.DataFrame) -> list[Margin]:
    """Return the margins of some responses, after checking their cells."""
    if margins.empty:
        raise CannotRake("no_margins")
    found, empty, unknown = [], [], []
    for name, part in margins.groupby("margin", sort=True):
        totals = dict(zip(part["category"], part["total"], strict=True))
        seen = responses[str(name)].astype("str")
        empty += [f"{name} {category}" for category in sorted(set(totals) - set(seen))]
        unknown += [f"{name} {category}" for category in sorted(set(seen) - set(totals))]
        found.append(Margin(str(name), seen.to_numpy(dtype=np.str_), totals))
    if unknown:
        raise CannotRake("category_without_total", tuple(unknown))
    if empty:
        raise CannotRake("empty_cell", tuple(empty))
    return found


def _points(table: ResponseTable, rules: Rules) -> FloatArray:
    """Return the points of each response to the rules' question, NaN without a valid answer."""
    rule = rules.satisfaction
    if rule.measure == "composite":
        raise CannotRake("composite")
    if rule.measure == "satisfaction_rate":
        points = {code: 100.0 * (code in rule.satisfied_codes) for code in rule.valid_codes}
    else:
        points = {code: float(value) for code, value in rule.index_points.items()}
    scores = table.answers[rule.question].map(points)
    return np.asarray(scores.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _plain_row(scores: FloatArray, error: CannotRake) -> dict[str, Any]:
    several = scores.size > 1
    return {
        "score": float(np.round(scores.mean(), SCORE_DECIMALS)) if scores.size else np.nan,
        "standard_error": float(scores.std(ddof=1) / np.sqrt(scores.size)) if several else np.nan,
        "effective_responses": float(scores.size),
        "largest_gap": np.nan,
        "not_raked": error.reason,
        "cells": "; ".join(error.cells),
    }


def _with_limits(frame: pd.DataFrame, level: float) -> pd.DataFrame:
    reach = normal_quantile(level) * frame["standard_error"]
    lower, upper = (frame["score"] - reach).clip(lower=0), (frame["score"] + reach).clip(upper=100)
    frame = frame.assign(lower=lower, upper=upper)
    names = ["community_id", "responses", "effective_responses", "plain_score", "score", "standard_error"]
    return frame[[*names, "lower", "upper", "largest_gap", "not_raked", "cells"]]


def _weight_rows(table: ResponseTable, weights: FloatArray) -> pd.DataFrame:
    names = [name for name in ("response_id", "community_id") if name in table.responses]
    frame = table.responses[names].assign(line=list(table.lines), weight=weights)
    return frame[frame["weight"].notna()].reset_index(drop=True)


def weights_csv(raked: Raked) -> bytes:
    """Return the weights of the raked responses as a CSV file."""
    return frame_csv(raked.weights.round(9))


def raked_csv(raked: Raked) -> bytes:
    """Return the raked scores as a CSV file, numbers with six decimals."""
    return frame_csv(raked.scores.round(SCORE_DECIMALS))


def reason_sentences(language: str) -> dict[str, str]:
    """Return the reasons for not raking in words, with `{cells}` to fill in.

    Examples
    --------
    >>> reason_sentences("en")["no_margins"]
    'no figures of its population are given'
    """
    _ = translator(language)
    return {
        "no_answers": _("nobody answered"),
        "no_margins": _("no figures of its population are given"),
        "empty_cell": _("nobody answered in {cells}"),
        "category_without_total": _("no total is given for {cells}"),
        "margins_contradict": _("no weights meet all figures at once"),
        "cannot_trim": _("too few answers for weights of this limit"),
        "owners_only": _(
            "the rules rank owners, so no answer of {cells} counts: give figures of owners alone in every margin, or"
            " use rules that rank residents"
        ),
        "composite": _("composites are not raked: rank the overall question"),
    }


def raking_page(raked: Raked, rules: Rules, language: str) -> Page:
    """Build the raking page: sentences and a table of what the weights change."""
    _ = translator(language)
    reading = [
        _(
            "Each answer has a weight, so that the respondents agree with the known figures of the population. This"
            " corrects for who answered only as far as the figures distinguish residents; those who did not answer may"
            " still have other opinions."
        ),
        _(
            "The official score is not raked unless the rules say so. weights.csv and raked.csv have every response"
            " and community."
        ),
    ]
    lead = _("Scores if the groups of residents had answered in proportion to their number.")
    sections = [
        Section(_("What the weights change"), _change_sentences(raked, language), grid=_grid(raked, language)),
        Section(_("How to read this"), reading),
    ]
    return Page(_("Weighted scores"), lead, sections, provenance_facts(rules, language))


def _change_sentences(raked: Raked, language: str) -> list[str]:
    _ = translator(language)
    done = raked.scores[raked.scores["not_raked"] == ""]
    moved = (done["score"] - done["plain_score"]).abs()
    sentences = [
        _("Communities raked: {raked} of {all}.", raked=len(done), all=len(raked.scores)),
    ]
    if len(done):
        effective = float((done["effective_responses"] / done["responses"]).mean())
        sentences.append(
            _(
                "The score changed by {mean} points on average and by {most} at most. The effective sample size is on"
                " average {share} of the answers, because weighting costs precision.",
                mean=f"{moved.mean():.1f}",
                most=f"{moved.max():.1f}",
                share=percent(effective, 0),
            )
        )
    if raked.trimmed_at is not None and (done["largest_gap"] > 0).any():
        sentences.append(
            _(
                "Weights above {ratio} times the mean were trimmed; a figure of the population is then missed by up to"
                " {gap}.",
                ratio=f"{raked.trimmed_at:g}",
                gap=percent(float(done["largest_gap"].max()), 1),
            )
        )
    return sentences


def _grid(raked: Raked, language: str) -> PageTable:
    _, why = translator(language), reason_sentences(language)
    headings = [
        _("Community"),
        _("Answers"),
        _("Effective sample size"),
        _("Plain score"),
        _("Raked score"),
        _("Interval ({level})", level=percent(raked.level)),
        _("Why not raked"),
    ]
    rows = [
        [
            row["community_id"],
            f"{row['responses']:,}",
            f"{row['effective_responses']:.1f}",
            _number(row["plain_score"]),
            _number(row["score"]) if not row["not_raked"] else "",
            between(row["lower"], row["upper"], decimals=1),
            why[row["not_raked"]].format(cells=row["cells"]) if row["not_raked"] else "",
        ]
        for row in raked.scores.head(MOST_NAMED).to_dict("records")
    ]
    return PageTable(headings, rows, 1)


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"
