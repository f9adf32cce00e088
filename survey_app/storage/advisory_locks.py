"""PostgreSQL advisory locks: their numbers, each once, and how a transaction takes one.

SQLite needs none: there one transaction writes at a time, from its first line on.
"""

from enum import Enum, unique

from sqlalchemy import func, select
from sqlalchemy.orm import Session


@unique
class AdvisoryLock(Enum):
    """What a lock is for, as the numbers that PostgreSQL knows it by; `of` adds one that says which object.

    Locks of one number and locks of two never meet, whatever the numbers.
    """

    # An evaluation of a round is stored; of the round, whose ids begin at 1.
    EVALUATION = (0x4A59,)
    # Events join the audit chain.
    AUDIT_CHAIN = (0x4A59, 0)
    # The first account of an installation is made.
    FIRST_ACCOUNT = (0x4A59, -1)
    # An evaluation becomes the result of its round; of the round.
    PUBLICATION = (0x4A5A,)
    # Scheduled jobs are enqueued.
    SCHEDULED_JOBS = (0x4A5B,)
    # A list of communities is imported.
    REGISTER = (0x4A5C,)
    # Changes are added to the tallies of what comes in.
    TALLIES = (0x4A5D,)
    # Answers of a household come or go; of a part of its key, which two may share.
    HOUSEHOLD = (0x4A5E,)
    # A round or its new dates are stored.
    ROUND_DATES = (0x4A5F,)
    # A calendar is published; of its year.
    CALENDAR = (0x4A60,)
    # A file of the hotline is imported or taken back.
    HOTLINE = (0x4A61,)
    # A sample of call-backs is drawn.
    CALL_BACKS = (0x4A62,)
    # A result of a call-back is stored; of the drawn case.
    CALL_BACK = (0x4A63,)
    # A try is counted; of 64 bits of the digest of what is tried, since there are more subjects than a number holds.
    ATTEMPT = ()


def lock_until_commit(session: Session, lock: AdvisoryLock, *, of: int | None = None) -> None:
    """Wait until no other transaction holds the lock, and hold it until this one ends; on SQLite do nothing."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        numbers = lock.value if of is None else (*lock.value, of)
        connection.execute(select(func.pg_advisory_xact_lock(*numbers)))
