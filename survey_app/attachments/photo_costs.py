"""Costs of decoding a photo, told by its bytes alone: what would cost too much is refused before anything is decoded.

A few kilobytes can hold gigabytes of pixels, and a picture can be built of a thousand passes over all of them.
"""

import re
import struct
from dataclasses import dataclass
from typing import Final

from survey_app.attachments.scanning import (
    JPEG,
    PNG,
    WEBP,
    AttachmentFault,
    AttachmentRefused,
    fault_of_unreadable,
    recognise_type,
)

# Twelve megapixels are usual, fifty are had by few phones.
MOST_PIXELS: Final = 50_000_000
# Of one side; a panorama has 16,000.
LONGEST_SENT_SIDE: Final = 20_000
# A progressive picture has ten scans, of the thriftiest encoder a few more.
MOST_SCANS: Final = 64
# Each scan of a progressive picture goes over all of its pixels once more.
MOST_SCANNED_PIXELS: Final = 800_000_000
# Segments or chunks; a picture of twelve megabytes in pieces of one kilobyte has twelve thousand.
MOST_PARTS: Final = 20_000

_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_STARTS_OF_FRAME: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
# Stuffed zeros and restarts belong to the data of a scan; of a run of 0xFF the last one counts.
_MARKER: Final = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")


@dataclass(frozen=True)
class PhotoCost:
    """What a picture says of itself: its sides, and how often a decoder goes over it."""

    width: int
    height: int
    scans: int = 1


def check_cost(content: bytes) -> None:
    """Raise `AttachmentRefused` unless a photo that begins like one of our types can be decoded at a bounded cost."""
    cost = read_cost(content)
    if cost.width * cost.height > MOST_PIXELS or max(cost.width, cost.height) > LONGEST_SENT_SIDE:
        raise AttachmentRefused(AttachmentFault.TOO_MANY_PIXELS)
    if cost.scans > MOST_SCANS or cost.scans * cost.width * cost.height > MOST_SCANNED_PIXELS:
        raise AttachmentRefused(AttachmentFault.TOO_COMPLEX)


def read_cost(content: bytes) -> PhotoCost:
    """Return what the bytes of a picture say it costs, or raise a refusal where they make no sense."""
    try:
        match recognise_type(content, among=(JPEG, PNG, WEBP)):
            case media_type if media_type is JPEG:
                return _cost_of_jpeg(content)
            case media_type if media_type is PNG:
                return _cost_of_png(content)
            case _:
                return _cost_of_webp(content)
    except (struct.error, IndexError) as error:
        raise AttachmentRefused(fault_of_unreadable(content)) from error


def _cost_of_jpeg(content: bytes) -> PhotoCost:
    sizes: list[tuple[int, int]] = []
    place = scans = 0
    for _ in range(MOST_PARTS):
        found = _MARKER.search(content, place)
        if found is None or found[1][0] == _END_OF_IMAGE:
            break
        marker, start = found[1][0], found.end()
        (length,) = struct.unpack_from(">H", content, start)
        if marker in _STARTS_OF_FRAME:
            height, width = struct.unpack_from(">HH", content, start + 3)
            sizes.append((width, height))
        elif marker == _START_OF_SCAN:
            scans += 1
            if scans > MOST_SCANS:
                break
        place = start + max(length, 2)
    else:
        raise AttachmentRefused(AttachmentFault.TOO_COMPLEX)
    if not sizes:
        raise AttachmentRefused(fault_of_unreadable(content))
    return PhotoCost(max(width for width, _ in sizes), max(height for _, height in sizes), max(1, scans))


def _cost_of_png(content: bytes) -> PhotoCost:
    width, height = struct.unpack_from(">II", content, 16)
    place = 8
    for _ in range(MOST_PARTS):
        if place + 8 > len(content):
            return PhotoCost(width, height)
        length, kind = struct.unpack_from(">I4s", content, place)
        if kind == b"IEND":
            return PhotoCost(width, height)
        place += 12 + length
    raise AttachmentRefused(AttachmentFault.TOO_COMPLEX)


def _cost_of_webp(content: bytes) -> PhotoCost:
    match content[12:16]:
        case b"VP8X":
            width, height = (int.from_bytes(content[start : start + 3], "little") + 1 for start in (24, 27))
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", content, 21)
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
        case _:
            raise AttachmentRefused(AttachmentFault.UNREADABLE)
    return PhotoCost(width, height)
