"""Downloads: files that the browser saves."""

from collections.abc import Iterable

from flask import Response


def file_response(content: bytes | Iterable[bytes] | Iterable[str], filename: str, *, mimetype: str) -> Response:
    """Return a file that the browser saves under a name; an iterable is sent piece by piece."""
    response = Response(content, mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response
