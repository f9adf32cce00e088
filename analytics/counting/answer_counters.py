"""Counters of answer codes, fed batch by batch: compiled loops for large batches, numpy for small ones."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from analytics.counting.packed_counts import FIELDS, MOST_BEFORE_EMPTYING, Words
from analytics.counting.response_batches import LARGEST_CODE, Answers, Rows, code_lookup_table, read_answers
from analytics.statistics.validation import IntegerArray

COMPILED_ROWS: Final = 100_000
"""Responses in a batch from which the compiled loops are worth their import time."""

_MOST_CODES: Final = 127


class Counters:
    """Counters of answer codes for several questions; each batch is counted for all of them."""

    def __init__(self, questions: Mapping[str, Sequence[int]], *, communities: int) -> None:
        self._counters = [_Counter(question, codes, communities) for question, codes in questions.items()]
        self._responses = np.zeros(communities, dtype=np.int64)
        # Responses since the words of a community were last emptied.
        self._since = np.zeros(communities, dtype=np.uint8)

    def count(self, rows: Rows, batch: pa.RecordBatch) -> None:
        """Count the answers of a batch; `rows` holds the position of each response's community."""
        if rows.size < COMPILED_ROWS:
            np.add.at(self._responses, rows, 1)
            for counter in self._counters:
                counter.count(rows, batch)
            return
        from analytics.counting.kernels import find_full_rows  # noqa: PLC0415  numba costs a second to import

        # Emptying all words at once is quick; emptying one in the middle of a batch is not.
        if self._since.max(initial=0) > MOST_BEFORE_EMPTYING // 2:
            self._empty()
        full = np.empty(rows.size // MOST_BEFORE_EMPTYING + self._since.size, dtype=np.int64)
        full = full[: find_full_rows(rows, self._since, self._responses, full)]
        for counter in self._counters:
            counter.count_packed(rows, batch, full)

    def counts(self) -> dict[str, IntegerArray]:
        self._empty()
        return {counter.question: counter.counts() for counter in self._counters}

    def responses(self) -> IntegerArray:
        self._empty()
        return self._responses

    def _empty(self) -> None:
        self._responses += self._since
        self._since[:] = 0
        for counter in self._counters:
            counter.empty()


class _Counter:
    """Counter of one question: one column per code, and a last one for unknown codes."""

    def __init__(self, question: str, codes: Sequence[int], communities: int) -> None:
        self.question, self.codes = question, tuple(codes)
        if len(set(self.codes)) < len(self.codes) or len(self.codes) > _MOST_CODES:
            raise ValueError(f"{question} must have each of its codes once, and at most {_MOST_CODES}")
        if any(not 0 <= code <= LARGEST_CODE for code in self.codes):
            raise ValueError(f"codes of {question} must lie between 0 and {LARGEST_CODE}")
        # Nobody has 2³² residents.
        self._counts = np.zeros((communities, max(FIELDS, len(self.codes) + 1)), dtype=np.uint32)
        self._unknown = self._counts.shape[1] - 1
        self._words = np.zeros(communities if self._unknown < FIELDS else 0, dtype=np.uint64)
        self._slots: dict[int, IntegerArray] = {}
        self._steps: dict[int, Words] = {}

    def count(self, rows: Rows, batch: pa.RecordBatch) -> None:
        answers = read_answers(batch, self.question)
        given = answers.given()
        slots = self._slots_of(answers)[answers.codes]
        if (slots[given] == self._unknown).any():
            raise answers.unknown(slots == self._unknown)
        # In one dimension and of one type: twenty times as fast.
        cells = rows[given].astype(np.int64) * self._counts.shape[1] + slots[given]
        np.add.at(self._counts.reshape(-1), cells, np.uint32(1))

    def count_packed(self, rows: Rows, batch: pa.RecordBatch, full: IntegerArray) -> None:
        """Count like `count`, packed into words; `full` holds the positions after which a row's word is emptied."""
        from analytics.counting.kernels import count_codes  # noqa: PLC0415  numba costs a second to import

        if not self._words.size:
            self.count(rows, batch)
            return
        answers = read_answers(batch, self.question)
        slots, width = self._slots_of(answers), answers.codes.itemsize
        if width not in self._steps:
            self._steps[width] = np.uint64(1) << (8 * slots).astype(np.uint64)
        moved = count_codes(rows, answers.codes, answers.validity, self._steps[width], full, self._words, self._counts)
        if moved or (self._words >= np.uint64(1) << np.uint64(8 * self._unknown)).any():
            raise answers.unknown(slots[answers.codes] == self._unknown)

    def empty(self) -> None:
        """Move the packed counts of the words into the count table."""
        if self._words.any():
            fields = self._words[:, np.newaxis] >> np.arange(0, 64, 8, dtype=np.uint64)
            self._counts += fields.astype(np.uint8)
            self._words[:] = 0

    def counts(self) -> IntegerArray:
        return self._counts[:, : len(self.codes)].astype(np.int64)

    def _slots_of(self, answers: Answers) -> IntegerArray:
        width = answers.codes.itemsize
        if width not in self._slots:
            self._slots[width] = code_lookup_table(
                width, {code: slot for slot, code in enumerate(self.codes)}, self._unknown
            )
        return self._slots[width]
