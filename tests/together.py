"""Threads that act at one moment, as phones and clerks do."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

_Argument = TypeVar("_Argument")
_Outcome = TypeVar("_Outcome")


def all_at_once(act: Callable[[_Argument], _Outcome], arguments: Iterable[_Argument]) -> list[_Outcome]:
    """Call `act` for each argument in a thread of its own, all together; return what each returned, or raise."""
    every = list(arguments)
    together = Barrier(len(every))

    def run(argument: _Argument) -> _Outcome:
        together.wait()
        return act(argument)

    with ThreadPoolExecutor(len(every)) as threads:
        return list(threads.map(run, every))
