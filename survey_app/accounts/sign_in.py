"""Sign-in in two steps, password and second factor, and the sessions that follow."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey_app.accounts.accounts import find_account, normalise_username, password_is_right
from survey_app.accounts.attempt_limits import Limit, count_attempt, reset_attempts
from survey_app.accounts.credentials import credentials_of, has_credentials, lock_account, renew_credentials
from survey_app.accounts.notices import count_failed_sign_in
from survey_app.accounts.second_factor import (
    matching_step,
    renew_recovery_codes,
    seal_secret,
    use_code,
    use_recovery_code,
)
from survey_app.audit import VISITOR, account_actor, record
from survey_app.errors import JiayuanError
from survey_app.models import Account, AccountSession
from survey_app.models.vocabulary import AuditAction
from survey_app.security.digests import keyed_digest
from survey_app.storage.database import Database

PASSWORD_TRIES = Limit("password", tries=5, window=timedelta(minutes=15))
CODE_TRIES = Limit("second_factor", tries=5, window=timedelta(minutes=15))
# However busy an account is, once a day it signs in anew.
LONGEST_SESSION = timedelta(hours=12)


class SignInRefused(JiayuanError):
    """Name, password or code is wrong; which of them is not said."""

    status = 401


def check_password(database: Database, *, username: str, password: str, secret_key: str, now: datetime) -> Account:
    """Return the account if name and password are right, or raise `SignInRefused` or `TooManyAttempts`.

    It takes the database: the try is counted and the refusal recorded for good, and the password is hashed, which takes
    long on purpose, while no transaction is open.
    """
    name = normalise_username(username)
    count_attempt(database, limit=PASSWORD_TRIES, subject=name, secret_key=secret_key, now=now)
    with database.reading() as session:
        account = find_account(session, username=name)
    if password_is_right(account, password) and account is not None and account.disabled_at is None:
        return account
    # A name that nobody has may be a password typed into the wrong field: it is kept as a digest only.
    unknown = f"username:{keyed_digest(name, purpose='audit', secret_key=secret_key)}"
    subject = unknown if account is None else account_actor(account.id)
    with database.writing() as session:
        record(
            session, by=VISITOR, action=AuditAction.SIGN_IN_FAILED, subject=subject, after={"step": "password"}, now=now
        )
        count_failed_sign_in(session, username=name, now=now)
    raise SignInRefused


def check_code(
    database: Database, *, account_id: int, credentials: str, typed: str, secret_key: str, now: datetime
) -> str:
    """Start a session for the account if the code is right, and return its token; refuse as `check_password` does.

    `credentials` are those with which the right password was given: `CredentialsChanged` once the account has others.
    """
    count_attempt(database, limit=CODE_TRIES, subject=str(account_id), secret_key=secret_key, now=now)
    with database.writing() as session:
        account = lock_account(session, account_id, credentials=credentials)
        if use_code(session, account=account, typed=typed, secret_key=secret_key, now=now):
            return start_session(session, account=account, proof="authenticator", secret_key=secret_key, now=now)
        if use_recovery_code(session, account=account, typed=typed, secret_key=secret_key):
            # The phone is lost, and so may be whatever is signed in on it.
            renew_credentials(session, account)
            return start_session(session, account=account, proof="recovery code", secret_key=secret_key, now=now)
        _record_wrong_code(session, account, now)
    raise SignInRefused


def check_owner(
    database: Database, *, username: str, credentials: str, password: str, code: str, secret_key: str, now: datetime
) -> None:
    """Raise as the two checks above unless password and code are right: before a change to one's own account.

    `credentials` are those of the session that asks.
    """
    account = check_password(database, username=username, password=password, secret_key=secret_key, now=now)
    count_attempt(database, limit=CODE_TRIES, subject=str(account.id), secret_key=secret_key, now=now)
    with database.writing() as session:
        account = lock_account(session, account.id, credentials=credentials)
        if use_code(session, account=account, typed=code, secret_key=secret_key, now=now):
            _reset_attempts(session, account, secret_key)
            return
        _record_wrong_code(session, account, now)
    raise SignInRefused


def link_authenticator(
    session: Session, *, account_id: int, credentials: str, secret: str, typed: str, secret_key: str, now: datetime
) -> tuple[str, list[str]]:
    """Link an authenticator to an account that has none, if its first code is right.

    Return the token of the session that begins, and the recovery codes, which are never shown again. `credentials` are
    those with which the password was given or chosen: `CredentialsChanged` once the account has others.
    """
    account = lock_account(session, account_id, credentials=credentials)
    step = matching_step(secret, typed, now=now)
    if account.totp_secret is not None or step is None:
        raise SignInRefused
    account.totp_secret, account.totp_last_step = seal_secret(secret, secret_key=secret_key), step
    codes = renew_recovery_codes(session, account=account, secret_key=secret_key)
    renew_credentials(session, account)
    actor = account_actor(account.id)
    record(session, by=actor, action=AuditAction.AUTHENTICATOR_LINKED, subject=actor, now=now)
    return start_session(session, account=account, proof="authenticator", secret_key=secret_key, now=now), codes


def start_session(session: Session, *, account: Account, proof: str, secret_key: str, now: datetime) -> str:
    """Begin a session and return its token, which only the browser's cookie keeps."""
    token = secrets.token_urlsafe(24)
    session.execute(delete(AccountSession).where(AccountSession.expires_at <= now))
    session.add(
        AccountSession(
            digest=digest_of(token),
            account_id=account.id,
            credentials=credentials_of(account),
            expires_at=now + LONGEST_SESSION,
        )
    )
    _reset_attempts(session, account, secret_key)
    actor = account_actor(account.id)
    record(session, by=actor, action=AuditAction.SIGNED_IN, subject=actor, after={"proof": proof}, now=now)
    return token


def find_session(session: Session, *, token: str, now: datetime) -> Account | None:
    """Return the account whose session has this token, while it lasts and the account has the same credentials."""
    lasting = select(AccountSession).where(AccountSession.digest == digest_of(token), AccountSession.expires_at > now)
    found = session.scalar(lasting)
    account = None if found is None else find_account(session, id=found.account_id)
    if found is None or account is None or account.disabled_at is not None:
        return None
    return account if has_credentials(account, found.credentials) else None


def end_session(session: Session, *, token: str, account_id: int, now: datetime) -> None:
    """End the session behind a token: every copy of the cookie is void."""
    session.execute(delete(AccountSession).where(AccountSession.digest == digest_of(token)))
    actor = account_actor(account_id)
    record(session, by=actor, action=AuditAction.SIGNED_OUT, subject=actor, now=now)


def _reset_attempts(session: Session, account: Account, secret_key: str) -> None:
    reset_attempts(session, limit=PASSWORD_TRIES, subject=account.username, secret_key=secret_key)
    reset_attempts(session, limit=CODE_TRIES, subject=str(account.id), secret_key=secret_key)


def _record_wrong_code(session: Session, account: Account, now: datetime) -> None:
    subject = account_actor(account.id)
    record(session, by=VISITOR, action=AuditAction.SIGN_IN_FAILED, subject=subject, after={"step": "code"}, now=now)
    count_failed_sign_in(session, username=account.username, now=now)


def digest_of(token: str) -> str:
    """Return the stored digest of a token, which is random enough that no key is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
