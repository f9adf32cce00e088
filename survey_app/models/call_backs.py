"""Call-backs: samples of closed cases, which cases were drawn, and what came of each call. Triggers keep all of it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.accounts import Account
from survey_app.models.complaints import CaseworkFile, Complaint
from survey_app.models.constraints import one_of
from survey_app.models.places import District
from survey_app.models.vocabulary import CallCorrection, CallOutcome, Contacted, RecordedEnd, Resolved, Satisfied
from survey_app.storage.database import Base

_SAID = "contacted IS NOT NULL AND resolved IS NOT NULL AND satisfied IS NOT NULL"
_UNSAID = "contacted IS NULL AND resolved IS NULL AND satisfied IS NULL"


class CallBackSample(Base):
    """A sample of the cases that closed in a month, with all that it takes to draw it again."""

    __tablename__ = "call_back_sample"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Such as 2026-09.
    month: Mapped[str]
    # None where the sample is of the whole city.
    district_id: Mapped[int | None] = mapped_column(ForeignKey("district.id"))
    # By which its size was computed.
    casework_file_id: Mapped[int] = mapped_column(ForeignKey("casework_file.id"))
    seed: Mapped[str]
    # Stratum and reference of every case from which was drawn, as canonical JSON.
    listed: Mapped[str]
    size: Mapped[int]
    # Closed cases of which nobody left a telephone number: nobody could be called.
    without_telephone: Mapped[int]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    drawn_at: Mapped[datetime]

    district: Mapped[District | None] = relationship()
    casework_file: Mapped[CaseworkFile] = relationship()
    account: Mapped[Account] = relationship()


class CallBack(Base):
    """A drawn case, in the order in which the residents are to be called, and how it had ended when it was drawn."""

    __tablename__ = "call_back"
    __table_args__ = (
        UniqueConstraint("sample_id", "number"),
        UniqueConstraint("complaint_id", "sample_id"),
        one_of("recorded", RecordedEnd),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("call_back_sample.id"))
    number: Mapped[int]
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    recorded: Mapped[str]

    sample: Mapped[CallBackSample] = relationship()
    complaint: Mapped[Complaint] = relationship()


class CallBackResult(Base):
    """What came of a call; of several the last one holds: another try, or a correction that says why."""

    __tablename__ = "call_back_result"
    __table_args__ = (
        UniqueConstraint("call_back_id", "number"),
        one_of("outcome", CallOutcome),
        one_of("contacted", Contacted),
        one_of("resolved", Resolved),
        one_of("satisfied", Satisfied),
        one_of("correction", CallCorrection),
        CheckConstraint(f"CASE outcome WHEN 'reached' THEN {_SAID} ELSE {_UNSAID} END", name="said"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    call_back_id: Mapped[int] = mapped_column(ForeignKey("call_back.id"))
    number: Mapped[int]
    outcome: Mapped[str]
    contacted: Mapped[str | None]
    resolved: Mapped[str | None]
    satisfied: Mapped[str | None]
    # Why it takes the place of the one before; None of a call.
    correction: Mapped[str | None]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime]
