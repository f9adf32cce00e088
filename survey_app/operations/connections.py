"""Connections of the web server: how many, how long one may wait or a request arrive, and how large its body may be.

Nobody is turned away while others keep connections that they do not use. When there are too many, one that waits is
closed: the one that has waited longest at the address that holds most. A carrier puts a whole neighbourhood behind one
address, so an address has no small number of its own: it may hold three quarters of all.
"""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask
from waitress.utilities import Error

from analytics.languages import LANGUAGES, N_
from survey_app.accounts.network_digests import networks_of
from survey_app.catalogue import translator

# waitress buffers each request and its threads never wait for a slow phone, but 200 slow phones must not keep everyone
# else out.
MOST_CONNECTIONS: Final = 2000
MOST_CONNECTIONS_OF_ONE: Final = 1500
# A phone that fills in its form opens another connection when it sends.
SECONDS_TO_WAIT: Final = 60
SECONDS_FOR_HEAD: Final = 30
# A body has a minute, and the time that it takes at the rate of a poor mobile network.
SECONDS_FOR_BODY: Final = 60
SLOWEST_BYTES_PER_SECOND: Final = 8_000
# A page or a file of which the other side takes nothing for so long keeps its thread no longer.
SECONDS_TO_TAKE: Final = 60
SECONDS_BETWEEN_LOOKS: Final = 5
# Whoever is refused goes on sending, and a connection that is closed meanwhile is reset before the answer is read:
# what comes is thrown away for so long, and so much of it as a phone sends in that time over a good network.
SECONDS_TO_DRAIN: Final = 30
MOST_DRAINED_BYTES: Final = 64 * 2**20

# In bytes; a session cookie takes one kilobyte, and no address of ours four.
LARGEST_HEAD: Final = 16 * 1024
# Bodies above the size of a form wait on disk until all has arrived.
SIZE_OF_A_FORM: Final = 256 * 1024
MOST_WAITING_BYTES: Final = 2 * 2**30
MOST_WAITING_BYTES_OF_ONE: Final = 2**30

LargestBody = Callable[[str, str, str], int]
"""Says how large a body may be: takes the method, the path and the content type of a request."""


class Refusal(Error):  # type: ignore[misc]  # waitress has no types
    """Refusal that is made before anything reads the request: in all languages, since nobody knows which is spoken."""

    sentences: tuple[str, ...]

    def __init__(self) -> None:
        super().__init__(
            "\n\n".join("\n".join(map(translator(language), self.sentences)) for language in LANGUAGES) + "\n"
        )

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:  # noqa: ARG002 (interface)
        """Return status, headers and body of the answer."""
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
        return f"{self.code} {self.reason}", headers, self.body.encode()


class NoRoom(Refusal):
    """As many large bodies as there is room for are arriving already."""

    code = 503
    reason = "Service Unavailable"
    sentences = (N_("Busy at the moment"), N_("Please wait a moment and try again."))


class BodyTooLarge(Refusal):
    """The body is larger than any that the route takes."""

    code = 413
    reason = "Request Entity Too Large"
    sentences = (
        N_("That was too much at once"),
        N_("Nothing was stored. Please go back and send less, such as fewer photos."),
    )


class BoundedParser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Parser of a request that refuses a body by its size as soon as its head has come."""

    def __init__(self, adj: Adjustments, channel: "BoundedChannel") -> None:
        super().__init__(adj)
        self.began_at = time.monotonic()
        self._channel = channel
        self._is_admitted = False

    @property
    def body_size(self) -> int:
        """The size of the body as it was announced, or as it has come up to now."""
        return int(self.body_bytes_received if self.chunked else self.content_length)

    @property
    def seconds_allowed(self) -> float:
        """How long the request may take to arrive."""
        if not self.headers_finished:
            return SECONDS_FOR_HEAD
        return SECONDS_FOR_HEAD + SECONDS_FOR_BODY + self.body_size / SLOWEST_BYTES_PER_SECOND

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head; a length of five thousand digits is no number to Python, and an error of its own kind."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            raise ParsingError("Content-Length is invalid") from error

    def received(self, data: bytes) -> int:
        """Take what has come and return how much of it belongs to this request: all, once it is refused."""
        consumed: int = super().received(data)
        if self.headers_finished and not self.completed and self.body_size > SIZE_OF_A_FORM:
            self._admit_body()
        if self.error is None:
            return consumed
        self._channel.has_refused = True
        return len(data)

    def _admit_body(self) -> None:
        server = self._channel.server
        most = server.largest_body(self.command, self.path, self.headers.get("CONTENT_TYPE", ""))
        if self.body_size > most:
            self._refuse(BodyTooLarge())
        elif not self._is_admitted and not server.has_room_for(self._channel):
            self._refuse(NoRoom())
        self._is_admitted = True

    def _refuse(self, error: Error) -> None:
        self.error, self.completed, self.expect_continue = error, True, False


class GatheringTask(WSGITask):  # type: ignore[misc]  # waitress has no types
    """Task that offers the head of an answer with the first part of its body: half of the calls of the system."""

    def write(self, data: bytes) -> None:
        """Offer a part of the body."""
        with nullcontext() if self.wrote_header else self.channel.gathering():
            super().write(data)


class BoundedChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """Connection that knows whose it is and since when it waits."""

    task_class = GatheringTask
    server: "BoundedServer"
    close_when_flushed: bool

    def __init__(self, server: "BoundedServer", sock: Any, addr: Any, *arguments: Any, **options: Any) -> None:
        networks = networks_of(addr[0])
        self.source = networks[0] if networks is not None else str(addr[0])
        self.waits_since = time.monotonic()
        # By the same clock as last_activity, which waitress notes.
        self.offered_at = 0.0
        self.has_refused = False
        # Parts of an answer that are offered together.
        self._gathered: list[bytes] | None = None
        self._drains_since: float | None = None
        self._drained_bytes = 0
        super().__init__(server, sock, addr, *arguments, **options)

    def parser_class(self, adj: Adjustments) -> BoundedParser:
        """Return the parser of the next request."""
        return BoundedParser(adj, self)

    def write_soon(self, data: Any) -> int:
        """Offer a part of an answer to the other side; in a crowd its request has come long ago."""
        if self._gathered is not None:
            self._gathered.append(data)
            return len(data)
        if not self.total_outbufs_len:
            self.offered_at = time.time()
        offered = int(super().write_soon(data))
        if self.total_outbufs_len:
            self._map.changed(self)
        return offered

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Offer together what the block writes."""
        self._gathered = []
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered, None
        self.write_soon(b"".join(gathered))

    def service(self) -> None:
        """Execute a request."""
        super().service()
        self.waits_since = time.monotonic()
        self._map.changed(self)

    def readable(self) -> bool:
        """Whether to read: of whoever is refused too, who may read the answer only after having sent all."""
        if self.has_refused:
            return not self.will_close and self._drained_bytes <= MOST_DRAINED_BYTES
        return bool(super().readable())

    def received(self, data: bytes) -> bool:
        """Take what has come; after a refusal nothing of it is kept."""
        if not self.has_refused:
            return bool(super().received(data))
        self._drained_bytes += len(data)
        if self._drains_since is not None and self._drained_bytes > MOST_DRAINED_BYTES:
            self.handle_close()
        return False

    def handle_write(self) -> None:
        """Send what there is; after a refusal end this direction alone, so that the other side reads the answer."""
        if not (self.has_refused and self.close_when_flushed):
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if self.will_close or (self._drained_bytes > MOST_DRAINED_BYTES and not self.total_outbufs_len):
            self.handle_close()
        elif not self.total_outbufs_len:
            self.close_when_flushed = False
            self._drains_since = time.monotonic()
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                # The other side is gone.
                self.handle_close()

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is being done for it: it has sent nothing yet, or not all."""
        return not (bool(self.requests) or bool(self.total_outbufs_len))

    @property
    def waiting_bytes(self) -> int:
        """How many bytes of large bodies it keeps on disk."""
        requests = [*self.requests, *([self.request] if self.request is not None else [])]
        return sum(request.body_size for request in requests if request.body_size > SIZE_OF_A_FORM)

    def is_late(self, now: float) -> bool:
        """Return whether it has waited, or its request has been arriving, for longer than it may."""
        if self.total_outbufs_len:
            return bool(time.time() - max(self.last_activity, self.offered_at) > SECONDS_TO_TAKE)
        if self.requests:
            return False
        if self._drains_since is not None:
            return now - self._drains_since > SECONDS_TO_DRAIN
        request = self.request
        if request is None:
            return now - self.waits_since > SECONDS_TO_WAIT
        return bool(now - request.began_at > request.seconds_allowed)


class BoundedServer(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Server that closes connections which wait too long, and one that waits when there are too many."""

    channel_class = BoundedChannel
    active_channels: dict[int, BoundedChannel]

    def __init__(self, *arguments: Any, largest_body: LargestBody, **options: Any) -> None:
        self.largest_body = largest_body
        super().__init__(*arguments, **options)

    def handle_accept(self) -> None:
        """Take a connection, and close another where there are too many."""
        super().handle_accept()
        if len(self.active_channels) > MOST_CONNECTIONS_OF_ONE:
            channel = channel_to_close(list(self.active_channels.values()))
            if channel is not None:
                channel.handle_close()

    def pull_trigger(self) -> None:
        """Do nothing: a channel says by itself that it has changed."""

    def maintenance(self, now: float) -> None:
        """Close what is late, or is to be closed."""
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.will_close or channel.is_late(time.monotonic()):
                channel.handle_close()

    def has_room_for(self, arriving: BoundedChannel) -> bool:
        """Return whether a large body may come, beside all that wait already."""
        waiting: Counter[str] = Counter()
        for channel in self.active_channels.values():
            waiting[channel.source] += channel.waiting_bytes
        return waiting.total() <= MOST_WAITING_BYTES and waiting[arriving.source] <= MOST_WAITING_BYTES_OF_ONE


def channel_to_close(channels: Sequence[BoundedChannel]) -> BoundedChannel | None:
    """Return the connection to close if there are too many in all or of one address, if any waits; else None."""
    held = Counter(channel.source for channel in channels)
    [(_, most_held)] = held.most_common(1) or [("", 0)]
    if len(channels) <= MOST_CONNECTIONS and most_held <= MOST_CONNECTIONS_OF_ONE:
        return None
    waiting = [channel for channel in channels if channel.is_waiting]
    return max(waiting, key=lambda channel: (held[channel.source], -channel.waits_since), default=None)
