"""The server that faces phones directly."""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

import waitress

from survey_app.config import Config
from survey_app.errors import JiayuanError

# waitress buffers each request and its threads never wait for a slow phone, but it stops accepting at 100 connections
# unless told otherwise, and 200 slow phones would then keep everyone else out.
MOST_CONNECTIONS = 2000


class CannotListen(JiayuanError):
    """The address is taken, or is not of this machine."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"cannot listen on {address}: {reason}")
        self.address = address


def serve(config: Config, *, host: str, port: int, threads: int, announce: Callable[[], None]) -> None:
    """Serve the site until it is stopped; `announce` is called as soon as connections are accepted."""
    # Imported here, since the site with its dashboards takes seconds to import and no other command needs it.
    from survey_app.application import create_app  # noqa: PLC0415

    app = create_app(config)
    listen = f"{_bracketed(host)}:{port}"
    try:
        server = waitress.create_server(
            app, listen=listen, threads=threads, connection_limit=MOST_CONNECTIONS, ident=None
        )
    except OSError as error:
        raise CannotListen(listen, error.strerror or str(error)) from error
    announce()
    server.run()


def is_unreachable_for_phones(public_url: str) -> bool:
    """Return whether this address means the machine itself: a phone that scans it asks the phone."""
    host = urlsplit(public_url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in {"", "localhost"} or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
