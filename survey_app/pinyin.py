"""Pinyin of Chinese names, in whose order lists are read and by which they are found."""


def pinyin_of(text: str) -> list[str]:
    """Return the pinyin of each Chinese sign of a text, without tones; what is not Chinese stays as it is."""
    # Its dictionary takes half a second and 55 MB: only for those who ask.
    from pypinyin import lazy_pinyin  # noqa: PLC0415

    found: list[str] = lazy_pinyin(text)
    return found
