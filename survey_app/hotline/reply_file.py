"""The file that goes back to the hotline: what was done here of which its last file did not know yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.city_time import city_zone
from survey_app.complaints.state_machine import NOT_VALID
from survey_app.hotline.import_files import saved_headers
from survey_app.hotline.ledger_rows import COLUMNS
from survey_app.models import Complaint, ComplaintEvent, ComplaintNote, HotlineCase
from survey_app.models.vocabulary import CaseAction, CaseStatus

REPLY_FIELDS = ("number", "category", "community", "undertaker", "signed", "limit", "returned", "answer", "ended")
"""Columns of the file, in the hotline's own words; nothing of what the caller said goes back."""


@dataclass
class _Done:
    """What the desk has done of a case, as far as its events are read."""

    signed_at: datetime | None = None
    returned_at: datetime | None = None
    answered_at: datetime | None = None
    answer: str = ""


def reply_headings(session: Session) -> Sequence[str]:
    """Return what stands above the columns: what the hotline's own file writes there."""
    written = saved_headers(session)
    return [written.get(column.field, column.header) for column in COLUMNS if column.field in REPLY_FIELDS]


def reply_rows(session: Session) -> Iterator[Sequence[str]]:
    """Yield a row for each case of which the desk has done something that the hotline's last file did not say."""
    zone = city_zone(session)
    done = _read_done(session)
    statement = (
        select(HotlineCase, Complaint)
        .join(Complaint, Complaint.id == HotlineCase.complaint_id)
        .where(HotlineCase.complaint_id.in_(sorted(done)))
        .order_by(HotlineCase.external_number)
    )
    for kept, complaint in session.execute(statement):
        if row := _row(kept, complaint, done[complaint.id], zone):
            yield row


def _read_done(session: Session) -> Mapping[int, _Done]:
    """Return what was done of the cases that the hotline holds for open, by complaint."""
    rows = session.execute(
        select(ComplaintEvent, ComplaintNote.text)
        .join(HotlineCase, HotlineCase.complaint_id == ComplaintEvent.complaint_id)
        .outerjoin(ComplaintNote, ComplaintNote.event_id == ComplaintEvent.id)
        .where(HotlineCase.ended_at.is_(None), ComplaintEvent.number > 1)
        .order_by(ComplaintEvent.complaint_id, ComplaintEvent.number)
    )
    found: dict[int, _Done] = {}
    for event, text in rows:
        done = found.setdefault(event.complaint_id, _Done())
        if event.action == CaseAction.RESPOND:
            done.answered_at, done.answer = event.at, text or ""
        elif event.action == CaseAction.REFUSE:
            done.returned_at = event.at
        if done.signed_at is None and event.action in {CaseAction.ACCEPT, CaseAction.DISPATCH, CaseAction.RESPOND}:
            done.signed_at = event.at
    return found


def _row(kept: HotlineCase, complaint: Complaint, done: _Done, zone: tzinfo) -> Sequence[str] | None:
    is_signed = kept.signed_at is None and done.signed_at is not None
    is_returned = kept.returned_at is None and complaint.status == CaseStatus.OUT_OF_SCOPE
    is_answered = done.answered_at is not None and (kept.answered_at is None or done.answered_at > kept.answered_at)
    if not (is_signed or is_returned or is_answered):
        return None
    # A case that ended here as invalid or as a duplicate is for the hotline to close.
    has_ended = complaint.status in {CaseStatus.CLOSED, *NOT_VALID} and not is_returned
    values = {
        "number": kept.external_number,
        "category": kept.category_written,
        "community": kept.community_written,
        "undertaker": kept.undertaker,
        "signed": _written(kept.signed_at or done.signed_at, zone),
        "limit": _written(kept.extended_until or kept.limit_at, zone),
        "returned": _written(done.returned_at if is_returned else kept.returned_at, zone),
        "answer": done.answer if is_answered else "",
        "ended": _written(complaint.status_since if has_ended else None, zone),
    }
    return [values[column.field] for column in COLUMNS if column.field in REPLY_FIELDS]


def _written(moment: datetime | None, zone: tzinfo) -> str:
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
