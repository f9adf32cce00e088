"""Accounts of the demonstration, offered on the sign-in page to whoever sits at the machine that serves it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.models import Account

DEMO_ACCOUNTS: Final = "jiayuan-demo-accounts"
"""Extension of an application that serves the demonstration on loopback: its accounts by their names."""


@dataclass(frozen=True)
class DemoAccount:
    """Credentials of a demonstration account: a password, and the address by which an authenticator is linked."""

    password: str
    authenticator: str


class Offer(NamedTuple):
    """An account that is offered, with its role and password."""

    username: str
    role: str
    password: str


def offers_of(session: Session, accounts: Mapping[str, DemoAccount]) -> list[Offer]:
    """Return the offers of those accounts that are in force."""
    in_force = select(Account.username, Account.role).where(
        Account.username.in_(accounts), Account.disabled_at.is_(None)
    )
    roles = dict(session.execute(in_force).all())
    return [Offer(name, roles[name], account.password) for name, account in accounts.items() if name in roles]
