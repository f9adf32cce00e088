"""Compression of what reveals no secret by its length: networks are weak, and traffic is paid for."""

import gzip
from hashlib import sha256
from typing import Final

from flask import Flask, Response, request

from survey_app.storage.sized_cache import SizedCache
from survey_app.web.spliced_pages import accepts_gzip

CALLBACKS: Final = "/dashboards/_dash-update-component"
"""Endpoint from which the dashboards' pages fetch what they show."""

LIBRARIES: Final = "/dashboards/_dash-component-suites/"
"""Under it lie the scripts of component libraries, the same for everybody."""

# Less would not fill a packet.
_SMALLEST: Final = 1000
# Level 9 takes twice as long for two per cent.
_LEVEL: Final = 5
_LEVEL_ONCE: Final = 9
# In bytes, compressed: all scripts that pages load take three millions.
_MOST_KEPT: Final = 8_000_000


def init_app(app: Flask) -> None:
    """Compress pages for browsers that send no cookie, and callback responses and scripts of the dashboards."""
    kept = SizedCache(most=_MOST_KEPT, size_of=len)

    def compress(response: Response) -> Response:
        is_library = request.path.startswith(LIBRARIES) and response.status_code == 200
        if not (is_library or _reveals_no_secret(response)) or response.is_streamed:
            return response
        if is_library:
            response.vary.add("Accept-Encoding")
        if "Content-Encoding" in response.headers or not accepts_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", "")):
            return response
        content = response.get_data()
        if len(content) >= _SMALLEST:
            response.set_data(_packed_once(content, kept) if is_library else gzip.compress(content, _LEVEL, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
        return response

    app.after_request(compress)


def _packed_once(content: bytes, kept: SizedCache) -> bytes:
    """Return a script compressed, which takes a third of a second for the largest, from the cache if it is there."""
    # By what it holds: one script can be asked for under many addresses.
    return kept.get_or_make(sha256(content).digest(), lambda: gzip.compress(content, _LEVEL_ONCE, mtime=0))


def _reveals_no_secret(response: Response) -> bool:
    """Return whether the compressed length can reveal no secret (BREACH).

    Pages of staff hold a secret beside what others typed. What dashboards draw holds none, and no other site can
    request it, since that takes a token.
    """
    if request.path == CALLBACKS:
        return response.mimetype == "application/json"
    return response.mimetype == "text/html" and "HTTP_COOKIE" not in request.environ
