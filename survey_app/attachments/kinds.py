"""Kinds of attachments: which files are taken, how many and how large, how they are scanned, how long they are kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from survey_app.attachments.decoder_pool import scan_photo
from survey_app.attachments.photos import thumbnail
from survey_app.attachments.scanning import JPEG, PNG, WEBP, MediaType, ScannedFile


@dataclass(frozen=True, kw_only=True)
class AttachmentKind:
    """What holds for one kind of file; `name` is what the database and its backups call it.

    A file that was sent stays as long as what it belongs to: with a response until its answers are withdrawn or erased,
    with a complaint as long as the case. One whose form is never sent is kept for `unsent_kept`, and no more than
    `most_unsent` of them in one community: anybody can scan a poster.
    """

    name: str
    media_types: tuple[MediaType, ...]
    largest_bytes: int
    # All files of a form and what it holds besides; whatever is larger is no form.
    largest_form_bytes: int
    most_per_question: int
    # All questions together: a phone has to send them in one go.
    most_per_form: int
    unsent_kept: timedelta
    most_unsent: int
    # Returns the file as it is kept, or raises `AttachmentRefused`; it is handed what begins like one of the types.
    scan: Callable[[bytes], ScannedFile]
    # Draws what is kept small, as a data address; None for what is listed by its name alone.
    thumbnail: Callable[[bytes], str] | None = None


PHOTO = AttachmentKind(
    name="photo",
    media_types=(JPEG, PNG, WEBP),
    # The photos of a phone that cannot make them smaller.
    largest_bytes=12 * 2**20,
    largest_form_bytes=100 * 2**20,
    most_per_question=3,
    most_per_form=6,
    unsent_kept=timedelta(hours=24),
    most_unsent=300,
    scan=scan_photo,
    thumbnail=thumbnail,
)

KINDS = (PHOTO,)
