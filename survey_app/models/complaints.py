"""Complaints about property services, and what happened to each."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.constraints import one_of
from survey_app.models.places import Community
from survey_app.models.vocabulary import CaseActor, CaseKind, CaseStatus, Channel
from survey_app.storage.database import Base

_ERASED = (
    "CASE WHEN words_erased_at IS NULL THEN submission_key IS NOT NULL AND language IS NOT NULL ELSE text = '' "
    "AND place = '' AND occurred_on IS NULL AND secret_hash IS NULL AND submission_key IS NULL AND language IS NULL END"
)


_TIME_MOVES_IT = text("next_step_at IS NOT NULL")
_HAS_WORDS = text("words_erased_at IS NULL")


class Complaint(Base):
    """A case that a resident filed, known to the public by its reference.

    `status` and `status_since` repeat what the events amount to, so that cases can be counted and listed.
    """

    __tablename__ = "complaint"
    __table_args__ = (
        one_of("kind", CaseKind),
        one_of("status", CaseStatus),
        one_of("channel", Channel),
        CheckConstraint(_ERASED, name="words_erased"),
        CheckConstraint("(next_step_at IS NULL) = (next_step_basis IS NULL)", name="next_step"),
        Index(
            "ix_complaint_next_step_at", "next_step_at", sqlite_where=_TIME_MOVES_IT, postgresql_where=_TIME_MOVES_IT
        ),
        Index("ix_complaint_words_status_since", "status_since", sqlite_where=_HAS_WORDS, postgresql_where=_HAS_WORDS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # None once the words are erased, as is the language.
    submission_key: Mapped[str | None] = mapped_column(unique=True)
    reference: Mapped[str] = mapped_column(unique=True)
    # An HMAC; empty for what was filed before there were secrets, until the office issues one, and with the words.
    secret_hash: Mapped[str | None]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), index=True)
    # Of a poster. A slip's is not kept: it would lead from a complaint, and who filed it, to the household's answers.
    code_id: Mapped[int | None] = mapped_column(ForeignKey("code.id"))
    category: Mapped[str]
    kind: Mapped[str]
    # Empty once the words are erased, as is the place; a case is never filed without words.
    text: Mapped[str]
    place: Mapped[str]
    occurred_on: Mapped[date | None]
    language: Mapped[str | None]
    status: Mapped[str] = mapped_column(index=True)
    status_since: Mapped[datetime]
    # When time alone takes the next step, by which calendar and zone; None where it takes none.
    next_step_at: Mapped[datetime | None]
    next_step_basis: Mapped[str | None]
    submitted_at: Mapped[datetime] = mapped_column(index=True)
    channel: Mapped[str] = mapped_column(server_default=Channel.CODE.value)
    words_erased_at: Mapped[datetime | None]

    community: Mapped[Community] = relationship()


class ComplaintEvent(Base):
    """One step of a case; triggers refuse to change or delete it."""

    __tablename__ = "complaint_event"
    __table_args__ = (
        UniqueConstraint("complaint_id", "number"),
        one_of("actor", CaseActor),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    number: Mapped[int]
    action: Mapped[str]
    actor: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
    reason: Mapped[str | None]
    original_id: Mapped[int | None] = mapped_column(ForeignKey("complaint.id"))
    until: Mapped[datetime | None]
    # Of the form that asked for this step: sent twice, it is taken once.
    action_key: Mapped[str | None] = mapped_column(unique=True)


class ComplaintNote(Base):
    """What was said with an event; a table of its own, since words may have to be erased and events stay."""

    __tablename__ = "complaint_note"

    event_id: Mapped[int] = mapped_column(ForeignKey("complaint_event.id"), primary_key=True)
    text: Mapped[str]


class ComplaintContact(Base):
    """How to reach who complained: sealed, by separate consent, erased 90 days after the case has ended."""

    __tablename__ = "complaint_contact"

    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), primary_key=True)
    sealed: Mapped[str]
    consented_at: Mapped[datetime]


class ComplaintSupport(Base):
    """A neighbour who has the same trouble; `supporter` tells two apart and leads back to nobody."""

    __tablename__ = "complaint_support"
    __table_args__ = (UniqueConstraint("complaint_id", "supporter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    supporter: Mapped[str]
    added_at: Mapped[datetime]
