"""Addresses of cases: a signed one shows how the case stands, a bare number only asks for more.

Opening an address counts no tries, so a bare number in it must not tell whether there is such a case.
"""

from dataclasses import dataclass

from itsdangerous import BadData

from survey_app.errors import UnknownNumber
from survey_app.security.check_digits import RECEIPT_DIGITS, read_number
from survey_app.security.signatures import read_signed, sign

_PURPOSE = "case"


@dataclass(frozen=True)
class CaseAddress:
    """What an address says: the reference of a case, and whether the site has handed the address out."""

    text: str
    reference: str
    is_signed: bool


def sign_case(reference: str, *, secret_key: str) -> str:
    """Return the signed address part that shows a case."""
    return sign(reference, purpose=_PURPOSE, secret_key=secret_key)


def read_case(text: str, *, secret_key: str) -> CaseAddress:
    """Return what an address part says; `UnknownNumber` when it was altered or is mistyped."""
    reference = read_number(text, RECEIPT_DIGITS)
    if reference is not None:
        return CaseAddress(text, reference, is_signed=False)
    try:
        return CaseAddress(text, str(read_signed(text, purpose=_PURPOSE, secret_key=secret_key)), is_signed=True)
    except BadData as error:
        raise UnknownNumber from error
