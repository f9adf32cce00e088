"""What scans of uploaded files take and return: uploads, types recognised by their bytes, and why one is refused."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import IO


class AttachmentFault(StrEnum):
    """Why a file was not taken; the words of its form are not touched by it."""

    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_COMPLEX = "too_complex"
    UNREADABLE = "unreadable"
    HEIC = "heic"
    CUT_OFF = "cut_off"
    DOCUMENT_CUT_OFF = "document_cut_off"
    TOO_MANY = "too_many"
    NO_ROOM = "no_room"
    BUSY = "busy"


class AttachmentRefused(Exception):
    """The upload is no file of its kind that can be taken."""

    def __init__(self, fault: AttachmentFault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True)
class Upload:
    """One file of a form; its content is cut where a fault is named."""

    file: IO[bytes]
    fault: AttachmentFault | None = None
    field: str = ""

    @property
    def content(self) -> bytes:
        """The bytes of the file, read anew each time: a form is never held in memory with all of its files."""
        self.file.seek(0)
        return self.file.read()


@dataclass(frozen=True)
class ScannedFile:
    """A file as it is kept, which need not be of the type that was sent, with the small copy if its kind has one."""

    media_type: str
    content: bytes
    thumbnail: bytes | None = None


@dataclass(frozen=True)
class MediaType:
    """A type of file and the bytes that such files begin with."""

    name: str
    beginning: re.Pattern[bytes]


JPEG = MediaType("image/jpeg", re.compile(rb"\xff\xd8\xff"))
PNG = MediaType("image/png", re.compile(rb"\x89PNG\r\n\x1a\n"))
WEBP = MediaType("image/webp", re.compile(rb"RIFF.{4}WEBP", re.DOTALL))
PDF = MediaType("application/pdf", re.compile(rb"%PDF-[12]\.\d"))

# Some phones append something of their own behind the end of a picture.
_LONGEST_TAIL = 64
# What iPhones make unless they are told otherwise, and its relatives.
_HEIC = re.compile(rb".{4}ftyp(hei|hev|mif|msf|avi)", re.DOTALL)


def recognise_type(content: bytes, *, among: Iterable[MediaType]) -> MediaType:
    """Return the type that the content begins like, whatever the sender calls it, or raise `AttachmentRefused`.

    >>> recognise_type(b"RIFF    WEBPVP8 ", among=(JPEG, WEBP)).name
    'image/webp'
    """
    for media_type in among:
        if media_type.beginning.match(content):
            return media_type
    raise AttachmentRefused(AttachmentFault.HEIC if _HEIC.match(content) else AttachmentFault.UNREADABLE)


def fault_of_unreadable(content: bytes) -> AttachmentFault:
    """Return why a file that begins like a photo cannot be read: its end did not arrive, or it is damaged."""
    if JPEG.beginning.match(content):
        is_whole = b"\xff\xd9" in content[-_LONGEST_TAIL:]
    elif PNG.beginning.match(content):
        is_whole = b"IEND" in content[-_LONGEST_TAIL:]
    else:
        is_whole = len(content) >= int.from_bytes(content[4:8], "little") + 8
    return AttachmentFault.UNREADABLE if is_whole else AttachmentFault.CUT_OFF
