"""Compiled loops that count answer codes, for files of millions of responses.

They release the GIL and start no threads, see `analytics.statistics.kernels.compilation`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.counting.packed_counts import FIELDS, MOST_BEFORE_EMPTYING
from analytics.statistics.kernels.compilation import compiled

_GROUP: Final = 8
_LAST_FIELD: Final = 8 * (FIELDS - 1)


@compiled
def find_full_rows(
    rows: NDArray[np.uint32],
    since: NDArray[np.uint8],
    responses: NDArray[np.int64],
    full: NDArray[np.int64],
) -> int:
    """Fill `full` with each i at which the words of ``rows[i]`` must be emptied, and return their number.

    `since` counts the responses of each row since its words were last emptied; earlier ones are added to `responses`.
    """
    found = 0
    for i in range(rows.size):
        since[rows[i]] += np.uint8(1)
        if since[rows[i]] == MOST_BEFORE_EMPTYING:
            since[rows[i]] = 0
            responses[rows[i]] += MOST_BEFORE_EMPTYING
            full[found] = i
            found += 1
    return found


@compiled
def count_codes(  # noqa: PLR0917  compiled functions take no keywords
    rows: NDArray[np.uint32],
    codes: NDArray[np.uint8 | np.uint16],
    validity: NDArray[np.uint8],
    steps: NDArray[np.uint64],
    full: NDArray[np.int64],
    words: NDArray[np.uint64],
    counts: NDArray[np.uint32],
) -> int:
    """Add ``steps[codes[i]]`` to ``words[rows[i]]`` for each i that has bit i of `validity`.

    A step is 1 in one of the eight fields of a word: the words of all communities fit into the processor's cache,
    where eight counts for each would not. At the positions in `full`, before a field can overflow, the word of that
    row is moved into its `counts`; the return value is the total moved out of the last field, that of unknown codes.

    Nothing branches on a single answer, because branch prediction would often fail. Positions are unsigned, so that
    none is tested for being negative.
    """
    one, moved, mark = np.uint64(1), 0, 0
    whole = codes.size // _GROUP * _GROUP
    following = full[0] if full.size else codes.size
    for start in range(0, whole, _GROUP):
        given = np.uint64(validity[start >> 3])
        for i in range(_GROUP):
            words[rows[start + i]] += steps[codes[start + i]] * ((given >> np.uint64(i)) & one)
        while following < start + _GROUP:
            moved += words[rows[following]] >> np.uint64(_LAST_FIELD)
            empty_word(rows[following], words, counts)
            mark += 1
            following = full[mark] if mark < full.size else codes.size
    for i in range(whole, codes.size):
        words[rows[i]] += steps[codes[i]] * ((np.uint64(validity[i >> 3]) >> np.uint64(i & 7)) & one)
    for place in full[mark:]:
        moved += words[rows[place]] >> np.uint64(_LAST_FIELD)
        empty_word(rows[place], words, counts)
    return moved


@compiled
def empty_word(row: int, words: NDArray[np.uint64], counts: NDArray[np.uint32]) -> None:
    """Move the fields of a row's word into its counts, and set the word to 0."""
    for field in range(FIELDS):
        counts[row, field] += np.uint32((words[row] >> np.uint64(8 * field)) & np.uint64(255))
    words[row] = 0
