"""Crowds of phones that send at one moment and cost next to nothing: the server shares the machine with them."""

import re
import select
import socket
import time
from itertools import cycle
from urllib.parse import urlencode, urlsplit

from tests.phones import Answer, NoReply

# In seconds, for all phones together.
_PATIENCE = 300
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


def get(path):
    """Return the bytes of a request for a page, as a phone asks for it."""
    return f"GET {path} HTTP/1.1\r\nHost: phone\r\nAccept-Encoding: gzip\r\n\r\n".encode("ascii")


def post(path, form):
    """Return the bytes of a request that sends a form: its fields, or what is sent for them."""
    body = urlencode(form).encode("ascii") if isinstance(form, dict) else form
    head = f"POST {path} HTTP/1.1\r\nHost: phone\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode("ascii") + body


def visit_together(addresses, visits):
    """Let each visit send its first request at one moment; return for each its answers, each with its wait in seconds.

    A visit is a generator: it yields the bytes of a request, is sent the answer, and yields the next request. All
    phones are connected, to one server after the other, before the first of them sends.
    """
    places = cycle((parts.hostname, parts.port) for parts in map(urlsplit, addresses))
    phones = {}
    with select.epoll() as events:
        try:
            for visit in visits:
                phone = _Phone(visit, next(places))
                phones[phone.fileno] = phone
                events.register(phone.fileno, select.EPOLLIN)
            for phone in phones.values():
                phone.ask(next(phone.visit))
            _receive_all(events, phones)
        finally:
            for phone in phones.values():
                phone.close()
    return [phone.answers for phone in phones.values()]


def _receive_all(events, phones):
    unfinished, give_up_at = len(phones), time.monotonic() + _PATIENCE
    while unfinished:
        ready = events.poll(_PATIENCE)
        if not ready or time.monotonic() > give_up_at:
            raise NoReply(f"{unfinished} phones were not answered")
        for number, _event in ready:
            if phones[number].receive():
                events.unregister(number)
                unfinished -= 1


class _Phone:
    def __init__(self, visit, place):
        self.visit, self.answers = visit, []
        self._socket = socket.create_connection(place, _PATIENCE)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fileno = self._socket.fileno()
        self._received, self._end, self._asked_at = b"", None, 0.0

    def ask(self, request):
        self._received, self._end, self._asked_at = b"", None, time.perf_counter()
        self._socket.sendall(request)

    def receive(self):
        """Take what has come; once it is an answer, ask for what is next. Return whether the visit is over."""
        part = self._socket.recv(65536)
        if not part:
            raise NoReply("the server hung up")
        self._received += part
        if self._end is None and (end := self._received.find(_HEAD_END)) >= 0:
            self._end = end + len(_HEAD_END) + int(_LENGTH.search(self._received, 0, end)[1])
        if self._end is None or len(self._received) < self._end:
            return False
        wait = time.perf_counter() - self._asked_at
        head, _, body = self._received.partition(_HEAD_END)
        answer = Answer(int(head[9:12]), head, body)
        self.answers.append((answer, wait))
        try:
            self.ask(self.visit.send(answer))
        except StopIteration:
            return True
        return False

    def close(self):
        self._socket.close()
