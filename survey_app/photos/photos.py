"""Photos of complaints and of answers: made anew from their pixels, so that nothing else of the file is kept.

They are kept in the database: a photo is stored or lost together with its case or its response, one backup holds both,
and several servers need no common disk. They come with the first sight of a form, and wait under its key until all of
it is stored: a page without JavaScript cannot hand a chosen file on to the next page.
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
from sqlalchemy import Select, Table, and_, delete, func, select, update
from sqlalchemy.orm import Session

from survey_app.models import Photo, Response
from survey_app.rounds.questionnaires import MOST_PHOTOS_OF_FORM
from survey_app.security.submission_keys import SubmissionKey
from survey_app.storage.insert_once import insert_once

MOST_PHOTOS = 3
LARGEST_UPLOAD_BYTES = 12 * 2**20
# The photos of a phone that cannot make them smaller, and what a form holds besides; whatever is larger is no form.
LARGEST_BODY_BYTES = 100 * 2**20
# Twelve megapixels are usual; looked at before anything is decoded, since a few kilobytes can hold gigabytes.
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1280
THUMBNAIL_SIDE = 240
JPEG_QUALITY = 78
# Photos whose form was never sent are kept so long, and so many of them in a community: anybody can scan a poster.
KEPT_UNSENT = timedelta(hours=24)
MOST_UNSENT = 300

_FORMATS = ("JPEG", "PNG", "WEBP")
_UNSENT = and_(Photo.complaint_id.is_(None), Photo.response_id.is_(None))
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
    field: str = ""


@dataclass(frozen=True)
class KeptPhoto:
    """A photo that waits until its form is sent, as the form shows it."""

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
        # Some may be no photos; beyond as many as any form asks for nothing is worth keeping.
        self._rooms = chain(repeat(LARGEST_UPLOAD_BYTES, MOST_PHOTOS_OF_FORM), repeat(0))

    def _get_file_stream(self, *_arguments: object, **_values: object) -> IO[bytes]:
        return BoundedFile(next(self._rooms))


def uploads_in(request: Request) -> list[Upload]:
    """Return the files of a form that may be larger than others; ask before its fields are looked at."""
    if request.mimetype == "multipart/form-data":
        # Its fields keep to a limit of their own.
        request.max_content_length = LARGEST_BODY_BYTES
    files = [(field, cast(BoundedFile, file.stream)) for field, file in request.files.items(multi=True)]
    return [
        Upload(file.getvalue(), PhotoFault.TOO_LARGE if file.is_cut else None, field)
        for field, file in files
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
    question: str = "",
    most: int = MOST_PHOTOS,
    now: datetime,
) -> list[PhotoFault]:
    """Take back photos that wait, keep others in their place, and return why some were not kept.

    At most `most` wait for one `question` of a form; a complaint has no questions and asks once.
    """
    drop_photos(session, key=key, names=dropped)
    return keep_photos(
        session, key=key, community_id=community_id, photos=photos, question=question, most=most, now=now
    )


def keep_photos(
    session: Session,
    *,
    key: SubmissionKey,
    community_id: int,
    photos: dict[str, bytes],
    question: str = "",
    most: int = MOST_PHOTOS,
    now: datetime,
) -> list[PhotoFault]:
    """Keep photos until their form is sent; the same file sent again is kept once."""
    faults = []
    of_question = select(Photo.upload_sha256).filter_by(submission_key=key.value, question=question)
    for digest, content in photos.items():
        kept = set(session.scalars(of_question))
        if digest in kept:
            continue
        if len(kept) >= most:
            faults.append(PhotoFault.TOO_MANY)
        elif _count_unsent(session, community_id) >= MOST_UNSENT:
            faults.append(PhotoFault.NO_ROOM)
        else:
            values = {
                "name": secrets.token_urlsafe(16),
                "submission_key": key.value,
                "question": question,
                "community_id": community_id,
                "upload_sha256": digest,
                "content": content,
                "added_at": now,
            }
            insert_once(session, cast(Table, Photo.__table__), values)
    return faults


def kept_photos(session: Session, *, key: SubmissionKey, question: str = "") -> list[KeptPhoto]:
    """Return the photos that wait until this form is sent."""
    statement = select(Photo).filter_by(submission_key=key.value, question=question).order_by(Photo.id)
    return _shown(session.scalars(statement).all())


def photos_of(session: Session, *, complaint_id: int) -> list[KeptPhoto]:
    """Return the photos of a case."""
    statement = select(Photo).filter_by(complaint_id=complaint_id).order_by(Photo.id)
    return _shown(session.scalars(statement).all())


def drop_photos(session: Session, *, key: SubmissionKey, names: Sequence[str]) -> None:
    """Take back photos that wait until their form is sent."""
    session.execute(delete(Photo).where(Photo.submission_key == key.value, Photo.name.in_(names), _UNSENT))


def attach_photos(session: Session, *, key: SubmissionKey, complaint_id: int) -> None:
    """Give the case the photos that waited for it."""
    session.execute(update(Photo).filter_by(submission_key=key.value).values(complaint_id=complaint_id))


def attach_answers_photos(session: Session, *, key: SubmissionKey, questions: Sequence[str]) -> None:
    """Give the response of this form the photos that waited for it; those of questions that do not concern it stay."""
    response_id = select(Response.id).filter_by(submission_key=key.value).scalar_subquery()
    waiting = update(Photo).where(Photo.submission_key == key.value, Photo.question.in_(questions), _UNSENT)
    session.execute(waiting.values(response_id=response_id))


def pass_on_photos(session: Session, *, response_id: int, key: SubmissionKey) -> None:
    """Give the photos of a response to the one that stands for it, which this form brought."""
    correction_id = select(Response.id).filter_by(submission_key=key.value).scalar_subquery()
    session.execute(update(Photo).filter_by(response_id=response_id).values(response_id=correction_id))


def erase_photos(session: Session, *, response_ids: Sequence[int] | Select[int]) -> None:
    """Delete the photos of responses whose answers go."""
    session.execute(delete(Photo).where(Photo.response_id.in_(response_ids)))


def forget_unsent_photos(session: Session, *, now: datetime) -> int:
    """Delete the photos whose form was not sent in time, and return how many."""
    unsent = delete(Photo).where(_UNSENT, Photo.added_at <= now - KEPT_UNSENT)
    deleted: int = session.execute(unsent).rowcount  # type: ignore[attr-defined]  # of a DELETE it has one
    return deleted


def _shown(rows: Sequence[Photo]) -> list[KeptPhoto]:
    return [KeptPhoto(row.name, thumbnail(row.content)) for row in rows]


def _count_unsent(session: Session, community_id: int) -> int:
    counting = select(func.count()).select_from(Photo).where(Photo.community_id == community_id, _UNSENT)
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
