"""What a view needs from its installation, found through the running application."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import current_app

from survey_app.config import Config
from survey_app.database import Database
from survey_app.writer import Writer

SITE_EXTENSION = "jiayuan"


@dataclass(frozen=True)
class Site:
    """One installation: its settings, its database, and who writes into it what residents send."""

    config: Config
    database: Database
    writer: Writer


def site() -> Site:
    """Return the installation that serves this request."""
    found: Site = current_app.extensions[SITE_EXTENSION]
    return found


def current_time() -> datetime:
    """Return the time at which this request is served; views pass it on as `now`."""
    return datetime.now(UTC)
