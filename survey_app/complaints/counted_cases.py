"""Counted cases: which complaints the complaint rate counts, and which a decision leaves out."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import Session, aliased

from survey_app.complaints.categories import Category, categories
from survey_app.complaints.state_machine import NOT_VALID
from survey_app.models import Complaint, ComplaintAppeal, HotlineMatch
from survey_app.models.vocabulary import AppealDecision, CaseKind, MatchStatus


def is_about_the_company(of: Iterable[Category]) -> ColumnElement[bool]:
    """Return the condition of a complaint in a category that the property company answers for."""
    attributable = [category.code for category in of if category.attributable]
    return and_(Complaint.kind == CaseKind.COMPLAINT, Complaint.category.in_(attributable))


def is_valid_complaint(of: Iterable[Category]) -> ColumnElement[bool]:
    """Return the condition under which a case counts in the complaint rate."""
    is_valid = Complaint.status.not_in(sorted(NOT_VALID))
    left_out = (Complaint.id.not_in(_counted_with_the_hotline()), Complaint.id.not_in(_left_out_on_appeal()))
    return and_(is_about_the_company(of), is_valid, *left_out)


def counts_in_rate(session: Session, complaint: Complaint) -> bool:
    """Return whether a case counts in the complaint rate as it stands now."""
    counted = select(Complaint.id).where(Complaint.id == complaint.id, is_valid_complaint(categories()))
    return session.scalar(counted) is not None


def _counted_with_the_hotline() -> Select[int]:
    """Return a select of the cases that a person found to be one of the hotline's, which counts for both."""
    of_hotline = aliased(Complaint)
    return (
        select(HotlineMatch.other_id)
        .join(of_hotline, of_hotline.id == HotlineMatch.complaint_id)
        .where(
            HotlineMatch.status == MatchStatus.CONFIRMED,
            HotlineMatch.is_merged.is_(False),
            of_hotline.kind == CaseKind.COMPLAINT,
            of_hotline.status.not_in(sorted(NOT_VALID)),
        )
    )


def _left_out_on_appeal() -> Select[int]:
    return select(ComplaintAppeal.complaint_id).where(ComplaintAppeal.decision == AppealDecision.UPHELD)
