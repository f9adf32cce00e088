"""Every outcome that the two routes of a community can have together, with the ranks that stand beside them."""

from itertools import product

import numpy as np

from analytics.decision.criterion import combine_routes

RANKED = {
    "within_k": "met",
    "tied_within_k": "met",
    "outside_k": "not_met",
    "tied_across_k": "not_met",
    "k_is_zero": "not_applicable",
}
UNRANKED = {
    "satisfaction": ("no_responses", "too_few_responses", "too_few_for_households", "households_unknown"),
    "complaint": ("no_complaint_data", "denominator_missing", "exposure_too_small"),
}
UNDECIDED = ("zero_complaints_undecidable", "boundary_block_too_large")


def route_outcomes(prefix):
    """Return every status and reason that a route can end with, with the rank that stands beside it."""
    outcomes = [(status, reason, 18) for reason, status in RANKED.items()]
    outcomes += [("not_assessed", reason, None) for reason in UNRANKED[prefix]]
    if prefix == "complaint":
        outcomes += [("met", "tied_within_k_by_decision", 1), ("not_met", "tied_across_k_by_decision", 1)]
        outcomes += [("not_assessed", reason, 1) for reason in UNDECIDED]
    names = [f"{prefix}_{name}" for name in ("status", "reason", "rank")]
    return [dict(zip(names, outcome, strict=True)) for outcome in outcomes]


def all_standings():
    """Yield standings with all pairs of outcomes of the two routes."""
    for satisfaction, complaints in product(route_outcomes("satisfaction"), route_outcomes("complaint")):
        statuses = np.array([satisfaction["satisfaction_status"]]), np.array([complaints["complaint_status"]])
        status, route = combine_routes(*statuses)
        yield satisfaction | complaints | {"criterion_status": status[0], "criterion_route": route[0] or None}
