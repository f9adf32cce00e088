"""Present time, read by pages and commands alone; they pass it on as `now`."""

from datetime import UTC, datetime


def current_time() -> datetime:
    """Return the time at which a request is served or a command runs."""
    return datetime.now(UTC)
