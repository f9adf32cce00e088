"""Text that somebody typed, in one spelling and without marks that are not seen."""

import unicodedata

from analytics.files.written_text import DIRECTION_MARKS, UNSEEN_LETTERS, is_blank


def clean_text(text: str) -> str:
    """Return `text` in one spelling: NFC, lines ended by a line feed, no control or direction marks, stripped.

    Of a text in which nothing is seen nothing is left: an office cannot answer it.
    """
    kept = (
        character
        for character in text.replace("\r\n", "\n").replace("\r", "\n")
        # What turns the direction does so in an export too, and no language of the site needs it.
        # Half of a surrogate pair (Cs) cannot be written as UTF-8.
        if character == "\n"
        or (unicodedata.category(character) not in {"Cc", "Cs"} and character not in DIRECTION_MARKS)
    )
    cleaned = unicodedata.normalize("NFC", "".join(kept)).strip()
    return "" if is_blank(cleaned) else cleaned


def one_line(text: str) -> str:
    """Return a name or another single line as `clean_text` does, with one blank for each run of them.

    What is not seen, such as a byte order mark, is dropped.
    """
    return " ".join(without_unseen(clean_text(text)).split())


def without_unseen(text: str) -> str:
    """Return the text without characters that are not seen.

    They hide digits from patterns, make two names of one, or reverse what is read. Joiners and
    selectors stay beside the scripts and the emoji that need them.
    """
    return "".join(
        character
        for place, character in enumerate(text)
        if not is_unseen(character) or (character in _JOINERS and place and _needs_joiners(text[place - 1]))
    )


_JOINERS = frozenset("\u200c\u200d\u180b\u180c\u180d\u180e\ufe0e\ufe0f")
# With marks that join nothing, and vowels of Khmer that are not written.
_EMPTY = UNSEEN_LETTERS | frozenset("\u034f\u17b4\u17b5")


def is_unseen(character: str) -> bool:
    """Return whether a character shows nothing by itself, such as a byte order mark."""
    return (
        character in _JOINERS
        or character in _EMPTY
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
        or unicodedata.category(character) == "Cf"
    )


def _needs_joiners(before: str) -> bool:
    return (
        "\u1800" <= before <= "\u18af" or "\u0600" <= before <= "\u06ff" or unicodedata.category(before) in {"So", "Sk"}
    )


def without_nul(text: str) -> str:
    """Return text without the character that no word holds and PostgreSQL stores nowhere."""
    return text.replace("\0", "") if "\0" in text else text
