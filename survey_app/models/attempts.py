"""Table of the attempts that count towards a limit."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from survey_app.storage.database import Base


class Attempt(Base):
    """Attempt, kept until it counts no longer. `subject` is a keyed digest of what was tried, never of an address."""

    __tablename__ = "attempt"
    __table_args__ = (Index("ix_attempt_action_subject", "action", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str]
    subject: Mapped[str]
    attempted_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
