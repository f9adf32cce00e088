"""Kinds of attachments: which files are taken, how many and how large, how they are scanned, how long they are kept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from survey_app.accounts.attempt_budgets import Budget
from survey_app.attachments.decoder_pool import scan_photo
from survey_app.attachments.documents import scan_document
from survey_app.attachments.photos import thumbnail
from survey_app.attachments.scanning import JPEG, PDF, PNG, WEBP, MediaType, ScannedFile


@dataclass(frozen=True, kw_only=True)
class AttachmentKind:
    """What holds for one kind of file; `name` is what the database and its backups call it.

    A file that was sent stays as long as what it belongs to: with a response until its answers are withdrawn or erased,
    with a complaint as long as its words. One whose form is never sent is kept for `unsent_kept`, and no more than
    `most_unsent` of them in one community, since anybody can scan a poster; and of one line or network prefix no more
    than these in the whole city. What one of them may bring in a day, sent or not, is in its budget.
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
    most_unsent_of_line: int
    most_unsent_of_prefix: int
    budget_of_line: Budget
    budget_of_prefix: Budget
    # Returns the file as it is kept, or raises `AttachmentRefused`; it is handed what begins like one of the types.
    scan: Callable[[bytes], ScannedFile]
    # Draws the small copy that is kept beside the file; None for what is listed by its name alone.
    thumbnail: Callable[[bytes], bytes] | None = None


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
    most_unsent_of_line=60,
    most_unsent_of_prefix=240,
    # A thousand are some 200 MB; a carrier's gateway has hundreds of residents behind it.
    budget_of_line=Budget(
        free=1000, step=timedelta(minutes=2), longest=timedelta(minutes=2), forgiven_each=timedelta(minutes=2)
    ),
    budget_of_prefix=Budget(
        free=4000, step=timedelta(seconds=30), longest=timedelta(seconds=30), forgiven_each=timedelta(seconds=30)
    ),
    scan=scan_photo,
    thumbnail=thumbnail,
)

# Of the work that was done, sent with an answer by an office or a company.
REPLY_PHOTO = replace(PHOTO, name="reply_photo")

# Of the office's own, with a note to a case.
DOCUMENT = replace(PHOTO, name="document", media_types=(PDF,), scan=scan_document, thumbnail=None)

PHOTOS = (PHOTO, REPLY_PHOTO)
KINDS = (*PHOTOS, DOCUMENT)
