import socket
from contextlib import ExitStack
from threading import Event

import pytest
from waitress.adjustments import Adjustments

from survey_app.operations.connections import BoundedChannel
from survey_app.operations.watched_sockets import PolledSockets, WatchedSockets
from tests.phones import Phone, together
from tests.serving import hello, serving

WAITING = 20
ANSWERS = 30
PART = b"#" * 2**20
PARTS = 40

both_kinds = pytest.mark.parametrize("sockets_class", [WatchedSockets, PolledSockets])


def look_at_waiting_connections(sockets_class, monkeypatch):
    """Answer one phone while others wait; return how often a connection was asked what it waits for."""
    asked = []
    readable = BoundedChannel.readable
    monkeypatch.setattr(BoundedChannel, "readable", lambda channel: asked.append(channel) or readable(channel))
    with serving(hello, sockets_class=sockets_class) as place, ExitStack() as opened:
        for _ in range(WAITING):
            opened.enter_context(socket.create_connection(place, 30))
        with Phone(f"http://127.0.0.1:{place[1]}") as phone:
            for _ in range(ANSWERS):
                assert phone.get("/").body == b"hello"
            return len(asked)


def test_connections_that_wait_are_not_asked_while_another_is_answered(monkeypatch):
    asked_when_polled = look_at_waiting_connections(PolledSockets, monkeypatch)
    asked_when_watched = look_at_waiting_connections(WatchedSockets, monkeypatch)

    assert asked_when_polled > WAITING * ANSWERS
    assert asked_when_watched < WAITING * 5 + ANSWERS * 5


@both_kinds
def test_many_phones_are_answered_again_and_again(sockets_class):
    def ask(place):
        with Phone(f"http://127.0.0.1:{place[1]}") as phone:
            return [phone.get("/").body for _ in range(ANSWERS)]

    with serving(hello, sockets_class=sockets_class) as place:
        answers = together(lambda: ask(place) for _ in range(8))

    assert answers == [[b"hello"] * ANSWERS] * 8


@both_kinds
def test_an_answer_larger_than_what_the_server_keeps_of_it_arrives_whole(sockets_class):
    is_much = Event()

    def in_parts(_environ, start_response):
        start_response("200 OK", [("Content-Length", str(len(PART) * PARTS))])
        for number in range(PARTS):
            if number * len(PART) > Adjustments.outbuf_high_watermark // 2:
                is_much.set()
            yield PART

    with serving(in_parts, sockets_class=sockets_class) as place, socket.create_connection(place, 60) as phone:
        phone.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert is_much.wait(60)
        received = 0
        while part := phone.recv(2**20):
            received += part.count(b"#")

    assert received == len(PART) * PARTS


@both_kinds
def test_requests_that_came_together_are_answered_in_their_order(sockets_class):
    def name_path(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return [environ["PATH_INFO"].encode()]

    with serving(name_path, sockets_class=sockets_class) as place, socket.create_connection(place, 30) as phone:
        phone.sendall(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(5)))
        received = b""
        while received.count(b"HTTP/1.1 200") < 5 or not received.endswith(b"/4"):
            received += phone.recv(2**16)

    assert [part[-2:] for part in received.split(b"HTTP/1.1 200 OK")[1:]] == [b"/%d" % number for number in range(5)]


def test_the_head_of_an_answer_is_sent_with_its_body(monkeypatch):
    sent = []
    send = BoundedChannel.send
    monkeypatch.setattr(
        BoundedChannel, "send", lambda channel, data, **options: sent.append(data) or send(channel, data, **options)
    )

    with serving(hello) as place, Phone(f"http://127.0.0.1:{place[1]}") as phone:
        phone.get("/")

    assert len(sent) == 1
    assert sent[0].endswith(b"hello")


class Waiting:
    """A connection that waits for what it is told to."""

    accepting = False

    def __init__(self, descriptor):
        self._fileno = descriptor
        self.is_readable = True
        self.handled = []

    def readable(self):
        return self.is_readable

    def writable(self):
        return False

    def handle_read_event(self):
        self.handled.append("read")


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_happens_is_told_once_and_again_when_it_has_changed(ends):
    ours, theirs = ends
    sockets, connection = WatchedSockets(), Waiting(ours.fileno())
    sockets[ours.fileno()] = connection
    theirs.send(b"a")  # and nobody reads it

    sockets.handle_events(10)
    connection.is_readable = False
    sockets.handle_events(10)
    sockets.handle_events(0)
    assert connection.handled == ["read"]

    connection.is_readable = True
    sockets.changed(connection)
    sockets.handle_events(10)
    assert connection.handled == ["read"] * 2


def test_a_connection_that_was_closed_says_nothing_about_the_next_with_its_descriptor(ends):
    ours, theirs = ends
    sockets, closed, following = WatchedSockets(), Waiting(ours.fileno()), Waiting(ours.fileno())
    sockets[ours.fileno()] = closed
    del sockets[ours.fileno()]
    following.is_readable = False
    sockets[ours.fileno()] = following
    theirs.send(b"a")

    sockets.changed(closed)
    sockets.handle_events(0)

    assert (closed.handled, following.handled) == ([], [])
