"""Lists of communities as files: read as an office keeps them, checked as a whole, and written to be read again."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as fields_of
from datetime import datetime
from functools import partial
from io import BytesIO
from itertools import repeat
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from analytics.files.csv_files import csv_file, starts_formula
from analytics.files.spreadsheets import SheetColumn, read_sheet, write_workbook
from analytics.files.table_cells import Cells
from analytics.files.typed_columns import DAMAGED, ONLY_FIRST_DIGITS, CellReader, CellRefused
from analytics.files.written_text import (
    BIDI_CONTROLS,
    damaged_sign,
    is_blank,
    is_scientific,
    number_key,
    without_invisible,
)
from analytics.files.yaml_documents import DocumentError, Fault
from analytics.languages import N_
from analytics.progress import ProgressCallback, ignore_progress
from survey_app.register.office_lists import cells_of_list

LONGEST_TEXT = 200
# More households than any community has; a number above it is a telephone number in the wrong column.
MOST_HOUSEHOLDS = 999_999
# Unseen by themselves, they belong to the spelling of Mongolian and of several other scripts.
JOINING_SIGNS = frozenset("\u180e\u200c\u200d")


class PlacesError(DocumentError):
    """A list of communities that cannot be imported, with every fault found in it."""


class UnknownColumns(PlacesError):
    """A list without some columns that are needed, or with other headers: those that it has, and what is missing."""

    def __init__(self, source: str, faults: Sequence[Fault], headers: Sequence["Header"]) -> None:
        super().__init__(source, faults)
        self.headers = tuple(headers)
        found = {header.field for header in headers}
        self.missing = tuple(column for column in COLUMNS if column.field not in _OPTIONAL | found)


class Header(NamedTuple):
    """A header of a list: as it is written, the first text below it, and the field that it is read as, if any."""

    written: str
    example: str
    field: str | None


@dataclass(frozen=True)
class CommunityRow:
    """One community as its file states it; None is what the file leaves blank."""

    number: str | None
    name: str
    english_name: str | None
    district: str
    district_english_name: str | None
    company: str | None
    company_english_name: str | None
    households_delivered: int | None
    households_occupied: int | None
    households_owners: int | None
    second_language_line: str | None = None
    subdistrict: str | None = None
    subdistrict_english_name: str | None = None
    neighbourhood: str | None = None
    neighbourhood_english_name: str | None = None


@dataclass(frozen=True)
class CommunityTable:
    """A faultless list of communities, in the order of the file.

    `lines` are the rows of the file, and `notes` what was left out or cleaned; a list that was not read has neither.
    """

    rows: tuple[CommunityRow, ...]
    lines: tuple[int, ...] = field(default=(), compare=False)
    notes: tuple[Fault, ...] = field(default=(), compare=False)
    source: str = field(default="-", compare=False)


@dataclass(frozen=True)
class Column:
    """A column of a list: the field that it states, its header in Chinese and in English, and what others write."""

    field: str
    header: str
    english_header: str
    other_headers: tuple[str, ...] = ()
    required_cell: bool = False
    optional_column: bool = False
    counts_households: bool = False
    width: int = 12


_FIELDS = fields_of(CommunityRow)

COLUMNS = (
    Column("number", "小区编号", "community number", optional_column=True, width=16),
    Column("name", "小区名称", "name", required_cell=True, width=28),
    Column("english_name", "英文名称", "english name", optional_column=True, width=28),
    Column("district", "区", "district", required_cell=True),
    Column("district_english_name", "区英文名", "district english name", optional_column=True),
    Column(
        "subdistrict",
        "街道",
        "subdistrict",
        ("街道办", "街道办事处", "所属街道", "街道(镇)", "街道(镇、苏木)", "镇街", "街镇", "乡镇", "乡镇街道"),
        optional_column=True,
    ),
    Column("subdistrict_english_name", "街道英文名", "subdistrict english name", optional_column=True),
    Column(
        "neighbourhood",
        "社区",
        "neighbourhood",
        ("所属社区", "社区名称", "社区居委会", "居委会", "社区(村)", "社区(居委会)"),
        optional_column=True,
    ),
    Column("neighbourhood_english_name", "社区英文名", "neighbourhood english name", optional_column=True),
    Column("company", "物业公司", "property company", width=28),
    Column("company_english_name", "公司英文名", "company english name", optional_column=True, width=28),
    Column("households_delivered", "交付户数", "households delivered", counts_households=True),
    Column("households_occupied", "入住户数", "households occupied", counts_households=True),
    Column("households_owners", "业主户数", "households owners", counts_households=True),
    Column("second_language_line", "第二语言", "second language", optional_column=True, width=28),
)


_Cell = str | int | None

_HEADERS = {column.field: (column.header, column.english_header, *column.other_headers) for column in COLUMNS}
_OWN_HEADERS = 2
_OPTIONAL = frozenset(column.field for column in COLUMNS if column.optional_column)
_LONGEST_EXAMPLE = 20
# What is merged over several communities holds for each of them; a merged number of households does not.
_NAMED = ("district", "subdistrict", "neighbourhood", "company")
_FILLED_DOWN = tuple(name for named in _NAMED for name in (named, f"{named}_english_name"))
# Names are told apart within the place that holds them.
_WITHIN = MappingProxyType({"subdistrict": ("district",), "neighbourhood": ("subdistrict", "district")})
_EMPTY = N_("this cell is empty")
# Nearly every cell: nothing in it could be faulty, and to look at each sign takes ten times as long.
_ORDINARY = re.compile("[0-9A-Za-z\u4e00-\u9fff]+")


def read_communities(
    content: bytes | Path,
    name: str | None = None,
    *,
    headers: Mapping[str, str] = MappingProxyType({}),
    tell: ProgressCallback = ignore_progress,
) -> CommunityTable:
    """Return the communities in a CSV or XLSX file, or raise `PlacesError` with every fault, by row and column.

    The headers are Chinese or English, or by `headers` what a source writes above a field. The numbers of communities,
    the English names and the poster's line in a second language may be left out as columns, the company and the numbers
    of households as cells: a number that nobody knows is blank, not zero. A title above the headers, rows of totals,
    columns of other names and invisible signs are left out and noted. `UnknownColumns` where a needed column is
    missing.
    """
    source = name or str(content)
    if isinstance(content, Path):
        content = content.read_bytes()
    try:
        sheet = read_sheet(content, source, tell=tell)
        if not sheet.rows:
            raise PlacesError(source, [Fault("the file is empty")])
        ways = _HEADERS | {field: (header_text(written),) for field, written in headers.items()}
        cells = cells_of_list(sheet, source, headers=ways, filled_down=_FILLED_DOWN, named=("number", "name"))
    except DocumentError as error:
        raise PlacesError(error.source, error.faults) from error
    ways = {field: _chosen_way(spellings, cells) for field, spellings in ways.items()}
    reader = CellReader(cells)
    reader.recognise(ways, optional=_OPTIONAL)
    if not reader.names >= _HEADERS.keys() - _OPTIONAL:
        raise UnknownColumns(source, reader.faults, _headers_of(cells, ways))
    table = _read_table(reader)
    if not len(table):
        reader.faults.append(Fault("the file lists no community"))
    if reader.faults:
        raise PlacesError(source, _gathered(reader.faults, reader.cells.lines))
    return CommunityTable(_rows(table), tuple(reader.cells.lines), tuple(reader.notes), source)


def header_text(written: str) -> str:
    """Return a header as a list is read: widths of signs and blanks make no difference."""
    return " ".join(unicodedata.normalize("NFKC", written).split())


def _chosen_way(spellings: tuple[str, ...], cells: Cells) -> tuple[str, ...]:
    """Return our own headers of a column, and of those that others write the first one only that stands in the list.

    Of a list that has 社区 and 居委会, the second is not a column that stands there twice.
    """
    own, others = spellings[:_OWN_HEADERS], spellings[_OWN_HEADERS:]
    written = {header.lower() for header in cells.frame.columns}
    if any(header.lower() in written for header in own):
        return own
    return (*own, *[header for header in others if header.lower() in written][:1])


def _headers_of(cells: Cells, ways: Mapping[str, Sequence[str]]) -> list[Header]:
    field_by_written = {written.lower(): field for field, spellings in ways.items() for written in spellings}
    return [
        Header(
            written,
            next((text.strip() for text in cells.frame[written] if text.strip()), "")[:_LONGEST_EXAMPLE],
            field_by_written.get(written.lower()),
        )
        for written in cells.frame.columns
    ]


def _gathered(faults: Sequence[Fault], lines: Sequence[int]) -> list[Fault]:
    """Return faults with one for each run of empty cells in a column: they have one cause."""
    place = {line: row for row, line in enumerate(lines)}
    gathered: list[Fault] = []
    runs: dict[str, tuple[int, int]] = {}
    for fault in faults:
        if fault.message != _EMPTY or fault.line is None:
            gathered.append(fault)
            continue
        position, last = runs.get(fault.key, (-1, -2))
        if place[fault.line] == last + 1:
            gathered[position] = replace(gathered[position], message=_EMPTY_RUN, facts={"row": fault.line})
        else:
            position = len(gathered)
            gathered.append(fault)
        runs[fault.key] = position, place[fault.line]
    return gathered


_EMPTY_RUN = N_(
    "this cell and those below it down to row {row} are empty: a merged cell has its text in the first row only, so "
    "fill in every row"
)


def write_communities(table: CommunityTable) -> bytes:
    """Return the table as a CSV file that `read_communities` and a Chinese Excel both read."""
    return "".join(csv_file([column.header for column in COLUMNS], [_written(table)])).encode()


def write_communities_workbook(table: CommunityTable, *, now: datetime) -> bytes:
    """Return the table as an XLSX file that `read_communities` reads as the same."""
    columns = [SheetColumn(column.header, column.width, is_text=not column.counts_households) for column in COLUMNS]
    stream = BytesIO()
    write_workbook(stream, title="小区", columns=columns, rows=_written(table), now=now)
    return stream.getvalue()


def _written(table: CommunityTable) -> list[list[_Cell]]:
    return [[getattr(row, column.field) for column in COLUMNS] for row in table.rows]


def _read_table(reader: CellReader) -> pd.DataFrame:
    """Return the columns of the fields that the file has, None in blank cells, after checking all of it."""
    cleaned: list[str] = []
    table = pd.DataFrame(
        {
            column.field: reader.convert(column.field, partial(_read_cell, column, cleaned))
            for column in COLUMNS
            if column.field in reader.names
        },
        index=reader.cells.frame.index,
    )
    if cleaned:
        facts = {"count": len(cleaned), "text": cleaned[0]}
        reader.notes.append(Fault("invisible signs were taken out of {count} cells, such as “{text}”", facts))
    _note_excess(reader, table)
    reader.note_repeats(table, "number", message=N_("this number stands already in row {row}"))
    # Two communities of one name in one district could not be told apart on a public notice.
    reader.note_repeats(table, "name", "district", message=N_("this name stands already in row {row}"))
    reader.note_look_alikes(table, "number", key=number_key)
    reader.note_look_alikes(table, "name", "district")
    for named in _NAMED:
        within = _WITHIN.get(named, ())
        reader.note_look_alikes(table, named, *within)
        _note_nameless(reader, table, named)
        reader.note_contradictions(table, named, f"{named}_english_name", *within)
    return _without_loose_neighbourhoods(reader, table)


def _rows(table: pd.DataFrame) -> tuple[CommunityRow, ...]:
    """Return a row for each community, None in the columns that the file does not have."""
    columns = (table[each.name].tolist() if each.name in table else repeat(None, len(table)) for each in _FIELDS)
    return tuple(map(CommunityRow, *columns))


def _without_loose_neighbourhoods(reader: CellReader, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table, a fault noted where a neighbourhood is of no subdistrict; left out where no column has any."""
    if "neighbourhood" not in table:
        return table
    if "subdistrict" not in table:
        message = N_("this column was not read: the list has no column {missing}, which says what they are parts of")
        reader.notes.append(Fault(message, {"missing": "街道"}, "社区"))
        return table.drop(columns=["neighbourhood", "neighbourhood_english_name"], errors="ignore")
    loose = (table["neighbourhood"].notna() & table["subdistrict"].isna()).to_numpy(dtype=bool)
    reader.note(
        loose, "subdistrict", N_("fill in the subdistrict of the neighbourhood {neighbourhood}"), table, "neighbourhood"
    )
    return table


def _read_cell(column: Column, cleaned: list[str], cell: str) -> _Cell:
    """Return what a cell holds; a text out of which invisible signs were taken is added to `cleaned`."""
    if len(cell) <= LONGEST_TEXT and _ORDINARY.fullmatch(cell):
        return _read_households(cell) if column.counts_households else cell
    written = unicodedata.normalize("NFC", cell).strip()
    text = without_invisible(written).strip()
    if is_blank(text):
        if column.required_cell:
            raise CellRefused(_EMPTY)
        return None
    if text != written:
        cleaned.append(text)
    if column.counts_households:
        return _read_households(text)
    _refuse_damage(column, text)
    if any(unicodedata.category(sign) in {"Cc", "Cf", "Zl", "Zp"} for sign in text if sign not in JOINING_SIGNS):
        raise CellRefused(N_("this text holds a line break or a control character"))
    if len(text) > LONGEST_TEXT:
        raise CellRefused(N_("this text has {length} characters, at most {most}"), length=len(text), most=LONGEST_TEXT)
    if starts_formula(text):
        sign = next(sign for sign in text if starts_formula(sign))
        raise CellRefused(N_("this text begins with {sign}, which a spreadsheet runs as a formula"), sign=sign)
    return unicodedata.normalize("NFKC", text) if column.field == "number" else text


def _refuse_damage(column: Column, text: str) -> None:
    if (sign := damaged_sign(text)) is not None:
        raise CellRefused(DAMAGED, sign=sign)
    turning = next((sign for sign in text if sign in BIDI_CONTROLS), None)
    if turning is not None:
        raise CellRefused(
            N_("this text holds {sign}, which makes it look like another: type it again"), sign=f"U+{ord(turning):04X}"
        )
    if is_scientific(text):
        raise CellRefused(ONLY_FIRST_DIGITS, value=text)
    whole, point, decimals = text.partition(".")
    if column.field == "number" and point and whole.isdecimal() and not decimals.strip("0"):
        raise CellRefused(
            N_("this number ({value}) was saved as a fraction, which loses zeros: type it again"), value=text
        )


def _read_households(text: str) -> int:
    # Full-width digits and commas are typed by Chinese keyboards; 1,234 is how a spreadsheet shows a thousand.
    plain = unicodedata.normalize("NFKC", text).removesuffix("户")
    groups = plain.split(",")
    if len(groups) > 1 and 1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]):
        plain = "".join(groups)
    if plain.startswith("-") and plain[1:].isascii() and plain[1:].isdigit():
        raise CellRefused(N_("a number of households cannot be negative, it is {text}"), text=text)
    if not (plain.isascii() and plain.isdigit()):
        raise CellRefused(N_("this must be a whole number, it is “{value}”"), value=text)
    if len(plain) > len(str(MOST_HOUSEHOLDS)):
        raise CellRefused(N_("this must be at most {limit}, it is {value}"), limit=MOST_HOUSEHOLDS, value=text)
    return int(plain)


def _note_excess(reader: CellReader, table: pd.DataFrame) -> None:
    for part in ("households_occupied", "households_owners"):
        if {part, "households_delivered"} <= set(table.columns):
            count, delivered = table[part], table["households_delivered"]
            exceeds = (count.astype("Int64") > delivered.astype("Int64")).fillna(value=False)
            for row in np.flatnonzero(exceeds):
                facts = {"count": count[row], "delivered": delivered[row]}
                reader.fault(int(row), part, N_("{count} is more than the {delivered} households delivered"), facts)


def _note_nameless(reader: CellReader, table: pd.DataFrame, named: str) -> None:
    english = f"{named}_english_name"
    if {named, english} <= set(table.columns):
        nameless = (table[named].isna() & table[english].notna()).to_numpy(dtype=bool)
        reader.note(nameless, english, N_("this is the English name of an empty cell"), table, named)
