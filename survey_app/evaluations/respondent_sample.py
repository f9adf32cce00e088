"""Sample of respondents by region, of which no more are kept than drivers are estimated from."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import compute

MOST_RESPONDENTS: Final = 200_000
"""Most respondents of one region, drawn at random where there are more: drivers need no more of them."""

UNANSWERED: Final = -1
"""Stands for no code, so that codes stay two bytes."""

# Steele GL, Lea D, Flood CH (2014), Fast splittable pseudorandom number generators: SplitMix64.
_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_FACTORS: Final = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST_SHIFT: Final = np.uint64(31)

# How many times `most` may be held: to sort at each batch would cost more than to keep some more for a while.
_SPARE: Final = 1.25


class RespondentSample:
    """Answers of up to `most` respondents of each region, drawn by their ids: whatever the order of batches.

    Of a community without a region nobody is kept.
    """

    def __init__(self, questions: Sequence[str], region_of: Mapping[int, str], *, most: int = MOST_RESPONDENTS) -> None:
        self._questions, self._most = list(questions), most
        self._regions = sorted(set(region_of.values()))
        places = {region: place for place, region in enumerate(self._regions)}
        self._place_of = pd.Series({community: places[region] for community, region in region_of.items()})
        self._kept: list[list[_Rows]] = [[] for _ in self._regions]
        # By region the highest number with which anybody is still among those kept, once there were too many.
        self._limits: list[np.uint64 | None] = [None for _ in self._regions]

    def add(self, batch: pa.RecordBatch) -> None:
        """Draw among the respondents of a batch, too: its `response_id`, `community` and answers."""
        communities = batch.column("community").to_numpy()
        codes = [compute.fill_null(batch.column(name), UNANSWERED).to_numpy() for name in self._questions]
        rows = _Rows(_draw(batch.column("response_id").to_numpy()), communities, np.column_stack(codes))
        of_region = self._place_of.reindex(communities, fill_value=-1).to_numpy()
        for place in np.unique(of_region[of_region >= 0]).tolist():
            limit = self._limits[place]
            may_stay = of_region == place if limit is None else (of_region == place) & (rows.drawn <= limit)
            self._keep(place, rows.chosen(may_stay))

    def respondents(self, region: str) -> pd.DataFrame:
        """Return `community` and the codes of the sample of a region, `UNANSWERED` where there is none."""
        kept = self._cut(self._regions.index(region)) if region in self._regions else None
        if kept is None:
            return pd.DataFrame(columns=["community", *self._questions], dtype="int64")
        frame = pd.DataFrame(kept.codes, columns=self._questions)
        frame.insert(0, "community", kept.communities)
        return frame

    def _keep(self, place: int, rows: "_Rows") -> None:
        kept = self._kept[place]
        kept.append(rows)
        if sum(len(each) for each in kept) > _SPARE * self._most:
            self._cut(place)

    def _cut(self, place: int) -> "_Rows | None":
        """Let nobody stay in a region but those that were drawn first, and return them; None if there is nobody."""
        joined = _joined(self._kept[place])
        if joined is None:
            return None
        first = joined.first(self._most)
        self._kept[place] = [first]
        if len(first) == self._most:
            self._limits[place] = first.drawn.max()
        return first


class _Rows:
    """Respondents with the numbers that were drawn for them: those with the lowest stay."""

    def __init__(
        self, drawn: npt.NDArray[np.uint64], communities: npt.NDArray[np.int64], codes: npt.NDArray[np.int16]
    ) -> None:
        self.drawn, self.communities, self.codes = drawn, communities, codes

    def __len__(self) -> int:
        return len(self.drawn)

    def chosen(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "_Rows":
        return _Rows(self.drawn[rows], self.communities[rows], self.codes[rows])

    def first(self, most: int) -> "_Rows":
        return self.chosen(np.argsort(self.drawn)[:most])


def _joined(rows: Sequence[_Rows]) -> _Rows | None:
    if not rows:
        return None
    return _Rows(
        np.concatenate([each.drawn for each in rows]),
        np.concatenate([each.communities for each in rows]),
        np.concatenate([each.codes for each in rows]),
    )


def _draw(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return a number for each id that looks random and is always the same."""
    drawn = ids.astype(np.uint64) * _GAMMA
    for shift, factor in _FACTORS:
        drawn = (drawn ^ (drawn >> shift)) * factor
    return drawn ^ (drawn >> _LAST_SHIFT)
