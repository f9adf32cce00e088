"""The files that people send with a complaint or with their answers, their small copies, the source of unsent ones."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from survey_app.storage.database import Base

_IS_UNSENT = text("complaint_id IS NULL AND response_id IS NULL")


class Attachment(Base):
    """A file as its scan left it; with neither a complaint nor a response while its form is not sent yet."""

    __tablename__ = "attachment"
    __table_args__ = (
        UniqueConstraint("submission_key", "kind", "question", "upload_sha256"),
        CheckConstraint("complaint_id IS NULL OR response_id IS NULL", name="owner"),
        Index("ix_attachment_unsent", "kind", "added_at", sqlite_where=_IS_UNSENT, postgresql_where=_IS_UNSENT),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # The name of an `AttachmentKind`; no list of them stands in the database, so that a new kind needs no revision.
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(unique=True)
    # Of the content that is kept, as are `size`, in bytes, and `sha256`.
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    # Of the file as it was sent: by it the same file is known again.
    upload_sha256: Mapped[str]
    submission_key: Mapped[str]
    # The key of the question that asks for it; empty in a complaint, which asks once.
    question: Mapped[str]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), index=True)
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaint.id"), index=True)
    response_id: Mapped[int | None] = mapped_column(ForeignKey("response.id"), index=True)
    added_at: Mapped[datetime]
    # Last: SQLite reads all of it to reach a column behind it.
    content: Mapped[bytes] = mapped_column(LargeBinary)


class AttachmentThumbnail(Base):
    """A small copy of a file, drawn once when it is kept, for the pages that list it; it goes with the file."""

    __tablename__ = "attachment_thumbnail"

    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachment.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class AttachmentSource(Base):
    """From which line a file came and from which of its neighbours, for as long as its form is not sent."""

    __tablename__ = "attachment_source"

    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachment.id", ondelete="CASCADE"), primary_key=True)
    # See `survey_app.accounts.network_digests`.
    address_digest: Mapped[str] = mapped_column(index=True)
    prefix_digest: Mapped[str]
