"""Photos of a complaint: made anew from their pixels, so that nothing else of the file is kept.

They are kept in the database: a photo is stored or lost together with its case, one backup holds both, and several
servers need no common disk. They come before the case, with the first sight of a form, and wait for it under the key
of the form: a page without JavaScript cannot hand a chosen file on to the next page.
"""

import hashlib
import io
import secrets
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain, repeat
from threading import Lock
from typing import IO, Any, cast

from flask import Request
from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.orm import Session

from survey_app.models import ComplaintPhoto
from survey_app.submissions import SubmissionKey, insert_once

MOST_PHOTOS = 3
LARGEST_UPLOAD_BYTES = 12 * 2**20
# Three photos of a phone that cannot make them smaller, and what a form holds besides; whatever is larger is no form.
LARGEST_BODY_BYTES = 100 * 2**20
# Twelve megapixels are usual; looked at before anything is decoded, since a few kilobytes can hold gigabytes.
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1280
THUMBNAIL_SIDE = 240
JPEG_QUALITY = 78
# Photos whose form was never sent are kept so long, and so many of them in a community: anybody can scan a poster.
KEPT_WITHOUT_CASE = timedelta(hours=24)
MOST_WITHOUT_CASE = 300

_FORMATS = ("JPEG", "PNG", "WEBP")
# A large picture takes some 200 MB while it is decoded: one at a time.
_decoding = Lock()


class PhotoFault(StrEnum):
    """Why a photo was not taken; the words of its form are not touched by it."""

    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    UNREADABLE = "unreadable"
    TOO_MANY = "too_many"
    NO_ROOM = "no_room"


class PhotoRefused(Exception):
    """The upload is no photo that can be taken."""

    def __init__(self, fault: PhotoFault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True)
class Upload:
    """One file of a form; its content is cut where a fault is named."""

    content: bytes
    fault: PhotoFault | None = None


@dataclass(frozen=True)
class KeptPhoto:
    """A photo that waits for its case, as the form shows it."""

    name: str
    thumbnail: str


class BoundedFile(io.BytesIO):
    """Keeps what a photo may hold and lets go of the rest: an endless file fills no memory and stops no words."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room
        self.is_cut = False

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # the parser writes bytes
        room = self._room - self.tell()
        self.is_cut = self.is_cut or len(data) > room
        super().write(data[:room])
        return len(data)


class PhotoRequest(Request):
    """A request whose files are read no further than a photo goes."""

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)
        # Some may be no photos; beyond twice as many as are taken nothing is worth keeping.
        self._rooms = chain(repeat(LARGEST_UPLOAD_BYTES, 2 * MOST_PHOTOS), repeat(0))

    def _get_file_stream(self, *_arguments: object, **_values: object) -> IO[bytes]:
        return BoundedFile(next(self._rooms))


def uploads_in(request: Request) -> list[Upload]:
    """Return the files of a form that may be larger than others; ask before its fields are looked at."""
    if request.mimetype == "multipart/form-data":
        # Its fields keep to a limit of their own.
        request.max_content_length = LARGEST_BODY_BYTES
    files = [cast(BoundedFile, file.stream) for _name, file in request.files.items(multi=True)]
    return [
        Upload(file.getvalue(), PhotoFault.TOO_LARGE if file.is_cut else None)
        for file in files
        if file.getvalue() or file.is_cut  # a field for a file that was left empty comes as an empty file
    ]


def encode_photo(content: bytes) -> bytes:
    """Return the picture as a JPEG of moderate size without any metadata, the right way up, or raise `PhotoRefused`.

    What a camera notes beside the pixels, such as where it was, does not survive: only pixels are written.
    """
    try:
        with _decoding, Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise PhotoRefused(PhotoFault.TOO_MANY_PIXELS)
            # A JPEG is decoded at an eighth to a half of its size, which takes a fraction of the time.
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            return _jpeg(_on_white(upright))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoRefused(PhotoFault.TOO_MANY_PIXELS) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, ArithmeticError) as error:
        # What Pillow raises on a damaged file depends on the byte that is wrong.
        raise PhotoRefused(PhotoFault.UNREADABLE) from error


def thumbnail(photo: bytes) -> str:
    """Return a small copy as a data address, which a page shows without another request."""
    with Image.open(io.BytesIO(photo), formats=_FORMATS) as image:
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        return f"data:image/jpeg;base64,{b64encode(_jpeg(image.convert('RGB'))).decode('ascii')}"


def encode_uploads(uploads: Iterable[Upload]) -> tuple[dict[str, bytes], list[PhotoFault]]:
    """Return the photos by the digest of their upload, and why others were not taken; it needs no database."""
    photos, faults = {}, []
    for upload in uploads:
        if upload.fault:
            faults.append(upload.fault)
            continue
        try:
            photos[hashlib.sha256(upload.content).hexdigest()] = encode_photo(upload.content)
        except PhotoRefused as refusal:
            faults.append(refusal.fault)
    return photos, faults


def change_photos(
    session: Session,
    *,
    key: SubmissionKey,
    community_id: int,
    dropped: Sequence[str],
    photos: dict[str, bytes],
    now: datetime,
) -> list[PhotoFault]:
    """Take back photos that wait, keep others in their place, and return why some were not kept."""
    drop_photos(session, key=key, names=dropped)
    return keep_photos(session, key=key, community_id=community_id, photos=photos, now=now)


def keep_photos(
    session: Session, *, key: SubmissionKey, community_id: int, photos: dict[str, bytes], now: datetime
) -> list[PhotoFault]:
    """Keep photos until their form is sent; the same file sent again is kept once."""
    faults = []
    for digest, content in photos.items():
        kept = set(session.scalars(select(ComplaintPhoto.upload_sha256).filter_by(submission_key=key.value)))
        if digest in kept:
            continue
        if len(kept) >= MOST_PHOTOS:
            faults.append(PhotoFault.TOO_MANY)
        elif _count_without_case(session, community_id) >= MOST_WITHOUT_CASE:
            faults.append(PhotoFault.NO_ROOM)
        else:
            values = {
                "name": secrets.token_urlsafe(16),
                "submission_key": key.value,
                "community_id": community_id,
                "upload_sha256": digest,
                "content": content,
                "added_at": now,
            }
            insert_once(session, cast(Table, ComplaintPhoto.__table__), values)
    return faults


def kept_photos(session: Session, *, key: SubmissionKey) -> list[KeptPhoto]:
    """Return the photos that wait for the case of this form."""
    statement = select(ComplaintPhoto).filter_by(submission_key=key.value).order_by(ComplaintPhoto.id)
    return _shown(session.scalars(statement).all())


def photos_of(session: Session, *, complaint_id: int) -> list[KeptPhoto]:
    """Return the photos of a case."""
    statement = select(ComplaintPhoto).filter_by(complaint_id=complaint_id).order_by(ComplaintPhoto.id)
    return _shown(session.scalars(statement).all())


def drop_photos(session: Session, *, key: SubmissionKey, names: Sequence[str]) -> None:
    """Take back photos that wait for their case."""
    waiting = delete(ComplaintPhoto).filter_by(submission_key=key.value, complaint_id=None)
    session.execute(waiting.where(ComplaintPhoto.name.in_(names)))


def attach_photos(session: Session, *, key: SubmissionKey, complaint_id: int) -> None:
    """Give the case the photos that waited for it."""
    session.execute(update(ComplaintPhoto).filter_by(submission_key=key.value).values(complaint_id=complaint_id))


def forget_unsent_photos(session: Session, *, now: datetime) -> int:
    """Delete the photos whose form was not sent in time, and return how many."""
    unsent = delete(ComplaintPhoto).where(
        ComplaintPhoto.complaint_id.is_(None), ComplaintPhoto.added_at <= now - KEPT_WITHOUT_CASE
    )
    deleted: int = session.execute(unsent).rowcount  # type: ignore[attr-defined]  # of a DELETE it has one
    return deleted


def _shown(rows: Sequence[ComplaintPhoto]) -> list[KeptPhoto]:
    return [KeptPhoto(row.name, thumbnail(row.content)) for row in rows]


def _count_without_case(session: Session, community_id: int) -> int:
    counting = select(func.count()).select_from(ComplaintPhoto).filter_by(community_id=community_id, complaint_id=None)
    return session.scalar(counting) or 0


def _on_white(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        background = Image.new("RGB", image.size, "white")
        layer = image.convert("RGBA")
        background.paste(layer, mask=layer.getchannel("A"))
        return background
    return image.convert("RGB")


def _jpeg(image: Image.Image) -> bytes:
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    stream = io.BytesIO()
    bare.save(stream, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True)
    return stream.getvalue()
