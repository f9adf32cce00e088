"""Languages and translation catalogues: .po files compiled in memory, so that no compiled file can be stale."""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES = ("zh-Hans", "en")
"""Languages of every page as BCP 47 tags, the default first."""

DEFAULT_LANGUAGE = LANGUAGES[0]


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
