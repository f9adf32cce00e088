"""Commands for the database: migrating it, filling it with a simulated city."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import inspect

from survey_app.accounts.installation_key import is_lost, recognise_key, replace_key
from survey_app.attachments.attachments import draw_missing_thumbnails
from survey_app.audit import OPERATOR
from survey_app.clock import current_time
from survey_app.commands.shared import installed_database, said_meanwhile, track, warn_of_open_doors
from survey_app.complaints.contacts import erase_all_contacts
from survey_app.config import Config
from survey_app.errors import DatabaseOutdated
from survey_app.models import Account
from survey_app.secret_keys import WeakSecretKey, fault_of_key
from survey_app.storage.database import Database

_WHAT_ENDS_WITH_A_KEY = """With the lost key end:
  slips that were handed out: residents need new ones, and posters go on
  links to receipts and their change codes: nobody corrects or withdraws these answers any more
  secrets and links of complaints: the office hands out new ones
  telephone numbers of complainants: they cannot be read, and are erased
  authenticators of staff: all of them are reset and invited again
Go on without it?"""


@click.command()
def migrate() -> None:
    """Migrate the database to the revision of this version, and create it if there is none."""
    config = Config.from_env()
    with Database(config.database_url) as database, _shown(logging.getLogger("alembic.runtime.migration")):
        fault = fault_of_key(config.secret_key)
        if fault is not None and not inspect(database.engine).has_table(Account.__tablename__):
            raise WeakSecretKey(fault)
        try:
            database.require_current()
        except DatabaseOutdated:
            database.upgrade()
            database.rewrite()
        with said_meanwhile("drawing small copies of photos"):
            draw_missing_thumbnails(database)
        recognise_key(database, config=config)
    warn_of_open_doors(config)
    click.echo("the database is at the revision of this version")


@click.command("replace-key")
@click.confirmation_option(prompt=_WHAT_ENDS_WITH_A_KEY)
def replace_key_command() -> None:
    """Go on without the secret key that this database was begun with, when no backup has it."""
    config, now = Config.from_env(), current_time()
    with Database(config.database_url) as database:
        database.require_current()
        with database.writing() as session:
            if not is_lost(session, secret_key=config.secret_key):
                raise click.ClickException("the secret key is the one of this database: nothing is lost or changed")
            if (fault := fault_of_key(config.secret_key)) is not None:
                raise WeakSecretKey(fault)
            usernames = replace_key(session, secret_key=config.secret_key, now=now)
            contacts = erase_all_contacts(session, by=OPERATOR, now=now)
    click.echo(f"the database goes on with the present key; {contacts} telephone numbers of complainants were erased")
    for username in usernames:
        click.echo(f"invite {username} again: jiayuan accounts reset {username}")


@click.command()
@click.option("--seed", type=click.IntRange(0), required=True, help="The same seed gives the same city.")
@click.option("--communities", type=click.IntRange(3), help="Their number; the standard city has 440.")
def simulate(seed: int, communities: int | None) -> None:
    """Fill an empty database with a simulated city, which makes it a demonstration permanently."""
    from survey_app.demo.simulation import city, simulate  # noqa: PLC0415

    count = communities or city.COMMUNITIES
    if count > city.MOST_COMMUNITIES:
        raise click.BadParameter(f"there are names for {city.MOST_COMMUNITIES}", param_hint="--communities")
    config = Config.from_env()
    with installed_database(config) as database:
        result = simulate.simulate(
            database, secret_key=config.secret_key, seed=seed, communities=count, now=current_time(), track=track
        )
    click.echo(f"{result.communities} communities, {result.responses} responses, {result.complaints} complaints")


@contextmanager
def _shown(logger: logging.Logger) -> Iterator[None]:
    """Print the log messages of `logger`."""
    handler = logging.Handler()
    handler.emit = lambda record: click.echo(record.getMessage())  # type: ignore[method-assign]
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
