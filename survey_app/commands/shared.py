"""Shared parts of commands: the installation they work on, parameter types, look-ups, progress on a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click
from rich import progress
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from survey_app.accounts.installation import check_secret_key
from survey_app.accounts.installation_key import recognise_key
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.config import Config
from survey_app.models import Community, District, PropertyCompany, Round
from survey_app.models.vocabulary import Area
from survey_app.private_files import entries_of, open_to_others
from survey_app.secret_keys import fault_of_key, warning_of_key
from survey_app.storage.database import Database

_Item = TypeVar("_Item")
_Named = TypeVar("_Named", District, PropertyCompany, Round)
DIRECTORY = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DATE = click.DateTime(["%Y-%m-%d"])
PORT = click.IntRange(0, 65535)


def named(session: Session, table: type[_Named], name: str, *, parameter: str) -> _Named:
    """Return the district, company or round with a name in either language; refuse an unknown one."""
    found = session.scalar(select(table).where(or_(table.name == name, table.english_name == name)))
    if found is None:
        kind = table.__tablename__.replace("_", " ")
        raise click.BadParameter(f"there is no {kind} {name}", param_hint=parameter)
    return found


def numbered(session: Session, number: str) -> Community:
    """Return the community with a number; refuse an unknown one."""
    found = session.scalar(select(Community).filter_by(number=number))
    if found is None:
        raise click.BadParameter(f"there is no community {number}", param_hint="--community")
    return found


def scope_of(session: Session, district_name: str | None, community_number: str | None = None) -> Scope:
    """Return the scope that a command was asked for."""
    if community_number is not None:
        return Scope(Area.COMMUNITY, numbered(session, community_number).id)
    if district_name is not None:
        return Scope(Area.DISTRICT, named(session, District, district_name, parameter="--district").id)
    return EVERYWHERE


def write_new(directory: Path, files: Iterable[tuple[str, bytes]]) -> int:
    """Write files to new paths below a directory, never over an existing one; return how many."""
    written = 0
    for name, content in files:
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                stream.write(content)
        except OSError as error:
            raise click.BadParameter(f"cannot write {path}: {error.strerror}", param_hint="DIRECTORY") from error
        written += 1
    return written


@contextmanager
def installed_database(config: Config | None = None) -> Iterator[Database]:
    """Open the database of the installation, if it is at the revision of this version; a new one needs a good key.

    A command that reads the settings itself hands them on: they know whether a file of the key was there.
    """
    config = config or Config.from_env()
    with Database(config.database_url) as database:
        database.require_current()
        with database.reading() as session:
            check_secret_key(session, secret_key=config.secret_key)
        recognise_key(database, config=config)
        yield database


def warn_of_open_doors(config: Config) -> None:
    """Tell the operator of a key that can be guessed, and of files that others may read."""
    if (fault := fault_of_key(config.secret_key)) is not None:
        click.echo(warning_of_key(fault), err=True)
    for path in open_to_others(entries_of(config.instance)):
        click.echo(f"WARNING: other users of this machine may read {path}: change its owner or its mode", err=True)


def track(sequence: Sequence[_Item], /, description: str) -> Iterable[_Item]:
    """Iterate over a sequence, with a progress bar on a terminal."""
    return progress.track(sequence, description=description)
