"""The compiled loop that counts answers, for files of millions of responses.

Like those of `analytics.pair_kernels` it releases the GIL and starts no threads.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.pair_kernels import compiled


@compiled
def count_slots(  # noqa: PLR0917  compiled functions take no keywords
    rows: NDArray[np.uint32],
    codes: NDArray[np.uint8 | np.uint16],
    validity: NDArray[np.uint8],
    slots: NDArray[np.uint8],
    counts: NDArray[np.uint32],
    seen: NDArray[np.uint8],
) -> None:
    """Add one to ``counts[rows[i], slots[codes[i]]]`` for each answer i, with the bits of all slots in `seen[0]`.

    Where bit i of `validity` is 0 there is no answer: the second half of `slots` holds what counts then. Eight answers
    share a byte of it; if all are there, they are looked up before any is counted, since each waits for memory but
    not for the one before. Nothing branches on a single answer: processors would guess, and often wrongly.
    Positions are unsigned, so that none is tested for counting from the end.
    """
    found, half, width = seen[0], np.uint64(slots.size // 2), np.uint64(counts.shape[1])
    cells, one = counts.reshape(-1), np.uint64(1)
    whole = codes.size // 8 * 8
    for start in range(0, whole, 8):
        bits = np.uint64(validity[start >> 3])
        if bits == 255:
            a, b, c, d = slots[codes[start]], slots[codes[start + 1]], slots[codes[start + 2]], slots[codes[start + 3]]
            e, f, g, h = (
                slots[codes[start + 4]],
                slots[codes[start + 5]],
                slots[codes[start + 6]],
                slots[codes[start + 7]],
            )
            found |= a | b | c | d | e | f | g | h
            cells[rows[start] * width + a] += np.uint32(1)
            cells[rows[start + 1] * width + b] += np.uint32(1)
            cells[rows[start + 2] * width + c] += np.uint32(1)
            cells[rows[start + 3] * width + d] += np.uint32(1)
            cells[rows[start + 4] * width + e] += np.uint32(1)
            cells[rows[start + 5] * width + f] += np.uint32(1)
            cells[rows[start + 6] * width + g] += np.uint32(1)
            cells[rows[start + 7] * width + h] += np.uint32(1)
        else:
            for i in range(8):
                slot = slots[codes[start + i] + half * (one - ((bits >> np.uint64(i)) & one))]
                found |= slot
                cells[rows[start + i] * width + slot] += np.uint32(1)
    for i in range(whole, codes.size):
        slot = slots[codes[i] + half * (one - ((np.uint64(validity[i >> 3]) >> np.uint64(i & 7)) & one))]
        found |= slot
        cells[rows[i] * width + slot] += np.uint32(1)
    seen[0] = found
