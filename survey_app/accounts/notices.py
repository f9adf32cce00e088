"""Notices to the owner of an account: what happened to it since they last confirmed that they read them.

Changes are read from the audit chain, which nobody can take an event out of unnoticed. Refused sign-ins are counted
on the account. Both are shown after a complete sign-in only: a stranger learns nothing from them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from survey_app.audit import account_actor, head
from survey_app.models import Account, AuditEvent
from survey_app.models.vocabulary import SECOND_PERSON_ROLES, AuditAction, Role

# What is told of the account itself.
CREDENTIAL_CHANGES = (
    AuditAction.PASSWORD_SET,
    AuditAction.AUTHENTICATOR_LINKED,
    AuditAction.RECOVERY_CODES_RENEWED,
    AuditAction.ACCOUNT_RESET,
    AuditAction.RESET_REQUESTED,
    AuditAction.RESET_DECLINED,
    AuditAction.ACCOUNT_DISABLED,
    AuditAction.ACCOUNT_ENABLED,
    AuditAction.ACCOUNT_PLACED,
)
# What those who may confirm resets are told of the other accounts that may.
CHANGES_OF_OTHERS = (
    AuditAction.RESET_REQUESTED,
    AuditAction.ACCOUNT_RESET,
    AuditAction.ACCOUNT_DISABLED,
    AuditAction.ACCOUNT_ENABLED,
)
# More than anybody reads; the audit page has all of them.
_MOST_EVENTS = 50
_RECOVERY_CODE_USED = '{"proof":"recovery code"}'


@dataclass(frozen=True)
class Notice:
    """Event that the owner of an account is told of; `account` is another one, if it is about that."""

    action: AuditAction
    happened_at: datetime
    actor: str
    by_username: str | None
    is_own_doing: bool
    account: str | None


@dataclass(frozen=True)
class Notices:
    """What an owner has not read yet: refused sign-ins, and events up to a position of the audit chain."""

    failed_sign_ins: int
    last_failed_sign_in_at: datetime | None
    events: Sequence[Notice]
    read_to: int

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.failed_sign_ins or self.events)


def tell_of_failed_sign_ins(session: Session, *, account: str | int, count: int = 1, now: datetime) -> None:
    """Count refused sign-ins of a user name or id; the same statement runs whether there is such an account or not."""
    column = Account.username if isinstance(account, str) else Account.id
    session.execute(
        update(Account)
        .where(column == account)
        .values(failed_sign_ins=Account.failed_sign_ins + count, last_failed_sign_in_at=now)
        .execution_options(synchronize_session=False)
    )


def unread_notices(session: Session, *, account_id: int) -> Notices:
    """Return what the owner of an account has not read yet, the oldest first."""
    account = session.get_one(Account, account_id)
    deciding = session.scalars(select(Account.id).where(Account.role.in_(SECOND_PERSON_ROLES))).all()
    concerned = _concerns(account, [account_actor(each) for each in deciding])
    found = select(AuditEvent).where(AuditEvent.position > account.notices_read_to, concerned)
    events = session.scalars(found.order_by(AuditEvent.position.desc()).limit(_MOST_EVENTS)).all()
    usernames = _usernames(session, {name for event in events for name in (event.actor, event.subject)})
    own = account_actor(account.id)
    return Notices(
        failed_sign_ins=account.failed_sign_ins,
        last_failed_sign_in_at=account.last_failed_sign_in_at,
        events=[
            Notice(
                action=AuditAction(event.action),
                happened_at=event.happened_at,
                actor=event.actor,
                by_username=usernames.get(event.actor),
                is_own_doing=event.actor == own,
                account=usernames.get(event.subject) if event.subject != own else None,
            )
            for event in reversed(events)
        ],
        read_to=head(session).position,
    )


def mark_notices_read(session: Session, *, account_id: int, read_to: int, failed_sign_ins: int) -> None:
    """Note what the owner has read; what happened after the page was shown is told at the next sign-in."""
    # Locked: a try that is refused meanwhile must not be lost.
    account = session.get_one(Account, account_id, with_for_update={"of": Account}, populate_existing=True)
    account.notices_read_to = max(account.notices_read_to, min(read_to, head(session).position))
    account.failed_sign_ins -= min(max(failed_sign_ins, 0), account.failed_sign_ins)
    session.flush()


def _concerns(account: Account, deciding: Sequence[str]) -> ColumnElement[bool]:
    own = account_actor(account.id)
    conditions = [
        and_(AuditEvent.subject == own, AuditEvent.action.in_(CREDENTIAL_CHANGES)),
        and_(
            AuditEvent.subject == own,
            AuditEvent.action == AuditAction.SIGNED_IN,
            AuditEvent.after == _RECOVERY_CODE_USED,
        ),
    ]
    if Role(account.role) in SECOND_PERSON_ROLES:
        # Whoever may confirm resets must know what happens to the accounts that may, above all of new ones: one person
        # could add a second. Not of what the operator does, who needs nobody to confirm.
        added = [AuditEvent.after.contains(f'"role":{json.dumps(role)}') for role in sorted(SECOND_PERSON_ROLES)]
        by_others = and_(AuditEvent.actor.startswith("account:"), AuditEvent.actor != own, AuditEvent.subject != own)
        conditions.append(and_(AuditEvent.action == AuditAction.ACCOUNT_ADDED, by_others, or_(*added)))
        conditions.append(and_(AuditEvent.action.in_(CHANGES_OF_OTHERS), by_others, AuditEvent.subject.in_(deciding)))
    return or_(*conditions)


def _usernames(session: Session, names: set[str]) -> dict[str, str]:
    """Return the user names of those accounts that the audit chain calls by these names."""
    ids = [int(number) for name in names if (number := name.removeprefix("account:")) != name and number.isdecimal()]
    rows = session.execute(select(Account.id, Account.username).where(Account.id.in_(ids)))
    return {account_actor(account_id): username for account_id, username in rows}
