"""Rate limits of requests per account: a runaway script must not keep everybody else waiting.

Counted in the process, since a single machine is what such a script keeps busy; tries of secrets are counted in the
database (`attempt_limits`). Nobody is limited here who has not signed in: a carrier puts a whole neighbourhood behind
one network address, and an office its whole staff.
"""

from collections.abc import Callable
from time import time
from typing import NoReturn

from flask import Flask, current_app, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit

from survey_app.accounts.guard import signed_in
from survey_app.accounts.policies import policy_of
from survey_app.errors import JiayuanError

# A page of the dashboards takes about ten requests, and nobody reads one in a second.
PAGES = "600 per minute"
# Files hold thousands of rows, or thousands of sheets of paper.
FILES = "60 per minute"

_FILES = (".csv", ".zip", ".pdf")


class TooManyRequests(JiayuanError):
    """More was requested within a minute than a person can read."""

    status = 429
    page = "errors/too_many_requests.html"

    def __init__(self, limit: str, *, seconds: int) -> None:
        super().__init__(f"more than {limit}")
        self.headers = {"Retry-After": str(seconds)}


def init_app(app: Flask) -> None:
    """Limit the requests of accounts; after `guard`, which comes first."""
    limits: list[str | Callable[[], str] | ApplicationLimit] = [
        _limit(PAGES, _account, _is_staff),
        _limit(FILES, _account, lambda: _is_staff() and request.path.endswith(_FILES)),
    ]
    limiter = Limiter(_account, app=app, storage_uri="memory://", application_limits=limits)
    # Asked before any limit is looked at: a resident's answer should not wait for what never applies to it.
    limiter.request_filter(lambda: not _is_staff())


def _limit(limit: str, subject: Callable[[], str], applies: Callable[[], bool]) -> ApplicationLimit:
    return ApplicationLimit(
        limit_provider=limit, key_function=subject, scope=limit, exempt_when=lambda: not applies(), on_breach=_refuse
    )


def _account() -> str:
    return str(signed_in().account_id)


def _is_staff() -> bool:
    if request.url_rule is None:
        return False
    declared = policy_of(current_app, request.url_rule)
    return declared is not None and bool(declared.roles)


def _refuse(breach: RequestLimit) -> NoReturn:
    raise TooManyRequests(str(breach.limit), seconds=max(1, int(breach.reset_at - time())))
