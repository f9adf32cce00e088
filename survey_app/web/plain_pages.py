"""Plain pages for failures, made once at the start: they need no database, session, template or address."""

from collections.abc import Callable, Mapping
from html import escape
from http import HTTPStatus
from typing import Final

from analytics.languages import DEFAULT_LANGUAGE, LANGUAGES, N_
from survey_app.catalogue import translator
from survey_app.web.languages import current_language

_PAGE: Final = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{heading}</title>
</head>
<body>
<h1>{heading}</h1>
<p>{sentence}</p>
<p><a href="/">{link}</a></p>
</body>
</html>
"""
_BUSY: Final = (N_("Busy at the moment"), N_("Please wait a moment and try again."))
_FAILED: Final = (N_("Something went wrong here"), N_("Please wait a moment and try again."))
_REFUSED: Final = (N_("That did not work"), N_("Nothing was stored. Please go back and try again."))


def plain_page(status: int) -> str:
    """Return the plain page for a status in the language of the request, or in Chinese where that cannot be told."""
    return _PAGES[_spoken_language(), _words_of(status)]


def _words_of(status: int) -> tuple[str, str]:
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return _BUSY
    return _FAILED if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _REFUSED


def _spoken_language() -> str:
    try:
        return current_language()
    except Exception:  # noqa: BLE001 (whatever it is, the page is shown)
        return DEFAULT_LANGUAGE


def _written(language: str, heading: str, sentence: str) -> str:
    _: Callable[[str], str] = translator(language)
    return _PAGE.format(
        language=language, heading=escape(_(heading)), sentence=escape(_(sentence)), link=escape(_("To the start"))
    )


_PAGES: Final[Mapping[tuple[str, tuple[str, str]], str]] = {
    (language, words): _written(language, *words) for language in LANGUAGES for words in (_BUSY, _FAILED, _REFUSED)
}
