"""Background jobs: what is to be done, who asked for it, how far it is, how it ended."""

from datetime import datetime
from typing import Final

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from survey_app.models.constraints import one_of, only_where
from survey_app.models.vocabulary import JobStatus
from survey_app.storage.database import Base

OPEN_STATUSES: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


_IS_OPEN: Final = text(str(one_of("status", OPEN_STATUSES).sqltext))


class Job(Base):
    """One piece of background work; `begun_at` and the progress are those of the last attempt."""

    __tablename__ = "job"
    __table_args__ = (
        one_of("status", JobStatus),
        only_where("status", JobStatus.RUNNING, "lease_token IS NOT NULL", name="lease"),
        # The same work is not queued twice while it is open.
        Index("ix_job_open_key", "kind", "key", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index("ix_job_open_due_at", "due_at", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        Index("ix_job_kind_status", "kind", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str | None]
    # Canonical JSON: ids and choices, never what somebody typed.
    arguments: Mapped[str]
    enqueued_by: Mapped[str]
    enqueued_at: Mapped[datetime]
    due_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default=JobStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None]
    leased_until: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int | None]
    stage: Mapped[str] = mapped_column(default="")
    cancelled_by: Mapped[str | None]
    cancel_requested_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # Canonical JSON.
    result: Mapped[str | None]
    # The type of the exception: its message may quote an answer.
    failure: Mapped[str | None]
