"""The two routes to the criterion and the columns of the standings that tell each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from analytics.decision.summary import RouteName


@dataclass(frozen=True)
class Route:
    """One way to meet the criterion, and which columns of the standings tell it."""

    key: RouteName
    column: str
    score: str
    interval: str
    fewest_first: bool

    @property
    def rank(self) -> str:
        return f"{self.column}_rank"

    @property
    def last_rank(self) -> str:
        return f"{self.column}_last_rank"

    @property
    def lower(self) -> str:
        return f"{self.interval}_lower"

    @property
    def upper(self) -> str:
        return f"{self.interval}_upper"

    @property
    def evidence(self) -> str:
        return f"{self.column}_evidence"

    @property
    def status(self) -> str:
        return f"{self.column}_status"

    @property
    def reason(self) -> str:
        return f"{self.column}_reason"


ROUTES: Final[Mapping[str, Route]] = {
    "satisfaction": Route("satisfaction", "satisfaction", "satisfaction_score", "satisfaction", fewest_first=False),
    "complaints": Route(
        "complaints", "complaint", "complaints_per_1000_household_years", "complaint_rate", fewest_first=True
    ),
}
