"""ZIP archive of many files, streamed while they are made."""

import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from analytics.canonical import sha256_hex

# File systems take 255; the endings and numbers that are added need some.
_LONGEST_NAME_BYTES = 200
_NOT_IN_NAMES = str.maketrans(dict.fromkeys('\\/:*?"<>|', "_"))


def file_name(*parts: str | None) -> str:
    """Return a file name that every file system takes, joined from the parts that are not empty."""
    name = " ".join(filter(None, parts)).translate(_NOT_IN_NAMES).strip(". ")
    if len(name.encode("utf-8")) <= _LONGEST_NAME_BYTES:
        return name
    # What two long names differ in may be cut off.
    digest = sha256_hex(name)[:8]
    return f"{name.encode('utf-8')[: _LONGEST_NAME_BYTES - len(digest) - 1].decode('utf-8', 'ignore')} {digest}"


def zip_files(files: Iterable[tuple[str, bytes]], *, now: datetime) -> Iterator[bytes]:
    """Yield a ZIP archive piece by piece; a file is asked for once those before it were taken.

    Nothing is compressed: a PDF is already.
    """
    pipe = _WriteBuffer()
    with ZipFile(pipe, "w", ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(ZipInfo(name, date_time=now.timetuple()[:6]), content)
            yield pipe.taken()
    yield pipe.taken()


class _WriteBuffer(io.RawIOBase):
    """Write-only buffer whose contents can be taken at once; there is no seeking in it."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]  # ZipFile writes bytes
        self._pieces.append(bytes(piece))
        return len(piece)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
