"""Web server that faces phones directly."""

import gc
import ipaddress
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing, nullcontext, suppress
from types import FrameType
from urllib.parse import urlsplit

import waitress
from flask import Flask
from waitress import wasyncore
from waitress.task import ThreadedTaskDispatcher

from survey_app.config import Config
from survey_app.errors import JiayuanError
from survey_app.operations.supervisor import supervised_process
from survey_app.web.context import SITE_EXTENSION, Site
from survey_app.web.logs import configure_json_logging

# waitress buffers each request and its threads never wait for a slow phone, but it stops accepting at 100 connections
# unless told otherwise, and 200 slow phones would then keep everyone else out.
MOST_CONNECTIONS = 2000
# Files and database connections beside them.
_OTHER_DESCRIPTORS = 200

# What has arrived is still answered within this time when the server is told to stop.
_SECONDS_TO_FINISH = 10


class CannotListen(JiayuanError):
    """The address is in use, or is not of this machine."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"cannot listen on {address}: {reason}")
        self.address = address


def serve(
    config: Config,
    create_app: Callable[[Config], Flask],
    *,
    host: str,
    port: int,
    threads: int,
    announce: Callable[[], None],
    runs_jobs: bool = True,
) -> None:
    """Serve the site until it is stopped; `announce` is called as soon as connections are accepted.

    Beside it runs a process that does the recurring work, unless that is done elsewhere.
    """
    configure_json_logging()
    app = create_app(config)
    worker = [sys.executable, "-m", "survey_app", "work", "--attached"]
    with supervised_process(worker, config.to_env()) if runs_jobs else nullcontext():
        serve_app(app, host=host, port=port, threads=threads, announce=announce)


def serve_app(app: Flask, *, host: str, port: int, threads: int, announce: Callable[[], None]) -> None:
    """Serve an application; when told to stop it answers what has arrived, and writes what waits to be written."""
    site: Site = app.extensions[SITE_EXTENSION]
    # A fourth of the threads is kept for pages, even while all that write wait for the disk.
    site.writer.start(max_pending=max(1, threads - threads // 4))
    # What was imported stays: collecting garbage in all of it again and again would stop every phone meanwhile.
    gc.freeze()
    with site.database, closing(site.writer):
        run_http_server(app, host=host, port=port, threads=threads, announce=announce)


def run_http_server(app: Flask, *, host: str, port: int, threads: int, announce: Callable[[], None]) -> None:
    """Answer requests until the process is told to stop."""
    _allow_many_connections()
    signal.signal(signal.SIGTERM, _stop)
    listen = f"{_bracketed(host)}:{port}"
    sockets: dict[int, wasyncore.dispatcher] = {}
    try:
        server = waitress.create_server(
            app,
            map=sockets,
            listen=listen,
            threads=threads,
            connection_limit=MOST_CONNECTIONS,
            ident=None,
            # The site reads them where it stands behind proxies of its own, and nowhere else.
            clear_untrusted_proxy_headers=False,
        )
    except OSError as error:
        raise CannotListen(listen, error.strerror or str(error)) from error
    announce()
    with suppress(SystemExit, KeyboardInterrupt):
        # Not by select, which cannot watch a thousand sockets.
        wasyncore.loop(timeout=1, map=sockets, use_poll=True)
    _finish(server.task_dispatcher)
    wasyncore.close_all(sockets)


def is_local_only(public_url: str) -> bool:
    """Return whether this address means the machine itself (loopback): a phone that scans it asks the phone."""
    host = urlsplit(public_url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in {"", "localhost"} or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit


def _finish(dispatcher: ThreadedTaskDispatcher) -> None:
    """Answer the requests that have arrived, which waitress by itself would drop."""
    deadline = time.monotonic() + _SECONDS_TO_FINISH
    while dispatcher.queue and time.monotonic() < deadline:
        time.sleep(0.01)
    dispatcher.shutdown(timeout=_SECONDS_TO_FINISH)


def _allow_many_connections() -> None:
    wanted = MOST_CONNECTIONS + _OTHER_DESCRIPTORS
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        granted = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, most))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
