"""Sign-in in two steps, password and second factor, and the sessions that follow."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey_app.accounts.accounts import find_account, normalise_username, password_is_right
from survey_app.accounts.attempt_budgets import SUBJECT, Budget, Limit
from survey_app.accounts.attempt_limits import CountedAttempt, Source, TooManyAttempts, count_attempt, forgive_failures
from survey_app.accounts.credentials import credentials_of, has_credentials, lock_account, renew_credentials
from survey_app.accounts.failed_sign_ins import count_failed_sign_in
from survey_app.accounts.notices import tell_of_failed_sign_ins
from survey_app.accounts.refused_tries import REFUSED_TRIES
from survey_app.accounts.second_factor import (
    RECOVERY_DIGITS,
    matching_step,
    renew_recovery_codes,
    seal_secret,
    use_code,
    use_recovery_code,
)
from survey_app.audit import account_actor, record
from survey_app.errors import JiayuanError
from survey_app.models import Account, AccountSession
from survey_app.models.vocabulary import AuditAction
from survey_app.security.check_digits import bare_digits
from survey_app.storage.database import Database

# A browser in which the account has signed in before has these tries to itself.
OWN_DEVICE = Budget(
    free=5, step=timedelta(seconds=30), longest=timedelta(minutes=5), forgiven_each=timedelta(minutes=5)
)
# Passwords are chosen by people: strangers wait longer and sooner than with numbers that nobody chose.
PASSWORD_TRIES = Limit(
    action="password",
    line=Budget(free=10, step=timedelta(seconds=30), longest=timedelta(minutes=5), forgiven_each=timedelta(minutes=5)),
    subject=Budget(
        free=30, step=timedelta(seconds=10), longest=timedelta(minutes=30), forgiven_each=timedelta(minutes=1)
    ),
    proven=OWN_DEVICE,
)
# Six digits, three of which are right at any time: all strangers who know the password wait together.
CODE_TRIES = Limit(
    action="second_factor",
    ceiling=Budget(free=10, step=timedelta(minutes=5), longest=timedelta(hours=1), forgiven_each=timedelta(hours=1)),
    proven=Budget(
        free=5, step=timedelta(minutes=1), longest=timedelta(minutes=15), forgiven_each=timedelta(minutes=15)
    ),
)
# Sixteen digits, so that nobody who knows the password can keep the owner without a known browser out.
RECOVERY_TRIES = Limit(action="recovery_code", subject=SUBJECT, proven=OWN_DEVICE)
# However busy an account is, once a day it signs in anew.
LONGEST_SESSION = timedelta(hours=12)


class SignInRefused(JiayuanError):
    """Name, password or code is wrong; which of them is not said."""

    status = 401


def check_password(
    database: Database,
    *,
    username: str,
    password: str,
    source: Source,
    proof: str | None,
    secret_key: str,
    now: datetime,
) -> Account:
    """Return the account if name and password are right, or raise `SignInRefused` or `TooManyAttempts`.

    It takes the database: the try is counted and the refusal recorded for good, and the password is hashed, which takes
    long on purpose, while no transaction is open.
    """
    name = normalise_username(username)
    try:
        counted = count_attempt(
            database, limit=PASSWORD_TRIES, source=source, subject=name, proof=proof, secret_key=secret_key, now=now
        )
    except TooManyAttempts:
        REFUSED_TRIES.add(database, account=name, now=now)
        raise
    with database.reading() as session:
        account = find_account(session, username=name)
    is_right = password_is_right(account, password) and account is not None and account.disabled_at is None
    with database.writing() as session:
        if is_right:
            forgive_failures(session, counted, now=now)
        else:
            count_failed_sign_in(session, account_id=account.id if account else None, step="password", now=now)
            tell_of_failed_sign_ins(session, account=name, now=now)
    if not is_right or account is None:
        raise SignInRefused
    return account


def check_code(
    database: Database,
    *,
    account_id: int,
    credentials: str,
    typed: str,
    source: Source,
    proof: str | None,
    secret_key: str,
    now: datetime,
) -> str:
    """Start a session for the account if the code is right, and return its token; refuse as `check_password` does.

    `credentials` are those with which the right password was given: `CredentialsChanged` once the account has others.
    """
    # Told apart by their length, so that guessing the short ones does not keep out whoever has a long one.
    limit = RECOVERY_TRIES if len(bare_digits(typed) or "") == RECOVERY_DIGITS else CODE_TRIES
    counted = _count_code(database, account_id, limit=limit, source=source, proof=proof, secret_key=secret_key, now=now)
    with database.writing() as session:
        account = lock_account(session, account_id, credentials=credentials)
        used = _use_any_code(session, account, counted, typed, secret_key=secret_key, now=now)
        if used is None:
            _count_wrong_code(session, account, now)
        else:
            forgive_failures(session, counted, now=now)
            token = start_session(session, account=account, proof=used, now=now)
    if used is None:
        raise SignInRefused
    # Before the owner is shown what happened.
    REFUSED_TRIES.write(database, now=now)
    return token


def check_owner(
    database: Database,
    *,
    username: str,
    credentials: str,
    password: str,
    code: str,
    source: Source,
    proof: str,
    secret_key: str,
    now: datetime,
) -> None:
    """Raise as the two checks above unless password and code are right: before a change to one's own account.

    `credentials` are those of the session that asks, and `proof` is that session: whoever found a browser open has few
    tries, and strangers do not use these up.
    """
    account = check_password(
        database, username=username, password=password, source=source, proof=proof, secret_key=secret_key, now=now
    )
    counted = _count_code(
        database, account.id, limit=CODE_TRIES, source=source, proof=proof, secret_key=secret_key, now=now
    )
    with database.writing() as session:
        account = lock_account(session, account.id, credentials=credentials)
        if use_code(session, account=account, typed=code, secret_key=secret_key, now=now):
            forgive_failures(session, counted, now=now)
            return
        _count_wrong_code(session, account, now)
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
    account.in_force_since = now
    codes = renew_recovery_codes(session, account=account, secret_key=secret_key)
    renew_credentials(session, account)
    actor = account_actor(account.id)
    record(session, by=actor, action=AuditAction.AUTHENTICATOR_LINKED, subject=actor, now=now)
    return start_session(session, account=account, proof="authenticator", now=now), codes


def start_session(session: Session, *, account: Account, proof: str, now: datetime) -> str:
    """Begin a session and return its token, which only the browser's cookie keeps."""
    token = secrets.token_urlsafe(24)
    session.add(
        AccountSession(
            digest=digest_of(token),
            account_id=account.id,
            credentials=credentials_of(account),
            expires_at=now + LONGEST_SESSION,
        )
    )
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


def erase_expired_sessions(session: Session, *, now: datetime) -> None:
    """Delete the sessions whose time is over, which open nothing any more."""
    session.execute(delete(AccountSession).where(AccountSession.expires_at <= now))


def end_session(session: Session, *, token: str, account_id: int, now: datetime) -> None:
    """End the session behind a token: every copy of the cookie is void."""
    session.execute(delete(AccountSession).where(AccountSession.digest == digest_of(token)))
    actor = account_actor(account_id)
    record(session, by=actor, action=AuditAction.SIGNED_OUT, subject=actor, now=now)


def _count_code(
    database: Database,
    account_id: int,
    *,
    limit: Limit,
    source: Source,
    proof: str | None,
    secret_key: str,
    now: datetime,
) -> CountedAttempt:
    try:
        return count_attempt(
            database, limit=limit, source=source, subject=str(account_id), proof=proof, secret_key=secret_key, now=now
        )
    except TooManyAttempts:
        REFUSED_TRIES.add(database, account=account_id, now=now)
        raise


def _use_any_code(
    session: Session, account: Account, counted: CountedAttempt, typed: str, *, secret_key: str, now: datetime
) -> str | None:
    """Use up a right code and return what it is of, or None."""
    if counted.limit is not RECOVERY_TRIES:
        is_right = use_code(session, account=account, typed=typed, secret_key=secret_key, now=now)
        return "authenticator" if is_right else None
    if not use_recovery_code(session, account=account, typed=typed, secret_key=secret_key):
        return None
    # The phone is lost, and so may be whatever is signed in on it.
    renew_credentials(session, account)
    return "recovery code"


def _count_wrong_code(session: Session, account: Account, now: datetime) -> None:
    count_failed_sign_in(session, account_id=account.id, step="code", now=now)
    tell_of_failed_sign_ins(session, account=account.id, now=now)


def digest_of(token: str) -> str:
    """Return the stored digest of a token, which is random enough that no key is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
