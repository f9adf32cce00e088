"""Privacy notice above the first question, filled with the facts that are known."""

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

_OPTIONAL_PART = re.compile(r"\[([^\[\]]*)\]")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def fill_notice(text: str, facts: Mapping[str, str | None]) -> Markup:
    """Return the notice as HTML: a part in brackets is left out when its fact is not known.

    Nothing is made up: without a telephone the notice names none. A fact that is `Markup` is taken as it is.
    """

    def keep_if_known(part: re.Match[str]) -> str:
        names = _PLACEHOLDER.findall(part[1])
        return part[1] if all(facts[name] is not None for name in names) else ""

    known = _OPTIONAL_PART.sub(keep_if_known, text)
    return escape(known).format_map({name: fact for name, fact in facts.items() if fact is not None})
