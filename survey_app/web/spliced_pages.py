"""Pages rendered and compressed once, with one part of each visitor's own spliced in."""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

# RFC 1952: magic, deflate, no flags, no time, best compression, unknown system.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_LONGEST_STORED_BLOCK = 0xFFFF


@dataclass(frozen=True)
class SplicedPage:
    """Rendered page around the place that is each visitor's own.

    Compressing it for every visitor would cost more than all else. A deflate stream can be cut at block borders: the
    parts before and after are compressed once, and between them what is the visitor's own stands uncompressed (which
    also gives away nothing about it through the length of the page).
    """

    before: bytes
    after: bytes
    compressed_before: bytes
    compressed_after: bytes
    crc_before: int

    @classmethod
    def around(cls, mark: str, page: str) -> Self:
        """Cut a rendered page at the one place where it holds `mark`."""
        before, after = (part.encode("utf-8") for part in page.split(mark))
        opening, closing = (zlib.compressobj(9, wbits=-zlib.MAX_WBITS) for _ in range(2))
        return cls(
            before=before,
            after=after,
            # A full flush ends at a byte's border and refers to nothing later parts must know.
            compressed_before=_GZIP_HEADER + opening.compress(before) + opening.flush(zlib.Z_FULL_FLUSH),
            compressed_after=closing.compress(after) + closing.flush(),
            crc_before=zlib.crc32(before),
        )

    @property
    def size_in_bytes(self) -> int:
        """How much memory the parts take."""
        return sum(map(len, (self.before, self.after, self.compressed_before, self.compressed_after)))

    def plain(self, own: bytes) -> bytes:
        """Return the page with a visitor's own part in it."""
        return b"%b%b%b" % (self.before, own, self.after)

    def gzipped(self, own: bytes) -> bytes:
        """Return the same page as a gzip file."""
        if len(own) > _LONGEST_STORED_BLOCK:
            raise ValueError(f"a stored block holds at most {_LONGEST_STORED_BLOCK} bytes, got {len(own)}")
        # Not the last block, stored: its length, and its length with all bits turned.
        stored = struct.pack("<BHH", 0, len(own), len(own) ^ 0xFFFF)
        crc = zlib.crc32(self.after, zlib.crc32(own, self.crc_before))
        size = len(self.before) + len(own) + len(self.after)
        return b"".join((self.compressed_before, stored, own, self.compressed_after, struct.pack("<II", crc, size)))


@lru_cache(maxsize=256)
def accepts_gzip(header: str) -> bool:
    """Return whether a browser that sends this Accept-Encoding understands gzip."""
    return parse_accept_header(header, Accept)["gzip"] > 0
