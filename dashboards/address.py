"""State of a page encoded in its address, so that a view can be sent to a colleague."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode

from analytics.languages import LANGUAGES
from dashboards.routes import ROUTES, Route

_COMMON = frozenset({"lang", "evaluation", "region", "route"})


@dataclass(frozen=True)
class View:
    """Evaluation, region, route and language of a page; `own` holds the parameters that only one page understands."""

    language: str
    evaluation: int | None = None
    region: str | None = None
    route: Route = ROUTES["satisfaction"]
    own: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, search: str | None, language: Callable[[], str]) -> Self:
        """Parse the query of an address; a part that is invalid counts as missing."""
        asked = {name: values[-1] for name, values in parse_qs((search or "").removeprefix("?")).items()}
        evaluation = asked.get("evaluation", "")
        return cls(
            language=asked["lang"] if asked.get("lang") in LANGUAGES else language(),
            # Longer numbers are no ids of ours, and would not fit into the database's integers.
            evaluation=int(evaluation)
            if evaluation.isascii() and evaluation.isdigit() and len(evaluation) < 16
            else None,
            region=asked.get("region"),
            route=ROUTES.get(asked.get("route", ""), ROUTES["satisfaction"]),
            own=MappingProxyType({name: asked[name] for name in sorted(asked.keys() - _COMMON)}),
        )

    def with_changes(self, **changes: Any) -> Self:
        """Return this view with some fields changed."""
        return replace(self, **changes)

    def with_own(self, **changes: str | None) -> Self:
        """Return this view with some of the page's own parameters changed; None removes one."""
        kept = {name: value for name, value in {**self.own, **changes}.items() if value is not None}
        return self.with_changes(own=MappingProxyType(kept))

    @property
    def shared(self) -> Self:
        """The view that a link to another page carries: without the page's own parameters."""
        return self.with_changes(own=MappingProxyType({}))

    @property
    def search(self) -> str:
        """The query string of this view."""
        said = {
            "evaluation": self.evaluation,
            "region": self.region,
            "route": None if self.route == ROUTES["satisfaction"] else self.route.key,
            "lang": self.language,
            **self.own,
        }
        return "?" + urlencode({name: value for name, value in said.items() if value is not None})
