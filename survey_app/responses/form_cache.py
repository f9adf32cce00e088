"""The door: a form that was shown before is handed to the next phone without waking the rest of the site."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Flask

from survey_app.responses.submission import Visit
from survey_app.security.submission_keys import Form, SubmissionKey, sign_key
from survey_app.web.context import SITE_EXTENSION, Site, current_time
from survey_app.web.spliced_pages import SplicedPage, accepts_gzip

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True)
class BlankForm:
    """A form as every phone at the same poster gets it, but for the key of its own."""

    visit: Visit
    page: SplicedPage

    def copy_for(
        self, environ: "WSGIEnvironment", *, secret_key: str, now: datetime
    ) -> tuple[bytes, list[tuple[str, str]]]:
        """Return a copy with a new key, and its headers; compressed if the phone understands that."""
        key = SubmissionKey.new(form=Form.RESPONSE, code_id=self.visit.code_id, round_id=self.visit.round_id, now=now)
        own = sign_key(key, secret_key=secret_key).encode("ascii")
        is_packed = accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
        body = self.page.gzipped(own) if is_packed else self.page.plain(own)
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]
        return body, [*headers, ("Content-Encoding", "gzip")] if is_packed else headers


def scan_of(environ: "WSGIEnvironment") -> Hashable:
    """Return all of a request on which a form can depend: where it is, and what says the language."""
    return (
        environ["PATH_INFO"],
        environ.get("QUERY_STRING", ""),
        environ.get("HTTP_ACCEPT_LANGUAGE", ""),
        environ.get("HTTP_COOKIE", ""),
    )


def init_app(app: Flask) -> None:
    """Put the door before the site."""
    app.wsgi_app = _door(app.wsgi_app, app.extensions[SITE_EXTENSION])  # type: ignore[assignment, method-assign]


def _door(application: "WSGIApplication", site: Site) -> "WSGIApplication":
    """Return an application that answers scans from memory and leaves all else to `application`.

    A scan costs four times as much inside, and when a poster is put up hundreds come at once. What is remembered ends
    with any commit to the database, so a revoked code is refused at once; a round's end is looked at here.
    """

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        form = site.memory.remembered(scan_of(environ)) if environ["REQUEST_METHOD"] == "GET" else None
        if not isinstance(form, BlankForm) or not form.visit.is_open(now := current_time()):
            return application(environ, start_response)
        body, headers = form.copy_for(environ, secret_key=site.config.secret_key, now=now)
        start_response("200 OK", headers)
        return [body]

    return answer
