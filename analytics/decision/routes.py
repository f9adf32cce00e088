"""Decide the satisfaction and the complaint route for a whole community table, region by region."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analytics.decision.criterion import (
    ELIGIBLE,
    RouteDecision,
    Texts,
    check_minimum_exposure,
    check_minimum_responses,
    decide_complaints_within,
    decide_satisfaction_within,
)
from analytics.decision.exact_ratios import (
    compute_complaint_rates,
    exposure_units,
    order_complaint_rates,
    read_scores,
    whole,
)
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.rules import Rules
from analytics.statistics.validation import FloatArray, IntegerArray


@dataclass(frozen=True)
class RankedSet:
    """A set of rows that are ranked together, and the decision about them in the same order.

    `scope` is "district", "city", or "wider_region" if a district is too small and is ranked with the city.
    """

    rows: IntegerArray
    decision: RouteDecision
    scope: Literal["district", "city", "wider_region"]


@dataclass(frozen=True)
class Route:
    """Result of one route for the whole table; `ranked` holds the ranked set of each region."""

    scores: FloatArray
    rank: FloatArray
    last_rank: FloatArray
    percentile: FloatArray
    status: Texts
    reason: Texts
    ranked: Mapping[str, RankedSet]


def rows_by_region(table: pd.DataFrame) -> dict[str, IntegerArray]:
    """Return the rows of each region, in the order of the table.

    Examples
    --------
    >>> rows = rows_by_region(pd.DataFrame({"region": ["乌达区", "海南区", "乌达区"]}))
    >>> {region: part.tolist() for region, part in rows.items()}
    {'乌达区': [0, 2], '海南区': [1]}
    """
    codes, regions = pd.factorize(table["region"])
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(regions)))
    return dict(zip(regions, np.split(order, ends[:-1]), strict=True))


def evaluate_satisfaction(table: pd.DataFrame, rules: Rules, regions: Mapping[str, IntegerArray]) -> Route:
    """Decide the satisfaction route for every community of a table.

    Parameters
    ----------
    table : DataFrame
        As `analytics.decision.community_table.check_communities` returns it.
    rules : Rules
    regions : mapping of str to ndarray of int
        The rows of each region, as `rows_by_region` returns them.

    Returns
    -------
    Route
        Ranks are NaN where a community does not take part; `reason` then says why.
    """
    rule = rules.satisfaction
    scores = read_scores(table, rule)
    minimum = rule.minimum_responses if minimum_is_tested(table, rules) else None
    responses = float_column(table, MEASURE_COLUMNS[rule.measure].responses)
    reason = check_minimum_responses(responses, float_column(table, "households"), scores.known, minimum=minimum)
    places = scores.places(reason == ELIGIBLE)

    def decide(together: Sequence[IntegerArray]) -> list[RouteDecision]:
        return decide_satisfaction_within(places, together, rule=rule)

    return _decide_regions(scores.shown, reason, decide, rules, regions)


def minimum_is_tested(table: pd.DataFrame, rules: Rules) -> bool:
    """Return whether the minimum of responses can be tested: with a given score the number of answers is unknown."""
    counted = MEASURE_COLUMNS[rules.satisfaction.measure].responses
    return rules.satisfaction.minimum_responses is not None and counted in table


def evaluate_complaints(table: pd.DataFrame, rules: Rules, regions: Mapping[str, IntegerArray]) -> Route:
    """Decide the complaint route for every community of a table, as `evaluate_satisfaction` decides the other route."""
    rule = rules.complaints
    complaints, exposure = float_column(table, "complaints"), float_column(table, "exposure_household_years")
    units = exposure_units(exposure)
    reason = check_minimum_exposure(complaints, units, minimum=rule.minimum_exposure)
    ranked = reason == ELIGIBLE
    places = np.full(len(table), np.nan)
    places[ranked] = order_complaint_rates(
        whole(complaints[ranked]), units[ranked], zeros_by_exposure=rule.zero_ties == "by_exposure"
    )

    def decide(together: Sequence[IntegerArray]) -> list[RouteDecision]:
        return decide_complaints_within(places, complaints == 0, together, rule=rule)

    rates = np.full(len(table), np.nan)
    known = (units > 0) & ~np.isnan(complaints)
    rates[known] = compute_complaint_rates(whole(complaints[known]), units[known])
    return _decide_regions(rates, reason, decide, rules, regions)


def _decide_regions(
    scores: FloatArray,
    reason: Texts,
    decide: Callable[[Sequence[IntegerArray]], list[RouteDecision]],
    rules: Rules,
    regions: Mapping[str, IntegerArray],
) -> Route:
    rank, last, share = (np.full(len(scores), np.nan) for _ in range(3))
    reason = reason.copy()
    status = np.full(len(scores), "not_assessed", dtype=object)
    status[reason == ELIGIBLE] = ""
    by_region = _rank_regions(len(scores), decide, rules, regions)
    for region, ranked in by_region.items():
        own, decision = regions[region], ranked.decision
        inside = np.searchsorted(ranked.rows, own)
        takes_part = decision.status[inside] != ""
        own, inside = own[takes_part], inside[takes_part]
        rank[own], last[own], share[own] = (
            decision.rank[inside],
            decision.last_rank[inside],
            decision.percentile[inside],
        )
        status[own], reason[own] = decision.status[inside], decision.reason[inside]
    return Route(scores, rank, last, share, status, reason, by_region)


def _rank_regions(
    size: int,
    decide: Callable[[Sequence[IntegerArray]], list[RouteDecision]],
    rules: Rules,
    regions: Mapping[str, IntegerArray],
) -> dict[str, RankedSet]:
    """Return the ranked set of each region: its own communities, or those of the whole city."""
    everyone = np.arange(size)
    if rules.region == "city":
        return dict.fromkeys(regions, RankedSet(everyone, decide([everyone])[0], "city"))
    decisions = decide(list(regions.values()))
    by_region = {
        region: RankedSet(rows, decision, "district")
        for (region, rows), decision in zip(regions.items(), decisions, strict=True)
    }
    small = [region for region, ranked in by_region.items() if ranked.decision.positions == 0]
    if small and rules.when_k_is_zero == "wider_region":
        by_region |= dict.fromkeys(small, RankedSet(everyone, decide([everyone])[0], "wider_region"))
    return by_region
