"""Credentials of an account in one value, to which every state of signing in is bound.

A session, the halfway state after the password, an invitation, a change code opened by staff or a request of a reset
carries the value that `credentials_of` had when it began, and is good only while the account still has it. It changes
with the password, the authenticator, a recovery code that is used, the role, the place, and with disabling: whoever
was halfway through any door stands outside again.
"""

import hmac

from sqlalchemy import Connection, delete, event, inspect
from sqlalchemy.orm import Mapper, Session

from analytics.canonical import canonical_json, sha256_hex
from survey_app.errors import JiayuanError
from survey_app.models import Account, AccountSession
from survey_app.models.accounts import new_credential_version

# What proves who signs in, and what limits what they see.
_BOUND = (
    "password_hash",
    "totp_secret",
    "role",
    "district_id",
    "subdistrict_id",
    "neighbourhood_id",
    "company_id",
    "communities",
    "disabled_at",
)


class CredentialsChanged(JiayuanError):
    """The account was changed, reset or disabled since this browser gave its password or signed in."""

    status = 403
    page = "staff/credentials_changed.html"


def credentials_of(account: Account) -> str:
    """Return the account's credentials in one value, which tells nothing of them.

    It is made of the columns themselves and not of the version alone, so that a change by another way than the
    actions of this room, such as a statement on the database, changes it too.
    """
    states = {"disabled_at": account.disabled_at is not None, "communities": [each.id for each in account.communities]}
    values = [states[name] if name in states else getattr(account, name) for name in _BOUND]
    return sha256_hex(canonical_json([account.id, account.credential_version, *values]))


def has_credentials(account: Account, expected: str) -> bool:
    """Return whether the account still has the credentials that a state began with."""
    return hmac.compare_digest(credentials_of(account), expected)


def lock_account(session: Session, account_id: int, *, credentials: str) -> Account:
    """Return the account, locked until the commit; `CredentialsChanged` unless it is enabled and still has these.

    Locked, so that no reset comes between the look and the change, and two requests with one code run in turn. SQLite's
    writers do anyway.
    """
    account = session.get(Account, account_id, with_for_update={"of": Account}, populate_existing=True)
    if account is None or account.disabled_at is not None or not has_credentials(account, credentials):
        raise CredentialsChanged
    return account


def renew_credentials(session: Session, account: Account) -> None:
    """End all that began with the account's credentials: its sessions and every state on the way to one."""
    account.credential_version = new_credential_version()
    session.execute(delete(AccountSession).filter_by(account_id=account.id))
    session.flush()


@event.listens_for(Account, "before_update")
def _renew_version(_mapper: Mapper[Account], _connection: Connection, account: Account) -> None:
    # A role that is taken away and given back must not bring what began with it to life again.
    history = inspect(account).attrs
    if any(history[name].history.has_changes() for name in _BOUND):
        account.credential_version = new_credential_version()
