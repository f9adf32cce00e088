"""Short transactions for work on many rows: so many rows in each that whoever sends a form hardly waits for it."""

import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from survey_app.storage.database import Database

_Row = TypeVar("_Row")

# How long a transaction is to take. On a busy machine or a slow disk one now and then takes some times as long.
WANTED_SECONDS: Final = 0.03
MOST_ROWS: Final = 500
# However long it took: a commit costs as much as so many rows, and with fewer the work would never end.
FEWEST_ROWS: Final = 25
_ROWS_READ_AT_ONCE: Final = 10_000


class ShortTransactions:
    """Transactions that each take the rows that the time of the one before allows for, `most` of them at most.

    Whoever is killed between two of them has done part of the work, and finds the rest when it looks again.
    """

    def __init__(self, database: Database, *, most: int = MOST_ROWS) -> None:
        self._database = database
        self._most = most
        self._size = min(FEWEST_ROWS, most)

    def parts(self, rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
        """Yield rows part by part, each as large as its transaction should be."""
        done = 0
        while done < len(rows):
            part = rows[done : done + self._size]
            done += len(part)
            yield part

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open the transaction of a part; how long it holds its locks decides how large the next one is."""
        with self._database.writing(is_one_of_many=True) as session:
            began = time.perf_counter()
            yield session
        self._size = next_size(self._size, time.perf_counter() - began, most=self._most)


def next_size(size: int, seconds: float, *, most: int = MOST_ROWS) -> int:
    """Return how many rows the next transaction takes, after one of `size` rows that took so long.

    >>> next_size(400, 0.12), next_size(200, 0.01), next_size(60, 9), next_size(400, 0.01)
    (100, 400, 25, 500)
    """
    allowed = int(size * WANTED_SECONDS / max(seconds, WANTED_SECONDS / 2))
    return min(max(FEWEST_ROWS, allowed), most)


def read_ids(database: Database, statement: Select[Any]) -> Sequence[int]:
    """Return the ids that a select finds, in its order; a million of them take 8 MB."""
    with database.reading() as session:
        found = session.scalars(statement.execution_options(yield_per=_ROWS_READ_AT_ONCE))
        return array("q", found)
