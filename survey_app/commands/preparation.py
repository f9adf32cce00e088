"""Command for the preparation of an installation: its checklist."""

import click

from analytics.languages import LANGUAGES
from survey_app.accounts.scope import EVERYWHERE
from survey_app.clock import current_time
from survey_app.commands.shared import installed_database
from survey_app.config import Config


@click.command("setup-checklist")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
def setup_checklist(language: str) -> None:
    """List what this installation needs before residents can answer, with the command for each step that is to do.

    Exit status 0 says that nothing is left to do now, 1 that something is.
    """
    from survey_app.preparation.checklist import State, is_ready, list_steps  # noqa: PLC0415
    from survey_app.preparation.facts import read_facts  # noqa: PLC0415
    from survey_app.preparation.wording import state_name, words_of  # noqa: PLC0415

    config = Config.from_env()
    with installed_database(config) as database, database.reading() as session:
        facts = read_facts(session, scope=EVERYWHERE, public_url=config.public_url, now=current_time())
    steps = list_steps(facts)
    for step in steps:
        words = words_of(step, facts, language)
        click.echo(f"[{state_name(step.state, language)}] {words.title}")
        if step.state is State.TO_DO:
            click.echo(f"    {words.reason} {words.missing}".rstrip())
            if words.command is not None:
                click.echo(f"    $ {words.command}")
    if not is_ready(steps):
        raise click.exceptions.Exit(1)
