"""Photos that offices and companies send with a step: of a repair before and after, or of what an inspection found."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from flask import Request
from sqlalchemy.orm import Session

from survey_app.attachments.attachments import keep_for_step, scan_uploads
from survey_app.attachments.kinds import REPLY_PHOTO
from survey_app.attachments.scanning import AttachmentFault, ScannedFile, Upload
from survey_app.attachments.uploads import uploads_in
from survey_app.models import Complaint
from survey_app.models.vocabulary import CaseAction

STEPS_WITH_PHOTOS: Final = frozenset({CaseAction.RESPOND, CaseAction.NOTE})
"""Steps that photos come with: those of an answer reach the resident, those of a note stay with the offices."""

MOST_PHOTOS: Final = REPLY_PHOTO.most_per_form


def photos_in(request: Request) -> Sequence[Upload]:
    """Return the photos of a form; ask before its fields are looked at."""
    return uploads_in(request, kind=REPLY_PHOTO)


def scan_photos(
    uploads: Sequence[Upload], action: CaseAction
) -> tuple[Mapping[str, ScannedFile], Sequence[AttachmentFault]]:
    """Return the photos that came with a step, or why they are not taken: all of them, or none."""
    if action not in STEPS_WITH_PHOTOS:
        return {}, []
    files, faults = scan_uploads(uploads, kind=REPLY_PHOTO)
    if not faults and len(files) > MOST_PHOTOS:
        faults = [AttachmentFault.TOO_MANY]
    return ({}, faults) if faults else (files, [])


def keep_photos(
    session: Session, complaint: Complaint, files: Mapping[str, ScannedFile], *, step_key: str, now: datetime
) -> None:
    """Keep the photos of a step that was taken."""
    keep_for_step(
        session,
        kind=REPLY_PHOTO,
        step_key=step_key,
        complaint_id=complaint.id,
        community_id=complaint.community_id,
        files=files,
        now=now,
    )
