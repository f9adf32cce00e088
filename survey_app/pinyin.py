"""Pinyin of Chinese names, in whose order lists are read and by which they are found."""

from functools import lru_cache
from typing import Final

# Names of communities are made of far fewer words than there are names.
_WORDS_KEPT: Final = 20_000


def pinyin_of(text: str) -> list[str]:
    """Return the pinyin of each Chinese sign of a text, without tones; what is not Chinese stays as it is."""
    # Its dictionary takes half a second and 55 MB: only for those who ask.
    from pypinyin.seg.simpleseg import seg  # noqa: PLC0415

    return [sound for word in seg(text) for sound in _sounds(word)]


@lru_cache(maxsize=_WORDS_KEPT)
def _sounds(word: str) -> tuple[str, ...]:
    """Return the pinyin of a word of the dictionary, or of signs between such words, as it is within any text."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415

    return tuple(lazy_pinyin([word]))
