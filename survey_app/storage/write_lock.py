"""Whose turn it is to write into a SQLite file: one after another, in all processes."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from survey_app.errors import DatabaseBusy

_SECONDS_BETWEEN_LOOKS = 0.002


@contextmanager
def turn_to_write(database: Path, *, patience_seconds: float) -> Iterator[None]:
    """Hold the turn until the block ends; `DatabaseBusy` if it does not come in time.

    SQLite itself keeps no order: whoever waits for its lock looks now and then whether it is free, every tenth of a
    second at last, and four busy processes let one of them wait for seconds. Here one waits at the door and the others
    behind it, so that who has just written cannot be first again.
    """
    deadline = time.monotonic() + patience_seconds
    with ExitStack() as turn:
        with _locked(database.with_name(f"{database.name}-door"), deadline):
            turn.enter_context(_locked(database.with_name(f"{database.name}-turn"), deadline))
        yield


@contextmanager
def _locked(path: Path, deadline: float) -> Iterator[None]:
    # Opened anew each time, since a lock belongs to what was opened: threads of one process exclude each other too.
    with path.open("ab") as file:
        while not _try_to_lock(file):
            if time.monotonic() > deadline:
                raise DatabaseBusy
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        yield


def _try_to_lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
