"""Whole numbers that were typed or stand in a query, within what a database holds."""

from typing import Final

LARGEST_ID: Final = 2**31 - 1
"""The largest id of a row: PostgreSQL's integers end here."""

MOST_DIGITS: Final = len(str(LARGEST_ID))


def read_whole_number(typed: str | None) -> int | None:
    """Return the whole number that was typed, from 0 to `LARGEST_ID`, or None if it is none.

    >>> [read_whole_number(typed) for typed in (" 12 ", "-1", "٣", "1_0", "9" * 30, None)]
    [12, None, None, None, None, None]
    """
    digits = (typed or "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS):
        return None
    number = int(digits)
    return number if number <= LARGEST_ID else None
