"""Commands for communities and districts."""

from collections.abc import Iterable
from pathlib import Path

import click
from sqlalchemy import select

from survey_app.accounts.installation import use_as_real
from survey_app.audit import OPERATOR
from survey_app.clock import current_time
from survey_app.commands.shared import FILE, TELEPHONE, installed_database, line_of, named, said_meanwhile
from survey_app.models import District
from survey_app.register.boundaries import boundary_text, parse_boundaries


@click.command("import-communities")
@click.argument("file", type=FILE)
@click.option(
    "--new-districts", is_flag=True, help="Make the districts and companies that FILE names for the first time."
)
@click.option("--source", default="", help="Whose list it is: headers given by --column are kept under this name.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="What the list writes above a column, such as 小区名称=项目名称; once for each.",
)
def import_communities_command(file: Path, *, new_districts: bool, source: str, columns: tuple[str, ...]) -> None:
    """Add or update communities from a CSV or XLSX file.

    What is left out of it, such as a row of totals, is said. Districts and companies that are not stored yet, and
    communities that resemble stored ones or have no number, are named and nothing is stored, unless --new-districts
    confirms all.
    """
    from survey_app.register.column_headers import checked_headers, headers_of, keep_headers  # noqa: PLC0415
    from survey_app.register.communities_file import read_communities  # noqa: PLC0415
    from survey_app.register.community_imports import UnconfirmedPlaces, plan_import, record_import, store_import  # noqa: PLC0415

    chosen = checked_headers(_stated_headers(columns), source=source)
    with installed_database() as database:
        with database.reading() as session:
            headers = chosen or headers_of(session, source)
        with said_meanwhile(f"reading {file}"):
            table = read_communities(file, headers=headers)
        try:
            with said_meanwhile("comparing with the register"), database.reading() as session:
                plan = plan_import(session, table=table, are_new_places_confirmed=new_districts)
        except UnconfirmedPlaces as error:
            click.echo(
                f"{error}\nnothing was stored: correct what is misspelt, or confirm all with --new-districts", err=True
            )
            raise click.exceptions.Exit(2) from error
        with said_meanwhile("storing"), database.writing() as session:
            use_as_real(session, now=current_time())
            result = store_import(session, plan=plan)
            record_import(session, result=result, by=OPERATOR, now=current_time())
            if source and chosen:
                keep_headers(session, source=source, headers=chosen)
    for note in table.notes:
        click.echo(f"{file}:{note}", err=True)
    click.echo(
        f"{result.added} added, {result.changed} changed, {result.unchanged} unchanged; "
        f"{result.absent} stored communities are not in the file and stay as they are"
    )
    if result.numbered:
        click.echo(f"{result.numbered} communities came without a number and were given one")


def _stated_headers(columns: Iterable[str]) -> dict[str, str]:
    """Return by field the headers that options state as OURS=THEIRS."""
    from survey_app.register.communities_file import COLUMNS  # noqa: PLC0415

    fields = {ours: column.field for column in COLUMNS for ours in (column.header, column.english_header)}
    stated = {}
    for text in columns:
        ours, sign, theirs = text.partition("=")
        if not sign or ours.strip().lower() not in fields:
            raise click.BadParameter(
                f"{text!r}: write OURS=THEIRS, OURS being one of {', '.join(column.header for column in COLUMNS)}",
                param_hint="--column",
            )
        stated[fields[ours.strip().lower()]] = theirs
    return stated


@click.command("export-communities")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_communities_command(file: Path) -> None:
    """Write the stored communities to a new CSV or XLSX file, to be corrected and imported again."""
    from survey_app.register.communities_file import write_communities, write_communities_workbook  # noqa: PLC0415
    from survey_app.register.community_imports import stored_communities  # noqa: PLC0415

    with installed_database() as database, database.reading() as session:
        table = stored_communities(session)
    is_workbook = file.suffix.lower() == ".xlsx"
    content = write_communities_workbook(table, now=current_time()) if is_workbook else write_communities(table)
    try:
        with file.open("xb") as stream:
            stream.write(content)
    except OSError as error:
        raise click.BadParameter(f"cannot write {file}: {error.strerror}", param_hint="FILE") from error
    click.echo(f"{len(table.rows)} communities written to {file}")


@click.group()
def districts() -> None:
    """Set the telephone, the map outline and the second language of a district."""


@districts.command("telephone")
@click.argument("name")
@click.argument("number", type=TELEPHONE)
def set_telephone(name: str, number: str) -> None:
    """Set the telephone of a district's housing bureau, which residents read on the first screen."""
    with installed_database() as database, database.writing() as session:
        use_as_real(session, now=current_time())
        named(session, District, name, parameter="NAME").telephone = number
    click.echo(f"residents of {name} are told to call {number}")


@districts.command("boundaries")
@click.argument("file", type=click.Path(path_type=Path))
def import_boundaries(file: Path) -> None:
    """Import the boundaries of districts from FILE, GeoJSON whose features have the district's name as `name`."""
    with installed_database() as database:
        with database.reading() as session:
            names = session.scalars(select(District.name)).all()
        # Before anybody has to wait for the transaction.
        found = parse_boundaries(file.read_bytes(), str(file), districts=names)
        with database.writing() as session:
            use_as_real(session, now=current_time())
            for district in session.scalars(select(District).where(District.name.in_(found))):
                district.boundary = boundary_text(found[district.name])
    click.echo(f"stored the boundaries of {len(found)} districts")


@districts.command("second-language")
@click.argument("name")
@click.argument("line")
def set_second_language_line(name: str, line: str) -> None:
    """Set the line in a second language, such as Mongolian, on a district's posters; "" removes it.

    A community whose own line is in the list of communities keeps it.
    """
    line = line_of(line, parameter="LINE")
    with installed_database() as database, database.writing() as session:
        use_as_real(session, now=current_time())
        named(session, District, name, parameter="NAME").second_language_line = line or None
    click.echo(f"posters of {name} say {line}" if line else f"posters of {name} have no second line")
