"""Pages for failures: each exception is shown as one page with its status, even when a page cannot be made."""

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, abort, g, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from werkzeug.exceptions import HTTPException

from survey_app.errors import DatabaseBusy, JiayuanError, WriterBusy
from survey_app.log_events import LogEvent, log_event
from survey_app.web.logs import leave_out_messages
from survey_app.web.plain_pages import plain_page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RETRY_AFTER_SECONDS: Final = 5
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

# What a database raises that is restarted, locked or out of space.
_AWAY: Final = (OperationalError, InterfaceError, NoConnectionFree, DatabaseBusy, WriterBusy)
_Shown = tuple[str, int, Mapping[str, str]]


def init_app(app: Flask) -> None:
    """Show each failure as one page with its status: a plain sentence and the next step."""
    app.register_error_handler(JiayuanError, _show_expected)
    app.register_error_handler(HTTPException, _show_http)
    app.register_error_handler(DataError, _show_unstorable)
    app.register_error_handler(RecursionError, _show_too_deep)
    for error in _AWAY:
        app.register_error_handler(error, _show_unavailable)
    app.register_error_handler(Exception, _show_unexpected)
    # Flask calls it when a handler fails; its own names the address of the request.
    app.log_exception = _log_failure  # type: ignore[assignment, method-assign]
    app.logger.addFilter(leave_out_messages)
    app.wsgi_app = _always_answered(app.wsgi_app)  # type: ignore[assignment, method-assign]


@contextmanager
def missing_is_not_found() -> Iterator[None]:
    """Answer that there is no such page where the block raises `LookupError`."""
    try:
        yield
    except LookupError:
        abort(HTTPStatus.NOT_FOUND)


def part_failed(error: Exception) -> None:
    """Write down that a part of a page could not be drawn; raise again what has a page of its own."""
    if isinstance(error, (JiayuanError, HTTPException, DataError, *_AWAY)):
        raise error
    log_event(LogEvent.PART_FAILED, raised=error, endpoint=request.endpoint)


def _show_expected(error: JiayuanError) -> _Shown:
    log_event(LogEvent.REFUSED, level=logging.WARNING, error=type(error).__name__, endpoint=request.endpoint)
    return _page(error.page, error.status, error.headers, error=error)


def _show_http(error: HTTPException) -> _Shown | HTTPException:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:  # a redirect
        return error
    if error.code == HTTPStatus.INTERNAL_SERVER_ERROR:  # raised outside of a view, and logged
        return _page("errors/unexpected.html", error.code)
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    return _page("errors/http.html", error.code, headers, error=error, is_stale_form=isinstance(error, CSRFError))


def _show_unstorable(error: DataError) -> _Shown:
    """Answer that what was sent is nothing that the database can hold."""
    log_event(LogEvent.REFUSED, raised=error, endpoint=request.endpoint)
    return _page("errors/generic.html", HTTPStatus.BAD_REQUEST)


def _show_too_deep(error: RecursionError) -> _Shown:
    """Answer what is nested deeper than any reader goes; nobody who means well sends that."""
    log_event(LogEvent.REFUSED, error=type(error).__name__, endpoint=request.endpoint)
    return _page("errors/generic.html", HTTPStatus.BAD_REQUEST)


def _show_unavailable(error: Exception) -> _Shown:
    """Answer while the database is restarted, locked or out of space; a resident's answers come back with the page."""
    cause = type(getattr(error, "orig", error)).__name__
    log_event(LogEvent.UNAVAILABLE, error=cause, endpoint=request.endpoint)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return _page("errors/unavailable.html", HTTPStatus.SERVICE_UNAVAILABLE, headers)


def _show_unexpected(error: Exception) -> _Shown:
    # The type and the places tell an engineer enough; a message could carry what a resident typed.
    log_event(LogEvent.FAILED, raised=error, endpoint=request.endpoint)
    return _page("errors/unexpected.html", HTTPStatus.INTERNAL_SERVER_ERROR)


def _page(template: str, status: int, headers: Mapping[str, str] = _NO_HEADERS, **facts: Any) -> _Shown:
    """Return a page with all that the site's pages have, or a plain one where it cannot be made."""
    g.is_failure_page = True
    try:
        return render_template(template, **facts), status, headers
    except Exception as error:  # noqa: BLE001 (whatever it is, a page is shown)
        log_event(LogEvent.ERROR_PAGE_FAILED, raised=error, endpoint=request.endpoint)
        return plain_page(status), status, headers


def _log_failure(_raised: object) -> None:
    log_event(LogEvent.FAILED, raised=sys.exc_info()[1], endpoint=request.endpoint)


def _always_answered(application: "WSGIApplication") -> "WSGIApplication":
    """Return a WSGI application that answers with a plain page where even the pages for failures fail."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        try:
            return application(environ, start_response)
        except Exception as error:  # noqa: BLE001 (whatever it is, a page is shown)
            log_event(LogEvent.ERROR_PAGE_FAILED, raised=error)
            body = plain_page(HTTPStatus.INTERNAL_SERVER_ERROR).encode("utf-8")
            headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]
            start_response("500 Internal Server Error", headers)
            return [body]

    return answer
