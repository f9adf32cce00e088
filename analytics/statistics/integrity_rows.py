"""Rows of the integrity signals: all responses in narrow columns, and blocks of communities for what is computed.

What is compared across communities are counts. So the columns of all responses are held as narrow as they can be, about
60 bytes of each, and whatever a signal computes beside them it computes in blocks of whole communities.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.statistics.sending_times import Habits, Sendings, habits_of
from analytics.statistics.validation import BooleanArray, FloatArray, IntegerArray, refuse, whole_numbers

HIGHEST: Final = 5
# So many answers a day may come over the line of one home.
LARGEST_HOUSEHOLD: Final = 5
KEYS: Final = ("device", "household", "address", "prefix", "poster")
UNKNOWN: Final = -1
# So many, or one community: computing with them takes some megabytes, and hardly more time than with all at once.
BLOCK_ROWS: Final = 20_000

Codes = npt.NDArray[np.int8]
Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Block:
    """Responses of some communities in canonical order: by community, then by response.

    `communities` and `rows` say which of `AllRows` they are; communities are numbered from 0 again, and may have none.
    """

    communities: slice
    rows: slice
    community: IntegerArray
    mode: IntegerArray
    second: IntegerArray
    moment: FloatArray  # as `second`, with the parts of a second
    duration: FloatArray  # NaN where unknown
    hour: IntegerArray  # local hours since 1970 began there
    answers: Codes  # response × question, 0 where not answered
    overall: Codes
    keys: Mapping[str, IntegerArray]
    is_helped: BooleanArray  # with declared help
    sizes: IntegerArray  # responses of each community

    def count(self, rows: BooleanArray) -> FloatArray:
        """Return how many of the rows each community has."""
        return np.bincount(self.community[rows], minlength=self.sizes.size).astype(np.float64)

    def add(self, values: FloatArray) -> FloatArray:
        """Return the sum of the values of each community's rows."""
        return np.bincount(self.community, values, minlength=self.sizes.size).astype(np.float64)

    @cached_property
    def key_groups(self) -> Mapping[str, tuple[IntegerArray, IntegerArray]]:
        """The rows of each community grouped by each key, as `groups_of` does."""
        return {name: groups_of(self.community, key) for name, key in self.keys.items()}

    @cached_property
    def sendings(self) -> Sendings:
        """When the forms without declared help were opened and sent."""
        opened = self.moment - self.duration
        shares_line = np.zeros(self.community.size, dtype=bool)
        for name in ("address", "prefix"):
            group, sizes = self.key_groups[name]
            shares_line |= (self.keys[name] != UNKNOWN) & (sizes[group] > LARGEST_HOUSEHOLD)
        every = Sendings(self.community, self.keys["address"], opened, self.moment, shares_line)
        return every.chosen(~self.is_helped)


@dataclass(frozen=True)
class AllRows:
    """All responses in canonical order: by community, then by response. Communities may have none."""

    order: Labels  # of each row: its place among the responses given
    community: Labels
    mode: Codes
    moment: IntegerArray  # microseconds
    duration: FloatArray  # seconds, NaN where unknown
    hour: Labels
    answers: Codes
    overall: int  # column of the answers
    keys: Mapping[str, Labels]
    is_helped: BooleanArray
    households: FloatArray  # of each community, NaN where unknown
    sizes: IntegerArray  # responses of each community

    def count(self, rows: BooleanArray) -> FloatArray:
        """Return how many of the rows each community has."""
        return np.bincount(self.community[rows], minlength=self.sizes.size).astype(np.float64)

    @cached_property
    def habits(self) -> Habits:
        """What the times have in common at which the forms without declared help were opened and sent."""
        return habits_of(block.sendings for block in self.blocks())

    def blocks(self) -> Iterator[Block]:
        """Yield the communities in blocks, each of which has rows; columns are wide there, for sums and products."""
        ends = np.cumsum(self.sizes)
        first, begin = 0, 0
        while begin < self.community.size:
            # At least the next community that has rows, and those without rows that follow.
            enough = max(begin + BLOCK_ROWS, int(ends[np.searchsorted(ends, begin, side="right")]))
            last = int(np.searchsorted(ends, enough, side="right"))
            end = int(ends[last - 1])
            yield self._block(slice(first, last), slice(begin, end))
            first, begin = last, end

    def _block(self, communities: slice, rows: slice) -> Block:
        moment = self.moment[rows]
        return Block(
            communities=communities,
            rows=rows,
            community=self.community[rows].astype(np.int64) - communities.start,
            mode=self.mode[rows].astype(np.int64),
            second=moment // 1_000_000,
            moment=moment / 1e6,
            duration=self.duration[rows],
            hour=self.hour[rows].astype(np.int64),
            # Whole columns are compared and counted far more often than rows are looked up.
            answers=np.asfortranarray(self.answers[rows]),
            overall=self.answers[rows, self.overall],
            keys={name: values[rows].astype(np.int64) for name, values in self.keys.items()},
            is_helped=self.is_helped[rows],
            sizes=self.sizes[communities],
        )

    def in_blocks(self, compute: Callable[[Block], tuple[npt.NDArray[Any], ...]]) -> tuple[npt.NDArray[Any], ...]:
        """Return what is computed of each block, one after the other: columns with a value for each row or community.

        Raises `ValueError` if there are no rows.
        """
        if not self.community.size:
            raise ValueError("without rows there are no blocks to compute")
        return tuple(map(np.concatenate, zip(*map(compute, self.blocks()), strict=True)))


def canonical_rows(
    responses: pd.DataFrame,
    answers: pd.DataFrame,
    community: IntegerArray,
    *,
    chosen: BooleanArray,
    overall: str,
    communities: npt.NDArray[Any],
    time_zone: str,
    households: Mapping[Any, float],
) -> AllRows:
    """Return the chosen ones of responses and answers, as `integrity_signals.find_signals` takes them.

    `community` is the place of each one's among all communities. Raises `ValueError` with the rows of wrong values.
    """
    duration = responses["duration_seconds"].to_numpy(dtype=np.float64, na_value=np.nan)
    refuse(duration < 0, "duration_seconds is below 0", response_id=responses["response_id"], duration_seconds=duration)
    order = np.flatnonzero(chosen).astype(np.int32)
    order = order[responses["response_id"].iloc[order].argsort().to_numpy()]
    order = order[np.argsort(community[order], kind="stable")]
    helped = responses["helped"].fillna(0).to_numpy() if "helped" in responses else np.broadcast_to(0, community.shape)
    return AllRows(
        order=order,
        community=community[order].astype(np.int32),
        mode=pd.factorize(responses["mode"], sort=True)[0].astype(np.int8)[order],
        moment=_local_times(responses["submitted_at"], "UTC", "us", order, kind=np.int64),
        duration=duration[order],
        hour=_local_times(responses["submitted_at"], time_zone, "h", order, kind=np.int32),
        answers=_answer_codes(answers, responses["response_id"], order),
        overall=list(answers.columns).index(overall),
        keys={name: _key_codes(responses, name, order) for name in KEYS},
        is_helped=helped[order] == 1,
        households=np.array([households.get(name, np.nan) for name in communities.tolist()], dtype=np.float64),
        sizes=np.bincount(community[order], minlength=communities.size),
    )


def _local_times(
    times: "pd.Series[Any]", zone: str, unit: Literal["us", "h"], order: Labels, *, kind: type[np.signedinteger[Any]]
) -> npt.NDArray[Any]:
    """Return the whole units since 1970 began in a zone."""
    found = np.empty(order.size, dtype=kind)
    for start in range(0, order.size, BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        local = times.iloc[order[part]].dt.tz_convert(zone).dt.tz_localize(None)
        found[part] = local.to_numpy(dtype=f"datetime64[{unit}]").astype(np.int64)
    return found


def _answer_codes(answers: pd.DataFrame, response_id: "pd.Series[int]", order: Labels) -> Codes:
    codes = np.zeros((order.size, answers.shape[1]), dtype=np.int8)
    given = np.zeros(len(answers), dtype=np.int8)
    for place, question in enumerate(answers):
        # Some at a time: all of them as floats would take eight times as much memory as the codes.
        for start in range(0, len(answers), BLOCK_ROWS):
            part = slice(start, start + BLOCK_ROWS)
            numbers = answers[question].iloc[part].to_numpy(dtype=np.float64, na_value=np.nan)
            if not (np.isnan(numbers) | np.isin(numbers, range(1, HIGHEST + 1))).all():
                _check_codes(answers[question], response_id)
            given[part] = np.nan_to_num(numbers)
        codes[:, place] = given[order]
    return codes


def _check_codes(answers: "pd.Series[Any]", response_id: "pd.Series[int]") -> None:
    """Raise `ValueError` with the rows of a question that hold no codes, if any."""
    numbers = answers.to_numpy(dtype=np.float64, na_value=np.nan)
    whole_numbers("answers", numbers[~np.isnan(numbers)])
    wrong = (numbers < 1) | (numbers > HIGHEST)
    refuse(wrong, f"an answer is not a code from 1 to {HIGHEST}", response_id=response_id)


def _key_codes(responses: pd.DataFrame, name: str, order: Labels) -> Labels:
    if name not in responses:
        return np.broadcast_to(np.int32(UNKNOWN), order.shape)
    return pd.factorize(responses[name], sort=True)[0].astype(np.int32)[order]


def groups_of(outer: IntegerArray, inner: IntegerArray) -> tuple[IntegerArray, IntegerArray]:
    """Group rows by pairs of labels: return each row's group, numbered in the order of pairs, and the group sizes."""
    least = inner.min(initial=0)
    pairs = outer * (inner.max(initial=0) - least + 1) + (inner - least)
    _, group, sizes = np.unique(pairs, return_inverse=True, return_counts=True)
    return group.astype(np.int64), sizes.astype(np.int64)
