"""Communities as an office lists them: the file is checked as a whole, then imported as a whole."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as fields_of
from datetime import datetime
from functools import partial
from io import BytesIO
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

import numpy as np
import pandas as pd
from pypinyin import lazy_pinyin
from sqlalchemy import BindParameter, Insert, Table, Update, bindparam, insert, select, update
from sqlalchemy.orm import Session, joinedload

from analytics.files.csv_files import csv_file, starts_formula
from analytics.files.spreadsheets import SheetColumn, read_sheet, write_workbook
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
from survey_app import audit
from survey_app.models import AuditEvent, Community, District, PropertyCompany
from survey_app.models.vocabulary import AuditAction
from survey_app.register.new_places import (
    Listed,
    first_lines,
    new_companies,
    new_districts,
    twins_of_names,
    twins_of_stored,
)
from survey_app.register.office_lists import cells_of_list
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit

LONGEST_TEXT = 200
# More households than any community has; a number above it is a telephone number in the wrong column.
MOST_HOUSEHOLDS = 999_999
# Unseen by themselves, they belong to the spelling of Mongolian and of several other scripts.
JOINING_SIGNS = frozenset("\u180e\u200c\u200d")


class PlacesError(DocumentError):
    """A list of communities that cannot be imported, with every fault found in it."""


class UnconfirmedPlaces(PlacesError):
    """A list that names districts or companies for the first time, which nobody has confirmed, with each of them."""


@dataclass(frozen=True)
class CommunityRow:
    """One community as its file states it; None is what the file leaves blank."""

    number: str
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
class ImportResult:
    """How many communities an import added, changed and left as they were; `absent` ones are not in the file."""

    added: int
    changed: int
    unchanged: int
    absent: int


class _Values(NamedTuple):
    """What is stored of a community beside its number, with district and company by their names."""

    district: str
    company: str | None
    name: str
    english_name: str | None
    households_delivered: int | None
    households_occupied: int | None
    households_owners: int | None
    second_language_line: str | None
    sort_key: str

    @property
    def columns(self) -> tuple[str | int | None, ...]:
        """What is stored as it is, in the order of `_COLUMN_FIELDS`."""
        return self[2:]


_COLUMN_FIELDS = _Values._fields[2:]


@dataclass(frozen=True)
class _NamedPlan:
    """Districts or companies to add, and those to give another English name."""

    added: list[dict[str, str | None]]
    changed: list[dict[str, str | None]]


@dataclass(frozen=True)
class ImportPlan:
    """What an import writes, as of the imports before it: new communities by number, changed ones by id."""

    table: CommunityTable
    districts: _NamedPlan
    companies: _NamedPlan
    added: Sequence[tuple[str, _Values]]
    changed: Sequence[tuple[int, _Values]]
    absent: int
    are_new_places_confirmed: bool
    last_import: int | None


@dataclass(frozen=True)
class _Column:
    field: str
    header: str
    english_header: str
    required_cell: bool = False
    optional_column: bool = False
    counts_households: bool = False
    width: int = 12


_COLUMNS = (
    _Column("number", "小区编号", "community number", required_cell=True, width=16),
    _Column("name", "小区名称", "name", required_cell=True, width=28),
    _Column("english_name", "英文名称", "english name", optional_column=True, width=28),
    _Column("district", "区", "district", required_cell=True),
    _Column("district_english_name", "区英文名", "district english name", optional_column=True),
    _Column("company", "物业公司", "property company", width=28),
    _Column("company_english_name", "公司英文名", "company english name", optional_column=True, width=28),
    _Column("households_delivered", "交付户数", "households delivered", counts_households=True),
    _Column("households_occupied", "入住户数", "households occupied", counts_households=True),
    _Column("households_owners", "业主户数", "households owners", counts_households=True),
    _Column("second_language_line", "第二语言", "second language", optional_column=True, width=28),
)


_Cell = str | int | None

_HEADERS = {column.field: (column.header, column.english_header) for column in _COLUMNS}
# What is merged over several communities holds for each of them; a merged number of households does not.
_FILLED_DOWN = ("district", "district_english_name", "company", "company_english_name")
_EMPTY = N_("this cell is empty")
# Nearly every cell: nothing in it could be faulty, and to look at each sign takes ten times as long.
_ORDINARY = re.compile("[0-9A-Za-z\u4e00-\u9fff]+")


def read_communities(content: bytes | Path, name: str | None = None) -> CommunityTable:
    """Return the communities in a CSV or XLSX file, or raise `PlacesError` with every fault, by row and column.

    The headers are Chinese or English. The English names and the poster's line in a second language may be left out as
    columns, the company and the numbers of households as cells: a number that nobody knows is blank, not zero. A title
    above the headers, rows of totals, columns of other names and invisible signs are left out and noted.
    """
    source = name or str(content)
    if isinstance(content, Path):
        content = content.read_bytes()
    try:
        sheet = read_sheet(content, source)
        if not sheet.rows:
            raise PlacesError(source, [Fault("the file is empty")])
        cells = cells_of_list(sheet, source, headers=_HEADERS, filled_down=_FILLED_DOWN, named=("number", "name"))
    except DocumentError as error:
        raise PlacesError(error.source, error.faults) from error
    reader = CellReader(cells)
    table = _read_table(reader)
    if not len(table):
        reader.faults.append(Fault("the file lists no community"))
    if reader.faults:
        raise PlacesError(source, _gathered(reader.faults, reader.cells.lines))
    blank = dict.fromkeys(stated.name for stated in fields_of(CommunityRow))
    rows = tuple(CommunityRow(**blank | record) for record in table.to_dict("records"))  # type: ignore[arg-type]  # each field was checked above
    return CommunityTable(rows, tuple(reader.cells.lines), tuple(reader.notes), source)


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
    return "".join(csv_file([column.header for column in _COLUMNS], [_written(table)])).encode()


def write_communities_workbook(table: CommunityTable, *, now: datetime) -> bytes:
    """Return the table as an XLSX file that `read_communities` reads as the same."""
    columns = [SheetColumn(column.header, column.width, is_text=not column.counts_households) for column in _COLUMNS]
    stream = BytesIO()
    write_workbook(stream, title="小区", columns=columns, rows=_written(table), now=now)
    return stream.getvalue()


def _written(table: CommunityTable) -> list[list[_Cell]]:
    return [[getattr(row, column.field) for column in _COLUMNS] for row in table.rows]


def _read_table(reader: CellReader) -> pd.DataFrame:
    """Return the columns of the fields that the file has, None in blank cells, after checking all of it."""
    reader.recognise(
        _HEADERS,
        optional=[column.field for column in _COLUMNS if column.optional_column],
    )
    cleaned: list[str] = []
    table = pd.DataFrame(
        {
            column.field: reader.convert(column.field, partial(_read_cell, column, cleaned))
            for column in _COLUMNS
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
    for named in ("district", "company"):
        reader.note_look_alikes(table, named)
        _note_nameless(reader, table, named)
        reader.note_contradictions(table, named, f"{named}_english_name")
    return table


def _read_cell(column: _Column, cleaned: list[str], cell: str) -> _Cell:
    """Return what a cell holds; a text out of which invisible signs were taken is added to `cleaned`."""
    if not column.counts_households and len(cell) <= LONGEST_TEXT and _ORDINARY.fullmatch(cell):
        return cell
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


def _refuse_damage(column: _Column, text: str) -> None:
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


def sort_key(name: str) -> str:
    """Return the pinyin of a name: Chinese lists are read in its order."""
    return " ".join(lazy_pinyin(unicodedata.normalize("NFKC", name))).casefold()


def import_communities(session: Session, *, table: CommunityTable) -> ImportResult:
    """Store the communities of a table in one transaction, where nobody waits; see `plan_import` for what is stored.

    For lists that a program made: new districts and companies are not asked about.
    """
    return store_import(session, plan=plan_import(session, table=table, are_new_places_confirmed=True))


def plan_import(session: Session, *, table: CommunityTable, are_new_places_confirmed: bool = False) -> ImportPlan:
    """Compare a table with what is stored and return what an import of it writes; this is what takes long.

    Communities that are known by their number take over what the table says. One that the table does not list keeps its
    row, since its responses and complaints refer to it. A blank English name or line in a second language leaves the
    stored one: the column may be missing from the file.

    Raises `PlacesError` where the table has a twin of what is stored, and `UnconfirmedPlaces` where it names districts
    or companies for the first time and nobody has confirmed them.
    """
    last_import = _last_import(session)
    ids, known = _stored_values(session)
    _check_new_places(session, table, known, are_confirmed=are_new_places_confirmed)
    added, changed = [], []
    for row in table.rows:
        stored = known.get(row.number)
        values = _Values(
            name=row.name,
            english_name=row.english_name or (stored.english_name if stored else None),
            district=row.district,
            company=row.company,
            households_delivered=row.households_delivered,
            households_occupied=row.households_occupied,
            households_owners=row.households_owners,
            second_language_line=row.second_language_line or (stored.second_language_line if stored else None),
            sort_key=stored.sort_key if stored and stored.name == row.name else sort_key(row.name),
        )
        if stored is None:
            added.append((row.number, values))
        elif stored != values:
            changed.append((ids[row.number], values))
    districts = {row.district: None for row in table.rows} | _english_districts(table)
    return ImportPlan(
        table=table,
        districts=_plan_named(session, District, districts),
        companies=_plan_named(session, PropertyCompany, _english_companies(table)),
        added=added,
        changed=changed,
        absent=len(known.keys() - {row.number for row in table.rows}),
        are_new_places_confirmed=are_new_places_confirmed,
        last_import=last_import,
    )


def _check_new_places(
    session: Session, table: CommunityTable, known: Mapping[str, _Values], *, are_confirmed: bool
) -> None:
    lines = table.lines or range(1, len(table.rows) + 1)
    listed = [
        Listed(row.number, row.name, row.district, row.company, line)
        for row, line in zip(table.rows, lines, strict=True)
    ]
    stored = {number: Listed(number, values.name, values.district, values.company) for number, values in known.items()}
    districts, companies = first_lines(listed, "district"), first_lines(listed, "company")
    known_districts = session.scalars(select(District.name)).all()
    known_companies = session.scalars(select(PropertyCompany.name)).all()
    faults = [
        *twins_of_stored(listed, stored),
        *twins_of_names(districts, known_districts),
        *twins_of_names(companies, known_companies),
    ]
    if faults:
        raise PlacesError(table.source, faults)
    asked = [*new_districts(districts, known_districts), *new_companies(companies, known_companies)]
    if asked and not are_confirmed:
        raise UnconfirmedPlaces(table.source, asked)


def store_import(session: Session, *, plan: ImportPlan) -> ImportResult:
    """Write what was planned in statements for many rows each: residents who send answers wait for this lock.

    Where somebody else has imported a list meanwhile, it is planned once more.
    """
    lock_until_commit(session, AdvisoryLock.REGISTER)
    if plan.last_import != _last_import(session):
        plan = plan_import(session, table=plan.table, are_new_places_confirmed=plan.are_new_places_confirmed)
    districts = _store_named(session, District, plan.districts)
    companies = _store_named(session, PropertyCompany, plan.companies) | {None: None}
    communities = cast(Table, Community.__table__)

    def with_ids(key: str | int, values: _Values) -> tuple[str | int | None, ...]:
        return key, districts[values.district], companies[values.company], *values.columns

    written = ("district_id", "company_id", *_COLUMN_FIELDS)
    stored: dict[str, BindParameter[object]] = {name: bindparam(name) for name in written}
    _write_many(
        session,
        insert(communities).values(number=bindparam("key"), **stored),
        ("key", *written),
        [with_ids(number, values) for number, values in plan.added],
    )
    _write_many(
        session,
        update(communities).where(communities.c.id == bindparam("key")).values(**stored),
        ("key", *written),
        [with_ids(number, values) for number, values in plan.changed],
    )
    # What this session has read of the communities before is no longer so.
    session.expire_all()
    return ImportResult(
        added=len(plan.added),
        changed=len(plan.changed),
        unchanged=len(plan.table.rows) - len(plan.added) - len(plan.changed),
        absent=plan.absent,
    )


def record_import(session: Session, *, result: ImportResult, by: str, now: datetime) -> None:
    """Note in the audit chain who imported a list of communities, and how many it added and changed."""
    facts = {"added": result.added, "changed": result.changed}
    audit.record(session, by=by, action=AuditAction.COMMUNITIES_IMPORTED, subject="communities", after=facts, now=now)


def stored_communities(session: Session) -> CommunityTable:
    """Return the communities as they are stored, for an office to correct and import again."""
    statement = (
        select(Community)
        .options(joinedload(Community.district), joinedload(Community.company))
        .order_by(Community.number)
    )
    return CommunityTable(
        tuple(
            CommunityRow(
                number=community.number,
                name=community.name,
                english_name=community.english_name,
                district=community.district.name,
                district_english_name=community.district.english_name,
                company=community.company.name if community.company else None,
                company_english_name=community.company.english_name if community.company else None,
                households_delivered=community.households_delivered,
                households_occupied=community.households_occupied,
                households_owners=community.households_owners,
                second_language_line=community.second_language_line,
            )
            for community in session.scalars(statement)
        )
    )


def _english_districts(table: CommunityTable) -> dict[str, str | None]:
    return {row.district: row.district_english_name for row in table.rows if row.district_english_name is not None}


def _english_companies(table: CommunityTable) -> dict[str, str | None]:
    names = {row.company: None for row in table.rows if row.company is not None}
    return names | {
        row.company: row.company_english_name
        for row in table.rows
        if row.company is not None and row.company_english_name is not None
    }


def _write_many(
    session: Session, statement: Insert | Update, names: Sequence[str], rows: Sequence[tuple[str | int | None, ...]]
) -> None:
    """Execute a statement for many rows by the driver itself: what SQLAlchemy does for each row doubles the time."""
    if not rows:
        return
    connection = session.connection()
    compiled = statement.compile(connection.engine)
    if compiled.positional and compiled.positiontup is not None:
        in_order = itemgetter(*(names.index(name) for name in compiled.positiontup))
        connection.exec_driver_sql(str(compiled), [in_order(row) for row in rows])
    else:
        connection.exec_driver_sql(str(compiled), [dict(zip(names, row, strict=True)) for row in rows])


def _last_import(session: Session) -> int | None:
    """Return the position of the last import in the audit chain, by which a plan knows that it is still right."""
    imports = select(AuditEvent.position).filter_by(action=AuditAction.COMMUNITIES_IMPORTED)
    return session.scalar(imports.order_by(AuditEvent.position.desc()).limit(1))


def _stored_values(session: Session) -> tuple[dict[str, int], dict[str, _Values]]:
    """Return the ids and the values of the stored communities by their numbers."""
    statement = (
        select(
            Community.number,
            Community.id,
            District.name,
            PropertyCompany.name,
            Community.name,
            Community.english_name,
            Community.households_delivered,
            Community.households_occupied,
            Community.households_owners,
            Community.second_language_line,
            Community.sort_key,
        )
        .join(Community.district)
        .outerjoin(Community.company)
    )
    ids, known = {}, {}
    for number, community_id, *values in session.execute(statement):
        ids[number], known[number] = community_id, _Values(*values)
    return ids, known


_Named = TypeVar("_Named", District, PropertyCompany)


def _plan_named(session: Session, table: type[_Named], english_by_name: Mapping[str, str | None]) -> _NamedPlan:
    """Return which districts or companies are new, and whose English name is another; a blank one leaves the stored."""
    stored = dict(session.execute(select(table.name, table.english_name)).all())
    return _NamedPlan(
        added=[
            {"name": name, "english_name": english_name, "sort_key": sort_key(name)}
            for name, english_name in english_by_name.items()
            if name not in stored
        ],
        changed=[
            {"changed_name": name, "english_name": english_name}
            for name, english_name in english_by_name.items()
            if name in stored and english_name is not None and stored[name] != english_name
        ],
    )


def _store_named(session: Session, table: type[_Named], plan: _NamedPlan) -> dict[str | None, int | None]:
    """Return the ids of all districts or companies by name, after writing what was planned."""
    connection, rows = session.connection(), cast(Table, table.__table__)
    if plan.added:
        connection.execute(insert(rows), plan.added)
    if plan.changed:
        connection.execute(update(rows).where(rows.c.name == bindparam("changed_name")), plan.changed)
    return dict(connection.execute(select(rows.c.name, rows.c.id)).all())
