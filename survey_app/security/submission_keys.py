"""Submission keys: a form carries a signed key of its own, so that it counts once however often it arrives."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Self

from itsdangerous import BadData, Signer

from survey_app.errors import InvalidSubmissionKey

_RANDOM_BYTES = 16


class Form(StrEnum):
    """Kind of form that a key was issued for; a key for one kind is worthless in another."""

    RESPONSE = "response"
    COMPLAINT = "complaint"
    CORRECTION = "correction"
    ENTRY = "entry"


@dataclass(frozen=True)
class SubmissionKey:
    """Submission key in the hidden field of a form: its code and round, when it was opened, its own random value.

    Forms that belong to no code, such as those that staff fill in, name none.
    """

    form: Form
    code_id: int | None
    round_id: int | None
    opened_at: datetime
    value: str

    @classmethod
    def new(cls, *, form: Form, code_id: int | None, round_id: int | None, now: datetime) -> Self:
        """Return a new key for a form that is opened now."""
        return cls(form, code_id, round_id, now.replace(microsecond=0), secrets.token_urlsafe(_RANDOM_BYTES))


def sign_key(key: SubmissionKey, *, secret_key: str) -> str:
    """Return the signed text of a key, for the hidden field of a form."""
    parts = (key.code_id, key.round_id, int(key.opened_at.timestamp()), key.value)
    payload = ".".join("" if part is None else str(part) for part in parts)
    return _signer(secret_key, key.form).sign(payload).decode("ascii")


def read_key(text: str, *, form: Form, secret_key: str) -> SubmissionKey:
    """Verify the key that came back with a form; it never grows too old, since a round ends by itself."""
    try:
        payload = _signer(secret_key, form).unsign(text)
    except BadData as error:
        raise InvalidSubmissionKey from error
    code_id, round_id, opened_at, value = payload.decode("ascii").split(".")
    return SubmissionKey(
        form,
        code_id=int(code_id) if code_id else None,
        round_id=int(round_id) if round_id else None,
        opened_at=datetime.fromtimestamp(int(opened_at), UTC),
        value=value,
    )


@lru_cache(maxsize=8)
def _signer(secret_key: str, form: Form) -> Signer:
    return Signer(secret_key, salt=f"jiayuan.key.{form}", key_derivation="hmac", digest_method=hashlib.sha256)
