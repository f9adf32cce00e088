"""Text as people write it: what of it is seen, what of it is damaged, and which texts look alike."""

import re
import unicodedata
from typing import Final

UNSEEN_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters by their category that are drawn as nothing, and a symbol that is drawn as a blank."""

DIRECTION_MARKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs that turn the direction of what follows: with them a text shows other words than it holds."""

BIDI_CONTROLS: Final = DIRECTION_MARKS | frozenset("\u061c\u200e\u200f")
"""All signs that have to do with the direction of a text; those of a name of a place have no use."""

_JOINERS: Final = frozenset("\u180e\u200c\u200d")
# Unseen and without any effect on the signs beside them: a web page or a chat leaves them in what is copied.
_REMOVABLE: Final = frozenset("\u00ad\u200b\u2060\u2061\u2062\u2063\u2064\ufeff")
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Cs", "Mn", "Me", "Zl", "Zp", "Zs"})
_DAMAGED_CATEGORIES: Final = frozenset({"Cn", "Co", "Cs"})
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
# Spreadsheets write E+18; a fraction before the E is no name of a building either.
_PLAIN: Final = re.compile("[0-9a-z\u4e00-\u9fff]*")
_SCIENTIFIC: Final = re.compile(r"[-+]?([0-9]+(\.[0-9]+)?[eE]\+[0-9]+|[0-9]\.[0-9]+[eE][0-9]+)")


def is_blank(text: str) -> bool:
    r"""Return whether nothing of a text is seen: it is empty, or all blanks, invisible signs and marks on nothing.

    Examples
    --------
    >>> [is_blank(text) for text in ("", " \u3000", "\u200b\u2060", "\u3164", "\u200b好", "·")]
    [True, True, True, True, False, False]
    """
    return all(_is_unseen(sign) for sign in text)


def without_invisible(text: str) -> str:
    r"""Return a text without invisible signs that change nothing of what is seen.

    What joins letters of Mongolian, Arabic or Indian scripts, and signs of one emoji, stays; between others it goes.

    Examples
    --------
    >>> without_invisible("盛世\u200b花\u200d园\ufeff"), without_invisible("ᠰᠡᠳᠬᠢᠯ\u180eᠠ") == "ᠰᠡᠳᠬᠢᠯ\u180eᠠ"
    ('盛世花园', True)
    """
    if text.isascii():
        return text
    return "".join(
        sign
        for place, sign in enumerate(text)
        if not (
            sign in _REMOVABLE
            or (sign in _JOINERS and not _joins(text[max(place - 1, 0) : place], text[place + 1 : place + 2]))
        )
    )


def comparison_key(text: str) -> str:
    r"""Return what is equal for texts that look alike: width, case, blanks and invisible signs make no difference.

    Examples
    --------
    >>> comparison_key("ＡＢ（甲）\u200b 区 ") == comparison_key("ab(甲)区")
    True
    >>> comparison_key("甲区") == comparison_key("乙区")
    False
    """
    if _PLAIN.fullmatch(text):
        return text
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(sign for sign in folded if not (_is_unseen(sign) and unicodedata.category(sign) not in {"Mn", "Me"}))


def number_key(text: str) -> str:
    """Return the comparison key of the number of a thing, to which leading zeros make no difference.

    Examples
    --------
    >>> number_key("0015030001") == number_key("１５０３０００１"), number_key("000")
    (True, '0')
    """
    key = comparison_key(text)
    return key.lstrip("0") or key[-1:]


def damaged_sign(text: str) -> str | None:
    r"""Return the first sign that no text of an office holds, as its code point, or None.

    Such signs replace others that were lost in a conversion: U+FFFD, and what is for private use or unassigned.

    Examples
    --------
    >>> damaged_sign("盛世花\ufffd"), damaged_sign("\ue000园"), damaged_sign("䶮城𰻞里")
    ('U+FFFD', 'U+E000', None)
    """
    if text.isascii():
        return None
    for sign in text:
        if sign == _REPLACEMENT or unicodedata.category(sign) in _DAMAGED_CATEGORIES:
            return f"U+{ord(sign):04X}"
    return None


def spelled_out(text: str) -> str:
    r"""Return a text with the code points of its invisible signs, blanks between words excepted.

    Examples
    --------
    >>> spelled_out("甲\u200b区"), spelled_out("East Court ")
    ('甲⟨U+200B⟩区', 'East Court⟨U+0020⟩')
    """
    end = len(text.rstrip())
    return "".join(
        f"⟨U+{ord(sign):04X}⟩" if _is_unseen(sign) and not (sign == " " and place < end) else sign
        for place, sign in enumerate(text)
    )


def is_scientific(text: str) -> bool:
    """Return whether a spreadsheet has written a long number by its first digits and its size.

    Examples
    --------
    >>> [is_scientific(text) for text in ("1.50302E+18", "1E+05", "12E3", "1503")]
    [True, True, False, False]
    """
    return _SCIENTIFIC.fullmatch(unicodedata.normalize("NFKC", text)) is not None


def _is_unseen(sign: str) -> bool:
    return sign in UNSEEN_LETTERS or sign.isspace() or unicodedata.category(sign) in _UNSEEN_CATEGORIES


def _joins(before: str, after: str) -> bool:
    """Return whether a joiner between two signs belongs to the spelling of a script, or to an emoji."""
    return bool(before and after) and _takes_joiners(before) and _takes_joiners(after)


def _takes_joiners(sign: str) -> bool:
    # From Hebrew to the end of the scripts of Asia that join letters; symbols and their modifiers make emoji.
    return (
        "\u0590" <= sign <= "\u1fff" or "\ua800" <= sign <= "\uabff" or unicodedata.category(sign) in {"So", "Sk", "Mn"}
    )
