"""Canonical text of files that name days: what is stored and hashed when one is published."""

import re
from datetime import date, datetime

from analytics.canonical import canonical_json

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def canonical_text(content: object) -> str:
    """Return what a file without faults says as canonical JSON, its days as text: equal content gives equal text.

    >>> canonical_text({"to": date(2026, 10, 7), "from": date(2026, 10, 1)})
    '{"from":"2026-10-01","to":"2026-10-07"}'
    """
    return canonical_json(_plain(content))


def as_day(value: object) -> date | None:
    """Return the day that a value of a file is, which a canonical text holds as text; None if it is none.

    >>> as_day("2026-10-07"), as_day(date(2026, 10, 7)), as_day("soon")
    (datetime.date(2026, 10, 7), datetime.date(2026, 10, 7), None)
    """
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
