"""Settings of one installation, read from the environment in this one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from survey_app.private_files import make_private_folder
from survey_app.secret_keys import FILE as KEY_FILE
from survey_app.secret_keys import VARIABLE as SECRET_KEY_VARIABLE
from survey_app.secret_keys import key_from

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = REPOSITORY / "data"
MIGRATIONS = REPOSITORY / "migrations"

# Most of them wait for the disk together with others, which costs nothing.
DEFAULT_THREADS = 32


@dataclass(frozen=True)
class Config:
    """Settings of an installation: where its data are and how the world reaches it."""

    instance: Path
    database_url: str
    secret_key: str
    public_url: str
    # Number of its own proxies before the site: the client address that the last of them states is believed.
    trusted_proxies: int = 0
    # Where this start has found no file of the key and made one.
    new_key_file: Path | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the variables whose names begin with JIAYUAN_; all of them may be left out."""
        instance = Path(environ.get("JIAYUAN_INSTANCE", "instance")).resolve()
        make_private_folder(instance)
        key_file = instance / KEY_FILE
        had_key = key_file.exists()
        secret_key = key_from(environ, instance)
        return cls(
            instance=instance,
            database_url=environ.get("JIAYUAN_DATABASE_URL", f"sqlite:///{instance / 'jiayuan.sqlite3'}"),
            secret_key=secret_key,
            public_url=environ.get("JIAYUAN_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
            trusted_proxies=int(environ.get("JIAYUAN_TRUSTED_PROXIES", "0")),
            new_key_file=key_file if not had_key and key_file.exists() else None,
        )

    def to_env(self) -> dict[str, str]:
        """Return the variables from which `from_env` reads these settings."""
        return {
            "JIAYUAN_INSTANCE": str(self.instance),
            "JIAYUAN_DATABASE_URL": self.database_url,
            SECRET_KEY_VARIABLE: self.secret_key,
            "JIAYUAN_PUBLIC_URL": self.public_url,
            "JIAYUAN_TRUSTED_PROXIES": str(self.trusted_proxies),
        }

    def with_public_url(self, public_url: str) -> Self:
        """Return the same settings under another public address."""
        return replace(self, public_url=public_url.rstrip("/"))
