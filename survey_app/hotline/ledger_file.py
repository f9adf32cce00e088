"""A hotline's file read as the hotline exports it and checked as a whole: each faulty cell with its row and column."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import pandas as pd

from analytics.files.spreadsheets import HELD_AS_DATE, read_sheet
from analytics.files.table_cells import Cells
from analytics.files.typed_columns import DAMAGED, ONLY_FIRST_DIGITS, CellReader, CellRefused
from analytics.files.written_text import damaged_sign, is_blank, is_scientific
from analytics.files.yaml_documents import DocumentError, Fault
from analytics.languages import N_
from analytics.progress import ProgressCallback, ignore_progress
from survey_app.complaints.categories import Category
from survey_app.complaints.redaction import hide_telephones, redact
from survey_app.hotline.ledger_rows import COLUMNS, HEADER_OF, Column, Ledger, LedgerRow, Moment
from survey_app.hotline.ledger_words import LedgerWords, Reached, plain
from survey_app.models.vocabulary import CaseKind
from survey_app.register.communities_file import Header, header_text
from survey_app.register.office_lists import cells_of_list
from survey_app.security.text import clean_text, one_line

LONGEST_NUMBER: Final = 60
LONGEST_NAME: Final = 200
LONGEST_WORDS: Final = 5000

_OPTIONAL: Final = frozenset(column.field for column in COLUMNS if not column.is_required)
_HEADERS: Final = {column.field: (column.header, column.english_header, *column.other_headers) for column in COLUMNS}
_OWN_HEADERS: Final = 2
_COLUMN_OF: Final[Mapping[str, Column]] = {column.field: column for column in COLUMNS}
# What is merged over several rows holds for each of them.
_FILLED_DOWN: Final = ("source", "category", "community", "undertaker")
_LONGEST_EXAMPLE: Final = 20
# What stands in a cell of which nothing is known.
_NOTHING: Final = frozenset({"", "-", "--", "/", "\\", "无", "否", "空", "none", "null", "n/a", "no"})
_CONFIDENTIAL: Final = frozenset({"是", "保密", "要求保密", "1", "y", "yes", "true", "√", "✓"})
_OPEN: Final = frozenset({"不保密", "公开", "不需要", "0", "n", "false"}) | _NOTHING
# As a spreadsheet counts days: from 1990 to 2100.
_SERIAL: Final = re.compile(r"(3[3-9]|[4-6][0-9]|7[0-2])[0-9]{3}(\.[0-9]+)?")
_SERIAL_ORIGIN: Final = datetime(1899, 12, 30)  # noqa: DTZ001 (a day that spreadsheets count from, of no zone)
_TIME: Final = re.compile(
    r"([0-9]{4})[-/.年]?([0-9]{1,2})[-/.月]?([0-9]{1,2})日?"
    r"(?:[T ]?([0-9]{1,2})[:时点]([0-9]{1,2})分?(?:[:]?([0-9]{1,2})(?:\.[0-9]+)?秒?)?)?"
)
# Full-width digits too, which a Chinese keyboard types.
_MOBILE: Final = re.compile(r"(?<![0-9０-９])[1１][3-9３-９](?:[ \-－]?[0-9０-９]){9}(?![0-9０-９])")
_FEWEST_DIGITS: Final = 7
_MOBILE_DIGITS: Final = 11

_EMPTY: Final = N_("this cell is empty")
_TOO_LONG: Final = N_("this text has {length} characters, at most {most}")
_NO_TIME: Final = N_("this must be a day or a time such as 2026-11-05 14:30, it is “{value}”")
_UNKNOWN_TYPE: Final = N_("no row of the table of types knows “{value}”: add it to data/hotline, or correct the cell")


class LedgerError(DocumentError):
    """A hotline's file that cannot be imported, with every fault found in it."""


class UnknownLedgerColumns(LedgerError):
    """A file without some columns that are needed: the headers that it has, and the columns that are missing."""

    def __init__(self, source: str, faults: Sequence[Fault], headers: Sequence[Header]) -> None:
        super().__init__(source, faults)
        self.headers = tuple(headers)
        found = {header.field for header in headers}
        self.missing = tuple(column for column in COLUMNS if column.field not in _OPTIONAL | found)


@dataclass(frozen=True)
class Reading:
    """What a file is read by: the hotline's words, the city's zone, the moment, and what digests telephones."""

    words: LedgerWords
    zone: tzinfo
    now: datetime
    digest: Callable[[str], str]


class _Typed(NamedTuple):
    """A 类型 as it is written, and what it is here."""

    written: str
    category: Category
    kind: CaseKind


def read_ledger(
    content: bytes,
    name: str,
    *,
    by: Reading,
    headers: Mapping[str, str] = MappingProxyType({}),
    tell: ProgressCallback = ignore_progress,
) -> Ledger:
    """Return the rows of a hotline's CSV or XLSX file, or raise `LedgerError` with every fault, by row and column.

    `headers` are what the file writes above a field, where that is none of the usual headers. Times may be text, dates
    of a spreadsheet or the numbers by which it counts days. A row that stands there twice and says the same is read
    once.
    """
    ways = _HEADERS | {field: (header_text(written),) for field, written in headers.items()}
    try:
        sheet = read_sheet(content, name, tell=tell)
        cells = (
            cells_of_list(sheet, name, headers=ways, filled_down=_FILLED_DOWN, named=("number",))
            if sheet.rows
            else None
        )
    except DocumentError as error:
        raise LedgerError(error.source, error.faults) from error
    if cells is None:
        raise LedgerError(name, [Fault("the file is empty")])
    ways = {field: _chosen_way(spellings, cells) for field, spellings in ways.items()}
    reader = CellReader(_with_dates(cells, ways))
    reader.recognise(ways, optional=_OPTIONAL)
    if not reader.names >= _HEADERS.keys() - _OPTIONAL:
        raise UnknownLedgerColumns(name, reader.faults, _headers_of(cells, ways))
    rows = _read_rows(reader, by)
    if not len(reader.cells.frame):
        reader.faults.append(Fault("the file lists no case"))
    if reader.faults:
        raise LedgerError(name, sorted(reader.faults, key=lambda fault: (fault.line or 0, fault.column or 0)))
    kept = {row.number: (line, row) for line, row in reversed(list(zip(reader.cells.lines, rows, strict=True)))}
    lines, unique = zip(*sorted(kept.values(), key=lambda each: each[0]), strict=True)
    if (repeated := len(rows) - len(unique)) > 0:
        reader.notes.append(Fault("rows that say once more what an earlier one says: {count}", {"count": repeated}))
    return Ledger(tuple(unique), tuple(map(int, lines)), tuple(reader.notes), name)


def read_time(written: str, zone: tzinfo) -> datetime | date | None:
    """Return the time that is written, or the day where no hour is, or None where it is neither.

    >>> read_time("2026年11月5日14时30分", UTC), read_time("46331.604166667", UTC), read_time("2026/11/05", UTC)
    (datetime.datetime(2026, 11, 5, 14, 30, tzinfo=datetime.timezone.utc), datetime.datetime(2026, 11, 5, 14, 30, \
tzinfo=datetime.timezone.utc), datetime.date(2026, 11, 5))
    """
    text = " ".join(unicodedata.normalize("NFKC", written).split())
    if _SERIAL.fullmatch(text):
        # A spreadsheet keeps parts of a day, which are seconds but for their last digits.
        moment = _SERIAL_ORIGIN + timedelta(seconds=round(float(text) * 86_400))
        return moment.date() if "." not in text else moment.replace(tzinfo=zone).astimezone(UTC)
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, *clock = match.groups()
    try:
        read = date(int(year), int(month), int(day))
        if clock[0] is None:
            return read
        hour, minute, second = (int(part or 0) for part in clock)
        return datetime.combine(read, time(hour, minute, second), zone).astimezone(UTC)
    except ValueError:
        return None


def _with_dates(cells: Cells, ways: Mapping[str, Sequence[str]]) -> Cells:
    """Return cells without the faults by which a spreadsheet's dates would be refused where a time is asked for.

    The others name their column, as those do that are found later.
    """
    of_times = {written.lower() for field, spellings in ways.items() if _takes_times(field) for written in spellings}
    positions = {place for written, place in cells.positions.items() if written.lower() in of_times}
    header_at = {place: written for written, place in cells.positions.items()}
    faults = (
        replace(fault, key=fault.key or header_at.get(fault.column or 0, ""))
        for fault in cells.faults
        if not (fault.message == HELD_AS_DATE and fault.column in positions)
    )
    return replace(cells, faults=tuple(faults))


def _takes_times(field: str) -> bool:
    return _COLUMN_OF[field].is_time or field == "answer"


def _chosen_way(spellings: tuple[str, ...], cells: Cells) -> tuple[str, ...]:
    """Return our own headers of a column, and of those that others write the first one only that stands there."""
    own, others = spellings[:_OWN_HEADERS], spellings[_OWN_HEADERS:]
    written = {header.lower() for header in cells.frame.columns}
    if any(header.lower() in written for header in own):
        return own
    return (*own, *[header for header in others if header.lower() in written][:1])


def _headers_of(cells: Cells, ways: Mapping[str, Sequence[str]]) -> list[Header]:
    field_by_written = {written.lower(): field for field, spellings in ways.items() for written in spellings}
    # No example of what residents said: the page shows it, and it is kept until the columns are explained.
    hidden = {"text", "telephone", "answer", None}
    return [
        Header(
            written,
            "" if (field := field_by_written.get(written.lower())) in hidden else _example(cells, written),
            field,
        )
        for written in cells.frame.columns
    ]


def _example(cells: Cells, written: str) -> str:
    return next((text.strip() for text in cells.frame[written] if text.strip()), "")[:_LONGEST_EXAMPLE]


def _read_rows(reader: CellReader, by: Reading) -> list[LedgerRow]:
    """Return the rows, after every cell of them was looked at; where there is a fault they are of no use."""
    frame = reader.cells.frame
    read = {
        column.field: reader.convert(column.field, partial(_readers(column.field), by)).tolist()
        if column.field in reader.names
        else [None] * len(frame)
        for column in COLUMNS
    }
    table = pd.DataFrame({name: read[name] for name in ("number",)}, index=frame.index)
    _note_order(reader, read)
    _note_statuses(reader, read)
    if reader.faults:
        _note_differences(reader, table["number"].tolist(), frame.astype(str).agg("\0".join, axis=1).tolist())
        return []
    rows = [_row(values, by) for values in _by_row(read)]
    _note_differences(reader, table["number"].tolist(), rows)
    return rows


def _by_row(read: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(read, values, strict=True)) for values in zip(*read.values(), strict=True))


def _row(values: Mapping[str, Any], by: Reading) -> LedgerRow:
    typed: _Typed = values["category"]
    answer = values["answer"]
    is_time = isinstance(answer, Moment)
    return LedgerRow(
        number=values["number"],
        submitted=values["submitted"],
        source=values["source"] or "",
        category=typed.category.code,
        kind=typed.kind.value,
        category_written=typed.written,
        community=values["community"],
        # The hotline reaches the caller: a number within the words is kept as little as one in its own column.
        text=hide_telephones(values["text"]),
        is_confidential=bool(values["confidential"]),
        undertaker=values["undertaker"] or "",
        dispatched=values["dispatched"],
        signed=values["signed"],
        limit=values["limit"],
        extended=values["extended"],
        returned=values["returned"],
        answer="" if is_time else hide_telephones(answer or ""),
        answered=answer if is_time else None,
        ended=values["ended"],
        call_back=values["call_back"] or "",
        redone=values["redone"],
        telephone_digest=values["telephone"] or _digest_in(values["text"], by),
    )


def _readers(field: str) -> Callable[[Reading, str], object]:
    column = _COLUMN_OF[field]
    if column.is_time:
        return partial(_read_moment, column)
    return _READERS.get(field, partial(_read_name, column))


def _read_moment(column: Column, by: Reading, cell: str) -> Moment | None:
    if plain(cell) in _NOTHING:
        if column.is_required:
            raise CellRefused(_EMPTY)
        return None
    read = read_time(cell, by.zone)
    if read is None:
        raise CellRefused(_NO_TIME, value=one_line(cell))
    moment = Moment.of(read, by.zone, is_limit=column.is_limit)
    if not column.is_limit and moment.at > by.now:
        raise CellRefused(N_("this time lies in the future: {value}"), value=one_line(cell))
    return Moment(moment.at.astimezone(UTC), is_day=moment.is_day)


def _read_name(column: Column, _by: Reading, cell: str) -> str | None:
    """Return a short text on one line."""
    _refuse_damage(cell)
    text = one_line(cell)
    if is_blank(text):
        if column.is_required:
            raise CellRefused(_EMPTY)
        return None
    if len(text) > LONGEST_NAME:
        raise CellRefused(_TOO_LONG, length=len(text), most=LONGEST_NAME)
    return text


def _read_number(_by: Reading, cell: str) -> str:
    _refuse_damage(cell)
    text = unicodedata.normalize("NFKC", one_line(cell)).replace(" ", "")
    if not text:
        raise CellRefused(_EMPTY)
    if is_scientific(text):
        raise CellRefused(ONLY_FIRST_DIGITS, value=text)
    if len(text) > LONGEST_NUMBER:
        raise CellRefused(_TOO_LONG, length=len(text), most=LONGEST_NUMBER)
    return text


def _read_type(by: Reading, cell: str) -> _Typed:
    written = _read_name(_COLUMN_OF["category"], by, cell)
    assert written is not None
    known = by.words.category_of(written)
    if known is None:
        raise CellRefused(_UNKNOWN_TYPE, value=written)
    return _Typed(written, *known)


def _read_text(_by: Reading, cell: str) -> str:
    _refuse_damage(cell)
    text = clean_text(cell)
    if not text:
        raise CellRefused(_EMPTY)
    if len(text) > LONGEST_WORDS:
        raise CellRefused(_TOO_LONG, length=len(text), most=LONGEST_WORDS)
    return text


def _read_answer(by: Reading, cell: str) -> Moment | str | None:
    if plain(cell) in _NOTHING:
        return None
    read = read_time(cell, by.zone)
    return _read_text(by, cell) if read is None else _read_moment(_COLUMN_OF["ended"], by, cell)


def _read_confidential(_by: Reading, cell: str) -> bool:
    word = plain(cell)
    if word in _CONFIDENTIAL:
        return True
    if word in _OPEN:
        return False
    raise CellRefused(N_("this must be 是 or 否, it is “{value}”"), value=one_line(cell))


def _read_call_back(_by: Reading, cell: str) -> str | None:
    text = _read_name(_COLUMN_OF["call_back"], _by, cell)
    return None if text is None else redact(text)


def _read_status(by: Reading, cell: str) -> Reached | None:
    if plain(cell) in _NOTHING:
        return None
    status = by.words.statuses.get(plain(cell))
    if status is None:
        raise CellRefused(N_("no row of the table of statuses knows “{value}”"), value=one_line(cell))
    return status


def _read_telephone(by: Reading, cell: str) -> str | None:
    return _digest_in(cell, by) or _digest(cell, by)


_READERS: Final[Mapping[str, Callable[[Reading, str], object]]] = {
    "number": _read_number,
    "category": _read_type,
    "text": _read_text,
    "answer": _read_answer,
    "confidential": _read_confidential,
    "call_back": _read_call_back,
    "status": _read_status,
    "telephone": _read_telephone,
}


def _refuse_damage(cell: str) -> None:
    if (sign := damaged_sign(cell)) is not None:
        raise CellRefused(DAMAGED, sign=sign)


def telephone_in(text: str) -> str | None:
    """Return the digits of the first mobile number in a text, or None where there is none.

    >>> telephone_in("请联系138-0013-8000，急")
    '13800138000'
    """
    match = _MOBILE.search(text)
    return None if match is None else re.sub("[^0-9]", "", unicodedata.normalize("NFKC", match[0]))


def _digest_in(text: str, by: Reading) -> str | None:
    found = telephone_in(text)
    return None if found is None else by.digest(found)


def _digest(cell: str, by: Reading) -> str | None:
    digits = re.sub("[^0-9]", "", unicodedata.normalize("NFKC", cell))
    return by.digest(digits[-_MOBILE_DIGITS:]) if len(digits) >= _FEWEST_DIGITS else None


# What cannot have come before what, each with the earlier field.
_ORDER: Final = (
    ("dispatched", "submitted"),
    ("signed", "submitted"),
    ("signed", "dispatched"),
    ("returned", "submitted"),
    ("ended", "submitted"),
    ("ended", "signed"),
    ("redone", "submitted"),
    ("limit", "submitted"),
    ("extended", "limit"),
)


def _note_order(reader: CellReader, read: Mapping[str, Sequence[Any]]) -> None:
    """Note where a step lies before the one that it follows; what was dispatched or closed again, did so anew."""
    for later, earlier in _ORDER:
        for row, (after, before) in enumerate(zip(read[later], read[earlier], strict=True)):
            if not (isinstance(after, Moment) and isinstance(before, Moment)) or after.latest >= before.at:
                continue
            if (later, earlier) == ("ended", "signed") and read["redone"][row] is not None:
                continue
            if (later, earlier) == ("signed", "dispatched") and _was_sent_again(read, row):
                continue
            message = N_("this lies before {earlier} in the same row: the status would go backwards")
            reader.fault(row, later, message, {"earlier": HEADER_OF[earlier]})


def _was_sent_again(read: Mapping[str, Sequence[Any]], row: int) -> bool:
    return read["returned"][row] is not None or read["redone"][row] is not None


# What a status of the column 状态 needs beside it.
_NEEDED_BY: Final[Mapping[Reached, str]] = {
    Reached.DISPATCHED: "dispatched",
    Reached.SIGNED: "signed",
    Reached.RETURNED: "returned",
    Reached.ANSWERED: "answer",
    Reached.ENDED: "ended",
    Reached.REDONE: "redone",
}


def _note_statuses(reader: CellReader, read: Mapping[str, Sequence[Any]]) -> None:
    """Note where a status says that something happened of which the row does not say when."""
    for row, status in enumerate(read["status"]):
        needed = None if status is None else _NEEDED_BY.get(status)
        if needed in reader.names and needed is not None and read[needed][row] is None:
            message = N_("the status needs this cell, which is empty or cannot be read")
            reader.fault(row, needed, message, {})


def _note_differences(reader: CellReader, numbers: Sequence[str | None], contents: Sequence[object]) -> None:
    """Note where a number stands in two rows that say different things of it."""
    first: dict[str, int] = {}
    for row, number in enumerate(numbers):
        if number is None:
            continue
        earlier = first.setdefault(number, row)
        if contents[earlier] != contents[row]:
            facts = {"number": number, "row": reader.cells.lines[earlier]}
            reader.fault(row, "number", N_("{number} stands already in row {row}, with other content"), facts)
