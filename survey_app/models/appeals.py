"""Appeals: what a property company says against counting a case in the complaint rate, and what was decided."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.accounts import Account
from survey_app.models.complaints import Complaint
from survey_app.models.constraints import one_of
from survey_app.models.places import PropertyCompany
from survey_app.models.vocabulary import AppealDecision, CaseEndReason
from survey_app.storage.database import Base


class ComplaintAppeal(Base):
    """The appeal of a company against counting a case: one at most; its words are erased with those of the case."""

    __tablename__ = "complaint_appeal"
    __table_args__ = (
        one_of("reason", CaseEndReason),
        one_of("decision", AppealDecision),
        CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (decided_by_id IS NULL)", name="decided"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"), unique=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("property_company.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[str]
    text: Mapped[str]
    filed_at: Mapped[datetime]
    # None as long as nobody has decided.
    decision: Mapped[str | None]
    answer: Mapped[str] = mapped_column(default="", server_default="")
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]

    complaint: Mapped[Complaint] = relationship()
    company: Mapped[PropertyCompany] = relationship()
    decided_by: Mapped[Account | None] = relationship(foreign_keys=decided_by_id)
