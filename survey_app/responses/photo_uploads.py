"""Photo uploads that come with the answers of a form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from flask import request

from survey_app.accounts.request_sources import network_digests_of_request
from survey_app.attachments.attachments import (
    KeptAttachment,
    attachments_of_form,
    change_attachments,
    scan_uploads,
)
from survey_app.attachments.kinds import PHOTO
from survey_app.attachments.scanning import AttachmentFault, Upload
from survey_app.responses.submission import Visit
from survey_app.security.submission_keys import SubmissionKey
from survey_app.web.context import site


@dataclass(frozen=True)
class AnswerPhotos:
    """Photos of a form, by question: those that wait until it is sent, and why others were not taken."""

    kept: Mapping[str, Sequence[KeptAttachment]] = field(default_factory=dict)
    faults: Mapping[str, Sequence[AttachmentFault]] = field(default_factory=dict)


def store_uploaded_photos(
    visit: Visit, key: SubmissionKey, uploads: Sequence[Upload], *, now: datetime
) -> Mapping[str, Sequence[AttachmentFault]]:
    """Store photos of a form until it is sent, so that no later fault loses them; return why others were not taken."""
    faults = {}
    for question in visit.questionnaire.photo_questions:
        # Decoding takes long: before any transaction opens.
        of_question = [upload for upload in uploads if upload.field == question.key]
        photos, refused = scan_uploads(of_question, kind=PHOTO)
        dropped = request.form.getlist("drop")
        if photos or dropped:
            change = partial(
                change_attachments,
                kind=PHOTO,
                key=key,
                community_id=visit.community_id,
                network=network_digests_of_request("attachment"),
                dropped=dropped,
                files=photos,
                question=question.key,
                most=question.most_photos or 0,
                secret_key=site().config.secret_key,
                now=now,
            )
            refused += site().writer.run(change)
        if refused:
            faults[question.key] = refused
    return faults


def photos_to_show(visit: Visit, key: SubmissionKey, faults: Mapping[str, Sequence[AttachmentFault]]) -> AnswerPhotos:
    """Return the photos to show on a form that comes back."""
    asked = visit.questionnaire.photo_questions
    if not asked:
        return AnswerPhotos()
    with site().database.reading() as session:
        kept = {
            question.key: attachments_of_form(session, kind=PHOTO, key=key, question=question.key) for question in asked
        }
    return AnswerPhotos(kept, faults)
