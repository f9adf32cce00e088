"""Inbox of an office: the cases of its communities, by what has to be done next, filtered and sorted."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, not_, or_, select, true
from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.casework.remaining_time import OfficeTime, RemainingTime, remaining_time
from survey_app.complaints.cases import cases_in
from survey_app.complaints.categories import category_of, recorded_categories
from survey_app.complaints.state_machine import DEADLINE_STATUSES, ENDED, OPEN
from survey_app.models import Account, Community, Complaint, ComplaintSupport, District, PropertyCompany
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
        CaseStatus.STAGE2: Queue.STAGE2,
        **dict.fromkeys(ENDED, Queue.ENDED),
    }
)
_is_proposed = Complaint.proposal.is_not(None)
# Whose company looks after the community no longer.
_is_left = and_(
    Complaint.stage == 1,
    Complaint.status.in_([CaseStatus.DISPATCHED, CaseStatus.IN_PROGRESS]),
    Complaint.company_id.is_not(None),
    exists().where(Community.id == Complaint.community_id, Community.company_id.is_distinct_from(Complaint.company_id)),
)
# The first that holds: what somebody proposes is decided first, then what is in stage 2 and owed.
_queue = case(
    (_is_proposed, Queue.PROPOSED.value),
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


def count_queues(session: Session, scope: Scope, wanted: CaseFilter, at: OfficeTime) -> Mapping[Queue, int]:
    """Return how many cases that are asked for are in each queue, whichever queue is looked at."""
    matching = _matching(scope, replace(wanted, queue=None), at)
    # In the order of an index: the condition of each queue, asked of each case, takes three times as long.
    counting = matching.with_only_columns(
        Complaint.status,
        Complaint.stage,
        func.count().label("cases"),
        func.count(Complaint.proposal).label("proposed"),
    ).group_by(Complaint.status, Complaint.stage)
    left = matching.where(not_(_is_proposed), _is_left).with_only_columns(Complaint.status, func.count())
    found: Counter[Queue] = Counter()
    for row in session.execute(counting):
        status = CaseStatus(row.status)
        is_in_stage_two = row.stage > 1 and status in DEADLINE_STATUSES
        found[Queue.PROPOSED] += row.proposed
        found[Queue.STAGE2 if is_in_stage_two else _OF_STATUS[status]] += row.cases - row.proposed
    for status_left, cases in session.execute(left.group_by(Complaint.status)):
        found[Queue.TO_DISPATCH] += cases
        found[_OF_STATUS[CaseStatus(status_left)]] -= cases
    return {queue: found[queue] for queue in Queue}


def count_due(session: Session, scope: Scope, at: OfficeTime) -> DueCases:
    """Return how many cases are due today and overdue."""
    tonight = datetime.combine(at.day + timedelta(days=1), time(), at.zone).astimezone(UTC)
    counting = cases_in(scope).with_only_columns(func.count())
    # Apart, as an index gives them: a sum over a condition would ask it of each case.
    today = counting.where(Complaint.deadline_at > at.now, Complaint.deadline_at <= tonight).scalar_subquery()
    overdue = counting.where(Complaint.deadline_at <= at.now).scalar_subquery()
    counted = session.execute(select(today.label("today"), overdue.label("overdue"))).one()
    return DueCases(counted.today, counted.overdue)


def count_unaccepted_safety(session: Session, scope: Scope) -> int:
    """Return how many matters of safety nobody has accepted yet."""
    statement = cases_in(scope).where(Complaint.status == CaseStatus.SUBMITTED, _is_safety())
    return session.scalar(statement.with_only_columns(func.count())) or 0


def list_cases(
    session: Session, scope: Scope, wanted: CaseFilter, at: OfficeTime, *, limit: int | None, offset: int = 0
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
    matching = _matching(scope, wanted, at).with_only_columns(Complaint.id)
    listed = matching.order_by(*order).limit(limit).offset(offset).subquery()
    statement = (
        select(*_LISTED, supporters.label("supporters"))
        .join(listed, listed.c.id == Complaint.id)
        .join(Community, Community.id == Complaint.community_id)
        .join(District, District.id == Community.district_id)
        .outerjoin(PropertyCompany, PropertyCompany.id == Complaint.company_id)
        .outerjoin(Account, Account.id == Complaint.handler_id)
        .order_by(*order)
    )
    return [_listed(row, at) for row in session.execute(statement)]


# Of each case what a line shows, without the words.
_LISTED = (
    *(Complaint.reference, Complaint.category, Complaint.kind, Complaint.channel, Complaint.status, Complaint.stage),
    *(Complaint.submitted_at, Complaint.deadline_at, Complaint.is_supervised, Complaint.proposal),
    *(Community.name.label("community"), Community.english_name.label("english_community")),
    *(District.name.label("district"), District.english_name.label("english_district")),
    *(PropertyCompany.name.label("company"), PropertyCompany.english_name.label("english_company")),
    Account.username.label("handler"),
)

_ORDERS: Mapping[Order, Sequence[Any]] = MappingProxyType(
    {
        # Those to which nothing is owed come last.
        Order.DEADLINE: (Complaint.deadline_at.is_(None), Complaint.deadline_at, Complaint.id.desc()),
        Order.NEWEST: (Complaint.submitted_at.desc(), Complaint.id.desc()),
        Order.OLDEST: (Complaint.submitted_at, Complaint.id),
    }
)


def _matching(scope: Scope, wanted: CaseFilter, at: OfficeTime) -> Select[Complaint]:
    return cases_in(scope).where(true(), *_conditions(wanted, at))


def _conditions(wanted: CaseFilter, at: OfficeTime) -> Iterator[ColumnElement[bool]]:
    """Yield what narrows the cases to those that are asked for."""
    for column, value in (
        (_queue, wanted.queue),
        (Complaint.company_id, wanted.company),
        (Complaint.channel, wanted.channel),
        (Complaint.office, wanted.office),
        (Complaint.handler_id, wanted.handler_id),
    ):
        if value:
            yield column == value
    if wanted.community:
        yield Complaint.community_id.in_(select(Community.id).where(is_called(wanted.community)))
    if wanted.category:
        # A group's code begins those of its categories.
        yield Complaint.category.startswith(wanted.category, autoescape=True)
    if wanted.is_overdue:
        yield Complaint.deadline_at <= at.now
    if wanted.words:
        yield _says(wanted.words)
    if wanted.first_day is not None:
        yield Complaint.submitted_at >= datetime.combine(wanted.first_day, time(), at.zone)
    if wanted.last_day is not None:
        yield Complaint.submitted_at < datetime.combine(wanted.last_day + timedelta(days=1), time(), at.zone)


def _says(words: str) -> ColumnElement[bool]:
    """Return the condition that a case says these words, or has this reference number."""
    fields = (Complaint.text, Complaint.place)
    is_called_so = Complaint.reference == "".join(sign for sign in words if sign.isdecimal())
    return or_(*(field.contains(words, autoescape=True) for field in fields), is_called_so)


def _is_safety() -> ColumnElement[bool]:
    return Complaint.category.in_(sorted(code for code, found in recorded_categories().items() if found.safety))


def _listed(row: Any, at: OfficeTime) -> ListedCase:
    category, deadline = category_of(row.category), row.deadline_at
    submitted_at = row.submitted_at.astimezone(at.zone)
    return ListedCase(
        reference=row.reference,
        community=Wording.of(row.community, row.english_community),
        district=Wording.of(row.district, row.english_district),
        category=category.name,
        kind=row.kind,
        channel=row.channel,
        status=CaseStatus(row.status),
        stage=row.stage,
        submitted_at=submitted_at,
        age_days=(at.day - submitted_at.date()).days,
        deadline=None if deadline is None else deadline.astimezone(at.zone),
        remaining=None if deadline is None else remaining_time(deadline, at, is_safety=category.safety),
        supporters=row.supporters,
        is_safety=category.safety,
        is_supervised=row.is_supervised,
        is_proposed=row.proposal is not None,
        company=None if row.company is None else Wording.of(row.company, row.english_company),
        handler=row.handler,
    )
