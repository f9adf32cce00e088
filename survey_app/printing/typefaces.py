"""Typefaces of printed pages: found on the machine, and known to hold every character that is set in them."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import typst
from fontTools.ttLib import TTFont

from survey_app.errors import JiayuanError

_Words = TypeVar("_Words", bound=Mapping[str, Any])

SIMPLIFIED_CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
)
"""Families that draw characters as mainland readers write them, in order of preference.

Other faces hold the same characters in the forms of Japan or Taiwan, which look wrong on an office's poster.
"""


class ChineseTypefaceMissing(JiayuanError):
    """No typeface on this machine can set Simplified Chinese."""

    status = 503
    page = "errors/chinese_typeface_missing.html"

    def __init__(self) -> None:
        super().__init__("no typeface for Simplified Chinese is installed (Debian: apt install fonts-noto-cjk)")


SUBSTITUTE = "〓"
"""Printed where no typeface holds a character: the mark of printers for a type that is missing, seen at a glance."""


@dataclass(frozen=True)
class Typefaces:
    """Typefaces of this machine: `chinese` is the family to prefer, `fonts` holds the others too."""

    fonts: typst.Fonts
    chinese: str

    def missing(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the characters of the texts that no typeface holds, in their order."""
        wanted = {character for text in texts for character in text if not _is_unseen(character)}
        missing = {ord(character) for character in wanted} - self._in_chinese_face
        for font in self.fonts.fonts() if missing else ():
            missing -= _characters_of(font)
        return tuple(map(chr, sorted(missing)))

    def printable(self, words: _Words) -> _Words:
        """Return words, in lists and mappings too, with `SUBSTITUTE` for what no typeface holds.

        An empty box says nothing, and may not be seen.
        """
        table = str.maketrans(dict.fromkeys(self.missing(texts_in(words)), SUBSTITUTE))
        return translated(words, table)

    @cached_property
    def _in_chinese_face(self) -> frozenset[int]:
        held = [_characters_of(font) for font in self.fonts.fonts() if font.family == self.chinese]
        # Names stand in bold, the rest does not: both weights must hold a character.
        return frozenset.intersection(*held)


@lru_cache(maxsize=1)
def installed_typefaces() -> Typefaces:
    """Return the typefaces of this machine, searched once per process."""
    return find_typefaces()


def find_typefaces(*, folder: Path | None = None) -> Typefaces:
    """Return the typefaces of this machine, or of one folder; `ChineseTypefaceMissing` if Chinese is not among them."""
    fonts = typst.Fonts(
        include_system_fonts=folder is None, include_embedded_fonts=False, font_paths=[folder] if folder else []
    )
    families = set(fonts.families())
    for family in SIMPLIFIED_CHINESE:
        if family in families:
            return Typefaces(fonts, family)
    raise ChineseTypefaceMissing


def texts_in(words: object) -> Iterator[str]:
    """Yield every text in words, also in lists and mappings."""
    if isinstance(words, str):
        yield words
    elif isinstance(words, Mapping):
        yield from texts_in(list(words.values()))
    elif isinstance(words, list):
        for each in words:
            yield from texts_in(each)


def translated(words: _Words, table: Mapping[int, str | None]) -> _Words:
    """Return words, in lists and mappings too, with the characters of a table in place of others; None drops one."""
    return cast(_Words, _translated(words, table))


def _translated(words: object, table: Mapping[int, str | None]) -> object:
    if isinstance(words, str):
        return words.translate(table)
    if isinstance(words, Mapping):
        return {name: _translated(each, table) for name, each in words.items()}
    return [_translated(each, table) for each in words] if isinstance(words, list) else words


def _is_unseen(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cf"


def _characters_of(font: typst.FontInfo) -> frozenset[int]:
    return _characters_in(Path(font.path), font.index) if font.path else frozenset()


@lru_cache(maxsize=256)
def _characters_in(path: Path, index: int) -> frozenset[int]:
    with TTFont(path, fontNumber=index, lazy=True) as font:
        return frozenset(font.getBestCmap() or ())
