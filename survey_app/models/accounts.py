"""Staff accounts, and what this installation is."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.database import Base
from survey_app.models.places import Community, District, PropertyCompany
from survey_app.roles import Role

# What each role is bound to, see `survey_app.roles.AREAS_OF_ROLE`.
_SCOPE = (
    "CASE role "
    "WHEN 'district' THEN district_id IS NOT NULL AND company_id IS NULL AND community_id IS NULL "
    "WHEN 'company' THEN district_id IS NULL AND company_id IS NOT NULL AND community_id IS NULL "
    "WHEN 'clerk' THEN company_id IS NULL AND (district_id IS NULL) <> (community_id IS NULL) "
    "ELSE district_id IS NULL AND company_id IS NULL AND community_id IS NULL END"
)


class Account(Base):
    """A member of staff. `session_identity` is what the browser's cookie holds; a new one ends every session."""

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
    session_identity: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]

    district: Mapped[District | None] = relationship()
    company: Mapped[PropertyCompany | None] = relationship()
    community: Mapped[Community | None] = relationship()


class Installation(Base):
    """One row: whether this database holds a demonstration city, which can never become a real one."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    is_demo: Mapped[bool]
    created_at: Mapped[datetime]
