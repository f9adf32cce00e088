"""Files of the hotline on their way: kept from the upload until they are imported, given up or too old.

One is in work at a time, since each is compared with what the one before it has stored. What was imported stays in the
list without its rows, so that it can be taken back.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json
from survey_app.audit import account_actor
from survey_app.errors import JiayuanError
from survey_app.jobs.queue import JobEnded, UnknownJob, cancel_job, enqueue, find_job
from survey_app.models import HotlineImport, Job
from survey_app.models.jobs import OPEN_STATUSES
from survey_app.models.vocabulary import ListStatus

LEDGER_CHECK: Final = "hotline_check"
"""Kind of the job that reads a file and compares it with what is known."""

LEDGER_IMPORT: Final = "hotline_import"
"""Kind of the job that imports a file which was confirmed."""

KEPT_FOR: Final = timedelta(days=1)
"""How long the rows of a file are kept after its last step."""

_KIND_BY_STATUS: Final[Mapping[str, str]] = {ListStatus.SENT: LEDGER_CHECK, ListStatus.CONFIRMED: LEDGER_IMPORT}
# Something is still to be done with them.
_ON_THEIR_WAY: Final = (ListStatus.SENT, ListStatus.ASKED, ListStatus.COMPARED, ListStatus.CONFIRMED)


class FileInWork(JiayuanError):
    """A job works on another file of the hotline: one is read or imported at a time."""

    status = 409


class NoSuchFile(JiayuanError):
    """No file waits for this step: it has expired, or was taken further on another page."""

    status = 409


def keep_file(session: Session, *, account_id: int, name: str, content: bytes, now: datetime) -> int:
    """Keep a file and have it read by the columns of the last one; raises `FileInWork` while another is."""
    for earlier in session.scalars(select(HotlineImport).where(HotlineImport.status.in_(_ON_THEIR_WAY))):
        if is_in_work(session, earlier):
            raise FileInWork
        # The new one is compared with the same cases: of two that wait, the older would be out of date.
        session.delete(earlier)
    kept = HotlineImport(
        account_id=account_id,
        name=name,
        headers=canonical_json(saved_headers(session)),
        content=content,
        status=ListStatus.SENT,
        job_id=_enqueue(session, ListStatus.SENT, account_id=account_id, now=now),
        sent_at=now,
        expires_at=now + KEPT_FOR,
    )
    session.add(kept)
    session.flush()
    return kept.id


def saved_headers(session: Session) -> dict[str, str]:
    """Return by field what the last imported file wrote above its columns; nothing where none was imported."""
    last = select(HotlineImport.headers).where(HotlineImport.imported_at.is_not(None))
    found = session.scalar(last.order_by(HotlineImport.imported_at.desc()).limit(1))
    headers: dict[str, str] = json.loads(found) if found else {}
    return headers


def find_file(session: Session, *, import_id: int) -> HotlineImport:
    """Return a file without what it holds, or raise `NoSuchFile`."""
    kept = session.get(HotlineImport, import_id)
    if kept is None:
        raise NoSuchFile
    return kept


def list_files(session: Session, *, limit: int) -> Sequence[HotlineImport]:
    """Return the newest files first."""
    return session.scalars(select(HotlineImport).order_by(HotlineImport.id.desc()).limit(limit)).all()


def headers_of_file(kept: HotlineImport) -> dict[str, str]:
    """Return by field what stands above the columns of a file."""
    stated: dict[str, str] = json.loads(kept.headers)
    return stated


def job_of(session: Session, kept: HotlineImport) -> Job | None:
    """Return the job of the last step of a file, or None where it has ended long ago."""
    try:
        return find_job(session, job_id=kept.job_id)
    except UnknownJob:
        return None


def is_in_work(session: Session, kept: HotlineImport) -> bool:
    """Return whether a job is to take a file further, or does."""
    job = job_of(session, kept)
    return job is not None and job.status in OPEN_STATUSES


def choose_headers(session: Session, *, import_id: int, headers: Mapping[str, str], now: datetime) -> None:
    """Have a file read once more, by headers that were chosen for it."""
    kept = _file_at(session, ListStatus.ASKED, import_id=import_id)
    kept.headers = canonical_json(dict(headers))
    _go_on(session, kept, ListStatus.SENT, now=now)


def confirm_file(session: Session, *, import_id: int, comparison_sha256: str, credentials: str, now: datetime) -> None:
    """Have a file imported as it was shown; raises `NoSuchFile` where another comparison is shown by now."""
    kept = _file_at(session, ListStatus.COMPARED, import_id=import_id)
    if kept.comparison_sha256 != comparison_sha256:
        raise NoSuchFile
    kept.credentials = credentials
    _go_on(session, kept, ListStatus.CONFIRMED, now=now)


def compare_again(session: Session, *, import_id: int, now: datetime) -> None:
    """Have the step of a file done again that has failed, or compare one once more after a name was decided."""
    kept = session.get(HotlineImport, import_id, with_for_update=True)
    if kept is None or is_in_work(session, kept):
        raise NoSuchFile
    if kept.status == ListStatus.COMPARED:
        kept.comparison_sha256 = None
        _go_on(session, kept, ListStatus.SENT, now=now)
        return
    if kept.status not in _KIND_BY_STATUS:
        raise NoSuchFile
    _go_on(session, kept, ListStatus(kept.status), now=now)


def give_up_file(session: Session, *, import_id: int, account_id: int, now: datetime) -> None:
    """Erase a file that is not imported, and ask the job that works on it to stop."""
    kept = session.get(HotlineImport, import_id)
    if kept is None or kept.imported_at is not None:
        return
    with suppress(UnknownJob, JobEnded):
        cancel_job(session, job_id=kept.job_id, by=account_actor(account_id), now=now)
    session.delete(kept)


def erase_expired_files(session: Session, *, now: datetime) -> None:
    """Erase what residents wrote from files with which nothing has happened for long, and those that led to nothing."""
    is_over = HotlineImport.expires_at <= now
    holds = or_(HotlineImport.rows.is_not(None), HotlineImport.content.is_not(None))
    session.execute(update(HotlineImport).where(is_over, holds).values(rows=None, content=None))
    for kept in session.scalars(select(HotlineImport).where(is_over, HotlineImport.imported_at.is_(None))):
        session.delete(kept)


def _file_at(session: Session, status: ListStatus, *, import_id: int) -> HotlineImport:
    kept = session.get(HotlineImport, import_id, with_for_update=True)
    if kept is None or kept.status != status:
        raise NoSuchFile
    return kept


def _go_on(session: Session, kept: HotlineImport, status: ListStatus, *, now: datetime) -> None:
    kept.status, kept.expires_at = status, now + KEPT_FOR
    kept.job_id = _enqueue(session, status, account_id=kept.account_id, now=now)


def _enqueue(session: Session, status: ListStatus, *, account_id: int, now: datetime) -> int:
    actor = account_actor(account_id)
    return enqueue(session, kind=_KIND_BY_STATUS[status], arguments={}, by=actor, now=now)
