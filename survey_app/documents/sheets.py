"""Sheets of documents: their words typeset as tagged PDF that a screen reader can read (PDF/UA-1)."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final

from analytics.files.written_text import BIDI_CONTROLS
from survey_app.documents.bulletin import Bulletin
from survey_app.printing.typefaces import Typefaces, translated
from survey_app.printing.typst import typeset

_TEMPLATE: Final = Path(__file__).parent / "document.typ"
_BULLETIN: Final = Path(__file__).parent / "bulletin.typ"
# A name in the register of an earlier version may hold them.
_NO_DIRECTIONS: Final = dict.fromkeys(map(ord, BIDI_CONTROLS))


def document_pdf(words: Mapping[str, object], *, typefaces: Typefaces, made_at: datetime) -> bytes:
    """Return the PDF of a document; the same words at the same time give the same bytes."""
    return _typeset(_TEMPLATE, words, typefaces=typefaces, made_at=made_at)


def bulletin_pdf(bulletin: Bulletin, *, typefaces: Typefaces, made_at: datetime) -> bytes:
    """Return the PDF of a bulletin, one page; the same words at the same time give the same bytes."""
    words = asdict(bulletin) | {"language": bulletin.language.partition("-")[0]}
    return _typeset(_BULLETIN, words, typefaces=typefaces, made_at=made_at)


def _typeset(template: Path, words: Mapping[str, object], *, typefaces: Typefaces, made_at: datetime) -> bytes:
    printable = typefaces.printable(translated(words, _NO_DIRECTIONS))
    return typeset(template, printable, typefaces=typefaces, now=made_at, standard="ua-1")
