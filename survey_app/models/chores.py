"""When recurring work was done."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from survey_app.storage.database import Base


class ChoreRun(Base):
    """The last run of one chore: when it was begun, when one was last done to its end, and what stopped the last."""

    __tablename__ = "chore_run"

    chore: Mapped[str] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    # The type of the exception: its message may quote an answer.
    failure: Mapped[str | None]
