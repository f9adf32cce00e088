"""The second factor: codes of an authenticator (TOTP, RFC 6238), and recovery codes for when it is lost."""

import hmac
from datetime import datetime

import pyotp
from sqlalchemy import delete
from sqlalchemy.orm import Session

from survey_app.models import Account, RecoveryCode
from survey_app.security.check_digits import bare_digits, new_number
from survey_app.security.digests import keyed_digest
from survey_app.security.encryption import seal, unseal

ISSUER = "Jiayuan"
STEP_SECONDS = 30
# A clock may be half a minute off, and a code may be typed slowly.
STEPS_OFF = 1
RECOVERY_CODES = 10
# 49 random bits behind a limit of tries.
RECOVERY_DIGITS = 16

_PURPOSE = "second factor"


def new_secret() -> str:
    """Return a random TOTP secret in the spelling that authenticators take."""
    return pyotp.random_base32()


def address_of(secret: str, username: str) -> str:
    """Return the `otpauth://totp/…` address that the QR code holds."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def code_at(address: str, now: datetime) -> str:
    """Return the code that an authenticator linked by this address shows now."""
    return pyotp.TOTP(pyotp.parse_uri(address).secret).at(now)


def matching_step(secret: str, typed: str, *, now: datetime, after: int | None = None) -> int | None:
    """Return the time step whose code was typed, if it is close enough to now and later than `after`."""
    code = bare_digits(typed) or ""
    current = int(now.timestamp()) // STEP_SECONDS
    for step in range(current - STEPS_OFF, current + STEPS_OFF + 1):
        is_unused = after is None or step > after
        if hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step), code) and is_unused:
            return step
    return None


def seal_secret(secret: str, *, secret_key: str) -> str:
    """Encrypt the secret, to be stored."""
    return seal(secret, purpose=_PURPOSE, secret_key=secret_key)


def unseal_secret(sealed: str, *, secret_key: str) -> str:
    """Decrypt the secret that was stored."""
    return unseal(sealed, purpose=_PURPOSE, secret_key=secret_key)


def use_code(session: Session, *, account: Account, typed: str, secret_key: str, now: datetime) -> bool:
    """Accept a code of the account's authenticator, which then works no second time."""
    if account.totp_secret is None:
        return False
    secret = unseal_secret(account.totp_secret, secret_key=secret_key)
    step = matching_step(secret, typed, now=now, after=account.totp_last_step)
    if step is None:
        return False
    account.totp_last_step = step
    session.flush()
    return True


def use_recovery_code(session: Session, *, account: Account, typed: str, secret_key: str) -> bool:
    """Accept one of the account's recovery codes, which is gone afterwards."""
    digest = _recovery_digest(account, bare_digits(typed) or "", secret_key)
    used = delete(RecoveryCode).where(RecoveryCode.digest == digest).returning(RecoveryCode.digest)
    return session.scalar(used) is not None


def renew_recovery_codes(session: Session, *, account: Account, secret_key: str) -> list[str]:
    """Replace the account's recovery codes and return the new ones: they are shown once and kept as digests."""
    session.execute(delete(RecoveryCode).filter_by(account_id=account.id))
    codes = [new_number(RECOVERY_DIGITS) for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(digest=_recovery_digest(account, code, secret_key), account_id=account.id) for code in codes
    )
    session.flush()
    return codes


def _recovery_digest(account: Account, code: str, secret_key: str) -> str:
    return keyed_digest(f"{account.id} {code}", purpose="recovery code", secret_key=secret_key)
