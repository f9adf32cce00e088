"""Query of an address reduced to the names that its page reads; whatever else came along is ignored."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlencode

from analytics.languages import LANGUAGES
from dashboards.address import QUERY_NAMES as DASHBOARD_NAMES
from survey_app.security.text import without_nul

TEXT_SIZES: Final = ("large", "standard")

# Each name that a view or a template reads stands in one of these two.
READ_EVERYWHERE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"lang": LANGUAGES, "text": TEXT_SIZES})
"""What every page reads about how it is shown, with all that it can say."""
# What else pages read, by the beginning of their addresses.
_BY_BEGINNING: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "/staff/cases": frozenset(
            {
                *("category", "channel", "community", "company", "mine", "office", "order", "overdue"),
                *("page", "place", "queue", "since", "until", "words"),
            }
        ),
        "/staff/call-backs/": frozenset({"after", "month"}),
        "/staff/": frozenset({"action", "check", "community", "page", "place", "region", "saved", "search"}),
        "/sign-in": frozenset({"next"}),
        "/r/": frozenset({"photo", "reason"}),
        "/static/": frozenset({"v"}),
        "/dashboards/": DASHBOARD_NAMES,
    }
)
# Of any other name the first value counts.
_SEVERAL_VALUES: Final = frozenset({"photo"})


def known_query(path: str, query: str) -> str:
    """Return the part of a query that the page at a path reads, in one order and one spelling.

    Apps add names of their own when they open or share an address. None of them reaches a page, a cache or a log, nor
    an argument of a function that builds addresses.

    >>> known_query("/s/123", "from=singlemessage&lang=en&endpoint=x&lang=zh-Hans")
    'lang=en'
    """
    if not query:
        return ""
    names = next((names for start, names in _BY_BEGINNING.items() if path.startswith(start)), frozenset())
    kept: list[tuple[str, str]] = []
    seen: set[str] = set()
    # WSGI hands over bytes as the characters of Latin-1.
    for name, value in parse_qsl(query.encode("latin-1", "replace").decode("utf-8", "replace"), keep_blank_values=True):
        is_known = value in READ_EVERYWHERE[name] if name in READ_EVERYWHERE else name in names
        if is_known and (name not in seen or name in _SEVERAL_VALUES):
            seen.add(name)
            kept.append((name, without_nul(value)))
    return urlencode(sorted(kept))
