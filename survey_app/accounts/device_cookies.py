"""Device cookies: signed proof that an account has signed in with this browser before.

They open nothing. Wrong passwords from elsewhere cannot use up the tries that such a browser has (OWASP calls this
device cookies). A browser in an office knows several accounts.
"""

import secrets
from datetime import timedelta
from typing import cast

from flask import after_this_request, current_app, request
from itsdangerous import BadData
from werkzeug.wrappers import Response

from survey_app.security.digests import keyed_digest
from survey_app.security.signatures import read_signed, sign
from survey_app.web.context import site

LIFETIME = timedelta(days=400)  # the longest that browsers keep a cookie
MOST_ACCOUNTS = 8
_PURPOSE = "device"


def remember_device(username: str) -> None:
    """Let this browser prove from now on that the account has signed in with it."""
    account = _account(username)
    known = [entry for entry in _entries() if entry[0] != account][: MOST_ACCOUNTS - 1]
    text = sign([[account, secrets.token_urlsafe(12)], *known], purpose=_PURPOSE, secret_key=site().config.secret_key)

    @after_this_request
    def send(response: Response) -> Response:
        response.set_cookie(
            _cookie_name(),
            text,
            max_age=LIFETIME,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def device_proof(username: str) -> str | None:
    """Return the proof that this browser carries for an account, if it has signed in with it before."""
    account = _account(username)
    return next((f"device {nonce}" for known, nonce in _entries() if known == account), None)


def _entries() -> list[tuple[str, str]]:
    text = request.cookies.get(_cookie_name(), "")
    try:
        return cast(list[tuple[str, str]], read_signed(text, purpose=_PURPOSE, secret_key=site().config.secret_key))
    except BadData:
        return []


def _account(username: str) -> str:
    # The cookie of a computer that many use does not say who they are.
    return keyed_digest(username, purpose=_PURPOSE, secret_key=site().config.secret_key)[:16]


def _cookie_name() -> str:
    # With this prefix a browser takes the cookie from this host alone, not from a page on a sister domain.
    return "__Host-device" if current_app.config["SESSION_COOKIE_SECURE"] else "device"
