"""Staff accounts: adding, changing and disabling them."""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from analytics.languages import Wording
from survey_app.accounts.credentials import renew_credentials
from survey_app.accounts.passwords import check_strength
from survey_app.audit import Facts, account_actor, head, place_fact, record
from survey_app.errors import JiayuanError
from survey_app.models import (
    Account,
    Community,
    District,
    Neighbourhood,
    PropertyCompany,
    RecoveryCode,
    Subdistrict,
)
from survey_app.models.vocabulary import AREAS_OF_ROLE, Area, AuditAction, Role

_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106
# Verified when there is no such account, so that an unknown name takes as long as a wrong password.
_DUMMY_HASH = _hasher.hash(secrets.token_hex(16))
# In place of a hash until a password is chosen; what follows is random, so that no two such times look alike
# and an old invitation does not come alive again.
_UNUSABLE = "none:"

LONGEST_USERNAME = 64
# Those that are bound to something; the others see the whole city, or no community.
PLACED_ROLES = frozenset(role for role, areas in AREAS_OF_ROLE.items() if not areas <= {Area.CITY, Area.NOWHERE})
# Above it, the account is bound to the place that holds them.
MOST_COMMUNITIES = 200
_USERNAME_MARKS = frozenset("._-@")


class UsernameTaken(JiayuanError):
    """An account of this name exists already."""

    status = 409

    def __init__(self, username: str) -> None:
        super().__init__(f"there is already an account {username}")
        self.username = username


class InvalidUsername(JiayuanError):
    """The name is none that somebody could type to sign in."""

    def __init__(self) -> None:
        super().__init__(
            f"a user name has 1 to {LONGEST_USERNAME} letters, digits and . _ - @ without blanks, such as li.na"
        )


class SeveralAreas(JiayuanError):
    """An account was to be bound to more than one place; its scope is one of them."""

    def __init__(self) -> None:
        super().__init__(
            "an account is bound to one place, which is a district, a subdistrict, a neighbourhood or a company, or to "
            "communities that are named one by one; not to several of these"
        )


class TooManyCommunities(JiayuanError):
    """An account was to be bound to more communities than anybody looks after."""

    def __init__(self, count: int) -> None:
        super().__init__(f"an account looks after at most {MOST_COMMUNITIES} communities named one by one, not {count}")
        self.count = count


class OwnAccount(JiayuanError):
    """Own account, which nobody disables: the last administrator would lock everybody out."""

    status = 409
    page = "staff/own_account.html"


class WrongArea(JiayuanError):
    """The role does not fit the area that the account is to be bound to."""

    def __init__(self, role: Role, area: Area) -> None:
        super().__init__(f"the role {role} is bound to {' or '.join(sorted(AREAS_OF_ROLE[role]))}, not to {area}")
        self.role, self.area = role, area


@dataclass(frozen=True)
class BoundTo:
    """What an account is to be bound to: one place, communities that are named one by one, or nothing."""

    place: District | Subdistrict | Neighbourhood | PropertyCompany | None = None
    communities: Sequence[Community] = ()


@dataclass(frozen=True)
class NewPassword:
    """A password with its hash, which takes long on purpose and is made while no transaction is open."""

    plain: str = field(repr=False)
    hash: str = field(repr=False)

    @classmethod
    def of(cls, plain: str) -> Self:
        """Hash a password that somebody has chosen."""
        return cls(plain, _hasher.hash(_plain(plain)))


def add_account(
    session: Session,
    *,
    username: str,
    password: NewPassword | None,
    role: Role | str,
    by: str,
    now: datetime,
    bound_to: BoundTo | None = None,
) -> Account:
    """Add an account, bound to the area of its role; without a password an invitation has to set one."""
    account = Account(
        username=normalise_username(username),
        password_hash=_unusable(),
        role=Role(role),
        created_at=now,
        # Its owner is told of what happens from now on.
        notices_read_to=head(session).position,
    )
    if not _is_username(account.username):
        raise InvalidUsername
    _bind(account, bound_to or BoundTo())
    if find_account(session, username=account.username) is not None:
        raise UsernameTaken(account.username)
    if password is not None:
        account.password_hash = _accepted_hash(account, password)
    session.add(account)
    session.flush()
    facts = {"role": account.role, **_area_facts(account)}
    record(session, by=by, action=AuditAction.ACCOUNT_ADDED, subject=account_actor(account.id), after=facts, now=now)
    return account


def place_account(session: Session, *, account: Account, bound_to: BoundTo, by: str, now: datetime) -> None:
    """Bind an account to another place or other communities; whatever began while it saw the earlier ones ends."""
    before = _area_facts(account)
    _bind(account, bound_to)
    after = _area_facts(account)
    if after != before:
        renew_credentials(session, account)
        subject = account_actor(account.id)
        record(session, by=by, action=AuditAction.ACCOUNT_PLACED, subject=subject, before=before, after=after, now=now)


def _bind(account: Account, bound_to: BoundTo) -> None:
    """Bind an account to what fits its role; `SeveralAreas`, `TooManyCommunities` or `WrongArea` before any change."""
    role, area = Role(account.role), _area_of(bound_to, Role(account.role))
    if bound_to.place is not None and bound_to.communities:
        raise SeveralAreas
    if len(bound_to.communities) > MOST_COMMUNITIES:
        raise TooManyCommunities(len(bound_to.communities))
    if area not in AREAS_OF_ROLE[role]:
        raise WrongArea(role, area)
    for attribute, kind in _KINDS.items():
        setattr(account, attribute, bound_to.place if isinstance(bound_to.place, kind) else None)
    account.communities = list(bound_to.communities)


_KINDS = {
    "district": District,
    "subdistrict": Subdistrict,
    "neighbourhood": Neighbourhood,
    "company": PropertyCompany,
}


def _area_facts(account: Account) -> Facts:
    """Return what the audit chain says of the area of an account: its kind, and the number of the place or all."""
    return {"area": area_of(account), "place": place_fact([place.id for place in places_of(account)])}


def set_password(session: Session, *, account: Account, password: NewPassword, by: str, now: datetime) -> None:
    """Set another password for the account; whatever began with the old one ends."""
    account.password_hash = _accepted_hash(account, password)
    renew_credentials(session, account)
    record(session, by=by, action=AuditAction.PASSWORD_SET, subject=account_actor(account.id), now=now)


def reset_account(
    session: Session, *, account: Account, by: str, requested_by: str | None = None, now: datetime
) -> None:
    """Remove password, authenticator and recovery codes, so that a new invitation can be sent.

    `requested_by` is who asked, where a second person confirms.
    """
    account.password_hash, account.totp_secret, account.totp_last_step = _unusable(), None, None
    account.in_force_since = None
    session.execute(delete(RecoveryCode).filter_by(account_id=account.id))
    renew_credentials(session, account)
    record(
        session,
        by=by,
        action=AuditAction.ACCOUNT_RESET,
        subject=account_actor(account.id),
        after=None if requested_by is None else {"requested_by": requested_by},
        now=now,
    )


def disable_account(session: Session, *, account: Account, by: str, now: datetime) -> None:
    """Disable sign-in with this account; what it did stays on record."""
    if by == account_actor(account.id):
        raise OwnAccount
    if account.disabled_at is None:
        account.disabled_at, account.in_force_since = now, None
        renew_credentials(session, account)
        record(session, by=by, action=AuditAction.ACCOUNT_DISABLED, subject=account_actor(account.id), now=now)


def enable_account(session: Session, *, account: Account, by: str, now: datetime) -> None:
    """Enable sign-in with the account again."""
    if account.disabled_at is not None:
        account.disabled_at = None
        account.in_force_since = None if account.totp_secret is None else now
        renew_credentials(session, account)
        record(session, by=by, action=AuditAction.ACCOUNT_ENABLED, subject=account_actor(account.id), now=now)


def area_of(account: Account) -> Area:
    """Return the area that the account is bound to."""
    area = _area_of(BoundTo(account.place, account.communities), Role(account.role))
    # A clerk is never of the whole city: one whose list is empty sees nothing.
    return Area.COMMUNITY if account.role == Role.CLERK and area is Area.CITY else area


def _area_of(bound_to: BoundTo, role: Role) -> Area:
    if bound_to.place is not None:
        return _AREA_OF_KIND[type(bound_to.place)]
    if bound_to.communities:
        return Area.COMMUNITY
    return Area.NOWHERE if role is Role.ADMINISTRATOR else Area.CITY


_AREA_OF_KIND = {
    District: Area.DISTRICT,
    Subdistrict: Area.SUBDISTRICT,
    Neighbourhood: Area.NEIGHBOURHOOD,
    PropertyCompany: Area.COMPANY,
}


def places_of(account: Account) -> Sequence[District | Subdistrict | Neighbourhood | PropertyCompany | Community]:
    """Return the place that the account is bound to, or the communities; none for the whole city and for nothing."""
    return account.communities if account.place is None else [account.place]


def area_names(account: Account) -> Sequence[Wording]:
    """Return what the place is called that the account is bound to, or each of its communities."""
    return [Wording.of(place.name, place.english_name) for place in places_of(account)]


def find_account(session: Session, **wanted: object) -> Account | None:
    """Return the account with these values of its columns, and what it is bound to."""
    return session.scalar(select(Account).options(*WITH_PLACES).filter_by(**wanted))


WITH_PLACES = (
    joinedload(Account.district),
    joinedload(Account.subdistrict),
    joinedload(Account.neighbourhood),
    joinedload(Account.company),
)
"""Options that read accounts together with what they are bound to."""


def password_is_right(account: Account | None, password: str) -> bool:
    """Return whether this is the account's password; without an account the check takes as long."""
    has_one = account is not None and not account.password_hash.startswith(_UNUSABLE)
    known = account.password_hash if account is not None and has_one else _DUMMY_HASH
    try:
        return _hasher.verify(known, _plain(password))
    except VerificationError:
        return False


def normalise_username(typed: str) -> str:
    """Return a typed user name in normal form, whatever its case and the width of its letters."""
    return _plain(typed).strip().casefold()


def _is_username(name: str) -> bool:
    return (
        0 < len(name) <= LONGEST_USERNAME
        and any(map(str.isalnum, name))
        and all(character.isalnum() or character in _USERNAME_MARKS for character in name)
    )


def names_beside(account: Account) -> Sequence[str]:
    """Return the names that everybody connects with an account, of which its password must not be made."""
    named = [(place.name, place.english_name) for place in places_of(account)]
    return [account.username, account.role, *(name for names in named for name in names if name)]


def _accepted_hash(account: Account, password: NewPassword) -> str:
    check_strength(password.plain, names=names_beside(account))
    return password.hash


def _unusable() -> str:
    return _UNUSABLE + secrets.token_hex(16)


def _plain(typed: str) -> str:
    # A Chinese keyboard may type full-width letters and digits: they are meant as the plain ones.
    return unicodedata.normalize("NFKC", typed)
