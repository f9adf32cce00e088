"""Staff accounts, and what this installation is."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.database import Base
from survey_app.models.places import District


class Account(Base):
    """A member of staff. `session_identity` is what the browser's cookie holds; a new one ends every session."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("role IN ('city', 'district', 'evaluator')", name="role"),
        CheckConstraint("(role = 'district') = (district_id IS NOT NULL)", name="scope"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    district_id: Mapped[int | None] = mapped_column(ForeignKey("district.id"))
    session_identity: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]

    district: Mapped[District | None] = relationship()


class Installation(Base):
    """One row: whether this database holds a demonstration city, which can never become a real one."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    is_demo: Mapped[bool]
    created_at: Mapped[datetime]
