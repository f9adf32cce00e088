"""Tables of staff accounts, their sessions and recovery codes, and of what this installation is."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.places import Community, District, PropertyCompany
from survey_app.models.vocabulary import Role
from survey_app.storage.database import Base

# What each role is bound to, see `survey_app.models.vocabulary.AREAS_OF_ROLE`.
_SCOPE = (
    "CASE role "
    "WHEN 'district' THEN district_id IS NOT NULL AND company_id IS NULL AND community_id IS NULL "
    "WHEN 'company' THEN district_id IS NULL AND company_id IS NOT NULL AND community_id IS NULL "
    "WHEN 'clerk' THEN company_id IS NULL AND (district_id IS NULL) <> (community_id IS NULL) "
    "ELSE district_id IS NULL AND company_id IS NULL AND community_id IS NULL END"
)


class Account(Base):
    """Account of a member of staff."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(f"role IN ({', '.join(repr(str(role)) for role in Role)})", name="role"),
        CheckConstraint(_SCOPE, name="scope"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    district_id: Mapped[int | None] = mapped_column(ForeignKey("district.id"))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("property_company.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("community.id"))
    # Encrypted: a copied database yields no codes. None until the account has linked an authenticator.
    totp_secret: Mapped[str | None]
    # The time step of the last code that was used: none works twice.
    totp_last_step: Mapped[int | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]

    district: Mapped[District | None] = relationship()
    company: Mapped[PropertyCompany | None] = relationship()
    community: Mapped[Community | None] = relationship()


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
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Installation(Base):
    """One row: whether this database holds a demonstration city, which can never become a real one."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    is_demo: Mapped[bool]
    created_at: Mapped[datetime]
