"""Commands that run the site and the recurring work beside it."""

import os
from typing import TYPE_CHECKING

import click

from survey_app.accounts.invitations import open_first_run
from survey_app.clock import current_time
from survey_app.commands.shared import (
    HOST,
    PORT,
    PUBLIC_URL,
    configured,
    for_this_machine_option,
    installed_database,
    track,
    warn_of_open_doors,
)
from survey_app.config import DEFAULT_THREADS, Config, is_local_only, url_of_host
from survey_app.operations.scheduled_jobs import worker
from survey_app.operations.supervisor import wait_unsupervised, wait_while_supervised
from survey_app.storage.database import Database
from survey_app.web.logs import configure_json_logging

if TYPE_CHECKING:
    from flask import Flask


@click.command()
@click.option(
    "--host",
    type=HOST,
    default="127.0.0.1",
    show_default=True,
    help="0.0.0.0 makes the site reachable from phones on the network.",
)
@click.option("--port", type=PORT, default=8000, show_default=True)
@click.option("--public-url", type=PUBLIC_URL, help="The address for phones; the default is built from host and port.")
@click.option("--codes", is_flag=True, help="Print the current sign-in codes and do not serve.")
def demo(*, host: str, port: int, public_url: str | None, codes: bool) -> None:
    """Serve a simulated city; the first start builds it."""
    from survey_app.accounts.demo_accounts import DEMO_ACCOUNTS  # noqa: PLC0415
    from survey_app.app.factory import create_app  # noqa: PLC0415
    from survey_app.demo.demo import current_codes, demo_config, prepare_demo  # noqa: PLC0415
    from survey_app.operations.server import serve  # noqa: PLC0415
    from survey_app.web.request_heads import is_loopback  # noqa: PLC0415

    if codes:
        for username, code in current_codes(demo_config(Config.from_env()), now=current_time()).items():
            click.echo(f"  {username:14} {code}")
        return
    config = demo_config(Config.from_env()).with_public_url(public_url or url_of_host(host, port))
    prepared = prepare_demo(config, now=current_time(), track=track)

    def create(config: Config) -> "Flask":
        app = create_app(config)
        if is_loopback(host):
            app.extensions[DEMO_ACCOUNTS] = prepared.accounts
        return app

    def announce() -> None:
        click.echo(f"\n演示 demonstration: {config.public_url}/")
        if prepared.open_round is None:
            click.echo(f"its last round is over: delete {config.instance} and start again for a fresh one")
        click.echo(f"poster of {prepared.community}: {config.public_url}/s/{prepared.token}")
        click.echo(f"staff: {config.public_url}/sign-in · dashboards: {config.public_url}/dashboards/")
        click.echo("the second step asks for a code: `./run demo --codes` prints those of the minute")
        for username, account in prepared.accounts.items():
            click.echo(f"  {username:14} {account.password}   {account.authenticator}")

    serve(config, create, host=host, port=port, threads=DEFAULT_THREADS, announce=announce)


@click.command("serve")
@click.option("--host", type=HOST, default="127.0.0.1", show_default=True)
@click.option("--port", type=PORT, default=8000, show_default=True)
@click.option("--threads", type=click.IntRange(2, 64), default=DEFAULT_THREADS, show_default=True)
@click.option("--public-url", type=PUBLIC_URL, help="The address in QR codes; the default is JIAYUAN_PUBLIC_URL.")
@for_this_machine_option
@click.option(
    "--work/--no-work", "runs_jobs", default=True, help="Whether to run background jobs and recurring work too."
)
def serve_command(
    *, host: str, port: int, threads: int, public_url: str | None, for_this_machine: bool, runs_jobs: bool
) -> None:
    """Serve the site, and run background jobs and recurring work in a second process."""
    from survey_app.app.factory import create_app  # noqa: PLC0415
    from survey_app.operations.server import serve  # noqa: PLC0415

    config = configured(for_this_machine=for_this_machine)
    if public_url is not None:
        config = config.with_public_url(public_url)
    with installed_database(config):
        warn_of_open_doors(config)
    if is_local_only(config.public_url):
        click.echo(f"no phone can open {config.public_url}: set --public-url before posters are printed", err=True)

    def announce() -> None:
        click.echo(f"serving {config.public_url}")
        with Database(config.database_url) as database, database.reading() as session:
            link = open_first_run(session, secret_key=config.secret_key, now=current_time())
        if link is not None:
            click.echo(f"there is no account yet: make the first one at {config.public_url}/first-run/{link}")

    serve(config, create_app, host=host, port=port, threads=threads, announce=announce, runs_jobs=runs_jobs)


@click.command()
@click.option("--once", is_flag=True, help="Do what is due and exit, for use from cron.")
@click.option("--attached", is_flag=True, hidden=True, help="End when standard input does.")
def work(*, once: bool, attached: bool) -> None:
    """Run background jobs and recurring work: settle complaints, erase expired data, examine answers.

    `jiayuan serve` starts this by itself. Several processes may run it; each job is still done only once.
    """
    configure_json_logging()
    os.nice(10)  # phones go first
    config = configured()
    with installed_database(config) as database:
        runner = worker(database, clock=current_time, secret_key=config.secret_key, channel=config.alert_channel)
        if once:
            click.echo(f"done: {', '.join(runner.run_due_jobs()) or 'nothing was due'}")
        else:
            runner.keep_running(wait_while_supervised if attached else wait_unsupervised)
