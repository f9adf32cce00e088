"""State of a page encoded in its address, so that a view can be sent to a colleague."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlencode

from analytics.languages import LANGUAGES
from dashboards.routes import ROUTES, Route

# In bytes, as the site refuses longer ones; what a script puts into a callback could be of any length.
_LONGEST: Final = 4096
_COMMON = frozenset({"lang", "evaluation", "region", "route"})
# What single pages read.
_OWN = frozenset(
    {
        *("community", "company", "evidence", "group", "least", "name", "page", "rows", "shade", "sort", "status"),
        *("subdistrict", "what_if"),
    }
)
QUERY_NAMES: Final = _COMMON | _OWN
"""All that an address can say; any other name is ignored."""

# Longer numbers are no ids, and would not fit into the database's integers.
_LONGEST_ID = 9


def evaluation_id(written: str | None) -> int | None:
    """Return the id that an address or a filter writes, or None where it is none."""
    if not written or not (written.isascii() and written.isdigit() and len(written) <= _LONGEST_ID):
        return None
    return int(written)


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
        """Parse the query of an address; a part that is invalid counts as missing, and so does all of one too long."""
        written = search if search and len(search) <= _LONGEST else ""
        asked = {
            name: _writable(values[-1])
            for name, values in parse_qs(written.removeprefix("?")).items()
            if name in QUERY_NAMES
        }
        return cls(
            language=asked["lang"] if asked.get("lang") in LANGUAGES else language(),
            evaluation=evaluation_id(asked.get("evaluation")),
            region=asked.get("region"),
            route=ROUTES.get(asked.get("route", ""), ROUTES["satisfaction"]),
            own=MappingProxyType({name: asked[name] for name in sorted(asked.keys() & _OWN)}),
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


def _writable(text: str) -> str:
    """Return text without what no database stores: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
