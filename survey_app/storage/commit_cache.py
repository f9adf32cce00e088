"""Read cache invalidated by commits."""

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Protocol, TypeVar, cast, runtime_checkable

from sqlalchemy.orm import Session

from survey_app.storage.database import Database

_Found = TypeVar("_Found")

# Keys share turns, as few as are seldom wanted by two at once.
_TURNS = 64
_SECONDS_FOR_A_TURN = 1.0

MOST_ENTRIES = 1024
MOST_BYTES = 32 * 2**20


@runtime_checkable
class Sizeable(Protocol):
    """A value that says how much memory it takes; others take next to none."""

    @property
    def size_in_bytes(self) -> int:
        """Its size."""


class CommitCache:
    """Cache of database reads, valid until somebody commits what they may depend on, and for a second at most.

    On SQLite a commit of anyone, in this process or another, changes a number that costs a few microseconds to read: a
    revoked code is refused at once, and a hundred phones at one poster cost one read of the tables. The second is for
    what changes by the clock alone. PostgreSQL has no such number: there a commit of this process is seen at once, and
    one of another process within a second.

    So what is cached may be a second old: the pages that are shown, and the questions by which answers are checked.
    What is stored rests on nothing that is: whoever stores checks in the same transaction what may have changed. Two
    kinds of commits are not seen, since nothing cached depends on them: the rows of `Writer.insert_once`, and others
    that say so (`Database.writing`).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: dict[Hashable, tuple[tuple[int, int], object]] = {}
        self._kept_bytes = 0
        self._turns = [Lock() for _ in range(_TURNS)]

    def get_or_read(self, key: Hashable, read: Callable[[Session], _Found]) -> _Found:
        """Return the cached value of a key, or what `read` finds; `key` says all it depends on besides the database."""
        turn = self._turns[hash(key) % _TURNS]
        # A crowd that asks for the same reads it once: the others wait for the first, but not long where it is stuck.
        has_turn = turn.acquire(timeout=_SECONDS_FOR_A_TURN)
        try:
            # Taken before reading: a commit meanwhile makes the value stale at once, never fresh for too long.
            version = self._version()
            cached = self._found.get(key)
            if cached is not None and cached[0] == version:
                return cast(_Found, cached[1])
            with self._database.reading_autocommit() as session:
                found = read(session)
            if version is not None:
                self._keep(key, version, found)
            return found
        finally:
            if has_turn:
                turn.release()

    def _keep(self, key: Hashable, version: tuple[int, int], found: object) -> None:
        """Keep a value; what a stranger chooses, such as an address, must not fill the memory however long it is."""
        size = len(str(key)) + (found.size_in_bytes if isinstance(found, Sizeable) else 0)
        if len(self._found) >= MOST_ENTRIES or self._kept_bytes + size > MOST_BYTES:
            self._found.clear()
            self._kept_bytes = 0
        self._kept_bytes += size
        self._found[key] = (version, found)

    def cached_value(self, key: Hashable) -> object | None:
        """Return the cached value of a key, or None if it would have to be read."""
        cached = self._found.get(key)
        return cached[1] if cached is not None and cached[0] == self._version() else None

    def _version(self) -> tuple[int, int] | None:
        commits = self._database.version()
        return None if commits is None else (commits, int(time.monotonic()))
