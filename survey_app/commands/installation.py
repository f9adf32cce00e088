"""Commands for the database: migrating it, filling it with a simulated city."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click
from alembic import command
from sqlalchemy import inspect

from survey_app.clock import current_time
from survey_app.commands.shared import installed_database, track, warn_of_open_doors
from survey_app.config import Config
from survey_app.errors import DatabaseOutdated
from survey_app.models import Account
from survey_app.secret_keys import WeakSecretKey, fault_of_key
from survey_app.storage.database import Database


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
            command.upgrade(database.alembic_config(), "head")
            database.rewrite()
    warn_of_open_doors(config)
    click.echo("the database is at the revision of this version")


@click.command()
@click.option("--seed", type=click.IntRange(0), required=True, help="The same seed gives the same city.")
@click.option("--communities", type=click.IntRange(3), help="Their number; the standard city has 440.")
def simulate(seed: int, communities: int | None) -> None:
    """Fill an empty database with a simulated city, which makes it a demonstration permanently."""
    from survey_app.demo.simulation import city, simulate  # noqa: PLC0415

    count = communities or city.COMMUNITIES
    if count > city.MOST_COMMUNITIES:
        raise click.BadParameter(f"there are names for {city.MOST_COMMUNITIES}", param_hint="--communities")
    secret_key = Config.from_env().secret_key
    with installed_database() as database:
        result = simulate.simulate(
            database, secret_key=secret_key, seed=seed, communities=count, now=current_time(), track=track
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
