"""Changes that the owner of an account makes alone: the password, the recovery codes, the sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey_app.accounts.accounts import NewPassword, set_password
from survey_app.accounts.credentials import credentials_of, lock_account, renew_credentials
from survey_app.accounts.second_factor import renew_recovery_codes
from survey_app.accounts.sign_in import LONGEST_SESSION, digest_of, start_session
from survey_app.audit import account_actor, record
from survey_app.models import Account, AccountSession
from survey_app.models.vocabulary import AuditAction


@dataclass(frozen=True)
class OwnSession:
    """Session of one browser that is signed in with an account."""

    digest: str
    began_at: datetime
    is_this_one: bool


def own_sessions(session: Session, *, account_id: int, token: str, now: datetime) -> Sequence[OwnSession]:
    """Return the sessions of the account, the latest first; `token` is that of the browser that asks."""
    credentials = credentials_of(session.get_one(Account, account_id))
    lasting = select(AccountSession).filter_by(account_id=account_id, credentials=credentials)
    return [
        OwnSession(row.digest, row.expires_at - LONGEST_SESSION, row.digest == digest_of(token))
        for row in session.scalars(
            lasting.where(AccountSession.expires_at > now).order_by(
                AccountSession.expires_at.desc(), AccountSession.digest
            )
        )
    ]


def end_other_sessions(
    session: Session, *, account_id: int, token: str, digest: str | None = None, now: datetime
) -> int:
    """End the account's session of this digest, or all, but never the one that asks; return how many ended."""
    others = delete(AccountSession).where(
        AccountSession.account_id == account_id, AccountSession.digest != digest_of(token)
    )
    if digest is not None:
        others = others.where(AccountSession.digest == digest)
    ended = len(session.scalars(others.returning(AccountSession.digest)).all())
    if ended:
        actor = account_actor(account_id)
        record(session, by=actor, action=AuditAction.SESSIONS_ENDED, subject=actor, after={"sessions": ended}, now=now)
    return ended


def change_password(
    session: Session, *, account_id: int, credentials: str, password: NewPassword, now: datetime
) -> str:
    """Set another password and return the token of a new session: all that were open have ended."""
    account = lock_account(session, account_id, credentials=credentials)
    set_password(session, account=account, password=password, by=account_actor(account_id), now=now)
    return start_session(session, account=account, proof="authenticator", now=now)


def replace_recovery_codes(
    session: Session, *, account_id: int, credentials: str, secret_key: str, now: datetime
) -> tuple[str, list[str]]:
    """Replace the recovery codes; return the token of a new session, and the codes, which are never shown again.

    All sessions that were open have ended: codes are renewed when somebody may have seen them.
    """
    actor = account_actor(account_id)
    account = lock_account(session, account_id, credentials=credentials)
    codes = renew_recovery_codes(session, account=account, secret_key=secret_key)
    renew_credentials(session, account)
    record(session, by=actor, action=AuditAction.RECOVERY_CODES_RENEWED, subject=actor, now=now)
    token = start_session(session, account=account, proof="authenticator", now=now)
    return token, codes
