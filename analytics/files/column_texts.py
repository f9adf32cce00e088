"""Columns as texts, made as a whole by Arrow: numbers as Python writes them, cells side by side, all of them as one."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

# Python and Arrow write floats between these alike, and those beyond with other powers of ten.
_PLAIN_FLOATS: Final = (1e-4, 1e10)


def literal(words: str) -> pa.Scalar:
    """Return one text, to stand beside those of columns."""
    return pa.scalar(words, pa.large_string())


def word_texts(words: "pd.Series[Any]") -> pa.Array:
    """Return a column of text, missing where it is.

    Examples
    --------
    >>> word_texts(pd.Series(["甲", None], dtype="str")).to_pylist()
    ['甲', None]
    """
    texts = pa.array(words, from_pandas=True)
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return whole.cast(pa.large_string())


def whole_texts(numbers: "pd.Series[Any] | npt.NDArray[np.float64]") -> pa.Array:
    """Return whole numbers as Python writes integers, missing where they are.

    Parameters
    ----------
    numbers : Series of integers, or ndarray of float
        Floats must be whole and below 2⁵³; NaN is missing.

    Returns
    -------
    Array of large_string

    Examples
    --------
    >>> whole_texts(np.array([7.0, np.nan])).to_pylist(), whole_texts(pd.Series([-3, None], dtype="Int64")).to_pylist()
    (['7', None], ['-3', None])
    """
    if isinstance(numbers, np.ndarray):
        missing = np.isnan(numbers)
        return pa.array(np.where(missing, 0, numbers).astype(np.int64), mask=missing).cast(pa.large_string())
    return pa.array(numbers, from_pandas=True).cast(pa.large_string())


def float_texts(numbers: npt.NDArray[np.float64]) -> pa.Array:
    """Return floats as Python writes them: with a point where they are whole, and with its powers of ten.

    Parameters
    ----------
    numbers : ndarray of float
        NaN is missing.

    Returns
    -------
    Array of large_string

    Examples
    --------
    >>> float_texts(np.array([0.1, 3.0, np.nan, 1e16, np.inf])).to_pylist()
    ['0.1', '3.0', None, '1e+16', 'inf']
    """
    texts, size = pa.array(numbers, from_pandas=True).cast(pa.large_string()), np.abs(numbers)
    whole = pa.array((size < _PLAIN_FLOATS[1]) & (numbers == np.rint(numbers)))
    texts = pc.if_else(whole, side_by_side(texts, literal(".0")), texts)
    with_power = (size != 0) & ((size < _PLAIN_FLOATS[0]) | (size >= _PLAIN_FLOATS[1]))
    distinct, places = np.unique(numbers[with_power], return_inverse=True)
    return replaced(
        texts, with_power, pa.array(list(map(repr, distinct.tolist())), pa.large_string()).take(pa.array(places))
    )


def side_by_side(*texts: pa.Array | pa.Scalar, between: str = "") -> pa.Array:
    """Return what columns make side by side, row by row; missing where one of them is.

    Examples
    --------
    >>> side_by_side(pa.array(["a", None], pa.large_string()), literal("1"), between="-").to_pylist()
    ['a-1', None]
    """
    return pc.binary_join_element_wise(*texts, literal(between))


def filled(texts: pa.Array, words: str = "") -> pa.Array:
    """Return texts with the same words wherever one is missing."""
    return pc.fill_null(texts, literal(words))


def replaced(texts: pa.Array, where: pa.Array | npt.NDArray[np.bool_], others: pa.Array) -> pa.Array:
    """Return texts with others, in their order, where a mask is true."""
    return pc.replace_with_mask(texts, pa.array(where), others) if len(others) else texts


def run_together(texts: pa.Array) -> str:
    """Return texts, of which none is missing, one after another as one.

    Examples
    --------
    >>> run_together(pa.array(["甲,", "b,"], pa.large_string())[1:])
    'b,'
    """
    return _bytes_of(texts)[1].tobytes().decode()


def hold_any(texts: pa.Array, signs: bytes) -> npt.NDArray[np.bool_]:
    """Return which texts hold any of some ASCII signs; to seek them by a pattern takes many times as long.

    Examples
    --------
    >>> hold_any(pa.array(["甲", "a,b", "", None, "c;"], pa.large_string()), b",;").tolist()
    [False, True, False, False, True]
    """
    starts, content = _bytes_of(texts)
    found = np.flatnonzero(np.isin(np.arange(256), list(signs))[content])
    held = np.zeros(len(texts), dtype=bool)
    held[np.searchsorted(starts, found, side="right") - 1] = True
    return held


def _bytes_of(texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return where each text begins and the last ends, and the bytes of all of them in UTF-8."""
    _, offsets, content = texts.buffers()
    if not len(texts) or content is None:
        return np.zeros(len(texts) + 1, np.int64), np.empty(0, np.uint8)
    ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return ends - ends[0], np.frombuffer(content, np.uint8)[ends[0] : ends[-1]]
