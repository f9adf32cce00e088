"""Import of a list of communities: planned beside what is stored, which takes long, then written as a whole."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from sqlalchemy import BindParameter, Insert, Select, Table, Update, bindparam, insert, select, update
from sqlalchemy.orm import Session, joinedload

from analytics.canonical import canonical_json, sha256_hex
from analytics.files.yaml_documents import Fault
from survey_app import audit
from survey_app.city_time import local_today
from survey_app.errors import JiayuanError
from survey_app.models import AuditEvent, Community, District, Neighbourhood, PropertyCompany, Subdistrict
from survey_app.models.vocabulary import REGISTER_CHANGES, AuditAction
from survey_app.pinyin import pinyin_of
from survey_app.register.communities_file import CommunityRow, CommunityTable, PlacesError
from survey_app.register.contracts import keep_companies, record_listed_companies
from survey_app.register.new_places import (
    Listed,
    Path,
    first_lines,
    new_communities,
    new_companies,
    new_districts,
    new_neighbourhoods,
    new_subdistricts,
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


class RegisterChanged(JiayuanError):
    """Another list was imported since an import was planned."""

    status = 409


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


_Row = tuple[str | int | None, ...]


class _Values(NamedTuple):
    """What is stored of a community beside its number, with the places and the company by their names."""

    district: str
    subdistrict: str | None
    neighbourhood: str | None
    company: str | None
    name: str
    english_name: str | None
    households_delivered: int | None
    households_occupied: int | None
    households_owners: int | None
    second_language_line: str | None
    sort_key: str

    @property
    def names(self) -> _Row:
        """Names of the places and the company, of which the ids are stored."""
        return self[:_NAMES]

    @property
    def columns(self) -> _Row:
        """What is stored as it is."""
        return self[_NAMES:]


_NAMES = 4
_PLACES = _Values._fields[:3]
_WRITTEN = (*(f"{field}_id" for field in _Values._fields[:_NAMES]), *_Values._fields[_NAMES:])
"""The columns of the values, in their order."""


class _Change(NamedTuple):
    """What a stored community becomes, and the columns in which that is something else."""

    id: int
    columns: tuple[str, ...]
    values: _Values


@dataclass(frozen=True)
class _NamedPlan:
    """Places of one kind or companies to add, with the columns of each, and those to give another English name."""

    added: Mapping[Path, Mapping[str, str | None]]
    changed: Mapping[Path, str]


@dataclass(frozen=True)
class ImportPlan:
    """What an import writes, as of the imports before it: new communities by number, changed ones by id."""

    table: CommunityTable
    named: Mapping[str, _NamedPlan]
    added: Sequence[tuple[str, _Values]]
    changed: Sequence[_Change]
    absent: int
    numbered: int
    new_places: Sequence[Fault]
    are_new_places_confirmed: bool
    last_change: int | None

    @property
    def result(self) -> ImportResult:
        """What its import adds, changes and leaves."""
        return ImportResult(
            added=len(self.added),
            changed=len(self.changed),
            unchanged=len(self.table.rows) - len(self.added) - len(self.changed),
            absent=self.absent,
            numbered=self.numbered,
        )

    @cached_property
    def sha256(self) -> str:
        """Digest of all that it writes and of what is asked about it: equal plans have equal ones."""
        named = [
            [kind, sorted((path, dict(columns)) for path, columns in plan.added.items()), sorted(plan.changed.items())]
            for kind, plan in sorted(self.named.items())
        ]
        asked = [fault.located() for fault in self.new_places]
        return sha256_hex(canonical_json([self.added, self.changed, named, asked, self.absent, self.numbered]))


def sort_key(name: str) -> str:
    """Return the pinyin of a name: Chinese lists are read in its order."""
    return " ".join(pinyin_of(unicodedata.normalize("NFKC", name))).casefold()


def import_communities(session: Session, *, table: CommunityTable) -> ImportResult:
    """Store the communities of a table in one transaction, where nobody waits; see `plan_import` for what is stored.

    For lists that a program made: new districts and companies are not asked about.
    """
    return store_import(session, plan=plan_import(session, table=table, are_new_places_confirmed=True))


def plan_import(session: Session, *, table: CommunityTable, are_new_places_confirmed: bool = False) -> ImportPlan:
    """Compare a table with what is stored and return what an import of it writes; this is what takes long.

    Communities that are known by their number take over what the table says. One that the table does not list keeps its
    row, since its responses and complaints refer to it. A blank subdistrict, neighbourhood, English name or line in a
    second language leaves the stored one: the column may be missing from the file. A community without a number is the
    stored one of its name and district, or a new one, which gets the next number.

    Raises `PlacesError` where the table has a twin of what is stored, and `UnconfirmedPlaces` where nobody has
    confirmed what would be new: see there.
    """
    last_change = _last_change(session)
    ids, known = _stored_values(session)
    stored_names = {kind: _stored_names(session, stored) for kind, stored in _TABLES.items()}
    listed = _listed(table, known)
    new_places = _new_places(table, listed, known, stored_names)
    if new_places and not are_new_places_confirmed:
        raise UnconfirmedPlaces(table.source, new_places)
    added, changed = [], []
    for number, row in zip((place.number for place in listed), table.rows, strict=True):
        stored = known.get(number)
        values = _Values(
            name=row.name,
            english_name=row.english_name or (stored.english_name if stored else None),
            district=row.district,
            subdistrict=_kept(row, stored, "subdistrict"),
            neighbourhood=_kept(row, stored, "neighbourhood"),
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
            changed.append(_Change(ids[number], _differing_columns(stored, values), values))
    return ImportPlan(
        table=table,
        named={kind: _plan_named(stored, _listed_names(table, kind)) for kind, stored in stored_names.items()},
        added=added,
        changed=changed,
        absent=len(known.keys() - {place.number for place in listed}),
        numbered=sum(
            row.number is None and place.number not in known for row, place in zip(table.rows, listed, strict=True)
        ),
        new_places=new_places,
        are_new_places_confirmed=are_new_places_confirmed,
        last_change=last_change,
    )


def _differing_columns(stored: _Values, values: _Values) -> tuple[str, ...]:
    """Return the columns in which values differ; with the place around it, the id of each other place is another."""
    differing = {field for field, old, new in zip(_Values._fields, stored, values, strict=True) if old != new}
    if not differing.isdisjoint(_PLACES):
        differing.update(_PLACES)
    return tuple(column for field, column in zip(_Values._fields, _WRITTEN, strict=True) if field in differing)


def _kept(row: CommunityRow, stored: _Values | None, part: str) -> str | None:
    """Return the subdistrict or the neighbourhood of a row, or the stored one where the row does not say another."""
    stated: str | None = getattr(row, part)
    if stated is not None or stored is None or row.district != stored.district:
        return stated
    moved = row.subdistrict is not None and row.subdistrict != stored.subdistrict
    return None if moved else getattr(stored, part)


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
            row.subdistrict,
            row.neighbourhood,
            line,
            has_number=row.number is not None,
        )
        for row, line in zip(table.rows, lines, strict=True)
    ]


def _new_places(
    table: CommunityTable,
    listed: Sequence[Listed],
    known: Mapping[str, _Values],
    stored_names: Mapping[str, Mapping[Path, object]],
) -> list[Fault]:
    """Return a sentence for each name that has to be confirmed; `PlacesError` where it is a twin of a stored one."""
    stored = {number: Listed(number, values.name, values.district, values.company) for number, values in known.items()}
    named = {kind: first_lines(listed, *columns) for kind, columns in _PATHS.items()}
    faults = [
        *twins_of_stored(listed, stored),
        *(fault for kind in _PATHS for fault in twins_of_names(named[kind], stored_names[kind])),
    ]
    if faults:
        raise PlacesError(table.source, faults)
    asked = [fault for kind, new in _NEW_NAMES.items() for fault in new(named[kind], stored_names[kind])]
    return asked + new_communities(listed, stored)


def store_import(session: Session, *, plan: ImportPlan, is_shown: bool = False) -> ImportResult:
    """Write what was planned in statements for many rows each: residents who send answers wait for this lock.

    Where somebody else has imported a list meanwhile, it is planned once more; but what is stored of a plan that was
    shown is what was shown, and `RegisterChanged` is raised instead.
    """
    lock_until_commit(session, AdvisoryLock.REGISTER)
    if plan.last_change != _last_change(session):
        if is_shown:
            raise RegisterChanged
        plan = plan_import(session, table=plan.table, are_new_places_confirmed=plan.are_new_places_confirmed)
    districts = _store_named(session, "district", plan.named)
    subdistricts = _store_named(session, "subdistrict", plan.named, within=districts)
    neighbourhoods = _store_named(session, "neighbourhood", plan.named, within=subdistricts)
    companies = _store_named(session, "company", plan.named)
    communities = cast(Table, Community.__table__)

    @cache
    def ids_of(district: str, subdistrict: str | None, neighbourhood: str | None, company: str | None) -> _Row:
        return (
            _id_at(districts, district),
            _id_at(subdistricts, district, subdistrict),
            _id_at(neighbourhoods, district, subdistrict, neighbourhood),
            _id_at(companies, company),
        )

    def with_ids(key: str | int, values: _Values) -> _Row:
        return key, *ids_of(*values.names), *values.columns

    inserted: dict[str, BindParameter[object]] = {name: bindparam(name) for name in _WRITTEN}
    _write_many(
        session,
        insert(communities).values(number=bindparam("key"), **inserted),
        ("key", *_WRITTEN),
        [with_ids(number, values) for number, values in plan.added],
    )
    changes: defaultdict[tuple[str, ...], list[_Row]] = defaultdict(list)
    for change in plan.changed:
        changes[change.columns].append(with_ids(change.id, change.values))
    keep_companies(session, [change.id for change in plan.changed if "company_id" in change.columns])
    # Only what is another value: a new number of households leaves every index as it is.
    for columns, rows in changes.items():
        updated: dict[str, BindParameter[object]] = {name: bindparam(name) for name in columns}
        statement = update(communities).where(communities.c.id == bindparam("key")).values(**updated)
        _write_many(session, statement, ("key", *_WRITTEN), rows)
    # What this session has read of the communities before is no longer so.
    session.expire_all()
    return plan.result


def _id_at(ids: Mapping[Path, int], *path: str | None) -> int | None:
    """Return the id of the place at a path, None where its own name is blank."""
    names = tuple(name for name in path if name is not None)
    return ids[names] if len(names) == len(path) else None


def record_import(session: Session, *, result: ImportResult, by: str, now: datetime) -> None:
    """Note in the audit chain who imported a list, and in the contracts that its companies are in charge now."""
    record_listed_companies(session, today=local_today(session, now=now))
    facts = {"added": result.added, "changed": result.changed}
    audit.record(session, by=by, action=AuditAction.COMMUNITIES_IMPORTED, subject="communities", after=facts, now=now)


def stored_communities(session: Session) -> CommunityTable:
    """Return the communities as they are stored, for an office to correct and import again."""
    statement = (
        select(Community)
        .options(*map(joinedload, (getattr(Community, named) for named in _PATHS)))
        .order_by(Community.number)
    )
    return CommunityTable(
        tuple(
            CommunityRow(
                number=community.number,
                name=community.name,
                english_name=community.english_name,
                households_delivered=community.households_delivered,
                households_occupied=community.households_occupied,
                households_owners=community.households_owners,
                second_language_line=community.second_language_line,
                **_names_of(community),
            )
            for community in session.scalars(statement)
        )
    )


def _names_of(community: Community) -> dict[str, Any]:
    """Return the names of the places and the company of a community, by the fields of a row."""
    named = {kind: getattr(community, kind) for kind in _PATHS}
    return {kind: each and each.name for kind, each in named.items()} | {
        f"{kind}_english_name": each and each.english_name for kind, each in named.items()
    }


def _write_many(session: Session, statement: Insert | Update, names: Sequence[str], rows: Sequence[_Row]) -> None:
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


def _last_change(session: Session) -> int | None:
    """Return the position of the last change of the register, by which a plan knows that it is still right."""
    changes = select(AuditEvent.position).where(AuditEvent.action.in_(sorted(REGISTER_CHANGES)))
    return session.scalar(changes.order_by(AuditEvent.position.desc()).limit(1))


def _stored_values(session: Session) -> tuple[dict[str, int], dict[str, _Values]]:
    """Return the ids and the values of the stored communities by their numbers."""
    statement = (
        select(
            Community.number,
            Community.id,
            District.name,
            Subdistrict.name,
            Neighbourhood.name,
            PropertyCompany.name,
            *(getattr(Community, field) for field in _WRITTEN[_NAMES:]),
        )
        .join(Community.district)
        .outerjoin(Community.subdistrict)
        .outerjoin(Community.neighbourhood)
        .outerjoin(Community.company)
    )
    ids, known = {}, {}
    for number, community_id, *values in session.execute(statement):
        ids[number], known[number] = community_id, _Values(*values)
    return ids, known


# The fields of a row that spell the path of each kind of named place.
_PATHS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "district": ("district",),
        "subdistrict": ("district", "subdistrict"),
        "neighbourhood": ("district", "subdistrict", "neighbourhood"),
        "company": ("company",),
    }
)
_NamedTable = type[District] | type[Subdistrict] | type[Neighbourhood] | type[PropertyCompany]
_TABLES: Mapping[str, _NamedTable] = MappingProxyType(
    {
        "district": District,
        "subdistrict": Subdistrict,
        "neighbourhood": Neighbourhood,
        "company": PropertyCompany,
    }
)
_NEW_NAMES: Mapping[str, Callable[[Mapping[Path, int], Iterable[Path]], list[Fault]]] = MappingProxyType(
    {
        "district": new_districts,
        "subdistrict": new_subdistricts,
        "neighbourhood": new_neighbourhoods,
        "company": new_companies,
    }
)


def _listed_names(table: CommunityTable, kind: str) -> dict[Path, str | None]:
    """Return the places or companies of one kind that a table names, with the English name of each where it has one."""
    path_of = attrgetter(*_PATHS[kind], kind, f"{kind}_english_name")
    names: dict[Path, str | None] = {}
    for *path, name, english_name in map(path_of, table.rows):
        if name is not None:
            names[tuple(path)] = english_name or names.get(tuple(path))
    return names


def _stored_names(session: Session, table: _NamedTable) -> dict[Path, tuple[int, str | None]]:
    """Return the ids and the English names of all places or companies of one kind, by their paths."""
    statement: Select[*tuple[Any, ...]] = select(table.id, table.english_name)
    if table is Subdistrict:
        statement = statement.add_columns(District.name).join(Subdistrict.district)
    elif table is Neighbourhood:
        statement = statement.add_columns(District.name, Subdistrict.name)
        statement = statement.join(Neighbourhood.subdistrict).join(Subdistrict.district)
    rows = session.execute(statement.add_columns(table.name))
    return {tuple(path): (number, english_name) for number, english_name, *path in rows}


def _plan_named(stored: Mapping[Path, tuple[int, str | None]], listed: Mapping[Path, str | None]) -> _NamedPlan:
    """Return which of the listed are new, and whose English name is another; a blank one leaves the stored."""
    return _NamedPlan(
        added={
            path: {"name": path[-1], "english_name": english_name, "sort_key": sort_key(path[-1])}
            for path, english_name in listed.items()
            if path not in stored
        },
        changed={
            path: english_name
            for path, english_name in listed.items()
            if path in stored and english_name is not None and stored[path][1] != english_name
        },
    )


def _store_named(
    session: Session, kind: str, plans: Mapping[str, _NamedPlan], *, within: Mapping[Path, int] | None = None
) -> dict[Path, int]:
    """Return the ids of all places or companies of one kind, after writing what was planned.

    `within` has the ids of the places that hold them.
    """
    plan, table = plans[kind], _TABLES[kind]
    connection, rows = session.connection(), cast(Table, table.__table__)
    if plan.added:
        parents = ({} if within is None else {_PARENT_COLUMN[kind]: within[path[:-1]]} for path in plan.added)
        connection.execute(
            insert(rows), [{**own, **parent} for own, parent in zip(plan.added.values(), parents, strict=True)]
        )
    stored = _stored_names(session, table)
    if plan.changed:
        connection.execute(
            update(rows).where(rows.c.id == bindparam("changed_id")),
            [{"changed_id": stored[path][0], "english_name": name} for path, name in plan.changed.items()],
        )
    return {path: number for path, (number, _english_name) in stored.items()}


_PARENT_COLUMN: Mapping[str, str] = MappingProxyType({"subdistrict": "district_id", "neighbourhood": "subdistrict_id"})
