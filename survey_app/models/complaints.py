"""Complaints about property services."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.database import Base
from survey_app.models.places import Community


class Complaint(Base):
    """A case that a resident filed, known to the public by its reference."""

    __tablename__ = "complaint"
    __table_args__ = (
        CheckConstraint("kind IN ('complaint', 'repair', 'enquiry')", name="kind"),
        CheckConstraint("status IN ('submitted')", name="status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_key: Mapped[str] = mapped_column(unique=True)
    reference: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), index=True)
    code_id: Mapped[int] = mapped_column(ForeignKey("code.id"))
    category: Mapped[str]
    kind: Mapped[str]
    text: Mapped[str]
    language: Mapped[str]
    status: Mapped[str]
    submitted_at: Mapped[datetime] = mapped_column(index=True)

    community: Mapped[Community] = relationship()
