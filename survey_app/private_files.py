"""Files and folders that only the user of the site may read, whatever the umask and whatever was there before."""

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@contextmanager
def private_umask() -> Iterator[None]:
    """Let the process create nothing that others may read until the block ends: exports, and what libraries write."""
    earlier = os.umask(_OF_OTHERS)
    try:
        yield
    finally:
        os.umask(earlier)


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone; narrow it if it was there and wider."""
    missing = [folder, *folder.parents]
    for each in reversed([path for path in missing if not path.exists()]):
        each.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    keep_private(entries_of(folder))


def entries_of(folder: Path) -> list[Path]:
    """Return a folder and what lies directly in it; who cannot open these comes to nothing below them."""
    return [folder, *sorted(path for path in folder.iterdir() if not path.is_symlink())]


def keep_private(paths: Iterable[Path]) -> None:
    """Take from others what they may do with files and folders of this user; `open_to_others` tells of the rest."""
    for path in paths:
        found = _status(path)
        if found is None or not stat.S_IMODE(found.st_mode) & _OF_OTHERS or not _is_ours(found):
            continue
        with suppress(OSError):  # a file system without modes, or one that is read only
            path.chmod(stat.S_IMODE(found.st_mode) & ~_OF_OTHERS)


def open_to_others(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield what others may still read or change, since it belongs to another user or is a shared folder."""
    for path in paths:
        found = _status(path)
        if found is not None and stat.S_IMODE(found.st_mode) & _OF_OTHERS:
            yield path


def open_private(path: str, flags: int) -> int:
    """Open a file, as an `opener`; one that is created is private."""
    return os.open(path, flags, PRIVATE_FILE)


def create_private_file(path: Path, content: bytes) -> bool:
    """Create a private file, or leave the one that is there; return whether it was created.

    A crash leaves the whole file or none, and of two processes one creates it.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link, since a rename would replace the file of whoever was first.
            os.link(unfinished, path)
        except FileExistsError:
            return False
    finally:
        unfinished.unlink()
    _sync_folder(path.parent)
    return True


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _is_ours(found: os.stat_result) -> bool:
    # A folder with the sticky bit, such as /tmp, is meant for all users.
    is_shared = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    return found.st_uid == os.geteuid() and not is_shared


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
