"""Releases of a resident's words to the company: what the office looked at, and nothing else."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from analytics.canonical import canonical_json
from survey_app.complaints.cases import PastEvent
from survey_app.complaints.redaction import redact
from survey_app.models import Complaint, ComplaintAssignment, ComplaintEvent, ComplaintRelease
from survey_app.models.vocabulary import CaseAction
from survey_app.storage.insert_once import insert_once


@dataclass(frozen=True)
class Release:
    """Words, place and names of the photos of a case that the company may see."""

    text: str
    place: str
    photos: Sequence[str]


_ADDED_BY_RESIDENT = frozenset({CaseAction.ADD, CaseAction.REJECT, CaseAction.PARTLY, CaseAction.REOPEN})


def suggested_release(complaint: Complaint, history: Sequence[PastEvent], earlier: Release | None) -> Release:
    """Return what is offered for release, without what can be recognised as personal.

    That is what the company was shown before, or else what the resident filed, and what they have added since. A photo
    is never offered: somebody has to look at it.
    """
    base = Release(redact(complaint.text), redact(complaint.place), ()) if earlier is None else earlier
    given = [number for number, past in enumerate(history) if past.event.action is CaseAction.DISPATCH]
    since = history[given[-1] :] if earlier is not None and given else history
    added = [redact(past.text) for past in since if past.event.action in _ADDED_BY_RESIDENT and past.text]
    return Release("\n".join([base.text, *added]), base.place, base.photos)


def release_of_events(session: Session, event_ids: Sequence[int]) -> Release | None:
    """Return the newest release among those of these events, or None where nothing was released with them."""
    statement = (
        select(ComplaintRelease)
        .where(ComplaintRelease.event_id.in_(event_ids))
        .order_by(ComplaintRelease.event_id.desc())
        .limit(1)
    )
    found = session.scalar(statement)
    return None if found is None else Release(found.text, found.place, tuple(json.loads(found.photos)))


def store_release(session: Session, complaint: Complaint, release: Release) -> None:
    """Store what the company may see, once, with the newest event that gave the case to a company."""
    newest = (
        select(ComplaintEvent.id)
        .join(ComplaintAssignment, ComplaintAssignment.event_id == ComplaintEvent.id)
        .where(ComplaintEvent.complaint_id == complaint.id, ComplaintAssignment.company_id.is_not(None))
        .order_by(ComplaintEvent.number.desc())
        .limit(1)
    )
    values = {
        "event_id": session.scalars(newest).one(),
        "text": release.text,
        "place": release.place,
        "photos": canonical_json(sorted(release.photos)),
    }
    insert_once(session, cast(Table, ComplaintRelease.__table__), values)
