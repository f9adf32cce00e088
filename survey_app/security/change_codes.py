"""Change codes: what a resident needs besides the receipt number to correct or withdraw answers.

The code comes from the submission key of the form, which only the phone that sent it and the server know: a phone that
sends once more, since the reply was lost, is told the same code. Stored is a keyed digest, bound to the receipt.
"""

import hmac

from stdnum import damm

from survey_app.security.check_digits import read_number
from survey_app.security.digests import keyed_digest

# 9·10¹⁰ codes: with a thousand tries a day on one receipt, one is found in 250,000 years.
CHANGE_CODE_DIGITS = 12
_LOWEST = 10 ** (CHANGE_CODE_DIGITS - 2)


def change_code_of(submission_key: str, *, secret_key: str) -> str:
    """Return the change code of the answers that came with a form.

    >>> len(change_code_of("a key", secret_key="a"))
    12
    """
    drawn = int(keyed_digest(submission_key, purpose="change code", secret_key=secret_key), 16)
    body = str(_LOWEST + drawn % (9 * _LOWEST))
    return body + damm.calc_check_digit(body)


def digest_of_change_code(code: str, *, receipt: str, secret_key: str) -> str:
    """Return what is stored of a change code; that of one receipt is worthless with another."""
    return keyed_digest(f"{receipt} {code}", purpose="stored change code", secret_key=secret_key)


def is_change_code(typed: str, *, receipt: str, stored: str, secret_key: str) -> bool:
    """Return whether a typed code is the one of this receipt."""
    code = read_number(typed, CHANGE_CODE_DIGITS)
    if code is None:
        return False
    return hmac.compare_digest(digest_of_change_code(code, receipt=receipt, secret_key=secret_key), stored)
