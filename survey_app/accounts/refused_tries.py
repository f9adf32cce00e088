"""Tries to sign in that were refused unheard, since their limit was used up: gathered, then told to the owners.

Such a try must write nothing, or whoever tries on and on would hold the lock that residents wait for. A process keeps
them and writes them together, once a minute at most and when the owner signs in there; a crash loses a minute of them.
"""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from survey_app.accounts.notices import tell_of_failed_sign_ins
from survey_app.storage.database import Database

TIME_BETWEEN_WRITES: Final = timedelta(minutes=1)
# Of all that somebody types as names; then they are written before their minute is over.
MOST_ACCOUNTS: Final = 1000
_LONGEST_NAME: Final = 200


class RefusedTries:
    """Refused tries of one process, by database and by the user name or id of an account."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str | int]] = defaultdict(Counter)
        self._written_at: dict[str, datetime] = {}
        self._lock = Lock()

    def add(self, database: Database, *, account: str | int, now: datetime) -> None:
        """Count a try at the account with this user name or id, if there is one; write what is due."""
        if isinstance(account, str) and len(account) > _LONGEST_NAME:
            return
        of = str(database.url)
        with self._lock:
            counts = self._counts[of]
            counts[account] += 1
            since = now - self._written_at.setdefault(of, now)
            # Either way: the clock may have been set back.
            is_due = abs(since) >= TIME_BETWEEN_WRITES or len(counts) >= MOST_ACCOUNTS
        if is_due:
            self.write(database, now=now)

    def write(self, database: Database, *, now: datetime) -> None:
        """Tell the owners of what was refused up to now."""
        of = str(database.url)
        with self._lock:
            self._written_at[of] = now
            taken = self._counts.pop(of, Counter())
        if taken:
            with database.writing() as session:
                # In one order: on PostgreSQL two processes could otherwise wait for each other.
                for account, count in sorted(taken.items(), key=str):
                    tell_of_failed_sign_ins(session, account=account, count=count, now=now)


REFUSED_TRIES: Final = RefusedTries()
