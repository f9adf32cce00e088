"""Tables that an office sends, CSV or XLSX, as rows of text; what cannot be read is a fault with its row and column."""

import csv
import io
import zipfile
from dataclasses import dataclass

from openpyxl import load_workbook
from openpyxl.cell.cell import ERROR_CODES

from analytics.files.yaml_documents import DocumentError, Fault, decode_text

_XLSX_BYTES = b"PK\x03\x04"
_XLS_BYTES = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Sheet:
    """The rows of a table as text, blank rows left out, each with the number that a spreadsheet shows beside it."""

    rows: tuple[tuple[int, tuple[str, ...]], ...]
    faults: tuple[Fault, ...]


def read_sheet(content: bytes, source: str) -> Sheet:
    """Return the table in `content`, or raise `DocumentError` if nothing can be read from it."""
    if content.startswith(_XLSX_BYTES):
        return _read_xlsx(content, source)
    if content.startswith(_XLS_BYTES):
        raise DocumentError(source, [Fault("this is a workbook of the old .xls kind: save it as .xlsx or CSV")])
    return _read_csv(decode_text(content, source), source)


def _read_csv(text: str, source: str) -> Sheet:
    rows: list[tuple[int, tuple[str, ...]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                rows.append((number, tuple(cells)))
    except csv.Error as error:
        fault = Fault("this row is not CSV: {problem}", {"problem": error}, line=number + 1)
        raise DocumentError(source, [fault]) from error
    return Sheet(tuple(rows), ())


def _read_xlsx(content: bytes, source: str) -> Sheet:
    try:
        values = _used_sheets(content, values=True)
        formulas = _used_sheets(content, values=False)
    except Exception as error:  # openpyxl reports damage by whatever it stumbles over
        raise DocumentError(source, [_workbook_fault(content)]) from error
    if len(formulas) > 1:
        fault = Fault("the workbook has {count} sheets with content: keep one", {"count": len(formulas)})
        raise DocumentError(source, [fault])
    if not formulas:
        return Sheet((), ())
    title = next(iter(formulas))
    return _text_sheet(formulas[title], values.get(title, []))


def _workbook_fault(content: bytes) -> Fault:
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return Fault("the workbook is cut off or damaged: send it again")
    return Fault("this is not a workbook that can be read, or it is protected by a password")


_Cells = list[tuple[object, ...]]


def _used_sheets(content: bytes, *, values: bool) -> dict[str, _Cells]:
    """Return the cells of each sheet that has any: what was computed, or the formulas themselves."""
    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=values)
    try:
        sheets: dict[str, _Cells] = {}
        for sheet in workbook.worksheets:
            sheet.reset_dimensions()  # some programs write a wrong one, and cells beyond it would be lost
            sheets[sheet.title] = list(sheet.iter_rows(values_only=True))
        return {title: rows for title, rows in sheets.items() if any(cell is not None for row in rows for cell in row)}
    finally:
        workbook.close()


def _text_sheet(formulas: _Cells, values: _Cells) -> Sheet:
    rows: list[tuple[int, tuple[str, ...]]] = []
    faults: list[Fault] = []
    for number, written in enumerate(formulas, start=1):
        computed = values[number - 1] if number <= len(values) else ()
        cells = []
        for column, formula in enumerate(written, start=1):
            value = computed[column - 1] if column <= len(computed) else None
            text, fault = _cell_text(formula, value)
            cells.append(text)
            if fault:
                faults.append(Fault(fault[0], fault[1], "", number, column))
        if any(cell.strip() for cell in cells):
            rows.append((number, tuple(cells)))
    return Sheet(tuple(rows), tuple(faults))


_CellFault = tuple[str, dict[str, object]]


def _cell_text(formula: object, value: object) -> tuple[str, _CellFault | None]:
    """Return what a cell shows; a fault also returns something, so that the cell is not called empty as well."""
    if value is None and isinstance(formula, str) and formula.startswith("="):
        return formula, ("this formula has no stored result: open the workbook, save it and send it again", {})
    if value is None:
        return "", None
    if isinstance(value, str):
        if value in ERROR_CODES:
            return value, ("this cell shows an error: {value}", {"value": value})
        return value, None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value), ("this must be text or a number, it is {value}", {"value": value})
    return str(int(value)) if float(value).is_integer() else repr(value), None
