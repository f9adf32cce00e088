"""Filing a complaint: what was typed is checked, and stored once as a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from survey_app.attachments.attachments import attach_to_complaint
from survey_app.codes.codes import ScannedCode, is_reference
from survey_app.complaints.alerts import enqueue_alert
from survey_app.complaints.case_secrets import hash_secret, secret_of
from survey_app.complaints.cases import open_case
from survey_app.complaints.casework_files import casework_file_at
from survey_app.complaints.casework_rules import casework_rules_of
from survey_app.complaints.categories import categories
from survey_app.complaints.contacts import LONGEST_CONTACT, read_contact, store_contact
from survey_app.errors import InvalidSubmissionKey, OtherAnswersSubmitted
from survey_app.models import CaseworkFile, Complaint
from survey_app.models.vocabulary import CaseKind, CaseStatus, Channel
from survey_app.security.check_digits import RECEIPT_DIGITS, new_number
from survey_app.security.submission_keys import SubmissionKey
from survey_app.security.text import clean_text
from survey_app.storage.insert_once import insert_once
from survey_app.web.typed_dates import read_date

LONGEST_TEXT = 1000
LONGEST_PLACE = 60


class ComplaintFault(StrEnum):
    """Fault of a complaint form: why it cannot be filed; each begins with the name of its field."""

    CATEGORY_MISSING = "category_missing"
    CATEGORY_UNKNOWN = "category_unknown"
    KIND_UNKNOWN = "kind_unknown"
    TEXT_MISSING = "text_missing"
    TEXT_TOO_LONG = "text_too_long"
    PLACE_TOO_LONG = "place_too_long"
    OCCURRED_UNREADABLE = "occurred_unreadable"
    OCCURRED_IN_FUTURE = "occurred_in_future"
    CONTACT_TOO_LONG = "contact_too_long"
    CONTACT_WITHOUT_CONSENT = "contact_without_consent"


@dataclass(frozen=True)
class CheckedComplaint:
    """Checked complaint form and its faults: it is filed only if there are none.

    `occurred` is the date as it was typed, to be shown again; a `contact` is kept only if the resident consents.
    """

    category: str
    kind: str
    text: str
    place: str = ""
    occurred: str = ""
    occurred_on: date | None = None
    contact: str = ""
    consents: bool = False
    faults: tuple[ComplaintFault, ...] = ()


@dataclass(frozen=True)
class Filed:
    """Reference and secret of a case that was filed; without the secret when the office has replaced it since.

    `silence_days` is how long an answer will wait for the resident's word; `is_new` is false where the same form had
    filed it before.
    """

    reference: str
    secret: str | None
    silence_days: int
    is_new: bool


def check_complaint(given: Mapping[str, str], *, today: date) -> CheckedComplaint:
    """Check a complaint form; return it with its text cleaned, and every fault of it. `today` is local."""
    category, kind = given.get("category", ""), given.get("kind", "")
    text, place = clean_text(given.get("text", "")), clean_text(given.get("place", ""))
    occurred = given.get("occurred", "").strip()
    occurred_on = read_date(occurred)
    contact, consents = clean_text(given.get("contact", "")), bool(given.get("consent"))
    checks = {
        ComplaintFault.CATEGORY_MISSING: not category,
        ComplaintFault.CATEGORY_UNKNOWN: bool(category) and category not in categories().by_code,
        ComplaintFault.TEXT_MISSING: not text,
        ComplaintFault.TEXT_TOO_LONG: len(text) > LONGEST_TEXT,
        ComplaintFault.PLACE_TOO_LONG: len(place) > LONGEST_PLACE,
        ComplaintFault.OCCURRED_UNREADABLE: bool(occurred) and occurred_on is None,
        ComplaintFault.OCCURRED_IN_FUTURE: occurred_on is not None and occurred_on > today,
        ComplaintFault.CONTACT_TOO_LONG: len(contact) > LONGEST_CONTACT,
        ComplaintFault.CONTACT_WITHOUT_CONSENT: bool(contact) and not consents,
        ComplaintFault.KIND_UNKNOWN: kind not in set(CaseKind),
    }
    faults = tuple(fault for fault, is_wrong in checks.items() if is_wrong)
    return CheckedComplaint(category, kind, text, place, occurred, occurred_on, contact, consents, faults)


def file_complaint(
    session: Session,
    *,
    code: ScannedCode,
    key: SubmissionKey,
    complaint: CheckedComplaint,
    channel: Channel,
    language: str,
    secret_key: str,
    now: datetime,
) -> Filed:
    """Store a complaint that came through a code, once: the same form sent again gets the first reference."""
    if key.code_id != code.id:
        raise InvalidSubmissionKey
    return record_complaint(
        session,
        community_id=code.community_id,
        code_id=None if is_reference(code.token) or channel is not Channel.CODE else code.id,
        key=key,
        complaint=complaint,
        channel=channel,
        language=language,
        secret_key=secret_key,
        now=now,
    )


def record_complaint(
    session: Session,
    *,
    community_id: int,
    code_id: int | None,
    key: SubmissionKey,
    complaint: CheckedComplaint,
    channel: Channel,
    language: str,
    secret_key: str,
    now: datetime,
) -> Filed:
    """Store a complaint once as a submitted case; the same form sent again gets the first reference and secret."""
    if complaint.faults:
        raise ValueError(f"a faulty complaint is not filed: {complaint.faults}")
    secret = secret_of(key, secret_key=secret_key)
    in_force = casework_file_at(session, now)
    while True:
        reference = new_number(RECEIPT_DIGITS)
        stored_hash = hash_secret(secret, reference=reference, secret_key=secret_key)
        values = _content(complaint) | {
            "submission_key": key.value,
            "reference": reference,
            "secret_hash": stored_hash,
            "community_id": community_id,
            "code_id": code_id,
            "channel": channel,
            "language": language,
            "status": CaseStatus.SUBMITTED,
            "status_since": now,
            "submitted_at": now,
            "casework_file_id": in_force.id,
        }
        if insert_once(session, cast(Table, Complaint.__table__), values):
            _complete_case(session, reference, key, complaint, secret_key=secret_key, now=now)
            return Filed(reference, secret, _silence_days(in_force), is_new=True)
        if earlier := _earlier_case(session, key, complaint, secret_key=secret_key):
            is_current = earlier.secret_hash == hash_secret(secret, reference=earlier.reference, secret_key=secret_key)
            kept = secret if is_current else None
            return Filed(earlier.reference, kept, _silence_days(earlier.casework_file), is_new=False)


def _silence_days(followed: CaseworkFile) -> int:
    return casework_rules_of(followed.text).silence.days


def _content(complaint: CheckedComplaint) -> dict[str, object]:
    return {
        "category": complaint.category,
        "kind": complaint.kind,
        "text": complaint.text,
        "place": complaint.place,
        "occurred_on": complaint.occurred_on,
    }


def _complete_case(
    session: Session,
    reference: str,
    key: SubmissionKey,
    complaint: CheckedComplaint,
    *,
    secret_key: str,
    now: datetime,
) -> None:
    filed = session.scalars(select(Complaint).filter_by(reference=reference)).one()
    open_case(session, complaint=filed, now=now)
    enqueue_alert(session, filed, now=now)
    attach_to_complaint(session, key=key, complaint_id=filed.id)
    if complaint.contact:
        store_contact(session, complaint=filed, contact=complaint.contact, secret_key=secret_key, now=now)


def _earlier_case(
    session: Session, key: SubmissionKey, complaint: CheckedComplaint, *, secret_key: str
) -> Complaint | None:
    earlier = session.scalar(select(Complaint).filter_by(submission_key=key.value))
    if earlier is None:
        return None
    is_other = any(getattr(earlier, name) != value for name, value in _content(complaint).items())
    if is_other or (read_contact(session, complaint=earlier, secret_key=secret_key) or "") != complaint.contact:
        raise OtherAnswersSubmitted(earlier.reference)
    return earlier
