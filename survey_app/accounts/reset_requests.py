"""Requests to reset an account of the city or an administrator: one person asks, a second one confirms or declines.

A reset gives whoever holds its link the account. For these accounts no single person may bring that about from a
browser; on the server itself the operator can (`jiayuan accounts reset`). `second_persons` says who counts as a
person; each of the two must, since whoever has added an account may sign in with it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from survey_app.accounts.accounts import reset_account
from survey_app.accounts.credentials import credentials_of, has_credentials, lock_account
from survey_app.accounts.second_persons import (
    TIME_IN_FORCE,
    NotLongInForce,
    has_long_been_in_force,
    lock_deciding_person,
    second_persons,
)
from survey_app.audit import account_actor, record
from survey_app.errors import JiayuanError
from survey_app.models import Account, ResetRequest
from survey_app.models.vocabulary import AuditAction

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
    days = TIME_IN_FORCE.days

    def __init__(self, username: str) -> None:
        super().__init__(f"nobody else can confirm a reset of {username}")
        self.username = username


class ResetRequestGone(JiayuanError):
    """The request was decided, is too old, or one of its two accounts was changed since."""

    status = 410
    page = "staff/reset_request_gone.html"


def request_reset(session: Session, *, account: Account, by_id: int, credentials: str, now: datetime) -> None:
    """Ask for a reset of an account; an earlier request that still waits stands, and is not asked for again."""
    _lock(session, account.id, by_id)
    asked_by = lock_deciding_person(session, account_id=by_id, credentials=credentials, now=now)
    if not second_persons(session, beside={account.id, by_id}, at=now):
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
            requester_credentials=credentials_of(asked_by),
        )
    )
    session.flush()
    _record(session, AuditAction.RESET_REQUESTED, account.id, by_id, now)


def open_reset_requests(session: Session, *, now: datetime) -> Sequence[ResetRequest]:
    """Return the requests that wait for a second person, the oldest first."""
    both = (joinedload(ResetRequest.account), joinedload(ResetRequest.requested_by))
    waiting = select(ResetRequest).options(*both).order_by(ResetRequest.requested_at, ResetRequest.account_id)
    return [request for request in session.scalars(waiting) if _is_open(request, now)]


def may_confirm(account: Account, request: ResetRequest) -> bool:
    """Return whether an account is a second person for a request.

    It must have been one as of the request: whoever makes it cannot wait for an account of their own until it counts.
    """
    is_another = account.id not in {request.requested_by_id, request.account_id}
    return is_another and has_long_been_in_force(account, at=request.requested_at)


def reset_to_confirm(session: Session, *, account_id: int, by: Account, now: datetime) -> ResetRequest:
    """Return the request that this account may confirm, or raise why it may not."""
    request = _open_request(session, account_id, now)
    if request is None:
        raise ResetRequestGone
    if by.id in {request.requested_by_id, request.account_id}:
        raise SecondPersonNeeded
    if not may_confirm(by, request):
        raise NotLongInForce
    return request


def confirm_reset(session: Session, *, account_id: int, by_id: int, credentials: str, now: datetime) -> Account:
    """Reset the account as the second person and return it, so that an invitation can be shown to this person.

    `credentials` are those with which the person has just proved who they are.
    """
    _lock(session, account_id, by_id)
    confirmed_by = lock_account(session, by_id, credentials=credentials)
    request = reset_to_confirm(session, account_id=account_id, by=confirmed_by, now=now)
    account, requested_by = request.account, account_actor(request.requested_by_id)
    session.delete(request)
    reset_account(session, account=account, by=account_actor(by_id), requested_by=requested_by, now=now)
    return account


def decline_reset(session: Session, *, account_id: int, by_id: int, now: datetime) -> None:
    """Decline a request; who made it may take it back in the same way."""
    _lock(session, account_id)
    request = _open_request(session, account_id, now)
    if request is None:
        raise ResetRequestGone
    session.delete(request)
    session.flush()
    _record(session, AuditAction.RESET_DECLINED, account_id, by_id, now)


def _lock(session: Session, *account_ids: int) -> None:
    # The accounts first, as a reset does: two requests or decisions that meet run in turn. In one order, since two
    # persons may confirm each other's.
    for account_id in sorted(account_ids):
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


def _record(session: Session, action: AuditAction, account_id: int, by_id: int, now: datetime) -> None:
    record(session, by=account_actor(by_id), action=action, subject=account_actor(account_id), now=now)
