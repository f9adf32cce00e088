"""Columns of files that are read, compared and imported by jobs, each when somebody has said so."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from survey_app.models.vocabulary import ListStatus
from survey_app.storage.database import Base


class KeptFile(Base):
    """A file from its upload until it is imported, given up or too old: see `survey_app.kept_files`."""

    __abstract__ = True

    account_id: Mapped[int]
    # Of the file that was sent.
    name: Mapped[str]
    # What stands above its columns, by field, as canonical JSON.
    headers: Mapped[str]
    status: Mapped[str] = mapped_column(default=ListStatus.SENT)
    # The job that does the next step or did the last.
    job_id: Mapped[int] = mapped_column(unique=True)
    # What the last step found, as whoever reads such files writes it.
    findings: Mapped[str | None]
    # Digest of the comparison that is shown.
    comparison_sha256: Mapped[str | None]
    # Of the account when it confirmed: see `survey_app.accounts.credentials`.
    credentials: Mapped[str | None]
    # When the file and its rows are erased at the latest.
    expires_at: Mapped[datetime]
    # What was read, as text: then the file is erased.
    rows: Mapped[str | None] = mapped_column(deferred=True)
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
