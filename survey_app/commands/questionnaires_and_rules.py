"""Commands for questionnaires, on paper too, and for rule files."""

from collections.abc import Sequence
from pathlib import Path

import click

from analytics.rules import parse_rules
from survey_app.accounts.installation import use_as_real
from survey_app.clock import current_time
from survey_app.commands.shared import (
    DIRECTORY,
    FILE,
    configured,
    for_this_machine_option,
    installed_database,
    language_option,
    large_print_option,
    named,
    place_options,
    scope_of,
    tell_missing,
    track,
    write_new,
)
from survey_app.models import Round
from survey_app.rounds.questionnaire_versions import parse_successor, published_versions
from survey_app.rounds.questionnaires import load_questionnaire
from survey_app.rounds.rounds import add_rule_file, publish_questionnaire


@click.group()
def questionnaire() -> None:
    """Check and publish questionnaires, and print them on paper."""


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


@questionnaire.command("print")
@click.argument("round_name", metavar="ROUND")
@click.argument("directory", type=DIRECTORY)
@place_options
@click.option("--community", "community_number", help="Only of one community: its number.")
@large_print_option
@language_option
@for_this_machine_option
def print_questionnaires(
    *,
    round_name: str,
    directory: Path,
    community_number: str | None,
    large_print: bool,
    language: str,
    for_this_machine: bool,
    **place_names: str | None,
) -> None:
    """Print the questionnaire of a round on paper, blank for each community; ROUND is the name of the round.

    `jiayuan slips --on-questionnaires` prints one for each household, with the code of its slip.
    """
    from survey_app.printing import typefaces  # noqa: PLC0415
    from survey_app.responses.paper import print_runs  # noqa: PLC0415

    config, now = configured(for_this_machine=for_this_machine), current_time()
    public_url, installed = config.url_to_print, typefaces.installed_typefaces()
    with installed_database(config) as database, database.reading() as session:
        survey_round = named(session, Round, round_name, parameter="ROUND")
        scope = scope_of(session, community_number, **place_names)
        forms = print_runs.blank_forms_to_print(session, survey_round=survey_round, scope=scope, now=now)
        survey = print_runs.survey_on_paper(survey_round, public_url=public_url)
    places = [form.whose for form in forms]
    tell_missing(print_runs.missing_on_forms(places, survey, language=language, typefaces=installed))
    files = print_runs.print_blank_forms(
        track(forms, "questionnaires"),
        survey,
        is_large=large_print,
        language=language,
        typefaces=installed,
        now=now,
    )
    click.echo(f"{write_new(directory, files)} questionnaires written to {directory}")


@click.group()
def rules() -> None:
    """Check and freeze rule files."""


@rules.command("check")
@click.argument("file", type=FILE)
def check_rules(file: Path) -> None:
    """Report every fault of a rule file."""
    content = file.read_bytes()
    parsed = parse_rules(content, str(file))
    click.echo(f"{parsed.name}: no faults")


@rules.command("freeze")
@click.argument("file", type=FILE)
def freeze_rules(file: Path) -> None:
    """Freeze a rule file, so that rounds can use it; it cannot be changed afterwards."""
    with installed_database() as database, database.writing() as session:
        use_as_real(session, now=current_time())
        frozen = add_rule_file(session, content=file.read_bytes(), source=str(file), now=current_time())
        click.echo(f"frozen {frozen.name}, sha256 {frozen.sha256}")
