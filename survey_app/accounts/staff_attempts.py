"""Tries of numbers that signed-in staff type, counted by account: digits of slips, receipts, references of cases."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from survey_app.accounts.attempt_budgets import Budget, Limit
from survey_app.accounts.attempt_limits import Source, count_attempt, forgive_failures
from survey_app.accounts.guard import signed_in
from survey_app.web.context import site

_ACCOUNT: Final = Budget(
    free=30, step=timedelta(seconds=30), longest=timedelta(minutes=5), forgiven_each=timedelta(minutes=5)
)
STAFF_NUMBER_TRIES: Final = Limit(action="staff_typed_number", line=_ACCOUNT, prefix=None, everywhere=None)
STAFF_CHANGE_TRIES: Final = Limit(
    action="staff_change_code",
    line=_ACCOUNT,
    # Of one receipt: what one resident on the telephone mistypes is not held against the next.
    pair=Budget(free=5, step=timedelta(minutes=1), longest=timedelta(minutes=15), forgiven_each=timedelta(minutes=15)),
    prefix=None,
    everywhere=None,
)


@contextmanager
def counted_try(now: datetime, *, limit: Limit = STAFF_NUMBER_TRIES, subject: str | None = None) -> Iterator[None]:
    """Count what the account tries as failed until the block ends well; entered outside of transactions."""
    database, secret_key = site().database, site().config.secret_key
    source = Source(signed_in().actor)
    counted = count_attempt(database, limit=limit, source=source, subject=subject, secret_key=secret_key, now=now)
    yield
    with database.writing() as session:
        forgive_failures(session, counted, now=now)
