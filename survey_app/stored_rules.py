"""The rules of a stored rule file, parsed once per process."""

from functools import lru_cache

from analytics.rules import Rules, parse_stored_rules

# A city adds one file a year, or one when its criterion is corrected.
_MOST_KEPT = 32


@lru_cache(maxsize=_MOST_KEPT)
def rules_of(content: bytes) -> Rules:
    """Return the rules that the content of a stored file states.

    To parse a file takes some milliseconds, and most pages ask for one. It goes by what the file says and not by its
    row, so that the rules of an altered file are never those of the file before.
    """
    return parse_stored_rules(content)
