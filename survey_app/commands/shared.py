"""Shared parts of commands: the installation they work on, parameter types, look-ups, progress on a terminal."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich import progress
from rich.console import Console
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from analytics.languages import DEFAULT_LANGUAGE, LANGUAGES
from survey_app.accounts.installation import check_secret_key
from survey_app.accounts.installation_key import recognise_key
from survey_app.accounts.place_choice import Place, scope_of_place
from survey_app.accounts.scope import EVERYWHERE, Scope
from survey_app.config import Config, InvalidSetting, checked_public_url, is_host
from survey_app.models import Community, District, Neighbourhood, PropertyCompany, Round, Subdistrict
from survey_app.models.vocabulary import Area
from survey_app.private_files import entries_of, open_to_others
from survey_app.rounds.rounds import YEARS
from survey_app.secret_keys import fault_of_key, warning_of_key
from survey_app.security.text import one_line
from survey_app.storage.database import Database

if TYPE_CHECKING:
    from survey_app.codes.print_runs import MissingCharacters

_Item = TypeVar("_Item")
_Named = TypeVar("_Named", District, Subdistrict, Neighbourhood, PropertyCompany, Round)
_Command = TypeVar("_Command", bound=Callable[..., Any])
_TELEPHONE = re.compile(r"\+?[0-9() -]+((转|转分机| ?ext\.? ?)[0-9]{1,6})?")
DIRECTORY = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
LONGEST_LINE = 200
PORT = click.IntRange(1, 65535)
ID = click.IntRange(1, 2**31 - 1)
_PLACE_OPTIONS = (
    click.option("--district", "district_name", help="Of one district: its name, Chinese or English."),
    click.option("--subdistrict", "subdistrict_name", help="Of one subdistrict: its name, Chinese or English."),
    click.option("--neighbourhood", "neighbourhood_name", help="Of one neighbourhood: its name, Chinese or English."),
)
language_option = click.option("--language", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, show_default=True)
large_print_option = click.option("--large-print", is_flag=True, help="Questionnaires in letters of 16 points.")
for_this_machine_option = click.option(
    "--for-this-machine",
    is_flag=True,
    help="Print codes although no phone can open their address, to try them on this machine alone.",
)


class _Day(click.ParamType[date]):
    """Click type for a day of a year in which somebody may run a survey."""

    name = "YYYY-MM-DD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            day = datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 (a local day)
        except ValueError:
            self.fail(f"{value!r} is no day: write it as 2026-09-30", param, ctx)
        if day.year not in YEARS:
            self.fail(f"{value!r} is not in a year from {YEARS[0]} to {YEARS[-1]}", param, ctx)
        return day


class _Host(click.ParamType[str]):
    """Click type for the name or address of a machine."""

    name = "HOST"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not is_host(host := str(value)):
            self.fail(f"{host!r} is no name and no address of a machine, such as 0.0.0.0", param, ctx)
        return host


class _PublicUrl(click.ParamType[str]):
    """Click type for the address under which people reach the site."""

    name = "URL"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return checked_public_url(str(value))
        except InvalidSetting as error:
            self.fail(error.fault, param, ctx)


class _Telephone(click.ParamType[str]):
    """Click type for a telephone number that residents are told, with or without an extension."""

    name = "NUMBER"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        number = one_line(unicodedata.normalize("NFKC", str(value)))
        digits = sum(character.isdecimal() for character in number)
        if _TELEPHONE.fullmatch(number) is None or not 3 <= digits <= 20:
            self.fail(f"{value!r} is no telephone number: write it as 0473-2012345 or 0473-2012345转8001", param, ctx)
        return number


DAY, HOST, PUBLIC_URL, TELEPHONE = _Day(), _Host(), _PublicUrl(), _Telephone()


def line_of(typed: str, *, parameter: str) -> str:
    """Return what was typed as one line, or refuse what is longer than any place that shows it."""
    line = one_line(typed)
    if len(line) > LONGEST_LINE:
        raise click.BadParameter(f"at most {LONGEST_LINE} characters, got {len(line)}", param_hint=parameter)
    return line


def configured(*, for_this_machine: bool = False) -> Config:
    """Return the settings of the installation, with what a command was asked for."""
    config = Config.from_env()
    return replace(config, for_this_machine=True) if for_this_machine else config


def place_options(command: _Command) -> _Command:
    """Add the options that name a place to a command, which hands them on to `place_of` or `scope_of`."""
    for option in reversed(_PLACE_OPTIONS):
        command = option(command)
    return command


def named(
    session: Session, table: type[_Named], name: str, *, parameter: str, within: Sequence[ColumnElement[bool]] = ()
) -> _Named:
    """Return the place, company or round with a name in either language; refuse an unknown or ambiguous one."""
    name, kind = one_line(name), table.__tablename__.replace("_", " ")
    # The Chinese name goes first: where it is unique, an English one may stand for several.
    for column in (table.name, table.english_name):
        found = session.scalars(select(table).where(column == name, *within).limit(2)).all()
        if len(found) > 1:
            raise click.BadParameter(
                f"several have the name {name}: {_TOLD_APART.get(table, 'use the Chinese one')}", param_hint=parameter
            )
        if found:
            return found[0]
    raise click.BadParameter(f"there is no {kind} {name}", param_hint=parameter)


_TOLD_APART: Mapping[type[object], str] = MappingProxyType(
    {
        Subdistrict: "say of which district, with --district",
        Neighbourhood: "say of which subdistrict, with --subdistrict",
    }
)


def place_of(
    session: Session,
    *,
    district_name: str | None = None,
    subdistrict_name: str | None = None,
    neighbourhood_name: str | None = None,
) -> Place | None:
    """Return the smallest place that was named, within the larger ones that were; None where none was."""
    place: Place | None = None
    if district_name is not None:
        place = named(session, District, district_name, parameter="--district")
    if subdistrict_name is not None:
        within = [] if place is None else [Subdistrict.district_id == place.id]
        place = named(session, Subdistrict, subdistrict_name, parameter="--subdistrict", within=within)
    if neighbourhood_name is not None:
        within = [] if place is None else [_SUBDISTRICTS_OF[type(place)] == place.id]
        of_place = [Neighbourhood.subdistrict_id.in_(select(Subdistrict.id).where(*within))]
        place = named(session, Neighbourhood, neighbourhood_name, parameter="--neighbourhood", within=of_place)
    return place


_SUBDISTRICTS_OF: Mapping[type[object], InstrumentedAttribute[int]] = MappingProxyType(
    {District: Subdistrict.district_id, Subdistrict: Subdistrict.id}
)


def numbered(session: Session, number: str) -> Community:
    """Return the community with a number; refuse an unknown one."""
    found = session.scalar(select(Community).filter_by(number=one_line(number)))
    if found is None:
        raise click.BadParameter(f"there is no community {number}", param_hint="--community")
    return found


def scope_of(session: Session, community_number: str | None = None, **place_names: str | None) -> Scope:
    """Return the scope that a command was asked for: a community, a place, or the whole city."""
    place = place_of(session, **place_names)
    scope = EVERYWHERE if place is None else scope_of_place(place)
    if community_number is None:
        return scope
    community = numbered(session, community_number)
    if session.scalar(scope.communities(select(Community.id).filter_by(id=community.id))) is None:
        where = "" if place is None else f" and not in {place.name}"
        raise click.BadParameter(
            f"community {community.number} is in {community.district.name}{where}", param_hint="--community"
        )
    return Scope(Area.COMMUNITY, (community.id,))


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


@contextmanager
def shown_progress() -> Iterator[Callable[[str, float], None]]:
    """Give a function that is told what is being done and which share of it, and show it on a terminal meanwhile."""
    with progress.Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def show(stage: str, share: float) -> None:
            bar.update(task, description=stage, completed=share)

        yield show


def said_meanwhile(words: str) -> AbstractContextManager[object]:
    """Show on a terminal what takes a while, until it is done."""
    return Console(stderr=True).status(words)


def tell_missing(missing: "Sequence[MissingCharacters]") -> None:
    """Name the communities whose characters no typeface holds."""
    for each in missing:
        click.echo(f"{each.community}: no installed typeface holds {each.named}; 〓 is printed instead", err=True)
    if missing:
        click.echo("more typefaces, on Debian: apt install fonts-noto-core fonts-noto-extra", err=True)
