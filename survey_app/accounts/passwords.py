"""Passwords that are refused: too short, among those that are tried first, or made of names that stand beside them.

How many guesses a password takes is estimated as by zxcvbn (Wheeler, 2016), in bits: it is cut into the pieces that
cost a guesser least — a listed password, a name, a date, a sequence, a row of keys, something repeated — and what is
in no such piece costs as much as a random character. That library knows no pinyin and no number habits of China,
and reads four lists where one is enough; the estimate is short, so it is made here.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from survey_app.config import DATA
from survey_app.errors import JiayuanError
from survey_app.pinyin import pinyin_of

SHORTEST_PASSWORD = 12
# A listed password with a year, a date or a row of keys stays below; three words that do not belong together are above.
LEAST_BITS = 30.0

_COMMON = DATA / "passwords" / "common.txt"
_HABITS = DATA / "passwords" / "habits.txt"
# Of the office, of the product and of what an account is: known to everybody who sees the sign-in page.
_PRODUCT_NAMES = ("jiayuan", "家园", "survey", "housing", "administrator", "evaluator", "district", "company", "clerk")
_LONGEST_READ = 64
_LONGEST_PIECE = 32
_SHORTEST_NAME = 3
_KEY_ROWS = (
    *("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "!@#$%^&*()", "abcdefghijklmnopqrstuvwxyz"),
    *("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "qweasdzxc", "147258369"),
)
_LOOKALIKES = str.maketrans({"@": "a", "4": "a", "0": "o", "1": "i", "3": "e", "5": "s", "$": "s", "7": "t", "!": "i"})
_DATE = re.compile(r"(19|20)\d\d((0?[1-9]|1[0-2])(0?[1-9]|[12]\d|3[01])?)?|(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


class Weakness(StrEnum):
    """Why a password is refused."""

    SHORT = "short"
    COMMON = "common"
    NAME = "name"


_WEAKNESS_WORDS: Mapping[Weakness, str] = {
    Weakness.SHORT: f"a password needs at least {SHORTEST_PASSWORD} characters",
    Weakness.COMMON: "this password is among those that are tried first: take several unrelated words",
    Weakness.NAME: "this password is made of the name of the account, its office or this site: take other words",
}


class WeakPassword(JiayuanError):
    """The password is too easy to guess for what the account may see."""

    def __init__(self, weakness: Weakness) -> None:
        super().__init__(_WEAKNESS_WORDS[weakness])
        self.weakness = weakness


def check_strength(password: str, *, names: Iterable[str] = ()) -> None:
    """Raise `WeakPassword` for a password that is too short or too easy to guess.

    `names` are those of the account and of what it looks after, in any script.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword(Weakness.SHORT)
    if guess_bits(password) < LEAST_BITS:
        raise WeakPassword(Weakness.COMMON)
    if guess_bits(password, names=_spellings(names)) < LEAST_BITS:
        raise WeakPassword(Weakness.NAME)


def guess_bits(password: str, *, names: frozenset[str] = frozenset()) -> float:
    """Return the estimated logarithm to base 2 of the number of guesses.

    >>> guess_bits("password2026") < LEAST_BITS < guess_bits("correct horse battery")
    True
    """
    text = unicodedata.normalize("NFKC", password).casefold()[:_LONGEST_READ]
    known = names | _product_spellings()
    cheapest = [0.0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        single = cheapest[end - 1] + _bits_of_character(text, end - 1)
        starts = range(max(0, end - _LONGEST_PIECE), end - 1)
        pieces = (cheapest[start] + bits for start in starts if (bits := _bits_of_piece(text[start:end], known)))
        repeats = (cheapest[start] + bits for start, bits in _repeats(text, end, cheapest))
        cheapest[end] = min(single, min(pieces, default=math.inf), min(repeats, default=math.inf))
    return cheapest[-1]


def _bits_of_character(text: str, place: int) -> float:
    character = text[place]
    if place and character == text[place - 1]:
        return 1.0
    if character.isdecimal():
        return math.log2(10)
    if character.isascii():
        return math.log2(26)
    return 10.0  # one of the thousand Chinese characters that are typed most


def _bits_of_piece(piece: str, names: frozenset[str]) -> float | None:
    """Return what a piece costs that a guesser has on a list, or None."""
    if piece in names or piece[::-1] in names:
        return 2.0
    if _DATE.fullmatch(piece):
        return {4: 7.0, 8: 15.0}.get(len(piece), 12.0)
    if len(piece) >= 3 and (_is_row(piece) or _is_row(piece[::-1])):
        return 4.0 + math.log2(len(piece))
    if len(piece) < 4:
        return None
    ranks = _ranks()
    rank = ranks.get(piece) or ranks.get(piece[::-1])
    if rank is None:
        plain = ranks.get(piece.translate(_LOOKALIKES))
        rank = None if plain is None or piece.isdecimal() else 2 * plain
    return None if rank is None else math.log2(rank + 1)


def _repeats(text: str, end: int, cheapest: list[float]) -> Iterable[tuple[int, float]]:
    """Yield where something begins that is said several times up to `end`, and what that costs."""
    for length in range(1, end // 2 + 1):
        unit = text[end - length : end]
        start = end - length
        while start >= length and text[start - length : start] == unit:
            start -= length
            # What it costs to say it once was found for its first time.
            yield start, cheapest[start + length] - cheapest[start] + math.log2((end - start) // length)


def _is_row(piece: str) -> bool:
    if any(piece in row for row in _KEY_ROWS):
        return True
    return piece.isdecimal() and len({(int(b) - int(a)) % 10 for a, b in pairwise(piece)}) == 1


@lru_cache(maxsize=1)
def _ranks() -> Mapping[str, int]:
    """Return the place of each listed password; the habits share one among the first."""
    common = [line for line in _COMMON.read_text("utf-8").splitlines() if not line.startswith("#")]
    habits = [line for line in _HABITS.read_text("utf-8").splitlines() if not line.startswith("#")]
    return dict.fromkeys(habits, len(habits)) | {word: rank for rank, word in enumerate(common, 1)}


@lru_cache(maxsize=1)
def _product_spellings() -> frozenset[str]:
    return _spellings(_PRODUCT_NAMES)


@lru_cache(maxsize=64)
def _spellings_of(name: str) -> frozenset[str]:
    """Return a name, its parts, its pinyin and the initials of it, as people type them."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    unnumbered = plain.strip("0123456789")
    parts = [plain, unnumbered, *re.split(r"[\W_]+", plain), re.sub(r"[\W_]+", "", unnumbered)]
    spoken = [] if plain.isascii() else pinyin_of(plain)
    initials = "".join(syllable[0] for syllable in spoken)
    # A district is called by its name without 区, a bureau without 局.
    parts += ["".join(spoken), "".join(spoken[:-1]), initials, plain[:-1] if spoken else plain]
    return frozenset(part for part in parts if len(part) >= (_SHORTEST_NAME if part.isascii() else 2))


def _spellings(names: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*(_spellings_of(name) for name in names))
