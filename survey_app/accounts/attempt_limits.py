"""Limits of tries to guess a secret or a number, counted in the database by where they come from (`attempt_budgets`).

Rows hold keyed digests of the digests that `network_digests` makes of an address under a key of the day, and none is
kept for longer than a day.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final, cast

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from survey_app.accounts.attempt_budgets import (
    EVERYWHERE,
    PREFIX,
    PROMISE_LIFETIME,
    Budget,
    Count,
    Limit,
    failures_now,
    is_slowed,
    rule,
)
from survey_app.accounts.network_digests import NetworkDigests
from survey_app.errors import JiayuanError
from survey_app.log_events import LogEvent, log_event
from survey_app.models import AttemptCount
from survey_app.models.vocabulary import AttemptScope
from survey_app.security.digests import keyed_digest
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit
from survey_app.storage.database import Database
from survey_app.storage.insert_once import insert_once

LONGEST_KEPT: Final = timedelta(days=1)
# Expired rows that one try clears away: more than it adds, so that the table never grows beyond what still counts.
_PURGED_AT_ONCE = 100
_KEYS_AT_ONCE = 1000
_OWN_SCOPES: Final = frozenset({AttemptScope.PAIR, AttemptScope.PROVEN})


@dataclass(frozen=True)
class Source:
    """Source of a try: a line of the network and its prefix, or an account of staff, which has none."""

    line: str
    prefix: str | None = None

    @classmethod
    def of(cls, network: NetworkDigests | None) -> "Source":
        """Return the source of a request; all whose address is not known are one."""
        return cls("unknown") if network is None else cls(network.address, network.prefix)


@dataclass(frozen=True)
class CountedAttempt:
    """Try that was counted as failed at a time, and what had failed before it, to be forgiven when it succeeds."""

    limit: Limit
    keys: Mapping[AttemptScope, str]
    earlier: Mapping[AttemptScope, Count]
    counted_at: datetime


@dataclass(frozen=True)
class Pressure:
    """Failed tries of one kind that count in the whole city, how long strangers wait, and how many prefixes do."""

    action: str
    failures: int
    wait: timedelta
    slowed_prefixes: int


class TooManyAttempts(JiayuanError):
    """The source failed too often; from `retry_at` on there is another try."""

    status = 429
    page = "errors/too_many_attempts.html"

    def __init__(self, action: str, *, retry_at: datetime, now: datetime) -> None:
        super().__init__(f"too many tries of {action}: again at {retry_at}")
        self.retry_at = retry_at
        self.seconds = max(1, ceil((retry_at - now).total_seconds()))
        self.minutes = ceil(self.seconds / 60)
        self.headers = {"Retry-After": str(self.seconds)}


def count_attempt(
    database: Database,
    *,
    limit: Limit,
    source: Source,
    subject: str | None = None,
    proof: str | None = None,
    secret_key: str,
    now: datetime,
) -> CountedAttempt:
    """Count a try as failed before it is made, or raise `TooManyAttempts`; `forgive_failures` when it succeeded.

    `subject` is whose secret is tried; None where the number itself is the secret. `proof` is what only somebody has
    who has proved before that the subject is theirs: they have a budget of their own, and nobody else's failures count.

    It takes the database, not a session: the count is committed here, before the secret is looked at. Counted in the
    caller's transaction it would be rolled back together with the refusal, and counted only after a failure, tries
    that arrive together would all pass. A refused try is not counted, so nobody is kept out for longer by retrying.
    """
    keys = _keys(limit, source, subject, proof, secret_key)
    with database.reading() as session:
        # Most refusals end here: whoever tries on and on writes nothing.
        ruling = rule(limit, _counts(_rows(session, keys)), now=now)
    if ruling.retry_at is not None and not ruling.is_new:
        raise TooManyAttempts(limit.action, retry_at=ruling.retry_at, now=now)
    with database.writing() as session:
        rows = _locked_rows(session, keys)
        counts = _counts(rows)
        ruling = rule(limit, counts, now=now)
        counted = {scope: keys[scope] for scope in _counted_scopes(limit, keys, counts, now)}
        if ruling.retry_at is None:
            _add_failure(session, limit, counted, rows, now=now)
        elif ruling.is_new:
            _promise(session, limit, keys[AttemptScope.LINE], rows, ruling.retry_at, now=now)
        # Last: from here on it waits for nobody.
        erase_expired_attempts(session, now=now, most=_PURGED_AT_ONCE)
    if ruling.retry_at is not None:
        raise TooManyAttempts(limit.action, retry_at=ruling.retry_at, now=now)
    return CountedAttempt(limit, counted, counts, now)


def forgive_failures(session: Session, counted: CountedAttempt, *, now: datetime) -> None:
    """Forgive the try that succeeded, and what the same source has failed on the same subject: nothing of others."""
    limit, rows = counted.limit, _locked_rows(session, counted.keys)
    counts = _counts(rows)
    of_pair = max(1.0, failures_now(limit, AttemptScope.PAIR, counts, now=now))
    for scope, row in rows.items():
        if scope in _OWN_SCOPES:
            session.delete(row)
        elif scope is not AttemptScope.EVERYWHERE or _free_row(session, row.key):
            own = 1.0 if scope is AttemptScope.EVERYWHERE else of_pair
            # The try leaves no trace, not even in the time from which others on the line wait.
            is_last = row.counted_at == counted.counted_at and scope in counted.earlier
            base = counted.earlier[scope] if is_last else Count(row.failures, row.counted_at)
            row.failures = max(0.0, base.failures - (own - 1 if is_last else own))
            row.counted_at = base.counted_at
            row.expires_at = _expiry(limit, scope, row)
    session.flush()


def pressures(session: Session, *, now: datetime) -> list[Pressure]:
    """Return the kinds of tries in which so many fail that strangers are slowed now, for the administrator."""
    found: dict[str, Pressure] = {}
    shared = select(AttemptCount).where(AttemptCount.expires_at > now).order_by(AttemptCount.action)
    for row in session.scalars(shared.filter_by(scope=AttemptScope.EVERYWHERE)):
        failures = EVERYWHERE.failures_left(row.failures, after=now - row.counted_at)
        found[row.action] = Pressure(row.action, ceil(failures), EVERYWHERE.wait_after(failures), 0)
    slowed = shared.filter_by(scope=AttemptScope.PREFIX).where(AttemptCount.failures >= PREFIX.free)
    for row in session.scalars(slowed):
        if PREFIX.wait_after(PREFIX.failures_left(row.failures, after=now - row.counted_at)):
            known = found.get(row.action) or Pressure(row.action, 0, timedelta(0), 0)
            found[row.action] = Pressure(known.action, known.failures, known.wait, known.slowed_prefixes + 1)
    return [pressure for pressure in found.values() if pressure.wait or pressure.slowed_prefixes]


def erase_expired_attempts(session: Session, *, now: datetime, most: int | None = None) -> int:
    """Delete the counts in which nothing counts any more, or some of them, and return how many.

    Rows that others hold are skipped: on PostgreSQL two transactions could otherwise wait for each other.
    """
    # What lies ahead was counted before the clock was set back.
    is_over = (AttemptCount.expires_at <= now) | (AttemptCount.expires_at > now + 2 * LONGEST_KEPT)
    expired = select(AttemptCount.key).where(is_over).limit(most)
    keys = session.scalars(expired.with_for_update(skip_locked=True)).all()
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        chunk = keys[start : start + _KEYS_AT_ONCE]
        session.execute(delete(AttemptCount).where(AttemptCount.key.in_(chunk)))
    return len(keys)


def take_turn(session: Session, *, action: str, budgets: Mapping[str, Budget], secret_key: str, now: datetime) -> bool:
    """Take one of the turns of each source in the caller's transaction, and return whether all had one left."""
    found = []
    for source, budget in budgets.items():
        limit = Limit(action=action, line=budget, prefix=None, everywhere=None)
        keys = _keys(limit, Source(source), None, None, secret_key)
        rows = _locked_rows(session, keys)
        if failures_now(limit, AttemptScope.LINE, _counts(rows), now=now) > budget.free - 1:
            return False
        found.append((limit, keys, rows))
    for limit, keys, rows in found:
        _add_failure(session, limit, keys, rows, now=now)
    return True


def _keys(
    limit: Limit, source: Source, subject: str | None, proof: str | None, secret_key: str
) -> Mapping[AttemptScope, str]:
    if proof is not None and limit.proven is not None:
        texts: dict[AttemptScope, str | None] = {AttemptScope.PROVEN: f"{subject} {proof}"}
    else:
        texts = {
            AttemptScope.LINE: source.line,
            AttemptScope.PREFIX: source.prefix if limit.prefix else None,
            AttemptScope.PAIR: None if subject is None else f"{source.line} {subject}",
            AttemptScope.SUBJECT: subject if limit.subject or limit.ceiling else None,
            AttemptScope.EVERYWHERE: "" if limit.everywhere else None,
        }
    return {
        scope: keyed_digest(f"{limit.action} {scope} {text}", purpose="attempt", secret_key=secret_key)
        for scope, text in texts.items()
        if text is not None
    }


def _counted_scopes(
    limit: Limit, keys: Mapping[AttemptScope, str], counts: Mapping[AttemptScope, Count], now: datetime
) -> list[AttemptScope]:
    """Return where a try counts: one network alone, such as a rented one, does not slow everybody else."""
    if AttemptScope.PREFIX in keys and is_slowed(limit, AttemptScope.PREFIX, counts, now=now):
        slowed = {AttemptScope.EVERYWHERE} | ({AttemptScope.SUBJECT} if limit.ceiling is None else set())
        return [scope for scope in keys if scope not in slowed]
    return list(keys)


def _rows(session: Session, keys: Mapping[AttemptScope, str]) -> dict[AttemptScope, AttemptCount]:
    found = session.scalars(select(AttemptCount).where(AttemptCount.key.in_(keys.values())))
    return {AttemptScope(row.scope): row for row in found}


def _locked_rows(session: Session, keys: Mapping[AttemptScope, str]) -> dict[AttemptScope, AttemptCount]:
    """Return the rows of a try, so that nobody else counts there meanwhile: but for that which the whole city shares.

    Tries on different subjects would otherwise pass one by one.
    """
    own = {scope: key for scope, key in keys.items() if scope is not AttemptScope.EVERYWHERE}
    # In one order, so that no two transactions wait for each other.
    for number in sorted(int.from_bytes(bytes.fromhex(key)[:8], signed=True) for key in own.values()):
        lock_until_commit(session, AdvisoryLock.ATTEMPT, of=number)
    # Locked too, since another transaction may be about to clear them away.
    rows = session.scalars(select(AttemptCount).where(AttemptCount.key.in_(own.values())).with_for_update())
    found = {AttemptScope(row.scope): row for row in rows}
    shared = {scope: key for scope, key in keys.items() if scope not in own}
    return found | _rows(session, shared) if shared else found


def _counts(rows: Mapping[AttemptScope, AttemptCount]) -> dict[AttemptScope, Count]:
    return {scope: Count(row.failures, row.counted_at, row.promised_at) for scope, row in rows.items()}


def _add_failure(
    session: Session,
    limit: Limit,
    keys: Mapping[AttemptScope, str],
    rows: Mapping[AttemptScope, AttemptCount],
    *,
    now: datetime,
) -> None:
    for scope, key in keys.items():
        row = rows.get(scope) or _new_row(session, limit, scope, key, now)
        if scope is AttemptScope.EVERYWHERE and not _free_row(session, key):
            continue
        before = {scope: Count(row.failures, row.counted_at)}
        most = cast(Budget, limit.budget_of(scope)).most
        row.failures = min(most, failures_now(limit, scope, before, now=now) + 1)
        row.counted_at, row.promised_at = now, None
        row.expires_at = _expiry(limit, scope, row)
        if scope is AttemptScope.EVERYWHERE and not is_slowed(limit, scope, before, now=now):
            _warn_of_many(limit, Count(row.failures, now), now)
    session.flush()


def _expiry(limit: Limit, scope: AttemptScope, row: AttemptCount) -> datetime:
    """Return when all failures are forgiven; nothing that was made of an address is kept for longer than a day."""
    budget = limit.budget_of(scope)
    forgiven = row.failures * budget.forgiven_each if budget else timedelta(0)
    return row.counted_at + min(LONGEST_KEPT, forgiven)


def _new_row(session: Session, limit: Limit, scope: AttemptScope, key: str, now: datetime) -> AttemptCount:
    values = {
        "key": key,
        "action": limit.action,
        "scope": scope,
        "failures": 0.0,
        "counted_at": now,
        "promised_at": None,
        "expires_at": now + LONGEST_KEPT,
    }
    insert_once(session, cast(Table, AttemptCount.__table__), values)
    return session.get_one(AttemptCount, key)


def _free_row(session: Session, key: str) -> AttemptCount | None:
    """Return the row that the whole city shares, or None while another counts there.

    While many come at once, some are not counted in it: it is there to notice thousands.
    """
    free = select(AttemptCount).filter_by(key=key).with_for_update(skip_locked=True)
    return session.scalar(free.execution_options(populate_existing=True))


def _promise(
    session: Session,
    limit: Limit,
    key: str,
    rows: Mapping[AttemptScope, AttemptCount],
    promised_at: datetime,
    *,
    now: datetime,
) -> None:
    row = rows.get(AttemptScope.LINE) or _new_row(session, limit, AttemptScope.LINE, key, now)
    row.promised_at = promised_at
    row.expires_at = max(row.expires_at, promised_at + PROMISE_LIFETIME)
    session.flush()


def _warn_of_many(limit: Limit, count: Count, now: datetime) -> None:
    if is_slowed(limit, AttemptScope.EVERYWHERE, {AttemptScope.EVERYWHERE: count}, now=now):
        log_event(LogEvent.MANY_TRIES_FAILED, level=logging.WARNING, action=limit.action)
