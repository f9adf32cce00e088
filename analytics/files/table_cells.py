"""Cells of a table file as they came, CSV or Parquet, each with its line and column."""

import csv
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from analytics.files.csv_files import GUARD, WORD_START, divide_table, in_parts, original_text, parse_csv
from analytics.files.yaml_documents import DocumentError, Fault, decode_text
from analytics.languages import N_

MOST_COLUMNS: Final = 16_384
"""Columns of a table, as many as a spreadsheet has."""

MOST_FAULTS: Final = 10_000
"""Rows of another width than the header after which a table is read no further."""

MOST_PARQUET_CELLS: Final = 1_000_000_000
"""Cells of a Parquet file, told by its footer: a kilobyte can state a billion rows."""

_ARROW_BYTES_AT_ONCE: Final = 2**24
_PARQUET_BYTES = b"PAR1"
_WORKBOOK_BYTES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class TableError(DocumentError):
    """A table that cannot be used, with every fault found in it."""


@dataclass(frozen=True)
class Cells:
    """A table as it came, with the line of each row and the position of each column where the file has them.

    A note is a sentence on what was left out without harm.
    """

    frame: pd.DataFrame
    lines: Sequence[int]
    positions: Mapping[str, int]
    faults: tuple[Fault, ...] = ()
    header_line: int = 1
    notes: tuple[Fault, ...] = ()


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


def cells_of_rows(rows: Sequence[tuple[int, Sequence[str]]], faults: Iterable[Fault] = ()) -> Cells:
    """Return the cells of numbered rows, as `analytics.files.spreadsheets.read_sheet` finds them.

    Parameters
    ----------
    rows : sequence of (int, sequence of str)
        At least one: the first names the columns. They may be of any width.
    faults : iterable of Fault
        What is known to be wrong already.

    Returns
    -------
    Cells
        A column without a name is left out, with a note if it has cells.

    Examples
    --------
    >>> cells_of_rows([(1, ["编号", "户数"]), (3, ["007"])]).frame.to_dict("records")
    [{'编号': '007', '户数': ''}]
    """
    width = max(len(cells) for _, cells in rows)
    (header_line, names), *padded = [(line, [*cells, *[""] * (width - len(cells))]) for line, cells in rows]
    header = [" ".join(unicodedata.normalize("NFKC", name).split()) or None for name in names]
    nameless = [
        Fault("this column has no header and was not read", {}, "", header_line, position + 1)
        for position, name in enumerate(header)
        if name is None and any(cells[position].strip() for _, cells in padded)
    ]
    return replace(_cells_under(header, padded, faults, header_line), notes=tuple(nameless))


def _read_csv(content: bytes, source: str) -> Cells:
    if content.startswith(_WORKBOOK_BYTES):
        raise TableError(source, [Fault("this is a workbook: save it as “CSV UTF-8”")])
    text = decode_text(content, source)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TableError(source, [Fault("the file is damaged: it holds a zero byte", line=line)])
    table, mark, above = divide_table(text)
    plain = _plain_cells(table, mark, above)
    return _written_cells(table, mark, above, source) if plain is None else plain


def _plain_cells(table: str, mark: str, above: int) -> Cells | None:
    """Return the cells of a plainly written table, as nearly all are, in a tenth of the time; None of any other.

    Its first line names the columns, no two alike; every line has as many cells, one of them with a word or a number;
    nothing stands in quotation marks and nothing behind an apostrophe.
    """
    header = [name.strip() for name in table[: table.find("\n") + 1].split(mark)]
    is_unique = len(set(header)) == len(header) <= MOST_COLUMNS and all(header)
    if not is_unique or '"' in table or GUARD in table or table.count("\r") != table.count("\r\n"):
        return None
    names = [str(position) for position in range(len(header))]
    try:
        read = arrow_csv.read_csv(
            pa.py_buffer(table.encode()),
            read_options=arrow_csv.ReadOptions(
                column_names=names, skip_rows=1, block_size=_ARROW_BYTES_AT_ONCE, use_threads=False
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=mark, quote_char=False, ignore_empty_lines=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    longest = max((pc.max(pc.binary_length(texts)).as_py() or 0 for texts in read.columns), default=0)
    if not read.num_rows or longest > csv.field_size_limit() or not _has_words_in_every_row(read.columns):
        return None
    frame = pd.DataFrame(
        {name: pd.array(texts, dtype="str") for name, texts in zip(header, read.columns, strict=True)},
        index=pd.RangeIndex(read.num_rows),
    )
    first = above + 2
    positions = {name: position for position, name in enumerate(header, start=1)}
    return Cells(frame, range(first, first + read.num_rows), positions, header_line=first - 1)


def _has_words_in_every_row(columns: Iterable[pa.ChunkedArray]) -> bool:
    """Return whether some cell of each row begins with a digit, a letter or a Chinese character."""
    empty: npt.NDArray[np.bool_] | None = None
    for texts in columns:
        wordless = ~pc.match_substring_regex(texts, WORD_START).to_numpy()
        empty = wordless if empty is None else empty & wordless
        if not empty.any():
            return True
    return False


def _written_cells(table: str, mark: str, above: int, source: str) -> Cells:
    """Return the cells of a table however it is written."""
    # A line without content is no row: spreadsheets leave lines of mere commas below a table.
    rows = ((line + above, cells) for line, cells in parse_csv(table, source, mark=mark) if any(map(str.strip, cells)))
    if GUARD in table:
        rows = (
            (line, [original_text(cell) if cell.startswith(GUARD) else cell for cell in cells]) for line, cells in rows
        )
    header_line, names = next(rows, (1, []))
    header = [name.strip() for name in names]
    if len(header) > MOST_COLUMNS:
        stated = {"count": f"{len(header):,}", "most": f"{MOST_COLUMNS:,}"}
        raise TableError(source, [Fault(_TOO_MANY_COLUMNS, stated, line=header_line)])
    faults: list[Fault] = []
    return _cells_under(header, _whole_rows(rows, len(header), source, faults), faults, header_line)


def _whole_rows(
    rows: Iterable[tuple[int, Sequence[str]]], width: int, source: str, faults: list[Fault]
) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the rows that are as wide as the header, and note the others."""
    for line, cells in rows:
        if len(cells) == width:
            yield line, cells
            continue
        facts = {"count": len(cells), "expected": width}
        faults.append(Fault("this row has {count} cells, the header has {expected}", facts, line=line))
        if len(faults) == MOST_FAULTS:
            raise TableError(source, faults)


def _cells_under(
    header: Sequence[str | None],
    rows: Iterable[tuple[int, Sequence[str]]],
    faults: Iterable[Fault],
    header_line: int = 1,
) -> Cells:
    """Return rows as wide as the header as cells; columns named None are left out, of two of one name the second."""
    position_by_name: dict[str, int] = {}
    twice: list[Fault] = []
    for position, name in enumerate(header):
        if name in position_by_name:
            twice.append(Fault("this column stands here twice", {}, name, header_line, position + 1))
        elif name is not None:
            position_by_name[name] = position
    lines: list[int] = []
    parts: dict[str, list[pa.Array]] = {name: [] for name in position_by_name}
    # Some at a time: cells as Python's texts take ten times the memory of a column.
    for part in in_parts(rows):
        lines += [line for line, _ in part]
        columns = list(zip(*(cells for _, cells in part), strict=True))
        for name, place in position_by_name.items():
            parts[name].append(pa.array(columns[place], pa.large_string()))
    frame = pd.DataFrame(
        {name: pd.array(pa.chunked_array(texts, pa.large_string()), dtype="str") for name, texts in parts.items()},
        index=pd.RangeIndex(len(lines)),
    )
    positions = {name: place + 1 for name, place in position_by_name.items()}
    # Those of the rows are known when these have been read.
    return Cells(frame, lines, positions, (*faults, *twice), header_line)


def _read_parquet(content: bytes, source: str) -> Cells:
    try:
        footer = parquet.read_metadata(pa.BufferReader(content))
        if footer.num_rows * footer.num_columns > MOST_PARQUET_CELLS:
            facts = {"rows": f"{footer.num_rows:,}", "columns": f"{footer.num_columns:,}"}
            raise TableError(source, [Fault(_TOO_MANY_CELLS, facts)])
        frame = _with_index(parquet.read_table(pa.BufferReader(content)).to_pandas())
    except (pa.ArrowException, OSError) as error:
        problem = str(error).splitlines()[0]
        fault = Fault("this Parquet file is cut off or damaged: {problem}", {"problem": problem})
        raise TableError(source, [fault]) from error
    return cells_of(frame)


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the named columns of its index, such as community_id, among its columns."""
    names = [name for name in frame.index.names if name is not None and name not in frame.columns]
    return frame.reset_index(level=names) if names else frame


_TOO_MANY_COLUMNS: Final = N_("the table has {count} columns, at most {most} are read: keep those that are asked for")
_TOO_MANY_CELLS: Final = N_("the table has {rows} rows and {columns} columns, more than can be read: divide it")
