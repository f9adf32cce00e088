"""Second persons: who may bring about, together with another one, what no single person may.

An administrator can add a second account and sign in with it, so two accounts are not yet two persons. An account
counts after it has been in force for a week, in which the owners of the others are told of it when they sign in.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.accounts.credentials import lock_account
from survey_app.errors import JiayuanError
from survey_app.models import Account
from survey_app.models.vocabulary import SECOND_PERSON_ROLES, Role

# Whoever works in the office signs in within a week, reads of the new account and can still disable it.
TIME_IN_FORCE: Final = timedelta(days=7)


class NotLongInForce(JiayuanError):
    """The account has its password and authenticator for less than a week."""

    status = 409
    page = "staff/not_long_in_force.html"
    days = TIME_IN_FORCE.days


class LastSecondPerson(JiayuanError):
    """Without this account nobody else could confirm or notice what the one who disables it does."""

    status = 409
    page = "staff/last_second_person.html"

    def __init__(self, username: str) -> None:
        super().__init__(f"without {username} there is no second person")
        self.username = username


def needs_second_person(account: Account) -> bool:
    """Return whether no single person may reset this account, or disable it while it guards the others."""
    return Role(account.role) in SECOND_PERSON_ROLES


def has_long_been_in_force(account: Account, *, at: datetime) -> bool:
    """Return whether the account, of a role that decides, had an authenticator for so long that others know of it."""
    since = account.in_force_since
    return (
        needs_second_person(account)
        and account.disabled_at is None
        and since is not None
        and since <= at - TIME_IN_FORCE
    )


def second_persons(session: Session, *, beside: set[int], at: datetime) -> Sequence[Account]:
    """Return the accounts other than these that count as second persons."""
    deciding = select(Account).where(Account.role.in_(SECOND_PERSON_ROLES), Account.id.not_in(beside))
    return [account for account in session.scalars(deciding) if has_long_been_in_force(account, at=at)]


def lock_deciding_person(session: Session, *, account_id: int, credentials: str, now: datetime) -> Account:
    """Return who decides, locked until the commit; `NotLongInForce` unless the account has been in force for long."""
    account = lock_account(session, account_id, credentials=credentials)
    if not has_long_been_in_force(account, at=now):
        raise NotLongInForce
    return account


def check_disabling(session: Session, *, account: Account, by_id: int, credentials: str, now: datetime) -> None:
    """Refuse to let one person disable whoever would notice, and could stop, what that person does alone.

    An account that does not count as a second person yet can be disabled by anybody who may: a new one that nobody
    wanted is stopped so.
    """
    # In one order: of two that disable each other at once, the second finds itself alone.
    session.scalars(
        select(Account.id).where(Account.role.in_(SECOND_PERSON_ROLES)).order_by(Account.id).with_for_update()
    ).all()
    session.refresh(account)
    if not has_long_been_in_force(account, at=now):
        return
    lock_deciding_person(session, account_id=by_id, credentials=credentials, now=now)
    if not second_persons(session, beside={account.id, by_id}, at=now):
        raise LastSecondPerson(account.username)
