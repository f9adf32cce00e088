"""The queue of background jobs, for those who want work done: enqueue, find, list and cancel jobs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json
from survey_app.errors import JiayuanError
from survey_app.models import Job
from survey_app.models.jobs import OPEN_STATUSES
from survey_app.models.vocabulary import JobStatus
from survey_app.storage.insert_once import insert_once

_JOB_TABLE: Final = cast(Table, Job.__table__)


class UnknownJob(JiayuanError):
    """There is no such job, or it was erased since it ended long ago."""

    status = 404

    def __init__(self, job_id: int) -> None:
        super().__init__(f"there is no job {job_id}")
        self.job_id = job_id


class JobEnded(JiayuanError):
    """The job has ended: there is nothing left to cancel."""

    status = 409

    def __init__(self, job_id: int, job_status: str) -> None:
        super().__init__(f"job {job_id} is {job_status} already")
        self.job_id, self.job_status = job_id, job_status


def enqueue(
    session: Session,
    *,
    kind: str,
    arguments: Mapping[str, object],
    by: str,
    now: datetime,
    due_at: datetime | None = None,
    key: str | None = None,
) -> int:
    """Put a job into the queue, in the transaction of what asks for it, and return its id.

    While a job of this kind and `key` is open, nothing is added and the id of that job is returned. `arguments` hold
    ids and choices, nothing that somebody typed about a person.
    """
    values = {
        "kind": kind,
        "key": key,
        "arguments": canonical_json(dict(arguments)),
        "enqueued_by": by,
        "enqueued_at": now,
        "due_at": due_at or now,
    }
    if key is None:
        job = Job(**values)
        session.add(job)
        session.flush()
        return job.id
    while True:
        insert_once(session, _JOB_TABLE, values)
        open_id = session.scalar(select(Job.id).filter_by(kind=kind, key=key).where(Job.status.in_(OPEN_STATUSES)))
        # None on PostgreSQL, when the job that was in the way has ended in between.
        if open_id is not None:
            return open_id


def cancel_job(session: Session, *, job_id: int, by: str, now: datetime) -> None:
    """Cancel a queued job at once; ask a running one to stop, which it does at its next report of progress.

    Raises `UnknownJob`, or `JobEnded` when there is nothing left to cancel.
    """
    job = session.get(Job, job_id, with_for_update=True)
    if job is None:
        raise UnknownJob(job_id)
    if job.status not in OPEN_STATUSES:
        raise JobEnded(job_id, job.status)
    if job.cancel_requested_at is None:
        job.cancelled_by, job.cancel_requested_at = by, now
    if job.status == JobStatus.QUEUED:
        job.status, job.ended_at = JobStatus.CANCELLED, now


def find_job(session: Session, *, job_id: int) -> Job:
    """Return a job with its progress and its result, or raise `UnknownJob`."""
    job = session.get(Job, job_id)
    if job is None:
        raise UnknownJob(job_id)
    return job


def list_jobs(
    session: Session, *, kinds: Sequence[str], by: str | None = None, limit: int, offset: int = 0
) -> Sequence[Job]:
    """Return jobs of some kinds, the newest first; only those that one actor asked for, if `by` names one."""
    statement = select(Job).where(Job.kind.in_(kinds))
    if by is not None:
        statement = statement.filter_by(enqueued_by=by)
    return session.scalars(statement.order_by(Job.id.desc()).limit(limit).offset(offset)).all()
