"""Lists of communities that take longer than a page may: kept from the upload until they are imported or given up.

An account has one at a time. `survey_app.register.list_jobs` reads, compares and imports it; nothing is stored in the
register before somebody has confirmed the comparison that was shown.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json
from survey_app.audit import account_actor
from survey_app.errors import JiayuanError
from survey_app.jobs.queue import JobEnded, UnknownJob, cancel_job, enqueue, find_job
from survey_app.models import CommunityList, Job
from survey_app.models.jobs import OPEN_STATUSES
from survey_app.models.vocabulary import ListStatus

LIST_CHECK: Final = "list_check"
"""Kind of the job that reads a list and compares it with the register."""

LIST_IMPORT: Final = "list_import"
"""Kind of the job that imports a list which was confirmed."""

KEPT_FOR: Final = timedelta(days=1)
"""How long a list is kept after its last step."""

ON_THEIR_WAY: Final = frozenset({ListStatus.SENT, ListStatus.ASKED, ListStatus.COMPARED, ListStatus.CONFIRMED})
"""Where lists stand of which something is still to be done."""

_KIND_BY_STATUS: Final[Mapping[str, str]] = {ListStatus.SENT: LIST_CHECK, ListStatus.CONFIRMED: LIST_IMPORT}


class ListInWork(JiayuanError):
    """A job works on the account's last list: one is read or imported at a time."""

    status = 409


class NoSuchList(JiayuanError):
    """The account has no list that waits for this step: it has expired, or was taken further on another page."""

    status = 409


def keep_list(
    session: Session,
    *,
    account_id: int,
    name: str,
    source: str,
    headers: Mapping[str, str],
    content: bytes,
    now: datetime,
) -> None:
    """Keep a list instead of the account's last one, and have it read; raises `ListInWork` while that one is."""
    last = find_list(session, account_id=account_id)
    if last is not None and is_in_work(session, last):
        raise ListInWork
    session.execute(delete(CommunityList).filter_by(account_id=account_id))
    session.add(
        CommunityList(
            account_id=account_id,
            name=name,
            source=source,
            headers=canonical_json(dict(headers)),
            content=content,
            status=ListStatus.SENT,
            job_id=_enqueue(session, ListStatus.SENT, account_id=account_id, now=now),
            expires_at=now + KEPT_FOR,
        )
    )


def find_list(session: Session, *, account_id: int) -> CommunityList | None:
    """Return the list that is kept for an account, without what it holds."""
    return session.get(CommunityList, account_id)


def job_of(session: Session, kept: CommunityList) -> Job | None:
    """Return the job of the last step of a list, or None where it has ended long ago."""
    try:
        return find_job(session, job_id=kept.job_id)
    except UnknownJob:
        return None


def is_in_work(session: Session, kept: CommunityList) -> bool:
    """Return whether a job is to take a list further, or does."""
    job = job_of(session, kept)
    return job is not None and job.status in OPEN_STATUSES


def headers_of_list(kept: CommunityList) -> dict[str, str]:
    """Return by field what was said to stand above the columns of a list."""
    stated: dict[str, str] = json.loads(kept.headers)
    return stated


def choose_headers(
    session: Session, *, account_id: int, source: str, headers: Mapping[str, str], now: datetime
) -> None:
    """Have a list read once more, by headers that were chosen for it."""
    kept = _list_at(session, ListStatus.ASKED, account_id=account_id)
    kept.source, kept.headers = source, canonical_json(dict(headers))
    _go_on(session, kept, ListStatus.SENT, now=now)


def confirm_list(session: Session, *, account_id: int, comparison_sha256: str, credentials: str, now: datetime) -> None:
    """Have a list imported as it was shown; raises `NoSuchList` where another comparison is shown by now."""
    kept = _list_at(session, ListStatus.COMPARED, account_id=account_id)
    if kept.comparison_sha256 != comparison_sha256:
        raise NoSuchList
    kept.credentials = credentials
    _go_on(session, kept, ListStatus.CONFIRMED, now=now)


def try_again(session: Session, *, account_id: int, now: datetime) -> None:
    """Have the step of a list done again whose job has failed."""
    kept = find_list(session, account_id=account_id)
    if kept is None or kept.status not in _KIND_BY_STATUS or is_in_work(session, kept):
        raise NoSuchList
    _go_on(session, kept, ListStatus(kept.status), now=now)


def give_up_list(session: Session, *, account_id: int, now: datetime) -> None:
    """Erase the list of an account, and ask the job that works on it to stop."""
    kept = find_list(session, account_id=account_id)
    if kept is None:
        return
    with suppress(UnknownJob, JobEnded):
        cancel_job(session, job_id=kept.job_id, by=account_actor(account_id), now=now)
    session.delete(kept)


def erase_expired_lists(session: Session, *, now: datetime) -> None:
    """Erase lists with which nothing has happened for long."""
    session.execute(delete(CommunityList).where(CommunityList.expires_at <= now))


def _list_at(session: Session, status: ListStatus, *, account_id: int) -> CommunityList:
    kept = session.get(CommunityList, account_id, with_for_update=True)
    if kept is None or kept.status != status:
        raise NoSuchList
    return kept


def _go_on(session: Session, kept: CommunityList, status: ListStatus, *, now: datetime) -> None:
    kept.status, kept.expires_at = status, now + KEPT_FOR
    kept.job_id = _enqueue(session, status, account_id=kept.account_id, now=now)


def _enqueue(session: Session, status: ListStatus, *, account_id: int, now: datetime) -> int:
    actor = account_actor(account_id)
    return enqueue(session, kind=_KIND_BY_STATUS[status], arguments={}, by=actor, now=now)
