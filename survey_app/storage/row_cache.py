"""What was read once and cannot change, kept in the process as long as there is room."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from threading import Lock
from typing import Any, TypeVar

_Value = TypeVar("_Value", bound=Sized)


class Remembered:
    """Values by keys that say all they depend on, at most `rows` rows together: what was not asked for longest goes."""

    def __init__(self, *, rows: int) -> None:
        self._rows = rows
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: Hashable, read: Callable[[], _Value]) -> _Value:
        """Return the value of a key, which is read if it is not here; one that would fill all the room is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                value: _Value = self._values[key]
                return value
        # Outside the lock: two who ask at once may both read, and nobody waits for somebody else's reading.
        value = read()
        with self._lock:
            self._values[key] = value
            while sum(map(len, self._values.values())) > self._rows:
                self._values.popitem(last=False)
        return value
