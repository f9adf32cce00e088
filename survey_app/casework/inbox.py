"""Inbox of an office: the cases of its communities, by what has to be done next, filtered and sorted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, true
from sqlalchemy.orm import Session, joinedload

from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.casework.remaining_time import OfficeTime, RemainingTime, remaining_time
from survey_app.city_time import city_zone
from survey_app.complaints.calendars import calendar
from survey_app.complaints.cases import cases_in
from survey_app.complaints.categories import category_of, recorded_categories
from survey_app.complaints.state_machine import DEADLINE_STATUSES, ENDED, OPEN
from survey_app.models import Account, Community, Complaint, ComplaintSupport, PropertyCompany
from survey_app.models.vocabulary import CaseOffice, CaseStatus, Channel
from survey_app.register.names import is_called


class Queue(StrEnum):
    """What has to be done next with a case; each case is in exactly one."""

    TO_ACCEPT = "to_accept"
    TO_DISPATCH = "to_dispatch"
    PROPOSED = "proposed"
    REOPENED = "reopened"
    STAGE2 = "stage2"
    DISPATCHED = "dispatched"
    IN_WORK = "in_work"
    WAITING = "waiting"
    ANSWERED = "answered"
    ENDED = "ended"


class Order(StrEnum):
    """By what cases are sorted."""

    DEADLINE = "deadline"
    NEWEST = "newest"
    OLDEST = "oldest"


_OF_STATUS: Mapping[CaseStatus, Queue] = MappingProxyType(
    {
        CaseStatus.SUBMITTED: Queue.TO_ACCEPT,
        CaseStatus.ACCEPTED: Queue.TO_DISPATCH,
        CaseStatus.REOPENED: Queue.REOPENED,
        CaseStatus.DISPATCHED: Queue.DISPATCHED,
        CaseStatus.IN_PROGRESS: Queue.IN_WORK,
        CaseStatus.AWAITING_RESIDENT: Queue.WAITING,
        CaseStatus.RESPONDED: Queue.ANSWERED,
        **dict.fromkeys(ENDED, Queue.ENDED),
    }
)
# Whose company looks after the community no longer.
_is_left = and_(
    Complaint.stage == 1,
    Complaint.status.in_([CaseStatus.DISPATCHED, CaseStatus.IN_PROGRESS]),
    Complaint.company_id.is_not(None),
    exists().where(Community.id == Complaint.community_id, Community.company_id.is_distinct_from(Complaint.company_id)),
)
# The first that holds: what somebody proposes is decided first, then what is in stage 2 and owed.
_queue = case(
    (Complaint.proposal.is_not(None), Queue.PROPOSED.value),
    (and_(Complaint.stage > 1, Complaint.status.in_(sorted(DEADLINE_STATUSES))), Queue.STAGE2.value),
    (_is_left, Queue.TO_DISPATCH.value),
    *((Complaint.status == status, queue.value) for status, queue in _OF_STATUS.items()),
)


@dataclass(frozen=True)
class CaseFilter:
    """Which cases are asked for; what is empty asks for nothing."""

    queue: Queue | None = None
    community: str = ""
    company: int | None = None
    category: str = ""
    channel: Channel | None = None
    office: CaseOffice | None = None
    handler_id: int | None = None
    is_overdue: bool = False
    first_day: date | None = None
    last_day: date | None = None
    words: str = ""
    order: Order = Order.DEADLINE


@dataclass(frozen=True)
class ListedCase:
    """A case in the inbox."""

    reference: str
    community: Wording
    district: Wording
    category: Wording
    kind: str
    channel: str
    status: CaseStatus
    stage: int
    submitted_at: datetime
    age_days: int
    deadline: datetime | None
    remaining: RemainingTime | None
    supporters: int
    is_safety: bool
    is_supervised: bool
    is_proposed: bool
    company: Wording | None
    handler: str | None


@dataclass(frozen=True)
class DueCases:
    """How many cases of an account are owed an answer by tonight, and how many were owed one before."""

    today: int
    overdue: int


def count_queues(session: Session, scope: Scope, wanted: CaseFilter, *, now: datetime) -> Mapping[Queue, int]:
    """Return how many cases that are asked for are in each queue, whichever queue is looked at."""
    matching = _matching(session, scope, replace(wanted, queue=None), now=now)
    counting = matching.with_only_columns(_queue, func.count()).group_by(_queue)
    found = {Queue(name): count for name, count in session.execute(counting)}
    return {queue: found.get(queue, 0) for queue in Queue}


def count_due(session: Session, scope: Scope, *, now: datetime) -> DueCases:
    """Return how many cases are due today and overdue."""
    zone = city_zone(session)
    tonight = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone).astimezone(UTC)
    is_overdue = Complaint.deadline_at <= now
    statement = cases_in(scope).where(Complaint.deadline_at.is_not(None), Complaint.deadline_at <= tonight)
    counting = statement.with_only_columns(func.count(), func.coalesce(func.sum(case((is_overdue, 1), else_=0)), 0))
    due, overdue = session.execute(counting).one()
    return DueCases(due - overdue, overdue)


def count_unaccepted_safety(session: Session, scope: Scope) -> int:
    """Return how many matters of safety nobody has accepted yet."""
    statement = cases_in(scope).where(Complaint.status == CaseStatus.SUBMITTED, _is_safety())
    return session.scalar(statement.with_only_columns(func.count())) or 0


def list_cases(
    session: Session, scope: Scope, wanted: CaseFilter, *, limit: int | None, offset: int = 0, now: datetime
) -> Sequence[ListedCase]:
    """Return the cases that are asked for: open matters of safety first, then in the order that is asked for."""
    supporters = (
        select(func.count())
        .select_from(ComplaintSupport)
        .where(ComplaintSupport.complaint_id == Complaint.id)
        .scalar_subquery()
    )
    order = (case((and_(_is_safety(), Complaint.status.in_(sorted(OPEN))), 0), else_=1), *_ORDERS[wanted.order])
    # By their numbers first, which an index gives without the words of each.
    matching = _matching(session, scope, wanted, now=now).with_only_columns(Complaint.id)
    listed = matching.order_by(*order).limit(limit).offset(offset).subquery()
    statement = (
        select(Complaint)
        .join(listed, listed.c.id == Complaint.id)
        .outerjoin(PropertyCompany, PropertyCompany.id == Complaint.company_id)
        .outerjoin(Account, Account.id == Complaint.handler_id)
        .add_columns(PropertyCompany.name, PropertyCompany.english_name, Account.username, supporters)
        .options(joinedload(Complaint.community, innerjoin=True).joinedload(Community.district, innerjoin=True))
        .order_by(*order)
    )
    at = OfficeTime(calendar(session), city_zone(session), now)
    return [_listed(*row, at=at) for row in session.execute(statement)]


_ORDERS: Mapping[Order, Sequence[Any]] = MappingProxyType(
    {
        # Those to which nothing is owed come last.
        Order.DEADLINE: (Complaint.deadline_at.is_(None), Complaint.deadline_at, Complaint.id.desc()),
        Order.NEWEST: (Complaint.submitted_at.desc(), Complaint.id.desc()),
        Order.OLDEST: (Complaint.submitted_at, Complaint.id),
    }
)


def _matching(session: Session, scope: Scope, wanted: CaseFilter, *, now: datetime) -> Select[Complaint]:
    # Each with what it narrows to, where it asks for something.
    asked: list[tuple[Any, ColumnElement[bool]]] = [
        (wanted.queue, _queue == wanted.queue),
        (wanted.community, Complaint.community_id.in_(select(Community.id).where(is_called(wanted.community)))),
        (wanted.company, Complaint.company_id == wanted.company),
        # A group's code begins those of its categories.
        (wanted.category, Complaint.category.startswith(wanted.category, autoescape=True)),
        (wanted.channel, Complaint.channel == wanted.channel),
        (wanted.office, Complaint.office == wanted.office),
        (wanted.handler_id, Complaint.handler_id == wanted.handler_id),
        (wanted.is_overdue, Complaint.deadline_at <= now),
        (
            wanted.words,
            or_(
                Complaint.text.contains(wanted.words, autoescape=True),
                Complaint.place.contains(wanted.words, autoescape=True),
                Complaint.reference == "".join(sign for sign in wanted.words if sign.isdecimal()),
            ),
        ),
    ]
    if wanted.first_day is not None or wanted.last_day is not None:
        asked += _days_asked(wanted, city_zone(session))
    return cases_in(scope).where(true(), *(condition for value, condition in asked if value))


def _days_asked(wanted: CaseFilter, zone: tzinfo) -> Iterator[tuple[Any, ColumnElement[bool]]]:
    if wanted.first_day is not None:
        yield True, Complaint.submitted_at >= datetime.combine(wanted.first_day, time(), zone)
    if wanted.last_day is not None:
        yield True, Complaint.submitted_at < datetime.combine(wanted.last_day + timedelta(days=1), time(), zone)


def _is_safety() -> ColumnElement[bool]:
    return Complaint.category.in_(sorted(code for code, found in recorded_categories().items() if found.safety))


def _listed(
    complaint: Complaint,
    company: str | None,
    english_company: str | None,
    handler: str | None,
    supporters: int,
    *,
    at: OfficeTime,
) -> ListedCase:
    category, community = category_of(complaint.category), complaint.community
    deadline = complaint.deadline_at
    return ListedCase(
        reference=complaint.reference,
        community=Wording.of(community.name, community.english_name),
        district=Wording.of(community.district.name, community.district.english_name),
        category=category.name,
        kind=complaint.kind,
        channel=complaint.channel,
        status=CaseStatus(complaint.status),
        stage=complaint.stage,
        submitted_at=complaint.submitted_at.astimezone(at.zone),
        age_days=(at.day - complaint.submitted_at.astimezone(at.zone).date()).days,
        deadline=None if deadline is None else deadline.astimezone(at.zone),
        remaining=None if deadline is None else remaining_time(deadline, at, is_safety=category.safety),
        supporters=supporters,
        is_safety=category.safety,
        is_supervised=complaint.is_supervised,
        is_proposed=complaint.proposal is not None,
        company=None if company is None else Wording.of(company, english_company),
        handler=handler,
    )
