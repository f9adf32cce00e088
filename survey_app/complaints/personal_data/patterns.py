"""Parts that several patterns are built of."""

import re

_PUBLIC = re.compile(r"(?:0[0-9]{2,3})?(?:1[12][0-9]|12[0-9]{3}|9[56][0-9]{3,4}|100[0-9]{2})")

# Days, hours and spans of years are no numbers of anybody.
MOMENT = (
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])[-./](?:0?[1-9]|[12][0-9]|3[01])[-./](?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}[-~–—](?:19|20)[0-9]{2}"
    r"|20[0-4][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:19|20)[0-9]{2} (?:0?[1-9]|1[0-2]) (?:0?[1-9]|[12][0-9]|3[01])"
    r"|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(?![0-9])"
)
_MOMENT = re.compile(MOMENT)


def behind(words: str) -> str:
    """Return a pattern for a place right behind one of the words, which are parted by |."""
    return "(?:" + "|".join(f"(?<={word})" for word in words.split("|")) + ")"


def is_public_number(text: str) -> bool:
    """Return whether it is the telephone of an office, printed on every poster: 12345, 110, 0473-12345, 96XXX."""
    return _PUBLIC.fullmatch(re.sub("[^0-9]", "", text)) is not None


def is_moment(text: str) -> bool:
    """Return whether it is a day, an hour or a span of years and nothing else."""
    return _MOMENT.fullmatch(text) is not None


def without_moments(text: str) -> str:
    """Return a text of the same length in which days, hours and spans of years have no digits."""
    return _MOMENT.sub(lambda moment: "年" * len(moment[0]), text)
