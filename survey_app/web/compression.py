"""Compression of pages whose length reveals no secret: networks are weak, and traffic is paid for."""

import gzip
from typing import Final

from flask import Flask, Response, request

from survey_app.web.spliced_pages import accepts_gzip

CALLBACKS: Final = "/dashboards/_dash-update-component"
"""Endpoint from which the dashboards' pages fetch what they show."""

# Less would not fill a packet.
_SMALLEST = 1000
# Level 9 takes twice as long for two per cent.
_LEVEL = 5


def init_app(app: Flask) -> None:
    """Compress pages for browsers that send no cookie, and the callback responses of the dashboards."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if (
        _reveals_no_secret(response)
        and not response.is_streamed
        and "Content-Encoding" not in response.headers
        and accepts_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", ""))
        and len(page := response.get_data()) >= _SMALLEST
    ):
        response.set_data(gzip.compress(page, _LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _reveals_no_secret(response: Response) -> bool:
    """Return whether the compressed length can reveal no secret (BREACH).

    Pages of staff hold a secret beside what others typed. What dashboards draw holds none, and no other site can
    request it, since that takes a token.
    """
    if request.path == CALLBACKS:
        return response.mimetype == "application/json"
    return response.mimetype == "text/html" and "HTTP_COOKIE" not in request.environ
