"""Events of the log: constant names with checked facts, so that no line can hold what somebody typed or was sent."""

import logging
import re
import traceback
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

LOGGER: Final = logging.getLogger(__name__)


class LogEvent(StrEnum):
    """All that the site writes down about itself."""

    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"
    PART_FAILED = "part of a page failed"
    ERROR_PAGE_FAILED = "error page failed"
    POLICY_MISSING = "route declares no policy"
    ENDED_TOO_EARLY = "ended too early"
    DECODER_ENDED = "a decoder of photos ended"
    JOBS_FAILED = "jobs failed"
    JOB_FAILED = "job failed"
    JOB_LOST = "job was taken up by another worker"
    TALLIES_MENDED = "tallies differed from a full count and were mended"
    MANY_TRIES_FAILED = "many tries failed"


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,79}")
_PLACE: Final = re.compile(r"[^\r\n]{1,400}:[0-9]{1,9}")
# Endpoints are names of views, and of the dashboards their routes with placeholders; an address never is one.
_ENDPOINT: Final = re.compile(r"[A-Za-z0-9_./<>:-]{1,120}")
_FORMS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {"error": _NAME, "endpoint": _ENDPOINT, "job": _NAME, "action": _NAME}
)
# Stands for a fact that has not the form of its kind.
UNCHECKED: Final = "?"


def log_event(
    event: LogEvent, *, level: int = logging.ERROR, raised: BaseException | None = None, **facts: Any
) -> None:
    """Write an event with its facts (see `checked_facts`) and, of what was raised, its type and places."""
    of_raised = {} if raised is None else exception_facts(raised)
    LOGGER.log(level, event.value, extra=checked_facts(of_raised | facts))


def exception_facts(error: BaseException | None) -> dict[str, Any]:
    """Return the type of an exception and where it was raised, innermost last: its message may quote a resident."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else ()
    return {"error": type(error).__name__, "where": [f"{frame.filename}:{frame.lineno}" for frame in frames]}


def checked_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that a log line may hold, each in the form of its kind.

    >>> checked_facts({"endpoint": "survey.submit", "error": "王 1381234", "status": 3, "typed": "x"})
    {'error': '?', 'endpoint': 'survey.submit', 'status': 3}
    """
    checked: dict[str, Any] = {}
    for name, form in _FORMS.items():
        if (value := facts.get(name)) is not None:
            checked[name] = value if isinstance(value, str) and form.fullmatch(value) else UNCHECKED
    if (status := facts.get("status")) is not None:
        checked["status"] = status if isinstance(status, int) else UNCHECKED
    if (places := facts.get("where")) is not None:
        checked["where"] = [place if _PLACE.fullmatch(str(place)) else UNCHECKED for place in places]
    return checked
