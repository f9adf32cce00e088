"""Commands for rounds: planning, examining, evaluating, and in the end erasing them."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import click
from sqlalchemy import select

from survey_app.accounts.installation import use_as_real
from survey_app.clock import current_time
from survey_app.commands.shared import DAY, FILE, ID, installed_database, named, shown_progress
from survey_app.models import Questionnaire, Round
from survey_app.models.vocabulary import CodeKind
from survey_app.operations.scheduled_jobs import examine_and_erase
from survey_app.rounds.rounds import add_rule_file, create_round, has_settled, usual_last_day_of_keeping

LONGEST_VERSION = 6

_MOST_NAMED = 20


@click.group()
def rounds() -> None:
    """Create rounds."""


@rounds.command("create")
@click.option("--name", required=True, help="The Chinese name that residents read.")
@click.option("--english-name", help="The English name that residents read.")
@click.option("--opens", type=DAY, required=True, help="The first day, from midnight.")
@click.option("--last-day", type=DAY, required=True, help="The last day, until midnight.")
@click.option(
    "--questionnaire", "questionnaire_name", required=True, metavar="KEY:VERSION", help="A published questionnaire."
)
@click.option("--rules", "rules_file", type=FILE, required=True, help="The rule file by which the round is evaluated.")
@click.option(
    "--accepts",
    type=click.Choice([kind.value for kind in CodeKind]),
    multiple=True,
    default=[CodeKind.POSTER.value],
    show_default=True,
    help="The kind of code that is accepted; give the option twice for both.",
)
@click.option("--evaluator", help="Who evaluates on behalf of the bureau, for the privacy notice; optional.")
@click.option("--evaluator-english-name")
@click.option(
    "--keep-until",
    type=DAY,
    help="The last day on which answers are kept, for the privacy notice; three years after the last day at most.  "
    "[default: a year after the last day]",
)
def create(
    *,
    name: str,
    english_name: str | None,
    opens: date,
    last_day: date,
    questionnaire_name: str,
    rules_file: Path,
    accepts: Sequence[str],
    evaluator: str | None,
    evaluator_english_name: str | None,
    keep_until: date | None,
) -> None:
    """Create a round; its dates are in the time zone of the rule file."""
    with installed_database() as database, database.writing() as session:
        use_as_real(session, now=current_time())
        key, _, version = questionnaire_name.partition(":")
        is_version = version.isdecimal() and len(version) <= LONGEST_VERSION
        published = session.scalar(select(Questionnaire).filter_by(key=key, version=int(version) if is_version else -1))
        if published is None:
            raise click.BadParameter(f"{questionnaire_name} is not published", param_hint="--questionnaire")
        rule_file = add_rule_file(session, content=rules_file.read_bytes(), source=str(rules_file), now=current_time())
        created = create_round(
            session,
            name=name,
            english_name=english_name,
            opens_on=opens,
            closes_on=last_day + timedelta(days=1),
            questionnaire=published,
            rule_file=rule_file,
            now=current_time(),
            accepts=[CodeKind(kind) for kind in accepts],
            evaluator=evaluator,
            evaluator_english_name=evaluator_english_name,
            responses_kept_until=keep_until or usual_last_day_of_keeping(last_day),
        )
        click.echo(f"{created.name} takes answers from {created.opens_at} until just before {created.closes_at}")
        click.echo(f"single answers are kept until {created.responses_kept_until} and then erased")


@click.command("examine")
@click.argument("round_name", metavar="ROUND")
def examine(round_name: str) -> None:
    """Examine a round for signs of false responses and hold flagged ones for review; ROUND is the name of the round."""
    from survey_app.responses.integrity_reviews import examine_round  # noqa: PLC0415

    with installed_database() as database:
        with database.writing() as session:
            use_as_real(session, now=current_time())
            survey_round = named(session, Round, round_name, parameter="ROUND")
            round_id, is_settled = survey_round.id, has_settled(survey_round, now=current_time())
        held = examine_round(database, round_id=round_id, now=current_time())
    if is_settled:
        click.echo(f"{held} responses of {round_name} are newly held for review")
    else:
        # How many are held depends on what was answered.
        click.echo(f"{round_name} is examined; what is held is listed once it has closed")


@click.command()
def retention() -> None:
    """Erase data past its retention period: network addresses, texts and photos, answers of past rounds."""
    with installed_database() as database:
        erased = examine_and_erase(database, now=current_time())
    click.echo(
        f"erased {erased.terminals} network addresses, {erased.household_links} links to households, the texts of "
        f"{erased.comments} responses, {erased.photos} photos and all but the counts of {erased.responses} responses"
    )


@click.command()
@click.argument("round_name", metavar="ROUND")
@click.option(
    "--provisional", is_flag=True, help="Only preview the result of a closed round; pages show it as a preview."
)
def evaluate(*, round_name: str, provisional: bool) -> None:
    """Evaluate a round and store the result permanently; ROUND is the name of the round."""
    from survey_app.evaluations.evaluate_round import evaluate_round  # noqa: PLC0415

    with installed_database() as database:
        with database.reading() as session:
            round_id = named(session, Round, round_name, parameter="ROUND").id
        with shown_progress() as show:
            evaluation = evaluate_round(
                database, round_id=round_id, now=current_time(), provisional=provisional, report=show
            )
    click.echo(f"evaluation {evaluation.id} of {round_name}: {evaluation.responses} answers counted")
    click.echo(f"sha256 of the standings {evaluation.standings_sha256}")


@click.command()
@click.argument("evaluation_id", metavar="EVALUATION", type=ID)
def verify(evaluation_id: int) -> None:
    """Compute a stored evaluation again from its inputs and rules, and report whether the result is the same.

    The decision and the counts must be the same to the last digit, the evidence within a millionth. Evidence that was
    weighed by another method than this version's is not compared, and it is said so.
    """
    from survey_app.evaluations.evaluate_round import verify_evaluation  # noqa: PLC0415

    with installed_database() as database, database.reading() as session:
        try:
            found = verify_evaluation(session, evaluation_id)
        except LookupError as error:
            raise click.BadParameter(str(error), param_hint="EVALUATION") from error
    if not found.is_decided_so:
        raise click.ClickException(f"evaluation {evaluation_id} does not follow from its stored inputs and rules")
    if found.differing:
        named = ", ".join(found.differing[:_MOST_NAMED])
        raise click.ClickException(
            f"the decision of evaluation {evaluation_id} follows from its stored inputs and rules; the evidence of "
            f"{len(found.differing)} communities does not: {named}"
        )
    click.echo(f"evaluation {evaluation_id} follows from its stored inputs and rules")
    click.echo(
        f"its evidence was weighed by method {found.evidence_method}, this version weighs by another one: not compared"
        if found.differing is None
        else f"and so does its evidence, by method {found.evidence_method}"
    )
