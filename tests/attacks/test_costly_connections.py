"""Connections that nobody uses, requests that never arrive and bodies without end: none of them keeps others out."""

import resource
import socket
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from threading import Event, Thread
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from waitress.adjustments import Adjustments

from survey_app.accounts.policies import IMPORTING, SENDING_PHOTOS
from survey_app.attachments.kinds import PHOTO
from survey_app.codes.codes import issue_poster_code
from survey_app.operations import connections
from survey_app.operations.connections import SECONDS_TO_TAKE, BoundedChannel, channel_to_close
from survey_app.operations.server import largest_body_of
from survey_app.operations.watched_sockets import PolledSockets
from tests.attacks.costly_photos import multipart, of_many_scans
from tests.attacks.processor_time import is_within
from tests.factories import make_community
from tests.phones import Phone, together
from tests.servers import ForkedServer
from tests.serving import hello, serving

IDLE = 2050
BOMBS = 40


def endless(_environ, start_response):
    start_response("200 OK", [])
    return (b"a" * 2**20 for _ in range(200))


def answer_to(place, request, *, timeout=30):
    """Send bytes and return all that comes until the server hangs up."""
    with socket.create_connection(place, timeout) as phone:
        parts = []
        # Whoever goes on sending after the answer may find the connection reset.
        with suppress(ConnectionError):
            phone.sendall(request)
            while part := phone.recv(65536):
                parts.append(part)
        return b"".join(parts)


def place_of(address):
    parts = urlsplit(address)
    return parts.hostname, parts.port


@pytest.fixture
def impatience(monkeypatch):
    """Let the server lose its patience within a second."""
    for name in ("SECONDS_TO_WAIT", "SECONDS_FOR_HEAD", "SECONDS_FOR_BODY", "SECONDS_TO_TAKE"):
        monkeypatch.setattr(connections, name, 0.4)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTT",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\na=",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na=",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 400\r\n\r\n",
    ],
)
@pytest.mark.usefixtures("impatience")
def test_a_request_that_never_arrives_is_given_up_even_when_it_drips(sent):
    with serving(hello) as place, socket.create_connection(place, 30) as slow:
        slow.sendall(sent)
        began_at, is_closed = time.monotonic(), False
        while not is_closed and time.monotonic() - began_at < 120:
            try:
                if sent:
                    slow.sendall(b"a")
                slow.settimeout(0.05)
                is_closed = slow.recv(100) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                is_closed = True

        assert is_closed


def test_an_answer_that_took_long_to_make_has_its_whole_time_to_be_taken(monkeypatch):
    nobody = SimpleNamespace(pull_trigger=lambda: None)
    server = SimpleNamespace(active_channels={}, trigger=nobody, pull_trigger=lambda: None)
    monkeypatch.setattr(BoundedChannel, "_flush_some", lambda _channel, **_options: False)  # nothing is taken
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = BoundedChannel(server, ours, ("192.0.2.1", 80), Adjustments(), map=PolledSockets())
        channel.requests.append(object())
        channel.last_activity -= 10 * SECONDS_TO_TAKE
        channel.write_soon(b"HTTP/1.1 200 OK")

        assert not channel.is_late(time.monotonic())

        channel.offered_at -= 2 * SECONDS_TO_TAKE
        channel.write_soon(b"\r\n")
        assert channel.is_late(time.monotonic())


@pytest.mark.usefixtures("impatience")
def test_a_page_that_nobody_takes_keeps_its_thread_no_longer():
    with serving(endless, threads=1) as place, socket.create_connection(place, 30) as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

        # One thread: this is answered only once the other was given up.
        with socket.create_connection(place, 30) as phone:
            phone.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert phone.recv(15).startswith(b"HTTP/1.1 200")


def test_a_kept_connection_is_served_again_within_its_time():
    with serving(hello) as place, Phone(f"http://127.0.0.1:{place[1]}") as phone:
        for _ in range(3):
            assert phone.get("/").body == b"hello"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /?" + "a" * 200_000 + " HTTP/1.1\r\nHost: a", 431),
        ("GET / HTTP/1.1\r\nHost: a\r\nCookie: " + "a" * 200_000, 431),
        ("GET / HTTP/1.1\r\nHost: a" + "\r\nX-A: a" * 20_000, 431),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + "9" * 5000, 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999", 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 300001", 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked", 413),
    ],
)
def test_what_is_too_large_is_refused_by_its_head(head, status):
    body = b"40000\r\n" + b"a" * 0x40000 + b"\r\n" + b"10\r\n" + b"a" * 16 if "chunked" in head else b""

    with serving(hello, largest_body=lambda *_: connections.SIZE_OF_A_FORM) as place:
        answer = answer_to(place, head.encode() + b"\r\n\r\n" + body)

    assert not answer or answer.startswith((b"HTTP/1.1 %d" % status, b"HTTP/1.0 %d" % status)), answer[:100]
    assert b"hello" not in answer


@pytest.mark.parametrize("encoding", ["announced", "chunked"])
@pytest.mark.parametrize("size", [400_000, 20_000_000])
def test_whoever_sends_all_before_reading_still_reads_why_it_was_refused(size, encoding):
    with (
        serving(hello, largest_body=lambda *_: connections.SIZE_OF_A_FORM) as place,
        socket.create_connection(place, 60) as phone,
    ):
        length = f"Content-Length: {size}" if encoding == "announced" else "Transfer-Encoding: chunked"
        phone.sendall(f"POST / HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n".encode())
        for _ in range(size // 20_000):
            part = b"GET / HTTP/1.1\r\n\r\n" * 1000
            phone.sendall(part if encoding == "announced" else b"%x\r\n%b\r\n" % (len(part), part))
        answer = b""
        while part := phone.recv(65536):
            answer += part

    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.count(b"HTTP/1.1") == 1, "what was sent is no request of its own"
    assert "提交的内容过大".encode() in answer


def test_a_sender_without_end_is_cut_off_after_the_answer(monkeypatch):
    monkeypatch.setattr(connections, "MOST_DRAINED_BYTES", 3_000_000)
    sent = 0
    with (
        serving(hello, largest_body=lambda *_: connections.SIZE_OF_A_FORM) as place,
        socket.create_connection(place, 30) as phone,
    ):
        phone.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000\r\n\r\n")
        with suppress(ConnectionError):
            while sent < 900_000_000:
                phone.sendall(b"a" * 100_000)
                sent += 100_000

    # Beside what lies in the buffers of both sides.
    assert sent < 40_000_000


def test_a_sender_that_stays_silent_after_a_refusal_is_cut_off_in_time(monkeypatch):
    monkeypatch.setattr(connections, "SECONDS_TO_DRAIN", 0.4)
    with (
        serving(hello, largest_body=lambda *_: connections.SIZE_OF_A_FORM) as place,
        socket.create_connection(place, 30) as phone,
    ):
        phone.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")
        while phone.recv(65536):
            pass
        is_closed = False
        for _ in range(200):
            try:
                phone.sendall(b"a")
            except ConnectionError:
                is_closed = True
                break
            Event().wait(0.05)
    assert is_closed


def test_large_bodies_together_have_a_room(monkeypatch):
    monkeypatch.setattr(connections, "MOST_WAITING_BYTES_OF_ONE", 1_000_000)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 400000\r\n\r\n"

    with serving(hello) as place, ExitStack() as opened:
        for _ in range(2):
            opened.enter_context(socket.create_connection(place, 30)).sendall(head)
        time_left = time.monotonic() + 120
        while b"hello" in answer_to(place, head + b"a" * 400_000):
            assert time.monotonic() < time_left
        opened.close()
        while b"hello" not in (answer := answer_to(place, head + b"a" * 400_000)):
            assert time.monotonic() < time_left, answer


def test_the_policy_of_a_route_says_how_large_its_body_may_be(app):
    largest = largest_body_of(app)
    form = "multipart/form-data; boundary=a"

    assert SENDING_PHOTOS.largest_body == PHOTO.largest_form_bytes
    assert largest("POST", "/s/20000000000000000001", form) == PHOTO.largest_form_bytes
    assert largest("POST", "/c/20000000000000000001/check", form) == PHOTO.largest_form_bytes
    assert largest("POST", "/staff/communities/import", form) == IMPORTING.largest_body <= PHOTO.largest_bytes
    for method, path, kind in (
        ("POST", "/s/20000000000000000001", "application/x-www-form-urlencoded"),
        ("GET", "/s/20000000000000000001", form),
        ("POST", "/sign-in", form),
        ("POST", "/nowhere", form),
        ("PUT", "/s/1", form),
        ("POST", "/r/a/correction", form),
        ("POST", "/" * 5000, form),
        ("POST", "/dashboards/_dash-update-component", "application/json"),
    ):
        assert largest(method, path, kind) == connections.SIZE_OF_A_FORM, path


class Held:
    """A connection as the choice of which to close sees it."""

    def __init__(self, source, waits_since, *, is_waiting=True):
        self.source, self.waits_since, self.is_waiting = source, waits_since, is_waiting


def test_the_one_that_waits_longest_where_most_are_held_is_closed():
    crowd = [Held("a", number) for number in range(1100)]
    neighbours = [Held("b", -number) for number in range(900)]

    assert channel_to_close(crowd + neighbours) is None
    assert channel_to_close([*crowd, *neighbours, Held("c", 2000)]) is crowd[0]
    busy = [Held("a", number, is_waiting=False) for number in range(1100)]
    assert channel_to_close([*busy, *neighbours, Held("c", 2000)]) is neighbours[-1]
    assert channel_to_close([Held(str(n), n, is_waiting=False) for n in range(2001)]) is None


def test_one_address_holds_three_quarters_and_no_more():
    crowd = [Held("a", number) for number in range(1501)]

    assert channel_to_close(crowd[:-1]) is None
    assert channel_to_close(crowd) is crowd[0]


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("this machine allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
def test_two_thousand_idle_connections_of_one_address_keep_nobody_out(config):
    with ForkedServer(config) as server, ExitStack() as opened:
        for number in range(IDLE):
            idle = opened.enter_context(socket.create_connection(place_of(server.address), 60))
            if number % 3 == 0:
                idle.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        for _ in range(20):
            with Phone(server.address, timeout=30) as phone:
                assert phone.get("/healthz").status == 200


def send_form(address, path, body):
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    head += "Content-Type: multipart/form-data; boundary=edge\r\n\r\n"
    return answer_to(place_of(address), head.encode() + body, timeout=300)


@pytest.mark.parametrize("has_code", [True, False])
def test_pages_are_answered_while_forty_bombs_arrive(config, sqlite_database, has_code):
    with sqlite_database.writing() as session:
        token = issue_poster_code(session, community=make_community(session), now=datetime.now(UTC)).token
    bombs = [of_many_scans(200), of_many_scans(5), of_many_scans(6, side=6900), of_many_scans(12, side=5000)]
    text = "电梯停了三天"
    path = f"/c/{token}/check" if has_code else "/c/0/check"
    waits, is_over = [], Event()

    def look(address):
        while not is_over.is_set():
            began_at = time.monotonic()
            with Phone(address, timeout=60) as phone:
                assert phone.get("/healthz").status == 200
            waits.append(time.monotonic() - began_at)
            is_over.wait(0.05)

    with ForkedServer(config) as server:
        watch = Thread(target=look, args=(server.address,))
        watch.start()
        try:
            bodies = [
                multipart(
                    {"text": text, "number": number}, [("photo", bombs[(number + n) % 4] + b"%d" % n) for n in range(3)]
                )
                for number in range(BOMBS)
            ]
            answers = together(lambda body=body: send_form(server.address, path, body) for body in bodies)
        finally:
            is_over.set()
            watch.join()

    assert {int(answer[9:12]) for answer in answers} == ({400} if has_code else {404})
    assert all((text.encode() in answer) is has_code for answer in answers)
    assert len(waits) > 1
    # A page takes two units.
    assert is_within(max(waits), 250, time.monotonic), waits


def test_a_long_address_is_refused_in_words_and_kept_nowhere(config, sqlite_database):
    with sqlite_database.writing() as session:
        token = issue_poster_code(session, community=make_community(session), now=datetime.now(UTC)).token
    with ForkedServer(config) as server, Phone(server.address) as phone:
        for path in (f"/s/{token}?" + "a" * 5000, "/" + "b" * 5000, "/staff/?next=" + "c" * 9000):
            answer = phone.get(path, {"Accept-Language": "zh"})
            assert answer.status == 414
            assert "网址过长" in answer.text
            assert len(answer.body) < 10_000
        assert phone.get("/", {"Cookie": "a" * 9000}).status == 431
        assert phone.get("/healthz").status == 200
