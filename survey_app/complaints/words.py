"""Words of complaints: what was typed or photographed is erased a year after the case has ended; its course stays."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import String, cast, delete, select, update
from sqlalchemy.orm import Session

from survey_app import audit
from survey_app.complaints.state_machine import ENDED
from survey_app.models import (
    Attachment,
    Complaint,
    ComplaintAppeal,
    ComplaintContact,
    ComplaintEvent,
    ComplaintNote,
    ComplaintRelease,
    ComplaintSupport,
    HotlineCase,
)
from survey_app.models.vocabulary import AuditAction
from survey_app.storage.database import Database
from survey_app.storage.short_transactions import ShortTransactions, read_ids

# As long as a complaint counts in a complaint rate: until then whether it was valid may be disputed.
WORDS_RETENTION: Final = timedelta(days=365)

# Each may have photos, of some hundred kilobytes.
_MOST_CASES: Final = 20


def erase_words(database: Database, *, by: str, now: datetime) -> int:
    """Erase the words of the cases that ended long enough ago, in short transactions, and return of how many.

    What stays is the reference, the community and category, the channel, and which step was taken when: that is
    counted, and says of nobody who filed the case or what they wrote. A second pass finds nothing.
    """
    waiting = select(Complaint.id).where(
        Complaint.status.in_(sorted(ENDED)),
        Complaint.status_since <= now - WORDS_RETENTION,
        Complaint.words_erased_at.is_(None),
    )
    transactions = ShortTransactions(database, most=_MOST_CASES)
    erased = 0
    for part in transactions.parts(read_ids(database, waiting.order_by(Complaint.status_since))):
        with transactions.writing() as session:
            still = session.scalars(waiting.where(Complaint.id.in_(part))).all()
            _erase(session, still, now=now)
            for complaint_id in still:
                subject = f"complaint:{complaint_id}"
                audit.record(session, by=by, action=AuditAction.COMPLAINT_WORDS_ERASED, subject=subject, now=now)
        erased += len(still)
    return erased


def _erase(session: Session, complaint_ids: Sequence[int], *, now: datetime) -> None:
    events = select(ComplaintEvent.id).where(ComplaintEvent.complaint_id.in_(complaint_ids))
    session.execute(delete(ComplaintNote).where(ComplaintNote.event_id.in_(events)))
    session.execute(delete(ComplaintRelease).where(ComplaintRelease.event_id.in_(events)))
    session.execute(delete(ComplaintContact).where(ComplaintContact.complaint_id.in_(complaint_ids)))
    session.execute(delete(Attachment).where(Attachment.complaint_id.in_(complaint_ids)))
    appeals = update(ComplaintAppeal).where(ComplaintAppeal.complaint_id.in_(complaint_ids))
    session.execute(appeals.values(text="", answer=""))
    of_hotline = update(HotlineCase).where(HotlineCase.complaint_id.in_(complaint_ids))
    session.execute(of_hotline.values(telephone_digest=None, call_back="", row_sha256=""))
    # How many neighbours have the same trouble stays; which form or device each of them used does not.
    supports = update(ComplaintSupport).where(ComplaintSupport.complaint_id.in_(complaint_ids))
    session.execute(supports.values(supporter=cast(ComplaintSupport.id, String)))
    session.execute(
        update(Complaint)
        .where(Complaint.id.in_(complaint_ids))
        .values(
            text="",
            place="",
            occurred_on=None,
            secret_hash=None,
            submission_key=None,
            language=None,
            words_erased_at=now,
        )
    )
