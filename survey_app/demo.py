"""The demonstration: a simulated city with accounts, built once and kept in an instance of its own."""

import fcntl
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from alembic import command
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from survey_app.accounts import add_account
from survey_app.codes import CodeKind
from survey_app.config import Config
from survey_app.database import Database
from survey_app.installation import RealDatabase, is_demo
from survey_app.models import Account, Code, Community, District, Round
from survey_app.simulation.city import COMMUNITIES
from survey_app.simulation.run import Track, simulate

SEED = 20210823
DATABASE = "demo.sqlite3"
UNFINISHED = "demo-unfinished.sqlite3"
ACCOUNTS = "demo-accounts.json"

# Username and role; the district account looks after the largest district.
_ROLES = {"bureau": "city", "haibowan": "district", "evaluator": "evaluator"}


@dataclass(frozen=True)
class Demo:
    """What a visitor needs: the accounts with their passwords, and one poster."""

    passwords: Mapping[str, str]
    community: str
    token: str
    open_round: str | None


def demo_config(config: Config) -> Config:
    """Return the settings of the demonstration that lies inside an installation's instance."""
    demo = Config.from_env({"JIAYUAN_INSTANCE": str(config.instance / "demo")})
    return replace(demo, database_url=f"sqlite:///{demo.instance / DATABASE}")


def prepare_demo(config: Config, *, now: datetime, track: Track, communities: int = COMMUNITIES) -> Demo:
    """Build the demonstration unless it stands already, and return what to show of it.

    It is built under another name, which is given up only when all is there: an interrupted start leaves nothing that
    a later one would take for a city.
    """
    with _only_one(config.instance):
        if not (config.instance / DATABASE).exists():
            _build(config, now=now, track=track, communities=communities)
        with Database(config.database_url) as database:
            return _open_demo(database, config.instance, now=now)


def _build(config: Config, *, now: datetime, track: Track, communities: int) -> None:
    instance = config.instance
    unfinished = instance / UNFINISHED
    for suffix in ("", "-wal", "-shm"):
        unfinished.with_name(UNFINISHED + suffix).unlink(missing_ok=True)
    with Database(f"sqlite:///{unfinished}") as database:
        command.upgrade(database.alembic_config(), "head")
        simulate(database, secret_key=config.secret_key, seed=SEED, communities=communities, now=now, track=track)
        with database.writing() as session:
            _renew_accounts(session, instance, now=now)
    _finish(unfinished, instance / DATABASE)


def _finish(unfinished: Path, finished: Path) -> None:
    """Move everything from the log into the file itself, see it on the disk, and rename it."""
    connection = sqlite3.connect(unfinished)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(finished)


def _open_demo(database: Database, instance: Path, *, now: datetime) -> Demo:
    command.upgrade(database.alembic_config(), "head")
    with database.writing() as session:
        if not is_demo(session):
            raise RealDatabase
        if not (instance / ACCOUNTS).exists():
            _renew_accounts(session, instance, now=now)
        passwords = json.loads((instance / ACCOUNTS).read_text("utf-8"))
        poster = session.execute(
            select(Code.token, Community.name)
            .join(Code.community)
            .where(Code.kind == CodeKind.POSTER)
            .order_by(Community.number)
            .limit(1)
        ).one()
        open_round = session.scalar(select(Round.name).where(Round.opens_at <= now, Round.closes_at > now))
        return Demo(passwords=passwords, community=poster.name, token=poster.token, open_round=open_round)


def _renew_accounts(session: Session, instance: Path, *, now: datetime) -> None:
    """Make the accounts anew, with random passwords, and write these where only the owner can read them."""
    session.execute(delete(Account).where(Account.username.in_(_ROLES)))
    largest = session.scalars(select(District).order_by(District.id)).first()
    passwords = {username: secrets.token_urlsafe(12) for username in _ROLES}
    for username, role in _ROLES.items():
        district = largest if role == "district" else None
        add_account(session, username=username, password=passwords[username], role=role, district=district, now=now)
    path = instance / ACCOUNTS
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(passwords, file, indent=2)


@contextmanager
def _only_one(instance: Path) -> Iterator[None]:
    """Let a second start wait for the first one, which may be building."""
    with (instance / "demo.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
