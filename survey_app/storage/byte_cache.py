"""Least-recently-used cache of values that cannot change, limited by their number and their bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from survey_app.storage.commit_cache import Sizeable

_Value = TypeVar("_Value", bound=Sizeable)


class ByteCache(Generic[_Value]):
    """Least-recently-used cache by keys that say all a value depends on."""

    def __init__(self, *, entries: int, most_bytes: int) -> None:
        self._entries, self._most_bytes = entries, most_bytes
        self._values: OrderedDict[Hashable, _Value] = OrderedDict()
        self._kept_bytes = 0
        self._lock = Lock()

    def get_or_make(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """Return the cached value of a key, or make it; one that would fill all the room is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        # Outside the lock: two who ask at once may both make it, and nobody waits for somebody else's page.
        value = make()
        if value.size_in_bytes > self._most_bytes:
            return value
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._kept_bytes += value.size_in_bytes
            while len(self._values) > self._entries or self._kept_bytes > self._most_bytes:
                self._kept_bytes -= self._values.popitem(last=False)[1].size_in_bytes
        return value

    def clear(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._values.clear()
            self._kept_bytes = 0
