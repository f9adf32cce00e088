"""The one text form of a value, and its hash.

Everything that is hashed (rule files excepted, whose bytes are the document) passes through here, so that
two programs that agree on a value agree on its SHA-256.
"""

import hashlib
import json


def canonical_json(value: object) -> str:
    """Return `value` as JSON text with one spelling only.

    Keys are sorted, separators carry no space, characters outside ASCII stand for themselves.

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
        If a number is not finite: JSON has no spelling for it.
    TypeError
        If a value has no JSON form.

    Examples
    --------
    >>> canonical_json({"q16": 1, "q01": 5, "q24": "电梯"})
    '{"q01":5,"q16":1,"q24":"电梯"}'
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_hex(content: str | bytes) -> str:
    """Return the SHA-256 of `content` as 64 lower-case hexadecimal digits; text is hashed as UTF-8.

    Examples
    --------
    >>> sha256_hex("家园")[:16]
    'f39921c56b8f9178'
    """
    raw = content.encode("utf-8") if isinstance(content, str) else content
    return hashlib.sha256(raw).hexdigest()
