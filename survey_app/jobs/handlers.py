"""Kinds of background job: the function that does the work of a kind, and what it is given of its job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from survey_app.jobs.leases import JobCancelled, Lease, LeaseTerms, report_progress, require_lease
from survey_app.storage.database import Database

# Each report is a commit, which waits for the disk and on SQLite makes every process read anew what it keeps; that
# is kept for a second anyway.
TIME_BETWEEN_REPORTS: Final = timedelta(seconds=1)


class RunningJob:
    """A job while its handler works on it: what was asked for, and where to report progress."""

    def __init__(self, database: Database, lease: Lease, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._lease = lease
        self._clock = clock
        self._reported_at: datetime | None = None
        self._stage = ""

    @property
    def id(self) -> int:
        """The job's number."""
        return self._lease.job_id

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What was handed in when it was enqueued."""
        return self._lease.arguments

    @property
    def by(self) -> str:
        """Who asked for it."""
        return self._lease.by

    @property
    def attempt(self) -> int:
        """Which attempt this is, counted from 1."""
        return self._lease.attempt

    def report(self, done: int, total: int | None = None, *, stage: str = "") -> None:
        """Tell pages how far the job is, and keep its lease; it may be called for each small step.

        Call it outside of write transactions, since it opens one, and more often than the lease lasts. Raises
        `JobCancelled` when somebody asked for the job to stop, `LeaseLost` when it came too late. `stage` is a word of
        the handler's own.
        """
        now = self._clock()
        if not self._is_time_to_report(stage, now):
            return
        self._reported_at, self._stage = now, stage
        with self._database.writing() as session:
            goes_on = report_progress(session, lease=self._lease, done=done, total=total, stage=stage, now=now)
        if not goes_on:
            raise JobCancelled(self.id)

    def require_lease(self, session: Session) -> None:
        """Raise `LeaseLost` unless the job is still this worker's, until the transaction ends.

        Called in the transaction that stores what the job makes, it keeps a worker that was taken for dead from storing
        it a second time.
        """
        require_lease(session, lease=self._lease)

    def _is_time_to_report(self, stage: str, now: datetime) -> bool:
        last = self._reported_at
        return last is None or stage != self._stage or not last <= now < last + TIME_BETWEEN_REPORTS


@dataclass(frozen=True)
class JobKind:
    """One kind of job: its name in the table, its handler, and for how long and how often it is leased.

    The handler takes the database, its job and the time of the beginning. What it returns has a JSON form and is stored
    as the result. It may run twice for one job: when a worker dies, what it has committed is there.
    """

    name: str
    run: Callable[[Database, RunningJob, datetime], object]
    terms: LeaseTerms = field(default_factory=LeaseTerms)
