"""Structured log: one JSON object a line, without personal data or anything that a resident typed."""

import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

from survey_app.errors import exception_facts

FACTS: Final = ("error", "endpoint", "status", "job", "where")
_OURS = "survey_app"


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
            "event": record.msg if record.name.startswith(_OURS) else f"{record.module}:{record.lineno}",
        }
        line |= {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            line |= exception_facts(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def configure_json_logging() -> None:
    """Log every record of warning or above to the standard error stream, as one line each."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # It warns whenever all threads are busy, and that is what its queue is for.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
