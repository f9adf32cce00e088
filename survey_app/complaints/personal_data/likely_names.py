"""Names of persons told by likelihood: a row of characters is a name where that explains it better than words do.

Every way to divide a text into words and names has a likelihood, the product of those of its parts; the most likely
way decides. A word is as likely as it is frequent in Chinese. A name is as likely as its surname, its further
characters and what stands beside it make it: “保安” before it and “说” behind it speak for one.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import rjieba

from survey_app.complaints.personal_data import name_lists as lists
from survey_app.complaints.personal_data.name_weights import (
    COMMUNITY_WORDS,
    DOTS,
    GIVEN,
    LONGEST_CUE,
    NEVER_FIRST,
    NEVER_IN_NAMES,
    NO_CUE,
    OTHER_GIVEN,
    OTHER_SOUND,
    PARTS,
    SOUNDS,
    SURNAMES,
    WEIGHTS_BEFORE,
    WEIGHTS_BEHIND,
)

_HAN = re.compile("[\u4e00-\u9fff]+")
_RUN = re.compile(f"[\u4e00-\u9fff]+(?:[{DOTS}][\u4e00-\u9fff]+)*")
# The frequencies of the words in the library's dictionary add up to this.
_ALL_WORDS = math.log(60_101_967)
_LONGEST_WORD = 5
_LONGEST_ROW = 9

_FREQUENT = frozenset(lists.FREQUENT_SURNAMES)
_NEVER_LAST = frozenset(lists.BETWEEN_CHARACTERS) - set(lists.LAST_CHARACTERS) | set(DOTS)
# How often a part of a complaint is a name of each sort: by these the corpus is read best.
_HAN_NAME, _SURNAME_ALONE, _NICKNAME, _GIVEN_ALONE, _TRANSCRIBED = -2.9, -4.5, -5.0, -6.5, -5.0
_TAGS_OF_NAMES = frozenset({"nr", "nrt", "ns", "nz"})
_FREQUENT_GIVEN = frozenset(lists.FREQUENT_GIVEN_CHARACTERS)
# Characters of given names choose each other: 宏伟, 文昌.
_PAIRED = 1.5
# 杭丽家 is rather the home of 杭丽, and 富力城 a place.
_SELDOM_LAST = frozenset(lists.SELDOM_LAST)
_ENDING_OTHERWISE = -4.0
# A word of three characters that is as likely a name as this is somebody's of whom books tell.
_LIKELY_NAME = -24.7
_NAMESAKE = -7.0
_ONE_GIVEN, _TWO_GIVEN = math.log(0.3), math.log(0.7)
# 车总 is seldomer a person than 车姐, and no title is as telling as a whole one.
_WHOLE_TITLE, _SHORT_TITLES = 1.0, {"总": -5.5, "工": -5.5, "局": -5.5, "队": -5.5}
_OTHER_SHORT_TITLE = -2.5
_RARE_WORD = -12.0
_RAREST_NICKNAME = -7.0
# 成功 and 钟声 are called so by their parents, of whom nothing is known but the surname.
_CALLED_A_WORD = -10.5
# What the edge of a sentence, where any word may stand, says for a name.
_EDGE = 1.0
# The guard before it and what only people do behind it: 值班员向阳拒绝登记.
_BETWEEN_PEOPLE = 2.0
# 我叫成功, 成功女士
_CALLED_SO = 3.0
# However rare the word, more than its place must speak for a name.
_RATHER_A_WORD = -3.9
# Things, qualities and seasons, no deeds.
_TAGS_OF_WORDS_THAT_NAME = frozenset({"n", "nr", "nrt", "ns", "nz", "a", "ad", "an", "b", "s", "t", "z", "i"})
_BY_TRAIT, _BY_KINSHIP = -6.0, -3.5
# Names stand beside names: 钟声、于洋和齐心.
_BESIDE_NAME = 2.5
_CONNECTORS = frozenset("和跟与及、")
# What a label announces up to the next comma is seldom anything but a name.
_WHOLE_ENTRY = 2.0

_TITLE = re.compile(f"(?:{lists.TITLES})(?!们)")
_SHORT_TITLE = re.compile(
    f"[{lists.SHORT_TITLES}]|工(?![作资地程人期具业种序])|总(?![是算共要会数额量结之体价有觉在])|队(?![伍友])"
)
# 高峰是我们楼的楼长, 高原（13404730118）
_OF_PERSON = re.compile(
    rf"是(?!否)[\u4e00-\u9fff]{{0,6}}?(?:{lists.CUES})|(?:的|他|她)?(?:电话|手机|微信|QQ|qq|扣扣)"
    r"|[（(，, :：]{0,2}(?:电话|手机|微信|QQ|qq)?[号码:： ]{0,3}1[3-9][0-9]{5}"
)
_ROLES = frozenset(lists.CUES.split("|"))
_OF_PERSON_WEIGHT = 5.0
# Measures begin no name: 2栋和3栋.
_MEASURE = re.compile("(?<=[0-9一二三四五六七八九十])[栋幢座层楼号期区户]")
# My own 二嫂子 is nobody's in particular, and of 马四哥 the surname is the name.
_NO_KINSHIP_BEHIND = frozenset("我你他她俺咱们家") | _FREQUENT
# Streets, inns and shops are called after people too, and whoever repairs must find them.
_OF_PLACE = re.compile(lists.NAMED_AFTER_PEOPLE)


@dataclass(frozen=True, slots=True)
class _Part:
    """Part of a text: where it ends, how likely it is, and up to where it is a name."""

    end: int
    likelihood: float
    name_end: int | None = None


@dataclass(frozen=True, slots=True)
class _Connected:
    """Places where a name would begin or end that stands in one enumeration with a name."""

    starts: frozenset[int]
    ends: frozenset[int]

    @classmethod
    def of(cls, text: str, names: list[tuple[int, int]]) -> Self:
        starts = frozenset(end + 1 for _start, end in names if text[end : end + 1] in _CONNECTORS)
        return cls(
            starts, frozenset(start - 1 for start, _end in names if text[max(start - 1, 0) : start] in _CONNECTORS)
        )

    def is_within(self, first: int, last: int) -> bool:
        return any(place in self.starts or place in self.ends for place in range(first, last + 1))


_ALONE = _Connected(frozenset(), frozenset())


def likely_names(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the most likely division of the text has names; blanked places are no Chinese characters."""
    runs = [run.span() for run in _RUN.finditer(text)]
    names = {run: _names_of(text, *run, _ALONE) for run in runs}
    # A name that was found speaks for what it is connected with.
    connected = _Connected.of(text, [name for found in names.values() for name in found])
    for run in runs:
        yield from _names_of(text, *run, connected) if connected.is_within(*run) else names[run]


def _names_of(text: str, first: int, last: int, connected: _Connected) -> list[tuple[int, int]]:
    """Return the names between two places of the text."""
    behind = {end: _behind(text, end) + _BESIDE_NAME * (end in connected.ends) for end in range(first, last + 1)}
    best = {first: 0.0}
    chosen: dict[int, tuple[int, _Part]] = {}
    for start in range(first, last):
        for part in _parts(text, start, last, behind, _BESIDE_NAME * (start in connected.starts)):
            likelihood = best[start] + part.likelihood
            if likelihood > best.get(part.end, -math.inf):
                best[part.end], chosen[part.end] = likelihood, (start, part)
    names, place = [], last
    while place > first:
        start, part = chosen[place]
        if part.name_end is not None:
            names.append((start, part.name_end))
        place = start
    return names[::-1]


def _parts(text: str, start: int, last: int, behind: dict[int, float], connected: float) -> Iterator[_Part]:
    """Yield the words and names that may begin here; `behind` has what places say for a name before them."""
    for end in range(start + 1, min(start + _LONGEST_WORD, last) + 1):
        likelihood = _word(text[start:end])
        if likelihood is not None:
            yield _Part(end, likelihood)
    if text[start] in NEVER_FIRST or _MEASURE.match(text, start):
        return
    before = _before(text, start) + connected
    yield from _surname_alone(text, start, last, before)
    for end in range(start + 2, min(start + _LONGEST_ROW, last) + 1):
        if text[end : end + 1] == "们":
            # Of many: 老铁们.
            continue
        name = text[start:end]
        likelihood = max(_han_name(name), _nickname(name), _given_alone(name), _transcribed(name))
        likelihood = max(likelihood, _called_a_word(name) + _around_a_word(text, start, end, before, behind[end]))
        if text[start - 1 : start] not in _NO_KINSHIP_BEHIND:
            likelihood = max(likelihood, _called_by_kinship(name))
        if len(name) > 3 and name[0] in SURNAMES:
            likelihood = max(likelihood, _transcribed(name[1:]) + SURNAMES[name[0]])
        if likelihood > -math.inf:
            if before >= WEIGHTS_BEFORE["业主"] and text[start - 1] in ":：" and end == last:
                likelihood += _WHOLE_ENTRY
            is_of_place = _OF_PLACE.match(text, end) is not None
            yield _Part(end, likelihood + before + behind[end], None if is_of_place else end)


@lru_cache(maxsize=16_384)
def _word(word: str) -> float | None:
    if len(word) > 1 and word in COMMUNITY_WORDS:
        return COMMUNITY_WORDS[word]
    if len(word) > 1 and not rjieba.has_word(word):
        return None
    likelihood = math.log(rjieba.suggest_freq(word)) - _ALL_WORDS
    is_of_namesake = len(word) == 3 and _han_name(word) > _LIKELY_NAME and rjieba.tag(word) == [(word, "nr")]
    return likelihood + _NAMESAKE if is_of_namesake else likelihood


def _surname_alone(text: str, start: int, last: int, before: float) -> Iterator[_Part]:
    """Yield a surname with a title, of which only the surname is a name: 王姐, 欧阳大爷, 隔壁鲁家."""
    for end in (start + 1, start + 2):
        likelihood = SURNAMES.get(text[start:end])
        if likelihood is None:
            continue
        likelihood += _SURNAME_ALONE + before
        if title := _TITLE.match(text, end, last):
            likelihood += WEIGHTS_BEHIND["先生"] + _WHOLE_TITLE + _word_or_rare(title[0])
            yield _Part(title.end(), likelihood, end)
        elif title := _SHORT_TITLE.match(text, end, last):
            likelihood += _behind(text, title.end()) + _SHORT_TITLES.get(title[0], _OTHER_SHORT_TITLE)
            yield _Part(title.end(), likelihood, end)
        elif before >= WEIGHTS_BEFORE["隔壁"] and text[end : end + 1] == "家" and text[start] in _FREQUENT:
            yield _Part(end + 1, likelihood + _OTHER_SHORT_TITLE, end)


def _word_or_rare(word: str) -> float:
    likelihood = _word(word)
    return _RARE_WORD if likelihood is None else likelihood


@lru_cache(maxsize=16_384)
def _han_name(name: str) -> float:
    width = 2 if name[:2] in SURNAMES else 1
    surname, given = SURNAMES.get(name[:width]), name[width:]
    if surname is None or not 1 <= len(given) <= 2 or not NEVER_IN_NAMES.isdisjoint(given):
        return -math.inf
    length = _ONE_GIVEN if len(given) == 1 else _TWO_GIVEN
    ending = _ENDING_OTHERWISE if given[-1] in _SELDOM_LAST else 0.0
    return _HAN_NAME + surname + length + _given(given) + ending


def _around_a_word(text: str, start: int, end: int, before: float, behind: float) -> float:
    """Return what must be added to the weights around a word before it is taken for somebody's name."""
    begins, ends = not start or not _HAN.match(text[start - 1]), not _HAN.match(text[end : end + 1])
    # The edges of a sentence say nothing of a word, unless a label stands before it.
    edges = _EDGE * (begins and before == _EDGE) + _EDGE * (
        ends and behind == _EDGE and before < WEIGHTS_BEFORE["名叫"]
    )
    is_between_people = before >= WEIGHTS_BEFORE["业主"] and not ends and behind >= WEIGHTS_BEHIND["说"]
    is_called = before >= WEIGHTS_BEFORE["名叫"] or behind >= WEIGHTS_BEHIND["女士"]
    return _BETWEEN_PEOPLE * is_between_people + _CALLED_SO * is_called - edges


@lru_cache(maxsize=16_384)
def _called_a_word(name: str) -> float:
    """Return how likely a word of the dictionary is somebody's name because a surname begins it: 成功, 钟声."""
    surname = SURNAMES.get(name[0])
    if (
        surname is None
        or len(name) != 2
        or name[0] in lists.RARE_SURNAMES
        or name in COMMUNITY_WORDS
        or not rjieba.has_word(name)
    ):
        return -math.inf
    if rjieba.tag(name)[0][1] not in _TAGS_OF_WORDS_THAT_NAME:
        return -math.inf
    word = _word(name)
    return -math.inf if word is None else min(_CALLED_A_WORD + max(surname, _RAREST_NICKNAME), word + _RATHER_A_WORD)


@lru_cache(maxsize=16_384)
def _given(given: str) -> float:
    likelihood: float = sum(GIVEN.get(character, OTHER_GIVEN) for character in given)
    if len(given) < 2:
        return likelihood
    # 东升 is in the dictionary as a name; 哈桑 is written by its sounds.
    if rjieba.has_word(given) and rjieba.tag(given)[0][1] in _TAGS_OF_NAMES and all(map(GIVEN.get, given)):
        likelihood = max(likelihood, math.log(rjieba.suggest_freq(given)) - _ALL_WORDS + 1)
    if all(map(_FREQUENT_GIVEN.__contains__, given)):
        likelihood += _PAIRED
    if given in PARTS:
        likelihood = max(likelihood, PARTS[given] - 2)
    if all(map(SOUNDS.get, given)):
        likelihood = max(likelihood, sum(map(SOUNDS.__getitem__, given)) - 3)
    return likelihood


_NICKNAMES = re.compile(
    r"(?P<prefix>[老小阿])(?P<called>.)[头子儿]?"
    r"|(?P<surname>.)(?:老[大二三四五六七八九]|[大二小]嘴)"
    rf"|大(?P<trait>[{lists.TRAITS}])[子儿头]?"
    r"|[大二三傻胖铁狗栓](?P<child>[^一二三四五六七八九子])子?"
    r"|(?P<friend>.)子"
    r"|[大小]老(?P<known>.)"
)
_TRAITS = frozenset(lists.TRAITS)
_KINSHIP = re.compile(f"[{lists.TRAITS}](?:[哥姐嫂婶叔爷娘舅]|嫂子|婶子|姐夫|大爷|大妈)")


def _nickname(name: str) -> float:
    """Return how likely it is a nickname: 老赵, 小李子, 小芳, 王老五, 二强子, 强子."""
    found = _NICKNAMES.fullmatch(name) if len(name) <= 3 else None
    if found is None or not NEVER_IN_NAMES.isdisjoint(name[1:]):
        return -math.inf
    likelihoods = [-math.inf]
    if (found["trait"] or found["called"] or found["child"] or found["friend"]) in _TRAITS:
        likelihoods.append(_BY_TRAIT)
    if (surname := found["called"] or found["surname"] or found["known"]) in SURNAMES:
        likelihoods.append(max(SURNAMES[surname], _RAREST_NICKNAME))
    if found["prefix"]:
        likelihoods.append(GIVEN.get(found["called"], -math.inf) - (3 if found["prefix"] == "老" else 1))
    if found["child"]:
        likelihoods.append(GIVEN.get(found["child"], -math.inf) - 3)
    if found["friend"] in _FREQUENT_GIVEN:
        likelihoods.append(GIVEN[found["friend"]] - 1)
    return _NICKNAME + max(likelihoods) - (len(name) - 2)


def _called_by_kinship(name: str) -> float:
    """Return how likely it is what neighbours call somebody: 二嫂子, 胖婶."""
    return _NICKNAME + _BY_KINSHIP if _KINSHIP.fullmatch(name) else -math.inf


def _given_alone(name: str) -> float:
    """Return how likely it is a given name without a surname: 国栋, 聪聪."""
    if len(name) != 2 or not all(map(GIVEN.get, name)) or name[1] in NEVER_IN_NAMES:
        return -math.inf
    return _GIVEN_ALONE + (GIVEN[name[0]] - 1 if name[0] == name[1] else _given(name))


@lru_cache(maxsize=16_384)
def _transcribed(name: str) -> float:
    """Return how likely it is a Mongolian, Uyghur, Kazakh or Tibetan name: a row of its parts and sounds."""
    if name[-1] in _NEVER_LAST or name[-1] not in SOUNDS:
        return -math.inf
    others = sum(character not in SOUNDS for character in name)
    if others > 1 or len(name) < 2 + 2 * others:
        return -math.inf
    best = [0.0] + [-math.inf] * len(name)
    for start in range(len(name)):
        sound = SOUNDS.get(name[start], OTHER_SOUND)
        best[start + 1] = max(best[start + 1], best[start] + sound)
        for end in range(start + 2, min(start + 4, len(name)) + 1):
            part = PARTS.get(name[start:end])
            if part is not None:
                best[end] = max(best[end], best[start] + part)
    return _TRANSCRIBED + best[-1]


def _before(text: str, place: int) -> float:
    """Return how much what stands before a place speaks for a name there."""
    end = place
    while end and text[end - 1] in '：: 为“「"':
        end -= 1
    if text[end - 1 : end] == "叫" and any(text[max(end - 1 - length, 0) : end - 1] in _ROLES for length in (2, 3)):
        return WEIGHTS_BEFORE["名叫"]
    if text[end - 1 : end] in ("是", "叫") and WEIGHTS_BEFORE.get(text[max(end - 3, 0) : end - 1], 0) > 0:
        end -= 1
    cues = (text[max(end - length, 0) : end] for length in range(1, LONGEST_CUE + 1))
    weight = max(WEIGHTS_BEFORE.get(cue, 0.0) for cue in cues)
    if weight:
        return weight
    return _EDGE if not place or not _HAN.match(text[place - 1]) else NO_CUE


def _behind(text: str, place: int) -> float:
    """Return how much what stands behind a place speaks for a name before it."""
    weight = max(WEIGHTS_BEHIND.get(text[place : place + length], 0.0) for length in range(1, LONGEST_CUE + 1))
    if weight:
        return max(weight, _OF_PERSON_WEIGHT) if _OF_PERSON.match(text, place) else weight
    if _OF_PERSON.match(text, place):
        return _OF_PERSON_WEIGHT
    return _EDGE if place >= len(text) or not _HAN.match(text[place]) else 0.0
