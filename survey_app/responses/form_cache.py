"""Cache of rendered survey forms, asked before the Flask application runs."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Flask

from survey_app.clock import current_time
from survey_app.responses.submission import Visit
from survey_app.security.submission_keys import Form, SubmissionKey, sign_key
from survey_app.web.context import SITE_EXTENSION, Site
from survey_app.web.languages import language_of_browser
from survey_app.web.spliced_pages import SplicedPage, accepts_gzip

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True)
class CachedForm:
    """Rendered form without its submission key, which is another for every phone."""

    visit: Visit
    page: SplicedPage

    @property
    def size_in_bytes(self) -> int:
        """How much memory the page takes."""
        return self.page.size_in_bytes

    def copy_for(
        self, environ: "WSGIEnvironment", *, secret_key: str, now: datetime
    ) -> tuple[bytes, list[tuple[str, str]]]:
        """Return a copy with a new key, and its headers; gzipped if the phone accepts that."""
        key = SubmissionKey.new(form=Form.RESPONSE, code_id=self.visit.code_id, round_id=self.visit.round_id, now=now)
        own = sign_key(key, secret_key=secret_key).encode("ascii")
        is_packed = accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
        body = self.page.gzipped(own) if is_packed else self.page.plain(own)
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]
        return body, [*headers, ("Content-Encoding", "gzip")] if is_packed else headers


def form_cache_key(environ: "WSGIEnvironment") -> Hashable | None:
    """Return the cache key of a request: all that a form depends on, its address and the language of the browser.

    The query has been reduced to what a form reads. A request with a cookie has no key: the session in it may hold
    another language, and residents have none.
    """
    if "HTTP_COOKIE" in environ:
        return None
    language = language_of_browser(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
    return environ["PATH_INFO"], environ.get("QUERY_STRING", ""), language


def init_app(app: Flask) -> None:
    """Wrap the WSGI application, so that cached forms are served before it runs."""
    app.wsgi_app = _with_form_cache(app.wsgi_app, app.extensions[SITE_EXTENSION])  # type: ignore[assignment, method-assign]


def _with_form_cache(application: "WSGIApplication", site: Site) -> "WSGIApplication":
    """Return a WSGI application that answers scans from the cache and leaves all else to `application`.

    A scan costs four times as much in Flask, and when a poster is put up hundreds come at once. Any commit to the
    database invalidates what is cached, so a revoked code is refused at once; a round's end is checked here.
    """

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        key = form_cache_key(environ) if environ["REQUEST_METHOD"] == "GET" else None
        form = None if key is None else site.read_cache.cached_value(key)
        if not isinstance(form, CachedForm) or not form.visit.is_open(now := current_time()):
            return application(environ, start_response)
        body, headers = form.copy_for(environ, secret_key=site.config.secret_key, now=now)
        start_response("200 OK", headers)
        return [body]

    return answer
