"""Parts that several patterns are built of."""

import re

_PUBLIC = re.compile(r"(?:0[0-9]{2,3})?(?:1[12][0-9]|12[0-9]{3}|9[56][0-9]{3,4}|100[0-9]{2})")


def behind(words: str) -> str:
    """Return a pattern for a place right behind one of the words, which are parted by |."""
    return "(?:" + "|".join(f"(?<={word})" for word in words.split("|")) + ")"


def is_public_number(text: str) -> bool:
    """Return whether it is the telephone of an office, printed on every poster: 12345, 110, 0473-12345, 96XXX."""
    return _PUBLIC.fullmatch(re.sub("[^0-9]", "", text)) is not None
