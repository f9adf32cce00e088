"""How long a phone waits for its receipts while something else goes on."""

import time
from collections.abc import Callable
from typing import Final

from tests.benchmarks.bench_survey import City
from tests.phones import Phone

_PAUSE_SECONDS: Final = 0.005


def send_until(is_over: Callable[[], bool], phone: Phone, city: City) -> list[float]:
    """Send one form after the other, and return how long each receipt took, the longest last."""
    waits: list[float] = []
    while not is_over():
        path, body = city.form(len(waits))
        start = time.perf_counter()
        answer = phone.post(path, body)
        waits.append(time.perf_counter() - start)
        if answer.status != 303:
            raise RuntimeError(f"a submit was answered {answer.status}")
        time.sleep(_PAUSE_SECONDS)
    return sorted(waits)
