"""Changes of the count of a round by responses that come or go, stored in the transaction that stores or erases them.

What is counted follows from rows that are committed or not together with what they count. So in every snapshot of the
database the tallies and the changes that were not added yet are the count of the responses in that snapshot, however
transactions overlap and in whichever order they commit: nothing is found by a number or a time up to which all was
seen. What depends on other rows, whether a household had answered before, is asked for under a lock of the household.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias, cast
from zlib import crc32

from sqlalchemy import Table, bindparam, exists, insert, or_, select
from sqlalchemy.orm import Session, aliased

from survey_app.models import CollectionChange, Response
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit

QUARTER: Final = timedelta(minutes=15)
"""How exactly a change says when: the offset of every time zone is a multiple of it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CHANGES: Final = cast(Table, CollectionChange.__table__)
_ANSWERED: Final = (
    select(Response.household_key).distinct().where(Response.household_key.in_(bindparam("keys", expanding=True)))
)
_Correction: Final = aliased(Response)
_LEAVING: Final = select(
    Response.round_id,
    Response.community_id,
    Response.code_id,
    Response.household_key,
    or_(Response.superseded_within.is_not(None), exists().where(_Correction.corrects_id == Response.id)).label(
        "is_replaced"
    ),
).where(Response.id.in_(bindparam("ids", expanding=True)), Response.answers.is_not(None))


class Kind(NamedTuple):
    """What changes have in common that are stored or added up as one; see `CollectionChange`."""

    round_id: int
    community_id: int
    code_id: int | None = None
    quarter: datetime | None = None
    mode: str | None = None


class Amounts(NamedTuple):
    """What a change adds: responses received, that stand, households among them, and responses through its code."""

    received: int = 0
    standing: int = 0
    households: int = 0
    through_code: int = 0


Change: TypeAlias = tuple[Kind, Amounts]


def prepare_arrivals(
    session: Session, rows: Sequence[Mapping[str, Any]]
) -> Callable[[Sequence[Mapping[str, Any]]], None]:
    """Look at what new responses will change; return the function to call with those that were inserted."""
    answered = set(_households_with_answers(session, {row["household_key"] for row in rows}))

    def record(inserted: Sequence[Mapping[str, Any]]) -> None:
        changes = []
        for row in inserted:
            household = row["household_key"]
            code_id = row["code_id"] if household is None else None
            kind = Kind(
                row["round_id"], row["community_id"], code_id, _quarter_of(row["submitted_at"]), str(row["mode"])
            )
            # A household stands once; of other responses a correction takes the place of what it corrects.
            stands = row.get("corrects_id") is None if household is None else household not in answered
            changes.append((kind, Amounts(1, stands, stands and household is not None, code_id is not None)))
            answered.add(household)
        _store(session, changes)

    return record


@contextmanager
def counted_departures(session: Session, response_ids: Collection[int]) -> Iterator[None]:
    """Enclose the statement that erases answers and takes them off their code and their household."""
    leaving = session.execute(_LEAVING, {"ids": list(response_ids)}).all()
    answered = _households_with_answers(session, {row.household_key for row in leaving})
    yield
    gone = set(answered - _households_with_answers(session, answered))
    changes = []
    for row in leaving:
        household = row.household_key
        code_id = row.code_id if household is None else None
        stood = not row.is_replaced if household is None else household in gone
        amounts = Amounts(0, -stood, -(stood and household is not None), -(code_id is not None))
        changes.append((Kind(row.round_id, row.community_id, code_id), amounts))
        gone.discard(household)
    _store(session, changes)


def _households_with_answers(session: Session, keys: Collection[str | None]) -> frozenset[str]:
    """Return which households have answers; until this transaction ends, no other changes that."""
    known = sorted(key for key in keys if key is not None)
    if not known:
        return frozenset()
    for number in sorted({_lock_number(key) for key in known}):
        lock_until_commit(session, AdvisoryLock.HOUSEHOLD, of=number)
    found = session.connection().execute(_ANSWERED, {"keys": known}).scalars()
    return frozenset(key for key in found if key is not None)


def _store(session: Session, changes: Iterable[Change]) -> None:
    totals: dict[Kind, Amounts] = {}
    for kind, amounts in changes:
        totals[kind] = Amounts(*map(sum, zip(totals.get(kind, Amounts()), amounts, strict=True)))
    rows = [kind._asdict() | amounts._asdict() for kind, amounts in totals.items() if any(amounts)]
    if rows:
        session.connection().execute(insert(_CHANGES), rows)


def _quarter_of(moment: datetime) -> datetime:
    return moment - (moment - _EPOCH) % QUARTER


def _lock_number(key: str) -> int:
    """Return 31 bits of a key, as PostgreSQL numbers locks of two numbers."""
    return crc32(key.encode()) >> 1
