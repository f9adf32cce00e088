"""Commands for complaint cases and the files that state their times, where no page is at hand."""

from pathlib import Path

import click

from survey_app.accounts.installation import use_as_real
from survey_app.audit import OPERATOR
from survey_app.clock import current_time
from survey_app.commands.shared import FILE, installed_database
from survey_app.complaints.case_secrets import reissue_secret
from survey_app.complaints.cases import inconsistent_references, take_step
from survey_app.complaints.casework_files import publish_casework_file, published_casework_files
from survey_app.complaints.casework_rules import load_casework_rules
from survey_app.complaints.state_machine import STAFF_STEPS
from survey_app.config import Config
from survey_app.models.vocabulary import CaseAction, CaseActor, CaseEndReason
from survey_app.operations.scheduled_jobs import settle_complaints
from survey_app.security.check_digits import grouped

STAFF = [CaseActor.BUREAU.value, CaseActor.COMPANY.value]


@click.group()
def complaints() -> None:
    """Move complaint cases, apply due steps, and check stored statuses."""


@complaints.command("move")
@click.argument("reference")
@click.argument("step", type=click.Choice([step.value for step in STAFF_STEPS]))
@click.option("--as", "actor", type=click.Choice(STAFF), default=CaseActor.BUREAU.value, show_default=True)
@click.option("--text", default="", help="What to tell the resident.")
@click.option(
    "--reason", type=click.Choice([reason.value for reason in CaseEndReason]), help="Why a case ends without work."
)
@click.option("--original", metavar="REFERENCE", help="For merge: the case that this one repeats.")
def move(*, reference: str, step: str, actor: str, text: str, reason: str | None, original: str | None) -> None:
    """Take one step of a case, such as accept, dispatch, start or respond, if the rules allow it."""
    with installed_database() as database, database.writing() as session:
        after = take_step(
            session,
            reference=reference,
            action=CaseAction(step),
            actor=CaseActor(actor),
            by=OPERATOR,
            reason=CaseEndReason(reason) if reason else None,
            original=original,
            text=text,
            now=current_time(),
        )
    click.echo(f"{reference} is now {after.status}, stage {after.stage}")


@complaints.command("settle")
def settle() -> None:
    """Apply the steps that are due: close cases, end pauses, escalate late cases, erase contacts, photos and words."""
    with installed_database() as database:
        settled = settle_complaints(database, now=current_time())
    click.echo(
        f"settled {settled.cases} due cases, erased {settled.contacts} contacts, {settled.photos} unsent photos "
        f"and the words of {settled.words} cases"
    )


@complaints.command("check")
def check_complaints() -> None:
    """Report every case whose stored status differs from the status that its events give."""
    with installed_database() as database, database.reading() as session:
        disagreeing = list(inconsistent_references(session))
    if disagreeing:
        raise click.ClickException("\n".join(["the events of these cases amount to something else", *disagreeing]))
    click.echo("every status follows from the events of its case")


@complaints.command("reissue-secret")
@click.argument("reference")
def reissue(reference: str) -> None:
    """Give a case a new secret for a resident who lost it and whose identity was checked; the old one stops working."""
    config = Config.from_env()
    with installed_database(config) as database, database.writing() as session:
        secret = reissue_secret(
            session, reference=reference, by=OPERATOR, secret_key=config.secret_key, now=current_time()
        )
    click.echo(grouped(secret))


@click.group()
def casework() -> None:
    """Check, publish and list casework files, which state the times by which cases are handled."""


@casework.command("check")
@click.argument("file", type=FILE)
def check_casework(file: Path) -> None:
    """Report every fault of a casework file."""
    rules = load_casework_rules(file)
    click.echo(f"in force from {rules.in_force_from}: no faults, sha256 {rules.sha256}")


@casework.command("publish")
@click.argument("file", type=FILE)
def publish_casework(file: Path) -> None:
    """Publish a casework file, which new cases follow from its day on; it cannot be changed afterwards."""
    with installed_database() as database, database.writing() as session:
        use_as_real(session, now=current_time())
        published = publish_casework_file(session, content=file.read_bytes(), source=str(file), now=current_time())
        click.echo(f"published, in force from {published.in_force_from}, sha256 {published.sha256}")


@casework.command("list")
def list_casework() -> None:
    """List the published casework files, the one that is in force last first."""
    with installed_database() as database, database.reading() as session:
        for published in published_casework_files(session):
            click.echo(f"{published.in_force_from}  published {published.published_at.date()}  {published.sha256}")
