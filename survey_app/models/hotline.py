"""Cases of the 12345 hotline: what its files said of each, the imports, and what is found to be the same."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.complaints import Complaint
from survey_app.models.constraints import one_of
from survey_app.models.kept_files import KeptFile
from survey_app.models.places import Community
from survey_app.models.vocabulary import ListStatus, MatchStatus
from survey_app.storage.database import Base


class HotlineImport(KeptFile):
    """A file of the hotline from its upload on: read and compared by a job, then imported as it was shown."""

    __tablename__ = "hotline_import"
    __table_args__ = (one_of("status", ListStatus),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    sent_at: Mapped[datetime]
    imported_at: Mapped[datetime | None]
    taken_back_at: Mapped[datetime | None]
    taken_back_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class HotlineCase(Base):
    """What the last file of the hotline said of one of its cases, beside the words, which stand with the complaint."""

    __tablename__ = "hotline_case"

    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), primary_key=True)
    external_number: Mapped[str] = mapped_column(unique=True)
    # The import that said it last.
    import_id: Mapped[int] = mapped_column(ForeignKey("hotline_import.id"), index=True)
    source: Mapped[str]
    undertaker: Mapped[str]
    is_confidential: Mapped[bool] = mapped_column(default=False, server_default=false())
    category_written: Mapped[str]
    community_written: Mapped[str]
    dispatched_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]
    limit_at: Mapped[datetime | None]
    extended_until: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    redone_at: Mapped[datetime | None]
    call_back: Mapped[str]
    # An HMAC, erased with the words of the case.
    telephone_digest: Mapped[str | None]
    row_sha256: Mapped[str]

    complaint: Mapped[Complaint] = relationship()


class HotlineChange(Base):
    """What an import made or changed: enough to take it back while nothing else has happened since."""

    __tablename__ = "hotline_change"

    import_id: Mapped[int] = mapped_column(ForeignKey("hotline_import.id"), primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), primary_key=True, index=True)
    # The row of the hotline's case before, as canonical JSON; None of a case that the import brought.
    before: Mapped[str | None]
    # How many events the case had after the import, and whether some of them are of the import.
    events: Mapped[int]
    has_steps: Mapped[bool]


class CommunityAlias(Base):
    """What the hotline calls a community; one that is said of two communities leaves it undecided which is meant."""

    __tablename__ = "community_alias"
    __table_args__ = (UniqueConstraint("alias", "community_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    alias: Mapped[str]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    added_at: Mapped[datetime]

    community: Mapped[Community] = relationship()


class HotlineMatch(Base):
    """A case of the hotline and one of another channel that may be the same, until a person has decided it.

    Where both were open the other one was merged into the hotline's; else both stay, and the rate counts them once.
    """

    __tablename__ = "hotline_match"
    __table_args__ = (UniqueConstraint("complaint_id", "other_id"), one_of("status", MatchStatus))

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), index=True)
    status: Mapped[str] = mapped_column(default=MatchStatus.SUGGESTED, server_default=MatchStatus.SUGGESTED.value)
    is_merged: Mapped[bool] = mapped_column(default=False, server_default=false())
    suggested_at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
