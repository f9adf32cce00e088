"""Commands for staff accounts and the audit chain."""

import click
from sqlalchemy.orm import Session

from survey_app.accounts.accounts import (
    add_account,
    disable_account,
    enable_account,
    find_account,
    normalise_username,
    reset_account,
)
from survey_app.accounts.installation import is_demo, use_as_real
from survey_app.accounts.invitations import invite
from survey_app.audit import OPERATOR, ChainHead, head, verify_chain
from survey_app.clock import current_time
from survey_app.commands.shared import installed_database, named, numbered
from survey_app.config import Config
from survey_app.models import Account, District, PropertyCompany
from survey_app.models.vocabulary import Role


@click.group()
def accounts() -> None:
    """Manage staff accounts."""


@accounts.command("add")
@click.argument("username")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@click.option("--district", "district_name", help="For the roles district and clerk: its name, Chinese or English.")
@click.option("--company", "company_name", help="For the role company: its name, Chinese or English.")
@click.option("--community", "community_number", help="For a clerk of one community: its number.")
@click.password_option(help="If left out, the command asks for it, which keeps it out of the shell's history.")
def add(
    *,
    username: str,
    role: str,
    district_name: str | None,
    company_name: str | None,
    community_number: str | None,
    password: str,
) -> None:
    """Add an account for a member of staff, in a simulated city too."""
    with installed_database() as database, database.writing() as session:
        if not is_demo(session):
            use_as_real(session, now=current_time())
        district = named(session, District, district_name, parameter="--district") if district_name else None
        company = named(session, PropertyCompany, company_name, parameter="--company") if company_name else None
        community = numbered(session, community_number) if community_number else None
        added = add_account(
            session,
            username=username,
            password=password,
            role=role,
            district=district,
            company=company,
            community=community,
            by=OPERATOR,
            now=current_time(),
        )
        click.echo(f"added {added.username}, role {added.role}")


@accounts.command("reset")
@click.argument("username")
def reset(username: str) -> None:
    """Remove password and authenticator of an account, such as that of the only administrator, and print a link for new
    ones.
    """
    config = Config.from_env()
    with installed_database(config) as database, database.writing() as session:
        account = _account(session, username)
        reset_account(session, account=account, by=OPERATOR, now=current_time())
        token = invite(account, secret_key=config.secret_key, now=current_time())
    click.echo(f"{config.public_url}/invitation/{token}")


@accounts.command("disable")
@click.argument("username")
def disable(username: str) -> None:
    """Disable sign-in with an account, such as one that a thief holds; what it did stays on record."""
    with installed_database() as database, database.writing() as session:
        disable_account(session, account=_account(session, username), by=OPERATOR, now=current_time())
    click.echo(f"disabled {username}")


@accounts.command("enable")
@click.argument("username")
def enable(username: str) -> None:
    """Enable sign-in with an account again."""
    with installed_database() as database, database.writing() as session:
        enable_account(session, account=_account(session, username), by=OPERATOR, now=current_time())
    click.echo(f"enabled {username}")


def _account(session: Session, username: str) -> Account:
    account = find_account(session, username=normalise_username(username))
    if account is None:
        raise click.BadParameter(f"there is no account {username}", param_hint="USERNAME")
    return account


@click.group()
def audit() -> None:
    """Check that the audit chain, the record of what was done, is complete and unchanged."""


@audit.command("head")
def audit_head() -> None:
    """Print the last link of the audit chain, to be kept on another machine."""
    with installed_database() as database, database.reading() as session:
        click.echo(str(head(session)))


@audit.command("verify")
@click.option("--head", "kept", metavar="POSITION:HASH", help="What `jiayuan audit head` printed earlier.")
def audit_verify(kept: str | None) -> None:
    """Report whether an event was changed, removed or moved; with --head also whether the end was cut off."""
    try:
        expected = ChainHead.parse(kept) if kept else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--head") from error
    with installed_database() as database, database.reading() as session:
        faults = [f"event {position}: {fault}" for position, fault in verify_chain(session, kept=expected)]
        found = head(session)
    if faults:
        raise click.ClickException("\n".join(["the audit chain is not whole", *faults]))
    click.echo(f"the audit chain is whole up to event {found.position}")
