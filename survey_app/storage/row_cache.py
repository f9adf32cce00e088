"""Least-recently-used cache of values that cannot change, limited by their number of rows and of values."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from threading import Lock
from typing import Any, Final, TypeVar

# Of values without rows, too, such as a search that finds nothing.
_MOST_VALUES: Final = 256
# A key may hold what somebody typed; a longer one is not kept.
_LONGEST_KEY: Final = 2000

_Value = TypeVar("_Value", bound=Sized)


class RowCache:
    """Least-recently-used cache by keys that say all a value depends on, at most `rows` rows together."""

    def __init__(self, *, rows: int) -> None:
        self._rows = rows
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get_or_read(self, key: Hashable, read: Callable[[], _Value]) -> _Value:
        """Return the cached value of a key, or read it; one that would fill all the room is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                value: _Value = self._values[key]
                return value
        # Outside the lock: two who ask at once may both read, and nobody waits for somebody else's reading.
        value = read()
        if len(repr(key)) > _LONGEST_KEY:
            return value
        with self._lock:
            self._values[key] = value
            while len(self._values) > _MOST_VALUES or sum(map(len, self._values.values())) > self._rows:
                self._values.popitem(last=False)
        return value
