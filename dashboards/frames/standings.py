"""Stored evaluations as the pages read them: cut-offs, scales, the order of the communities."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.decision.ranks import percentile_of_ranks, ranks_within
from analytics.evidence.bands import Evidence
from analytics.reports.labels import measure_axis, measure_words, sentence_case, valid_answers_words
from analytics.rules import share_words
from dashboards.languages import translator
from dashboards.routes import ROUTES, Route
from dashboards.source import EvaluationHeader, KeyCounts

_ESTIMATE: Final = "satisfaction_shrunk"
_FIRST_WITH_ESTIMATES: Final = 2
SUPPORTED: Final = (Evidence.CERTAIN, Evidence.LIKELY)
"""Evidence that makes it likely that a listed community should be listed."""


@dataclass(frozen=True)
class CutOff:
    """Cut-off of one region on one route.

    `k` positions meet the criterion out of `ranked` communities; `score` is what the k-th has, None where k is 0.
    """

    region: str
    ranked: int
    k: int
    score: float | None


@dataclass(frozen=True)
class Scale:
    """Scale on which the scores of a route are displayed: `factor` turns a stored score into the displayed number.

    `counted` is what the number that a score rests on is called, with the population that it is of.
    """

    title: str
    counted: str
    axis: str
    unit: str
    factor: float
    decimals: int

    def write(self, score: float | None) -> str:
        """Return a score as text, a dash where there is none."""
        if score is None or pd.isna(score):
            return "—"
        return f"{score * self.factor:,.{self.decimals}f}{self.unit}"


def scale_of(header: EvaluationHeader, route: Route, language: str) -> Scale:
    """Return the scale of a route; rate and index are different numbers and never share a name."""
    _ = translator(language)
    if route.key == "complaints":
        title = _("Complaints per 1,000 households a year")
        return Scale(title, _("Valid complaints"), _("Per 1,000 households"), "", 1, 2)
    measure = header.rules.satisfaction.measure
    unit, factor = ("%", 100) if measure == "satisfaction_rate" else ("", 1)
    return Scale(
        sentence_case(measure_words(language)[measure]),
        counted_words(header, language),
        measure_axis(measure, language),
        unit,
        factor,
        1,
    )


def counted_words(header: EvaluationHeader, language: str) -> str:
    """Return what the number of valid answers of an evaluation is called: whose answers its rules count."""
    return valid_answers_words(language)[header.rules.satisfaction.population]


def share_to_meet(header: EvaluationHeader, route: Route) -> str:
    """Return, for people, the share of communities that meets the criterion on a route by the rules."""
    rule = header.rules.satisfaction if route.key == "satisfaction" else header.rules.complaints
    return share_words(rule.share)


def in_rank_order(standings: pd.DataFrame, route: Route) -> pd.DataFrame:
    """Return the ranked communities of one region, the best first, with their `position` in the chart and `tied`.

    Tied communities share a rank and stand side by side from there on. Positions follow the ranks and not the rows,
    since an account may see only some of the communities that are ranked together.
    """
    ranks = standings[route.rank].to_numpy("float64", na_value=np.nan)
    places = np.argsort(ranks, kind="stable")[: int(np.isfinite(ranks).sum())]
    ordered, rank = standings.iloc[places], ranks[places].astype("int64")
    row = np.arange(len(rank))
    first_of_rank = np.maximum.accumulate(np.where(np.diff(rank, prepend=-1) > 0, row, 0))
    return ordered.assign(
        position=rank + row - first_of_rank,
        tied=ordered[route.last_rank].to_numpy("int64") > rank,
    )


def with_intervals(standings: pd.DataFrame, route: Route, *, evidence_method: int) -> pd.DataFrame:
    """Return the standings with intervals in `lower` and `upper` around an `estimate`, missing where none is known."""
    estimates = interval_estimates(standings, route, evidence_method)
    return standings.assign(lower=standings[route.lower], upper=standings[route.upper], estimate=estimates)


def has_estimates(route: Route, evidence_method: int) -> bool:
    """Return whether the intervals of a route lie around an estimate for all households instead of the score."""
    return route.key == "satisfaction" and evidence_method >= _FIRST_WITH_ESTIMATES


def interval_estimates(
    standings: pd.DataFrame, route: Route, evidence_method: "int | pd.Series[int]"
) -> "pd.Series[float]":
    """Return what each interval is drawn around.

    That is the estimate for all households where `has_estimates` says so, else the score itself.
    """
    methods = pd.Series(evidence_method, index=standings.index)
    with_estimates = [method for method in methods.unique() if has_estimates(route, method)]
    return standings[route.score].mask(methods.isin(with_estimates), standings[_ESTIMATE])


def percentiles_together(standings: pd.DataFrame, route: Route) -> "pd.Series[float]":
    """Return the percentile of each community among all of the standings that are ranked on a route, NaN without rank.

    The rules rank within regions; this compares across them, for display only.
    """
    scores = standings[route.score].to_numpy("float64", na_value=np.nan)
    scores = np.where(standings[route.rank].notna(), scores, np.nan)
    rank, last = ranks_within(scores, np.zeros(len(scores), "int64"), best="low" if route.fewest_first else "high")
    ranked = int(np.count_nonzero(~np.isnan(scores)))
    return pd.Series(percentile_of_ranks(rank, last, ranked=ranked), index=standings.index)


def is_left_open(standings: pd.DataFrame) -> "pd.Series[bool]":
    """Return which communities meet the criterion by no route on which the data make it likely that they should."""
    supported = [
        met(standings, route.status) & standings[route.evidence].isin([str(band) for band in SUPPORTED])
        for route in ROUTES.values()
    ]
    return met(standings, "criterion_status") & ~(supported[0] | supported[1])


def regions_of(standings: pd.DataFrame) -> list[str]:
    """Return the regions in the order in which their first community comes."""
    return [str(region) for region in standings["region"].unique()]


def in_region(standings: pd.DataFrame, region: str | None) -> pd.DataFrame:
    """Return the communities of one region, or all of them if none is asked for."""
    return standings if region is None else standings[standings["region"] == region]


def among(keys: "pd.Series[str]", others: "pd.Series[str]") -> "pd.Series[bool]":
    """Return which keys are among unique others; `isin` takes twenty times as long for 100,000."""
    if isinstance(keys.dtype, pd.CategoricalDtype):
        # Each word is sought once, however often it stands there; a missing key has the place -1, that of the last.
        is_known = np.append(pd.Index(others).get_indexer(keys.cat.categories) >= 0, False)
        return pd.Series(is_known[keys.cat.codes], index=keys.index)
    return pd.Series(pd.Index(others).get_indexer(pd.Index(keys)) >= 0, index=keys.index)


def met(standings: pd.DataFrame, column: str) -> "pd.Series[bool]":
    """Return which communities have the status `met` in `column`."""
    return standings[column] == "met"


def key_counts_of(standings: pd.DataFrame) -> KeyCounts:
    """Return the key counts of some standings."""
    counted = standings.loc[
        standings["satisfaction_rank"].notna() & standings["satisfied"].notna(),
        ["responses", "satisfied", "households"],
    ]
    known = counted[counted["households"].notna()]
    return KeyCounts(
        communities=len(standings),
        ranked={route.key: int(standings[route.rank].notna().sum()) for route in ROUTES.values()},
        met=int(met(standings, "criterion_status").sum()),
        responses=known_sum(standings["responses"]),
        rated=known_sum(counted["responses"]),
        satisfied=known_sum(counted["satisfied"]),
        covered=known_sum(known["responses"]),
        households=known_sum(known["households"]),
    )


def satisfied_rate(counts: KeyCounts) -> float:
    """Return the share of the rated answers that is satisfied; 0 without any."""
    return (counts.satisfied or 0) / (counts.rated or 1)


def known_sum(numbers: "pd.Series[int]") -> int | None:
    """Return the sum of the known numbers, None where none is known: unknown is not zero."""
    return int(numbers.sum()) if numbers.notna().any() else None


def cut_offs(header: EvaluationHeader, route: Route) -> list[CutOff]:
    """Return the cut-off of each region on a route, as the evaluation recorded it.

    A region too small for a position may be ranked with the whole city: then these are the city's.
    """
    return [
        CutOff(region, ranked=said[route.key]["N"], k=said[route.key]["k"], score=said[route.key]["cut_off_score"])
        for region, said in header.summary["regions"].items()
    ]


def sees_everything(header: EvaluationHeader, inputs: pd.DataFrame) -> bool:
    """Return whether an account that reads these inputs sees every community that was evaluated."""
    total = header.summary["total"]
    return total is not None and total["communities"] == len(inputs)


def sees_whole_regions(header: EvaluationHeader, inputs: pd.DataFrame) -> bool:
    """Return whether an account sees every region whole: what-if standings need all that are ranked together."""
    if sees_everything(header, inputs):
        return True
    regions = header.summary["regions"]
    seen = inputs["region"].value_counts()
    is_own = header.rules.when_k_is_zero == "not_applicable"
    return is_own and all(regions[region]["communities"] == count for region, count in seen.items())
