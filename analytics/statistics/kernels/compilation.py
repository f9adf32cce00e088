"""Compilation of kernels with numba.

Compiled kernels release the GIL and start no threads of their own, so a web server may call them from several threads.
"""

from collections.abc import Callable
from typing import Any

import numba


def compiled(kernel: Callable[..., object], *, sums_in_any_order: bool = False) -> Any:
    """Compile `kernel` with numba at its first call, and cache the machine code on disk if a directory is writable.

    Summation in any order is several times as fast. The last digit then depends on the processor, but not on the call.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc"} if sums_in_any_order else False}
    try:
        return numba.njit(cache=True, **options)(kernel)
    except RuntimeError:  # a service account without a home directory: compile anew in each process
        return numba.njit(**options)(kernel)
