"""The criterion “within the first k of N”: eligibility, the number k of positions, and who meets it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from analytics.decision.ranks import Best, percentile_of_ranks, ranks_within
from analytics.rules import ComplaintRule, MinimumResponses, Rounding, SatisfactionRule
from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray

Status = Literal["met", "not_met", "not_assessed", "not_applicable"]
Texts = npt.NDArray[np.object_]
"""Texts of which few are different, each held once however many communities have it."""

ELIGIBLE: Final = ""
"""Marks a community that takes part, in place of a reason why not."""

RANKED_NOT_ASSESSED: Final = frozenset({"zero_complaints_undecidable", "boundary_block_too_large"})
"""Reasons why a ranked community is not assessed: nothing says what holds for a tie across the k-th position."""


@dataclass(frozen=True)
class BoundaryBlock:
    """The communities at the k-th position (the boundary block): their indices, and how many rank above them."""

    members: IntegerArray
    above: int


@dataclass(frozen=True)
class RouteDecision:
    """Decision of one route about the communities that are ranked together.

    `rank`, `last_rank` and `percentile` are NaN, `status` and `reason` are empty for those that do not take part.
    """

    eligible: int
    positions: int
    rank: FloatArray
    last_rank: FloatArray
    percentile: FloatArray
    status: Texts
    reason: Texts

    @cached_property
    def boundary_block(self) -> BoundaryBlock | None:
        """The communities at the k-th position; None if k = 0."""
        members = np.flatnonzero((self.rank <= self.positions) & (self.last_rank >= self.positions))
        if members.size == 0:
            return None
        return BoundaryBlock(members, int(self.rank[members[0]]) - 1)


def count_positions(share: Fraction, eligible: int, *, rounding: Rounding) -> int:
    """Return k, the number of qualifying positions: a share of the eligible communities, rounded.

    Parameters
    ----------
    share : Fraction
        In (0, 1].
    eligible : int
        N, the number of communities that are ranked together.
    rounding : {"floor", "ceil", "at_least_one"}
        `at_least_one` is floor, and 1 where floor gives 0.

    Returns
    -------
    int
        From 0 to N; 0 if nobody is eligible, whatever the rounding.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    Only `floor` never exceeds the share: `ceil` gives 2 of 21, which is 9.5 %.

    Examples
    --------
    >>> [count_positions(Fraction(1, 20), 21, rounding=rounding) for rounding in ("floor", "ceil", "at_least_one")]
    [1, 2, 1]
    >>> [count_positions(Fraction(1, 20), 19, rounding=rounding) for rounding in ("floor", "ceil", "at_least_one")]
    [0, 1, 1]

    As floats 0.07 × 100 is a little more than 7 and would give 8:

    >>> count_positions(Fraction(7, 100), 100, rounding="ceil")
    7
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], got {share}")
    if eligible < 0:
        raise ValueError(f"eligible must not be negative, got {eligible}")
    if rounding == "floor":
        return math.floor(share * eligible)
    if rounding == "ceil":
        return math.ceil(share * eligible)
    if rounding == "at_least_one":
        return max(math.floor(share * eligible), min(eligible, 1))
    raise ValueError(f"rounding must be floor, ceil or at_least_one, got {rounding!r}")


def count_until_next_position(share: Fraction, eligible: int, *, rounding: Rounding) -> int:
    """Return how many more eligible communities would increase k: how sensitive the outcome is to eligibility.

    Parameters
    ----------
    share, eligible, rounding
        As for `count_positions`.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> [count_until_next_position(Fraction(1, 20), n, rounding="floor") for n in (19, 20, 37)]
    [1, 20, 3]
    >>> [count_until_next_position(Fraction(1, 20), n, rounding="ceil") for n in (19, 20, 37)]
    [2, 1, 4]
    """
    positions = count_positions(share, eligible, rounding=rounding)
    if rounding == "ceil":
        return math.floor(positions / share) + 1 - eligible
    if rounding == "at_least_one" and eligible == 0:
        return 1
    return math.ceil((positions + 1) / share) - eligible


def check_minimum_responses(
    responses: FloatArray, households: FloatArray, scored: BooleanArray, *, minimum: MinimumResponses | None
) -> Texts:
    """Return each community's eligibility for the satisfaction route: `ELIGIBLE` or the reason why not.

    Parameters
    ----------
    responses, households : ndarray of float
        Whole numbers, n and H of the ranked population; NaN is unknown.
    scored : ndarray of bool
        Whether the community has a score; that of fewer responses than are ever ranked may be withheld.
    minimum : MinimumResponses or None
        None: a score is enough.

    Returns
    -------
    ndarray of str
        `no_responses`, `too_few_responses`, `households_unknown`, `too_few_for_households` or `ELIGIBLE`.

    Notes
    -----
    n ≥ least and (n ≥ enough or n ≥ share × H), in integers. If H is unknown the last condition does not hold.

    Examples
    --------
    With at least 10 answers, and 30 or half of the households, 15 of 30 are enough and 15 of 31 are not:

    >>> minimum = MinimumResponses(10, 30, Fraction(1, 2))
    >>> n, households = np.array([9.0, 15.0, 15.0, 15.0, 30.0]), np.array([9.0, 30.0, 31.0, np.nan, np.nan])
    >>> check_minimum_responses(n, households, n > 0, minimum=minimum).tolist()
    ['too_few_responses', '', 'too_few_for_households', 'households_unknown', '']
    """
    if minimum is None:
        return _choose([scored], [ELIGIBLE], "no_responses")
    share = minimum.or_share_of_households
    known = np.where(np.isnan(households), 0, households).astype(np.int64)
    counts = np.where(np.isnan(responses), 0, responses).astype(np.int64)
    is_share = ~np.isnan(households) & (counts * share.denominator >= known * share.numerator)
    withheld = (counts > 0) & (counts < minimum.least)
    return _choose(
        [~scored & ~withheld, counts < minimum.least, (counts >= minimum.enough) | is_share, np.isnan(households)],
        ["no_responses", "too_few_responses", ELIGIBLE, "households_unknown"],
        "too_few_for_households",
    )


def check_minimum_exposure(complaints: FloatArray, exposure: IntegerArray, *, minimum: Fraction) -> Texts:
    """Return each community's eligibility for the complaint route: `ELIGIBLE` or the reason why not.

    Parameters
    ----------
    complaints : ndarray of float
        Whole numbers; NaN is unknown.
    exposure : ndarray of int
        Millionths of a household-year; 0 is unknown or none.
    minimum : Fraction
        Household-years.

    Returns
    -------
    ndarray of str
        `no_complaint_data`, `denominator_missing`, `exposure_too_small` or `ELIGIBLE`.

    Examples
    --------
    >>> complaints, exposure = np.array([0.0, 0.0, 3.0, np.nan]), np.array([0, 99_999_999, 100_000_000, 200_000_000])
    >>> check_minimum_exposure(complaints, exposure, minimum=Fraction(100)).tolist()
    ['denominator_missing', 'exposure_too_small', '', 'no_complaint_data']
    """
    return _choose(
        [np.isnan(complaints), exposure <= 0, exposure < math.ceil(minimum * 1_000_000)],
        ["no_complaint_data", "denominator_missing", "exposure_too_small"],
        ELIGIBLE,
    )


def decide_satisfaction(places: FloatArray, *, rule: SatisfactionRule) -> RouteDecision:
    """Decide the satisfaction route among communities that are ranked together.

    Parameters
    ----------
    places : ndarray of float
        Any numbers in the order of the scores, such as those of `order_ratios`; NaN does not take part.
    rule : SatisfactionRule

    Returns
    -------
    RouteDecision
        Reasons: `within_k`, `tied_within_k`, `outside_k`, `tied_across_k`, `k_is_zero`.

    Notes
    -----
    Met with ties `include`: if the first of the tied positions is at most k; with `exclude`: if the last of them is.

    Examples
    --------
    Of 20 communities the best two share rank 1, and 5 % is one position:

    >>> from dataclasses import replace
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rule = load_rules(Path("data/rules/wuhai/2021-08-23.yaml")).satisfaction
    >>> places = np.array([9.0, 9.0, *[1.0] * 18])
    >>> decide_satisfaction(places, rule=rule).status[:3].tolist()
    ['met', 'met', 'not_met']
    >>> decide_satisfaction(places, rule=replace(rule, ties="exclude")).reason[:3].tolist()
    ['tied_across_k', 'tied_across_k', 'outside_k']
    """
    return decide_satisfaction_within(places, [np.arange(places.size)], rule=rule)[0]


def decide_satisfaction_within(
    places: FloatArray, regions: Sequence[IntegerArray], *, rule: SatisfactionRule
) -> list[RouteDecision]:
    """Decide the satisfaction route for each region separately, as `decide_satisfaction` does for one.

    Parameters
    ----------
    places : ndarray of float
        Those of all communities; NaN does not take part.
    regions : sequence of ndarray of int
        The communities of each region that are ranked together.
    rule : SatisfactionRule

    Returns
    -------
    list of RouteDecision
        One for each region, its communities in the order of its indices.
    """
    ordered = _RankedRegions(places, regions)
    include_ties = np.full(ordered.places.shape, rule.ties == "include")
    return ordered.split(_decide(ordered, "high", rule.share, rule.rounding, include_ties))


def decide_complaints(places: FloatArray, zero: BooleanArray, *, rule: ComplaintRule) -> RouteDecision:
    """Decide the complaint route among communities that are ranked together.

    Parameters
    ----------
    places : ndarray of float
        Any numbers in the order of the rates, such as those of `order_complaint_rates`; NaN does not take part.
    zero : ndarray of bool
        Whether the community has no complaint.
    rule : ComplaintRule

    Returns
    -------
    RouteDecision
        Reasons: those of `decide_satisfaction`, `tied_within_k_by_decision`, `tied_across_k_by_decision`,
        `zero_complaints_undecidable` and `boundary_block_too_large`.

    Notes
    -----
    Communities tied across the k-th position are the boundary block. The rule `zero_ties` applies if they have no
    complaints, otherwise `ties`. A block of more than 2k needs a written decision; without one its members are
    `not_assessed`, since the criterion gives no sensible result for them.

    Examples
    --------
    Of 20 communities three had no complaint, and 5 % is one position:

    >>> from dataclasses import replace
    >>> from pathlib import Path
    >>> from analytics.rules import load_rules
    >>> rule = replace(load_rules(Path("data/rules/wuhai/2021-08-23.yaml")).complaints, zero_ties="include")
    >>> places = np.array([0.0, 0.0, 0.0, *range(1, 18)])
    >>> decide_complaints(places, places == 0, rule=rule).reason[:4].tolist()
    ['boundary_block_too_large', 'boundary_block_too_large', 'boundary_block_too_large', 'outside_k']
    >>> decided = replace(rule, large_boundary_block="all of them, decided on 2021-09-20")
    >>> decide_complaints(places, places == 0, rule=decided).status[:4].tolist()
    ['met', 'met', 'met', 'not_met']
    """
    return decide_complaints_within(places, zero, [np.arange(places.size)], rule=rule)[0]


def decide_complaints_within(
    places: FloatArray, zero: BooleanArray, regions: Sequence[IntegerArray], *, rule: ComplaintRule
) -> list[RouteDecision]:
    """Decide the complaint route for each region separately, as `decide_complaints` does for one.

    Parameters
    ----------
    places, regions
        As in `decide_satisfaction_within`.
    zero : ndarray of bool
        Whether the community has no complaint.
    rule : ComplaintRule

    Returns
    -------
    list of RouteDecision
        As `decide_satisfaction_within` returns it.
    """
    ordered = _RankedRegions(places, regions)
    zero = zero[ordered.rows]
    zero_rule = rule.zero_ties if rule.zero_ties in {"include", "exclude"} else rule.ties
    include_ties = np.where(zero, zero_rule == "include", rule.ties == "include")
    decision = _decide(ordered, "low", rule.share, rule.rounding, include_ties)
    k, reason, status = ordered.spread(decision.positions), decision.reason.copy(), decision.status.copy()
    in_block = (decision.rank <= k) & (decision.last_rank > k)
    large = in_block & (decision.last_rank - decision.rank + 1 > 2 * k)
    undecidable = in_block & zero & (rule.zero_ties == "undecidable")
    if rule.large_boundary_block is None:
        reason[large], status[large] = "boundary_block_too_large", "not_assessed"
    else:
        reason[large] += "_by_decision"
    reason[undecidable], status[undecidable] = "zero_complaints_undecidable", "not_assessed"
    return ordered.split(replace(decision, status=status, reason=reason))


def combine_routes(satisfaction: Texts, complaints: Texts) -> tuple[Texts, Texts]:
    """Combine both routes: return the status of the criterion, which either route meets, and the route that met it.

    Parameters
    ----------
    satisfaction, complaints : ndarray of str
        Status of each community on each route.

    Returns
    -------
    status : ndarray of str
        `met` if a route is met; otherwise `not_assessed` if a route is, because it might have been met; otherwise
        `not_met` if a route is; otherwise `not_applicable`.
    route : ndarray of str
        `satisfaction`, `complaints` or `both` where the criterion is met, empty elsewhere.

    Examples
    --------
    >>> status, route = combine_routes(
    ...     np.array(["met", "not_met", "not_met", "not_applicable"]),
    ...     np.array(["met", "not_assessed", "not_applicable", "not_applicable"]),
    ... )
    >>> status.tolist(), route.tolist()
    (['met', 'not_assessed', 'not_met', 'not_applicable'], ['both', '', '', ''])
    """

    def either(status: Status) -> BooleanArray:
        return np.equal(satisfaction, status) | np.equal(complaints, status)

    combined = _choose(
        [either("met"), either("not_assessed"), either("not_met")], ["met", "not_assessed", "not_met"], "not_applicable"
    )
    route = _choose(
        [(satisfaction == "met") & (complaints == "met"), satisfaction == "met", complaints == "met"],
        ["both", "satisfaction", "complaints"],
        "",
    )
    return combined, route


@dataclass(frozen=True)
class _Decisions:
    """Decisions of all regions in flat arrays: `eligible` and `positions` by region, the rest by community."""

    eligible: IntegerArray
    positions: IntegerArray
    rank: FloatArray
    last_rank: FloatArray
    percentile: FloatArray
    status: Texts
    reason: Texts


class _RankedRegions:
    """Communities of all regions in one array, one region after the other."""

    def __init__(self, places: FloatArray, regions: Sequence[IntegerArray]) -> None:
        self.sizes = np.array([rows.size for rows in regions], dtype=np.int64)
        self.rows = np.concatenate(regions) if regions else np.empty(0, dtype=np.int64)
        self.region = np.repeat(np.arange(self.sizes.size), self.sizes)
        self.places = places[self.rows]

    def spread(self, by_region: IntegerArray) -> IntegerArray:
        return by_region[self.region]

    def split(self, decisions: _Decisions) -> list[RouteDecision]:
        ends = np.cumsum(self.sizes)
        columns = ("rank", "last_rank", "percentile", "status", "reason")
        return [
            RouteDecision(eligible, positions, **{name: getattr(decisions, name)[start:end] for name in columns})
            for eligible, positions, start, end in zip(
                decisions.eligible.tolist(), decisions.positions.tolist(), ends - self.sizes, ends, strict=True
            )
        ]


def _decide(
    together: _RankedRegions, best: Best, share: Fraction, rounding: Rounding, include_ties: BooleanArray
) -> _Decisions:
    rank, last = ranks_within(together.places, together.region, best=best)
    ranked = ~np.isnan(rank)
    eligible = np.bincount(together.region[ranked], minlength=together.sizes.size)
    different, inverse = np.unique(eligible, return_inverse=True)
    counts = [count_positions(share, size, rounding=rounding) for size in different.tolist()]
    positions = np.array(counts, dtype=np.int64)[inverse]
    k = together.spread(positions)
    tied_across = (rank <= k) & (last > k)
    included = tied_across & include_ties
    reason = _choose(
        [~ranked, k == 0, last <= k, included, tied_across],
        [ELIGIBLE, "k_is_zero", "within_k", "tied_within_k", "tied_across_k"],
        "outside_k",
    )
    status = _choose(
        [~ranked, k == 0, (last <= k) | included],
        ["", "not_applicable", "met"],
        "not_met",
    )
    percentile = percentile_of_ranks(rank, last, ranked=together.spread(eligible))
    return _Decisions(eligible, positions, rank, last, percentile, status, reason)


def _choose(conditions: Sequence[BooleanArray], texts: Sequence[str], otherwise: str) -> Texts:
    """Return the text of the first condition that each row meets."""
    every: Texts = np.array([*texts, otherwise], dtype=object)
    return every[np.select(conditions, range(len(texts)), len(texts)).astype(np.int64)]
