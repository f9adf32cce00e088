"""Work divided among a few threads, for functions that release the GIL."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

import numpy as np

THREADS: Final = min(4, os.cpu_count() or 1)
"""Most threads that one computation takes, so that a server with many cores keeps some for its pages."""


def run_in_threads(work: Callable[[int, int], None], count: int) -> None:
    """Call `work(start, stop)` for consecutive parts of range(count), several at a time."""
    if count == 1:
        work(0, 1)
        return
    edges = np.unique(np.linspace(0, count, 8 * THREADS + 1).astype(int))
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work, int(a), int(b)) for a, b in pairwise(edges)]:
            done.result()
