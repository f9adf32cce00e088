"""A crowd at one poster, and phones so slow that their forms never arrive."""

import asyncio
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlencode, urlsplit

import pytest

from tests.faults.campaign import open_round
from tests.phones import ANSWERS, Answer, Phone
from tests.servers import ForkedServer

CROWD = 1000
SLOW_PHONES = 200
PAGES = 60

pytestmark = pytest.mark.long


async def ask(reader, writer, line, body=b""):
    """Send one request and return its answer and how long that took."""
    start = time.perf_counter()
    head = f"{line} HTTP/1.1\r\nHost: phone\r\nAccept-Encoding: gzip\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode("ascii") + body)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
    answer = Answer(int(head[9:12]), head, b"")
    body = await reader.readexactly(int(answer.header("Content-Length")))
    return Answer(answer.status, head, body), time.perf_counter() - start


async def visit(address, token):
    """Open a form and send it; return both answers with their waits."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        form, opening = await ask(reader, writer, f"GET /s/{token}")
        body = urlencode(ANSWERS | {"key": form.key}).encode("ascii")
        thanks, sending = await ask(reader, writer, f"POST /s/{token}", body)
    finally:
        writer.close()
    return (form.status, thanks.status), (opening, sending)


async def visit_together(address, token):
    return await asyncio.gather(*(visit(address, token) for _ in range(CROWD)))


def test_a_thousand_phones_at_one_poster_are_all_thanked(sqlite_database, config_on):
    token = open_round(sqlite_database)

    with ForkedServer(config_on(sqlite_database)) as server:
        visits = asyncio.run(visit_together(server.address, token))

    assert {statuses for statuses, _ in visits} == {(200, 303)}


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
