"""What a page shows, as its address says it: a view can be sent to a colleague."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import parse_qs, urlencode

from analytics.languages import LANGUAGES
from dashboards.results import ROUTES, Route


@dataclass(frozen=True)
class View:
    """Which evaluation, which region, which route, in which language."""

    language: str
    evaluation: int | None = None
    region: str | None = None
    route: Route = ROUTES["satisfaction"]

    @classmethod
    def of(cls, search: str | None, language: Callable[[], str]) -> Self:
        """Read the query of an address; what it does not say, or says wrongly, is as if it were not there."""
        asked = {name: values[-1] for name, values in parse_qs((search or "").removeprefix("?")).items()}
        evaluation = asked.get("evaluation", "")
        return cls(
            language=asked["lang"] if asked.get("lang") in LANGUAGES else language(),
            # Longer numbers are no id of ours, and would not fit into the database's integers.
            evaluation=int(evaluation)
            if evaluation.isascii() and evaluation.isdigit() and len(evaluation) < 16
            else None,
            region=asked.get("region"),
            route=ROUTES.get(asked.get("route", ""), ROUTES["satisfaction"]),
        )

    def but(self, **changes: Any) -> Self:
        """Return this view with some of it changed."""
        return replace(self, **changes)

    @property
    def search(self) -> str:
        """The query of this view's address."""
        said = {
            "evaluation": self.evaluation,
            "region": self.region,
            "route": None if self.route == ROUTES["satisfaction"] else self.route.key,
            "lang": self.language,
        }
        return "?" + urlencode({name: value for name, value in said.items() if value is not None})
