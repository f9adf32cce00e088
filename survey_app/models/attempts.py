"""Tables of failed tries: the counts behind the limits, and refused sign-ins that are not recorded yet."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from survey_app.models.constraints import one_of
from survey_app.models.vocabulary import AttemptScope
from survey_app.storage.database import Base


class AttemptCount(Base):
    """Count of failed tries under one key, a keyed digest, kept until all of them are forgiven."""

    __tablename__ = "attempt_count"
    __table_args__ = (one_of("scope", AttemptScope),)

    key: Mapped[str] = mapped_column(primary_key=True)
    action: Mapped[str]
    scope: Mapped[str]
    # At `counted_at`; it goes down with time.
    failures: Mapped[float]
    counted_at: Mapped[datetime]
    # When this line was told to come back: from then on it is let in whatever others do meanwhile.
    promised_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class FailedSignIn(Base):
    """Number of refused sign-ins of one subject within one hour, until the audit chain records them together."""

    __tablename__ = "failed_sign_in"

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    # As the audit chain names it: an account, or all names that nobody has.
    subject: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
