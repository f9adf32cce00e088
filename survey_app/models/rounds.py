"""Tables of questionnaires, rule files and rounds."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.storage.database import Base

ROUNDS_APART: Final = "ex_round_period"


class Questionnaire(Base):
    """Published questionnaire: its canonical text, frozen."""

    __tablename__ = "questionnaire"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    version: Mapped[int]
    text: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    published_at: Mapped[datetime]


class RuleFile(Base):
    """Rule file, byte for byte as it was issued."""

    __tablename__ = "rule_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(unique=True)
    added_at: Mapped[datetime]


class Round(Base):
    """Survey round: from `opens_at` until just before `closes_at`, which is also its cut-off."""

    __tablename__ = "round"
    __table_args__ = (
        CheckConstraint("opens_at < closes_at", name="order"),
        CheckConstraint("accepts_posters OR accepts_households", name="accepts"),
        # On SQLite one transaction writes at a time: the check of the site sees every other round.
        ExcludeConstraint((text("tstzrange(opens_at, closes_at)"), "&&"), name=ROUNDS_APART).ddl_if("postgresql"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    english_name: Mapped[str | None]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    questionnaire_id: Mapped[int] = mapped_column(ForeignKey("questionnaire.id"))
    rule_file_id: Mapped[int] = mapped_column(ForeignKey("rule_file.id"))
    accepts_posters: Mapped[bool]
    accepts_households: Mapped[bool]
    # What the privacy notice says of this round; a round without an evaluator names none.
    evaluator: Mapped[str | None]
    evaluator_english_name: Mapped[str | None]
    # The last local day: in the first hour after it all that belongs to single responses is erased.
    responses_kept_until: Mapped[date]
    # When the last text and the last photo were erased, after the freeze, and when the last response was reduced.
    comments_erased_at: Mapped[datetime | None]
    responses_erased_at: Mapped[datetime | None]
    # None where it closes on its last day.
    closed_early_because: Mapped[str | None]

    questionnaire: Mapped[Questionnaire] = relationship()
    rule_file: Mapped[RuleFile] = relationship()
