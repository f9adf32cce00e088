"""Secret key of an installation: kept beside the database, and refused where it can be guessed."""

import math
import secrets
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from survey_app.errors import JiayuanError
from survey_app.private_files import create_private_file, keep_private

VARIABLE = "JIAYUAN_SECRET_KEY"
FILE = "secret_key"
# 128 bits as hexadecimal digits; what is made here is twice as long.
SHORTEST_KEY = 32
# Of random hexadecimal digits 32 have 100 bits and more counted in this way; text that people type stays below.
LEAST_VARIETY_BITS = 80
# What stands in examples of settings.
_EXAMPLE_WORDS = (
    *("changeme", "change-me", "change_me", "replace", "example", "secret", "password", "insecure", "placeholder"),
    *("your-key", "your_key", "yourkey", "jiayuan", "qwertyuiop", "abcdefgh", "123456789"),
)


class KeyFault(StrEnum):
    """Why a secret key can be guessed."""

    EMPTY = "empty"
    SHORT = "short"
    UNVARIED = "unvaried"
    EXAMPLE = "example"


_FAULT_WORDS: Mapping[KeyFault, str] = {
    KeyFault.EMPTY: "is empty",
    KeyFault.SHORT: f"is shorter than {SHORTEST_KEY} characters",
    KeyFault.UNVARIED: "repeats a few characters, or is a sequence",
    KeyFault.EXAMPLE: "is made of words that stand in examples",
}


class WeakSecretKey(JiayuanError):
    """The secret key of a new installation can be guessed: whoever guesses it signs in as anybody."""

    status = 503

    def __init__(self, fault: KeyFault) -> None:
        super().__init__(
            f"the secret key {_FAULT_WORDS[fault]}: remove {VARIABLE} and an unfit file {FILE} in the instance folder, "
            "and a key is made by itself; or set the variable to what `openssl rand -hex 32` prints"
        )
        self.fault = fault


class UnreadableSecretKey(JiayuanError):
    """The file of the secret key cannot be read or made."""

    status = 503

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the secret key {path} cannot be read: {reason}; let the user of the site own it, with mode 0600"
        )
        self.path = path


class LostSecretKey(JiayuanError):
    """The secret key is another one than that with which the database was begun."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            f"the secret key is not the one that this database was begun with: copy the file {FILE} from the backup "
            f"into the instance folder, or set {VARIABLE} as it was; if the key is lost for good, "
            "`jiayuan replace-key` says what ends with it"
        )


def fault_of_key(key: str) -> KeyFault | None:
    """Return why a key can be guessed, or None.

    >>> fault_of_key("0123456789abcdef" * 4)
    <KeyFault.UNVARIED: 'unvaried'>
    """
    bare = key.strip()
    if not bare:
        return KeyFault.EMPTY
    if len(bare) < SHORTEST_KEY:
        return KeyFault.SHORT
    if _is_repeated(bare) or _variety_bits(bare) < LEAST_VARIETY_BITS or _steps_alike(bare):
        return KeyFault.UNVARIED
    if any(word in bare.casefold() for word in _EXAMPLE_WORDS):
        return KeyFault.EXAMPLE
    return None


def warning_of_key(fault: KeyFault) -> str:
    """Return what the operator of an installation with a weak key is told."""
    return (
        f"WARNING: the secret key {_FAULT_WORDS[fault]}. Whoever guesses it can sign in as anybody, change residents' "
        "answers and read their telephone numbers. Plan its replacement: slips and links given out with it end then."
    )


def key_from(environ: Mapping[str, str], instance: Path) -> str:
    """Return the key that the environment sets, or that of the file, which is made when there is none."""
    path, given = instance / FILE, environ.get(VARIABLE)
    if given:
        return given
    if given is not None and not path.exists():
        # Meant to be set, and a key made here would not be the one that is in the backups.
        raise WeakSecretKey(KeyFault.EMPTY)
    try:
        if not path.exists():
            # Kept, so that forms opened before a restart can still be sent after it.
            create_private_file(path, secrets.token_hex(32).encode("ascii"))
        keep_private([path])
        return path.read_text("ascii")
    except OSError as error:
        raise UnreadableSecretKey(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise UnreadableSecretKey(path, "it is not plain text") from error


def remove_new_key(path: Path | None) -> None:
    """Remove the file that this start has made, if it has made one: it is not the key of the database."""
    if path is not None:
        path.unlink(missing_ok=True)


def _variety_bits(key: str) -> float:
    """Return the entropy of the characters as they are distributed in this key, for all of it."""
    counts = Counter(key.casefold())
    return -sum(count * math.log2(count / len(key)) for count in counts.values())


def _is_repeated(key: str) -> bool:
    """Return whether the key is one piece over and over, the last one perhaps cut."""
    return any(key[length:] == key[:-length] for length in range(1, len(key) // 2 + 1))


def _steps_alike(key: str) -> bool:
    """Return whether most characters follow the one before them by the same step, as in an alphabet."""
    steps = Counter(ord(after) - ord(before) for before, after in pairwise(key))
    return steps.most_common(1)[0][1] > len(key) // 2
