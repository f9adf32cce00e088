"""What templates write out: local days and minutes, grouped digits, the address of the same page shown otherwise."""

from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from babel.dates import format_date, format_skeleton
from flask import Flask, g, request, url_for

from survey_app.security.check_digits import grouped
from survey_app.web.context import site
from survey_app.web.languages import current_language
from survey_app.web.query_names import READ_EVERYWHERE


def init_app(app: Flask) -> None:
    """Let every template write these."""
    for write in (local_date, local_month, month_day, local_minute, grouped):
        app.add_template_filter(write)
    app.add_template_global(address_with)
    app.add_template_global(public_address)


def address_with(**changes: str | int) -> str:
    """Return the address of the same page shown otherwise, with all else that it was asked for.

    The names of its query are those of `query_names`. On a page for a failure it repeats neither the path, which may
    hold a token and which the browser adds by itself, nor more of the query than how pages are shown.
    """
    asked: dict[str, Any] = request.args.to_dict(flat=False)
    if request.endpoint is None or g.get("is_failure_page"):
        kept = {name: values for name, values in asked.items() if name in READ_EVERYWHERE}
        return f"?{urlencode(kept | changes, doseq=True)}"
    return url_for(request.endpoint, **(asked | (request.view_args or {}) | changes))


def public_address(endpoint: str, **values: Any) -> str:
    """Return a complete address under the public address of the settings, whatever host the request named."""
    return site().config.public_url + url_for(endpoint, **values)


def local_date(day: date) -> str:
    """Write out a local day in the language of the page."""
    return _long_date(day, current_language())


def local_month(first: date) -> str:
    """Write out a month, given its first day, in the language of the page."""
    return str(format_skeleton("yMMMM", first, locale=_locale()))


def month_day(day: date) -> str:
    """Write out a local day without its year, which is this one or the next."""
    return str(format_skeleton("MMMMd", day, locale=_locale()))


def local_minute(moment: datetime) -> str:
    """Write out a local day and minute in the language of the page."""
    return f"{local_date(moment.date())} {moment:%H:%M}"


# A list of cases has two days a line, and most of them more than once.
@lru_cache(maxsize=1024)
def _long_date(day: date, language: str) -> str:
    return str(format_date(day, "long", locale=_locale_of(language)))


def _locale() -> Locale:
    return _locale_of(current_language())


@cache
def _locale_of(language: str) -> Locale:
    return Locale.parse(language, sep="-")
