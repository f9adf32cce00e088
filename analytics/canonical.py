"""Canonical JSON and SHA-256 of values.

Everything that is hashed passes through here (except rule files, which are hashed byte for byte), so that two programs
that agree on a value agree on its SHA-256.
"""

import hashlib
import json
from collections.abc import Iterable

# Made once: `json.dumps` would make one for each call, which takes longer than a short text.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_json(value: object) -> str:
    """Return `value` as canonical JSON text: equal values give equal text.

    Keys are sorted, separators have no space, characters outside ASCII are not escaped.

    Parameters
    ----------
    value : object
        Nested dicts with string keys, lists, tuples, strings, booleans, integers, finite floats and None.

    Returns
    -------
    str
        The text; parsing it gives an equal value (tuples come back as lists).

    Raises
    ------
    ValueError
        If a number is not finite: JSON cannot represent it.
    TypeError
        If a value has no JSON form.

    Examples
    --------
    >>> canonical_json({"q16": 1, "q01": 5, "q24": "电梯"})
    '{"q01":5,"q16":1,"q24":"电梯"}'
    """
    return _ENCODER.encode(value)


def sha256_of_parts(parts: Iterable[str]) -> str:
    """Return the SHA-256 of a text that comes part by part, as `sha256_hex` does of the whole.

    Examples
    --------
    >>> sha256_of_parts(["家", "园"]) == sha256_hex("家园")
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8"))
    return digest.hexdigest()


def sha256_hex(content: str | bytes) -> str:
    """Return the SHA-256 of `content` as 64 lower-case hexadecimal digits; text is hashed as UTF-8.

    Examples
    --------
    >>> sha256_hex("家园")[:16]
    'f39921c56b8f9178'
    """
    raw = content.encode("utf-8") if isinstance(content, str) else content
    return hashlib.sha256(raw).hexdigest()
