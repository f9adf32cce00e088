"""Answers that staff typed in: whether they differ by who typed them, region by region."""

from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.statistics.clerk_effects import compare_clerks

Facts = dict[str, Any] | None

# Enough to say how much; further digits would tell more of single answers.
_DECIMALS: Final = 2


def compare_clerks_by_region(typed: pd.DataFrame, communities: pd.DataFrame) -> dict[str, Facts]:
    """Compare the answers that clerks typed in within the communities of each region, as JSON values.

    Parameters
    ----------
    typed : DataFrame
        One row for each community and clerk: community_id, clerk, n valid answers that the clerk typed in, and how many
        of them are satisfied.
    communities : DataFrame
        As `analytics.decision.community_table.check_communities` returns it. Only those of which the satisfied answers
        are known take part, so that nothing follows about those where they are withheld.

    Returns
    -------
    dict
        By region: ``clerks``, ``communities``, ``answers``, ``p_value`` and ``deviation`` of
        `analytics.statistics.clerk_effects.ClerkComparison`, shares with two decimals; None where no two clerks can be
        compared. Nobody is named.

    Examples
    --------
    >>> table = pd.DataFrame({"community_id": ["1", "2"], "region": ["r", "s"], "satisfied": [64, 40]})
    >>> typed = pd.DataFrame({"community_id": "1", "clerk": [7, 9], "n": 40, "satisfied": [38, 26]})
    >>> compare_clerks_by_region(typed, table)
    {'r': {'clerks': 2, 'communities': 1, 'answers': 80, 'p_value': 0.0, 'deviation': 0.2}, 's': None}
    """
    told = communities.set_index("community_id")["satisfied"].notna()
    region_of = communities.set_index("community_id")["region"]
    own = typed[typed["community_id"].isin(told.index[told])]
    labels = region_of.reindex(own["community_id"]).to_numpy(dtype=object)
    found: dict[str, Facts] = dict.fromkeys(sorted(communities["region"].unique().tolist()))
    for region in np.unique(labels.astype(np.str_)).tolist():
        pairs = own[labels == region]
        comparison = compare_clerks(
            pairs["satisfied"], pairs["n"], community=pairs["community_id"], clerk=pairs["clerk"]
        )
        if comparison is not None:
            found[region] = {
                "clerks": comparison.clerks,
                "communities": comparison.communities,
                "answers": comparison.answers,
                "p_value": round(comparison.p_value, _DECIMALS),
                "deviation": round(comparison.deviation, _DECIMALS),
            }
    return found
