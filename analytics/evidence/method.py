"""The method by which evidence is weighed: its number, which every evaluation states, and whether two agree."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pandas as pd

from analytics.evidence.bands import CERTAIN_FROM, LIKELY_FROM, NO_TO, UNLIKELY_TO
from analytics.statistics.validation import BooleanArray, FloatArray

EVIDENCE_METHOD: Final = 5
"""Number of the method. It changes whenever equal inputs can get other evidence; decisions never depend on it.

1. The probability shown left the nonresponse term ω out, the word included it. `unlikely` and `no` needed a reliability
   of .5 or a rank bound. The routes had to agree on a band. Zero by luck did not ask whether there was no complaint.
   Intervals were Wilson's, or Student's for means, around the observed score. The threshold was taken as known in
   regions of 200 communities and more.
2. One posterior of what all households would answer, ω and the uncertainty of the threshold included, gives
   probability, word, order and interval, which is the credible one. One fulfilled route is enough. Only a zero can be
   one by luck.
3. Several answers of one household on posters count for less, by a design effect. Complaints of a household that
   complains again make counts vary more: limits of rates are negative binomial, and their posteriors are wider. How
   much follows from the table where it tells, else from a rule file of format 2; without either it is as by method 2.
4. Where the table says that late answers differ from early ones by more than ω of the rules allows for, ω is raised to
   what they suggest, never lowered; without that column it is as by method 3.
5. Likewise where it says that answers through slips differ from those through posters; without that column it is as by
   method 4.
"""

TOLERANCE: Final = 1e-6
"""By how much evidence of the same method may differ between machines, relative to numbers above 1."""

_PROBABILITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "satisfaction": ("satisfaction_top_probability",),
    "complaint": ("complaint_top_probability",),
    "criterion": ("criterion_lower", "criterion_upper"),
}


def differing_evidence(stored: pd.DataFrame, computed: pd.DataFrame) -> list[str]:
    """Return the communities whose evidence differs by more than `TOLERANCE`, in the order of the first frame.

    Parameters
    ----------
    stored, computed : DataFrame
        Columns `analytics.evidence.weigh_evidence.EVIDENCE_COLUMNS`, of the same method and the same communities in any
        order.

    Notes
    -----
    A word, its reason or a number of answers may differ where a probability is within the tolerance of the edge of a
    band.

    Examples
    --------
    >>> stored = pd.DataFrame({"community_id": ["a", "b"], "satisfaction_top_probability": [0.9, 0.5]})
    >>> differing_evidence(stored, stored.assign(satisfaction_top_probability=[0.9 + 1e-8, 0.6]))
    ['b']
    """
    again = computed.set_index("community_id").reindex(stored["community_id"])
    differs = np.zeros(len(stored), dtype=bool)
    for name, at_an_edge in _columns(stored):
        before, after = stored[name], again[name]
        if pd.api.types.is_float_dtype(before.dtype):
            differs |= ~_close(before.to_numpy(np.float64), after.to_numpy(np.float64))
        else:
            same = before.astype(object).fillna("").to_numpy() == after.astype(object).fillna("").to_numpy()
            differs |= ~same & ~at_an_edge
    return [str(community) for community in stored["community_id"][differs]]


def _columns(stored: pd.DataFrame) -> Iterator[tuple[str, BooleanArray]]:
    """Yield every column of evidence, with where the probability behind it is at the edge of a band."""
    for name in stored.columns.drop("community_id"):
        behind = [chance for chance in _PROBABILITIES[str(name).partition("_")[0]] if chance in stored]
        edges = [_is_at_an_edge(stored[chance].to_numpy(np.float64)) for chance in behind]
        yield str(name), np.logical_or.reduce(edges, axis=0) if edges else np.zeros(len(stored), dtype=bool)


def _is_at_an_edge(chance: FloatArray) -> BooleanArray:
    edges = np.array([NO_TO, UNLIKELY_TO, LIKELY_FROM, CERTAIN_FROM])
    return np.asarray((np.abs(chance[:, None] - edges) <= TOLERANCE).any(axis=1))


def _close(before: FloatArray, after: FloatArray) -> BooleanArray:
    return np.asarray(np.isclose(before, after, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))
