"""Pages for failures: each exception is shown as one page with its status."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from flask import Flask, abort, current_app, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from werkzeug.exceptions import HTTPException

from survey_app.errors import DatabaseBusy, JiayuanError, WriterBusy, exception_facts

RETRY_AFTER_SECONDS = 5


def init_app(app: Flask) -> None:
    """Show each failure as one page with its status: a plain sentence and the next step."""
    app.register_error_handler(JiayuanError, _show_expected)
    app.register_error_handler(HTTPException, _show_http)
    for error in (OperationalError, InterfaceError, NoConnectionFree, DatabaseBusy, WriterBusy):
        app.register_error_handler(error, _show_unavailable)
    app.register_error_handler(Exception, _show_unexpected)


@contextmanager
def missing_is_not_found() -> Iterator[None]:
    """Answer that there is no such page where the block raises `LookupError`."""
    try:
        yield
    except LookupError:
        abort(HTTPStatus.NOT_FOUND)


def _show_expected(error: JiayuanError) -> tuple[str, int, Mapping[str, str]]:
    current_app.logger.warning("refused", extra={"error": type(error).__name__, "endpoint": request.endpoint})
    return render_template(error.page, error=error), error.status, error.headers


def _show_http(error: HTTPException) -> tuple[str, int] | HTTPException:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:  # a redirect
        return error
    page = render_template("errors/http.html", error=error, is_stale_form=isinstance(error, CSRFError))
    return page, error.code


def _show_unavailable(error: Exception) -> tuple[str, int, dict[str, str]]:
    """Answer while the database is restarted, locked or out of space; a resident's answers come back with the page."""
    cause = type(getattr(error, "orig", error)).__name__
    current_app.logger.error("unavailable", extra={"error": cause, "endpoint": request.endpoint})
    page = render_template("errors/unavailable.html")
    return page, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": str(RETRY_AFTER_SECONDS)}


def _show_unexpected(error: Exception) -> tuple[str, int]:
    # The type and the places tell an engineer enough; a message could carry what a resident typed.
    current_app.logger.error("failed", extra={"endpoint": request.endpoint, **exception_facts(error)})
    return render_template("errors/unexpected.html"), HTTPStatus.INTERNAL_SERVER_ERROR
