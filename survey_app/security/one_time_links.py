"""One-time links: signed, valid for a while, void once the state that they were signed for has changed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from survey_app.errors import JiayuanError


class LinkExpired(JiayuanError):
    """The link was altered, is too old, or was used already."""

    status = 410
    page = "errors/link_expired.html"


def sign_link(values: Sequence[Any], *, purpose: str, secret_key: str, now: datetime) -> str:
    """Return the signed part of a link, which says what it is for and since when."""
    signed = _serializer(purpose, secret_key).dumps([int(now.timestamp()), *values])
    return signed if isinstance(signed, str) else signed.decode("ascii")


def read_link(text: str, *, purpose: str, secret_key: str, lifetime: timedelta, now: datetime) -> list[Any]:
    """Return the values that a link was signed with, or raise `LinkExpired`."""
    values: list[Any]
    try:
        signed_at, *values = _serializer(purpose, secret_key).loads(text)
    except BadData as error:
        raise LinkExpired from error
    if datetime.fromtimestamp(signed_at, UTC) + lifetime <= now:
        raise LinkExpired
    return values


def _serializer(purpose: str, secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt=f"jiayuan.link.{purpose}", signer_kwargs={"key_derivation": "hmac"})
