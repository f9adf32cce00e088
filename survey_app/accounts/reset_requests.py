"""Requests to reset an account of the city or an administrator: one person asks, a second one confirms or declines.

A reset gives whoever holds its link the account. For these accounts no single person may bring that about from a
browser; on the server itself the operator can (`jiayuan accounts reset`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from survey_app.accounts.accounts import reset_account
from survey_app.accounts.credentials import credentials_of, has_credentials
from survey_app.audit import account_actor, record
from survey_app.errors import JiayuanError
from survey_app.models import Account, ResetRequest
from survey_app.models.vocabulary import SECOND_PERSON_ROLES, AuditAction, Role

# Asked on a Friday, confirmed on a Monday.
RESET_REQUEST_LIFETIME = timedelta(days=3)


class SecondPersonNeeded(JiayuanError):
    """A second person must confirm: neither who asked for the reset nor the owner of the account."""

    status = 409
    page = "staff/second_person_needed.html"


class NoSecondPerson(JiayuanError):
    """There is nobody else who could confirm a reset of this account."""

    status = 409
    page = "staff/no_second_person.html"

    def __init__(self, username: str) -> None:
        super().__init__(f"nobody else can confirm a reset of {username}")
        self.username = username


class ResetRequestGone(JiayuanError):
    """The request was decided, is too old, or one of its two accounts was changed since."""

    status = 410
    page = "staff/reset_request_gone.html"


def needs_second_person(account: Account) -> bool:
    """Return whether a reset of this account has to be confirmed by a second person."""
    return Role(account.role) in SECOND_PERSON_ROLES


def request_reset(session: Session, *, account: Account, by_id: int, now: datetime) -> None:
    """Ask for a reset of an account; an earlier request that still waits stands, and is not asked for again."""
    _lock(session, account.id)
    if not _second_persons(session, account, by_id):
        raise NoSecondPerson(account.username)
    if _open_request(session, account.id, now) is not None:
        return
    session.execute(delete(ResetRequest).filter_by(account_id=account.id))
    session.add(
        ResetRequest(
            account_id=account.id,
            requested_by_id=by_id,
            requested_at=now,
            expires_at=now + RESET_REQUEST_LIFETIME,
            account_credentials=credentials_of(account),
            requester_credentials=credentials_of(session.get_one(Account, by_id)),
        )
    )
    session.flush()
    _record(session, AuditAction.RESET_REQUESTED, account.id, by_id, now)


def open_reset_requests(session: Session, *, now: datetime) -> Sequence[ResetRequest]:
    """Return the requests that wait for a second person, the oldest first."""
    both = (joinedload(ResetRequest.account), joinedload(ResetRequest.requested_by))
    waiting = select(ResetRequest).options(*both).order_by(ResetRequest.requested_at, ResetRequest.account_id)
    return [request for request in session.scalars(waiting) if _is_open(request, now)]


def confirm_reset(session: Session, *, account_id: int, by_id: int, now: datetime) -> Account:
    """Reset the account as the second person and return it, so that an invitation can be shown to this person."""
    request = _for_decision(session, account_id, now)
    if by_id in {request.requested_by_id, request.account_id}:
        raise SecondPersonNeeded
    account, requested_by = request.account, account_actor(request.requested_by_id)
    session.delete(request)
    reset_account(session, account=account, by=account_actor(by_id), requested_by=requested_by, now=now)
    return account


def decline_reset(session: Session, *, account_id: int, by_id: int, now: datetime) -> None:
    """Decline a request; who made it may take it back in the same way."""
    session.delete(_for_decision(session, account_id, now))
    session.flush()
    _record(session, AuditAction.RESET_DECLINED, account_id, by_id, now)


def _for_decision(session: Session, account_id: int, now: datetime) -> ResetRequest:
    _lock(session, account_id)
    request = _open_request(session, account_id, now)
    if request is None:
        raise ResetRequestGone
    return request


def _lock(session: Session, account_id: int) -> None:
    # The account first, as a reset does: two requests or decisions that meet run in turn.
    session.get(Account, account_id, with_for_update={"of": Account}, populate_existing=True)


def _open_request(session: Session, account_id: int, now: datetime) -> ResetRequest | None:
    request = session.get(ResetRequest, account_id, populate_existing=True)
    return request if request is not None and _is_open(request, now) else None


def _is_open(request: ResetRequest, now: datetime) -> bool:
    asked_by = request.requested_by
    return (
        now < request.expires_at
        and asked_by.disabled_at is None
        and has_credentials(asked_by, request.requester_credentials)
        and has_credentials(request.account, request.account_credentials)
    )


def _second_persons(session: Session, account: Account, by_id: int) -> Sequence[int]:
    """Return who could confirm: enabled accounts of these roles that have an authenticator, other than the two."""
    return session.scalars(
        select(Account.id).where(
            Account.role.in_(SECOND_PERSON_ROLES),
            Account.disabled_at.is_(None),
            Account.totp_secret.is_not(None),
            Account.id.not_in([account.id, by_id]),
        )
    ).all()


def _record(session: Session, action: AuditAction, account_id: int, by_id: int, now: datetime) -> None:
    record(session, by=account_actor(by_id), action=action, subject=account_actor(account_id), now=now)
