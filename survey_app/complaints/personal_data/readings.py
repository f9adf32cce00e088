"""Readings of a text: what patterns are matched on, in which the many spellings of a sign are one.

A reading knows for each of its characters where that stands in the shown text, so it may be shorter (signs that are
not seen are left out) or longer (⑩ is 10). Chinese digits stay in the plain reading: 五 may be a number, and 王五 is a
name.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from survey_app.complaints.personal_data.spans import Personal, Span
from survey_app.security.text import is_unseen


@dataclass(frozen=True)
class Reading:
    """Text to match on; character i covers the shown text from `starts[i]` to `starts[i + 1]`."""

    text: str
    starts: tuple[int, ...]

    def span(self, match: re.Match[str], kind: Personal, group: int = 0) -> Span:
        """Return where the group of a match stands in the shown text."""
        return self.between(match.start(group), match.end(group), kind)

    def between(self, start: int, end: int, kind: Personal) -> Span:
        """Return where the characters from start to end stand in the shown text."""
        # The last character may be one of several that stand for a single sign.
        return Span(self.starts[start], max(self.starts[end], self.starts[end - 1] + 1), kind)

    def replaced(self, pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str]) -> "Reading":
        """Return a reading with every match replaced; the new characters share the places of the old ones."""
        parts, starts, end = [], list[int](), 0
        for match in pattern.finditer(self.text):
            new = replacement(match)
            parts += [self.text[end : match.start()], new]
            starts += self.starts[end : match.start()]
            places = self.starts[match.start() : match.end()]
            starts += [places[min(i * len(places) // max(len(new), 1), len(places) - 1)] for i in range(len(new))]
            end = match.end()
        return Reading("".join([*parts, self.text[end:]]), (*starts, *self.starts[end:]))

    def translated(self, table: dict[int, int]) -> "Reading":
        """Return a reading with single characters in place of single ones."""
        return Reading(self.text.translate(table), self.starts)


@dataclass(frozen=True)
class Readings:
    """All readings of one text, made when first asked for."""

    shown: str

    @cached_property
    def cased(self) -> Reading:
        """Return the text in one width and script, without signs that are not seen."""
        characters, starts = [], []
        for place, character in enumerate(self.shown):
            plain = _plain_character(character)
            characters.append(plain)
            starts += [place] * len(plain)
        return Reading("".join(characters), (*starts, len(self.shown)))

    @cached_property
    def plain(self) -> Reading:
        """Return the text with ASCII letters as capitals."""
        return self.cased.translated(_CAPITALS)

    @cached_property
    def joined(self) -> Reading:
        """Return the text with Chinese characters that were spread out set together: 乌 云 其 其 格."""
        return self.plain.replaced(_SPREAD, lambda run: re.sub(rf"[^{_HAN}]", "", run[0]))

    @cached_property
    def digits(self) -> Reading:
        """Return the text with Chinese numerals as digits: 五百零一 and 五〇一 are 501."""
        counted = self.plain.replaced(_COUNTING, lambda _counting: "个")
        return counted.replaced(_NUMERAL, _digits_of_numeral).translated(_CHINESE_DIGITS)

    @cached_property
    def counted(self) -> Reading:
        """Return the digits, but without Chinese ones that touch others: in 602一直漏 a new word begins."""
        return self.plain.replaced(
            _LONE_NUMERAL, lambda numeral: _NUMERAL.sub(_digits_of_numeral, numeral[0]).translate(_CHINESE_DIGITS)
        )

    @cached_property
    def spoken(self) -> Reading:
        """Return the text with digits as they are dictated: 洞 and O for 0, 拐 for 7, “yao san ba” for 138."""
        counted = self.plain.replaced(_COUNTING, lambda _counting: "个")
        spelled = counted.replaced(_SPELLED_RUN, lambda run: _SPELLED.sub(_digit_of_word, run[0]))
        worded = spelled.replaced(_WORD_OF_LETTERS, lambda word: word[0].lower())
        return worded.translated(_SPOKEN_DIGITS)


def _plain_character(character: str) -> str:
    if "!" <= character <= "~":
        return character
    if is_unseen(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return ""
    number = unicodedata.digit(character, None)
    # Superscripts and circled digits too, and the negative ones, which have no compatibility form.
    if number is not None:
        return str(number)
    if character != "\n" and character.isspace():
        return " "
    plain = unicodedata.normalize("NFKC", character).translate(_SIMPLIFIED)
    if len(plain) > 1:
        # ⑩ and ㈠ are digits; … and ⁗ stay one sign.
        return plain.translate(_NO_MARKS) if any(map(str.isalnum, plain)) else character
    return plain


_SIMPLIFIED = str.maketrans(
    "師業費長經書記會醫們號樓單電話戶棟層門機於聯繫瑪爾烏蘭圖麗薩達買寶龍馬劉張陳趙孫吳楊黃鄭馮許韓葉蘇呂盧蔣賈鄧蕭車貳參陸碼",
    "师业费长经书记会医们号楼单电话户栋层门机于联系玛尔乌兰图丽萨达买宝龙马刘张陈赵孙吴杨黄郑冯许韩叶苏吕卢蒋贾邓萧车贰叁陆码",
)
_NO_MARKS = {ord(mark): None for mark in "().,⁄"}
_CAPITALS = {ord(small): ord(small.upper()) for small in "abcdefghijklmnopqrstuvwxyz"}

_CHINESE_DIGITS = str.maketrans("〇零○一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖", "00012345678912123456789")
_SPOKEN_DIGITS = _CHINESE_DIGITS | str.maketrans("洞O腰妖吆邀IL俩舞溜拐勾", "0011111125679")
_UNITS = {"千": 1000, "仟": 1000, "百": 100, "佰": 100, "十": 10, "拾": 10}
# In “zai 3-1-1101” the I is no 1: it belongs to a word.
_WORD_OF_LETTERS = re.compile("[A-Z]*[A-HJKMNP-Z][A-Z]*")
_D = "[一二三四五六七八九两壹贰叁肆伍陆柒捌玖]"
_NUMERAL = re.compile(rf"(?={_D}|[十拾])(?:{_D}[千仟])?(?:[零〇]?{_D}[百佰])?(?:[零〇]?{_D}?[十拾])?(?:[零〇]?{_D})?")
# In 1001一滴水 and 甘A7B219一个月 a word begins with the 一.
_COUNTING = re.compile("(?<=[0-9])[一两](?=[个直次天滴点家定起边共样旦下辆台种部会块条年月到])")
_HAN = "\u4e00-\u9fff"
_SPREAD = re.compile(rf"(?<![{_HAN}])[{_HAN}](?:[ \-*_.·/|+~]{{1,2}}[{_HAN}]){{2,20}}(?![{_HAN}])")
_LONE_NUMERAL = re.compile("(?<![0-9])[〇零○一二三四五六七八九十百千两幺壹贰叁肆伍陆柒捌玖拾佰仟]{1,12}(?![0-9])")
_SPELLED_WORDS = {
    **dict.fromkeys(("LING", "DONG", "ZERO", "OH"), "0"),
    **dict.fromkeys(("YAO", "YI", "ONE"), "1"),
    **dict.fromkeys(("ER", "LIANG", "TWO"), "2"),
    **dict.fromkeys(("SAN", "THREE"), "3"),
    **dict.fromkeys(("SI", "FOUR"), "4"),
    **dict.fromkeys(("WU", "FIVE"), "5"),
    **dict.fromkeys(("LIU", "SIX"), "6"),
    **dict.fromkeys(("QI", "GUAI", "SEVEN"), "7"),
    **dict.fromkeys(("BA", "EIGHT"), "8"),
    **dict.fromkeys(("JIU", "GOU", "NINE"), "9"),
}
_WORD = "|".join(sorted(_SPELLED_WORDS, key=len, reverse=True))
_SPELLED = re.compile(_WORD)
# So many in a row are no words of a language any more.
_SPELLED_RUN = re.compile(rf"(?<![A-Z])(?:(?:{_WORD}|[0-9])[ \-,，、.]{{0,2}}){{7,24}}")


def _digit_of_word(word: re.Match[str]) -> str:
    return _SPELLED_WORDS[word[0]]


def _digits_of_numeral(numeral: re.Match[str]) -> str:
    """Return the value of a numeral with units as digits; a row of bare digits is left to translation."""
    text = numeral[0]
    if not any(unit in text for unit in _UNITS):
        return text
    value, digit, unit = 0, 1 if text[0] in "十拾" else 0, 1
    for character in text:
        if character in _UNITS:
            unit = _UNITS[character]
            value, digit, unit = value + max(digit, 1) * unit, 0, unit // 10
        else:
            digit = int(character.translate(_CHINESE_DIGITS))
            # 一千五 is 1500, 一千零五 is 1005.
            unit = unit if digit else 1
    return str(value + digit * max(unit, 1))
