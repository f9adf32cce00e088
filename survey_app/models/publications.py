"""Table of publications: which evaluation is the result of a round."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.evaluations import Evaluation
from survey_app.storage.database import Base


class Publication(Base):
    """Publication of an evaluation as its round's result. It never changes; a correction is a later publication."""

    __tablename__ = "publication"

    id: Mapped[int] = mapped_column(primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluation.id"), unique=True)
    # Why it replaces the one before it; None for the first of its round.
    reason: Mapped[str | None]
    published_at: Mapped[datetime]

    evaluation: Mapped[Evaluation] = relationship()
