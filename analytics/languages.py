"""Languages: texts in each of them, and translation catalogues.

Translations are kept as plain .po files and compiled in memory, so that no compiled file can be stale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Self

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES = ("zh-Hans", "en")
"""Languages of every page as BCP 47 tags, the default first."""

DEFAULT_LANGUAGE = LANGUAGES[0]

TRANSLATIONS = Path(__file__).parent / "translations"
"""Catalogues of this package; each other package has its own."""

Translate = Callable[..., str]
"""Translates a sentence; facts that are given by name fill its placeholders."""


@dataclass(frozen=True)
class Wording:
    """One text in every language of the site."""

    zh_hans: str
    en: str

    @classmethod
    def of(cls, name: str, english_name: str | None) -> Self:
        """Return a name in every language; what has no English name keeps its own.

        Examples
        --------
        >>> Wording.of("滨河家园", None).in_language("en")
        '滨河家园'
        """
        return cls(name, english_name or name)

    def in_language(self, language: str) -> str:
        """Return the text in `language`, one of `LANGUAGES`."""
        return self.data[language]

    @property
    def data(self) -> dict[str, str]:
        return {"zh-Hans": self.zh_hans, "en": self.en}


@cache
def load_catalogue(directory: Path, language: str) -> NullTranslations:
    """Load the translations of one package's `translations` directory for `language`.

    Message ids are English, so English needs no file; any other language of `LANGUAGES` must have one.

    Parameters
    ----------
    directory : Path
        Holds ``<locale>/LC_MESSAGES/messages.po``.
    language : str
        One of `LANGUAGES`.

    Returns
    -------
    babel.support.NullTranslations
        With the usual ``gettext`` and ``ngettext``.

    Raises
    ------
    ValueError
        If the language is not one of `LANGUAGES`.
    FileNotFoundError
        If its file is missing.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, got {language!r}")
    if language == "en":
        return NullTranslations()
    path = directory / language.replace("-", "_") / "LC_MESSAGES" / "messages.po"
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language.replace("-", "_")))
    compiled.seek(0)
    return Translations(compiled)


def N_(message: str) -> str:  # noqa: N802 - the name that collectors of translations know
    """Mark a sentence for translation and return it unchanged; it is translated where it is shown.

    Examples
    --------
    >>> N_("this cell is empty")
    'this cell is empty'
    """
    return message


@cache
def translator(language: str, directory: Path = TRANSLATIONS) -> Translate:
    """Return the function that translates the sentences of a package, of this one unless another is named.

    Examples
    --------
    >>> translate = translator("zh-Hans")
    >>> translate("met"), translate("- - position {k}", k=3)
    ('符合', '- - 第3名')
    """
    gettext = load_catalogue(directory, language).gettext

    def translate(message: str, **facts: object) -> str:
        sentence: str = gettext(message)
        return sentence.format(**facts) if facts else sentence

    return translate
