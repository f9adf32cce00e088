"""Complaints: filed once, followed by their reference."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session, joinedload

from analytics.definitions import Wording
from survey_app.categories import Categories, load_categories
from survey_app.codes import ScannedCode, wording_of
from survey_app.config import DATA
from survey_app.errors import InvalidSubmissionKey, OtherAnswersSubmitted, UnknownNumber
from survey_app.local_time import city_zone
from survey_app.models import Complaint
from survey_app.numbers import RECEIPT_DIGITS, new_number
from survey_app.questionnaires import clean_text
from survey_app.submissions import SubmissionKey, insert_once

LONGEST_TEXT = 1000


class Kind(StrEnum):
    """What a resident wants; repair requests and enquiries do not count in the complaint rate."""

    COMPLAINT = "complaint"
    REPAIR = "repair"
    ENQUIRY = "enquiry"


class ComplaintFault(StrEnum):
    """Why a complaint cannot be filed as it was typed."""

    CATEGORY_MISSING = "category_missing"
    CATEGORY_UNKNOWN = "category_unknown"
    KIND_UNKNOWN = "kind_unknown"
    TEXT_MISSING = "text_missing"
    TEXT_TOO_LONG = "text_too_long"


@dataclass(frozen=True)
class CheckedComplaint:
    """What a resident wrote, and what is wrong with it: it is filed only if there are no faults."""

    category: str
    kind: str
    text: str
    faults: tuple[ComplaintFault, ...]


@dataclass(frozen=True)
class PublicCase:
    """What anyone who holds the reference may see: never the text."""

    reference: str
    community: Wording
    category: Wording
    kind: str
    status: str
    submitted_at: datetime


@cache
def categories() -> Categories:
    """Return the categories that this version files complaints under."""
    return load_categories(DATA / "complaint-categories" / "1.yaml")


def check_complaint(*, category: str, kind: str, text: str) -> CheckedComplaint:
    """Return the complaint with its text cleaned, and every fault of it."""
    cleaned = clean_text(text)
    faults = []
    if not category:
        faults.append(ComplaintFault.CATEGORY_MISSING)
    elif category not in categories().by_code:
        faults.append(ComplaintFault.CATEGORY_UNKNOWN)
    if kind not in set(Kind):
        faults.append(ComplaintFault.KIND_UNKNOWN)
    if not cleaned:
        faults.append(ComplaintFault.TEXT_MISSING)
    elif len(cleaned) > LONGEST_TEXT:
        faults.append(ComplaintFault.TEXT_TOO_LONG)
    return CheckedComplaint(category, kind, cleaned, tuple(faults))


def file_complaint(
    session: Session,
    *,
    code: ScannedCode,
    key: SubmissionKey,
    complaint: CheckedComplaint,
    language: str,
    now: datetime,
) -> str:
    """Store the complaint once and return its reference; the same form sent again gets the first reference."""
    if complaint.faults:
        raise ValueError(f"a faulty complaint is not filed: {complaint.faults}")
    if key.code_id != code.id:
        raise InvalidSubmissionKey
    values = {
        "submission_key": key.value,
        "community_id": code.community_id,
        "code_id": code.id,
        "category": complaint.category,
        "kind": complaint.kind,
        "text": complaint.text,
        "language": language,
        "status": "submitted",
        "submitted_at": now,
    }
    while True:
        reference = new_number(RECEIPT_DIGITS)
        if insert_once(session, cast(Table, Complaint.__table__), values | {"reference": reference}):
            return reference
        if earlier := _earlier_reference(session, key, complaint):
            return earlier


def find_case(session: Session, *, reference: str) -> PublicCase:
    """Return what the public may see of the case with this reference."""
    case = session.scalar(
        select(Complaint)
        .where(Complaint.reference == reference)
        .options(joinedload(Complaint.community, innerjoin=True))
    )
    if case is None:
        raise UnknownNumber
    return PublicCase(
        reference=case.reference,
        community=wording_of(case.community.name, case.community.english_name),
        category=categories().by_code[case.category].name,
        kind=case.kind,
        status=case.status,
        submitted_at=case.submitted_at.astimezone(city_zone(session)),
    )


def _earlier_reference(session: Session, key: SubmissionKey, complaint: CheckedComplaint) -> str | None:
    earlier = session.scalar(select(Complaint).where(Complaint.submission_key == key.value))
    if earlier is None:
        return None
    if (earlier.category, earlier.kind, earlier.text) != (complaint.category, complaint.kind, complaint.text):
        raise OtherAnswersSubmitted(earlier.reference)
    return earlier.reference
