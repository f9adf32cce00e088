"""Audit chain: who did what, when, to what, written in the transaction of the action itself.

Each event carries the hash of the one before it, so that a change, a removal or another order of past events shows.
Only a cut at the end, or a rewrite of the whole chain, does not show from within: for that the head is kept off this
host, and `verify_chain` compares with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import Row, event, insert, select
from sqlalchemy.orm import Session, SessionTransaction

from analytics.canonical import canonical_json, sha256_hex
from survey_app.models import AuditEvent
from survey_app.models.vocabulary import Area, AuditAction
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit

# Actors other than accounts, which `account_actor` names.
OPERATOR = "operator"  # a command on the host
RESIDENT = "resident"
VISITOR = "visitor"  # somebody who did not sign in
SITE = "site"  # the site by itself, such as a case closed after a week of silence

Facts = Mapping[str, str | int | float | bool | Sequence[int] | None]

_FIRST_PREVIOUS_HASH = "0" * 64
_PENDING = "audit_events"
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class ChainHead:
    """Last link of the chain: what is kept off this host, written `position:hash`."""

    position: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a head that was written down; `ValueError` if it is none."""
        position, _, digest = text.strip().partition(":")
        if not position.isdecimal() or len(digest) != len(_FIRST_PREVIOUS_HASH):
            raise ValueError(f"a head looks like 12:{'0' * 6}…, got {text!r}")
        return cls(int(position), digest)

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"


class ChainFault(StrEnum):
    """Kind of fault that a link of the chain can have."""

    MISSING = "events before this one are missing"
    CHANGED = "this event was changed"
    UNLINKED = "this event does not follow from the one before it"
    CUT_OFF = "the chain ends before this event"
    REWRITTEN = "this event is not the one whose hash was kept"


@dataclass(frozen=True)
class _Event:
    happened_at: datetime
    actor: str
    action: str
    subject: str
    before: str | None
    after: str | None


def account_actor(account_id: int) -> str:
    """Return the name of an account in the chain, as actor and as subject."""
    return f"account:{account_id}"


def record(
    session: Session,
    *,
    by: str,
    action: AuditAction,
    subject: str,
    before: Facts | None = None,
    after: Facts | None = None,
    now: datetime,
) -> None:
    """Record an action in the audit chain, in the transaction that does it: both are stored, or neither.

    `by` is `account_actor` or one of the names above; `subject` says kind and id, `round:3`. Facts are ids, numbers,
    states and keyed digests: never a name, a telephone number or anything that somebody typed about a person.

    The event joins the chain as the last step before the commit.
    """
    if session.in_nested_transaction():
        raise RuntimeError("an event belongs to a whole transaction: a savepoint could take the action back without it")
    pending = session.info.setdefault(_PENDING, [])
    texts = (None if facts is None else canonical_json(dict(facts)) for facts in (before, after))
    pending.append(_Event(now.astimezone(UTC), by, action, subject, *texts))


def record_export(
    session: Session, *, by: str, area: Area, places: Sequence[int], kind: str, subject: str, now: datetime
) -> None:
    """Note that an account takes a file away, before the first byte of it is sent, and of which area.

    `places` are the ids of the place or the communities that the area is, if it is any.
    """
    facts: Facts = {"kind": kind, "area": area, "place": place_fact(places)}
    record(session, by=by, action=AuditAction.EXPORTED, subject=subject, after=facts, now=now)


def place_fact(ids: Sequence[int]) -> int | Sequence[int] | None:
    """Return the number of a place as a fact of an event, or those of several communities."""
    return ids[0] if len(ids) == 1 else list(ids) or None


def head(session: Session) -> ChainHead:
    """Return the last link; position 0 while the chain is empty."""
    last = session.execute(
        select(AuditEvent.position, AuditEvent.hash).order_by(AuditEvent.position.desc()).limit(1)
    ).first()
    return ChainHead(0, _FIRST_PREVIOUS_HASH) if last is None else ChainHead(last.position, last.hash)


def verify_chain(session: Session, *, kept: ChainHead | None = None) -> Iterator[tuple[int, ChainFault]]:
    """Yield the position and kind of every fault of the chain; `kept` is a head that was written down earlier."""
    position, previous_hash = 0, _FIRST_PREVIOUS_HASH
    columns = AuditEvent.__table__.columns
    statement = select(*columns).order_by(AuditEvent.position).execution_options(yield_per=_ROWS_AT_ONCE)
    for row in session.execute(statement):
        if row.position != position + 1:
            yield row.position, ChainFault.MISSING
        elif row.previous_hash != previous_hash:
            yield row.position, ChainFault.UNLINKED
        if _hash(row.position, row.previous_hash, row) != row.hash:
            yield row.position, ChainFault.CHANGED
        if kept is not None and row.position == kept.position and row.hash != kept.hash:
            yield row.position, ChainFault.REWRITTEN
        position, previous_hash = row.position, row.hash
    if kept is not None and position < kept.position:
        yield kept.position, ChainFault.CUT_OFF


@event.listens_for(Session, "before_commit")
def _append_pending(session: Session) -> None:
    if session.in_nested_transaction() or not (pending := session.info.pop(_PENDING, None)):
        return
    session.flush()
    # Last of all, since everybody else's commit waits for it. Two transactions that read the same head would otherwise
    # both continue from it.
    lock_until_commit(session, AdvisoryLock.AUDIT_CHAIN)
    last = head(session)
    for happened in pending:
        position = last.position + 1
        digest = _hash(position, last.hash, happened)
        values = {**vars(happened), "position": position, "previous_hash": last.hash, "hash": digest}
        session.connection().execute(insert(AuditEvent), values)
        last = ChainHead(position, digest)


@event.listens_for(Session, "after_transaction_end")
def _forget_pending(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_PENDING, None)


def _hash(position: int, previous_hash: str, happened: "_Event | Row[*tuple[object, ...]]") -> str:
    moment = happened.happened_at.astimezone(UTC).isoformat(timespec="microseconds")
    facts = (happened.before, happened.after)
    content = [position, previous_hash, moment, happened.actor, happened.action, happened.subject, *facts]
    return sha256_hex(canonical_json(content))
