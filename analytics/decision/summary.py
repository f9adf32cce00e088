"""Summary of an evaluation: the deciding numbers of each region and route, and warnings."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.criterion import Status, count_until_next_position
from analytics.decision.routes import RankedSet, Route, minimum_is_tested, rows_by_region
from analytics.decision.table_columns import MEASURE_COLUMNS, float_column
from analytics.rules import ComplaintRule, Rules, SatisfactionRule, share_text
from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
"""Every status that a route or the criterion can have."""

RouteName = Literal["satisfaction", "complaints"]

COLUMN_PREFIXES: Final[Mapping[RouteName, str]] = {"satisfaction": "satisfaction", "complaints": "complaint"}
"""Prefix of the columns of each route in standings and evidence."""

_Warning = dict[str, Any]
_ROUTES_MET: Final = ("satisfaction", "complaints", "both")


def summarise(
    standings: pd.DataFrame, table: pd.DataFrame, rules: Rules, satisfaction: Route, complaints: Route
) -> dict[str, Any]:
    """Summarise an evaluation, as `analytics.decision.evaluate.Evaluation` describes it.

    Parameters
    ----------
    standings, table : DataFrame
        The standings and the checked table that they come from, with the same rows.
    rules : Rules
    satisfaction, complaints : Route

    Returns
    -------
    dict
        JSON values only.
    """
    regions = rows_by_region(table)
    statuses = {
        name: _places(standings[f"{prefix}_status"], STATUSES)
        for name, prefix in (*COLUMN_PREFIXES.items(), ("criterion", "criterion"))
    }
    routes_met = _places(standings["criterion_route"], _ROUTES_MET)

    def count(rows: IntegerArray) -> dict[str, Any]:
        counts: dict[str, Any] = {name: _count(values[rows], STATUSES) for name, values in statuses.items()}
        counts["criterion"] |= {"met_by": _count(routes_met[rows], _ROUTES_MET)}
        return {"communities": len(rows)} | counts

    stated = {
        "satisfaction": _state_satisfaction(rules.satisfaction),
        "complaints": _state_complaints(rules.complaints),
    }
    flagged = _flag_rows(table, rules)
    exposure = float_column(table, "exposure_household_years")
    result = {}
    for region, rows in regions.items():
        entry = count(rows)
        for name, route, rule in (
            ("satisfaction", satisfaction, rules.satisfaction),
            ("complaints", complaints, rules.complaints),
        ):
            entry[name] |= stated[name] | _describe(route, route.ranked[region], rule)
        entry["complaints"] |= _describe_exposure(exposure, complaints.ranked[region])
        entry["warnings"] = [
            *_warn_of_route("satisfaction", satisfaction.ranked[region], rules.satisfaction),
            *_warn_of_route("complaints", complaints.ranked[region], rules.complaints),
            *_warn_of_rows(flagged, rows),
        ]
        result[region] = entry
    return {"regions": result, "total": count(np.arange(len(table))), "warnings": list(_warn_of_table(table, rules))}


def _places(values: "pd.Series[str]", names: tuple[str, ...]) -> npt.NDArray[np.int8]:
    """Return the place of each value among some names, -1 where it is none of them."""
    return np.asarray(pd.Categorical(values, categories=list(names)).codes)


def _count(places: npt.NDArray[np.int8], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: int(np.count_nonzero(places == place)) for place, name in enumerate(names)}


def _state_satisfaction(rule: SatisfactionRule) -> dict[str, Any]:
    minimum = rule.minimum_responses
    domains = {question: share_text(weight) for question, weight in rule.domains.items()}
    return {
        "measure": rule.measure,
        **({"domains": domains} if domains else {}),
        "population": rule.population,
        "share": share_text(rule.share),
        "rounding": rule.rounding,
        "ties": rule.ties,
        "minimum_responses": None
        if minimum is None
        else {
            "least": minimum.least,
            "enough": minimum.enough,
            "or_share_of_households": share_text(minimum.or_share_of_households),
        },
    }


def _state_complaints(rule: ComplaintRule) -> dict[str, Any]:
    return {
        "share": share_text(rule.share),
        "rounding": rule.rounding,
        "ties": rule.ties,
        "zero_ties": rule.zero_ties,
        "minimum_exposure": str(rule.minimum_exposure),
        "large_boundary_block": rule.large_boundary_block,
    }


def _describe(route: Route, ranked: RankedSet, rule: SatisfactionRule | ComplaintRule) -> dict[str, Any]:
    decision, block = ranked.decision, ranked.decision.boundary_block
    return {
        "ranked_with": ranked.scope,
        "N": decision.eligible,
        "k": decision.positions,
        "cut_off_score": None if block is None else float(route.scores[ranked.rows[block.members[0]]]),
        "above_cut_off": None if block is None else block.above,
        "tied_at_cut_off": None if block is None else len(block.members),
        "until_next_position": count_until_next_position(rule.share, decision.eligible, rounding=rule.rounding),
    }


def _describe_exposure(exposure: FloatArray, ranked: RankedSet) -> dict[str, Any]:
    """Return the least exposure at the k-th position: communities without complaints are ordered by exposure."""
    block = ranked.decision.boundary_block
    least = None if block is None else float(exposure[ranked.rows[block.members]].min())
    return {"cut_off_exposure_household_years": least}


def _warn_of_route(name: RouteName, ranked: RankedSet, rule: SatisfactionRule | ComplaintRule) -> Iterator[_Warning]:
    decision, block = ranked.decision, ranked.decision.boundary_block
    facts = {"N": decision.eligible, "k": decision.positions, "share": share_text(rule.share)}
    if ranked.scope == "wider_region":
        yield _warning("ranked_with_wider_region", name, facts)
    if block is None:
        yield _warning("k_is_zero" if decision.eligible else "nobody_eligible", name, facts)
        return
    if decision.positions > rule.share * decision.eligible:
        yield _warning("more_than_share", name, facts)
    if block.above + len(block.members) > decision.positions:
        # All members have the same decision, so the first one is enough.
        reason = str(decision.reason[block.members[0]])
        facts |= {"tied": len(block.members), "met": int(np.count_nonzero(decision.status == "met"))}
        if isinstance(rule, ComplaintRule) and reason.endswith("_by_decision"):
            facts["decision"] = rule.large_boundary_block
        yield _warning(reason, name, facts)


def _flag_rows(table: pd.DataFrame, rules: Rules) -> dict[tuple[str, RouteName], BooleanArray]:
    """Return the rows that cause a warning, by the code of the warning and its route."""
    counted = MEASURE_COLUMNS[rules.satisfaction.measure].responses
    crowded = float_column(table, counted) > float_column(table, "households")
    fallback = np.zeros(len(table), dtype=bool)
    if "denominator_source" in table:
        fallback = ~table["denominator_source"].isin(["", rules.complaints.denominator]).to_numpy(dtype=bool)
    return {
        ("more_responses_than_households", "satisfaction"): crowded,
        ("denominator_fallback", "complaints"): fallback,
    }


def _warn_of_rows(flagged: Mapping[tuple[str, RouteName], BooleanArray], rows: IntegerArray) -> Iterator[_Warning]:
    for (code, name), flags in flagged.items():
        communities = int(np.count_nonzero(flags[rows]))
        if communities:
            yield _warning(code, name, {"communities": communities})


def _warn_of_table(table: pd.DataFrame, rules: Rules) -> Iterator[_Warning]:
    if rules.satisfaction.minimum_responses is not None and not minimum_is_tested(table, rules):
        yield _warning("minimum_responses_not_tested", "satisfaction", {})
    if "complaints" not in table:
        yield _warning("no_complaint_columns", "complaints", {})


def _warning(code: str, route: RouteName, facts: Mapping[str, Any]) -> _Warning:
    return {"code": code, "route": route, "facts": dict(facts)}
