"""Language of a page: from the address, the account's session or the browser, or else Chinese."""

from collections.abc import Callable
from functools import lru_cache

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, g, request, session
from flask_babel import Babel, Domain
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from analytics import languages
from analytics.languages import DEFAULT_LANGUAGE, LANGUAGES, load_catalogue
from survey_app.catalogue import TRANSLATIONS, translator

# What phones say when they mean Simplified Chinese.
_BROWSER_TAGS = {"zh-hans": "zh-Hans", "zh-cn": "zh-Hans", "zh": "zh-Hans", "en": "en", "en-us": "en", "en-gb": "en"}


def current_language() -> str:
    """Return the language of this request, one of `LANGUAGES`."""
    if "language" not in g:
        g.language = (
            _asked_language()
            or _remembered_language()
            or language_of_browser(request.environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        )
    language: str = g.language
    return language


def fault_translator() -> Callable[[str], str]:
    """Return what translates the faults of a file: the site words some, the readers in `analytics` the others."""
    language = current_language()
    of_site, of_readers = translator(language), languages.translator(language)

    def translate(message: str) -> str:
        own: str = of_site(message)
        return own if own != message else of_readers(message)

    return translate


def remember_language() -> None:
    """Keep the language of the address in a staff session; residents get no cookie."""
    asked = _asked_language()
    if asked and session.get("language") != asked:
        session["language"] = asked


def init_app(app: Flask) -> None:
    """Set up translations in templates and `gettext` for the language of the request, and links that keep it."""
    babel = Babel(app, locale_selector=lambda: Locale.parse(current_language(), sep="-"))
    babel.domain_instance = _SiteDomain()
    # A long list has hundreds of sentences, and Flask-Babel and Jinja look each up through several contexts.
    app.jinja_env.globals.update(_=_sentence, ngettext=_counted_sentence)
    app.jinja_env.globals.update(current_language=current_language, other_language=other_language)
    app.url_defaults(_keep_language)


def other_language() -> str:
    """Return the language that a page offers to switch to."""
    return LANGUAGES[1 - LANGUAGES.index(current_language())]


class _SiteDomain(Domain):  # type: ignore[misc]  # Flask-Babel has no types
    def get_translations(self) -> NullTranslations:
        return load_catalogue(TRANSLATIONS, current_language())


def _sentence(message: str, **values: object) -> Markup:
    """Return a sentence of a template in the language of the page, with values that are escaped."""
    return _translated(message, current_language()) % values


def _counted_sentence(singular: str, plural: str, count: int, /, **values: object) -> Markup:
    """Return a sentence about a number, which is written as it is where no `num` says how."""
    translated = load_catalogue(TRANSLATIONS, current_language()).ungettext(singular, plural, count)
    return Markup(translated) % {"num": count, **values}  # noqa: S704 (a catalogue is ours)


@lru_cache(maxsize=4096)
def _translated(message: str, language: str) -> Markup:
    return Markup(load_catalogue(TRANSLATIONS, language).ugettext(message))  # noqa: S704 (as above)


def _asked_language() -> str | None:
    asked = request.args.get("lang") if request.query_string else None
    return asked if asked in LANGUAGES else None


def _remembered_language() -> str | None:
    # Residents send no cookie: merely looking into a session costs as much as the rest of this module.
    remembered = session.get("language") if "HTTP_COOKIE" in request.environ else None
    return remembered if remembered in LANGUAGES else None


@lru_cache(maxsize=256)
def language_of_browser(accepted: str) -> str:
    """Return the language that a browser asks for by its Accept-Language, one of `LANGUAGES`."""
    for tag, _quality in parse_accept_header(accepted, LanguageAccept):
        if language := _BROWSER_TAGS.get(tag.lower()):
            return language
    return DEFAULT_LANGUAGE


def _keep_language(endpoint: str, values: dict[str, object]) -> None:
    if request and endpoint != "static" and (asked := _asked_language()):
        values.setdefault("lang", asked)
