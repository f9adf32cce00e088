"""Security headers of every response."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask

from survey_app.web.context import SITE_EXTENSION, Site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Name of the header that `policy_with_style` belongs to.
POLICY_HEADER = "Content-Security-Policy"
# Nothing on our pages uses any of these; photos come through the phone's own camera app.
_UNUSED_FEATURES = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
)
_HEADERS = (
    (POLICY_HEADER, _STRICT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    # The token of a code stands in the address: it must not travel to other hosts.
    ("Referrer-Policy", "same-origin"),
    # Responses that may be cached say so themselves.
    ("Cache-Control", "no-store"),
    # For caches that store all the same: a page depends on these headers, and on no other.
    ("Vary", "Accept-Encoding, Accept-Language, Cookie"),
    # A page of another host that opened ours keeps no hold on it, and none shows our pictures and files as its own.
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
# Only a document uses features; a redirect or a script would carry these two hundred bytes to a weak network in vain.
_OF_DOCUMENTS = ("Permissions-Policy", ", ".join(f"{feature}=()" for feature in _UNUSED_FEATURES))
# A year, for this host alone: what else the city serves below its name is its own affair.
_HTTPS_ONLY = ("Strict-Transport-Security", "max-age=31536000")
# At sign-out. Neither "cookies", which would sign an official out of every other site below the same registered name,
# nor "storage": staff pages keep nothing there, but a resident's draft on a phone that was lent may be.
CLEAR_AT_SIGN_OUT = ("Clear-Site-Data", '"cache"')


def policy_with_style(source: str) -> str:
    """Return the policy of a page that carries one style inside, which `source` allows by its digest."""
    return _STRICT_POLICY.replace("style-src 'self'", f"style-src 'self' {source}")


def init_app(app: Flask) -> None:
    """Send the security headers with every response; one that has a policy of its own keeps it."""
    # As WSGI middleware: adding a few headers there costs a tenth of what it costs on a Flask response.
    site: Site = app.extensions[SITE_EXTENSION]
    is_https = site.config.public_url.startswith("https://")
    headers = (*_HEADERS, _HTTPS_ONLY) if is_https else _HEADERS
    app.wsgi_app = _secured(app.wsgi_app, headers)  # type: ignore[assignment, method-assign]


def _secured(application: "WSGIApplication", added: Sequence[tuple[str, str]]) -> "WSGIApplication":
    names = tuple((header, header[0].lower()) for header in added)

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
            headers += [header for header, name in names if name not in present]
            if "location" not in present and _is_document(headers):
                headers.append(_OF_DOCUMENTS)
            return start_response(status, headers, *error)

        return application(environ, start)

    return answer


def _is_document(headers: list[tuple[str, str]]) -> bool:
    return any(name.lower() == "content-type" and value.startswith("text/html") for name, value in headers)


def _without_cookies_unless_private(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers without cookies if a cache may keep the response: it would hand one person's to the next."""
    if any(name.lower() == "cache-control" and "no-store" in value for name, value in headers):
        return headers
    return [header for header in headers if header[0].lower() != "set-cookie"]


def _own_path(location: str) -> str:
    """Return the address of a redirect as a path of this site: under whatever host it is visited, it stays there."""
    parts = urlsplit(location)
    return parts._replace(scheme="", netloc="", path="/" + parts.path.lstrip("/\\")).geturl()
