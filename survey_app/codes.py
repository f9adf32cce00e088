"""The codes on posters: issued, found, revoked."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from analytics.definitions import Wording
from survey_app.errors import RevokedCode, UnknownCode
from survey_app.models import Code, Community, District
from survey_app.numbers import CODE_DIGITS, new_number

_LONGEST_TOKEN = 64
_SCANNED = (
    select(Code, Community, District)
    .join(Code.community)
    .join(Community.district)
    .where(Code.token == bindparam("token"))
)


@dataclass(frozen=True)
class ScannedCode:
    """What a good code stands for."""

    id: int
    token: str
    community_id: int
    community: Wording
    district: Wording


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


def find_code(session: Session, *, token: str) -> ScannedCode:
    """Return the code that a resident scanned, with its community and district."""
    row = session.execute(_SCANNED, {"token": token}).first() if is_token(token) else None
    if row is None:
        raise UnknownCode
    code, community, district = row
    if code.revoked_at is not None:
        raise RevokedCode(wording_of(community.name, community.english_name))
    return ScannedCode(
        id=code.id,
        token=code.token,
        community_id=community.id,
        community=wording_of(community.name, community.english_name),
        district=wording_of(district.name, district.english_name),
    )


def is_token(text: str) -> bool:
    """Return whether `text` can be a token at all: a database need not be asked for arbitrary text."""
    return text.isascii() and text.isalnum() and len(text) <= _LONGEST_TOKEN


def wording_of(name: str, english_name: str | None) -> Wording:
    """Return a name in every language; what has no English name keeps its own."""
    return Wording(name, english_name or name)
