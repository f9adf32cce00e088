"""Leases on background jobs: who may run a job, until when, and what becomes of it.

A lease carries a token. When it runs out, the job is given to somebody else under another token, and whoever comes late
with the old one is refused.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from survey_app.errors import JiayuanError
from survey_app.models import Job
from survey_app.models.vocabulary import JobStatus

# Whatever was to happen later than this was noted by a clock that was ahead. Hosts of one database may differ by less.
CLOCK_TOLERANCE: Final = timedelta(days=1)
_TOKEN_BYTES: Final = 16


class LeaseLost(JiayuanError):
    """The lease ran out and the job was given to somebody else, or it was ended."""

    status = 409

    def __init__(self, job_id: int) -> None:
        super().__init__(f"the lease on job {job_id} is lost")
        self.job_id = job_id


class JobCancelled(JiayuanError):
    """Somebody asked for the job to stop."""

    status = 409

    def __init__(self, job_id: int) -> None:
        super().__init__(f"job {job_id} is to stop")
        self.job_id = job_id


@dataclass(frozen=True)
class LeaseTerms:
    """How long a lease lasts without a report of progress, how often a job is tried, and the first delay in between.

    Each further delay is twice the one before. A worker that died is noticed when its lease runs out, and the job is
    tried again at once then.
    """

    lasts: timedelta = timedelta(minutes=10)
    attempts: int = 3
    first_delay: timedelta = timedelta(minutes=1)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.lasts <= CLOCK_TOLERANCE:
            raise ValueError(f"a lease must last for some time up to {CLOCK_TOLERANCE}, got {self.lasts}")
        if self.attempts < 1:
            raise ValueError(f"attempts must be 1 or more, got {self.attempts}")

    def delay_after(self, attempt: int) -> timedelta:
        """Return how long a job waits after its first, second, … failed attempt."""
        return self.first_delay * 2.0 ** (attempt - 1)


@dataclass(frozen=True)
class Lease:
    """The right to run one job, and what there is to know about it."""

    job_id: int
    token: str
    kind: str
    terms: LeaseTerms
    arguments: Mapping[str, Any]
    by: str
    attempt: int


def has_due_job(session: Session, *, terms: Mapping[str, LeaseTerms], now: datetime) -> bool:
    """Return whether there is something for `lease_job` to do: to look takes no lock."""
    return session.scalar(_due(terms, now=now)) is not None


def lease_job(session: Session, *, terms: Mapping[str, LeaseTerms], now: datetime) -> Lease | None:
    """Lease the job of these kinds that is due first, or return None.

    Jobs whose worker died are taken up again; those that it leaves cancelled or without an attempt are ended here.
    """
    statement = _due(terms, now=now).with_for_update(skip_locked=True)
    while (job := session.scalar(statement)) is not None:
        if job.cancel_requested_at is not None:
            _end(job, JobStatus.CANCELLED, now=now)
        elif job.attempts >= terms[job.kind].attempts:
            job.failure = LeaseLost.__name__
            _end(job, JobStatus.FAILED, now=now)
        else:
            return _give(job, terms[job.kind], now=now)
    return None


def require_lease(session: Session, *, lease: Lease) -> Job:
    """Return the leased job, which nobody else can be given until the transaction ends, or raise `LeaseLost`."""
    job = session.scalar(select(Job).filter_by(id=lease.job_id, lease_token=lease.token).with_for_update())
    if job is None:
        raise LeaseLost(lease.job_id)
    return job


def report_progress(session: Session, *, lease: Lease, done: int, total: int | None, stage: str, now: datetime) -> bool:
    """Store how far a job is, renew its lease, and return whether it may go on: False when it was cancelled."""
    job = require_lease(session, lease=lease)
    job.progress_done, job.progress_total, job.stage = done, total, stage
    job.leased_until = now + lease.terms.lasts
    return job.cancel_requested_at is None


def finish_job(session: Session, *, lease: Lease, result: str | None, now: datetime) -> None:
    """End a job as done, with its result in canonical JSON, or raise `LeaseLost`."""
    job = require_lease(session, lease=lease)
    job.result, job.failure = result, None
    _end(job, JobStatus.DONE, now=now)


def fail_job(session: Session, *, lease: Lease, error: Exception, now: datetime) -> None:
    """Queue a job for another attempt, or end it when there is none left or it was cancelled; may raise `LeaseLost`."""
    job = require_lease(session, lease=lease)
    if job.cancel_requested_at is not None:
        _end(job, JobStatus.CANCELLED, now=now)
        return
    job.failure = type(error).__name__
    if lease.attempt >= lease.terms.attempts:
        _end(job, JobStatus.FAILED, now=now)
    else:
        job.due_at = now + lease.terms.delay_after(lease.attempt)
        _release(job, JobStatus.QUEUED)


def _due(terms: Mapping[str, LeaseTerms], *, now: datetime) -> Select[Job]:
    ahead = now + CLOCK_TOLERANCE
    is_queued = and_(Job.status == JobStatus.QUEUED, or_(Job.due_at <= now, Job.enqueued_at > ahead))
    is_abandoned = and_(Job.status == JobStatus.RUNNING, or_(Job.leased_until <= now, Job.leased_until > ahead))
    statement = select(Job).where(Job.kind.in_(terms), or_(is_queued, is_abandoned))
    return statement.order_by(Job.due_at, Job.id).limit(1)


def _give(job: Job, terms: LeaseTerms, *, now: datetime) -> Lease:
    job.status, job.begun_at, job.attempts = JobStatus.RUNNING, now, job.attempts + 1
    job.lease_token, job.leased_until = secrets.token_urlsafe(_TOKEN_BYTES), now + terms.lasts
    job.progress_done, job.progress_total, job.stage = 0, None, ""
    return Lease(
        job_id=job.id,
        token=job.lease_token,
        kind=job.kind,
        terms=terms,
        arguments=json.loads(job.arguments),
        by=job.enqueued_by,
        attempt=job.attempts,
    )


def _end(job: Job, status: JobStatus, *, now: datetime) -> None:
    job.ended_at = now
    _release(job, status)


def _release(job: Job, status: JobStatus) -> None:
    job.status, job.lease_token, job.leased_until = status, None, None
