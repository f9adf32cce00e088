"""History of background jobs: when each kind last ran, and for how long ended jobs are kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from survey_app.models import Job
from survey_app.models.jobs import OPEN_STATUSES
from survey_app.models.vocabulary import JobStatus

JOBS_KEPT_FOR: Final = timedelta(days=30)


@dataclass(frozen=True)
class LastRun:
    """When a kind of job was last begun, last done, and when it failed if it has not been done since."""

    is_open: bool
    begun_at: datetime | None
    done_at: datetime | None
    failed_at: datetime | None


def last_runs(session: Session, *, kinds: Collection[str]) -> Mapping[str, LastRun]:
    """Return the last run of each kind that was ever enqueued."""
    newest = select(func.max(Job.id)).where(Job.kind.in_(kinds)).group_by(Job.kind, Job.status)
    found: dict[str, dict[str, Job]] = {}
    for job in session.scalars(select(Job).where(Job.id.in_(newest)).order_by(Job.id)):
        found.setdefault(job.kind, {})[job.status] = job
    return {kind: _last_run(jobs) for kind, jobs in found.items()}


def erase_finished_jobs(session: Session, *, now: datetime) -> int:
    """Erase jobs that ended long ago and return how many; of each kind the last one done stays, for pages to show."""
    last_done = select(func.max(Job.id)).filter_by(status=JobStatus.DONE).group_by(Job.kind)
    statement = delete(Job).where(Job.ended_at <= now - JOBS_KEPT_FOR, Job.id.not_in(last_done))
    return session.connection().execute(statement).rowcount


def _last_run(jobs: Mapping[str, Job]) -> LastRun:
    """Derive the last run of a kind from its newest job of each status, in the order in which they were enqueued."""
    done, failed = jobs.get(JobStatus.DONE), jobs.get(JobStatus.FAILED)
    if failed and done and failed.id < done.id:
        failed = None
    begun = [job.begun_at for job in jobs.values() if job.begun_at is not None]
    return LastRun(
        is_open=any(status in jobs for status in OPEN_STATUSES),
        # The last one begun, not the latest time: the clock may have been set back.
        begun_at=begun[-1] if begun else None,
        done_at=done.ended_at if done else None,
        failed_at=failed.begun_at if failed else None,
    )
