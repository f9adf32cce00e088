"""List margins: how few answers, added to one community, would have changed who is on the list by satisfaction."""

import numpy as np
import pandas as pd


def list_margins(standings: pd.DataFrame) -> pd.DataFrame:
    """Return for each region the fewest added answers that would have changed its list.

    Parameters
    ----------
    standings : DataFrame
        region, responses, satisfied, satisfaction_rank and satisfaction_status, ranked by the satisfaction rate.

    Returns
    -------
    DataFrame
        Index region, sorted; answers, Int64: the smaller one of the satisfied answers that would have put a ranked
        community above the last one on the list, and of the dissatisfied ones that would have put one on the list below
        the first that is not; missing where nobody is ranked outside the list or nobody is on it.

    Notes
    -----
    Of n answers s are satisfied, of N at the cut S. The m satisfied answers that are needed are the least for which
    (s + m) ÷ (n + m) > S ÷ N, so m > (Sn − sN) ÷ (N − S); the m dissatisfied ones that a community at the cut needs, to
    be below s ÷ n, the least for which S ÷ (N + m) < s ÷ n, so m > Sn ÷ s − N. All are computed with whole numbers.
    Nobody is above a cut of 100 %, and nobody below 0.

    Examples
    --------
    >>> frame = pd.DataFrame({"region": "A", "responses": [100, 40, 50], "satisfied": [90, 35, 30],
    ...     "satisfaction_rank": [1, 2, 3], "satisfaction_status": ["met", "not_met", "not_met"]})
    >>> list_margins(frame)["answers"].tolist()
    [3]
    """
    ranked = standings[standings["satisfaction_rank"].notna() & standings["satisfied"].notna()]
    margins = {region: _margin(part) for region, part in ranked.groupby("region")}
    return pd.DataFrame({"answers": pd.Series(margins, dtype="Int64")}).rename_axis("region")


def _margin(ranked: pd.DataFrame) -> int | None:
    is_met = (ranked["satisfaction_status"] == "met").to_numpy()
    if is_met.all() or not is_met.any():
        return None
    satisfied, answers = (ranked[name].to_numpy(dtype=np.int64) for name in ("satisfied", "responses"))
    order = ranked["satisfaction_rank"].to_numpy(dtype=np.int64)
    last = np.flatnonzero(is_met)[order[is_met].argmax()]
    first = np.flatnonzero(~is_met)[order[~is_met].argmin()]
    found = []
    if satisfied[last] < answers[last]:
        ahead = satisfied[last] * answers[~is_met] - satisfied[~is_met] * answers[last]
        found.append(int((ahead // (answers[last] - satisfied[last])).min()) + 1)
    if satisfied[first]:
        above = satisfied[is_met] * answers[first] - answers[is_met] * satisfied[first]
        found.append(int((above // satisfied[first]).min()) + 1)
    return min(found, default=None)
