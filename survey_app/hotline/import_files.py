"""Files of the hotline on their way; what was imported stays listed without its rows, so that it can be taken back.

One is in work at a time, since each is compared with what the one before it has stored.
`survey_app.hotline.ledger_jobs` reads, compares and imports it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from survey_app.kept_files import ON_THEIR_WAY, FileInWork, KeptFiles, NoSuchFile, headers_of, is_in_work
from survey_app.models import HotlineImport
from survey_app.models.vocabulary import ListStatus

LEDGERS: Final = KeptFiles(HotlineImport, check="hotline_check", store="hotline_import")
"""The files, by their ids."""


def keep_file(session: Session, *, account_id: int, name: str, content: bytes, now: datetime) -> int:
    """Keep a file and have it read by the columns of the last one; raises `FileInWork` while another is."""
    for earlier in session.scalars(select(HotlineImport).where(HotlineImport.status.in_(ON_THEIR_WAY))):
        if is_in_work(session, earlier):
            raise FileInWork
        # The new one is compared with the same cases: of two that wait, the older would be out of date.
        session.delete(earlier)
    headers = saved_headers(session)
    kept = LEDGERS.keep(
        session, account_id=account_id, name=name, headers=headers, content=content, now=now, sent_at=now
    )
    return kept.id


def saved_headers(session: Session) -> dict[str, str]:
    """Return by field what the last imported file wrote above its columns; nothing where none was imported."""
    imported = select(HotlineImport).where(HotlineImport.imported_at.is_not(None))
    last = session.scalar(imported.order_by(HotlineImport.imported_at.desc()).limit(1))
    return {} if last is None else headers_of(last)


def find_file(session: Session, *, import_id: int) -> HotlineImport:
    """Return a file without what it holds, or raise `NoSuchFile`."""
    kept = LEDGERS.find(session, import_id)
    if kept is None:
        raise NoSuchFile
    return kept


def list_files(session: Session, *, limit: int) -> Sequence[HotlineImport]:
    """Return the newest files first."""
    return session.scalars(select(HotlineImport).order_by(HotlineImport.id.desc()).limit(limit)).all()


def compare_again(session: Session, *, import_id: int, now: datetime) -> None:
    """Have the step of a file done again that has failed, or compare one once more after a name was decided."""
    kept = session.get(HotlineImport, import_id, with_for_update=True)
    if kept is None or kept.status != ListStatus.COMPARED:
        LEDGERS.try_again(session, import_id, now=now)
        return
    if is_in_work(session, kept):
        raise NoSuchFile
    kept.comparison_sha256 = None
    LEDGERS.go_on(session, kept, ListStatus.SENT, now=now)


def give_up_file(session: Session, *, import_id: int, account_id: int, now: datetime) -> None:
    """Erase a file that is not imported, and ask the job that works on it to stop."""
    kept = LEDGERS.find(session, import_id)
    if kept is not None and kept.imported_at is None:
        LEDGERS.give_up(session, kept, account_id=account_id, now=now)


def erase_expired_files(session: Session, *, now: datetime) -> None:
    """Erase what residents wrote from files with which nothing has happened for long, and those that led to nothing."""
    is_over = HotlineImport.expires_at <= now
    holds = or_(HotlineImport.rows.is_not(None), HotlineImport.content.is_not(None))
    session.execute(update(HotlineImport).where(is_over, holds).values(rows=None, content=None))
    for kept in session.scalars(select(HotlineImport).where(is_over, HotlineImport.imported_at.is_(None))):
        session.delete(kept)
