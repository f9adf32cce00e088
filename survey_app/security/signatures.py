"""Signatures of texts that the site hands out and verifies when they come back."""

import hashlib
from functools import lru_cache

from itsdangerous import URLSafeSerializer


def sign(content: object, *, purpose: str, secret_key: str) -> str:
    """Return signed text for an address or a hidden field; what was signed for one purpose is worthless for another."""
    signed = _serializer(purpose, secret_key).dumps(content)
    return signed if isinstance(signed, str) else signed.decode("ascii")


def read_signed(text: str, *, purpose: str, secret_key: str) -> object:
    """Verify signed text and return what was signed, or raise `itsdangerous.BadData` when it was altered."""
    content: object = _serializer(purpose, secret_key).loads(text)
    return content


@lru_cache(maxsize=32)
def _serializer(purpose: str, secret_key: str) -> URLSafeSerializer:
    signer = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeSerializer(secret_key, salt=f"jiayuan.{purpose}", signer_kwargs=signer)
