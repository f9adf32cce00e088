"""Pages for residents go out compressed: their networks are weak and their traffic is paid for."""

import gzip

from flask import Flask, Response, request

from survey_app.splicing import accepts_gzip

# Less would not fill a packet.
_SMALLEST = 1000
# Level 9 takes twice as long for two per cent.
_LEVEL = 5


def init_app(app: Flask) -> None:
    """Compress pages, but for browsers that bring a cookie."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    """Compress a page unless its length could tell something: those of staff hold a secret beside what others typed."""
    if (
        "HTTP_COOKIE" not in request.environ
        and response.mimetype == "text/html"
        and not response.is_streamed
        and "Content-Encoding" not in response.headers
        and accepts_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", ""))
        and len(page := response.get_data()) >= _SMALLEST
    ):
        response.set_data(gzip.compress(page, _LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
