"""Encryption at rest, for what the site must read again but a copy of the database must not give away."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet


def seal(text: str, *, purpose: str, secret_key: str) -> str:
    """Return the text encrypted for one purpose; sealed twice it looks different.

    >>> sealed = seal("13800138000", purpose="contact", secret_key="a")
    >>> unseal(sealed, purpose="contact", secret_key="a")
    '13800138000'
    """
    return _cipher(purpose, secret_key).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, purpose: str, secret_key: str) -> str:
    """Return the text again; `cryptography.fernet.InvalidToken` if it was altered or sealed for something else."""
    return _cipher(purpose, secret_key).decrypt(sealed.encode("ascii")).decode()


def _cipher(purpose: str, secret_key: str) -> Fernet:
    key = hmac.digest(secret_key.encode(), b"jiayuan.seal." + purpose.encode(), hashlib.sha256)
    return Fernet(base64.urlsafe_b64encode(key))
