"""Sockets of the web server, watched for what each of them waits for.

waitress asks every connection what it waits for whenever anything happens to one of them: with a thousand phones at
once that took more of the processor than their pages. Here a connection is asked when that may have changed.
"""

import select
from threading import Lock
from typing import Any, Final

from waitress import wasyncore

_HAS_EPOLL: Final = hasattr(select, "epoll")
# Of waitress: what happens to a socket although nobody waits for it.
_ENDS: Final = select.POLLHUP | select.POLLERR | select.POLLNVAL


class PolledSockets(dict[int, Any]):
    """Sockets by their descriptors, all looked at whenever something happens to one: where there is no epoll."""

    def changed(self, channel: Any) -> None:
        """Look at the sockets anew, since what this one waits for may have changed; any thread may call this."""
        channel.server.trigger.pull_trigger()

    def handle_events(self, timeout: float) -> None:
        """Handle what happens to any of them; return after `timeout` seconds at the latest."""
        wasyncore.poll2(timeout, self)

    def close(self) -> None:
        """Close all of them."""
        wasyncore.close_all(self)


class WatchedSockets(dict[int, Any]):
    """Sockets by their descriptors, each of which epoll watches until something happens to it, and then no more.

    Then it is handled, and watched again for what it waits for afterwards. While a request is answered, nothing is
    waited for: the thread that has answered it says that this has changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._epoll = select.epoll()
        # What each is watched for; guarded with the dictionary itself, since the system gives a descriptor that was
        # closed to the next connection.
        self._watched: dict[int, int] = {}
        self._lock = Lock()
        # Those of which nobody says that they have changed: they listen, or have only just come.
        self._listening: list[Any] = []
        self._new: list[Any] = []

    def __setitem__(self, descriptor: int, connection: Any) -> None:
        """Begin to watch a socket; what it waits for it knows only when it is complete."""
        with self._lock:
            super().__setitem__(descriptor, connection)
            self._epoll.register(descriptor, select.EPOLLONESHOT)
            self._watched[descriptor] = 0
        self._new.append(connection)

    def __delitem__(self, descriptor: int) -> None:
        """Watch a socket no more; it is still open."""
        with self._lock:
            super().__delitem__(descriptor)
            self._epoll.unregister(descriptor)
            del self._watched[descriptor]

    def changed(self, channel: Any) -> None:
        """Watch a channel for what it waits for now; any thread may call this."""
        with self._lock:
            self._watch(channel, _wanted_by(channel))

    def handle_events(self, timeout: float) -> None:
        """Handle what happens to any of them; return after `timeout` seconds at the latest."""
        self._look_at_new()
        for server in self._listening:
            # Before the lock is taken: a server that is asked closes what is late.
            wanted = _wanted_by(server)
            with self._lock:
                self._watch(server, wanted)
        for descriptor, happened in self._epoll.poll(timeout):
            with self._lock:
                connection = self.get(descriptor)
                # Closed a moment ago; or its descriptor is that of a connection which has just come.
                if connection is None or not self._watched[descriptor]:
                    continue
                self._watched[descriptor] = 0
            wasyncore.readwrite(connection, happened & (_wanted_by(connection) | _ENDS))
            if not connection.accepting:
                self.changed(connection)

    def _look_at_new(self) -> None:
        new, self._new = self._new, []
        for connection in new:
            if connection.accepting:
                self._listening.append(connection)
            else:
                self.changed(connection)

    def _watch(self, connection: Any, wanted: int) -> None:
        descriptor = connection._fileno  # noqa: SLF001 (waitress has no other name for it)
        # One that was closed meanwhile has no descriptor, and what was its own may be another's now.
        if descriptor is None or self.get(descriptor) is not connection or wanted == self._watched[descriptor]:
            return
        self._epoll.modify(descriptor, wanted | select.EPOLLONESHOT)
        self._watched[descriptor] = wanted

    def close(self) -> None:
        """Close all of them."""
        wasyncore.close_all(self)
        self._epoll.close()


def _wanted_by(connection: Any) -> int:
    wanted = select.POLLIN | select.POLLPRI if connection.readable() else 0
    return wanted | (select.POLLOUT if connection.writable() and not connection.accepting else 0)


Sockets = WatchedSockets if _HAS_EPOLL else PolledSockets
