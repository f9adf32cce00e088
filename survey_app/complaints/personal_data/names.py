"""Names of persons: Chinese, Mongolian, Uyghur and Kazakh ones in Chinese characters, and names in other scripts."""

import re
from collections.abc import Iterator

from survey_app.complaints.personal_data import name_lists as lists
from survey_app.complaints.personal_data.likely_names import likely_names
from survey_app.complaints.personal_data.patterns import behind
from survey_app.complaints.personal_data.readings import Reading, Readings
from survey_app.complaints.personal_data.spans import Personal, Span
from survey_app.complaints.personal_data.transcribed_names import transcribed_names

_HAN = "\u4e00-\u9fff"
_SURNAME = rf"(?:{lists.COMPOUND_SURNAMES}|[{lists.SURNAMES}])"
_BOUNDARY = rf"(?=[，。,.;；、!！?？:：\s）)“”\"\[]|$|{lists.TITLES}|电话|手机|住|家|的|和|在|说|反映|身份证|地址|微信)"
_SIGN = r"[是为叫:： 「“\"]{0,2}"

# Behind these words stands a name, however unlikely it is one.
_LABELLED = tuple(
    re.compile(pattern)
    for pattern in (
        (
            rf"{behind(lists.STRONG_CUES)}[是为叫]?[:： ]{{1,2}}(?!保密|匿名|不详|不便|同上|物业|业主|无|略)"
            rf"([{_HAN}]{{2,4}}){_BOUNDARY}"
        ),
        # 我姓段
        rf"(?<=姓)(?<!百姓){_SIGN}({_SURNAME})(?!名)",
        rf"(?<=姓)(?<!百姓){_SIGN}([{lists.RARE_SURNAMES}]){_BOUNDARY}",
        # 免贵姓晋, whatever the character
        rf"(?:(?<=[我贵她他]姓)|(?<=本人姓)){_SIGN}([{_HAN}]){_BOUNDARY}",
        rf"([{lists.FREQUENT_SURNAMES}]某{{1,2}})",
    )
)
# Mongolian, Cyrillic and Arabic script, in which residents of the city write names too.
_OTHER_SCRIPTS = tuple(rf"[{first}-{last}]{{2,30}}" for first, last in ("Ѐӿ", "᠀᢯", "؀ۿ"))
# 住建发〔2021〕38号: offices that number their papers.
_OFFICES = re.compile(rf"[{_HAN}]{{1,4}}[发字函办规政通](?=[〔\[(（【]20[0-9]{{2}}[〕\])）】])")
_WORD = r"[A-Za-z][A-Za-z'\-]{1,20}"
# Between words of another script one word of these is somebody's name.
_LONE = re.compile(
    "|".join(
        rf"(?<![{letters}])(?<![{letters}][ ,])[{letters}]{{3,30}}(?![ ,]{{0,2}}[{letters}])"
        for letters in ("Ѐ-ӿ", "᠀-᢯\u200d\u202f", "؀-ۿ")
    )
)
_LETTERED = re.compile(
    rf"{behind('我叫|姓名|名字|名叫|联系人|投诉人|反映人|我是')}[是为叫:： ]{{0,2}}"
    rf"({'|'.join(f'{word}(?:[ ·•.]{word}){{0,2}}' for word in (_WORD, *_OTHER_SCRIPTS))})"
    rf"|(?<![A-Za-z])([A-Z]?[a-z][a-z'\-]{{1,20}}|{'|'.join(_OTHER_SCRIPTS)})[ ]?(?=(?:{lists.TITLES}))"
)
# Bayar说他打了四次: a name in letters among Chinese characters.
_AMONG_HAN = re.compile(
    rf"(?<![A-Za-z])(?!(?:{lists.ENGLISH_WORDS}|Wi-?[Ff]i|App|Apple|Vivo|Oppo|Huawei|Tesla)(?![A-Za-z]))"
    rf"([A-Z][a-z]{{2,14}})(?=说|告诉|让我|帮我|答应|家(?![电具])|住|都|两个?人|和[A-Z][a-z])"
)
_ENGLISH = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:[Mm](?:r|rs|s|iss)|[Dd]r|[Mm]ister)\b\.? +([A-Za-z][A-Za-z'\-]+(?: [A-Z][a-z'\-]+)?)",
        (
            r"\b(?:[Mm]y name is|[Ww]o jiao|[Ww]o de mingzi|[Xx]ing ?ming|[Mm]ing ?zi|[Ll]ian ?xi ?ren|[Mm]ini+ ner)"
            r"[:：, ]+(?:shi +|jiao +)?([A-Za-z'\-]+(?: [A-Z][a-z'\-]+)?)"
        ),
        rf"\b(?:{lists.ENGLISH_CUES})[,:]? +(?!(?:{lists.ENGLISH_WORDS})\b)([A-Z][a-z'\-]+(?: [A-Z][a-z'\-]+)?)",
        # Li Wei, Zhao Xiao-ming
        (
            rf"\b((?:{lists.SURNAMES_IN_LETTERS}) [A-Z][a-z]{{1,11}}(?:[ \-][A-Z][a-z]{{1,6}}|-[a-z]{{1,6}})?)\b"
            r"(?! (?:Road|Street))"
        ),
        r"\b(?:I am|I'm|named|called) +([A-Z][a-z'\-]+(?: [A-Z][a-z'\-]+)?)",
    )
)

_PLACES = re.compile(f"(?:{lists.PLACES})(?:[省市区县旗盟镇乡路街])?|[{_HAN}]家[沟湾庄村屯营堡坝店窑梁]")
_BRANDS = re.compile(lists.BRANDS)


def names(readings: Readings) -> Iterator[Span]:
    """Yield names; places and brands are blanked first."""
    spread = () if readings.joined.text == readings.plain.text else (readings.joined,)
    for reading in (readings.plain, *spread):
        text = _blanked(reading.text, _PLACES, _BRANDS, _OFFICES)
        yield from transcribed_names(reading, text)
        for start, end in likely_names(text):
            yield reading.between(start, end, Personal.NAME)
        for pattern in _LABELLED:
            yield from _groups(reading, pattern, text)
    cased = readings.cased
    for pattern in (_LETTERED, _AMONG_HAN, *_ENGLISH):
        yield from _groups(cased, pattern, cased.text)
    if re.search(f"[A-Za-z{_HAN}]", cased.text):
        yield from _groups(cased, _LONE, cased.text)


def _groups(reading: Reading, pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    """Yield the one group that took part in each match, or the whole match of a pattern without groups."""
    for match in pattern.finditer(text):
        yield reading.span(match, Personal.NAME, match.lastindex or 0)


def _blanked(text: str, *patterns: re.Pattern[str]) -> str:
    for pattern in patterns:
        text = pattern.sub(lambda word: "\0" * len(word[0]), text)
    return text
