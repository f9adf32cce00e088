"""How far a background job is, for the page that follows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from survey_app.models import Job
from survey_app.models.jobs import OPEN_STATUSES
from survey_app.models.vocabulary import JobStatus

# The process for background work looks for jobs every other second.
_LONG_WAIT: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Progress:
    """What a job does, and how much of it is done, in percent; it may wait for its turn, and strangely long."""

    stage: str
    done: int
    is_queued: bool
    waits_long: bool


def progress_of(job: Job, *, now: datetime) -> Progress | None:
    """Return how far an open job is; None when it has ended. Its handler reports percents."""
    if job.status not in OPEN_STATUSES:
        return None
    is_queued = job.status == JobStatus.QUEUED
    done = 0 if is_queued else job.progress_done
    return Progress(job.stage, done, is_queued, waits_long=is_queued and now - job.due_at > _LONG_WAIT)
