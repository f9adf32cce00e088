"""Structured log: one JSON object a line, without personal data or anything that a resident typed."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from survey_app.log_events import LOGGER, LogEvent, checked_facts, exception_facts, log_event

_EVENTS: Final = frozenset(LogEvent)


class Lines(logging.Formatter):
    """Log formatter that writes only what cannot hold personal data, by construction.

    Libraries put addresses, and with them codes, into their messages, and an exception may quote an answer. So of
    their records only the place in the code is kept, of exceptions only the type and the places it came through.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.msg if is_own(record) else _place_of(record),
        }
        facts: dict[str, Any] = dict(vars(record)) if is_own(record) else {}
        if record.exc_info and record.exc_info[0] is not None:
            facts |= exception_facts(record.exc_info[1])
        return json.dumps(line | checked_facts(facts), ensure_ascii=False)


def is_own(record: logging.LogRecord) -> bool:
    """Return whether a record is an event of the site, whose facts are checked."""
    return record.name == LOGGER.name and record.msg in _EVENTS


def leave_out_messages(record: logging.LogRecord) -> bool:
    """Reduce the record of a library to its place, whoever handles it; a filter that lets every record through.

    Flask names the address of a request that failed, and hands on the exception with its message.
    """
    record.msg, record.args = _place_of(record), ()
    record.exc_info = record.exc_text = record.stack_info = None
    return True


def configure_json_logging() -> None:
    """Log every record of warning or above to the standard error stream, as one line each; nothing else goes there."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # A record that cannot be written is lost; the default would print its message and arguments.
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    # It warns whenever all threads are busy, and that is what its queue is for.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # The interpreter's own would print the message of what nobody caught.
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    sys.unraisablehook = _log_unraisable


def _place_of(record: logging.LogRecord) -> str:
    return f"{record.module}:{record.lineno}"


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        log_event(LogEvent.FAILED, raised=error)


def _log_uncaught_in_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None:
        log_event(LogEvent.FAILED, raised=what.exc_value)


def _log_unraisable(what: "sys.UnraisableHookArgs") -> None:
    if what.exc_value is not None:
        log_event(LogEvent.FAILED, raised=what.exc_value)
