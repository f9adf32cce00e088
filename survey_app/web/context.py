"""Installation behind the current request: settings, database, writer and read cache."""

from dataclasses import dataclass
from typing import Self

from flask import current_app

from survey_app.config import Config
from survey_app.storage.commit_cache import CommitCache
from survey_app.storage.database import Database
from survey_app.storage.group_commit import Writer

SITE_EXTENSION = "jiayuan"


@dataclass(frozen=True)
class Site:
    """Installation: its settings, its database, its group-commit writer and its read cache."""

    config: Config
    database: Database
    writer: Writer
    read_cache: CommitCache

    @classmethod
    def of(cls, config: Config, database: Database) -> Self:
        """Return the site of an installation; the server starts its writer."""
        return cls(config, database, Writer(database), CommitCache(database))


def site() -> Site:
    """Return the installation that serves this request."""
    found: Site = current_app.extensions[SITE_EXTENSION]
    return found
