"""What the complaint rate counts of the hotline's cases, and of each that it leaves out: who, when and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from analytics.languages import Wording
from survey_app.city_time import city_zone
from survey_app.complaints.categories import category_of
from survey_app.complaints.state_machine import NOT_VALID
from survey_app.models import (
    Account,
    Community,
    Complaint,
    ComplaintEvent,
    HotlineCase,
    HotlineChange,
    HotlineImport,
    HotlineMatch,
)
from survey_app.models.vocabulary import CaseEndReason, CaseKind, MatchStatus


class Exclusion(StrEnum):
    """Why a case does not count in the complaint rate."""

    KIND = "kind"
    CATEGORY = "category"
    ENDED = "ended"
    SAME_CASE = "same_case"


@dataclass(frozen=True)
class Excluded:
    """A case that the rate leaves out, in the city's time; `reason` is that of the step that ended it."""

    reference: str
    external_number: str
    community: Wording
    category: Wording
    exclusion: Exclusion
    reason: CaseEndReason | None
    account: str
    at: datetime


def count_in_rate(session: Session) -> tuple[int, int]:
    """Return how many cases of the hotline count in the complaint rate, and how many do not."""
    cases = session.execute(_cases().with_only_columns(Complaint.kind, Complaint.category, Complaint.status)).all()
    excluded = sum(_exclusion(*row) is not None for row in cases)
    return len(cases) - excluded, excluded


def list_excluded(session: Session) -> Sequence[Excluded]:
    """Return the cases of the hotline that the rate leaves out, and those of ours that it counts with one of them."""
    zone = city_zone(session)
    brought = (
        select(HotlineChange.complaint_id, func.min(HotlineChange.import_id).label("import_id"))
        .group_by(HotlineChange.complaint_id)
        .subquery()
    )
    statement = (
        _cases()
        .add_columns(HotlineCase.external_number, Community, Account.username, HotlineImport.imported_at)
        .join(Community, Community.id == Complaint.community_id)
        .join(brought, brought.c.complaint_id == Complaint.id)
        .join(HotlineImport, HotlineImport.id == brought.c.import_id)
        .join(Account, Account.id == HotlineImport.account_id)
        .order_by(Complaint.submitted_at.desc(), Complaint.id.desc())
    )
    rows = [
        (row, exclusion)
        for row in session.execute(statement)
        if (exclusion := _exclusion(row[0].kind, row[0].category, row[0].status)) is not None
    ]
    ends = _ends(session, [row[0].id for row, exclusion in rows if exclusion is Exclusion.ENDED])
    found = []
    for (complaint, number, community, username, imported_at), exclusion in rows:
        reason, account, at = ends.get(complaint.id, (None, username, imported_at))
        found.append(
            Excluded(
                reference=complaint.reference,
                external_number=number,
                community=Wording.of(community.name, community.english_name),
                category=category_of(complaint.category).name,
                exclusion=exclusion,
                reason=reason,
                account=account,
                at=at.astimezone(zone),
            )
        )
    return [*found, *_linked(session)]


def _cases() -> Select[Complaint]:
    return select(Complaint).join(HotlineCase, HotlineCase.complaint_id == Complaint.id)


def _exclusion(kind: str, category: str, status: str) -> Exclusion | None:
    if kind != CaseKind.COMPLAINT:
        return Exclusion.KIND
    if not category_of(category).attributable:
        return Exclusion.CATEGORY
    return Exclusion.ENDED if status in NOT_VALID else None


def _ends(session: Session, complaint_ids: Iterable[int]) -> dict[int, tuple[CaseEndReason | None, str, datetime]]:
    """Return of each case by whom, when and why it was ended last."""
    statement = (
        select(ComplaintEvent, Account.username)
        .join(Account, Account.id == ComplaintEvent.account_id)
        .join(Complaint, Complaint.id == ComplaintEvent.complaint_id)
        .where(
            Complaint.id.in_(complaint_ids),
            ComplaintEvent.reason.is_not(None),
            ComplaintEvent.action.in_(("merge", "invalidate", "refuse")),
        )
        .order_by(ComplaintEvent.complaint_id, ComplaintEvent.number)
    )
    return {
        event.complaint_id: (None if event.reason is None else CaseEndReason(event.reason), username, event.at)
        for event, username in session.execute(statement)
    }


def _linked(session: Session) -> list[Excluded]:
    """Return our cases that a person found to be one of the hotline's: the rate counts the two once."""
    zone, ours = city_zone(session), aliased(Complaint)
    rows = session.execute(
        select(HotlineMatch, ours, Community, Account.username, HotlineCase.external_number)
        .join(ours, ours.id == HotlineMatch.other_id)
        .join(Community, Community.id == ours.community_id)
        .join(Account, Account.id == HotlineMatch.account_id)
        .join(HotlineCase, HotlineCase.complaint_id == HotlineMatch.complaint_id)
        .where(HotlineMatch.status == MatchStatus.CONFIRMED)
        .order_by(HotlineMatch.decided_at.desc(), HotlineMatch.id)
    )
    return [
        Excluded(
            reference=complaint.reference,
            external_number=number,
            community=Wording.of(community.name, community.english_name),
            category=category_of(complaint.category).name,
            exclusion=Exclusion.SAME_CASE,
            reason=CaseEndReason.SAME_CASE,
            account=username,
            at=(match.decided_at or match.suggested_at).astimezone(zone),
        )
        for match, complaint, community, username, number in rows
    ]
