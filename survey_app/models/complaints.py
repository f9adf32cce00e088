"""Complaints about property services, and what happened to each."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.accounts import Account
from survey_app.models.constraints import one_of
from survey_app.models.places import Community
from survey_app.models.vocabulary import CaseActor, CaseKind, CaseOffice, CaseStatus, Channel
from survey_app.storage.database import Base

_ERASED = (
    "CASE WHEN words_erased_at IS NULL THEN submission_key IS NOT NULL AND language IS NOT NULL ELSE text = '' "
    "AND place = '' AND occurred_on IS NULL AND secret_hash IS NULL AND submission_key IS NULL AND language IS NULL END"
)


_TIME_MOVES_IT = text("next_step_at IS NOT NULL")
_IS_OWED = text("deadline_at IS NOT NULL")
_HAS_COMPANY = text("company_id IS NOT NULL")
_HAS_WORDS = text("words_erased_at IS NULL")


class CaseworkFile(Base):
    """Published casework file: its canonical text, frozen; cases submitted from `in_force_from` on follow it."""

    __tablename__ = "casework_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    # A local day; the file is in force until another one is.
    in_force_from: Mapped[date] = mapped_column(unique=True)
    published_at: Mapped[datetime]


class WorkingCalendar(Base):
    """Published calendar of a year: its canonical text, frozen; of several of one year the last version holds."""

    __tablename__ = "working_calendar"
    __table_args__ = (UniqueConstraint("year", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    version: Mapped[int]
    text: Mapped[str]
    sha256: Mapped[str]
    published_at: Mapped[datetime]
    # None of those that come with the program.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    account: Mapped[Account | None] = relationship()


class Complaint(Base):
    """A case that a resident filed, known to the public by its reference.

    What it is filed with never changes. From `status` on it repeats what the events amount to, so that cases can be
    counted and listed: where it stands, who has it, until when an answer is owed, and what waits for a decision.
    """

    __tablename__ = "complaint"
    __table_args__ = (
        one_of("kind", CaseKind),
        one_of("status", CaseStatus),
        one_of("channel", Channel),
        CheckConstraint(_ERASED, name="words_erased"),
        one_of("office", CaseOffice),
        CheckConstraint("(next_step_at IS NULL AND deadline_at IS NULL) = (next_step_basis IS NULL)", name="next_step"),
        Index(
            "ix_complaint_next_step_at", "next_step_at", sqlite_where=_TIME_MOVES_IT, postgresql_where=_TIME_MOVES_IT
        ),
        Index("ix_complaint_deadline_at", "deadline_at", sqlite_where=_IS_OWED, postgresql_where=_IS_OWED),
        # All that the list of an office counts and sorts by, without the words of each case.
        Index(
            "ix_complaint_desk",
            *("status", "stage", "deadline_at", "submitted_at", "category", "community_id"),
            *("proposal", "channel", "office", "handler_id", "company_id"),
        ),
        Index("ix_complaint_company_id", "company_id", sqlite_where=_HAS_COMPANY, postgresql_where=_HAS_COMPANY),
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
    stage: Mapped[int] = mapped_column(default=1, server_default="1")
    # When time alone takes the next step, and until when an acknowledgement or answer is owed, by which calendar and
    # zone; None where it takes none, and where none is owed.
    next_step_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    next_step_basis: Mapped[str | None]
    office: Mapped[str] = mapped_column(default=CaseOffice.DISTRICT, server_default=CaseOffice.DISTRICT.value)
    # The company to which it was given last, and the person of the office who works on it.
    company_id: Mapped[int | None] = mapped_column(ForeignKey("property_company.id"))
    handler_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    is_supervised: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Why the company proposes to end it without work, until the office has decided.
    proposal: Mapped[str | None]
    submitted_at: Mapped[datetime] = mapped_column(index=True)
    # In force at the submission; the case follows it until its end.
    casework_file_id: Mapped[int] = mapped_column(ForeignKey("casework_file.id"))
    channel: Mapped[str] = mapped_column(server_default=Channel.CODE.value)
    words_erased_at: Mapped[datetime | None]

    community: Mapped[Community] = relationship()
    casework_file: Mapped[CaseworkFile] = relationship()


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
    # The deadline of the period that this step ended, as it stood then: judged once, and never again. None where no
    # period ended, or the resident ended it in time.
    due_at: Mapped[datetime | None]
    # Of the form that asked for this step: sent twice, it is taken once.
    action_key: Mapped[str | None] = mapped_column(unique=True)


class ComplaintAssignment(Base):
    """Whom an event gave the case to: a company, a person of the office, another office. Triggers keep it as it is."""

    __tablename__ = "complaint_assignment"
    __table_args__ = (
        one_of("office", CaseOffice),
        Index(
            "ix_complaint_assignment_company_id",
            "company_id",
            sqlite_where=_HAS_COMPANY,
            postgresql_where=_HAS_COMPANY,
        ),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("complaint_event.id"), primary_key=True)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("property_company.id"))
    handler_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    office: Mapped[str | None]


class ComplaintRelease(Base):
    """What a company reads of the resident's words: the office looked at it; erased with the words."""

    __tablename__ = "complaint_release"

    event_id: Mapped[int] = mapped_column(ForeignKey("complaint_event.id"), primary_key=True)
    text: Mapped[str]
    place: Mapped[str]
    # Names of the photos that the company sees, as canonical JSON.
    photos: Mapped[str]


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
