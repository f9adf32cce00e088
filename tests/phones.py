"""Phones for tests and benchmarks: plain HTTP over one kept connection, with next to no cost of their own."""

import gzip
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

ANSWERS = {f"q{number:02}": "4" for number in range(1, 16)} | {"q16": "1", "q17": "2", "q22": "3", "q23": "2"}
NO_HEADERS: dict[str, str] = {}


class NoReply(OSError):
    """The connection ended before an answer had come."""


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    @property
    def size(self):
        """Return how many bytes came over the wire."""
        return len(self.head) + len(b"\r\n\r\n") + len(self.body)

    def header(self, name):
        found = re.search(rf"(?im)^{re.escape(name)}: *([^\r]*)", self.head.decode("latin-1"))
        return found and found[1]

    @property
    def text(self):
        packed = self.header("Content-Encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode("utf-8")

    @property
    def key(self):
        """Return the submission key in a form."""
        return re.search(r'name="key" value="([^"]+)"', self.text)[1]


class Phone:
    """One phone with one connection, opened when it is needed and again after it broke."""

    def __init__(self, address, *, timeout=120):
        parts = urlsplit(address)
        self._place = (parts.hostname, parts.port)
        self._timeout = timeout
        self._socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def get(self, path, headers=NO_HEADERS):
        return self._ask(f"GET {path}", {"Accept-Encoding": "gzip", **headers}, b"")

    def post(self, path, form):
        body = urlencode(form, doseq=True).encode("ascii") if isinstance(form, dict) else form
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        return self._ask(f"POST {path}", headers, body)

    def _ask(self, line, headers, body):
        lines = [f"{line} HTTP/1.1", "Host: phone", *(f"{name}: {value}" for name, value in headers.items())]
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._place, self._timeout)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + body)
            return self._receive()
        except OSError:
            self.close()
            raise

    def _receive(self):
        received = self._more()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        head = received[:end]
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        parts, missing = [received[end + 4 :]], int(length[1]) - len(received) + end + 4
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        if b"connection: close" in head.lower():
            self.close()
        return Answer(int(head[9:12]), head, b"".join(parts))

    def _more(self):
        received = self._socket.recv(65536)
        if not received:
            raise NoReply("the server hung up")
        return received


def together(jobs):
    """Run each job in a thread of its own and return what they returned; the first that failed is raised."""
    jobs = list(jobs)
    with ThreadPoolExecutor(max(1, len(jobs))) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]
