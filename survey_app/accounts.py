"""Staff accounts: adding them and checking their passwords."""

import secrets
import unicodedata
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from survey_app.errors import JiayuanError
from survey_app.models import Account, Community, District, PropertyCompany
from survey_app.roles import AREAS_OF_ROLE, Area, Role

SHORTEST_PASSWORD = 12

_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106
# Verified when there is no such account, so that an unknown name takes as long as a wrong password.
_HASH_OF_NOBODY = _hasher.hash(secrets.token_hex(16))


class WeakPassword(JiayuanError):
    """The password is too short to protect what the account may see."""

    def __init__(self) -> None:
        super().__init__(f"a password needs at least {SHORTEST_PASSWORD} characters")


class WrongArea(JiayuanError):
    """The role does not go with what the account is to be bound to."""

    def __init__(self, role: Role, area: Area) -> None:
        super().__init__(f"the role {role} is bound to {' or '.join(sorted(AREAS_OF_ROLE[role]))}, not to {area}")
        self.role, self.area = role, area


def add_account(
    session: Session,
    *,
    username: str,
    password: str,
    role: Role | str,
    now: datetime,
    district: District | None = None,
    company: PropertyCompany | None = None,
    community: Community | None = None,
) -> Account:
    """Add an account, bound to what its role looks after."""
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword
    account = Account(
        username=plain_username(username),
        password_hash=_hasher.hash(_plain(password)),
        role=Role(role),
        district=district,
        company=company,
        community=community,
        session_identity=new_identity(),
        created_at=now,
    )
    if area_of(account) not in AREAS_OF_ROLE[Role(role)]:
        raise WrongArea(Role(role), area_of(account))
    session.add(account)
    session.flush()
    return account


def area_of(account: Account) -> Area:
    """Return what part of the city the account is bound to."""
    bound = {Area.DISTRICT: account.district, Area.COMPANY: account.company, Area.COMMUNITY: account.community}
    found = [area for area, place in bound.items() if place is not None]
    if found:
        return found[0]
    return Area.NOWHERE if account.role == Role.ADMINISTRATOR else Area.CITY


def find_account(session: Session, **wanted: object) -> Account | None:
    """Return the account with these values, and what it is bound to."""
    places = (joinedload(Account.district), joinedload(Account.company), joinedload(Account.community))
    return session.scalar(select(Account).options(*places).filter_by(**wanted))


def password_is_right(account: Account | None, password: str) -> bool:
    """Return whether this is the account's password; without an account it takes as long to say no."""
    try:
        return _hasher.verify(account.password_hash if account else _HASH_OF_NOBODY, _plain(password))
    except VerificationError:
        return False


def plain_username(typed: str) -> str:
    """Return the name that was meant, whatever the case and the keyboard."""
    return _plain(typed).strip().casefold()


def new_identity() -> str:
    """Return a new value for the account's cookies: every session that holds the old one ends."""
    return secrets.token_urlsafe(24)


def _plain(typed: str) -> str:
    # A Chinese keyboard may type full-width letters and digits: they are meant as the plain ones.
    return unicodedata.normalize("NFKC", typed)
