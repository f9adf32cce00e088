"""Commands for questionnaires and rule files."""

from collections.abc import Sequence
from pathlib import Path

import click

from analytics.rules import parse_rules
from survey_app.accounts.installation import use_as_real
from survey_app.clock import current_time
from survey_app.commands.shared import FILE, installed_database
from survey_app.rounds.questionnaire_versions import parse_successor, published_versions
from survey_app.rounds.questionnaires import load_questionnaire
from survey_app.rounds.rounds import publish_questionnaire


@click.group()
def questionnaire() -> None:
    """Check and publish questionnaires."""


@questionnaire.command("check")
@click.argument("file", type=FILE)
@click.option("--earlier", type=FILE, multiple=True, help="An earlier version, whose codes must keep their meaning.")
def check_questionnaire(file: Path, earlier: Sequence[Path]) -> None:
    """Report every fault of a questionnaire file."""
    versions = [load_questionnaire(path) for path in earlier]
    definition = parse_successor(file.read_bytes(), str(file), versions) if versions else load_questionnaire(file)
    click.echo(
        f"{definition.key} version {definition.version}: {len(definition.questions)} questions, no faults, "
        f"sha256 {definition.sha256}"
    )


@questionnaire.command("preview")
@click.argument("file", type=FILE)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the page; the default is beside FILE.",
)
def preview(file: Path, output: Path | None) -> None:
    """Preview a questionnaire file as residents will see it, in an HTML page with both languages."""
    from survey_app.responses.questionnaire_preview import preview_page  # noqa: PLC0415

    output = output or file.with_suffix(".html")
    output.write_text(preview_page(load_questionnaire(file)), encoding="utf-8")
    click.echo(f"{output}: open it in a browser")


@questionnaire.command("publish")
@click.argument("file", type=FILE)
def publish(file: Path) -> None:
    """Publish a questionnaire, so that rounds can use it; it cannot be changed afterwards."""
    definition = load_questionnaire(file)
    with installed_database() as database, database.writing() as session:
        use_as_real(session, now=current_time())
        # The file is parsed once more, for faults with their lines.
        parse_successor(file.read_bytes(), str(file), published_versions(session, key=definition.key))
        published = publish_questionnaire(session, definition=definition, now=current_time())
        click.echo(f"published {published.key}:{published.version}, sha256 {published.sha256}")


@click.group()
def rules() -> None:
    """Check rule files."""


@rules.command("check")
@click.argument("file", type=FILE)
def check_rules(file: Path) -> None:
    """Report every fault of a rule file."""
    content = file.read_bytes()
    parsed = parse_rules(content, str(file))
    click.echo(f"{parsed.name}: no faults")
