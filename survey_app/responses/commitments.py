"""Commitments: what binds a stored response, and its receipt, without revealing either.

A commitment is the SHA-256 of one salted digest per question, so that the text of one question can be erased, or one
question opened, while the others stay closed. A handle names a response to whoever holds its receipt. Rows say by
`commitment_algorithm` how theirs were made; those stored before there were handles have algorithm 1.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from analytics.canonical import canonical_json

WHOLE_ANSWERS: Final = 1
BY_QUESTION: Final = 2

NONCE_BYTES = 32
HANDLE_NONCE_BYTES = 16

_DIGEST_BYTES: Final = 32

_COMMITMENT_TAG = b"jiayuan response commitment 2\n"
_ANSWER_TAG = b"jiayuan answer digest 2\n"
_HANDLE_TAG = b"jiayuan response handle 2\n"


def new_nonce() -> bytes:
    """Return the random bytes that the salts of one response come from."""
    return secrets.token_bytes(NONCE_BYTES)


def salt_of(nonce: bytes, question: str) -> bytes:
    """Return the salt of one question: to open that question is to show its salt, which tells no other salt."""
    return hmac.digest(nonce, question.encode(), hashlib.sha256)


def digest_of_answer(salt: bytes, question: str, answer: object) -> bytes:
    """Return the digest of one answer; None stands for a question that was not answered.

    Five answers are found by trying them all: the salt is what makes that hopeless.
    """
    # What somebody wrote is kept nowhere.
    is_code = answer is None or type(answer) is int
    spelled = _spell_code(question, answer) if is_code else _spell(question, answer)
    return hashlib.sha256(_ANSWER_TAG + salt + spelled).digest()


def _spell(question: str, answer: object) -> bytes:
    return canonical_json([question, answer]).encode()


# All the codes of some questionnaires: every response is spelled out of them.
_spell_code = lru_cache(maxsize=4096)(_spell)


def digests_of_answers(nonce: bytes, questions: Iterable[str], answers: Mapping[str, object]) -> list[bytes]:
    """Return the digest of each question, answered or not: their number tells nothing."""
    return [digest_of_answer(salt_of(nonce, key), key, answers.get(key)) for key in questions]


def openings_without(
    erased: Collection[str], *, nonce: bytes, questions: Iterable[str], answers: Mapping[str, object]
) -> bytes:
    """Return what stands for the nonce once the answers to some questions are erased: 32 bytes for each question.

    They are the salt of a question that stays and the digest of an erased one, which opens nothing.
    """
    salts = ((key, salt_of(nonce, key)) for key in questions)
    return b"".join(digest_of_answer(salt, key, answers.get(key)) if key in erased else salt for key, salt in salts)


def digests_of_openings(
    openings: bytes, *, erased: Collection[str], questions: Sequence[str], answers: Mapping[str, object]
) -> list[bytes]:
    """Return the digest of each question, as `digests_of_answers` gave them before some answers were erased.

    >>> questions, answers, nonce = ["q01", "q24"], {"q01": 5, "q24": "门坏了"}, bytes(32)
    >>> openings = openings_without(["q24"], nonce=nonce, questions=questions, answers=answers)
    >>> kept = digests_of_openings(openings, erased=["q24"], questions=questions, answers={"q01": 5})
    >>> kept == digests_of_answers(nonce, questions, answers)
    True
    """
    parts = [openings[start : start + _DIGEST_BYTES] for start in range(0, len(openings), _DIGEST_BYTES)]
    return [
        part if key in erased else digest_of_answer(part, key, answers.get(key))
        for key, part in zip(questions, parts, strict=True)
    ]


def commitment_to(digests: Iterable[bytes], *, round_id: int, community_id: int, questionnaire_sha256: str) -> str:
    """Return the commitment to the answers of one response, in one round, community and questionnaire.

    >>> place = {"round_id": 1, "community_id": 2, "questionnaire_sha256": "00"}
    >>> digests = digests_of_answers(bytes(32), ["q01", "q02"], {"q01": 5})
    >>> commitment_to(digests, **place) == commitment_to(digests, **place | {"round_id": 2})
    False
    """
    place = canonical_json([round_id, community_id, questionnaire_sha256]).encode()
    # The place ends with a line break, and each digest has 32 bytes: no two responses are joined to the same text.
    return hashlib.sha256(b"".join([_COMMITMENT_TAG, place, b"\n", *digests])).hexdigest()


def handle_of(receipt: str, handle_nonce: bytes) -> str:
    """Return the handle of a receipt; of the receipt alone, 43 random bits, it would be found in minutes."""
    return hashlib.sha256(_HANDLE_TAG + handle_nonce + receipt.encode()).hexdigest()
