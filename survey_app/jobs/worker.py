"""Worker that runs background jobs, one after another; any number of processes may have one."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from analytics.canonical import canonical_json
from survey_app.jobs.handlers import JobKind, RunningJob
from survey_app.jobs.leases import JobCancelled, Lease, LeaseLost, fail_job, finish_job, has_due_job, lease_job
from survey_app.log_events import LogEvent, log_event
from survey_app.storage.database import Database

SECONDS_BETWEEN_LOOKS: Final = 2.0
# The database may be restarting.
SECONDS_AFTER_FAILURE: Final = 60.0


@dataclass(frozen=True)
class Worker:
    """Runs jobs of the kinds that it is given; `plan` enqueues what recurs and is called before each look."""

    database: Database
    kinds: Sequence[JobKind]
    clock: Callable[[], datetime]
    plan: Callable[[Database, datetime], None] | None = None

    def keep_running(self, wait: Callable[[float], bool]) -> None:
        """Run jobs as they fall due, as long as `wait`, which is given seconds, says to go on."""
        while wait(self._look()):
            pass

    def run_due_jobs(self) -> list[str]:
        """Run jobs until none is due, and return the kinds of those that were begun."""
        return list(iter(self.run_next_job, None))

    def run_next_job(self) -> str | None:
        """Run the job that is due first and return its kind, or None when nothing is due."""
        now = self.clock()
        if self.plan is not None:
            self.plan(self.database, now)
        lease = self._lease(now)
        if lease is None:
            return None
        self._run(lease)
        return lease.kind

    def _look(self) -> float:
        """Run the job that is due first, and return how many seconds to wait for the next."""
        try:
            return SECONDS_BETWEEN_LOOKS if self.run_next_job() is None else 0.0
        except Exception as error:  # noqa: BLE001 (whatever it is, the next look may succeed)
            log_event(LogEvent.JOBS_FAILED, raised=error)
            return SECONDS_AFTER_FAILURE

    def _lease(self, now: datetime) -> Lease | None:
        terms = {kind.name: kind.terms for kind in self.kinds}
        with self.database.reading() as session:
            # On SQLite a look that writes would hold up those who submit answers.
            if not has_due_job(session, terms=terms, now=now):
                return None
        with self.database.writing() as session:
            return lease_job(session, terms=terms, now=now)

    def _run(self, lease: Lease) -> None:
        try:
            self._end(lease, *self._attempt(lease))
        except LeaseLost:
            log_event(LogEvent.JOB_LOST, level=logging.WARNING, job=lease.kind)

    def _attempt(self, lease: Lease) -> tuple[str | None, Exception | None]:
        """Return the result of the handler, or what it raised."""
        kind = next(kind for kind in self.kinds if kind.name == lease.kind)
        job = RunningJob(self.database, lease, clock=self.clock)
        try:
            result = kind.run(self.database, job, self.clock())
            return None if result is None else canonical_json(result), None
        except (JobCancelled, LeaseLost) as error:
            return None, error
        except Exception as error:  # noqa: BLE001 (whatever it is, other jobs are still run)
            log_event(LogEvent.JOB_FAILED, raised=error, job=lease.kind)
            return None, error

    def _end(self, lease: Lease, result: str | None, error: Exception | None) -> None:
        with self.database.writing() as session:
            if error is None:
                finish_job(session, lease=lease, result=result, now=self.clock())
            else:
                fail_job(session, lease=lease, error=error, now=self.clock())
