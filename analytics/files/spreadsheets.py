"""Spreadsheet files: sheets of text cells read from CSV and XLSX, and tables written as XLSX workbooks."""

import gc
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from io import BytesIO
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
from openpyxl import load_workbook
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.utils.escape import unescape
from openpyxl.worksheet._reader import WorkSheetParser
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from analytics.files.csv_files import divide_table, is_missing, original_text, parse_csv
from analytics.files.number_formats import shown_number
from analytics.files.workbook_parts import (
    MergedRange,
    elements_of_cells,
    expect_bounded_workbook,
    expect_workbook,
    is_strict,
    merged_ranges,
    with_usual_names,
)
from analytics.files.yaml_documents import DocumentError, Fault, decode_text
from analytics.languages import N_
from analytics.progress import ProgressCallback, ignore_progress, progress_part

MOST_COLUMNS: Final = 200
"""Columns of a table that is read; the community list has fifteen."""

MOST_CELLS: Final = 3_000_000
"""Cells of a table that is read, blank ones included: 100,000 communities have 1,500,000."""

MOST_ROWS: Final = 200_000
"""Rows of a CSV file that is read as a sheet, blank ones included."""

MOST_WORKBOOK_ROWS: Final = 20_000
"""Rows of a workbook that is read, blank ones included: each takes a hundred times as long as one of a CSV file."""

_TOO_MANY_ROWS: Final = N_(
    "the table goes beyond row {most}: delete empty rows below it, or save a longer list as “CSV UTF-8”"
)
_TOO_MANY_LINES: Final = N_("the file has more than {most} rows: delete empty rows, or divide it")
_TOO_MANY_COLUMNS: Final = N_("this row has cells beyond column {most}: delete what does not belong to the table")
_TOO_MANY_CELLS: Final = N_("the table has more than {most} cells: delete columns that are not asked for, or divide it")

_MOST_ROWS = 1_048_576
# A spreadsheet keeps fifteen digits of a number and makes zeros of the others.
_TOO_LONG_A_NUMBER = 10**15
_XLSX_BYTES = b"PK\x03\x04"
_XLS_BYTES = b"\xd0\xcf\x11\xe0"
_DIGITS_KEPT = 15
_ROWS_BETWEEN_REPORTS = 200


@dataclass(frozen=True)
class Sheet:
    """A table as rows of text.

    Attributes
    ----------
    rows : tuple of (int, tuple of str)
        The number that a spreadsheet shows beside the row, and its cells; blank rows are left out.
    faults : tuple of Fault
        One for each cell that cannot be read.
    merged : tuple of MergedRange
        Cells of a workbook that are shown as one; all but the first of them are empty.
    notes : tuple of Fault
        What was left out without harm, in sentences.
    """

    rows: tuple[tuple[int, tuple[str, ...]], ...]
    faults: tuple[Fault, ...] = ()
    merged: tuple[MergedRange, ...] = ()
    notes: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class SheetColumn:
    """A column of a workbook; with `is_text` its cells stay text when people edit them, leading zeros included."""

    heading: str
    width: float = 12
    is_text: bool = False


class WorkbookLimit(ValueError):
    """A table that no workbook can hold: the place, counted from 1, where it exceeds a limit."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__(f"a workbook cannot hold row {row}, column {column}: it is too long or lies too far out")
        self.row, self.column = row, column


def read_sheet(content: bytes, source: str, *, tell: ProgressCallback = ignore_progress) -> Sheet:
    r"""Return the table in a CSV or XLSX file.

    Parameters
    ----------
    content : bytes
        CSV as UTF-8 or GB18030, its cells apart by commas, semicolons or tabs, or a workbook, Strict Open XML too, with
        one visible sheet that is not empty.
    source : str
        The file's name, for messages.
    tell : callable
        Progress callback, for workbooks alone: a CSV file is read at once.

    Returns
    -------
    Sheet
        Cells of a workbook are what is shown of them, leading zeros and percentages included, but without marks of
        thousands and never rounded; formulas are what they were last computed to.

    Raises
    ------
    DocumentError
        If nothing can be read from the file.

    Examples
    --------
    >>> read_sheet("编号,户数\r\n,\r\n007,30\r\n".encode(), "a.csv").rows
    ((1, ('编号', '户数')), (3, ('007', '30')))
    """
    if content.startswith(_XLSX_BYTES):
        return _read_xlsx(content, source, tell)
    if content.startswith(_XLS_BYTES):
        raise DocumentError(source, [Fault("this is a workbook of the old .xls kind: save it as .xlsx or CSV")])
    if content[:_BEGINNING].lstrip(_BLANKS).startswith(b"<"):
        raise DocumentError(
            source, [Fault("this is a web page or XML, whatever its name: open it and save it as .xlsx")]
        )
    text, mark, _ = divide_table(decode_text(content, source))
    return Sheet(tuple(_csv_rows(parse_csv(text, source, mark=mark), source)))


def has_few_cells(content: bytes, *, rows: int) -> bool:
    """Return whether a file has about as many cells as a list of so many rows, or is refused as quickly.

    Parameters
    ----------
    content : bytes
        Of a CSV or XLSX file, of which no cell is read.
    rows : int
        Of a list as wide as an office's usual ones.

    Examples
    --------
    >>> has_few_cells(b"1,2" * 3, rows=2), has_few_cells(b"1,2,3" * 80, rows=2)
    (True, False)
    """
    if not content.startswith(_XLSX_BYTES):
        return len(content) <= rows * _USUAL_BYTES_OF_ROW
    most = rows * _USUAL_ELEMENTS_OF_ROW
    try:
        return elements_of_cells(content, most=most) <= most
    except Exception:  # noqa: BLE001 (what is damaged says so by whatever is stumbled over)
        return True


_USUAL_BYTES_OF_ROW: Final = 150
_USUAL_ELEMENTS_OF_ROW: Final = 50
_BEGINNING: Final = 100
_BLANKS: Final = b"\xef\xbb\xbf \t\r\n"


def _csv_rows(lines: Iterable[tuple[int, Sequence[str]]], source: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    rows = width = 0
    for number, (_, cells) in enumerate(lines, start=1):
        if number > MOST_ROWS:
            raise DocumentError(source, [Fault(_TOO_MANY_LINES, {"most": f"{MOST_ROWS:,}"})])
        if _has_content(cells):
            rows, width = rows + 1, max(width, len(cells))
            if width > MOST_COLUMNS:
                raise DocumentError(source, [Fault(_TOO_MANY_COLUMNS, {"most": MOST_COLUMNS}, line=number)])
            # Each row is as wide as the widest.
            if rows * width > MOST_CELLS:
                raise DocumentError(source, [Fault(_TOO_MANY_CELLS, {"most": f"{MOST_CELLS:,}"})])
            yield number, tuple(map(original_text, cells))


def write_workbook(
    stream: BinaryIO, *, title: str, columns: Sequence[SheetColumn], rows: Iterable[Iterable[object]], now: datetime
) -> None:
    """Write a table as an XLSX file: its header is bold, frozen and filtered, and no text runs as a formula.

    Parameters
    ----------
    stream : binary file
        Gets the file when all of it is made, and nothing if that fails.
    title : str
        Of the sheet, at most 31 characters.
    columns : sequence of SheetColumn
    rows : iterable of iterable
        Cells: text, numbers, or missing values, which stay empty. They are taken one row at a time.
    now : datetime
        With a zone; the file says that it was made then. Equal arguments give equal bytes.

    Raises
    ------
    WorkbookLimit
        If there are too many rows or a text is too long.

    Notes
    -----
    Whole numbers of more than fifteen digits, which a spreadsheet would round, and what is neither text nor a finite
    number are written as the text that a CSV file has of them. A cell holds 32,767 characters.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> stream = BytesIO()
    >>> columns = [SheetColumn("编号", is_text=True), SheetColumn("户数")]
    >>> write_workbook(stream, title="小区", columns=columns, rows=[["007", 30]], now=datetime(2026, 9, 1, tzinfo=UTC))
    >>> read_sheet(stream.getvalue(), "a.xlsx").rows
    ((1, ('编号', '户数')), (2, ('007', '30')))
    """
    with TemporaryDirectory() as directory:
        path = Path(directory, "workbook.xlsx")
        # With constant_memory each row goes to a file of its own directory as soon as the next one begins.
        with Workbook(path, {"constant_memory": True, "tmpdir": directory}) as workbook:
            workbook.set_properties({"created": now.astimezone(UTC)})
            _fill(workbook, title, columns, rows)
        with path.open("rb") as file:
            shutil.copyfileobj(file, stream)


def _fill(workbook: Workbook, title: str, columns: Sequence[SheetColumn], rows: Iterable[Iterable[object]]) -> None:
    sheet = workbook.add_worksheet(title)
    bold, as_text = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "@"})
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width, as_text if column.is_text else None)
        _write_cell(sheet, 0, place, column.heading, bold)
    last = 0
    for last, cells in enumerate(rows, start=1):
        for place, value in enumerate(cells):
            _write_cell(sheet, last, place, value)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, last, max(len(columns) - 1, 0))
    # Numbers of communities and telephones are text on purpose: no green corner warns of each.
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{_MOST_ROWS}"})


def _write_cell(sheet: Worksheet, row: int, place: int, value: object, style: Format | None = None) -> None:
    if is_missing(value) or value == "":
        return
    if _is_number(value):
        refused = sheet.write_number(row, place, value, style)
    else:
        refused = sheet.write_string(row, place, str(value), style)
    if refused:
        raise WorkbookLimit(row + 1, place + 1)


def _is_number(value: Any) -> bool:
    if isinstance(value, int | np.integer):
        return not isinstance(value, bool) and abs(int(value)) < _TOO_LONG_A_NUMBER
    return isinstance(value, float) and isfinite(value)


def _has_content(cells: Iterable[str]) -> bool:
    return any(cell.strip() for cell in cells)


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Leave circular garbage where it lies: a workbook makes hardly any, and its cells would be gone through again and
    again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_collection_paused()
def _read_xlsx(content: bytes, source: str, tell: ProgressCallback) -> Sheet:
    try:
        expect_workbook(content, source)
        has_formulas = expect_bounded_workbook(content, source)
        if is_strict(content):
            content = with_usual_names(content)
        passes = 2 if has_formulas else 1
        values = _used_sheets(content, source, progress_part(tell, part=0, parts=passes), values=True)
        formulas = (
            _used_sheets(content, source, progress_part(tell, part=1, parts=passes), values=False)
            if has_formulas
            else values
        )
        chosen = _only_visible(formulas, source)
        merged = merged_ranges(content, chosen.part) if chosen else ()
    except DocumentError:
        raise
    except Exception as error:  # openpyxl reports damage by whatever it stumbles over
        raise DocumentError(source, [_workbook_fault(content)]) from error
    if chosen is None:
        return Sheet(())
    computed = next((sheet.rows for sheet in values if sheet.title == chosen.title), {})
    rows, faults = _texts(chosen.rows, computed)
    return Sheet(rows, faults, merged, tuple(_notes_on_hidden(formulas, chosen)))


def _workbook_fault(content: bytes) -> Fault:
    if not zipfile.is_zipfile(BytesIO(content)):
        return Fault("the workbook is cut off or damaged: send it again")
    return Fault("this is not a workbook that can be read, or it is protected by a password")


class _Number(NamedTuple):
    """A number or a time of a cell, and the format in which it is shown."""

    value: object
    number_format: str


_Rows = dict[int, tuple[object, ...]]
"""The cells of each row that has any, up to the last that is not empty, by the number beside the row."""


class _UsedSheet(NamedTuple):
    """A sheet with content: its title, the part of the workbook that holds it, and its cells."""

    title: str
    part: str
    is_visible: bool
    rows: _Rows


def _used_sheets(content: bytes, source: str, tell: ProgressCallback, *, values: bool) -> list[_UsedSheet]:
    """Return the sheets that have cells: with what was computed, or with the formulas themselves."""
    workbook = load_workbook(BytesIO(content), read_only=True, data_only=values, keep_links=False)
    try:
        sheets: list[_UsedSheet] = []
        for place, sheet in enumerate(workbook.worksheets):
            cells = _stated_cells(sheet, progress_part(tell, part=place, parts=len(workbook.worksheets)))
            if rows := _used_rows(cells, _number_formats(sheet), source):
                # Merged cells stand in the part alone: a sheet that is read row by row does not have them.
                part = sheet._worksheet_path  # type: ignore[attr-defined]  # noqa: SLF001
                sheets.append(_UsedSheet(sheet.title, part, sheet.sheet_state == "visible", rows))
        return sheets
    finally:
        workbook.close()


def _stated_cells(sheet: Any, tell: ProgressCallback) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield the cells that the part of a sheet states, by the number of their row.

    `iter_rows` makes an object of each of them and of every gap up to the last column that is read, which takes as long
    as the parser itself.
    """
    workbook = sheet.parent
    size = workbook._archive.getinfo(sheet._worksheet_path.lstrip("/")).file_size  # noqa: SLF001
    with sheet._get_source() as part:  # noqa: SLF001
        parser = WorkSheetParser(
            part,
            sheet._shared_strings,  # noqa: SLF001
            data_only=workbook.data_only,
            epoch=workbook.epoch,
            date_formats=workbook._date_formats,  # noqa: SLF001
            timedelta_formats=workbook._timedelta_formats,  # noqa: SLF001
        )
        for number, cells in parser.parse():
            yield number, cells
            if number % _ROWS_BETWEEN_REPORTS == 0:
                tell(part.tell() / size)


def _number_formats(sheet: Any) -> Callable[[int], str]:
    """Return what finds the number format of a style, once for each."""
    return cache(lambda style: ReadOnlyCell(sheet, 1, 1, None, style_id=style).number_format)


def _only_visible(sheets: Sequence[_UsedSheet], source: str) -> _UsedSheet | None:
    """Return the sheet that people see, or None where all are empty; refuse to choose among several."""
    visible = [sheet for sheet in sheets if sheet.is_visible]
    if len(visible) == 1 or not sheets:
        return visible[0] if visible else None
    titles = "、".join(sheet.title for sheet in visible or sheets)
    message = _MANY_SHEETS if visible else N_("the sheet with content ({titles}) is hidden: show it, or delete it")
    raise DocumentError(source, [Fault(message, {"count": len(visible), "titles": titles})])


_MANY_SHEETS: Final = N_("the workbook has {count} sheets with content ({titles}): keep one")


def _notes_on_hidden(sheets: Sequence[_UsedSheet], chosen: _UsedSheet) -> Iterator[Fault]:
    for sheet in sheets:
        if sheet is not chosen:
            yield Fault("the hidden sheet “{title}” was not read", {"title": sheet.title})


def _used_rows(
    rows: Iterable[tuple[int, Sequence[Mapping[str, Any]]]], number_format: Callable[[int], str], source: str
) -> _Rows:
    found: _Rows = {}
    last = cells = 0
    for number, stated in rows:
        if number > MOST_WORKBOOK_ROWS:
            raise DocumentError(source, [Fault(_TOO_MANY_ROWS, {"most": f"{MOST_WORKBOOK_ROWS:,}"})])
        # Of a number that stands there twice, what comes first is the row.
        if number <= last:
            continue
        last = number
        filled = {cell["column"]: _content(cell, number_format) for cell in stated if cell["value"] is not None}
        width = max(filled, default=0)
        if width > MOST_COLUMNS:
            raise DocumentError(source, [Fault(_TOO_MANY_COLUMNS, {"most": MOST_COLUMNS}, line=number)])
        if width:
            found[number] = tuple(map(filled.get, range(1, width + 1)))
        cells += width
        if cells > MOST_CELLS:
            raise DocumentError(source, [Fault(_TOO_MANY_CELLS, {"most": f"{MOST_CELLS:,}"})])
    return found


def _content(cell: Mapping[str, Any], number_format: Callable[[int], str]) -> object:
    value = cell["value"]
    return value if isinstance(value, str | bool) else _Number(value, number_format(cell["style_id"]))


def _texts(formulas: _Rows, values: _Rows) -> tuple[tuple[tuple[int, tuple[str, ...]], ...], tuple[Fault, ...]]:
    rows: list[tuple[int, tuple[str, ...]]] = []
    faults: list[Fault] = []
    for number, written in formulas.items():
        computed = values.get(number, ())
        cells = []
        for column, formula in enumerate(written, start=1):
            value = computed[column - 1] if column <= len(computed) else None
            text, fault = _cell_text(formula, value)
            cells.append(text)
            if fault:
                faults.append(Fault(fault[0], fault[1], "", number, column))
        if _has_content(cells):
            rows.append((number, tuple(cells)))
    return tuple(rows), tuple(faults)


_CellFault = tuple[str, dict[str, object]]


def _cell_text(formula: object, value: object) -> tuple[str, _CellFault | None]:
    """Return what a cell shows; a fault also returns something, so that the cell is not called empty as well."""
    if value is None and isinstance(formula, str) and formula.startswith("="):
        return formula, (_NOT_COMPUTED, {})
    if value is None:
        return "", None
    if isinstance(value, str):
        if value in ERROR_CODES:
            return value, (N_("this cell shows an error: {value}"), {"value": value})
        # Workbooks spell out what XML cannot hold: _x000D_ is a carriage return.
        return unescape(value), None
    if isinstance(value, _Number):
        return _number_text(value)
    return str(value), (N_("this must be text or a number, it is {value}"), {"value": value})


def _number_text(cell: _Number) -> tuple[str, _CellFault | None]:
    value = cell.value
    if isinstance(value, date | time | timedelta):
        shown = str(value).removesuffix(" 00:00:00")
        return shown, (HELD_AS_DATE, {"value": shown})
    if not isinstance(value, int | float) or (isinstance(value, float) and not isfinite(value)):
        return str(value), (N_("this must be text or a number, it is {value}"), {"value": value})
    plain = str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)
    if abs(value) >= _TOO_LONG_A_NUMBER:
        return plain, (_DIGITS_LOST, {"value": plain, "digits": _DIGITS_KEPT})
    return shown_number(Decimal(plain), cell.number_format) or plain, None


HELD_AS_DATE: Final = N_("the spreadsheet holds this as the date {value}: format the column as text and type it again")
_DIGITS_LOST: Final = N_(
    "a spreadsheet keeps {digits} digits of a number, and the others of {value} are lost: format the column as text "
    "and type it again"
)
_NOT_COMPUTED: Final = N_("this formula has no stored result: open the workbook, save it and send it again")
