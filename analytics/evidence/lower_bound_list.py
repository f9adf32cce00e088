"""List by lower bounds: who would be listed if communities were ordered by the least that their answers support."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.decision.ranks import ranks_within
from analytics.evidence.observations import rankings
from analytics.rules import Ties


def list_by_lower_bound(
    standings: pd.DataFrame, lower: npt.ArrayLike, regions: Mapping[str, Any], *, ties: Ties
) -> pd.DataFrame:
    """Return who would be listed by satisfaction if the lower ends of the intervals were ranked instead of the scores.

    Parameters
    ----------
    standings : DataFrame, n rows
        Of an evaluation, with region and satisfaction_rank: whoever is ranked by it is ranked here.
    lower : array_like of float, shape (n,)
        Lower end of the interval of each score, in any unit; NaN where none is known.
    regions : mapping
        ``summary["regions"]`` of the evaluation: as many positions as there.
    ties : {"include", "exclude"}
        Whether communities with one lower end at the last position are all listed, or none of them.

    Returns
    -------
    DataFrame, n rows
        Index that of the standings: ``rank`` by the lower ends, 1 is the highest, ties share the better one, NaN for a
        community that is not ranked or has none; ``listed``, whether it would be. Both are of those that the community
        is ranked with, where that is a wider region too.

    Notes
    -----
    Ten answers of ten are a rate of 1 with a wide interval, ninety-six of a hundred one of .96 with a narrow one. By
    scores a very content city is decided by its smallest communities; by lower ends each needs the answers for its
    place. It is no decision: rules say by what communities are ordered.

    Examples
    --------
    >>> standings = pd.DataFrame({"region": "海南区", "satisfaction_rank": [1, 2, 3, None]})
    >>> list_by_lower_bound(
    ...     standings, [0.72, 0.90, 0.85, np.nan], {"海南区": {"satisfaction": {"k": 1, "ranked_with": "district"}}},
    ...     ties="exclude",
    ... ).values.tolist()
    [[3.0, False], [1.0, True], [2.0, False], [nan, False]]
    """
    bounds = np.asarray(lower, dtype=np.float64)
    found = pd.DataFrame({"rank": np.full(len(standings), np.nan), "listed": False}, index=standings.index)
    ranks, listed = found["rank"].to_numpy().copy(), found["listed"].to_numpy().copy()
    for ranking in rankings("satisfaction", standings, regions):
        rank, last = ranks_within(bounds[ranking.rows], ranking.region, best="high")
        decided = ranking.rows[ranking.shown]
        ranks[decided] = rank[ranking.shown]
        # NaN is below no number of positions.
        within = (last if ties == "exclude" else rank) <= ranking.size
        listed[decided] = within[ranking.shown]
    return found.assign(rank=ranks, listed=listed)
