"""Count tables: how often each community gave each answer, and the sums of its residents' composite scores.

Batches are counted as they come and then forgotten, so that memory depends on the communities and not on the responses.
Everything is a whole number until it is read: the order of responses and the cut into batches change nothing, and parts
that were counted in different places add up.
"""

import math
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from operator import add
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import compute, parquet

from analytics.arrays import ROWS_NAMED
from analytics.ratios import common_unit

BATCH_ROWS: Final = 500_000
"""Rows of a Parquet file that are decoded at once by each thread."""

# Below this many rows at once the compiled loop does not repay its import.
COMPILED_ROWS: Final = 100_000
_THREADS: Final = min(4, os.cpu_count() or 1)
_LARGEST_CODE: Final = 2**15 - 1
_MOST_CODES: Final = 127
_COMPOSITE_DECIMALS: Final = 6
_UNKNOWN: Final = -(2**62)  # no weight, and no sum of products, comes near

Labels = Sequence[int] | Sequence[str]
Integers = npt.NDArray[np.int64]
_Rows = npt.NDArray[np.uint32]
_Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class AnswerCounts:
    """How many responses of each community gave each code to each question.

    Attributes
    ----------
    communities : tuple of int or str
        In the order that was asked for.
    codes : mapping of str to tuple of int
        The codes of each question.
    counts : mapping of str to ndarray of int64, shape (communities, codes)
        Of each question.
    responses : ndarray of int64, shape (communities,)
        All responses, whatever they answered; those without an answer to a question are the difference.
    """

    communities: tuple[int | str, ...]
    codes: Mapping[str, tuple[int, ...]]
    counts: Mapping[str, Integers]
    responses: Integers

    def __add__(self, other: Self) -> "AnswerCounts":
        """Return the counts of both parts together, which must count the same communities, questions and codes."""
        if self.communities != other.communities or dict(self.codes) != dict(other.codes):
            raise ValueError("parts add up only if they count the same communities, questions and codes")
        counts = {question: count + other.counts[question] for question, count in self.counts.items()}
        return AnswerCounts(self.communities, self.codes, counts, self.responses + other.responses)

    def table(self, question: str) -> pd.DataFrame:
        """Return one question's counts: a row for each community, a column for each code."""
        index = pd.Index(list(self.communities), name="community_id")
        return pd.DataFrame(self.counts[question], index=index, columns=list(self.codes[question]))


def count_answers(
    batches: Iterable[pa.RecordBatch],
    *,
    communities: Labels,
    questions: Mapping[str, Sequence[int]],
    community_column: str = "community",
) -> AnswerCounts:
    """Count the answers of each community to each question, code by code.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        One row a response. `community_column` holds whole numbers or text (dictionaries too), every other column named
        in `questions` a code as a whole number (int8 is quickest), null where there is no answer. Further columns are
        ignored. A DataFrame becomes a batch by ``pyarrow.RecordBatch.from_pandas``.
    communities : sequence of int or of str
        All communities, each once. One without responses has counts of 0.
    questions : mapping of str to sequence of int
        The codes of each question, from 0 to 32767; at most 127 of them.
    community_column : str
        The column that says which community a response is from.

    Returns
    -------
    AnswerCounts

    Raises
    ------
    ValueError
        If a column is missing, or a response is of a community or gives a code that is not listed: the first ones are
        named. No counts are returned then, since a response that is left out is missed by nobody.

    Notes
    -----
    Every response is in exactly one cell of each question, or has no answer to it:
    Σ counts + unanswered = responses.

    Examples
    --------
    >>> batch = pa.RecordBatch.from_pydict(
    ...     {"community": ["A", "B", "A"], "q01": pa.array([5, 4, None], pa.int8()), "q02": pa.array([5, 9, 5])}
    ... )
    >>> counted = count_answers([batch], communities=["A", "B", "C"], questions={"q01": [4, 5], "q02": [5, 9]})
    >>> counted.table("q01").to_dict("index")
    {'A': {4: 0, 5: 1}, 'B': {4: 1, 5: 0}, 'C': {4: 0, 5: 0}}
    >>> counted.responses
    array([2, 1, 0])
    >>> count_answers([batch], communities=["A", "B"], questions={"q01": [5]})
    Traceback (most recent call last):
    ...
    ValueError: q01 has no code 4
    """
    register = _Register(communities, community_column)
    if not questions:
        raise ValueError("there must be a question to count")
    counters = [_Counter(question, codes, register.size) for question, codes in questions.items()]
    for batch in batches:
        rows = register.rows(batch)
        for counter in counters:
            counter.count(rows, batch)
    return AnswerCounts(
        communities=register.labels,
        codes={counter.question: counter.codes for counter in counters},
        counts={counter.question: counter.counts() for counter in counters},
        responses=counters[0].responses(),
    )


def count_parquet(
    path: Path,
    *,
    communities: Labels,
    questions: Mapping[str, Sequence[int]],
    community_column: str = "community",
    threads: int = _THREADS,
) -> AnswerCounts:
    """Count the answers in a Parquet file, as `count_answers` does.

    Parameters
    ----------
    path : Path
        The file. Each thread counts its own row groups: a file of one group is counted by one thread.
    communities, questions, community_column
        As in `count_answers`.
    threads : int
        How many, at least 1. Each holds its own counts and `BATCH_ROWS` rows.

    Returns
    -------
    AnswerCounts

    Raises
    ------
    ValueError
        As `count_answers`.
    OSError
        If the file cannot be read.
    """

    def count(groups: Sequence[int]) -> AnswerCounts:
        batches = parquet_batches(path, columns=[community_column, *questions], row_groups=groups)
        return count_answers(batches, communities=communities, questions=questions, community_column=community_column)

    with parquet.ParquetFile(path) as file:
        absent = [name for name in (community_column, *questions) if name not in file.schema_arrow.names]
        groups = range(file.num_row_groups)
    if absent:
        raise ValueError(f"{path} has no column {_named(absent)}")
    with ThreadPoolExecutor(threads) as executor:
        return reduce(add, executor.map(count, share_out(groups, threads)))


def share_out(groups: Sequence[int], threads: int) -> list[Sequence[int]]:
    """Return the row groups of each thread: runs of nearly the same length, at least one run.

    Examples
    --------
    >>> [list(run) for run in share_out(range(5), 2)], [list(run) for run in share_out(range(0), 2)]
    ([[0, 1], [2, 3, 4]], [[]])
    """
    runs = max(1, min(threads, len(groups)))
    return [groups[len(groups) * run // runs : len(groups) * (run + 1) // runs] for run in range(runs)]


def parquet_batches(path: Path, *, columns: Sequence[str], row_groups: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Yield some row groups of a Parquet file in batches of at most `BATCH_ROWS` rows, in the thread that asks."""
    with parquet.ParquetFile(path) as file:
        yield from file.iter_batches(BATCH_ROWS, row_groups=list(row_groups), columns=list(columns), use_threads=False)


@dataclass(frozen=True, eq=False)
class CompositeSums:
    """Sums of composite scores, kept apart by what the answers of a resident weigh together.

    A composite is a ÷ (g · parts): a whole number a of weighted points over the weight g of the questions that were
    answered. Composites of one g have whole sums, and only those are added; row i holds community `rows[i]` and
    weight `weights[i]`, in rising order, without repeats.

    Attributes
    ----------
    communities : tuple of int or str
        In the order that was asked for.
    scheme : tuple
        Weights, points and missing codes: only sums of one scheme add up.
    parts : int
        Points are whole multiples of 1 ÷ parts.
    rows, weights : ndarray of int64
        Position of the community, and g.
    responses, totals, squares : ndarray of int64
        n, Σa and Σa² of those.
    """

    communities: tuple[int | str, ...]
    scheme: tuple[object, ...]
    parts: int
    rows: Integers
    weights: Integers
    responses: Integers
    totals: Integers
    squares: Integers

    def __add__(self, other: Self) -> "CompositeSums":
        """Return the sums of both parts together, which must be of the same communities, weights and points."""
        if self.communities != other.communities or self.scheme != other.scheme:
            raise ValueError("parts add up only if they have the same communities, weights, points and missing codes")
        joined = (np.concatenate([getattr(self, name), getattr(other, name)]) for name in _SUMMED)
        return CompositeSums(self.communities, self.scheme, self.parts, *_add_up(*joined))

    def exact(self) -> list[tuple[int, Fraction, Fraction]]:
        """Return n, Σs and Σs² of each community, exactly, in points."""
        ends = np.searchsorted(self.rows, np.arange(len(self.communities) + 1))
        return [self._exact(slice(first, last)) for first, last in pairwise(ends)]

    def _exact(self, own: slice) -> tuple[int, Fraction, Fraction]:
        weights = self.weights[own].tolist()
        common = math.lcm(*weights)
        shares = [common // weight for weight in weights]
        total = sum(share * a for share, a in zip(shares, self.totals[own].tolist(), strict=True))
        square = sum(share**2 * a for share, a in zip(shares, self.squares[own].tolist(), strict=True))
        scale = common * self.parts
        return int(self.responses[own].sum()), Fraction(total, scale), Fraction(square, scale**2)

    def table(self) -> pd.DataFrame:
        """Return a row for each community: `responses`, `mean_composite` and `sd_composite`, in points.

        The mean is rounded half to even at six decimals from its exact value: equal means are equal floats. It is NaN
        without a response, and the standard deviation (n − 1 in the denominator) without two.
        """
        exact = self.exact()
        return pd.DataFrame(
            {
                "responses": np.array([n for n, _, _ in exact], dtype=np.int64),
                "mean_composite": [
                    float(round(total / n, _COMPOSITE_DECIMALS)) if n else math.nan for n, total, _ in exact
                ],
                "sd_composite": [
                    math.sqrt((n * square - total**2) / (n * (n - 1))) if n > 1 else math.nan
                    for n, total, square in exact
                ],
            },
            index=pd.Index(list(self.communities), name="community_id"),
        )


def composite_sums(
    batches: Iterable[pa.RecordBatch],
    *,
    communities: Labels,
    weights: Mapping[str, Fraction],
    points: Mapping[int, Fraction],
    missing_codes: Collection[int],
    community_column: str = "community",
) -> CompositeSums:
    """Add up the composite scores of the residents of each community, in one pass.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        As in `count_answers`.
    communities : sequence of int or of str
        All communities, each once.
    weights : mapping of str to Fraction
        The weight of each question, above 0, in any unit.
    points : mapping of int to Fraction
        The points of each valid code, at least 0.
    missing_codes : collection of int
        Codes that are no valid answer, such as “don't know”: as if the question had been skipped.
    community_column : str
        The column that says which community a response is from.

    Returns
    -------
    CompositeSums

    Raises
    ------
    ValueError
        If a column is missing, a community or a code is not listed, or a weight or points are out of their range.
    OverflowError
        If the weights and points have so large denominators that their sums do not fit into 64 bits.

    Notes
    -----
    A resident who answered the questions A has the composite Σ_A w·p ÷ Σ_A w if Σ_A w is at least half of all weights,
    and no composite otherwise. Nothing is rounded before `CompositeSums.table`.

    Examples
    --------
    The second resident skipped a quarter of the weight, the third more than half: 75, 100 and no composite.

    >>> batch = pa.RecordBatch.from_pydict({"community": [7, 7, 7], "q02": [4, 5, 9], "q03": [4, None, 3]})
    >>> sums = composite_sums(
    ...     [batch],
    ...     communities=[7, 8],
    ...     weights={"q02": Fraction(3, 4), "q03": Fraction(1, 4)},
    ...     points={5: Fraction(100), 4: Fraction(75), 3: Fraction(50)},
    ...     missing_codes=[9],
    ... )
    >>> sums.exact()[0]
    (2, Fraction(175, 1), Fraction(15625, 1))
    >>> sums.table().round(4).to_dict("index")[7]
    {'responses': 2, 'mean_composite': 87.5, 'sd_composite': 17.6777}
    """
    register = _Register(communities, community_column)
    scale = _Scale(weights, points, missing_codes)
    scheme = (dict(weights), dict(points), frozenset(missing_codes))
    nothing = np.empty(0, dtype=np.int64)
    sums = CompositeSums(register.labels, scheme, scale.parts, *(nothing for _ in _SUMMED))
    for batch in batches:
        rows = register.rows(batch).astype(np.int64)
        totals, answered = scale.weigh(batch)
        counts = 2 * answered >= scale.all_weights
        rows, totals, answered = rows[counts], totals[counts], answered[counts]
        summed = _add_up(rows, answered, np.ones_like(rows), totals, totals**2)
        sums += CompositeSums(register.labels, scheme, scale.parts, *summed)
        scale.check_sums(sums.responses)
    return sums


_SUMMED = ("rows", "weights", "responses", "totals", "squares")


def _add_up(rows: Integers, weights: Integers, *values: Integers) -> tuple[Integers, ...]:
    """Add the values of equal pairs of row and weight; the pairs come out in rising order."""
    if not rows.size:
        return (rows, weights, *values)
    order = np.lexsort((weights, rows))
    rows, weights = rows[order], weights[order]
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(rows) != 0) | (np.diff(weights) != 0)]))
    return (rows[starts], weights[starts], *(np.add.reduceat(value[order], starts) for value in values))


class _Register:
    """The communities that responses may be of."""

    def __init__(self, communities: Labels, column: str) -> None:
        self.labels = tuple(np.asarray(communities).tolist())
        self.size = len(self.labels)
        kind = pa.string() if self.size and isinstance(self.labels[0], str) else pa.int64()
        self._known, self._column = pa.array(self.labels, kind), column
        if len(set(self.labels)) < self.size:
            repeated = [label for label, times in Counter(self.labels).items() if times > 1]
            raise ValueError(f"community {_named(repeated)} is listed twice")

    def rows(self, batch: pa.RecordBatch) -> _Rows:
        """Return the position of each response's community."""
        labels = _column(batch, self._column)
        if pa.types.is_dictionary(labels.type):
            positions = self._positions(labels.dictionary).take(labels.indices)
        else:
            positions = self._positions(labels)
        if positions.null_count:
            unknown = labels.filter(positions.is_null())
            if unknown.null_count:
                raise ValueError(f"{unknown.null_count} responses are of no community")
            raise ValueError(f"community {_named(unknown.unique().to_pylist())} is not listed")
        rows: _Rows = positions.to_numpy().view(np.uint32)
        return rows

    def _positions(self, labels: pa.Array) -> pa.Array:
        if pa.types.is_integer(labels.type) != pa.types.is_integer(self._known.type):
            raise ValueError(f"communities are listed as {self._known.type}, responses have {labels.type}")
        return compute.index_in(labels.cast(self._known.type), value_set=self._known)


class _Counter:
    """Counts of one question while batches come in."""

    def __init__(self, question: str, codes: Sequence[int], communities: int) -> None:
        self.question, self.codes = question, tuple(codes)
        if len(set(self.codes)) < len(self.codes) or len(self.codes) > _MOST_CODES:
            raise ValueError(f"{question} must have each of its codes once, and at most {_MOST_CODES}")
        if any(not 0 <= code <= _LARGEST_CODE for code in self.codes):
            raise ValueError(f"codes of {question} must lie between 0 and {_LARGEST_CODE}")
        self._none = len(self.codes)
        self._unknown = 1 << self._none.bit_length()  # a bit that no other slot has
        # Nobody has 2³² residents, and half the memory is counted into faster.
        self._counts = np.zeros((communities, self._unknown + 1), dtype=np.uint32)
        self._slots: dict[int, npt.NDArray[np.uint8]] = {}

    def count(self, rows: _Rows, batch: pa.RecordBatch) -> None:
        answers = _read_answers(batch, self.question)
        slots = self._slots_of(answers.codes.itemsize)
        if answers.codes.size >= COMPILED_ROWS:
            from analytics.tally_kernels import count_slots  # noqa: PLC0415  numba costs a second to import

            seen = np.zeros(1, dtype=np.uint8)
            count_slots(rows, answers.codes, answers.validity, slots, self._counts, seen)
        else:
            seen = np.where(answers.given(), slots[answers.codes], np.uint8(self._none))
            np.add.at(self._counts, (rows, seen), 1)
        if (seen & self._unknown).any():
            raise answers.unknown(slots[answers.codes] == self._unknown)

    def counts(self) -> Integers:
        return self._counts[:, : self._none].astype(np.int64)

    def responses(self) -> Integers:
        responses: Integers = self._counts.sum(axis=1, dtype=np.int64)
        return responses

    def _slots_of(self, width: int) -> npt.NDArray[np.uint8]:
        if width not in self._slots:
            slots = _by_code(width, {code: slot for slot, code in enumerate(self.codes)}, self._unknown)
            self._slots[width] = np.append(slots, np.full_like(slots, self._none)).astype(np.uint8)
        return self._slots[width]


class _Scale:
    """Weights and points as whole numbers."""

    def __init__(
        self, weights: Mapping[str, Fraction], points: Mapping[int, Fraction], missing_codes: Collection[int]
    ) -> None:
        if not weights or min(weights.values()) <= 0:
            raise ValueError("there must be weights, all above 0")
        if not points or min(points.values()) < 0:
            raise ValueError("there must be points, none below 0")
        if set(points) & set(missing_codes):
            raise ValueError(f"code {_named(sorted(set(points) & set(missing_codes)))} is missing and has points")
        unit = common_unit(weights.values())
        self._weights = {question: int(weight / unit) for question, weight in weights.items()}
        self.all_weights = sum(self._weights.values())
        self.parts = math.lcm(*(value.denominator for value in points.values()))
        self._points = {code: int(value * self.parts) for code, value in points.items()}
        self._missing = tuple(missing_codes)
        self._largest = self.all_weights * max(self._points.values())
        if max(self.all_weights, self._largest**2) >= -_UNKNOWN:
            raise OverflowError("the weights and points have too large denominators")

    def weigh(self, batch: pa.RecordBatch) -> tuple[Integers, Integers]:
        """Return a and g of each response."""
        totals, answered = np.zeros(batch.num_rows, dtype=np.int64), np.zeros(batch.num_rows, dtype=np.int64)
        for question, weight in self._weights.items():
            answers = _read_answers(batch, question)
            width, given = answers.codes.itemsize, answers.given()
            counts = dict.fromkeys(self._points, 1) | dict.fromkeys(self._missing, 0)
            own = np.where(given, _by_code(width, counts, _UNKNOWN)[answers.codes], 0)
            if (own == _UNKNOWN).any():
                raise answers.unknown(own == _UNKNOWN)
            totals += weight * np.where(given, _by_code(width, self._points, 0)[answers.codes], 0)
            answered += weight * own
        return totals, answered

    def check_sums(self, responses: Integers) -> None:
        """Refuse sums that may have grown beyond 64 bits."""
        if self._largest**2 * int(responses.max(initial=0)) >= 2**63:
            raise OverflowError("the weights and points have too large denominators for so many responses")


def _by_code(width: int, values: Mapping[int, int], other: int) -> Integers:
    """Return a value for every code that so many bytes can hold."""
    table = np.full(2 ** (8 * width), other, dtype=np.int64)
    for code, value in values.items():
        if code < table.size // 2:
            table[code] = value
    return table


def _column(batch: pa.RecordBatch, name: str) -> pa.Array:
    if name not in batch.schema.names:
        raise ValueError(f"there is no column {name}, only {', '.join(batch.schema.names)}")
    return batch.column(name)


@dataclass(frozen=True, eq=False)
class _Answers:
    """The answers of a batch to one question: codes as unsigned numbers, and a bit for each that says if it is one."""

    question: str
    codes: _Codes
    validity: npt.NDArray[np.uint8]

    def given(self) -> npt.NDArray[np.bool_]:
        return np.unpackbits(self.validity, count=self.codes.size, bitorder="little").view(np.bool_)

    def unknown(self, bad: npt.NDArray[np.bool_]) -> ValueError:
        codes = self.codes[bad & self.given()]
        signed = np.unique(codes.view(np.int8 if codes.itemsize == 1 else np.int16))
        return ValueError(f"{self.question} has no code {_named(signed.tolist())}")


def _read_answers(batch: pa.RecordBatch, question: str) -> _Answers:
    column = _column(batch, question)
    if not (pa.types.is_integer(column.type) or pa.types.is_null(column.type)):
        raise ValueError(f"{question} holds {column.type}, codes are whole numbers")
    if column.type != pa.int8():
        try:
            column = column.cast(pa.int16())
        except pa.ArrowInvalid as error:
            raise ValueError(f"{question} holds codes beyond {_LARGEST_CODE}: {error}") from error
    # The values themselves, without a copy: what stands where there is no answer is never looked at.
    kind: Any = np.uint8 if column.type == pa.int8() else np.uint16
    codes: _Codes = np.frombuffer(column.buffers()[1], dtype=kind)[column.offset : column.offset + len(column)]
    return _Answers(question, codes, _validity(column))


def _validity(column: pa.Array) -> npt.NDArray[np.uint8]:
    if not column.null_count:
        return np.full(len(column) // 8 + 1, 255, dtype=np.uint8)
    if column.offset % 8 == 0:
        return np.frombuffer(column.buffers()[0], dtype=np.uint8)[column.offset // 8 :]
    return np.packbits(column.is_valid().to_numpy(zero_copy_only=False), bitorder="little")


def _named(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values[:ROWS_NAMED])) + (", …" if len(values) > ROWS_NAMED else "")
