"""Validation of numeric input arrays; error messages name the offending rows."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntegerArray = npt.NDArray[np.int64]
BooleanArray = npt.NDArray[np.bool_]
SingleArray = npt.NDArray[np.float32]
"""Floats of single precision: half the memory where many are held."""

ROWS_NAMED = 5


def refuse(bad: npt.ArrayLike, message: str, **columns: npt.ArrayLike) -> None:
    """Raise ValueError if any row is bad; the message names the first bad rows, their values and how many there are.

    Parameters
    ----------
    bad : array_like of bool
        True where a row cannot be used; any shape (a single value is row 0).
    message : str
        The fault of a bad row, such as ``"satisfied exceeds n"``.
    **columns : array_like
        Values to show for the named rows, each of the shape of `bad` or broadcast to it.

    Raises
    ------
    ValueError
        If any element of `bad` is true.

    Examples
    --------
    >>> refuse([False, True], "satisfied exceeds n", satisfied=[1, 5], n=[3, 4])
    Traceback (most recent call last):
    ...
    ValueError: satisfied exceeds n in 1 of 2 rows: row 1 (satisfied 5, n 4)
    """
    flags = np.asarray(bad, dtype=bool)
    if not flags.any():
        return
    rows = np.flatnonzero(flags)
    shown = {name: np.broadcast_to(np.asarray(values), flags.shape).ravel() for name, values in columns.items()}
    named = [
        f"row {row} ({', '.join(f'{name} {values[row]}' for name, values in shown.items())})"
        for row in rows[:ROWS_NAMED]
    ]
    rest = ", …" if rows.size > ROWS_NAMED else ""
    raise ValueError(f"{message} in {rows.size} of {flags.size} rows: {', '.join(named)}{rest}")


def finite_numbers(name: str, values: npt.ArrayLike, *, lowest: float = -np.inf, highest: float = np.inf) -> FloatArray:
    """Return `values` as floats, all finite, none below `lowest` and none above `highest`.

    Parameters
    ----------
    name : str
        The column's name, for messages.
    values : array_like
        Numbers of any shape; an empty column stays empty.
    lowest, highest : float
        The least and the greatest value allowed.

    Raises
    ------
    ValueError
        If a value is missing (NaN), infinite or out of range; the first rows are named.

    Examples
    --------
    >>> finite_numbers("n", [3, 0], lowest=0)
    array([3., 0.])
    >>> finite_numbers("n", [3, -1], lowest=0)
    Traceback (most recent call last):
    ...
    ValueError: n is below 0 in 1 of 2 rows: row 1 (n -1.0)
    """
    numbers = np.asarray(values, dtype=np.float64)
    refuse(~np.isfinite(numbers), f"{name} is missing or infinite", **{name: numbers})
    refuse(numbers < lowest, f"{name} is below {lowest:g}", **{name: numbers})
    refuse(numbers > highest, f"{name} exceeds {highest:g}", **{name: numbers})
    return numbers


def whole_numbers(name: str, values: npt.ArrayLike, *, lowest: int = 0) -> FloatArray:
    """Return `values` as floats, all whole numbers and none below `lowest`.

    Parameters
    ----------
    name : str
        The column's name, for messages.
    values : array_like
        Counts of any shape.
    lowest : int
        The least count allowed.

    Raises
    ------
    ValueError
        If a value is missing, infinite, fractional or below `lowest`; the first rows are named.

    Examples
    --------
    >>> whole_numbers("n", [3, 2.5])
    Traceback (most recent call last):
    ...
    ValueError: n is not a whole number in 1 of 2 rows: row 1 (n 2.5)
    """
    numbers = finite_numbers(name, values, lowest=lowest)
    refuse(numbers != np.rint(numbers), f"{name} is not a whole number", **{name: numbers})
    return numbers


def row_codes(name: str, labels: npt.ArrayLike, *, rows: int) -> tuple[npt.NDArray[np.generic], IntegerArray]:
    """Return the distinct labels, sorted, and for each row the position of its label among them.

    Parameters
    ----------
    name : str
        The column's name, for messages.
    labels : array_like
        One label per row: integers or text.
    rows : int
        Expected number of labels.

    Raises
    ------
    ValueError
        If the number of labels is not `rows`.

    Examples
    --------
    >>> row_codes("region", ["wuda", "haibowan", "wuda"], rows=3)
    (array(['haibowan', 'wuda'], dtype='<U8'), array([1, 0, 1]))
    """
    column = np.asarray(labels)
    if column.shape != (rows,):
        raise ValueError(f"{name} must hold one label for each of {rows} rows, got shape {column.shape}")
    distinct, codes = np.unique(column, return_inverse=True)
    return distinct, codes.astype(np.int64, copy=False)
