"""Scans of uploaded files: types are recognised by their bytes, photos are made anew from their pixels."""

import io
import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from PIL import Image, ImageOps, UnidentifiedImageError

# Twelve megapixels are usual; looked at before anything is decoded, since a few kilobytes can hold gigabytes.
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1280
THUMBNAIL_SIDE = 240
JPEG_QUALITY = 78

_FORMATS = ("JPEG", "PNG", "WEBP")
# A large picture takes some 200 MB while it is decoded: one at a time.
_decoding = Lock()


class AttachmentFault(StrEnum):
    """Why a file was not taken; the words of its form are not touched by it."""

    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    UNREADABLE = "unreadable"
    TOO_MANY = "too_many"
    NO_ROOM = "no_room"


class AttachmentRefused(Exception):
    """The upload is no file of its kind that can be taken."""

    def __init__(self, fault: AttachmentFault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True)
class Upload:
    """One file of a form; its content is cut where a fault is named."""

    content: bytes
    fault: AttachmentFault | None = None
    field: str = ""


@dataclass(frozen=True)
class ScannedFile:
    """A file as it is kept, which need not be of the type that was sent."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class MediaType:
    """A type of file and the bytes that such files begin with."""

    name: str
    beginning: re.Pattern[bytes]


JPEG = MediaType("image/jpeg", re.compile(rb"\xff\xd8\xff"))
PNG = MediaType("image/png", re.compile(rb"\x89PNG\r\n\x1a\n"))
WEBP = MediaType("image/webp", re.compile(rb"RIFF.{4}WEBP", re.DOTALL))


def recognise_type(content: bytes, *, among: Iterable[MediaType]) -> MediaType:
    """Return the type that the content begins like, whatever the sender calls it, or raise `AttachmentRefused`.

    >>> recognise_type(b"RIFF    WEBPVP8 ", among=(JPEG, WEBP)).name
    'image/webp'
    """
    for media_type in among:
        if media_type.beginning.match(content):
            return media_type
    raise AttachmentRefused(AttachmentFault.UNREADABLE)


def scan_photo(content: bytes) -> ScannedFile:
    """Return the picture as a JPEG of moderate size without any metadata, the right way up, or raise a refusal.

    What a camera notes beside the pixels, such as where it was, does not survive: only pixels are written.
    """
    try:
        with _decoding, Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise AttachmentRefused(AttachmentFault.TOO_MANY_PIXELS)
            # A JPEG is decoded at an eighth to a half of its size, which takes a fraction of the time.
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            return ScannedFile(JPEG.name, _jpeg(_on_white(upright)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise AttachmentRefused(AttachmentFault.TOO_MANY_PIXELS) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, ArithmeticError) as error:
        # What Pillow raises on a damaged file depends on the byte that is wrong.
        raise AttachmentRefused(AttachmentFault.UNREADABLE) from error


def thumbnail(photo: bytes) -> str:
    """Return a small copy as a data address, which a page shows without another request."""
    with Image.open(io.BytesIO(photo), formats=_FORMATS) as image:
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        return f"data:image/jpeg;base64,{b64encode(_jpeg(image.convert('RGB'))).decode('ascii')}"


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
