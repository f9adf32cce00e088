"""The photos that residents send with a complaint or with their answers."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from survey_app.storage.database import Base


class Photo(Base):
    """A photo as it was encoded here; with neither a complaint nor a response while its form is not sent yet."""

    __tablename__ = "photo"
    __table_args__ = (
        UniqueConstraint("submission_key", "question", "upload_sha256"),
        CheckConstraint("complaint_id IS NULL OR response_id IS NULL", name="owner"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    submission_key: Mapped[str]
    # The key of the question that asks for it; empty in a complaint, which asks for photos once.
    question: Mapped[str]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), index=True)
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaint.id"), index=True)
    response_id: Mapped[int | None] = mapped_column(ForeignKey("response.id"), index=True)
    upload_sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]
