"""What the complaint rate counts, and of each case that it leaves out by a decision: who, when and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CTE, ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from analytics.languages import Wording
from survey_app.accounts.scope import Scope
from survey_app.city_time import city_zone
from survey_app.complaints.categories import categories, category_of
from survey_app.complaints.counted_cases import is_about_the_company, is_valid_complaint
from survey_app.complaints.state_machine import ENDING_ACTIONS, NOT_VALID
from survey_app.models import (
    Account,
    Community,
    Complaint,
    ComplaintAppeal,
    ComplaintEvent,
    HotlineCase,
    HotlineChange,
    HotlineImport,
    HotlineMatch,
)
from survey_app.models.vocabulary import AppealDecision, CaseEndReason, CaseKind, MatchStatus


class Exclusion(StrEnum):
    """By what a case is left out of the complaint rate."""

    # Of the hotline's cases: what its own 类型 says.
    KIND = "kind"
    CATEGORY = "category"
    ENDED = "ended"
    SAME_CASE = "same_case"
    APPEAL = "appeal"


@dataclass(frozen=True)
class Excluded:
    """A case that the rate leaves out, in the city's time, with its number at the hotline if it came from there.

    `reason` is that of the step that ended it, or of the appeal.
    """

    reference: str
    external_number: str | None
    community: Wording
    category: Wording
    exclusion: Exclusion
    reason: CaseEndReason | None
    account: str
    at: datetime


@dataclass(frozen=True)
class _Decision:
    """Who left a case out, when and why."""

    exclusion: Exclusion
    reason: CaseEndReason | None
    account: str
    at: datetime


def count_counted(session: Session, scope: Scope, *, since: datetime) -> int:
    """Return how many cases that were filed since then count in the complaint rate."""
    counted = scope.communities(select(Complaint).join(Community, Community.id == Complaint.community_id))
    counted = counted.where(is_valid_complaint(categories()), Complaint.submitted_at >= since)
    return session.scalar(counted.with_only_columns(func.count(Complaint.id))) or 0


def list_excluded(session: Session, scope: Scope, *, since: datetime) -> Sequence[Excluded]:
    """Return the cases filed since then that somebody left out of the rate, the last decision first.

    What a resident calls an enquiry or a repair is no complaint and was never left out; what the hotline calls one is,
    since the file's words decide.
    """
    zone = city_zone(session)
    statement = scope.communities(
        select(Complaint, Community, HotlineCase.external_number)
        .join(Community, Community.id == Complaint.community_id)
        .outerjoin(HotlineCase, HotlineCase.complaint_id == Complaint.id)
        .where(Complaint.submitted_at >= since, _is_left_out())
    )
    rows = session.execute(statement).all()
    # Not by their numbers: they may be more than a statement takes.
    left_out = statement.with_only_columns(Complaint.id, Complaint.kind, Complaint.status).cte("left_out")
    decided = _decisions(session, left_out)
    found = [
        Excluded(
            reference=complaint.reference,
            external_number=number,
            community=Wording.of(community.name, community.english_name),
            category=category_of(complaint.category).name,
            exclusion=decided[complaint.id].exclusion,
            reason=decided[complaint.id].reason,
            account=decided[complaint.id].account,
            at=decided[complaint.id].at.astimezone(zone),
        )
        for complaint, community, number in rows
    ]
    return sorted(found, key=lambda each: (each.at, each.reference), reverse=True)


def _is_left_out() -> ColumnElement[bool]:
    is_of_hotline = HotlineCase.complaint_id.is_not(None)
    is_asked = or_(is_about_the_company(categories()), is_of_hotline)
    return and_(is_asked, not_(is_valid_complaint(categories())))


def _decisions(session: Session, left_out: CTE) -> Mapping[int, _Decision]:
    """Return of each case the decision that leaves it out: of several the one that no other can take back."""
    found = dict(_by_words_of_the_hotline(session, left_out))
    found |= dict(_by_appeal(session, left_out))
    found |= dict(_by_match(session, left_out))
    found |= dict(_by_end(session, left_out))
    return found


def _by_words_of_the_hotline(session: Session, left_out: CTE) -> Iterator[tuple[int, _Decision]]:
    brought = (
        select(HotlineChange.complaint_id, func.min(HotlineChange.import_id).label("import_id"))
        .group_by(HotlineChange.complaint_id)
        .subquery()
    )
    statement = (
        select(brought.c.complaint_id, left_out.c.kind, Account.username, HotlineImport.imported_at)
        .join(left_out, left_out.c.id == brought.c.complaint_id)
        .join(HotlineImport, HotlineImport.id == brought.c.import_id)
        .join(Account, Account.id == HotlineImport.account_id)
    )
    for complaint_id, kind, username, imported_at in session.execute(statement):
        exclusion = Exclusion.CATEGORY if kind == CaseKind.COMPLAINT else Exclusion.KIND
        yield complaint_id, _Decision(exclusion, None, username, imported_at)


def _by_end(session: Session, left_out: CTE) -> Iterator[tuple[int, _Decision]]:
    """Yield by whom, when and why each of these cases was ended last."""
    statement = (
        select(ComplaintEvent, Account.username)
        .join(left_out, left_out.c.id == ComplaintEvent.complaint_id)
        .outerjoin(Account, Account.id == ComplaintEvent.account_id)
        .where(
            left_out.c.status.in_(sorted(NOT_VALID)),
            ComplaintEvent.action.in_(sorted(ENDING_ACTIONS)),
        )
        .order_by(ComplaintEvent.complaint_id, ComplaintEvent.number)
    )
    for event, username in session.execute(statement):
        reason = None if event.reason is None else CaseEndReason(event.reason)
        yield event.complaint_id, _Decision(Exclusion.ENDED, reason, username or "", event.at)


def _by_match(session: Session, left_out: CTE) -> Iterator[tuple[int, _Decision]]:
    statement = (
        select(HotlineMatch, Account.username)
        .join(left_out, left_out.c.id == HotlineMatch.other_id)
        .join(Account, Account.id == HotlineMatch.account_id)
        .where(HotlineMatch.status == MatchStatus.CONFIRMED)
    )
    for match, username in session.execute(statement):
        at = match.decided_at or match.suggested_at
        yield match.other_id, _Decision(Exclusion.SAME_CASE, CaseEndReason.SAME_CASE, username, at)


def _by_appeal(session: Session, left_out: CTE) -> Iterator[tuple[int, _Decision]]:
    statement = (
        select(ComplaintAppeal, Account.username)
        .join(left_out, left_out.c.id == ComplaintAppeal.complaint_id)
        .join(Account, Account.id == ComplaintAppeal.decided_by_id)
        .where(ComplaintAppeal.decision == AppealDecision.UPHELD)
    )
    for appeal, username in session.execute(statement):
        at = appeal.decided_at or appeal.filed_at
        yield appeal.complaint_id, _Decision(Exclusion.APPEAL, CaseEndReason(appeal.reason), username, at)
