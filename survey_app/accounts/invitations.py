"""Invitations: one-time links by which people get an account of their own."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.accounts.accounts import NewPassword, add_account, set_password
from survey_app.accounts.credentials import CredentialsChanged, credentials_of, has_credentials, lock_account
from survey_app.accounts.installation import use_as_real
from survey_app.audit import VISITOR, account_actor
from survey_app.models import Account
from survey_app.models.vocabulary import Role
from survey_app.security.one_time_links import LinkExpired, read_link, sign_link
from survey_app.storage.advisory_locks import AdvisoryLock, lock_until_commit

INVITATION_LIFETIME = timedelta(days=7)
FIRST_RUN_LIFETIME = timedelta(days=1)

_INVITATION, _FIRST_RUN = "invitation", "first run"


def invite(account: Account, *, secret_key: str, now: datetime) -> str:
    """Return the signed part of an invitation link, with which the account's owner chooses a password, once."""
    return sign_link([account.id, credentials_of(account)], purpose=_INVITATION, secret_key=secret_key, now=now)


def find_invited(session: Session, *, token: str, secret_key: str, now: datetime) -> Account:
    """Return the account that an invitation is for; `LinkExpired` once its password was set or the account changed."""
    account_id, credentials = _read(token, secret_key=secret_key, now=now)
    account = session.get(Account, account_id)
    if account is None or account.disabled_at is not None or not has_credentials(account, credentials):
        raise LinkExpired
    return account


def accept_invitation(
    session: Session, *, token: str, password: NewPassword, secret_key: str, now: datetime
) -> Account:
    """Set the password that the account's owner has chosen; the link is used up."""
    account_id, credentials = _read(token, secret_key=secret_key, now=now)
    try:
        # Two that hold one link: the second waits here and then finds it used.
        account = lock_account(session, account_id, credentials=credentials)
    except CredentialsChanged as changed:
        raise LinkExpired from changed
    set_password(session, account=account, password=password, by=account_actor(account.id), now=now)
    return account


def open_first_run(session: Session, *, secret_key: str, now: datetime) -> str | None:
    """Return the signed part of the link that makes the first account, or None once there is one."""
    return None if _has_accounts(session) else sign_link([], purpose=_FIRST_RUN, secret_key=secret_key, now=now)


def check_first_run(session: Session, *, token: str, secret_key: str, now: datetime) -> None:
    """Raise `LinkExpired` unless this link may still make the first account."""
    read_link(token, purpose=_FIRST_RUN, secret_key=secret_key, lifetime=FIRST_RUN_LIFETIME, now=now)
    if _has_accounts(session):
        raise LinkExpired


def add_first_account(
    session: Session, *, token: str, username: str, password: NewPassword, secret_key: str, now: datetime
) -> Account:
    """Make the first account, an administrator, on a database that is real from now on."""
    # Two clicks at once: the second waits here and then finds the first one's account.
    lock_until_commit(session, AdvisoryLock.FIRST_ACCOUNT)
    check_first_run(session, token=token, secret_key=secret_key, now=now)
    use_as_real(session, now=now)
    return add_account(session, username=username, password=password, role=Role.ADMINISTRATOR, by=VISITOR, now=now)


def _read(token: str, *, secret_key: str, now: datetime) -> tuple[int, str]:
    account_id, credentials = read_link(
        token, purpose=_INVITATION, secret_key=secret_key, lifetime=INVITATION_LIFETIME, now=now
    )
    return account_id, credentials


def _has_accounts(session: Session) -> bool:
    return session.scalar(select(Account.id).limit(1)) is not None
