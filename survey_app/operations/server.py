"""Web server that faces phones directly."""

import gc
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing, nullcontext, suppress
from types import FrameType

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher
from werkzeug.exceptions import HTTPException

from survey_app.accounts.policies import policy_of
from survey_app.config import Config, host_and_port
from survey_app.errors import JiayuanError
from survey_app.operations.connections import (
    LARGEST_HEAD,
    MOST_CONNECTIONS,
    SECONDS_BETWEEN_LOOKS,
    SECONDS_TO_WAIT,
    SIZE_OF_A_FORM,
    BoundedServer,
    LargestBody,
)
from survey_app.operations.supervisor import supervised_process
from survey_app.operations.watched_sockets import Sockets
from survey_app.web.context import SITE_EXTENSION, Site
from survey_app.web.logs import configure_json_logging

# Files and database connections beside those of phones, and connections that are closed at this moment.
_OTHER_DESCRIPTORS = 200

# How long a thread may keep the interpreter while others want it. Whoever waits for the disk or the database gives it
# away and has to wait for it again, several times for one answer, behind threads that draw pages or count answers; at
# Python's 5 ms that adds up.
_SECONDS_BETWEEN_SWITCHES = 0.0005

# When nothing happens, the server looks for connections that are late.
_SECONDS_BETWEEN_EVENTS = 1.0

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
    sys.setswitchinterval(_SECONDS_BETWEEN_SWITCHES)
    signal.signal(signal.SIGTERM, _stop)
    listen = host_and_port(host, port)
    sockets = Sockets()
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(threads)
    try:
        adjustments = Adjustments(
            listen=listen,
            threads=threads,
            # Room for those that are closed at this moment.
            connection_limit=MOST_CONNECTIONS + _OTHER_DESCRIPTORS // 2,
            channel_timeout=SECONDS_TO_WAIT,
            cleanup_interval=SECONDS_BETWEEN_LOOKS,
            max_request_header_size=LARGEST_HEAD,
            ident=None,
            # The site reads them where it stands behind proxies of its own, and nowhere else.
            clear_untrusted_proxy_headers=False,
        )
        largest_body = largest_body_of(app)
        for sockinfo in adjustments.listen:
            BoundedServer(
                app, sockets, dispatcher=dispatcher, adj=adjustments, sockinfo=sockinfo, largest_body=largest_body
            )
    except (OSError, ValueError) as error:
        dispatcher.shutdown()
        raise CannotListen(listen, getattr(error, "strerror", None) or str(error)) from error
    announce()
    with suppress(SystemExit, KeyboardInterrupt):
        while sockets:
            sockets.handle_events(_SECONDS_BETWEEN_EVENTS)
    _finish(dispatcher)
    sockets.close()


def largest_body_of(app: Flask) -> LargestBody:
    """Return what says how large the body of a request to an application may be: what its policy lets it send."""
    routes = app.url_map.bind("localhost")

    def largest_body(method: str, path: str, content_type: str) -> int:
        try:
            rule, _ = routes.match(path, method, return_rule=True)
        except HTTPException:
            return SIZE_OF_A_FORM
        declared = policy_of(app, rule)
        has_files = content_type.lower().startswith("multipart/form-data")
        return declared.largest_body or SIZE_OF_A_FORM if declared is not None and has_files else SIZE_OF_A_FORM

    return largest_body


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
