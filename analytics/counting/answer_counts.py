"""Answer counts: how often each community gave each code to each question.

Batches are counted as they arrive and then dropped, so memory depends on the communities and not on the responses. All
counts are whole numbers: the order of responses and the split into batches change nothing, and counts from different
places can be added.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Final, Self

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from analytics.counting.answer_counters import Counters
from analytics.counting.response_batches import CommunityIndex, Labels, named
from analytics.statistics.threads import THREADS
from analytics.statistics.validation import IntegerArray

BATCH_ROWS: Final = 500_000
"""Rows of a Parquet file that each thread decodes at once."""


@dataclass(frozen=True, eq=False)
class AnswerCounts:
    """Number of responses per community, question and code.

    Attributes
    ----------
    communities : tuple of int or str
        In the requested order.
    codes : mapping of str to tuple of int
        The codes of each question.
    counts : mapping of str to ndarray of int64, shape (communities, codes)
        The counts of each question.
    responses : ndarray of int64, shape (communities,)
        All responses, whatever they answered; the difference to Σ counts of a question are those without an answer to
        it.
    """

    communities: tuple[int | str, ...]
    codes: Mapping[str, tuple[int, ...]]
    counts: Mapping[str, IntegerArray]
    responses: IntegerArray

    def __add__(self, other: Self) -> "AnswerCounts":
        """Add two counts of the same communities, questions and codes."""
        if self.communities != other.communities or dict(self.codes) != dict(other.codes):
            raise ValueError("parts add up only if they count the same communities, questions and codes")
        counts = {question: count + other.counts[question] for question, count in self.counts.items()}
        return AnswerCounts(self.communities, self.codes, counts, self.responses + other.responses)

    def table(self, question: str) -> pd.DataFrame:
        """Return one question's counts as a frame: one row per community, one column per code."""
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
        One row per response. `community_column` holds whole numbers or text (dictionaries too), each column named in
        `questions` a code as a whole number (int8 is fastest), null where there is no answer. Other columns are
        ignored. ``pyarrow.RecordBatch.from_pandas`` makes a batch from a DataFrame.
    communities : sequence of int or of str
        All communities, each once. One without responses has counts of 0.
    questions : mapping of str to sequence of int
        The codes of each question, from 0 to 32767; at most 127 per question.
    community_column : str
        The column with the community of each response.

    Returns
    -------
    AnswerCounts

    Raises
    ------
    ValueError
        If a column is missing, or a response has a community or a code that is not listed: the first ones are named.
        No counts are returned then, since nobody would notice a response that is left out.

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
    counter = AnswerCounter(communities=communities, questions=questions, community_column=community_column)
    for batch in batches:
        counter.count(batch)
    return counter.counted()


class AnswerCounter:
    """Counts batches as they are handed in, where one pass over responses feeds several counts.

    Parameters, errors and results are those of `count_answers`.

    Examples
    --------
    >>> counter = AnswerCounter(communities=["A", "B"], questions={"q01": [4, 5]})
    >>> for answer in (5, 4):
    ...     counter.count(pa.RecordBatch.from_pydict({"community": ["A"], "q01": [answer]}))
    >>> counter.counted().table("q01").to_dict("index")
    {'A': {4: 1, 5: 1}, 'B': {4: 0, 5: 0}}
    """

    def __init__(
        self, *, communities: Labels, questions: Mapping[str, Sequence[int]], community_column: str = "community"
    ) -> None:
        if not questions:
            raise ValueError("there must be a question to count")
        self._index = CommunityIndex(communities, community_column)
        self._codes = {question: tuple(codes) for question, codes in questions.items()}
        self._counters = Counters(questions, communities=self._index.size)

    def count(self, batch: pa.RecordBatch) -> None:
        """Count the responses of a batch, too."""
        self._counters.count(self._index.rows(batch), batch)

    def counted(self) -> AnswerCounts:
        """Return the counts of all batches so far."""
        return AnswerCounts(self._index.labels, self._codes, self._counters.counts(), self._counters.responses())


def count_parquet(
    path: Path,
    *,
    communities: Labels,
    questions: Mapping[str, Sequence[int]],
    community_column: str = "community",
    threads: int = THREADS,
) -> AnswerCounts:
    """Count the answers in a Parquet file with several threads, as `count_answers` does.

    Parameters
    ----------
    path : Path
        The file. Each thread counts its own row groups, so a file with one group is counted by one thread.
    communities, questions, community_column
        As in `count_answers`.
    threads : int
        Number of threads, at least 1. Each holds its own counts and `BATCH_ROWS` rows.

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
        raise ValueError(f"{path} has no column {named(absent)}")
    with ThreadPoolExecutor(threads) as executor:
        return reduce(add, executor.map(count, divide_row_groups(groups, threads)))


def divide_row_groups(groups: Sequence[int], threads: int) -> list[Sequence[int]]:
    """Divide row groups among threads: runs of nearly equal length, at least one run.

    Examples
    --------
    >>> [list(run) for run in divide_row_groups(range(5), 2)], [list(run) for run in divide_row_groups(range(0), 2)]
    ([[0, 1], [2, 3, 4]], [[]])
    """
    runs = max(1, min(threads, len(groups)))
    return [groups[len(groups) * run // runs : len(groups) * (run + 1) // runs] for run in range(runs)]


def parquet_batches(path: Path, *, columns: Sequence[str], row_groups: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Yield row groups of a Parquet file in batches of at most `BATCH_ROWS` rows, read in the calling thread."""
    with parquet.ParquetFile(path) as file:
        yield from file.iter_batches(BATCH_ROWS, row_groups=list(row_groups), columns=list(columns), use_threads=False)
