"""Tables of the audit chain: who did what, when, to what; and of what is erased but not recorded in it yet."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from survey_app.storage.database import Base


class AuditEvent(Base):
    """Link of the audit chain. It holds ids and keyed digests, never a name, a telephone or an answer."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_action_position", "action", "position"),)

    # Counted here and not by the database, whose numbers have gaps where a transaction was rolled back.
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    happened_at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    # Canonical JSON of what changed, as it was and as it is.
    before: Mapped[str | None]
    after: Mapped[str | None]
    # Unique: two transactions can never continue from the same link.
    previous_hash: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str] = mapped_column(unique=True)


class ErasureCount(Base):
    """Number of rows that short transactions have erased, until the audit chain records them together."""

    __tablename__ = "erasure_count"
    __table_args__ = (UniqueConstraint("actor", "action", "subject", "fact"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # As the event will name them; `fact` is what was counted.
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    fact: Mapped[str]
    count: Mapped[int]
