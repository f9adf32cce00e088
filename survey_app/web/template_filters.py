"""What templates write out: local days and minutes, grouped digits, the address of the same page shown otherwise."""

from datetime import date, datetime

from babel.dates import format_date, format_time
from flask import Flask, request, url_for

from survey_app.security.check_digits import grouped
from survey_app.web.languages import current_language


def init_app(app: Flask) -> None:
    """Let every template write these."""
    for write in (local_date, local_minute, grouped):
        app.add_template_filter(write)
    app.add_template_global(address_with)


def address_with(**changes: str) -> str:
    """Return the address of the same page shown otherwise, with all else that it was asked for."""
    values = request.args.to_dict(flat=False) | (request.view_args or {}) | changes
    return url_for(request.endpoint or "home.show", **values)


def local_date(day: date) -> str:
    """Write out a local day in the language of the page."""
    return str(format_date(day, "long", locale=_locale()))


def local_minute(moment: datetime) -> str:
    """Write out a local day and minute in the language of the page."""
    return f"{format_date(moment, 'long', locale=_locale())} {format_time(moment, 'HH:mm', locale=_locale())}"


def _locale() -> str:
    return current_language().replace("-", "_")
