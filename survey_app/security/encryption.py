"""Encryption at rest, for what the site must read again but a copy of the database must not reveal."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet


def seal(text: str, *, purpose: str, secret_key: str) -> str:
    """Encrypt a text for one purpose; encrypted twice it looks different.

    >>> sealed = seal("13800138000", purpose="contact", secret_key="a")
    >>> unseal(sealed, purpose="contact", secret_key="a")
    '13800138000'
    """
    return _cipher(purpose, secret_key).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, purpose: str, secret_key: str) -> str:
    """Decrypt a text; `cryptography.fernet.InvalidToken` if it was altered or encrypted for another purpose."""
    return _cipher(purpose, secret_key).decrypt(sealed.encode("ascii")).decode()


def _cipher(purpose: str, secret_key: str) -> Fernet:
    key = hmac.digest(secret_key.encode(), b"jiayuan.seal." + purpose.encode(), hashlib.sha256)
    return Fernet(base64.urlsafe_b64encode(key))
