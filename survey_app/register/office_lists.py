"""Lists as offices keep them: titles above the headers, cells merged over several rows, rows of totals."""

import unicodedata
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from analytics.files.spreadsheets import MOST_CELLS, Sheet
from analytics.files.table_cells import Cells, cells_of_rows
from analytics.files.workbook_parts import MergedRange
from analytics.files.yaml_documents import DocumentError, Fault
from analytics.languages import N_

_Rows = Sequence[tuple[int, tuple[str, ...]]]

_ROWS_LOOKED_AT: Final = 20
_FEWEST_HEADERS: Final = 2
_LONGEST_QUOTED: Final = 40
_TOTALS: Final = frozenset({"合计", "总计", "小计", "共计", "总数", "合计数", "total", "totals", "subtotal", "sum"})
_MERGED: Final = N_(
    "this cell is merged with those below it down to row {row}: undo the merge and fill in a cell for each row"
)
_TOO_MANY_MERGED: Final = N_("the table has more than {most} merged cells: undo the merges")


def cells_of_list(
    sheet: Sheet,
    source: str,
    *,
    headers: Mapping[str, Sequence[str]],
    filled_down: Collection[str],
    named: Sequence[str],
) -> Cells:
    """Return the cells of a list without what offices write around it, each thing that was left out noted.

    `headers` are the ways to write the header of each column. What is merged over several rows holds for each of them
    in the columns `filled_down`; elsewhere it is a fault. A row whose first cell, or one of the columns `named`, calls
    it a total is no row of the list.
    """
    column_by_written = {_plain(written): column for column, ways in headers.items() for written in ways}
    at = _header_place(sheet.rows, column_by_written)
    header_line, header = sheet.rows[at]
    columns = {place: column_by_written.get(_plain(written)) for place, written in enumerate(header)}
    below = sheet.rows[at + 1 :]
    totals = {line: text for line, texts in below if (text := _total_of(texts, columns, named)) is not None}
    spanning = [
        merged
        for merged in sheet.merged
        if header_line < merged.first_row < merged.last_row and merged.first_row not in totals
    ]
    filled = {place for place, column in columns.items() if column in filled_down}
    fillable = [merged for merged in spanning if _is_within(merged, filled)]
    rows = _filled([(line, texts) for line, texts in below if line not in totals], fillable, source)
    faults = [
        fault
        for fault in sheet.faults
        if fault.line is None or (fault.line >= header_line and fault.line not in totals)
    ]
    faults += [
        Fault(_MERGED, {"row": merged.last_row}, header[place], merged.first_row, place + 1)
        for merged in spanning
        if merged not in fillable
        for place in _places(merged, len(header))
        if columns[place] is not None
    ]
    notes = [
        *sheet.notes,
        *(_note_above(line, texts) for line, texts in sheet.rows[:at]),
        *(
            Fault("this row was not read: it holds a total ({text})", {"text": totals[line]}, "", line)
            for line in totals
        ),
    ]
    cells = cells_of_rows([(header_line, header), *rows], faults)
    return replace(cells, notes=(*notes, *cells.notes))


def _plain(written: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", written).split()).lower()


def _header_place(rows: _Rows, column_by_written: Mapping[str, str]) -> int:
    """Return which row names the columns: of the first ones that with most known names, or else with most cells."""
    looked_at = range(min(len(rows), _ROWS_LOOKED_AT))

    def names(place: int) -> int:
        return len({column_by_written.get(_plain(written)) for written in rows[place][1]} - {None})

    def filled(place: int) -> int:
        return sum(bool(written.strip()) for written in rows[place][1])

    best = max(looked_at, key=names)
    return best if names(best) >= _FEWEST_HEADERS else max(looked_at, key=filled)


def _note_above(line: int, cells: Sequence[str]) -> Fault:
    text = " ".join(cell.strip() for cell in cells if cell.strip())
    return Fault("this row above the headers was not read: {text}", {"text": text[:_LONGEST_QUOTED]}, "", line)


def _total_of(cells: Sequence[str], columns: Mapping[int, str | None], named: Sequence[str]) -> str | None:
    """Return the word by which a row says that it holds a total, or None.

    Where a column of `named` has the word, another of them has to be empty: a community may be called so.
    """
    written = {place: cell.strip() for place, cell in enumerate(cells) if cell.strip()}
    first = next(iter(written.values()), "")
    if _is_total(first):
        return first
    of_named = [written.get(place, "") for place, column in columns.items() if column in named]
    word = next((text for text in of_named if _is_total(text)), None)
    return word if word is not None and not all(of_named) else None


def _is_total(text: str) -> bool:
    return "".join(unicodedata.normalize("NFKC", text).split()).rstrip(":").lower() in _TOTALS


def _is_within(merged: MergedRange, places: Collection[int]) -> bool:
    return merged.first_column == merged.last_column and merged.first_column - 1 in places


def _places(merged: MergedRange, width: int) -> Iterator[int]:
    yield from range(merged.first_column - 1, min(merged.last_column, width))


def _filled(rows: _Rows, merges: Sequence[MergedRange], source: str) -> list[tuple[int, tuple[str, ...]]]:
    """Return rows in which each merged cell has its text in every row that it spans."""
    lines = [line for line, _ in rows]
    cells = [list(texts) for _, texts in rows]
    steps = 0
    for merged in merges:
        first, end = bisect_left(lines, merged.first_row), bisect_left(lines, merged.last_row + 1)
        place = merged.first_column - 1
        steps += end - first
        if steps > MOST_CELLS:
            raise DocumentError(source, [Fault(_TOO_MANY_MERGED, {"most": f"{MOST_CELLS:,}"})])
        if first == end or lines[first] != merged.first_row or len(cells[first]) <= place:
            continue
        for row in range(first + 1, end):
            cells[row] += [""] * (place + 1 - len(cells[row]))
            cells[row][place] = cells[row][place] or cells[first][place]
    return list(zip(lines, map(tuple, cells), strict=True))
