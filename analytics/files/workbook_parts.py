"""Parts of a workbook, measured before any of them is parsed: forty kilobytes can hold millions of cells."""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Final, NamedTuple

from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.xml.constants import ARC_CONTENT_TYPES, ARC_WORKBOOK, XLSM, XLSX, XLTM, XLTX
from openpyxl.xml.functions import fromstring

from analytics.files.yaml_documents import DocumentError, Fault
from analytics.languages import N_

MOST_PARTS: Final = 2_000
"""Files in a workbook; each picture and each sheet is one."""

MOST_SHEETS: Final = 50
"""Sheets of a workbook, whether they hold anything or not."""

MOST_BYTES: Final = 64 * 2**20
"""Bytes of all parts, unpacked."""

MOST_CELL_ELEMENTS: Final = 1_500_000
"""Marks of elements in sheets and their texts: a cell has four, so that 20,000 rows may have eighteen cells each."""

MOST_OTHER_ELEMENTS: Final = 50_000
"""Marks of elements in what stands beside the sheets, such as styles: each takes thirty times as long as a cell."""

_BYTES_AT_ONCE = 2**20
_SHEETS = "xl/worksheets/"
_RELATIONS = "xl/worksheets/_rels/"
_TEXTS = "xl/sharedStrings.xml"
# Whatever the encoding, XML begins with one of these after its mark of byte order, and no picture does.
_XML_BEGINNINGS = (b"<", b"\0<", b" ", b"\n", b"\r", b"\t")
_BYTE_ORDER_MARKS = b"\xef\xbb\xbf\xff\xfe"
_TOO_LARGE: Final = N_(
    "the workbook is too large to be read: keep only the sheet with the table, without formatting, or save it as CSV"
)
_TOO_MANY_SHEETS: Final = N_("the workbook has {count} sheets, at most {most} are read: keep the one with the table")


def expect_bounded_workbook(content: bytes, source: str) -> bool:
    """Return whether a workbook may hold formulas, or raise `DocumentError` if it would take too long to read.

    Raises what `zipfile` and the parser of XML raise where the file is damaged.
    """
    with zipfile.ZipFile(BytesIO(content)) as archive:
        parts = archive.infolist()
        # Each is unpacked up to the size that its entry states, whatever it holds.
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES:
            raise DocumentError(source, [Fault(_TOO_LARGE)])
        sheets = [part for part in parts if _is_sheet(part)]
        if len(sheets) > MOST_SHEETS:
            raise DocumentError(source, [Fault(_TOO_MANY_SHEETS, {"count": len(sheets), "most": MOST_SHEETS})])
        cells = list(filter(_holds_cells, parts))
        others = [part for part in parts if part not in cells and _is_xml(archive, part)]
        _expect_elements(archive, cells, source, most=MOST_CELL_ELEMENTS)
        _expect_elements(archive, others, source, most=MOST_OTHER_ELEMENTS)
        _expect_usual_place(archive, source)
        return any(_has_formulas(archive, part) for part in sheets)


class MergedRange(NamedTuple):
    """Cells of a sheet that are shown as one, by the first and last row and column, counted from 1."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


def merged_ranges(content: bytes, part: str) -> tuple[MergedRange, ...]:
    """Return the merged cells of the sheet that a part of a workbook holds."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        sheet = archive.read(part.lstrip("/"))
    ranges = []
    for reference in _MERGED.findall(sheet):
        (top, left), (bottom, right) = map(coordinate_to_tuple, reference.decode().split(":"))
        ranges.append(MergedRange(top, bottom, left, right))
    return tuple(ranges)


def expect_workbook(content: bytes, source: str) -> None:
    """Raise `DocumentError` for a zipped file of another kind, such as .ods, with its name."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        names = set(archive.namelist())
    for part, kind in _PARTS_OF_OTHER_KINDS.items():
        if part in names:
            raise DocumentError(source, [Fault("this is a file of the kind {kind}: save it as .xlsx", {"kind": kind})])


def is_strict(content: bytes) -> bool:
    """Return whether a workbook was saved as “Strict Open XML”, which names the same things otherwise."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return _STRICT in archive.read(ARC_WORKBOOK)


def with_usual_names(content: bytes) -> bytes:
    """Return a Strict workbook with the names that other workbooks give to the same things."""
    usual = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as archive, zipfile.ZipFile(usual, "w", zipfile.ZIP_DEFLATED) as written:
        for part in archive.infolist():
            parsed = archive.read(part)
            for strict, name in _USUAL_NAMES.items():
                parsed = parsed.replace(strict, name)
            written.writestr(part.filename, parsed)
    return usual.getvalue()


_MERGED: Final = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]{0,200}?ref=[\"']([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})[\"']"
)
_PARTS_OF_OTHER_KINDS: Final = {
    "xl/workbook.bin": ".xlsb",
    "Index/Document.iwa": ".numbers",
    "content.xml": ".ods",
    "word/document.xml": ".docx",
}
_STRICT: Final = b"http://purl.oclc.org/ooxml/"
_USUAL_NAMES: Final = {
    b"http://purl.oclc.org/ooxml/spreadsheetml/main": b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    b"http://purl.oclc.org/ooxml/drawingml/main": b"http://schemas.openxmlformats.org/drawingml/2006/main",
    b"http://purl.oclc.org/ooxml/officeDocument/relationships": (
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    ),
}


def elements_of_cells(content: bytes, *, most: int) -> int:
    """Return how many marks of elements the sheets of a workbook and their texts have, counted no further than `most`.

    None of one that is too large to be read. Raises what `zipfile` raises where the file is damaged.
    """
    elements = 0
    with zipfile.ZipFile(BytesIO(content)) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > MOST_BYTES:
            return 0
        for part in filter(_holds_cells, parts):
            for piece in _pieces(archive, part):
                elements += piece.count(b"<")
                if elements > most:
                    return elements
    return elements


def _is_sheet(part: zipfile.ZipInfo) -> bool:
    return part.filename.startswith(_SHEETS) and not part.filename.startswith(_RELATIONS)


def _holds_cells(part: zipfile.ZipInfo) -> bool:
    return _is_sheet(part) or part.filename == _TEXTS


def _is_xml(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    with archive.open(part) as stream:
        return stream.read(8).lstrip(_BYTE_ORDER_MARKS).startswith(_XML_BEGINNINGS)


def _expect_elements(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], source: str, *, most: int) -> None:
    elements = 0
    for part in parts:
        for piece in _pieces(archive, part):
            # Whatever the namespace or the encoding, an element begins with this byte.
            elements += piece.count(b"<")
            if elements > most:
                raise DocumentError(source, [Fault(_TOO_LARGE)])


def _expect_usual_place(archive: zipfile.ZipFile, source: str) -> None:
    """Refuse a workbook whose list of sheets would be read from a part that was measured as if it held cells."""
    manifest = fromstring(archive.read(ARC_CONTENT_TYPES))
    stated = {part.get("PartName") for part in manifest if part.get("ContentType") in {XLSM, XLSX, XLTM, XLTX}}
    # A type that is stated for an ending has no place, and means the usual one.
    if stated - {None, f"/{ARC_WORKBOOK}"}:
        raise DocumentError(
            source, [Fault("this is not a workbook that can be read, or it is protected by a password")]
        )


def _has_formulas(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    before = b""
    for piece in _pieces(archive, part):
        # In another encoding it may, and prefixes of a namespace end with a colon.
        if any(mark in before + piece for mark in (b"<f", b":f", b"\0")):
            return True
        before = piece[-1:]
    return False


def _pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as stream:
        while piece := stream.read(_BYTES_AT_ONCE):
            yield piece
