"""Tables from files: cells as they came, read into columns of one type each, every fault with its line and column."""

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from analytics.files.yaml_documents import DocumentError, Fault, decode_text
from analytics.languages import N_

_PARQUET_BYTES = b"PAR1"
_WORKBOOK_BYTES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")

_Flags = npt.NDArray[np.bool_]


class TableError(DocumentError):
    """A table that cannot be used, with every fault found in it."""


@dataclass(frozen=True)
class Column:
    """What a column holds, and between which limits its numbers lie. A time has a zone and comes out in UTC."""

    kind: Literal["text", "count", "number", "time"]
    least: float = 0
    most: float = 2**31 - 1  # products of two counts stay below 2⁶³


@dataclass(frozen=True)
class Cells:
    """A table as it came, with the line of each row and the position of each column where the file has them."""

    frame: pd.DataFrame
    lines: Sequence[int]
    positions: Mapping[str, int]
    faults: tuple[Fault, ...] = ()


def read_cells(path: Path) -> Cells:
    """Return the cells of a CSV file (UTF-8 or GB18030, the first row names the columns) or a Parquet file.

    Raises `TableError` if the file is no whole table; rows of another width than the header are among its faults.
    """
    source = str(path)
    try:
        content = path.read_bytes()
        is_parquet = path.suffix == ".parquet" or content.startswith(_PARQUET_BYTES)
        return _read_parquet(content, source) if is_parquet else _read_csv(content, source)
    except OSError as error:
        problem = error.strerror or error
        raise TableError(source, [Fault("the file cannot be read: {problem}", {"problem": problem})]) from error
    except TableError:
        raise
    except DocumentError as error:
        raise TableError(error.source, error.faults) from error


def cells_of(frame: pd.DataFrame) -> Cells:
    """Return the cells of a frame, its rows counted from 1."""
    return Cells(frame.reset_index(drop=True), range(1, len(frame) + 1), {})


class CellReader:
    """Turns cells into typed columns and notes every fault; a faulty cell is not judged again."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.names = set(cells.frame.columns)
        self.faults = list(cells.faults)
        self._faulty: dict[str, _Flags] = {}

    def rename(self, name: str, known: str) -> None:
        """Take the column `name` for the one that is known under another name here."""
        if name != known and name in self.names:
            positions = {known if key == name else key: place for key, place in self.cells.positions.items()}
            frame = self.cells.frame.drop(columns=known, errors="ignore").rename(columns={name: known})
            self.cells = replace(self.cells, frame=frame, positions=positions)
            self.names = set(frame.columns)

    def expect_columns(self, needed: Iterable[str]) -> None:
        for name in needed:
            if name not in self.names:
                self.faults.append(Fault("this column is missing", {}, name, 1))

    def expect_rows(self) -> None:
        if self.cells.frame.empty and not self.cells.faults:
            self.faults.append(Fault("the table has no rows"))

    def refuse_unknown_columns(self, known: Collection[str]) -> None:
        facts = {"known": ", ".join(known)}
        self.faults += [
            Fault("this column is not known; there are {known}", facts, str(name), 1, self.cells.positions.get(name))
            for name in self.cells.frame.columns
            if name not in known
        ]

    def read(self, columns: Mapping[str, Column]) -> pd.DataFrame:
        """Return those of the columns that there are."""
        frame = self.cells.frame
        found = {name: self._read(name, column) for name, column in columns.items() if name in frame}
        return pd.DataFrame(found, index=frame.index)

    def fault(self, row: int, name: str, message: str, facts: Mapping[str, object]) -> None:
        line = int(self.cells.lines[row])
        self.faults.append(Fault(message, facts, name, line, self.cells.positions.get(name)))

    def note(self, bad: _Flags, name: str, message: str, table: pd.DataFrame, *facts: str) -> None:
        """Note a fault at each bad row, with the values of some columns, unless one of them is faulty already."""
        for fact in {name, *facts}:
            if fact in self._faulty:
                bad = bad & ~self._faulty[fact]
        for row in np.flatnonzero(bad):
            self.fault(int(row), name, message, {fact: table[fact].iloc[row] for fact in facts})

    def note_empty(self, table: pd.DataFrame, names: Sequence[str]) -> None:
        for name in names:
            if name in table:
                empty = table[name].isna() | (table[name].astype("str") == "")
                self.note(empty.to_numpy(dtype=bool), name, N_("this cell is empty"), table)

    def note_repeats(self, table: pd.DataFrame, name: str) -> None:
        if name not in table:
            return
        ids = table[name]
        first_row = pd.Series(ids.index, index=ids).groupby(level=0).first()
        for row in np.flatnonzero(ids.duplicated() & (ids != "")):
            facts = {"id": ids.iloc[row], "row": self.cells.lines[first_row[ids.iloc[row]]]}
            self.fault(int(row), name, N_("{id} stands already in row {row}"), facts)

    def raise_faults(self, source: str) -> None:
        if self.faults:
            raise TableError(source, self.faults)

    def _read(self, name: str, column: Column) -> "pd.Series[Any]":
        values = self.cells.frame[name]
        if column.kind == "text":
            return self._read_text(name, values)
        if column.kind == "time":
            return self._read_times(name, values)
        numbers, written = self._read_numbers(name, values, column)
        whole = column.kind == "count"
        self._refuse(whole & (numbers % 1 != 0) & ~np.isnan(numbers), name, _NOT_WHOLE, numbers, written)
        self._refuse(numbers < 0, name, N_("this cannot be negative, it is {value}"), numbers, written)
        message = N_("this must be at least {limit}, it is {value}")
        self._refuse(numbers < column.least, name, message, numbers, written, limit=column.least)
        message = N_("this must be at most {limit}, it is {value}")
        self._refuse(numbers > column.most, name, message, numbers, written, limit=column.most)
        series = pd.Series(numbers)
        return series.astype("Int64") if whole else series

    def _read_text(self, name: str, values: "pd.Series[Any]") -> "pd.Series[Any]":
        if pd.api.types.is_float_dtype(values) and values.notna().any():
            fault = Fault("this column must be text: as numbers its zeros are lost", {}, name, 1)
            self.faults.append(fault)
        return values.astype("str").where(values.notna(), "").str.strip().astype("str")

    def _read_times(self, name: str, values: "pd.Series[Any]") -> "pd.Series[Any]":
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            converted: pd.Series[Any] = values.dt.tz_convert("UTC")
            return converted
        written = values.astype("str").where(values.notna(), "").str.strip()
        zoned = written.str.fullmatch(_TIME)
        times = pd.to_datetime(written.where(zoned), format="ISO8601", utc=True, errors="coerce")
        unreadable = ((written != "") & times.isna()).to_numpy(dtype=bool)
        message = N_("this must be a time with its zone, such as 2021-09-01T20:15:00+08:00; it is “{value}”")
        for row in np.flatnonzero(unreadable):
            self.fault(int(row), name, message, {"value": written.iloc[row]})
        self._faulty[name] = unreadable
        return times

    def _read_numbers(
        self, name: str, values: "pd.Series[Any]", column: Column
    ) -> tuple[npt.NDArray[np.float64], "pd.Series[Any]"]:
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            written, readable = values, np.isfinite(numbers) | values.isna().to_numpy(dtype=bool)
        else:
            written = values.astype("str").where(values.notna(), "").str.strip()
            blank = (written == "").to_numpy(dtype=bool)
            readable = blank | written.str.fullmatch(_NUMBER).to_numpy(dtype=bool)
            numbers = written.where(readable & ~blank).astype("float64").to_numpy()
            readable &= ~np.isinf(numbers)
        message = _NOT_WHOLE if column.kind == "count" else N_("this must be a number, it is “{value}”")
        self._faulty[name] = np.zeros(len(values), dtype=bool)
        numbers = numbers.copy()
        self._refuse(~readable, name, message, numbers, written)
        return numbers, written

    def _refuse(
        self,
        bad: _Flags,
        name: str,
        message: str,
        numbers: npt.NDArray[np.float64],
        written: "pd.Series[Any]",
        *,
        limit: float = np.nan,
    ) -> None:
        """Note a fault at each bad cell and blank it, so that nothing else is said about it."""
        for row in np.flatnonzero(bad):
            self.fault(int(row), name, message, {"value": written.iloc[row], "limit": f"{limit:.10g}"})
        self._faulty[name] |= bad
        numbers[bad] = np.nan


def _read_csv(content: bytes, source: str) -> Cells:
    if content.startswith(_WORKBOOK_BYTES):
        raise TableError(source, [Fault("this is a workbook: save it as “CSV UTF-8”")])
    text = decode_text(content, source)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableError(source, [Fault("the file is damaged: it holds a zero byte", line=line)])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines, rows, faults = [], [], []
    line = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        _expect_commas(header, source)
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(header):
                lines.append(line)
                rows.append(cells)
            elif cells:  # an empty line is no row
                facts = {"count": len(cells), "expected": len(header)}
                faults.append(Fault("this row has {count} cells, the header has {expected}", facts, line=line))
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(source, [Fault("this row is not CSV: {problem}", {"problem": error}, line=line)]) from error
    repeated = [position for position, name in enumerate(header) if name in header[:position]]
    faults += [Fault("this column stands here twice", {}, header[position], 1, position + 1) for position in repeated]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    frame = pd.DataFrame({name: pd.Series(columns[header.index(name)], dtype="str") for name in header})
    return Cells(frame, lines, {name: header.index(name) + 1 for name in header}, tuple(faults))


def _expect_commas(header: Sequence[str], source: str) -> None:
    for mark in (";", "\t"):
        if len(header) == 1 and mark in header[0]:
            shown = "TAB" if mark == "\t" else mark
            fault = Fault(
                "the cells stand apart by {mark} and not by commas: save it as “CSV UTF-8”", {"mark": shown}, line=1
            )
            raise TableError(source, [fault])


def _read_parquet(content: bytes, source: str) -> Cells:
    try:
        frame = parquet.read_table(pa.BufferReader(content)).to_pandas()
    except (pa.ArrowException, OSError) as error:
        problem = str(error).splitlines()[0]
        fault = Fault("this Parquet file is cut off or damaged: {problem}", {"problem": problem})
        raise TableError(source, [fault]) from error
    return cells_of(frame)


_NOT_WHOLE: Final = N_("this must be a whole number, it is “{value}”")
# A whole number may be written 41.0: that is how tables with gaps are saved.
_NUMBER: Final = r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?"
_TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+ ?(Z|[-+][0-9]{2}:?[0-9]{2})"
