"""Numbers with a check digit that people copy by hand: digits only, shown in groups."""

import secrets
import unicodedata

from stdnum import damm

from survey_app.security.text import without_unseen

# 10¹³ receipts are 43 random bits: nobody guesses another's. No leading zero and at most 15 digits:
# spreadsheets keep such a number as it is.
RECEIPT_DIGITS = 14
# A poster's code is 63 random bits. Digits need the fewest modules of a QR code, and every keypad has them.
CODE_DIGITS = 20
# What is typed from a household's slip: 49 random bits, and tries are limited. Each kind of number has a length of its
# own, so that one field takes them all.
SLIP_DIGITS = 16

_SEPARATORS = frozenset(" -‐‑‒–—_.·\u3000\u00a0\t")
_GROUP = 4


def new_number(digits: int) -> str:
    """Return a random number of that many digits, of which the last one is a Damm check digit."""
    return number_from(secrets.randbelow(_count_of(digits)), digits)


def number_from(value: int, digits: int) -> str:
    """Return the number of that many digits that stands for a value, its last one a Damm check digit."""
    body = str(10 ** (digits - 2) + value % _count_of(digits))
    return body + damm.calc_check_digit(body)


def read_number(typed: str, digits: int) -> str | None:
    """Return the number that was typed, with or without separators; None at a typing error or another length."""
    number = bare_digits(typed)
    return number if number is not None and len(number) == digits and damm.is_valid(number) else None


def bare_digits(typed: str) -> str | None:
    """Return what was typed without separators, if only digits remain; full-width ones of a Chinese keyboard count.

    Invisible signs, which come along when a number is copied from a chat, are separators too.
    """
    plain = without_unseen(unicodedata.normalize("NFKC", typed))
    kept = "".join(character for character in plain if character not in _SEPARATORS)
    return kept if kept.isascii() and kept.isdigit() else None


def _count_of(digits: int) -> int:
    """Return how many numbers there are of that many digits, without a leading zero and with a check digit."""
    count: int = 9 * 10 ** (digits - 2)
    return count


def grouped(number: str) -> str:
    """Return the number in groups of four, as it is read out.

    >>> grouped("12345678901234")
    '1234 5678 9012 34'
    """
    return " ".join(number[start : start + _GROUP] for start in range(0, len(number), _GROUP))
