"""The codes that residents scan, and what they answered."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.database import Base
from survey_app.models.places import Community


class Code(Base):
    """A code on a poster: an opaque token that stands for one community."""

    __tablename__ = "code"
    __table_args__ = (CheckConstraint("kind IN ('poster')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    # A poster hangs in public and is printed again: its token is no secret and is kept as it is.
    token: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), index=True)
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    community: Mapped[Community] = relationship()


class Response(Base):
    """One submitted questionnaire. `answers` is canonical text; the commitment binds the receipt to it."""

    __tablename__ = "response"
    __table_args__ = (
        CheckConstraint("tenure IN (1, 2, 3)", name="tenure"),
        CheckConstraint("mode IN ('web')", name="mode"),
        Index("ix_response_round_id_community_id", "round_id", "community_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_key: Mapped[str] = mapped_column(unique=True)
    receipt: Mapped[str] = mapped_column(unique=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"))
    questionnaire_id: Mapped[int] = mapped_column(ForeignKey("questionnaire.id"))
    code_id: Mapped[int] = mapped_column(ForeignKey("code.id"))
    language: Mapped[str]
    mode: Mapped[str]
    tenure: Mapped[int]
    started_at: Mapped[datetime]
    submitted_at: Mapped[datetime]
    answers: Mapped[str]
    # Random, so that a commitment can be published without the answers being found by trial.
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    commitment: Mapped[str]
