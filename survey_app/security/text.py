"""Text that somebody typed, in one spelling and without marks that are not seen."""

import unicodedata

from analytics.files.written_text import DIRECTION_MARKS, is_blank


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


def without_nul(text: str) -> str:
    """Return text without the character that no word holds and PostgreSQL stores nowhere."""
    return text.replace("\0", "") if "\0" in text else text
