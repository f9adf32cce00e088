"""Tallies of a round while answers come in: changes added up now and then, and read together with the newest ones.

A page reads the tallies and the few changes that were not added yet in one snapshot, so that what it shows is exact to
that moment, and costs the same however many responses there are.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import Session

from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.city_time import zone_of
from survey_app.collection.changes import Amounts, Change, Kind
from survey_app.models import CollectionChange, CollectionTally, Community, Round, RuleFile
from survey_app.models.vocabulary import Tally
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit
from survey_app.storage.database import Database
from survey_app.storage.insert_once import add_to_rows
from survey_app.storage.short_transactions import ShortTransactions, read_ids

_KIND: Final = [CollectionChange.__table__.c[name] for name in Kind._fields]
_AMOUNTS: Final = [CollectionChange.__table__.c[name] for name in Amounts._fields]
_TALLIES: Final = cast(Table, CollectionTally.__table__)
_UNIQUE: Final = {str(index.name): index for index in _TALLIES.indexes}
_OF_COMMUNITY: Final = _UNIQUE["ix_collection_tally_community"]
_OF_CITY: Final = _UNIQUE["ix_collection_tally_city"]


class Place(NamedTuple):
    """What a tally is of: a round in one community, or in the whole city."""

    round_id: int
    community_id: int | None
    tally: Tally
    key: str


Numbers: TypeAlias = Counter[Place]
"""Numbers of responses, by what they are of."""


@dataclass(frozen=True)
class Collected:
    """What has come in of a round, in a scope.

    `standing` are the responses that stand, by community that has any; `in_time` those that came in by local day, by
    local hour and by mode; `through_codes` those through each code that is no slip's, none through others.
    """

    standing: Mapping[int, int]
    in_time: Mapping[Tally, Mapping[str, int]]
    through_codes: Mapping[int, int]


def numbers_of(changes: Iterable[Change], zones: Mapping[int, ZoneInfo]) -> Numbers:
    """Return what changes add up to, of communities and of the city; `zones` are those of the rounds."""
    numbers: Numbers = Counter()
    for kind, amounts in changes:
        for tally, key, number in _numbers_of_change(kind, amounts, zones[kind.round_id]):
            if number:
                numbers[Place(kind.round_id, kind.community_id, tally, key)] += number
                if tally is not Tally.CODE:
                    numbers[Place(kind.round_id, None, tally, key)] += number
    return numbers


def _numbers_of_change(kind: Kind, amounts: Amounts, zone: ZoneInfo) -> Iterator[tuple[Tally, str, int]]:
    yield Tally.RECEIVED, "", amounts.received
    if kind.quarter is not None:
        day, hour = _local_day_and_hour(kind.quarter, zone)
        yield Tally.DAY, day, amounts.received
        yield Tally.HOUR, hour, amounts.received
        yield Tally.MODE, str(kind.mode), amounts.received
    yield Tally.STANDING, "", amounts.standing
    yield Tally.HOUSEHOLD, "", amounts.households
    if kind.code_id is not None:
        yield Tally.CODE, str(kind.code_id), amounts.through_code


@lru_cache(maxsize=4096)
def _local_day_and_hour(quarter: datetime, zone: ZoneInfo) -> tuple[str, str]:
    local = quarter.astimezone(zone)
    return local.date().isoformat(), str(local.hour)


def fold_changes(database: Database, *, report: Callable[[int, int], None] = lambda _done, _total: None) -> int:
    """Add the changes to the tallies, in short transactions, and return how many there were."""
    ids = read_ids(database, select(CollectionChange.id).order_by(CollectionChange.id))
    done = 0
    transactions = ShortTransactions(database)
    for part in transactions.parts(ids):
        with transactions.writing() as session:
            lock_tallies(session)
            taken = delete(CollectionChange).where(CollectionChange.id.in_(part)).returning(*_KIND, *_AMOUNTS)
            changes = _read_changes(session.connection().execute(taken))
            add_numbers(session, numbers_of(changes, zones_of(session, {kind.round_id for kind, _amounts in changes})))
        done += len(part)
        report(done, len(ids))
    return done


def lock_tallies(session: Session) -> None:
    """Wait until no other transaction adds to the tallies: two would each wait for rows of the other."""
    lock_until_commit(session, AdvisoryLock.TALLIES)


def add_numbers(session: Session, numbers: Mapping[Place, int]) -> None:
    """Add numbers to the tallies."""
    rows = [place._asdict() | {"number": number} for place, number in numbers.items() if number]
    of_city = [row for row in rows if row["community_id"] is None]
    of_communities = [row for row in rows if row["community_id"] is not None]
    add_to_rows(session, _TALLIES, of_communities, unique=_OF_COMMUNITY, to="number")
    add_to_rows(session, _TALLIES, of_city, unique=_OF_CITY, to="number")


def zones_of(session: Session, round_ids: Collection[int]) -> Mapping[int, ZoneInfo]:
    """Return the time zone of each round."""
    found = session.execute(select(Round.id, RuleFile.content).join(RuleFile).where(Round.id.in_(round_ids)))
    return {row.id: zone_of(row.content) for row in found}


def count_received(session: Session, *, scope: Scope) -> Mapping[int, int]:
    """Return how many responses came in from the communities in scope, by round."""
    round_ids = session.scalars(select(Round.id)).all()
    newest = _count_newest(session, round_ids, scope)
    found = _count_in_total(session, round_ids, [Tally.RECEIVED], scope, newest)
    return {round_id: number for (round_id, _tally, _key), number in found.items()}


def count_collected(session: Session, *, round_id: int, scope: Scope) -> Collected:
    """Return what has come in of a round from the communities in scope."""
    # Once for all three: thousands of changes may wait to be added.
    newest = _count_newest(session, [round_id], scope)
    in_time: dict[Tally, dict[str, int]] = {Tally.DAY: {}, Tally.HOUR: {}, Tally.MODE: {}}
    for (_round, tally, key), number in _count_in_total(session, [round_id], in_time, scope, newest).items():
        in_time[tally][key] = number
    standing = _count(session, round_id, Tally.STANDING, scope, newest)
    return Collected(
        standing={community_id: number for (community_id, _key), number in standing},
        in_time=in_time,
        through_codes=_count_through_codes(session, round_id, scope, newest),
    )


def count_households(session: Session, *, round_id: int) -> Mapping[int, int]:
    """Return how many households have answered through their slips in each community in which any has."""
    newest = _count_newest(session, [round_id], EVERYWHERE)
    found = _count(session, round_id, Tally.HOUSEHOLD, EVERYWHERE, newest)
    return {community_id: number for (community_id, _key), number in found}


def count_through_codes(session: Session, *, round_id: int, scope: Scope) -> Mapping[int, int]:
    """Return how many responses of a round came through each code in scope that is no slip's; through others, none."""
    return _count_through_codes(session, round_id, scope, _count_newest(session, [round_id], scope))


def read_numbers(session: Session, *, round_id: int) -> Numbers:
    """Return all numbers of a round, of communities and of the city."""
    columns = (CollectionTally.community_id, CollectionTally.tally, CollectionTally.key, CollectionTally.number)
    stored = session.execute(select(*columns).where(CollectionTally.round_id == round_id))
    numbers: Numbers = Counter()
    for community_id, tally, key, number in stored:
        numbers[Place(round_id, community_id, Tally(tally), key)] = number
    for place, number in _count_newest(session, [round_id], EVERYWHERE).items():
        numbers[place] += number
    return numbers


def _count_through_codes(session: Session, round_id: int, scope: Scope, newest: Numbers) -> Mapping[int, int]:
    found = _count(session, round_id, Tally.CODE, scope, newest)
    return {int(key): number for (_community_id, key), number in found}


def _count_in_total(
    session: Session, round_ids: Collection[int], tallies: Collection[Tally], scope: Scope, newest: Numbers
) -> Counter[tuple[int, Tally, str]]:
    wanted = (CollectionTally.round_id.in_(round_ids), CollectionTally.tally.in_(tallies))
    columns = (CollectionTally.round_id, CollectionTally.tally, CollectionTally.key)
    if scope.is_city:
        statement = select(*columns, CollectionTally.number).where(*wanted, CollectionTally.community_id.is_(None))
    else:
        of_communities = select(*columns, func.sum(CollectionTally.number)).join(Community).where(*wanted)
        statement = scope.communities(of_communities.group_by(*columns))
    numbers = Counter(
        {(round_id, Tally(tally), key): number for round_id, tally, key, number in session.execute(statement)}
    )
    for place, number in newest.items():
        if place.community_id is None and place.tally in tallies:
            numbers[place.round_id, place.tally, place.key] += number
    return numbers


def _count(
    session: Session, round_id: int, tally: Tally, scope: Scope, newest: Numbers
) -> Iterable[tuple[tuple[int, str], int]]:
    """Return a tally of each community in scope, by community and key."""
    statement = (
        select(Community.id, CollectionTally.key, CollectionTally.number)
        .join(Community)
        .where(CollectionTally.round_id == round_id, CollectionTally.tally == tally)
    )
    # Core: for every row the session would look whether it holds entities.
    stored = session.connection().execute(scope.communities(statement)).all()
    numbers = Counter({(community_id, key): number for community_id, key, number in stored})
    for place, number in newest.items():
        if place.community_id is not None and place.tally is tally:
            numbers[place.community_id, place.key] += number
    return (+numbers).items()


def _count_newest(session: Session, round_ids: Collection[int], scope: Scope) -> Numbers:
    """Return what the changes that were not added yet add up to, in the communities in scope and in all of these."""
    statement = (
        select(*_KIND, *(func.sum(amount) for amount in _AMOUNTS))
        .join(Community)
        .where(CollectionChange.round_id.in_(round_ids))
        .group_by(*_KIND)
    )
    newest = session.execute(scope.communities(statement))
    return numbers_of(_read_changes(newest), zones_of(session, round_ids))


def _read_changes(rows: Iterable[Sequence[Any]]) -> list[Change]:
    return [(Kind(*row[: len(_KIND)]), Amounts(*row[len(_KIND) :])) for row in rows]
