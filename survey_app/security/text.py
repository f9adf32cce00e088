"""Text that somebody typed, in one spelling and without marks that are not seen."""

import unicodedata

# Marks that reverse the writing direction of what follows, in an export too; no language of the site needs them.
_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_text(text: str) -> str:
    """Return `text` in one spelling: NFC, lines ended by a line feed, no control or direction marks, stripped."""
    kept = (
        character
        for character in text.replace("\r\n", "\n").replace("\r", "\n")
        # Half of a surrogate pair (Cs) cannot be written as UTF-8.
        if character == "\n"
        or (unicodedata.category(character) not in {"Cc", "Cs"} and character not in _DIRECTION_MARKS)
    )
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def without_nul(text: str) -> str:
    """Return text without the character that no word holds and PostgreSQL stores nowhere."""
    return text.replace("\0", "") if "\0" in text else text
