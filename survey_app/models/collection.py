"""Tables of the running count of what comes in: changes that were not added up yet, and tallies."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from survey_app.models.constraints import one_of
from survey_app.models.vocabulary import Mode, Tally
from survey_app.storage.database import Base


class CollectionChange(Base):
    """Change of the count by a response that came or went, until it is added to the tallies; it names no response."""

    __tablename__ = "collection_change"
    __table_args__ = (one_of("mode", Mode),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"))
    # Of what was received: when, to the quarter of an hour, and how; nothing of what went, or was counted afterwards.
    quarter: Mapped[datetime | None]
    mode: Mapped[str | None]
    # The poster or the code of a helper through which it came; the slips of households are not told apart.
    code_id: Mapped[int | None] = mapped_column(ForeignKey("code.id"))
    received: Mapped[int]
    standing: Mapped[int]
    households: Mapped[int]
    through_code: Mapped[int]


_OF_COMMUNITY = text("community_id IS NOT NULL")
_OF_CITY = text("community_id IS NULL")


class CollectionTally(Base):
    """Number of responses of a round: of one community, or of the whole city, where none is named."""

    __tablename__ = "collection_tally"
    __table_args__ = (
        one_of("tally", Tally),
        Index(
            "ix_collection_tally_community",
            "round_id",
            "tally",
            "community_id",
            "key",
            unique=True,
            sqlite_where=_OF_COMMUNITY,
            postgresql_where=_OF_COMMUNITY,
        ),
        Index(
            "ix_collection_tally_city",
            "round_id",
            "tally",
            "key",
            unique=True,
            sqlite_where=_OF_CITY,
            postgresql_where=_OF_CITY,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("community.id"))
    tally: Mapped[str]
    # Which day, hour, mode or code; empty where a tally has one number.
    key: Mapped[str]
    number: Mapped[int]
