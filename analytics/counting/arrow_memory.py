"""Memory of Arrow, shared with numpy, and returned to the system between the stages of a long computation.

Allocators keep what was freed for whoever asks next. Arrow's own keep it for Arrow, so that a stage of numpy comes on
top of it; that of the system keeps what lies between pieces still in use.
"""

import pyarrow as pa


def share_memory() -> None:
    """Let Arrow take its memory from the system's allocator from now on: what it gives up is free for numpy, too."""
    pa.set_memory_pool(pa.system_memory_pool())


def return_memory() -> None:
    """Return to the system what was freed, as far as its allocator can."""
    pa.system_memory_pool().release_unused()
