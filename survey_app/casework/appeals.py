"""Appeals: a company says why a case must not count in the complaint rate, and somebody else decides.

What is decided changes nothing in how the case is dealt with: the rate alone leaves out a case whose appeal is upheld.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from survey_app import audit
from survey_app.accounts.scope import Scope
from survey_app.casework.stage_two import is_somebody_else
from survey_app.city_time import city_zone
from survey_app.complaints.cases import read_history
from survey_app.complaints.counted_cases import counts_in_rate
from survey_app.errors import JiayuanError, UnknownNumber
from survey_app.models import Community, Complaint, ComplaintAppeal
from survey_app.models.vocabulary import AppealDecision, AuditAction, CaseEndReason, Role


class AppealRefused(JiayuanError):
    """The case does not count, or an appeal against it was filed or decided before."""

    status = 409

    def __init__(self, reference: str) -> None:
        super().__init__(f"no appeal of case {reference} can be filed or decided now")
        self.reference = reference


@dataclass(frozen=True)
class WaitingAppeal:
    """An appeal that waits, with the local time of its filing; `is_barred` where the account took part in the case."""

    appeal: ComplaintAppeal
    filed_at: datetime
    is_barred: bool


def find_appeal(session: Session, complaint_id: int) -> ComplaintAppeal | None:
    """Return the appeal against counting a case."""
    return session.scalar(select(ComplaintAppeal).filter_by(complaint_id=complaint_id))


def file_appeal(
    session: Session,
    complaint: Complaint,
    *,
    company_id: int,
    account_id: int,
    reason: CaseEndReason,
    text: str,
    now: datetime,
) -> None:
    """Store the appeal of a company, or raise `AppealRefused`; the same form sent again changes nothing."""
    session.refresh(complaint, with_for_update=True)
    earlier = find_appeal(session, complaint.id)
    if earlier is not None and (earlier.company_id, earlier.reason, earlier.text) == (company_id, reason, text):
        return
    if earlier is not None or not counts_in_rate(session, complaint):
        raise AppealRefused(complaint.reference)
    session.add(
        ComplaintAppeal(
            complaint_id=complaint.id,
            company_id=company_id,
            account_id=account_id,
            reason=reason,
            text=text,
            filed_at=now,
        )
    )
    session.flush()
    by = audit.account_actor(account_id)
    subject = f"complaint:{complaint.id}"
    audit.record(session, by=by, action=AuditAction.APPEAL_FILED, subject=subject, after={"because": reason}, now=now)


def list_waiting(session: Session, scope: Scope, *, account_id: int, role: Role, limit: int) -> Sequence[WaitingAppeal]:
    """Return the appeals that wait for a decision in scope, the oldest first."""
    statement = _waiting(scope).options(joinedload(ComplaintAppeal.complaint).joinedload(Complaint.community))
    appeals = session.scalars(statement.order_by(ComplaintAppeal.filed_at, ComplaintAppeal.id).limit(limit)).all()
    zone = city_zone(session)
    return [
        WaitingAppeal(
            appeal,
            appeal.filed_at.astimezone(zone),
            not _may_decide(session, appeal.complaint, account_id=account_id, role=role),
        )
        for appeal in appeals
    ]


def count_waiting(session: Session, scope: Scope) -> int:
    """Return how many appeals wait for a decision in scope."""
    waiting = _waiting(scope).with_only_columns(func.count(ComplaintAppeal.id))
    return session.scalar(waiting) or 0


def find_waiting(session: Session, appeal_id: int, scope: Scope) -> ComplaintAppeal:
    """Return an appeal in scope that waits for a decision, or raise `UnknownNumber`."""
    appeal = session.scalar(_waiting(scope).where(ComplaintAppeal.id == appeal_id))
    if appeal is None:
        raise UnknownNumber
    return appeal


def decide_appeal(
    session: Session,
    appeal_id: int,
    *,
    scope: Scope,
    decision: AppealDecision,
    answer: str,
    account_id: int,
    role: Role,
    now: datetime,
) -> ComplaintAppeal:
    """Decide an appeal in scope; `UnknownNumber` where none waits, `AppealRefused` for who took part in the case."""
    appeal = find_waiting(session, appeal_id, scope)
    session.refresh(appeal, with_for_update=True)
    if appeal.decision is not None:
        raise UnknownNumber
    if not _may_decide(session, appeal.complaint, account_id=account_id, role=role):
        raise AppealRefused(appeal.complaint.reference)
    appeal.decision, appeal.answer = decision, answer
    appeal.decided_by_id, appeal.decided_at = account_id, now
    session.flush()
    audit.record(
        session,
        by=audit.account_actor(account_id),
        action=AuditAction.APPEAL_DECIDED,
        subject=f"complaint:{appeal.complaint_id}",
        after={"status": decision},
        now=now,
    )
    return appeal


def _waiting(scope: Scope) -> Select[ComplaintAppeal]:
    statement = (
        select(ComplaintAppeal)
        .join(Complaint, Complaint.id == ComplaintAppeal.complaint_id)
        .join(Community, Community.id == Complaint.community_id)
        .where(ComplaintAppeal.decision.is_(None))
    )
    return scope.communities(statement)


def _may_decide(session: Session, complaint: Complaint, *, account_id: int, role: Role) -> bool:
    took_part = {past.account_id for past in read_history(session, complaint) if past.account_id is not None}
    return is_somebody_else(session, complaint, took_part, account_id=account_id, role=role)
