"""Reliability of each region's official list, and how many communities further answers could settle."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.evaluate import Evaluation
from analytics.decision.summary import COLUMN_PREFIXES
from analytics.evidence.bands import Evidence, expected_true_members, list_with_controlled_fdr, overall_reliability
from analytics.evidence.list_stability import assess_list_stability
from analytics.evidence.observations import observations_of
from analytics.statistics.validation import BooleanArray

LIST_FALSE_DISCOVERY_RATE: Final = 0.1
"""Largest expected share of false members (false discovery rate) of a list “with few false”."""

MOST_NAMED: Final = 20
"""Number of communities that are named as those of a list with few false members."""

_DECIMALS: Final = 6

_SUPPORT: Final = ("expected_rightful", "standard_deviation", "few_false", "few_false_named")

_SUMMARISED_EVIDENCE: Final = (
    "community_id",
    "satisfaction_evidence",
    "satisfaction_top_probability",
    "satisfaction_shrunk",
    "satisfaction_shrunk_deviation",
    "satisfaction_needed_responses",
    "satisfaction_needed_assurance",
    "complaint_evidence",
    "complaint_top_probability",
)


def summarise_evidence(evaluation: Evaluation, evidence: pd.DataFrame) -> dict[str, Any]:
    """Summarise for each region how far the data support its official list.

    Parameters
    ----------
    evaluation : Evaluation
    evidence : DataFrame
        From `weigh_evidence`.

    Returns
    -------
    dict
        By region, then by route ("satisfaction", "complaints"), JSON values; numbers have six decimals:

        - ``listed``: communities that meet the route; ``expected_rightful``: how many of them are expected to be truly
          among the k best (ΣP), with its ``standard_deviation``;
        - ``few_false``: length of the longest list of which at most a tenth is expected to be false;
          ``few_false_named``: the first `MOST_NAMED` of it, the most probable first, ties by id;
        - ``evidence``: number of communities in each band, missing ones left out.

        ``satisfaction`` also has ``reliability``: the share of the variance between communities that the survey
        explains, None if unknown; and ``needed``: how many communities are ``settled``, how many further answers are
        predicted to settle (``reachable``) or not (``not_reachable``), and for how many the households are unknown
        (``unknown``). For a route without any probability the first five are None, except ``listed``.

    Examples
    --------
    >>> from pathlib import Path
    >>> from analytics.decision.evaluate import evaluate
    >>> from analytics.rules import load_rules
    >>> from analytics.evidence.weigh_evidence import weigh_evidence
    >>> communities = pd.DataFrame({
    ...     "community_id": [f"{number:03}" for number in range(20)], "region": "海南区",
    ...     "responses": 200, "satisfied": [199, 150, 150, *[140] * 17],
    ... })
    >>> result = evaluate(communities, load_rules(Path("data/rules/wuhai/2021-08-23.yaml")))
    >>> route = summarise_evidence(result, weigh_evidence(result))["海南区"]["satisfaction"]
    >>> route["listed"], round(route["expected_rightful"], 2), route["few_false"], route["evidence"]
    (1, 1.0, 1, {'certain': 1, 'no': 19})
    >>> route["needed"]
    {'settled': 20, 'reachable': 0, 'not_reachable': 0, 'unknown': 0}
    """
    observations = observations_of(evaluation)
    evidence, standings = evidence[list(_SUMMARISED_EVIDENCE)].iloc[observations.order], observations.standings
    result: dict[str, Any] = {region: {} for region in sorted(evaluation.summary["regions"])}
    for route, prefix in COLUMN_PREFIXES.items():
        known = evidence[f"{prefix}_top_probability"].notna().to_numpy()
        listed = (standings[f"{prefix}_status"] == "met").to_numpy()
        region = standings["region"].to_numpy(dtype=np.str_)
        chances = evidence.loc[known, f"{prefix}_top_probability"].set_axis(evidence.loc[known, "community_id"])
        supported = _supported_lists(chances, listed[known], region[known])
        words = evidence[f"{prefix}_evidence"].groupby(region).value_counts(sort=False).to_dict()
        met = pd.Series(listed).groupby(region).sum().to_dict()
        for name, facts in result.items():
            facts[route] = {
                "listed": int(met.get(name, 0)),
                **supported.get(name, dict.fromkeys(_SUPPORT)),
                "evidence": {str(word): int(words[name, word]) for word in Evidence if (name, word) in words},
            }
    shares, needed = _reliabilities(evidence, standings), _count_needed(evidence, standings)
    stability = assess_list_stability(evaluation, observations)
    for name, facts in result.items():
        facts["satisfaction"] |= {
            "reliability": shares.get(name),
            "needed": needed[name],
            "stability": stability.get(name),
        }
    return result


def _supported_lists(
    probability: "pd.Series[float]", listed: BooleanArray, region: npt.NDArray[np.str_]
) -> dict[str, dict[str, Any]]:
    """Return what supports the list of each region, from the probabilities of communities in the order of ids."""
    chance = probability.to_numpy()
    members = expected_true_members(chance, listed, region=region)
    few = list_with_controlled_fdr(chance, region=region, false_discovery_rate=LIST_FALSE_DISCOVERY_RATE)
    members["few_false"] = pd.Series(few).groupby(region).sum()
    best_first = np.argsort(-chance, kind="stable")
    best_first = best_first[few[best_first]]
    ids = pd.Series(probability.index[best_first])
    named = {label: own.head(MOST_NAMED).tolist() for label, own in ids.groupby(region[best_first])}
    return {
        str(name): {
            "expected_rightful": round(expected, _DECIMALS),
            "standard_deviation": round(deviation, _DECIMALS),
            "few_false": few_false,
            "few_false_named": named.get(name, []),
        }
        for name, expected, deviation, few_false in zip(
            members.index,
            members["expected"].tolist(),
            members["standard_deviation"].tolist(),
            members["few_false"].tolist(),
            strict=True,
        )
    }


def _reliabilities(evidence: pd.DataFrame, standings: pd.DataFrame) -> dict[str, float]:
    known = evidence["satisfaction_shrunk"].notna().to_numpy()
    shares = overall_reliability(
        evidence.loc[known, "satisfaction_shrunk"],
        evidence.loc[known, "satisfaction_shrunk_deviation"] ** 2,
        region=standings.loc[known, "region"].to_numpy(dtype=np.str_),
    ).dropna()
    return {str(region): round(float(share), _DECIMALS) for region, share in shares.items()}


def _count_needed(evidence: pd.DataFrame, standings: pd.DataFrame) -> dict[str, dict[str, int]]:
    needed, assurance = evidence["satisfaction_needed_responses"], evidence["satisfaction_needed_assurance"]
    weighed, foreseen = evidence["satisfaction_evidence"].notna(), assurance.notna()
    found = {
        "settled": needed.eq(0).fillna(value=False),
        "reachable": needed.gt(0).fillna(value=False),
        "not_reachable": foreseen & needed.isna(),
        "unknown": weighed & ~foreseen,
    }
    counts = pd.DataFrame(found).astype("int64").groupby(standings["region"].to_numpy(dtype=np.str_)).sum()
    return {
        str(region): {str(name): int(count) for name, count in row.items()}
        for region, row in counts.to_dict(orient="index").items()
    }
