"""Lists of communities that take longer than a page may; an account has one at a time.

`survey_app.register.list_jobs` reads, compares and imports it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from survey_app.kept_files import FileInWork, KeptFiles, is_in_work
from survey_app.models import CommunityList

LISTS: Final = KeptFiles(CommunityList, check="list_check", store="list_import")
"""The lists, by their accounts."""


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
    """Keep a list instead of the account's last one, and have it read; raises `FileInWork` while that one is."""
    last = LISTS.find(session, account_id)
    if last is not None and is_in_work(session, last):
        raise FileInWork
    session.execute(delete(CommunityList).filter_by(account_id=account_id))
    LISTS.keep(session, account_id=account_id, name=name, headers=headers, content=content, now=now, source=source)


def choose_headers(
    session: Session, *, account_id: int, source: str, headers: Mapping[str, str], now: datetime
) -> None:
    """Have a list read once more, by headers that were chosen for it."""
    LISTS.choose_headers(session, account_id, headers=headers, now=now).source = source


def give_up_list(session: Session, *, account_id: int, now: datetime) -> None:
    """Erase the list of an account, and ask the job that works on it to stop."""
    kept = LISTS.find(session, account_id)
    if kept is not None:
        LISTS.give_up(session, kept, account_id=account_id, now=now)


def erase_expired_lists(session: Session, *, now: datetime) -> None:
    """Erase lists with which nothing has happened for long."""
    session.execute(delete(CommunityList).where(CommunityList.expires_at <= now))
