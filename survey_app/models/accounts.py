"""Tables of staff accounts, their sessions and recovery codes, and of what this installation is."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import combinations
from types import MappingProxyType

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.constraints import one_of
from survey_app.models.places import Community, District, Neighbourhood, PropertyCompany, Subdistrict
from survey_app.models.vocabulary import AREAS_OF_ROLE, Area, Role
from survey_app.storage.database import Base

_COLUMN_OF_AREA: Mapping[Area, str] = MappingProxyType(
    {
        Area.DISTRICT: "district_id",
        Area.SUBDISTRICT: "subdistrict_id",
        Area.NEIGHBOURHOOD: "neighbourhood_id",
        Area.COMPANY: "company_id",
    }
)


def _scope() -> str:
    """Return the condition that an account is bound to a place of an area of its role, and to no other.

    Communities are listed in a table of their own: an account that may have such a list may be bound to no place.
    """
    cases = " ".join(
        f"WHEN '{role}' THEN {_is_bound_to(areas)}"
        for role, areas in AREAS_OF_ROLE.items()
        if areas & {*_COLUMN_OF_AREA, Area.COMMUNITY}
    )
    return f"CASE role {cases} ELSE {_is_bound_to(frozenset())} END"


def _is_bound_to(areas: Collection[Area]) -> str:
    """Return the condition that one of the columns of these areas is set, at most one beside a list, and no other."""
    bound = [column for area, column in _COLUMN_OF_AREA.items() if area in areas]
    terms = [f"{column} IS NULL" for column in _COLUMN_OF_AREA.values() if column not in bound]
    terms += [f"({first} IS NULL OR {second} IS NULL)" for first, second in combinations(bound, 2)]
    if Area.COMMUNITY not in areas and bound:
        terms.append(f"({' OR '.join(f'{column} IS NOT NULL' for column in bound)})")
    return " AND ".join(terms)


def new_credential_version() -> str:
    """Return a random credential version, which no account had before: not even one that a backup brings back."""
    return secrets.token_hex(16)


class Account(Base):
    """Account of a member of staff."""

    __tablename__ = "account"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint(_scope(), name="scope"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    district_id: Mapped[int | None] = mapped_column(ForeignKey("district.id"))
    subdistrict_id: Mapped[int | None] = mapped_column(ForeignKey("subdistrict.id"))
    neighbourhood_id: Mapped[int | None] = mapped_column(ForeignKey("neighbourhood.id"))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("property_company.id"))
    # Encrypted: a copied database yields no codes. None until the account has linked an authenticator.
    totp_secret: Mapped[str | None]
    # The time step of the last code that was used: none works twice.
    totp_last_step: Mapped[int | None]
    # Renewed whenever what proves or limits the account changes; see `accounts.credentials`.
    credential_version: Mapped[str] = mapped_column(default=new_credential_version, server_default="")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    # Since when it can be signed in to: an authenticator was linked, or the account was enabled again.
    in_force_since: Mapped[datetime | None]
    # What the owner has not been told yet: refused sign-ins since, and audit events after this position.
    failed_sign_ins: Mapped[int] = mapped_column(default=0, server_default="0")
    last_failed_sign_in_at: Mapped[datetime | None]
    notices_read_to: Mapped[int] = mapped_column(default=0, server_default="0")

    district: Mapped[District | None] = relationship()
    subdistrict: Mapped[Subdistrict | None] = relationship()
    neighbourhood: Mapped[Neighbourhood | None] = relationship()
    company: Mapped[PropertyCompany | None] = relationship()
    # Named one by one, where the account is bound to no place that holds them all.
    # They are read with the account, whose credentials they are part of.
    communities: Mapped[list[Community]] = relationship(
        secondary="account_community", order_by=Community.number, lazy="selectin"
    )

    @property
    def place(self) -> District | Subdistrict | Neighbourhood | PropertyCompany | None:
        """The one place that the account is bound to, if it is."""
        return self.district or self.subdistrict or self.neighbourhood or self.company


class AccountCommunity(Base):
    """Community that an account looks after, one of those that were named one by one."""

    __tablename__ = "account_community"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), primary_key=True, index=True)


class RecoveryCode(Base):
    """Recovery code that stands in for a lost authenticator, once; only its keyed digest is kept."""

    __tablename__ = "recovery_code"

    digest: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)


class AccountSession(Base):
    """Session of one signed-in browser. The cookie holds the token itself; without this row it opens nothing."""

    __tablename__ = "account_session"

    digest: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    # Those of the account when the session began: once they have changed, the session opens nothing either.
    credentials: Mapped[str] = mapped_column(server_default="")
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ResetRequest(Base):
    """Request to reset an account of the city or an administrator, until a second person decides; one per account."""

    __tablename__ = "reset_request"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    # Of both accounts when it was made: a request dies with either.
    account_credentials: Mapped[str]
    requester_credentials: Mapped[str]

    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    requested_by: Mapped[Account] = relationship(foreign_keys=[requested_by_id])


class KeyCheck(Base):
    """One row: a keyed value by which the secret key is recognised, and from which it cannot be found."""

    __tablename__ = "key_check"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str]


class Installation(Base):
    """One row: whether this database holds a demonstration city, which can never become a real one."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    is_demo: Mapped[bool]
    created_at: Mapped[datetime]
