"""Table of the keys under which network addresses are made unreadable."""

from datetime import date

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from survey_app.storage.database import Base


class NetworkKey(Base):
    """Random key of one local day for digests of network addresses; destroyed when the day is over."""

    __tablename__ = "network_key"

    day: Mapped[date] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
