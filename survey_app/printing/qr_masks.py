"""Mask selection of QR codes: the one of eight that readers find easiest, by the four penalties of ISO/IEC 18004.

A row or column of modules is one 64-bit number here, so that a shift compares every module with its neighbour: hundreds
of codes under all masks take the time that a loop over modules takes for one.
"""

import numpy as np
import numpy.typing as npt

Modules = npt.NDArray[np.uint8]
"""One code, or several along the first axis: rows and columns of modules, 1 where dark, without the quiet zone."""

Lines = npt.NDArray[np.uint64]
_Counts = npt.NDArray[np.int64]

# The finder pattern of a code between four light modules on one side.
_LIKE_FINDERS = (0b10111010000, 0b00001011101)


def best_masks(unmasked: Modules, masks: Modules) -> npt.NDArray[np.intp]:
    """Return for each code the number of the mask with the lowest penalty, the first of equals."""
    rows = lines_of(unmasked)[:, None] ^ lines_of(masks)
    columns = lines_of(unmasked.swapaxes(1, 2))[:, None] ^ lines_of(masks.swapaxes(1, 2))
    best: npt.NDArray[np.intp] = np.argmin(penalties(rows, columns), axis=1)
    return best


def lines_of(modules: Modules) -> Lines:
    """Return each row of modules as one number, its first module the lowest bit."""
    lines: Lines = modules @ (np.uint64(1) << np.arange(modules.shape[-1], dtype=np.uint64))
    return lines


def penalties(rows: Lines, columns: Lines) -> _Counts:
    """Return the penalty of each code, of which rows and columns are given along the last axis."""
    side = rows.shape[-1]
    dark = _count(rows)
    unbalanced = (np.abs(100 * dark / side**2 - 50) // 5).astype(np.int64)
    lines = _line_penalties(rows, side) + _line_penalties(columns, side)
    total: _Counts = lines + 3 * _count_blocks(rows, side) + 10 * unbalanced
    return total


def _line_penalties(lines: Lines, side: int) -> _Counts:
    alike = _pairs_alike(lines, side)
    fives = alike & _shifted(alike, 1) & _shifted(alike, 2) & _shifted(alike, 3)
    begins = fives & ~(fives << np.uint64(1))
    finders = sum(_count(_places_of(lines, pattern, side)) for pattern in _LIKE_FINDERS)
    # A run of five costs 3, and 1 for each further module.
    total: _Counts = 2 * _count(begins) + _count(fives) + 40 * finders
    return total


def _pairs_alike(lines: Lines, side: int) -> Lines:
    """Return lines with a bit set where a module is like the next one."""
    return ~(lines ^ _shifted(lines, 1)) & _ones(side - 1)


def _count_blocks(rows: Lines, side: int) -> _Counts:
    alike = _pairs_alike(rows, side)
    return _count(alike[..., :-1] & alike[..., 1:] & ~(rows[..., :-1] ^ rows[..., 1:]))


def _places_of(lines: Lines, eleven: int, side: int) -> Lines:
    """Return lines with a bit set where the eleven modules from there on are these."""
    places = np.full_like(lines, _ones(side - 10))
    for offset in range(11):
        shifted = _shifted(lines, offset)
        places &= shifted if eleven >> offset & 1 else ~shifted
    return places


def _shifted(lines: Lines, by: int) -> Lines:
    return lines >> np.uint64(by)


def _ones(length: int) -> np.uint64:
    return np.uint64((1 << length) - 1)


def _count(lines: Lines) -> _Counts:
    counts: _Counts = np.bitwise_count(lines).sum(axis=-1, dtype=np.int64)
    return counts
