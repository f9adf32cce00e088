"""Privacy notice above the first question, filled with the facts that are known."""

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

_OPTIONAL_PART = re.compile(r"\[([^\[\]]*)\]")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def fill_notice(text: str, facts: Mapping[str, str | None]) -> Markup:
    """Return the notice as HTML, as `fill_notice_text` fills it. A fact that is `Markup` is taken as it is."""
    return escape(_known_parts(text, facts)).format_map(_known(facts))


def fill_notice_text(text: str, facts: Mapping[str, str | None]) -> str:
    """Return the notice as plain text: a part in brackets is left out when its fact is not known.

    Nothing is made up: without a telephone the notice names none.

    >>> fill_notice_text("{bureau}[, tel. {telephone}]", {"bureau": "Bureau", "telephone": None})
    'Bureau'
    """
    return _known_parts(text, facts).format_map(_known(facts))


def _known_parts(text: str, facts: Mapping[str, str | None]) -> str:
    def keep_if_known(part: re.Match[str]) -> str:
        names = _PLACEHOLDER.findall(part[1])
        return part[1] if all(facts[name] is not None for name in names) else ""

    return _OPTIONAL_PART.sub(keep_if_known, text)


def _known(facts: Mapping[str, str | None]) -> dict[str, str]:
    return {name: fact for name, fact in facts.items() if fact is not None}
