"""The codes on posters: issued, found, revoked."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from survey_app.definitions import Wording
from survey_app.errors import RevokedCode, UnknownCode
from survey_app.models import Code, Community
from survey_app.numbers import CODE_DIGITS, new_number

_LONGEST_TOKEN = 64


def issue_poster_code(session: Session, *, community: Community, now: datetime) -> Code:
    """Add a code whose posters may hang in `community` from now on; earlier ones stay good."""
    code = Code(kind="poster", token=new_number(CODE_DIGITS), community=community, issued_at=now)
    session.add(code)
    session.flush()
    return code


def revoke_code(session: Session, *, code: Code, now: datetime) -> None:
    """Take no more answers through a code, such as that of a poster that was tampered with."""
    if code.revoked_at is None:
        code.revoked_at = now
        session.flush()


def find_code(session: Session, *, token: str) -> Code:
    """Return the code that a resident scanned, with its community and district."""
    if not is_token(token):
        raise UnknownCode
    code = session.scalar(
        select(Code)
        .where(Code.token == token)
        .options(joinedload(Code.community, innerjoin=True).joinedload(Community.district, innerjoin=True))
    )
    if code is None:
        raise UnknownCode
    if code.revoked_at is not None:
        raise RevokedCode(wording_of(code.community.name, code.community.english_name))
    return code


def is_token(text: str) -> bool:
    """Return whether `text` can be a token at all: a database need not be asked for arbitrary text."""
    return text.isascii() and text.isalnum() and len(text) <= _LONGEST_TOKEN


def wording_of(name: str, english_name: str | None) -> Wording:
    """Return a name in every language; what has no English name keeps its own."""
    return Wording(name, english_name or name)
