"""Contacts of complainants: kept by separate consent, encrypted, and erased 90 days after the case has ended."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from survey_app import audit
from survey_app.complaints.casework_rules import LONGEST_REOPENING_DAYS
from survey_app.complaints.personal_data.readings import Readings
from survey_app.complaints.personal_data.telephones import telephones
from survey_app.complaints.state_machine import ENDED
from survey_app.models import Complaint, ComplaintContact
from survey_app.models.vocabulary import AuditAction
from survey_app.security.encryption import seal, unseal
from survey_app.storage.database import Database
from survey_app.storage.short_transactions import ShortTransactions, read_ids

LONGEST_CONTACT = 100
# What the privacy notice promises; a casework file lets no case come back later than this.
CONTACT_RETENTION = timedelta(days=LONGEST_REOPENING_DAYS)


def store_contact(session: Session, *, complaint: Complaint, contact: str, secret_key: str, now: datetime) -> None:
    """Encrypt and store how the resident agreed to be reached."""
    sealed = seal(contact, purpose=_purpose(complaint), secret_key=secret_key)
    session.add(ComplaintContact(complaint_id=complaint.id, sealed=sealed, consented_at=now))
    session.flush()


def read_contact(session: Session, *, complaint: Complaint, secret_key: str) -> str | None:
    """Return the contact of the resident, or None where nothing is kept."""
    kept = session.get(ComplaintContact, complaint.id)
    return None if kept is None else unseal(kept.sealed, purpose=_purpose(complaint), secret_key=secret_key)


def cases_with_telephone(session: Session, cases: Select[int], *, secret_key: str) -> frozenset[int]:
    """Return those of the selected cases whose resident can be called: a telephone number is among what was left."""
    kept = select(Complaint, ComplaintContact.sealed).join(
        ComplaintContact, ComplaintContact.complaint_id == Complaint.id
    )
    return frozenset(
        complaint.id
        for complaint, sealed in session.execute(kept.where(Complaint.id.in_(cases)))
        if _holds_telephone(unseal(sealed, purpose=_purpose(complaint), secret_key=secret_key))
    )


def _holds_telephone(contact: str) -> bool:
    # A number of this city without its area code is known by the word before it alone, which no field repeats.
    return any(telephones(Readings(f"电话：{contact}")))


def erase_contacts(database: Database, *, by: str, now: datetime) -> int:
    """Erase the contacts of cases that ended long enough ago, in short transactions, and return how many."""
    over = (
        select(ComplaintContact.complaint_id)
        .join(Complaint, Complaint.id == ComplaintContact.complaint_id)
        .where(Complaint.status.in_(sorted(ENDED)), Complaint.status_since <= now - CONTACT_RETENTION)
    )
    transactions = ShortTransactions(database)
    erased = 0
    for part in transactions.parts(read_ids(database, over)):
        with transactions.writing() as session:
            # Whoever reopened a case meanwhile is to be reached again.
            erased += _erase(session, session.scalars(over.where(Complaint.id.in_(part))).all(), by=by, now=now)
    return erased


def erase_own_contact(session: Session, *, complaint: Complaint, now: datetime) -> None:
    """Erase the contact of a case before its time, when the resident takes the consent back."""
    kept = session.scalars(select(ComplaintContact.complaint_id).filter_by(complaint_id=complaint.id)).all()
    _erase(session, kept, by=audit.RESIDENT, now=now)


def erase_all_contacts(session: Session, *, by: str, now: datetime) -> int:
    """Erase every contact, when the key that opens them is lost, and return how many."""
    return _erase(session, session.scalars(select(ComplaintContact.complaint_id)).all(), by=by, now=now)


def _erase(session: Session, erased: Sequence[int], *, by: str, now: datetime) -> int:
    session.execute(delete(ComplaintContact).where(ComplaintContact.complaint_id.in_(erased)))
    for complaint_id in erased:
        subject = f"complaint:{complaint_id}"
        audit.record(session, by=by, action=AuditAction.CONTACT_ERASED, subject=subject, now=now)
    return len(erased)


def _purpose(complaint: Complaint) -> str:
    # A contact that is moved to another case cannot be decrypted.
    return f"contact of complaint {complaint.reference}"
