"""Files that offices and companies send with a step: photos of a repair or an inspection, documents of the office."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from flask import Request
from sqlalchemy.orm import Session

from survey_app.attachments.attachments import keep_for_step, scan_uploads
from survey_app.attachments.kinds import DOCUMENT, REPLY_PHOTO, AttachmentKind
from survey_app.attachments.scanning import PDF, AttachmentFault, ScannedFile, Upload
from survey_app.attachments.uploads import uploads_in
from survey_app.models import Complaint
from survey_app.models.vocabulary import CaseAction

KINDS_OF_STEP: Final[Mapping[CaseAction, frozenset[AttachmentKind]]] = MappingProxyType(
    {
        CaseAction.RESPOND: frozenset({REPLY_PHOTO}),
        CaseAction.NOTE: frozenset({REPLY_PHOTO, DOCUMENT}),
    }
)
"""What may come with a step: the photos of an answer reach the resident; what comes with a note stays with the offices.

A document is in nobody's hands but an office's: what it says of people cannot be looked for.
"""

MOST_FILES: Final = REPLY_PHOTO.most_per_form

StepFiles = Sequence[tuple[AttachmentKind, Mapping[str, ScannedFile]]]


def files_in(request: Request) -> Sequence[Upload]:
    """Return the files of a form; ask before its fields are looked at."""
    return uploads_in(request, kind=REPLY_PHOTO)


def scan_files(uploads: Sequence[Upload], action: CaseAction) -> tuple[StepFiles, Sequence[AttachmentFault]]:
    """Return the files that came with a step, or why they are not taken: all of them, or none."""
    kinds = KINDS_OF_STEP.get(action, frozenset())
    if not kinds:
        return [], []
    if len(uploads) > MOST_FILES:
        # Those beyond were not even read.
        return [], [AttachmentFault.TOO_MANY]
    documents = [each for each in uploads if DOCUMENT in kinds and PDF.beginning.match(each.content)]
    photos = [each for each in uploads if each not in documents]
    scanned = [(kind, *scan_uploads(each, kind=kind)) for kind, each in ((REPLY_PHOTO, photos), (DOCUMENT, documents))]
    faults = [fault for _kind, _files, found in scanned for fault in found]
    return ([], faults) if faults else ([(kind, files) for kind, files, _found in scanned], [])


def keep_files(session: Session, complaint: Complaint, files: StepFiles, *, step_key: str, now: datetime) -> None:
    """Keep the files of a step that was taken."""
    for kind, of_kind in files:
        keep_for_step(
            session,
            kind=kind,
            step_key=step_key,
            complaint_id=complaint.id,
            community_id=complaint.community_id,
            files=of_kind,
            now=now,
        )
