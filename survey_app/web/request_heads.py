"""Head of a request reduced to what the site reads: no other header, host or query name reaches anything behind it."""

import ipaddress
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import Flask

from survey_app.web.context import SITE_EXTENSION, Site
from survey_app.web.query_names import known_query

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HEADERS: Final = frozenset(
    {
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_ENCODING",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_COOKIE",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_IF_NONE_MATCH",
        "HTTP_IF_RANGE",
        "HTTP_RANGE",
        # The dashboards send the token of their page in it.
        "HTTP_X_CSRFTOKEN",
    }
)
_FORWARDED_FOR: Final = "HTTP_X_FORWARDED_FOR"
# A proxy on the machine itself may speak for anybody.
_OF_PROXIES: Final = ("HTTP_FORWARDED", "HTTP_VIA", _FORWARDED_FOR, "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP")
FROM_THIS_MACHINE: Final = "jiayuan.from_this_machine"
"""Key of the environment: whether a request came from the machine itself, to an address of its own.

A page elsewhere can send a browser of the machine here under another name, and read the answer.
"""
_HOST: Final = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\[\]:]+))(?::[0-9]+)?")
_PORTS: Final = {"http": "80", "https": "443"}


def init_app(app: Flask) -> None:
    """Wrap the WSGI application, outside of all else that reads requests."""
    site: Site = app.extensions[SITE_EXTENSION]
    app.wsgi_app = _with_reduced_heads(  # type: ignore[assignment, method-assign]
        app.wsgi_app, site.config.public_url, trusts_proxies=site.config.trusted_proxies > 0
    )


def _with_reduced_heads(application: "WSGIApplication", public_url: str, *, trusts_proxies: bool) -> "WSGIApplication":
    """Return a WSGI application that sees of a request what the site reads, and its own public address as the host.

    A request for another host is answered like any other: the site may stand behind a proxy that names another one,
    or be tried on a phone in the same network. The host that it names decides nothing: links and redirects begin with
    a slash, and complete addresses with the public address of the settings.
    """
    headers = _HEADERS | {_FORWARDED_FOR} if trusts_proxies else _HEADERS
    address = _address_of(public_url)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        reduced = {name: value for name, value in environ.items() if name[:5] != "HTTP_" or name in headers}
        reduced.update(address)
        reduced[FROM_THIS_MACHINE] = _is_from_this_machine(environ)
        if query := environ.get("QUERY_STRING"):
            reduced["QUERY_STRING"] = known_query(environ.get("PATH_INFO", ""), query)
        return application(reduced, start_response)

    return answer


def is_loopback(host: str) -> bool:
    """Return whether a host is the machine itself, which nobody else reaches under this name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_from_this_machine(environ: "WSGIEnvironment") -> bool:
    if not is_loopback(environ.get("REMOTE_ADDR", "")) or any(header in environ for header in _OF_PROXIES):
        return False
    called = _HOST.fullmatch(environ.get("HTTP_HOST", ""))
    return called is not None and is_loopback(called[1] or called[2])


def _address_of(public_url: str) -> dict[str, str]:
    parts = urlsplit(public_url)
    scheme = "https" if parts.scheme == "https" else "http"
    host = (parts.hostname or "localhost").encode("idna").decode("ascii")
    bracketed = f"[{host}]" if ":" in host else host
    return {
        "HTTP_HOST": bracketed if parts.port is None else f"{bracketed}:{parts.port}",
        "SERVER_NAME": host,
        "SERVER_PORT": _PORTS[scheme] if parts.port is None else str(parts.port),
        "wsgi.url_scheme": scheme,
    }
