"""The dashboards on a Flask server of their own, with a made-up city behind them."""

import socket
import threading

import pytest
from flask import Flask, request
from flask_wtf import CSRFProtect

from analytics.languages import LANGUAGES
from dashboards.app import mount
from tests.conftest import raise_again
from tests.dashboards.made_up import MadeUpCity


def serve_dashboards(source, *, failed=raise_again):
    """Return a Flask server that protects its forms as the site does, with the dashboards on it."""
    server = Flask("made-up site")
    server.config.update(SECRET_KEY="only for tests: 7f3c9a1e5b8d2046", SESSION_COOKIE_SECURE=False)
    CSRFProtect(server)

    def language():
        asked = request.args.get("lang")
        return asked if asked in LANGUAGES else LANGUAGES[0]

    server.dashboards = mount(server, source, language=language, failed=failed)
    return server


@pytest.fixture(scope="session")
def city():
    return MadeUpCity()


@pytest.fixture(scope="session")
def preview_city():
    return MadeUpCity(provisional=True)


@pytest.fixture(scope="session")
def dashboards_address(preview_city):
    """A running server whose newest evaluation is a preview; yields its address."""
    from waitress.server import create_server

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = create_server(serve_dashboards(preview_city), host="127.0.0.1", port=port, threads=4)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}/dashboards/"
    running.close()
    thread.join(timeout=10)
