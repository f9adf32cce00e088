"""Fair cross-process write lock of a SQLite file."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from survey_app.errors import DatabaseBusy
from survey_app.private_files import open_private

_POLL_SECONDS = 0.002
# What the two files of the lock add to the name of the database.
LOCK_SUFFIXES = ("-write-queue", "-write-lock")


@contextmanager
def hold_write_lock(database: Path, *, timeout_seconds: float) -> Iterator[None]:
    """Hold the write lock until the block ends; `DatabaseBusy` if it cannot be had in time.

    SQLite's own lock is not fair: whoever waits for it looks now and then whether it is free, every tenth of a second
    at last, and four busy processes let one of them wait for seconds. Here one waits for the lock and the others wait
    behind it, so that a process which has just written cannot be first again. What keeps two transactions apart is
    SQLite's lock all the same: a process that does not know these files, or knows them by other names, is only unfair.
    """
    deadline = time.monotonic() + timeout_seconds
    queue, lock = (database.with_name(f"{database.name}{suffix}") for suffix in LOCK_SUFFIXES)
    with ExitStack() as held:
        with _locked(queue, deadline):
            held.enter_context(_locked(lock, deadline))
        yield


@contextmanager
def _locked(path: Path, deadline: float) -> Iterator[None]:
    # Opened anew each time, since a lock belongs to an open file: threads of one process exclude each other too.
    with open(path, "ab", opener=open_private) as file:
        while not _try_to_lock(file):
            if time.monotonic() > deadline:
                raise DatabaseBusy
            time.sleep(_POLL_SECONDS)
        yield


def _try_to_lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
