"""Uploads of a form, parsed within the limits of a kind of attachment: an endless file fills no memory."""

import io
from typing import IO, cast

from flask import Request

from survey_app.attachments.kinds import PHOTO, AttachmentKind
from survey_app.attachments.scanning import AttachmentFault, Upload
from survey_app.web.storable_requests import StorableRequest


class BoundedFile(io.BytesIO):
    """Keeps what a file may hold and lets go of the rest: an endless file fills no memory and stops no words."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room
        self.is_cut = False

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # the parser writes bytes
        room = self._room - self.tell()
        self.is_cut = self.is_cut or len(data) > room
        super().write(data[:room])
        return len(data)


class BoundedRequest(StorableRequest):
    """A request whose files are read no further than an attachment goes."""

    # Forms that take no attachments, such as imports, have room for as much as photos.
    attachment_kind: AttachmentKind = PHOTO
    _files = 0

    def _get_file_stream(self, *_arguments: object, **_values: object) -> IO[bytes]:
        self._files += 1
        # Some may be no files of the kind; beyond as many as any form asks for nothing is worth keeping.
        is_worth_keeping = self._files <= self.attachment_kind.most_per_form
        return BoundedFile(self.attachment_kind.largest_bytes if is_worth_keeping else 0)


def uploads_in(request: Request, *, kind: AttachmentKind) -> list[Upload]:
    """Return the files of a form that may be larger than others; ask before its fields are looked at."""
    cast(BoundedRequest, request).attachment_kind = kind
    if request.mimetype == "multipart/form-data":
        # Its fields keep to a limit of their own.
        request.max_content_length = kind.largest_form_bytes
    files = [(field, cast(BoundedFile, file.stream)) for field, file in request.files.items(multi=True)]
    return [
        Upload(file.getvalue(), AttachmentFault.TOO_LARGE if file.is_cut else None, field)
        for field, file in files
        if file.getvalue() or file.is_cut  # a field for a file that was left empty comes as an empty file
    ]
