"""Sizes of requests: an address, a cookie or a form larger than any of ours is refused before anything keeps it."""

import io
from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, Final

from flask import Flask, abort, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# In bytes. The longest addresses of ours are views of the dashboards, of some hundred bytes; browsers keep to 4 kB for
# a cookie, and a phone names a handful of languages.
LONGEST: Final[Mapping[str, tuple[int, HTTPStatus]]] = {
    "QUERY_STRING": (4096, HTTPStatus.REQUEST_URI_TOO_LONG),
    "PATH_INFO": (1024, HTTPStatus.REQUEST_URI_TOO_LONG),
    "HTTP_COOKIE": (8192, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    "HTTP_ACCEPT_LANGUAGE": (1024, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    "HTTP_ACCEPT_ENCODING": (1024, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
}

MOST_FIELDS: Final = 1000
"""Fields of a form; a questionnaire of a hundred questions has some hundreds."""

_REFUSED: Final = "jiayuan.refused"


class BoundedFormParser(FormDataParser):
    """Parser of forms that counts the fields before it takes them apart; of a form with files werkzeug counts them."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Any:
        """Return the stream, the fields and the files of a form; refuse one of too many fields."""
        if mimetype == "application/x-www-form-urlencoded":
            content = stream.read()
            if content.count(b"&") >= MOST_FIELDS:
                raise RequestEntityTooLarge
            stream = io.BytesIO(content)
        return super().parse(stream, mimetype, content_length, options)


def init_app(app: Flask) -> None:
    """Refuse requests of such sizes: outside of all that reads or keeps a part of them, and before the guard."""
    app.wsgi_app = _bounded(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.before_request(_refuse)
    app.config["MAX_FORM_PARTS"] = MOST_FIELDS


def _bounded(application: "WSGIApplication") -> "WSGIApplication":
    """Return a WSGI application in which no part of a request is longer than it may be.

    What was too long is empty, and the address leads to no page that is remembered.
    """

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        for name, (most, status) in LONGEST.items():
            if len(environ.get(name, "")) > most:
                environ = {**environ, name: "", "PATH_INFO": "/", _REFUSED: status}
        return application(environ, start_response)

    return answer


def _refuse() -> None:
    if (status := request.environ.get(_REFUSED)) is not None:
        abort(status)
