"""Attempt limits per account, case or code, kept in the database, against guessing.

Never per network address: a carrier puts a whole neighbourhood behind one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from survey_app.errors import JiayuanError
from survey_app.models import Attempt
from survey_app.security.digests import keyed_digest
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit
from survey_app.storage.database import Database

# Expired rows that one try clears away: more than it adds, so that the table never grows beyond what still counts.
_PURGED_AT_ONCE = 100


@dataclass(frozen=True)
class Limit:
    """Limit: in no span of `window` may `action` be tried more than `tries` times on the same subject."""

    action: str
    tries: int
    window: timedelta


class TooManyAttempts(JiayuanError):
    """The attempt limit is reached; from `retry_at` on there is another try."""

    status = 429
    page = "errors/too_many_attempts.html"

    def __init__(self, action: str, *, retry_at: datetime, now: datetime) -> None:
        super().__init__(f"too many tries of {action}: again at {retry_at}")
        self.retry_at = retry_at
        seconds = max(1, ceil((retry_at - now).total_seconds()))
        self.minutes = ceil(seconds / 60)
        self.headers = {"Retry-After": str(seconds)}


def count_attempt(database: Database, *, limit: Limit, subject: str, secret_key: str, now: datetime) -> None:
    """Count an attempt before it is made, or raise `TooManyAttempts`.

    It takes the database, not a session: the count is committed here, before the secret is looked at. Counted in the
    caller's transaction it would be rolled back together with the refusal, and counted only after a failure, tries
    that arrive together would all pass. A refused try does not count, so nobody is kept out for longer by retrying.

    The caller forgets the tries when one succeeded, so that only failures add up.
    """
    digest = _digest(limit, subject, secret_key)
    with database.writing() as session:
        # Tries on one subject pass one after the other.
        lock_until_commit(session, AdvisoryLock.ATTEMPT, of=int.from_bytes(bytes.fromhex(digest)[:8], signed=True))
        _purge(session, now)
        counting = select(func.count(), func.min(Attempt.expires_at)).filter_by(action=limit.action, subject=digest)
        tries, first_expires_at = session.execute(counting.where(Attempt.expires_at > now)).one()
        if tries >= limit.tries:
            raise TooManyAttempts(limit.action, retry_at=first_expires_at, now=now)
        session.add(Attempt(action=limit.action, subject=digest, attempted_at=now, expires_at=now + limit.window))


def reset_attempts(session: Session, *, limit: Limit, subject: str, secret_key: str) -> None:
    """Reset the count of attempts, in the transaction of what succeeded."""
    session.execute(delete(Attempt).filter_by(action=limit.action, subject=_digest(limit, subject, secret_key)))


def _digest(limit: Limit, subject: str, secret_key: str) -> str:
    return keyed_digest(f"{limit.action} {subject}", purpose="attempt", secret_key=secret_key)


def _purge(session: Session, now: datetime) -> None:
    # Locked rows are skipped: on PostgreSQL two purges that meet would otherwise wait for each other.
    expired = select(Attempt.id).where(Attempt.expires_at <= now).limit(_PURGED_AT_ONCE)
    session.execute(delete(Attempt).where(Attempt.id.in_(expired.with_for_update(skip_locked=True))))
