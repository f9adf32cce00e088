"""Uploads of a form, parsed within the limits of a kind of attachment: an endless file fills no memory."""

from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, cast

from flask import Request

from survey_app.attachments.kinds import PHOTO, AttachmentKind
from survey_app.attachments.scanning import AttachmentFault, Upload
from survey_app.web.request_sizes import BoundedFormParser
from survey_app.web.storable_requests import StorableRequest

# What is larger goes to a file without a name, which is gone as soon as it is closed.
_MOST_IN_MEMORY: Final = 256 * 1024


class BoundedFile(SpooledTemporaryFile[bytes]):
    """Keeps what a file may hold and lets go of the rest: an endless file fills no memory and stops no words."""

    def __init__(self, room: int) -> None:
        super().__init__(max_size=_MOST_IN_MEMORY)
        self._room_left = room
        self.is_cut = False
        self.is_empty = True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # the parser writes bytes
        """Write what there is room for, and say that all of it was written."""
        self.is_cut = self.is_cut or len(data) > self._room_left
        kept = data[: self._room_left]
        self._room_left -= super().write(kept)
        self.is_empty = self.is_empty and not kept
        return len(data)


class BoundedRequest(StorableRequest):
    """A request whose files are read no further than an attachment goes."""

    form_data_parser_class = BoundedFormParser
    # Forms that take no attachments, such as imports, have room for as much as photos.
    attachment_kind: AttachmentKind = PHOTO

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._bounded_files: list[BoundedFile] = []

    def close(self) -> None:
        """Let go of the files, also of those of a form that was refused half-way."""
        super().close()
        for file in self._bounded_files:
            file.close()

    def _get_file_stream(self, *_arguments: object, **_values: object) -> IO[bytes]:
        # Some may be no files of the kind; beyond as many as any form asks for nothing is worth keeping.
        is_worth_keeping = len(self._bounded_files) < self.attachment_kind.most_per_form
        file = BoundedFile(self.attachment_kind.largest_bytes if is_worth_keeping else 0)
        self._bounded_files.append(file)
        return file


def uploads_in(request: Request, *, kind: AttachmentKind) -> list[Upload]:
    """Return the files of a form that may be larger than others; ask before its fields are looked at."""
    cast(BoundedRequest, request).attachment_kind = kind
    if request.mimetype == "multipart/form-data":
        # Its fields keep to a limit of their own.
        request.max_content_length = kind.largest_form_bytes
    files = [(field, cast(BoundedFile, file.stream)) for field, file in request.files.items(multi=True)]
    return [
        Upload(file, AttachmentFault.TOO_LARGE if file.is_cut else None, field)
        for field, file in files
        if not file.is_empty or file.is_cut  # a field for a file that was left empty comes as an empty file
    ]
