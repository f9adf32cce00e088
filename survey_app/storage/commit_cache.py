"""What was read from the database and is still so."""

import time
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from sqlalchemy.orm import Session

from survey_app.storage.database import Database

_Found = TypeVar("_Found")

MOST_REMEMBERED = 1024


class Memory:
    """Gives again what was read for as long as nobody has committed anything, and for a second at most.

    On SQLite a commit of anyone, in this process or another, shows in a number that costs a few microseconds to read:
    a revoked code is refused at once, and a hundred phones at one poster cost one look into the tables. The second is
    for what changes by the clock alone. PostgreSQL has no such number, so there everything is read anew.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: dict[Hashable, tuple[tuple[int, int], object]] = {}

    def recall(self, key: Hashable, read: Callable[[Session], _Found]) -> _Found:
        """Return what `read` finds; `key` says all that it depends on besides the database."""
        # Taken before reading: what is committed meanwhile makes the answer old at once, never new for too long.
        version = self._version()
        remembered = self._found.get(key)
        if remembered is not None and remembered[0] == version:
            return cast(_Found, remembered[1])
        with self._database.glancing() as session:
            found = read(session)
        if version is not None:
            if len(self._found) >= MOST_REMEMBERED:
                self._found.clear()
            self._found[key] = (version, found)
        return found

    def remembered(self, key: Hashable) -> object | None:
        """Return what would be given again, or None if it had to be read."""
        remembered = self._found.get(key)
        return remembered[1] if remembered is not None and remembered[0] == self._version() else None

    def _version(self) -> tuple[int, int] | None:
        commits = self._database.version()
        return None if commits is None else (commits, int(time.monotonic()))
