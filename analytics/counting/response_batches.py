"""Response batches read column by column: the community of each response and its answer codes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from analytics.statistics.validation import ROWS_NAMED, IntegerArray

LARGEST_CODE: Final = 2**15 - 1

# Largest range of community numbers per community for which a lookup table is used, because it is faster.
_SPARSEST: Final = 16

Labels = Sequence[int] | Sequence[str]
Rows = npt.NDArray[np.uint32]
Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


class CommunityIndex:
    """Index of communities: maps the community of each response to its position."""

    def __init__(self, communities: Labels, column: str) -> None:
        self.labels = tuple(np.asarray(communities).tolist())
        self.size = len(self.labels)
        kind = pa.string() if self.size and isinstance(self.labels[0], str) else pa.int64()
        self._known, self._column = pa.array(self.labels, kind), column
        self._places = self._place_by_number() if pa.types.is_integer(kind) and self.size else None
        if len(set(self.labels)) < self.size:
            repeated = [label for label, times in Counter(self.labels).items() if times > 1]
            raise ValueError(f"community {named(repeated)} is listed twice")

    def rows(self, batch: pa.RecordBatch) -> Rows:
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
            raise ValueError(f"community {named(unknown.unique().to_pylist())} is not listed")
        rows: Rows = positions.to_numpy().view(np.uint32)
        return rows

    def _place_by_number(self) -> tuple[int, npt.NDArray[np.int32]] | None:
        """Return a lookup table: the least number and the positions from there; None if the numbers are too sparse."""
        numbers = self._known.to_numpy()
        first, last = int(numbers.min()), int(numbers.max())
        if last - first >= _SPARSEST * self.size:
            return None
        places = np.full(last - first + 1, -1, dtype=np.int32)
        places[numbers - first] = np.arange(self.size, dtype=np.int32)
        return first, places

    def _positions(self, labels: pa.Array) -> pa.Array:
        if pa.types.is_integer(labels.type) != pa.types.is_integer(self._known.type):
            raise ValueError(f"communities are listed as {self._known.type}, responses have {labels.type}")
        labels = labels.cast(self._known.type)
        if self._places is not None and not labels.null_count and len(labels):
            first, places = self._places
            numbers = labels.to_numpy() - first
            if numbers.min() >= 0 and numbers.max() < places.size:
                found = places[numbers]
                return pa.array(found, mask=found < 0 if found.min() < 0 else None)
        return compute.index_in(labels, value_set=self._known)


def code_lookup_table(width: int, values: Mapping[int, int], other: int) -> IntegerArray:
    """Return a lookup table for every code of `width` bytes: the value of each code in `values`, else `other`."""
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
class Answers:
    """Answers of a batch to one question: codes as unsigned numbers, and a bitmap of which are valid (not null)."""

    question: str
    codes: Codes
    validity: npt.NDArray[np.uint8]

    def given(self) -> npt.NDArray[np.bool_]:
        return np.unpackbits(self.validity, count=self.codes.size, bitorder="little").view(np.bool_)

    def unknown(self, bad: npt.NDArray[np.bool_]) -> ValueError:
        codes = self.codes[bad & self.given()]
        signed = np.unique(codes.view(np.int8 if codes.itemsize == 1 else np.int16))
        return ValueError(f"{self.question} has no code {named(signed.tolist())}")


def read_answers(batch: pa.RecordBatch, question: str) -> Answers:
    column = _column(batch, question)
    if not (pa.types.is_integer(column.type) or pa.types.is_null(column.type)):
        raise ValueError(f"{question} holds {column.type}, codes are whole numbers")
    if column.type != pa.int8():
        try:
            column = column.cast(pa.int16())
        except pa.ArrowInvalid as error:
            raise ValueError(f"{question} holds codes beyond {LARGEST_CODE}: {error}") from error
    # A view of the values without a copy: the values of null entries are never used.
    kind: Any = np.uint8 if column.type == pa.int8() else np.uint16
    codes: Codes = np.frombuffer(column.buffers()[1], dtype=kind)[column.offset : column.offset + len(column)]
    return Answers(question, codes, _validity(column))


def _validity(column: pa.Array) -> npt.NDArray[np.uint8]:
    if not column.null_count:
        return np.full(len(column) // 8 + 1, 255, dtype=np.uint8)
    if column.offset % 8 == 0:
        return np.frombuffer(column.buffers()[0], dtype=np.uint8)[column.offset // 8 :]
    return np.packbits(column.is_valid().to_numpy(zero_copy_only=False), bitorder="little")


def named(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values[:ROWS_NAMED])) + (", …" if len(values) > ROWS_NAMED else "")
