"""Group commit of what residents send: on SQLite one thread commits many rows at once, on PostgreSQL each request."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from threading import Condition, Lock, Thread
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from sqlalchemy import Table
from sqlalchemy.orm import Session

from survey_app.errors import WriterBusy
from survey_app.storage.database import Database
from survey_app.storage.insert_once import insert_all_once, insert_once

_Outcome = TypeVar("_Outcome")

Rows: TypeAlias = Sequence[Mapping[str, Any]]


def take_all(_session: Session, rows: Rows) -> Sequence[bool]:
    """Say of every row that it holds."""
    return [True] * len(rows)


def change_nothing(_session: Session, _rows: Rows) -> Callable[[Rows], None]:
    """Return what does nothing with the rows that were inserted."""
    return lambda _inserted: None


@dataclass(frozen=True)
class Insertion:
    """How rows of a table are inserted that come one by one from many requests.

    `check` says of each row whether what it rests on still holds, since that may have been read before. `prepare` looks
    at what the others will change, and returns what is called with those that were inserted. Both, like the rows
    themselves, in one transaction, and for many at a time.
    """

    table: Table
    check: Callable[[Session, Rows], Sequence[bool]] = take_all
    prepare: Callable[[Session, Rows], Callable[[Rows], None]] = change_nothing


# How long one commit may take before those who find no place are turned away at once. Until then they wait for one,
# and would otherwise hold the threads that the bound keeps free for pages.
QUEUE_TIMEOUT_SECONDS = 2.0
# How long a group gathers while phones come in numbers. A commit costs the processor as much as the work for ten rows:
# with this pause it is shared by more of them, and a submit takes half of the processor's time. Whoever comes alone
# waits for nobody.
GROUP_WINDOW_SECONDS = 0.01


class Writer:
    """Group-commit writer: runs jobs that write and gives their outcomes only after COMMIT.

    A commit of SQLite waits for the disk and lets one writer in at a time, so that phones which commit one by one
    stand in a long queue without an order. Once started, this writer has a thread that takes all who wait into one
    transaction, each behind a savepoint. Not started (in commands and tests), or on PostgreSQL, which commits many at
    once by itself, each job is a transaction in the thread that asks for it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._work, self._room = Condition(self._lock), Condition(self._lock)
        self._waiting: list[_Entry[object]] = []
        self._unfinished = 0
        self._most_unfinished = 0
        self._began_at = 0.0
        self._is_crowded = False
        self._is_stopping = False
        self._thread: Thread | None = None

    def start(self, *, max_pending: int) -> None:
        """Start to commit in groups; call it in the process that serves, since a thread does not survive a fork.

        At most `max_pending` requests wait here at once: fewer than the server has threads, so that pages are
        served even while the disk stands still.
        """
        if self._database.is_postgresql or self._is_running:
            return
        self._most_unfinished, self._is_stopping = max_pending, False
        self._thread = Thread(target=self._run_thread, name="writer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Commit what is waiting and end the thread; whoever comes later commits without it."""
        with self._lock:
            thread, self._is_stopping = self._thread, True
            self._work.notify()
        if thread is not None:
            thread.join()
        self._thread = None

    def insert_once(self, insertion: Insertion, values: Mapping[str, Any]) -> bool:
        """Insert one row unless a unique value of it is taken, and say whether it was inserted, once that is committed.

        Nothing that is cached may depend on such rows: what one crowd sends leaves the pages of the next in the cache.
        The rows of all who wait go into one statement: each statement releases the interpreter lock, and to get it back
        from threads that are busy with pages takes longer than the statement.
        """
        row = _Row(insertion, values)
        return self._run(partial(_insert_row, row=row), row)

    def run(self, job: Callable[[Session], _Outcome]) -> _Outcome:
        """Run `job` in a transaction, and return what it returned once that is committed.

        What it raises leaves nothing of it behind and nobody else's work undone. `WriterBusy` when too many wait.
        """
        return self._run(job, None)

    def _run(self, job: Callable[[Session], _Outcome], row: "_Row | None") -> _Outcome:
        entry = self._enter(job, row)
        if entry is None:
            with self._database.writing(keeps_version=row is not None) as session:
                return job(session)
        return entry.reply.result()

    @property
    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _enter(self, job: Callable[[Session], _Outcome], row: "_Row | None") -> "_Entry[_Outcome] | None":
        """Queue a job for the thread, or return None if there is no thread."""
        with self._lock:
            if self._unfinished >= self._most_unfinished and self._is_running:
                patience = self._began_at + QUEUE_TIMEOUT_SECONDS - time.monotonic()
                self._room.wait_for(lambda: self._unfinished < self._most_unfinished, patience)
            if self._is_stopping or not self._is_running:
                return None
            if self._unfinished >= self._most_unfinished:
                raise WriterBusy(self._unfinished)
            entry = _Entry(job, row)
            self._waiting.append(cast("_Entry[object]", entry))
            self._unfinished += 1
            # The first wakes the thread, and so does the one that takes the last place; others need not.
            if len(self._waiting) in {1, self._most_unfinished}:
                self._work.notify()
            return entry

    def _run_thread(self) -> None:
        while group := self._next_group():
            self._write(group)

    def _next_group(self) -> "Sequence[_Entry[object]]":
        """Return all entries that wait, once a group has gathered; none when the writer is to stop."""
        with self._lock:
            self._work.wait_for(lambda: self._waiting or self._is_stopping)
            if self._is_crowded:
                self._work.wait_for(self._is_complete, GROUP_WINDOW_SECONDS)
            group, self._waiting = self._waiting, []
            self._is_crowded = len(group) > 1
            self._began_at = time.monotonic()
            return group

    def _is_complete(self) -> bool:
        return len(self._waiting) >= self._most_unfinished or self._is_stopping

    def _write(self, group: "Sequence[_Entry[object]]") -> None:
        """Commit what a group wants to write, then tell each entry its outcome."""
        self._commit(group)
        with self._lock:
            self._unfinished -= len(group)
            self._room.notify(len(group))
        for entry in group:
            entry.finish()

    def _commit(self, group: "Sequence[_Entry[object]]") -> None:
        has_begun = False
        try:
            with self._database.writing(keeps_version=all(entry.row is not None for entry in group)) as session:
                has_begun = True
                _insert_rows(session, group)
                for entry in group:
                    if entry.row is None:
                        entry.attempt(session)
        except Exception as error:  # noqa: BLE001 (whatever it is, it belongs to those who wait)
            if has_begun and len(group) > 1:
                # Something cost all of them their transaction, such as one row too large for what is left of the disk:
                # each is tried by itself, so that none fails for another's sake.
                for entry in group:
                    self._commit([entry])
            else:
                for entry in group:
                    entry.error = entry.error or error


class _Row(NamedTuple):
    """Row that an entry inserts, where that is all it does."""

    insertion: Insertion
    values: Mapping[str, Any]


class _Entry(Generic[_Outcome]):
    """Job and what becomes of it."""

    def __init__(self, job: Callable[[Session], _Outcome], row: "_Row | None") -> None:
        self.job, self.row = job, row
        self.reply: Future[_Outcome] = Future()
        self.outcome: _Outcome | None = None
        self.error: Exception | None = None

    def attempt(self, session: Session) -> None:
        """Run the job behind a savepoint, so that its failure is its own.

        In plain statements: a nested transaction of SQLAlchemy costs twice as much as the row. What is raised here has
        cost the whole transaction.
        """
        connection = session.connection()
        connection.exec_driver_sql("SAVEPOINT entry")
        try:
            self.outcome, self.error = self.job(session), None
            session.flush()
        except Exception as error:  # noqa: BLE001 (whatever it is, it belongs to the one who waits)
            self.error = error
            session.expunge_all()
            connection.exec_driver_sql("ROLLBACK TO entry")
        connection.exec_driver_sql("RELEASE entry")

    def finish(self) -> None:
        """Wake the thread that waits for this entry."""
        if self.error is not None:
            self.reply.set_exception(self.error)
        else:
            self.reply.set_result(cast(_Outcome, self.outcome))


def _insert_rows(session: Session, group: "Sequence[_Entry[object]]") -> None:
    """Insert the rows of those entries of a group that are nothing else, one statement for each way to insert."""
    by_insertion: dict[Insertion, list[tuple[_Entry[object], Mapping[str, Any]]]] = {}
    for entry in group:
        if entry.row is not None:
            by_insertion.setdefault(entry.row.insertion, []).append((entry, entry.row.values))
    for insertion, rows in by_insertion.items():
        outcomes = _insert(session, insertion, [values for _entry, values in rows])
        for (entry, _values), is_inserted in zip(rows, outcomes, strict=True):
            entry.outcome, entry.error = is_inserted, None


def _insert_row(session: Session, *, row: _Row) -> bool:
    return _insert(session, row.insertion, [row.values])[0]


def _insert(session: Session, insertion: Insertion, rows: Rows) -> list[bool]:
    """Insert the rows that hold and whose unique values are not taken, and say of each whether it was inserted."""
    held = insertion.check(session, rows)
    to_insert = [row for row, holds in zip(rows, held, strict=True) if holds]
    if not to_insert:
        return [False] * len(rows)
    finish = insertion.prepare(session, to_insert)
    if len(to_insert) == 1:
        outcomes = [insert_once(session, insertion.table, to_insert[0])]
    else:
        outcomes = insert_all_once(session, insertion.table, to_insert)
    finish([row for row, is_inserted in zip(to_insert, outcomes, strict=True) if is_inserted])
    inserted = iter(outcomes)
    return [holds and next(inserted) for holds in held]
