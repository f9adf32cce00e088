"""Security headers of every response."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("Content-Security-Policy", _STRICT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    # The token of a code stands in the address: it must not travel to other hosts.
    ("Referrer-Policy", "same-origin"),
    # Responses that may be cached say so themselves.
    ("Cache-Control", "no-store"),
    # For caches that store all the same: a page depends on these headers, and on no other.
    ("Vary", "Accept-Encoding, Accept-Language, Cookie"),
)


def init_app(app: Flask) -> None:
    """Send the security headers with every response; one that has a policy of its own keeps it."""
    # As WSGI middleware: adding a few headers there costs a tenth of what it costs on a Flask response.
    app.wsgi_app = _secured(app.wsgi_app)  # type: ignore[assignment, method-assign]


def _secured(application: "WSGIApplication") -> "WSGIApplication":
    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            present = {name.lower() for name, _ in headers}
            if "cache-control" in present:
                headers = _without_cookies_unless_private(headers)
            elif "vary" in present:  # Flask names the cookie alone
                headers = [header for header in headers if header[0].lower() != "vary"]
                present.remove("vary")
            if "location" in present:
                headers = [(name, _own_path(value) if name.lower() == "location" else value) for name, value in headers]
            headers += [header for header in _HEADERS if header[0].lower() not in present]
            return start_response(status, headers, *error)

        return application(environ, start)

    return answer


def _without_cookies_unless_private(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers without cookies if a cache may keep the response: it would hand one person's to the next."""
    if any(name.lower() == "cache-control" and "no-store" in value for name, value in headers):
        return headers
    return [header for header in headers if header[0].lower() != "set-cookie"]


def _own_path(location: str) -> str:
    """Return the address of a redirect as a path of this site: under whatever host it is visited, it stays there."""
    parts = urlsplit(location)
    return parts._replace(scheme="", netloc="", path="/" + parts.path.lstrip("/\\")).geturl()
