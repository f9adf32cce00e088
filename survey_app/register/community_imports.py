"""Import of a list of communities: planned beside what is stored, which takes long, then written as a whole."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple, TypeVar, cast

from pypinyin import lazy_pinyin
from sqlalchemy import BindParameter, Insert, Table, Update, bindparam, insert, select, update
from sqlalchemy.orm import Session, joinedload

from survey_app import audit
from survey_app.models import AuditEvent, Community, District, PropertyCompany
from survey_app.models.vocabulary import AuditAction
from survey_app.register.communities_file import CommunityRow, CommunityTable, PlacesError
from survey_app.register.new_places import (
    Listed,
    first_lines,
    new_communities,
    new_companies,
    new_districts,
    place_key,
    twins_of_names,
    twins_of_stored,
    unused_numbers,
)
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit


class UnconfirmedPlaces(PlacesError):
    """A list with what would be new and nobody has confirmed.

    That is each district and company that it names for the first time, each community that is to get a number, and each
    that resembles a stored one.
    """


@dataclass(frozen=True)
class ImportResult:
    """How many communities an import added, changed and left as they were; `absent` ones are not in the file.

    Of those that it added, `numbered` came without a number and were given one.
    """

    added: int
    changed: int
    unchanged: int
    absent: int
    numbered: int


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
    numbered: int
    are_new_places_confirmed: bool
    last_import: int | None


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
    stored one: the column may be missing from the file. A community without a number is the stored one of its name and
    district, or a new one, which gets the next number.

    Raises `PlacesError` where the table has a twin of what is stored, and `UnconfirmedPlaces` where nobody has
    confirmed what would be new: see there.
    """
    last_import = _last_import(session)
    ids, known = _stored_values(session)
    listed = _listed(table, known)
    _check_new_places(session, table, listed, known, are_confirmed=are_new_places_confirmed)
    added, changed = [], []
    for number, row in zip((place.number for place in listed), table.rows, strict=True):
        stored = known.get(number)
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
            added.append((number, values))
        elif stored != values:
            changed.append((ids[number], values))
    districts = {row.district: None for row in table.rows} | _english_districts(table)
    return ImportPlan(
        table=table,
        districts=_plan_named(session, District, districts),
        companies=_plan_named(session, PropertyCompany, _english_companies(table)),
        added=added,
        changed=changed,
        absent=len(known.keys() - {place.number for place in listed}),
        numbered=sum(
            row.number is None and place.number not in known for row, place in zip(table.rows, listed, strict=True)
        ),
        are_new_places_confirmed=are_new_places_confirmed,
        last_import=last_import,
    )


def _listed(table: CommunityTable, known: Mapping[str, _Values]) -> list[Listed]:
    """Return the communities of a table, each with its own number, that of the stored one of its name, or a new one."""
    by_place = {place_key(values.district, values.name): number for number, values in known.items()}
    stated = {row.number for row in table.rows if row.number is not None}
    issued = unused_numbers(stated | known.keys())
    lines = table.lines or range(1, len(table.rows) + 1)
    return [
        Listed(
            row.number or by_place.get(place_key(row.district, row.name)) or next(issued),
            row.name,
            row.district,
            row.company,
            line,
            has_number=row.number is not None,
        )
        for row, line in zip(table.rows, lines, strict=True)
    ]


def _check_new_places(
    session: Session,
    table: CommunityTable,
    listed: Sequence[Listed],
    known: Mapping[str, _Values],
    *,
    are_confirmed: bool,
) -> None:
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
    asked = [
        *new_districts(districts, known_districts),
        *new_companies(companies, known_companies),
        *new_communities(listed, stored),
    ]
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
        numbered=plan.numbered,
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
