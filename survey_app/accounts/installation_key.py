"""Secret key of a database: recognised at each start, since another one would silently end whatever rests on it."""

import hmac
from datetime import datetime
from typing import cast

from cryptography.fernet import InvalidToken
from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from survey_app.accounts.accounts import reset_account
from survey_app.accounts.installation import holds_anything
from survey_app.accounts.second_factor import unseal_secret
from survey_app.audit import OPERATOR, record
from survey_app.config import Config
from survey_app.models import Account, KeyCheck
from survey_app.models.vocabulary import AuditAction
from survey_app.secret_keys import LostSecretKey, remove_new_key
from survey_app.security.digests import keyed_digest
from survey_app.storage.database import Database
from survey_app.storage.insert_once import insert_once


def recognise_key(database: Database, *, config: Config) -> None:
    """Raise `LostSecretKey` unless the key is the one that the database was begun with; a new one takes it.

    A file that this start has made in place of the lost one is removed, so that no backup takes it for the key.
    """
    with database.reading() as session:
        if _is_known(session, config.secret_key):
            return
    with database.writing() as session:
        is_taken = not is_lost(session, secret_key=config.secret_key)
        if is_taken:
            _store(session, config.secret_key)
    if not is_taken:
        remove_new_key(config.new_key_file)
        raise LostSecretKey


def is_lost(session: Session, *, secret_key: str) -> bool:
    """Return whether what the database holds was stored with another key."""
    is_known = _is_known(session, secret_key)
    if is_known is None:
        return not _opens_what_is_sealed(session, secret_key)
    return not is_known and holds_anything(session)


def replace_key(session: Session, *, secret_key: str, now: datetime) -> list[str]:
    """Go on with another key and return the names of the accounts that were reset: nobody can read authenticators."""
    _store(session, secret_key)
    affected = session.scalars(select(Account).where(Account.totp_secret.is_not(None)).order_by(Account.username)).all()
    for account in affected:
        reset_account(session, account=account, by=OPERATOR, now=now)
    record(session, by=OPERATOR, action=AuditAction.KEY_REPLACED, subject="installation:1", now=now)
    return [account.username for account in affected]


def _is_known(session: Session, secret_key: str) -> bool | None:
    """Return whether it is the key whose check value is stored, or None where none is."""
    stored = session.scalar(select(KeyCheck.digest))
    return None if stored is None else hmac.compare_digest(stored, _check_value(secret_key))


def _opens_what_is_sealed(session: Session, secret_key: str) -> bool:
    """Return whether the key opens an authenticator, of a database from before check values; True where none is."""
    sealed = session.scalars(select(Account.totp_secret).where(Account.totp_secret.is_not(None))).all()
    return not sealed or any(_opens(cast(str, each), secret_key) for each in sealed)


def _opens(sealed: str, secret_key: str) -> bool:
    try:
        unseal_secret(sealed, secret_key=secret_key)
    except InvalidToken:
        return False
    return True


def _store(session: Session, secret_key: str) -> None:
    session.execute(delete(KeyCheck).where(KeyCheck.digest != _check_value(secret_key)))
    # Of two processes that start together the second finds it there.
    insert_once(session, cast(Table, KeyCheck.__table__), {"id": 1, "digest": _check_value(secret_key)})


def _check_value(secret_key: str) -> str:
    return keyed_digest("secret key", purpose="key check", secret_key=secret_key)
