"""`python -m tests.servers KIND PORT`: servers to compare the site with, or to show that a test can fail."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import Future
from contextlib import nullcontext
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from survey_app.app.factory import create_app
from survey_app.config import DEFAULT_THREADS, REPOSITORY, Config
from survey_app.errors import WriterBusy
from survey_app.operations.server import run_http_server, serve_app
from survey_app.storage.database import Database
from survey_app.storage.group_commit import Writer
from survey_app.storage.insert_once import insert_once
from survey_app.web.context import SITE_EXTENSION
from survey_app.web.logs import configure_json_logging

HOST = "127.0.0.1"


class Server:
    """A server in a process of its own: `serve` is the site as it is delivered, other kinds are those of `main`."""

    def __init__(self, kind, config, *, errors=None):
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://{HOST}:{self._port}"
        self._kind, self._config, self._errors = kind, config, errors
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_error):
        self.stop()

    def start(self):
        """Start it and wait until it accepts connections."""
        module = ["survey_app", "serve", "--port"] if self._kind == "serve" else ["tests.servers", self._kind]
        environ = os.environ | self._config.with_public_url(self.address).to_env()
        errors = self._errors.open("ab") if self._errors else None
        self._process = subprocess.Popen(
            [sys.executable, "-m", *module, str(self._port)],
            env=environ, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip
        if errors:
            errors.close()
        if not self._process.stdout.readline():
            raise RuntimeError(f"the server ended with status {self._process.wait()} before it served")

    def kill(self):
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self):
        """Tell it to end, and wait until it has; return its status."""
        return self._end(signal.SIGTERM)

    def processor_seconds(self):
        """Return the processor time of all its threads up to now."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def _end(self, how):
        self._process.send_signal(how)
        self._process.stdout.close()
        return self._process.wait(timeout=300)


class ForkedServer(Server):
    """A server of a kind of `main`, forked from a process that has imported all of it: up again within a second."""

    def __init__(self, config, *, kind="site", errors=None):
        super().__init__(kind, config, errors=errors)

    def start(self):
        forks = get_context("forkserver")
        forks.set_forkserver_preload(["tests.servers", "dashboards.app"])
        listening, announcement = forks.Pipe(duplex=False)
        config = self._config.with_public_url(self.address)
        self._process = forks.Process(
            target=serve_forked, args=(self._kind, config, self._port, announcement, self._errors)
        )
        self._process.start()
        announcement.close()
        listening.recv()
        listening.close()

    def _end(self, how):
        if self._process.is_alive():
            os.kill(self._process.pid, how)
        self._process.join(300)
        return self._process.exitcode


def serve_forked(kind, config, port, announcement, errors):
    if errors:
        with errors.open("ab") as file:
            os.dup2(file.fileno(), sys.stderr.fileno())
    main(kind, config, port, announce=lambda: announcement.send("listening"))


def insert_checked(session, insertion, values):
    return all(insertion.check(session, [values])) and insert_once(session, insertion.table, values)


class OtherWriter(Writer):
    """Has another way to run a job, which a row is to it as well."""

    def insert_once(self, insertion, values):
        return self.run(partial(insert_checked, insertion=insertion, values=values))


class ForgetfulWriter(OtherWriter):
    """Checks all that the site checks and writes nothing."""

    def run(self, _job):
        return "1" * 14


class MuteWriter(OtherWriter):
    """Commits, and never comes to say so."""

    def run(self, job):
        super().run(job)
        Event().wait()


class BrokenWriter(OtherWriter):
    """Fails in every way it can, with what was typed in the message."""

    def __init__(self, database):
        super().__init__(database)
        self._failures = iter([OperationalError, WriterBusy, RuntimeError])

    def run(self, job):
        typed = repr(job)
        failure = next(self._failures)
        raise failure(typed, {}, Exception(typed)) if failure is OperationalError else failure(typed)


class CarelessWriter(OtherWriter):
    """Thanks before it has committed: what no server may do, and what the harness of kills must notice."""

    def run(self, job):
        thanks = Future()
        Thread(target=self._write_later, args=(job, thanks)).start()
        return thanks.result()

    def _write_later(self, job, thanks):
        with self._database.writing() as session:
            thanks.set_result(job(session))
            time.sleep(0.1)


def say_hello():
    app = Flask("hello")
    app.add_url_rule("/", view_func=lambda: "Hello, World!")
    return app


def site_with(config, writer_class):
    app = create_app(config)
    site = app.extensions[SITE_EXTENSION]
    # In place, since the form cache holds the same site.
    object.__setattr__(site, "writer", writer_class(site.database))
    return app


def main(kind, config, port, *, announce):
    configure_json_logging()
    where = {"host": HOST, "port": port, "threads": DEFAULT_THREADS, "announce": announce}
    match kind:
        case "hello":
            run_http_server(say_hello(), **where)
        case "site":
            serve_app(create_app(config), **where)
        case "validating":
            serve_app(site_with(config, ForgetfulWriter), **where)
        case "mute":
            serve_app(site_with(config, MuteWriter), **where)
        case "out-of-order":
            serve_app(site_with(config, BrokenWriter), **where)
        case "careless":
            # Its writer is not started: it has its own way.
            run_http_server(site_with(config, CarelessWriter), **where)
        case "committing-each":
            # A writer that is not started commits for each request by itself; SQLite alone says who is next.
            Database._write_lock = nullcontext
            run_http_server(create_app(config), **where)
        case _:
            raise SystemExit(f"no server is called {kind}")


if __name__ == "__main__":
    main(sys.argv[1], Config.from_env(), int(sys.argv[2]), announce=lambda: click.echo("listening"))
