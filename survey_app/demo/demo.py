"""Demonstration: a simulated city with accounts, built once and kept in an instance of its own."""

import fcntl
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.accounts.accounts import BoundTo, NewPassword, add_account, find_account, set_password
from survey_app.accounts.demo_accounts import DemoAccount
from survey_app.accounts.installation import RealDatabase, is_demo
from survey_app.accounts.second_factor import address_of, code_at, new_secret, seal_secret
from survey_app.audit import OPERATOR
from survey_app.config import Config, sqlite_url
from survey_app.demo.simulation.city import COMMUNITIES
from survey_app.demo.simulation.simulate import ProgressDisplay, simulate
from survey_app.models import Account, Code, Community
from survey_app.models.vocabulary import CodeKind, Role
from survey_app.private_files import open_private
from survey_app.rounds.rounds import find_open_round
from survey_app.storage.database import Database

SEED = 20210823
DATABASE = "demo.sqlite3"
UNFINISHED = "demo-unfinished.sqlite3"
ACCOUNTS = "demo-accounts.json"

# Username and role. All look after the district, the subdistrict or the company of the first community, or the whole
# city.
_ROLES = {
    "bureau": Role.CITY,
    "haibowan": Role.DISTRICT,
    "evaluator": Role.EVALUATOR,
    "company": Role.COMPANY,
    "clerk": Role.CLERK,
    "administrator": Role.ADMINISTRATOR,
}


@dataclass(frozen=True)
class Demo:
    """Demonstration as a visitor needs it: the accounts, and one poster."""

    accounts: Mapping[str, DemoAccount]
    community: str
    token: str
    open_round: str | None


def demo_config(config: Config) -> Config:
    """Return the settings of the demonstration that lies inside an installation's instance."""
    demo = Config.from_env({"JIAYUAN_INSTANCE": str(config.instance / "demo")})
    return replace(demo, database_url=sqlite_url(demo.instance / DATABASE), for_this_machine=True)


def prepare_demo(config: Config, *, now: datetime, track: ProgressDisplay, communities: int = COMMUNITIES) -> Demo:
    """Build the demonstration unless it exists already, and return what to show of it.

    It is built under another name and renamed when all is there: an interrupted start leaves nothing that a later one
    would take for a city.
    """
    with _only_one(config.instance):
        if not (config.instance / DATABASE).exists():
            _build(config, now=now, track=track, communities=communities)
        with Database(config.database_url) as database:
            return _open_demo(database, config, now=now)


def current_codes(config: Config, *, now: datetime) -> dict[str, str]:
    """Return the code that each account's authenticator would show now."""
    accounts = _read_accounts(config.instance) or {}
    return {name: code_at(account.authenticator, now) for name, account in accounts.items()}


def _build(config: Config, *, now: datetime, track: ProgressDisplay, communities: int) -> None:
    instance = config.instance
    unfinished = instance / UNFINISHED
    _clear_away(instance)
    with Database(sqlite_url(unfinished)) as database:
        database.upgrade()
        simulate(database, secret_key=config.secret_key, seed=SEED, communities=communities, now=now, track=track)
        with database.writing() as session:
            _renew_accounts(session, config, now=now)
    _finish(unfinished, instance / DATABASE)
    _clear_away(instance)


def _clear_away(instance: Path) -> None:
    """Remove an unfinished database with all that lies beside it: its log and its lock files."""
    for path in instance.glob(f"{UNFINISHED}*"):
        path.unlink()


def _finish(unfinished: Path, finished: Path) -> None:
    """Move everything from the log into the database file itself, sync it to the disk, and rename it."""
    connection = sqlite3.connect(unfinished)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(finished)


def _open_demo(database: Database, config: Config, *, now: datetime) -> Demo:
    database.upgrade()
    with database.writing() as session:
        if not is_demo(session):
            raise RealDatabase
        accounts = _read_accounts(config.instance) or _renew_accounts(session, config, now=now)
        poster = session.execute(
            select(Code.token, Community.name)
            .join(Code.community)
            .where(Code.kind == CodeKind.POSTER)
            .order_by(Community.number)
            .limit(1)
        ).one()
        open_round = find_open_round(session, now=now)
        return Demo(
            accounts=accounts,
            community=poster.name,
            token=poster.token,
            open_round=open_round.name if open_round else None,
        )


def _read_accounts(instance: Path) -> dict[str, DemoAccount] | None:
    """Return the accounts that were written down, or None if they are lost or not those of this version."""
    try:
        written = json.loads((instance / ACCOUNTS).read_text("utf-8"))
        accounts = {username: DemoAccount(**facts) for username, facts in written.items()}
    except (FileNotFoundError, TypeError):
        return None
    return accounts if accounts.keys() == _ROLES.keys() else None


def _renew_accounts(session: Session, config: Config, *, now: datetime) -> dict[str, DemoAccount]:
    """Give the accounts random passwords and authenticators, and write these where only the owner can read them."""
    first = session.scalars(select(Community).order_by(Community.number).limit(1)).one()
    accounts = {}
    for username, role in _ROLES.items():
        password, secret = secrets.token_urlsafe(12), new_secret()
        account = find_account(session, username=username)
        if account is None:
            account = _add_account(session, username, role, first, password=NewPassword.of(password), now=now)
        else:
            set_password(session, account=account, password=NewPassword.of(password), by=OPERATOR, now=now)
        account.totp_secret = seal_secret(secret, secret_key=config.secret_key)
        account.totp_last_step, account.in_force_since = None, account.created_at
        accounts[username] = DemoAccount(password, address_of(secret, username))
    path = config.instance / ACCOUNTS
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({username: asdict(account) for username, account in accounts.items()}, file, indent=2)
    return accounts


def _add_account(
    session: Session, username: str, role: Role, first: Community, *, password: NewPassword, now: datetime
) -> Account:
    return add_account(
        session,
        username=username,
        password=password,
        role=role,
        bound_to=_bound_to(role, first),
        by=OPERATOR,
        now=now,
    )


def _bound_to(role: Role, first: Community) -> BoundTo:
    match role:
        case Role.DISTRICT:
            return BoundTo(first.district)
        case Role.CLERK:
            return BoundTo(first.subdistrict or first.district)
        case Role.COMPANY:
            return BoundTo(first.company)
    return BoundTo()


@contextmanager
def _only_one(instance: Path) -> Iterator[None]:
    """Lock the instance, so that a second start waits for the first one, which may be building."""
    with open(instance / "demo.lock", "w", opener=open_private) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
