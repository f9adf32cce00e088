"""Commands for staff accounts and the audit chain."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from sqlalchemy.orm import Session

from survey_app.accounts.accounts import (
    BoundTo,
    NewPassword,
    SeveralAreas,
    add_account,
    disable_account,
    enable_account,
    find_account,
    normalise_username,
    place_account,
    reset_account,
)
from survey_app.accounts.installation import is_demo, use_as_real
from survey_app.accounts.invitations import invite
from survey_app.audit import OPERATOR, ChainHead, head, verify_chain
from survey_app.clock import current_time
from survey_app.commands.shared import installed_database, named, numbered, place_of, place_options
from survey_app.config import Config
from survey_app.models import Account, PropertyCompany
from survey_app.models.vocabulary import Role

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _bound_to_options(command: _Command) -> _Command:
    """Add the options that say what an account is bound to."""
    company = click.option("--company", "company_name", help="Of a property company: its name, Chinese or English.")
    community = click.option("--community", "community_numbers", multiple=True, help="Of a community: its number.")
    return place_options(company(community(command)))


def _bound_to(
    session: Session, *, company_name: str | None, community_numbers: Sequence[str], **place_names: str | None
) -> BoundTo:
    """Return what the options name; a place and a company, or either beside communities, are too much."""
    place = place_of(session, **place_names)
    company = None if company_name is None else named(session, PropertyCompany, company_name, parameter="--company")
    if place is not None and company is not None:
        raise SeveralAreas
    return BoundTo(place or company, [numbered(session, number) for number in dict.fromkeys(community_numbers)])


def _in_words(bound_to: BoundTo) -> str:
    if bound_to.place is not None:
        return bound_to.place.name
    return f"communities {', '.join(each.number for each in bound_to.communities)}"


@click.group()
def accounts() -> None:
    """Manage staff accounts."""


@accounts.command("add")
@click.argument("username")
@click.option("--role", type=click.Choice([str(role) for role in Role]), required=True)
@_bound_to_options
@click.password_option(help="If left out, the command asks for it, which keeps it out of the shell's history.")
def add(
    *,
    username: str,
    role: str,
    password: str,
    **named_places: Any,
) -> None:
    """Add an account for a member of staff, in a simulated city too.

    The role district is bound to a district, company to a company; a clerk to a district, a subdistrict, a
    neighbourhood, or to communities, --community once for each.
    """
    chosen = NewPassword.of(password)
    with installed_database() as database, database.writing() as session:
        if not is_demo(session):
            use_as_real(session, now=current_time())
        added = add_account(
            session,
            username=username,
            password=chosen,
            role=role,
            bound_to=_bound_to(session, **named_places),
            by=OPERATOR,
            now=current_time(),
        )
        click.echo(f"added {added.username}, role {added.role}")


@accounts.command("place")
@click.argument("username")
@_bound_to_options
def place(username: str, **named_places: Any) -> None:
    """Bind an account to another place, or a clerk to other communities: those named here, and no others."""
    with installed_database() as database, database.writing() as session:
        account = _account(session, username)
        bound_to = _bound_to(session, **named_places)
        place_account(session, account=account, bound_to=bound_to, by=OPERATOR, now=current_time())
    click.echo(f"{username} looks after {_in_words(bound_to)}")


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
