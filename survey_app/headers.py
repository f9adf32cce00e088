"""What every answer tells the browser it may do."""

from flask import Flask, Response, request

_STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def init_app(app: Flask) -> None:
    """Send the security headers with every answer; a page with a policy of its own keeps it."""
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _STRICT_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    # The token of a code stands in the address: it must not travel to other hosts.
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
