"""Atomic replacement of a set of files: none is replaced before all are written."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path


def write_files(contents: Mapping[str, bytes | Iterable[bytes]], directory: Path) -> None:
    """Write files into a directory, replacing those of an earlier run.

    Parameters
    ----------
    contents : mapping of str to bytes, or to an iterable of them
        By the name of the file; what comes in parts is never held whole.
    directory : Path
        Made if it is missing.

    Raises
    ------
    OSError
        If a file cannot be written. None of them is replaced before all are written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    unfinished = {name: directory / f".{name}.{os.getpid()}" for name in contents}
    try:
        for name, content in contents.items():
            with unfinished[name].open("wb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
        for name, path in unfinished.items():
            path.replace(directory / name)
    except OSError as error:
        # What fails while an open file is written, such as on a full disk, names none.
        error.filename = error.filename or str(directory)
        raise
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
