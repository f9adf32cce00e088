"""Least-recently-used cache of values that cannot change, limited by their number and their size together."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Final, TypeVar

# A key may hold what somebody typed; a longer one is not kept.
_LONGEST_KEY: Final = 2000

_Value = TypeVar("_Value")


class SizedCache:
    """Least-recently-used cache by keys that say all a value depends on.

    It keeps at most `most`, as `size_of` measures values, and at most `entries` of them, since some measure nothing,
    such as a search that finds no rows.
    """

    def __init__(self, *, most: int, size_of: Callable[[Any], int], entries: int = 256) -> None:
        self._most, self._size_of, self._entries = most, size_of, entries
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._kept = 0
        self._lock = Lock()

    def get_or_make(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """Return the cached value of a key, or make it; one that would fill all the room is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                cached: _Value = self._values[key]
                return cached
        # Outside the lock: two who ask at once may both make it, and nobody waits for somebody else's.
        value = make()
        if len(repr(key)) > _LONGEST_KEY or self._size_of(value) > self._most:
            return value
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._kept += self._size_of(value)
            while len(self._values) > self._entries or self._kept > self._most:
                self._kept -= self._size_of(self._values.popitem(last=False)[1])
        return value

    def clear(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._values.clear()
            self._kept = 0
