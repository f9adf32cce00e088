"""Commands for codes, and for the posters and slips that carry them."""

from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import click
from rich import progress
from sqlalchemy import select

from analytics.files.yaml_documents import decode_text
from survey_app.accounts.installation import use_as_real
from survey_app.accounts.scope import EVERYWHERE
from survey_app.clock import current_time
from survey_app.codes.codes import count_slips, issue_missing_poster_codes, replace_slip, revoke_code, revoke_slips
from survey_app.codes.poster_prints import record_posters
from survey_app.commands.shared import (
    DIRECTORY,
    configured,
    for_this_machine_option,
    installed_database,
    language_option,
    large_print_option,
    named,
    numbered,
    place_options,
    scope_of,
    tell_missing,
    track,
    write_new,
)
from survey_app.config import Config
from survey_app.models import Code, Community, Round
from survey_app.models.vocabulary import Revocation
from survey_app.security.check_digits import grouped
from survey_app.security.text import one_line


@click.group()
def codes() -> None:
    """Issue codes for posters; count, revoke and replace household slips."""


@codes.command("issue")
def issue() -> None:
    """Issue a poster code for each community that has none."""
    with installed_database() as database:
        with database.writing() as session:
            use_as_real(session, now=current_time())
        issued = issue_missing_poster_codes(database, scope=EVERYWHERE, now=current_time())
    click.echo(f"issued {issued} codes")


@codes.command("revoke")
@click.argument("token")
def revoke(token: str) -> None:
    """Revoke a poster code, for example because somebody tampered with its poster."""
    with installed_database() as database, database.writing() as session:
        code = session.scalar(select(Code).filter_by(token=token))
        if code is None:
            raise click.BadParameter(f"there is no code {token}", param_hint="TOKEN")
        revoke_code(session, code=code, now=current_time())
    click.echo(f"revoked {token}")


@codes.command("count-slips")
@click.argument("round_name", metavar="ROUND")
def count_slips_command(round_name: str) -> None:
    """Count the household slips of a round in each community by status; ROUND is the name of the round.

    Which flat got which slip is not recorded, so a lost slip stays valid. The number of reprints is the largest number
    of households that can have answered twice.
    """
    with installed_database() as database, database.reading() as session:
        counts = count_slips(session, survey_round=named(session, Round, round_name, parameter="ROUND"))
        numbers = {row.id: row.number for row in session.execute(select(Community.id, Community.number))}
    for community_id, count in counts.items():
        click.echo(
            f"{numbers[community_id]}: {count.issued} issued ({count.reprints} of them reprints), "
            f"{count.spoiled} spoiled, {count.returned} returned, {count.lost} replaced, "
            f"{count.outstanding} outstanding"
        )


@codes.command("revoke-slips")
@click.argument("community_number", metavar="COMMUNITY")
@click.option("--because", type=click.Choice([reason.value for reason in Revocation]), required=True)
@click.argument("file", type=click.File("rb"), default="-")
def revoke_slips_command(community_number: str, because: str, file: BinaryIO) -> None:
    """Revoke spoiled, returned or lost slips of a community.

    FILE has the digits of a slip on each line, typed or scanned; without FILE they are read from standard input.
    """
    lines = decode_text(file.read(), getattr(file, "name", "standard input")).splitlines()
    typed = [line for line in map(one_line, lines) if line]
    config = Config.from_env()
    with installed_database(config) as database, database.writing() as session:
        community = numbered(session, community_number)
        refused = revoke_slips(
            session,
            community=community,
            typed=typed,
            because=Revocation(because),
            secret_key=config.secret_key,
            now=current_time(),
        )
    click.echo(f"revoked {len(typed) - len(refused)} slips of {community_number}")
    if refused:
        raise click.ClickException("no slip of it in use: " + ", ".join(refused))


@codes.command("replace-slip")
@click.argument("digits")
def replace_slip_command(digits: str) -> None:
    """Revoke a lost slip whose digits are known, and print the digits of another one for the same household."""
    config = Config.from_env()
    with installed_database(config) as database, database.writing() as session:
        sheet = replace_slip(session, typed=digits, secret_key=config.secret_key, now=current_time())
    click.echo(f"type instead: {grouped(sheet.slips[0].digits)}")


@click.command()
@click.argument("directory", type=DIRECTORY)
@place_options
@language_option
@for_this_machine_option
def posters(*, directory: Path, language: str, for_this_machine: bool, **place_names: str | None) -> None:
    """Make a poster for each poster code, one PDF each, in a folder for each district."""
    from survey_app.codes import print_runs  # noqa: PLC0415
    from survey_app.printing import typefaces  # noqa: PLC0415

    config = configured(for_this_machine=for_this_machine)
    public_url, installed = config.url_to_print, typefaces.installed_typefaces()
    with installed_database(config) as database, database.reading() as session:
        scope = scope_of(session, **place_names)
        wanted = print_runs.posters_to_print(session, scope=scope, public_url=public_url, now=current_time())
    tell_missing(print_runs.missing_on_posters(wanted, language=language, typefaces=installed))
    files = print_runs.print_posters(
        track(wanted, "posters"), language=language, typefaces=installed, now=current_time()
    )
    written = write_new(directory, files)
    with installed_database(config) as database, database.writing() as session:
        record_posters(session, scope=scope, count=written, public_url=public_url, now=current_time())
    click.echo(f"{written} posters written to {directory}")


@click.command()
@click.argument("round_name", metavar="ROUND")
@click.argument("directory", type=DIRECTORY)
@place_options
@click.option("--community", "community_number", help="Only of one community: its number.")
@click.option(
    "--count", type=click.IntRange(1), help="With --community: the number of slips, instead of one for each household."
)
@click.option("--reprint", is_flag=True, help="Print further slips, for households that lost theirs.")
@click.option("--on-questionnaires", is_flag=True, help="Print each slip on a paper questionnaire, to be filled in.")
@large_print_option
@language_option
@for_this_machine_option
def slips(
    *,
    round_name: str,
    directory: Path,
    community_number: str | None,
    count: int | None,
    reprint: bool,
    on_questionnaires: bool,
    large_print: bool,
    language: str,
    for_this_machine: bool,
    **place_names: str | None,
) -> None:
    """Issue household slips of a round and write them as sheets to cut apart; ROUND is the name of the round.

    The files are the only copy of the slips: hand the paper to the neighbourhood offices and delete the files.
    """
    from survey_app.codes import print_runs  # noqa: PLC0415
    from survey_app.printing import typefaces  # noqa: PLC0415
    from survey_app.responses.paper import print_runs as paper_print_runs  # noqa: PLC0415

    if count is not None and community_number is None:
        raise click.UsageError("--count goes with --community")
    if large_print and not on_questionnaires:
        raise click.UsageError("--large-print goes with --on-questionnaires")
    config, now = configured(for_this_machine=for_this_machine), current_time()
    public_url, installed = config.url_to_print, typefaces.installed_typefaces()
    with installed_database(config) as database:
        with database.writing() as session:
            use_as_real(session, now=now)
            survey_round = named(session, Round, round_name, parameter="ROUND")
            scope = scope_of(session, community_number, **place_names)
            counts = {numbered(session, community_number).id: count} if community_number and count else None
            orders = print_runs.slips_to_issue(session, survey_round=survey_round, scope=scope, counts=counts)
            survey = paper_print_runs.survey_on_paper(survey_round, public_url=public_url)
        if on_questionnaires:
            places = [order.whose for order in orders]
            tell_missing(paper_print_runs.missing_on_forms(places, survey, language=language, typefaces=installed))
            files_of = paper_print_runs.files_of_forms(
                survey, is_large=large_print, language=language, typefaces=installed, now=now
            )
            volumes = paper_print_runs.count_files(orders)
        else:
            missing = print_runs.missing_on_slips(orders, public_url=public_url, language=language, typefaces=installed)
            tell_missing(missing)
            files_of = print_runs.files_of_sheets(
                public_url=public_url, language=language, typefaces=installed, now=now
            )
            volumes = sum(order.volumes for order in orders)
        files = print_runs.print_slips(
            database,
            orders,
            files_of=files_of,
            round_id=survey_round.id,
            secret_key=config.secret_key,
            now=now,
            is_reprint=reprint,
        )
        # Slips that cannot be written are spoiled when the generator is closed.
        with closing(files):
            written = write_new(directory, progress.track(files, "slips", total=volumes))
    click.echo(f"{sum(order.count for order in orders)} slips in {written} files written to {directory}")
