"""Number that changes when somebody commits, by which a cache tells that what it holds may be stale."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol


class CommitVersion(Protocol):
    """Number that changes with commits; it cannot be compared with that of another process."""

    def current(self) -> int | None:
        """Return the number, or None while the database cannot be asked: whatever is read next says why."""

    @contextmanager
    def changed(self) -> Iterator[None]:
        """Enclose a transaction of this process after which the number is another."""

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Enclose the commit of a transaction of this process after which nothing that is cached is stale."""

    def close(self) -> None:
        """Close what it was asked through."""


class SQLiteVersion:
    """Version that changes with every commit of anyone, in this process or another.

    SQLite's own data version tells of a commit, but not of whose. What other transactions commit cannot lie between
    the beginning and the end of one that holds the write lock: so the change that it sees at the end is its own.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Lock()
        # It only reads, since SQLite does not tell a connection of its own commits.
        self._connection: sqlite3.Connection | None = None
        self._seen: int | None = None
        self._number = 0
        self._is_kept = False

    def current(self) -> int | None:
        """Return the number; asking takes a few microseconds."""
        with self._lock:
            return self._number if self._is_kept or self._look() else None

    @contextmanager
    def changed(self) -> Iterator[None]:
        """Enclose a transaction; SQLite tells of it by itself."""
        yield

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Enclose the commit of a transaction that holds the write lock and leaves nothing stale."""
        with self._lock:
            self._is_kept = self._look()
        try:
            yield
        finally:
            with self._lock:
                if self._is_kept:
                    self._is_kept, self._seen = False, self._ask()

    def close(self) -> None:
        """Close the connection; it is opened again when it is needed."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _look(self) -> bool:
        """Change the number if anybody has committed, and return whether that could be told."""
        seen = self._ask()
        if seen is None:
            return False
        if seen != self._seen:
            self._number, self._seen = self._number + 1, seen
        return True

    def _ask(self) -> int | None:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
                # The numbers of two connections cannot be compared.
                self._seen = None
            (seen,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return None
        return int(seen)


class ProcessVersion:
    """Version that changes with commits of this process alone: PostgreSQL has no number that tells of all of them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._number = 0

    def current(self) -> int:
        """Return the number."""
        return self._number

    @contextmanager
    def changed(self) -> Iterator[None]:
        """Enclose a transaction, also one of which nobody knows whether it was committed."""
        try:
            yield
        finally:
            with self._lock:
                self._number += 1

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Enclose a transaction that leaves nothing stale."""
        yield

    def close(self) -> None:
        """Do nothing: there is no connection."""
