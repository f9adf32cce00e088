"""Staff accounts: adding, changing and disabling them."""

import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from survey_app.accounts.credentials import renew_credentials
from survey_app.accounts.passwords import check_strength
from survey_app.audit import account_actor, head, record
from survey_app.errors import JiayuanError
from survey_app.models import Account, Community, District, PropertyCompany, RecoveryCode
from survey_app.models.vocabulary import AREAS_OF_ROLE, Area, AuditAction, Role

_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106
# Verified when there is no such account, so that an unknown name takes as long as a wrong password.
_DUMMY_HASH = _hasher.hash(secrets.token_hex(16))
# In place of a hash until a password is chosen; what follows is random, so that no two such times look alike
# and an old invitation does not come alive again.
_UNUSABLE = "none:"

LONGEST_USERNAME = 64
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
        super().__init__("an account is bound to one place: a district, a company or a community, not to several")


class OwnAccount(JiayuanError):
    """Own account, which nobody disables: the last administrator would lock everybody out."""

    status = 409
    page = "staff/own_account.html"


class WrongArea(JiayuanError):
    """The role does not fit the area that the account is to be bound to."""

    def __init__(self, role: Role, area: Area) -> None:
        super().__init__(f"the role {role} is bound to {' or '.join(sorted(AREAS_OF_ROLE[role]))}, not to {area}")
        self.role, self.area = role, area


def add_account(
    session: Session,
    *,
    username: str,
    password: str | None,
    role: Role | str,
    by: str,
    now: datetime,
    district: District | None = None,
    company: PropertyCompany | None = None,
    community: Community | None = None,
) -> Account:
    """Add an account, bound to the area of its role; without a password an invitation has to set one."""
    account = Account(
        username=normalise_username(username),
        password_hash=_unusable(),
        role=Role(role),
        district=district,
        company=company,
        community=community,
        created_at=now,
        # Its owner is told of what happens from now on.
        notices_read_to=head(session).position,
    )
    if not _is_username(account.username):
        raise InvalidUsername
    if len([place for place in (district, company, community) if place is not None]) > 1:
        raise SeveralAreas
    if area_of(account) not in AREAS_OF_ROLE[Role(role)]:
        raise WrongArea(Role(role), area_of(account))
    if find_account(session, username=account.username) is not None:
        raise UsernameTaken(account.username)
    if password is not None:
        account.password_hash = _hash(account, password)
    session.add(account)
    session.flush()
    place = district or company or community
    facts = {"role": account.role, "area": area_of(account), "place": place.id if place else None}
    record(session, by=by, action=AuditAction.ACCOUNT_ADDED, subject=account_actor(account.id), after=facts, now=now)
    return account


def set_password(session: Session, *, account: Account, password: str, by: str, now: datetime) -> None:
    """Set another password for the account; whatever began with the old one ends."""
    account.password_hash = _hash(account, password)
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
    bound = {Area.DISTRICT: account.district, Area.COMPANY: account.company, Area.COMMUNITY: account.community}
    found = [area for area, place in bound.items() if place is not None]
    if found:
        return found[0]
    return Area.NOWHERE if account.role == Role.ADMINISTRATOR else Area.CITY


def find_account(session: Session, **wanted: object) -> Account | None:
    """Return the account with these values of its columns, and what it is bound to."""
    places = (joinedload(Account.district), joinedload(Account.company), joinedload(Account.community))
    return session.scalar(select(Account).options(*places).filter_by(**wanted))


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
    places = (account.district, account.company, account.community)
    named = [(place.name, place.english_name) for place in places if place is not None]
    return [account.username, account.role, *(name for names in named for name in names if name)]


def _hash(account: Account, password: str) -> str:
    check_strength(password, names=names_beside(account))
    return _hasher.hash(_plain(password))


def _unusable() -> str:
    return _UNUSABLE + secrets.token_hex(16)


def _plain(typed: str) -> str:
    # A Chinese keyboard may type full-width letters and digits: they are meant as the plain ones.
    return unicodedata.normalize("NFKC", typed)
