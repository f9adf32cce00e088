"""Files that take longer than a page may: kept from the upload until they are imported, given up or too old.

A job reads a file and compares it with what is known; nothing of it is stored before somebody has confirmed the
comparison that was shown, and then another job imports it. Where the file writes unknown names above its columns,
somebody chooses them and it is read once more. What the files say is the business of those who keep them.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from analytics.canonical import canonical_json
from survey_app.audit import account_actor
from survey_app.errors import JiayuanError
from survey_app.jobs.handlers import RunningJob
from survey_app.jobs.queue import JobEnded, UnknownJob, cancel_job, enqueue, find_job
from survey_app.models import Job, KeptFile
from survey_app.models.jobs import OPEN_STATUSES
from survey_app.models.vocabulary import ListStatus
from survey_app.storage.database import Database

KEPT_FOR: Final = timedelta(days=1)
"""How long a file is kept after its last step."""

ON_THEIR_WAY: Final = frozenset({ListStatus.SENT, ListStatus.ASKED, ListStatus.COMPARED, ListStatus.CONFIRMED})
"""Where files stand of which something is still to be done."""

_Kept = TypeVar("_Kept", bound=KeptFile)


class FileInWork(JiayuanError):
    """A job works on another file of the kind: one is read or imported at a time."""

    status = 409


class NoSuchFile(JiayuanError):
    """No file waits for this step: it has expired, or was taken further on another page."""

    status = 409


def job_of(session: Session, kept: KeptFile) -> Job | None:
    """Return the job of the last step of a file, or None where it has ended long ago."""
    try:
        return find_job(session, job_id=kept.job_id)
    except UnknownJob:
        return None


def is_in_work(session: Session, kept: KeptFile) -> bool:
    """Return whether a job is to take a file further, or does."""
    job = job_of(session, kept)
    return job is not None and job.status in OPEN_STATUSES


def headers_of(kept: KeptFile) -> dict[str, str]:
    """Return by field what was said to stand above the columns of a file."""
    stated: dict[str, str] = json.loads(kept.headers)
    return stated


@dataclass(frozen=True)
class KeptFiles(Generic[_Kept]):
    """The files of a table, and the kinds of the jobs that compare and import them."""

    table: type[_Kept]
    check: str
    store: str

    def keep(
        self,
        session: Session,
        *,
        account_id: int,
        name: str,
        headers: Mapping[str, str],
        content: bytes,
        now: datetime,
        **facts: Any,
    ) -> _Kept:
        """Keep a file, with facts of its own table, and have it read."""
        kept = self.table(
            account_id=account_id,
            name=name,
            headers=canonical_json(dict(headers)),
            content=content,
            status=ListStatus.SENT,
            job_id=self._enqueue(session, ListStatus.SENT, account_id=account_id, now=now),
            expires_at=now + KEPT_FOR,
            **facts,
        )
        session.add(kept)
        session.flush()
        return kept

    def find(self, session: Session, key: int) -> _Kept | None:
        """Return the file with a key, without what it holds."""
        return session.get(self.table, key)

    def choose_headers(self, session: Session, key: int, *, headers: Mapping[str, str], now: datetime) -> _Kept:
        """Have a file read once more, by headers that were chosen for it, and return it."""
        kept = self._at(session, ListStatus.ASKED, key)
        kept.headers = canonical_json(dict(headers))
        self.go_on(session, kept, ListStatus.SENT, now=now)
        return kept

    def confirm(self, session: Session, key: int, *, comparison_sha256: str, credentials: str, now: datetime) -> None:
        """Have a file imported as it was shown; raises `NoSuchFile` where another comparison is shown by now."""
        kept = self._at(session, ListStatus.COMPARED, key)
        if kept.comparison_sha256 != comparison_sha256:
            raise NoSuchFile
        kept.credentials = credentials
        self.go_on(session, kept, ListStatus.CONFIRMED, now=now)

    def try_again(self, session: Session, key: int, *, now: datetime) -> None:
        """Have the step of a file done again whose job has failed."""
        kept = session.get(self.table, key, with_for_update=True)
        if kept is None or kept.status not in self._kinds or is_in_work(session, kept):
            raise NoSuchFile
        self.go_on(session, kept, ListStatus(kept.status), now=now)

    def go_on(self, session: Session, kept: _Kept, status: ListStatus, *, now: datetime) -> None:
        """Have a job take a file from a status further."""
        kept.status, kept.expires_at = status, now + KEPT_FOR
        kept.job_id = self._enqueue(session, status, account_id=kept.account_id, now=now)

    def give_up(self, session: Session, kept: _Kept, *, account_id: int, now: datetime) -> None:
        """Erase a file, and ask the job that works on it to stop."""
        # One that has ended, or is erased since, does nothing with the file any more.
        with suppress(UnknownJob, JobEnded):
            cancel_job(session, job_id=kept.job_id, by=account_actor(account_id), now=now)
        session.delete(kept)

    def file_of(self, session: Session, job: RunningJob, status: ListStatus) -> _Kept | None:
        """Return the file that a job takes further, with what it holds; None where it is done, given up or replaced."""
        holding = (undefer(self.table.content), undefer(self.table.rows))
        return session.scalar(select(self.table).filter_by(job_id=job.id, status=status).options(*holding))

    def settle(
        self,
        database: Database,
        job: RunningJob,
        status: ListStatus,
        *,
        findings: str,
        now: datetime,
        rows: str | None = None,
        comparison_sha256: str | None = None,
    ) -> None:
        """Keep what the step of a job found and read, unless the file was given up meanwhile."""
        with database.writing() as session:
            job.require_lease(session)
            kept = session.scalar(select(self.table).filter_by(job_id=job.id).with_for_update())
            if kept is None:
                return
            note_step(kept, status, findings=findings, now=now)
            kept.rows, kept.comparison_sha256 = rows, comparison_sha256

    @property
    def _kinds(self) -> Mapping[str, str]:
        return {ListStatus.SENT: self.check, ListStatus.CONFIRMED: self.store}

    def _at(self, session: Session, status: ListStatus, key: int) -> _Kept:
        kept = session.get(self.table, key, with_for_update=True)
        if kept is None or kept.status != status:
            raise NoSuchFile
        return kept

    def _enqueue(self, session: Session, status: ListStatus, *, account_id: int, now: datetime) -> int:
        return enqueue(session, kind=self._kinds[status], arguments={}, by=account_actor(account_id), now=now)


def note_step(kept: KeptFile, status: ListStatus, *, findings: str, now: datetime) -> None:
    """Note where a file stands and what was found; it holds nothing any more but what the next step needs."""
    kept.status, kept.findings, kept.expires_at = status, findings, now + KEPT_FOR
    kept.comparison_sha256 = kept.credentials = kept.rows = None
    # A file whose columns are asked about is read once more.
    if status != ListStatus.ASKED:
        kept.content = None
