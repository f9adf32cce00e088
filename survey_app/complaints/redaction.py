"""Redaction of personal data in a resident's words, before others see them.

Telephone and identity numbers, number plates, accounts, names and flat numbers are found by their form and hidden.
It is an aid and no guarantee: a name that looks like other words stays readable, and the form says so. In doubt it
hides. A building and its entrance stay, since whoever repairs must find them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from survey_app.complaints.personal_data.accounts import accounts
from survey_app.complaints.personal_data.flats import flats
from survey_app.complaints.personal_data.names import names
from survey_app.complaints.personal_data.numbers import numbers
from survey_app.complaints.personal_data.readings import Readings
from survey_app.complaints.personal_data.spans import Personal, Span
from survey_app.complaints.personal_data.telephones import telephones
from survey_app.security.text import without_unseen

HIDDEN: Final = "＊＊＊"
"""What stands in place of whatever is hidden."""


@dataclass(frozen=True)
class Piece:
    """Piece of a text; `hidden` says what stands in it, and nobody is to see it."""

    text: str
    hidden: Personal | None = None


def split(text: str) -> tuple[Piece, ...]:
    """Split the text into pieces, which joined together are the text without characters that are not seen."""
    shown = without_unseen(text)
    readings = Readings(shown)
    found = (*numbers(readings), *telephones(readings), *accounts(readings), *flats(readings), *names(readings))
    return _pieces(shown, found)


def redact(text: str, mark: str = HIDDEN) -> str:
    """Return the text with a mark in place of whatever is hidden.

    >>> redact("我是3号楼2单元501的张三先生，电话138 0013 8000，车牌蒙C·12345")
    '我是3号楼2单元＊＊＊的＊＊＊先生，电话＊＊＊，车牌＊＊＊'
    """
    return _marked(split(text), mark)


def hide_telephones(text: str, mark: str = HIDDEN) -> str:
    """Return the text with a mark in place of telephone numbers alone, where names and flats may be read.

    >>> hide_telephones("501的张三先生，电话138 0013 8000，座机2012345转8")
    '501的张三先生，电话＊＊＊，座机＊＊＊'
    """
    shown = without_unseen(text)
    return _marked(_pieces(shown, telephones(Readings(shown))), mark)


def _marked(pieces: Iterable[Piece], mark: str) -> str:
    return "".join(mark if piece.hidden else piece.text for piece in pieces)


def _pieces(shown: str, spans: Iterable[Span]) -> tuple[Piece, ...]:
    pieces, end = [], 0
    for span in _merged(spans):
        if span.start > end:
            pieces.append(Piece(shown[end : span.start]))
        pieces.append(Piece(shown[span.start : span.end], span.kind))
        end = span.end
    if end < len(shown):
        pieces.append(Piece(shown[end:]))
    return tuple(pieces)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Return the spans from left to right, overlapping ones as one of the longest's kind: what any claims is hidden."""
    merged: list[Span] = []
    longest = 0
    for span in sorted(spans, key=_precedence):
        length = span.end - span.start
        if not merged or span.start >= merged[-1].end:
            merged.append(span)
            longest = length
            continue
        last = merged[-1]
        kind = span.kind if length > longest else last.kind
        merged[-1], longest = Span(last.start, max(last.end, span.end), kind), max(longest, length)
    return merged


def _precedence(span: Span) -> tuple[int, int, bool]:
    # “A number” says least about what is hidden, so that any other kind of the same length goes first.
    return span.start, -span.end, span.kind is Personal.NUMBER
