"""Converters of addresses: what stands in an address has a form that the database can be asked for."""

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map, UnicodeConverter

from survey_app.web.typed_numbers import LARGEST_ID, MOST_DIGITS


class IdConverter(IntegerConverter):
    """Converter of ids: ASCII digits up to the largest."""

    regex = f"[0-9]{{1,{MOST_DIGITS}}}"

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=LARGEST_ID)


class WordConverter(UnicodeConverter):
    """Converter of tokens, numbers and names: no control characters, of which PostgreSQL refuses NUL."""

    def __init__(self, url_map: Map, *arguments: Any, **values: Any) -> None:
        super().__init__(url_map, *arguments, **values)
        self.regex = self.regex.replace("[^/]", r"[^/\x00-\x1f\x7f]")


def init_app(app: Flask) -> None:
    """Read the addresses of routes that are added later so; one that has not the form is no page."""
    app.url_map.converters.update({"int": IdConverter, "string": WordConverter, "default": WordConverter})
