"""A crowd at one poster, and phones so slow that their forms never arrive."""

import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.crowds import get, post, visit_together
from tests.faults.campaign import open_round
from tests.phones import ANSWERS, Phone
from tests.servers import ForkedServer

CROWD = 1000
SLOW_PHONES = 200
PAGES = 60

pytestmark = pytest.mark.long


def visit(token):
    """Open a form and send it."""
    form = yield get(f"/s/{token}")
    yield post(f"/s/{token}", ANSWERS | {"key": form.key})


def test_a_thousand_phones_at_one_poster_are_all_thanked(sqlite_database, config_on):
    token = open_round(sqlite_database)

    with ForkedServer(config_on(sqlite_database)) as server:
        visits = visit_together([server.address], [visit(token) for _ in range(CROWD)])

    assert {tuple(answer.status for answer, _wait in answers) for answers in visits} == {(200, 303)}


def test_two_hundred_forms_that_never_arrive_keep_nobody_else_waiting(sqlite_database, config_on):
    token = open_round(sqlite_database)

    with ForkedServer(config_on(sqlite_database)) as server, ExitStack() as opened:
        parts = urlsplit(server.address)
        for _ in range(SLOW_PHONES):
            slow = opened.enter_context(socket.create_connection((parts.hostname, parts.port)))
            slow.sendall(f"POST /s/{token} HTTP/1.1\r\nHost: phone\r\nContent-Length: 4000\r\n\r\nq01=".encode("ascii"))
        for _ in range(PAGES):
            with Phone(server.address) as phone:
                assert phone.get(f"/s/{token}").status == 200
