"""Named exceptions with their facts; the wording for people lives in the templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from types import MappingProxyType

from flask import Flask, current_app, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from werkzeug.exceptions import HTTPException

from analytics.languages import Wording
from survey_app.web.logs import facts_of

RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True)
class Bureau:
    """Contact of a community: the housing bureau of its district."""

    district: Wording
    telephone: str | None


class JiayuanError(Exception):
    """Any expected failure. `status` is its HTTP status, `page` the template that explains it, `headers` come along."""

    status = 400
    page = "errors/generic.html"
    headers: Mapping[str, str] = MappingProxyType({})


class DatabaseOutdated(JiayuanError):
    """The database has another revision than the code."""

    status = 503

    def __init__(self, found: str | None, expected: str | None) -> None:
        super().__init__(f"the database is at revision {found}, this version needs {expected}: run `jiayuan migrate`")
        self.found, self.expected = found, expected


class UnknownCode(JiayuanError):
    """No code like this was ever issued."""

    status = 404
    page = "errors/unknown_code.html"


class RevokedCode(JiayuanError):
    """The code was issued and later withdrawn."""

    status = 410
    page = "errors/revoked_code.html"

    def __init__(self, community: Wording, bureau: Bureau) -> None:
        super().__init__(f"the code of {community.zh_hans} was revoked")
        self.community, self.bureau = community, bureau


class ExpiredCode(JiayuanError):
    """The slip was valid until a day that is over; another one can be had."""

    status = 410
    page = "errors/expired_code.html"

    def __init__(self, community: Wording) -> None:
        super().__init__(f"the slip of {community.zh_hans} has expired")
        self.community = community


class VisitExpired(JiayuanError):
    """The slip was scanned too long ago for its address to open a form; scanning the slip again works."""

    status = 410
    page = "errors/visit_expired.html"


class OtherCodeNeeded(JiayuanError):
    """The code is valid, but the open round accepts the other kind, or slips of its own."""

    status = 409
    page = "errors/other_code_needed.html"

    def __init__(self, community: Wording, *, accepts_posters: bool, accepts_households: bool) -> None:
        super().__init__(f"the open round takes no answers for {community.zh_hans} through this code")
        self.community = community
        self.accepts_posters, self.accepts_households = accepts_posters, accepts_households


class NoOpenRound(JiayuanError):
    """The code is valid, but no round takes answers now. The dates are local: the first and the last day."""

    status = 409
    page = "errors/no_open_round.html"

    def __init__(self, community: Wording, bureau: Bureau, *, opens_on: date | None, closed_on: date | None) -> None:
        super().__init__(f"no round is open for {community.zh_hans}")
        self.community, self.bureau = community, bureau
        self.opens_on, self.closed_on = opens_on, closed_on


class InvalidSubmissionKey(JiayuanError):
    """The form's signed key is missing, was altered or belongs to another form."""

    status = 400
    page = "errors/invalid_form.html"


class OtherAnswersSubmitted(JiayuanError):
    """The same form was already sent with other content; nothing was overwritten."""

    status = 409
    page = "errors/invalid_form.html"

    def __init__(self, number: str) -> None:
        super().__init__("this submission key already carries other content")
        self.number = number


class DatabaseBusy(JiayuanError):
    """Others kept the database locked until the timeout of this transaction."""

    status = 503

    def __init__(self) -> None:
        super().__init__("the database is kept busy by others")


class WriterBusy(JiayuanError):
    """The write queue is full, so this one had to be turned away; the phone sends it again."""

    status = 503

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} submissions wait to be written already")
        self.waiting = waiting


class UnknownNumber(JiayuanError):
    """No response and no complaint has this number."""

    status = 404
    page = "errors/unknown_number.html"


class TransitionRefused(JiayuanError):
    """The rules of the life cycle allow no such step from the present state of the case."""

    status = 409
    page = "errors/case_moved_on.html"

    def __init__(self, standing: str, action: str, actor: str) -> None:
        super().__init__(f"{action} by {actor} is not a step from {standing}")
        self.standing, self.action, self.actor = standing, action, actor


def init_app(app: Flask) -> None:
    """Show each failure as one page with its status: a plain sentence and the next step."""
    app.register_error_handler(JiayuanError, _show_expected)
    app.register_error_handler(HTTPException, _show_http)
    for error in (OperationalError, InterfaceError, NoConnectionFree, DatabaseBusy, WriterBusy):
        app.register_error_handler(error, _show_unavailable)
    app.register_error_handler(Exception, _show_unexpected)


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
    current_app.logger.error("failed", extra={"endpoint": request.endpoint, **facts_of(error)})
    return render_template("errors/unexpected.html"), HTTPStatus.INTERNAL_SERVER_ERROR
