"""Dates that were typed or come from a control of a form."""

import re
import unicodedata
from datetime import date
from typing import Final

_FIRST_YEAR: Final = 1900
# With or without separators, as a date is typed where the phone offers no calendar: 2026-11-05, 2026年11月5日.
_DATE: Final = re.compile(r"(\d{4})(?:\D?)(\d{1,2})(?:\D?)(\d{1,2})\D?")


def read_date(typed: str) -> date | None:
    """Return the date that was typed, or None if it is none, or of a year in which nobody who complains lived.

    >>> read_date("2026年11月5日"), read_date("20261105"), read_date("2026-02-30"), read_date("1026-11-05")
    (datetime.date(2026, 11, 5), datetime.date(2026, 11, 5), None, None)
    """
    match = _DATE.fullmatch(unicodedata.normalize("NFKC", typed).replace(" ", ""))
    try:
        typed_date = date(*map(int, match.groups())) if match else None
    except ValueError:
        return None
    return typed_date if typed_date is not None and typed_date.year >= _FIRST_YEAR else None
