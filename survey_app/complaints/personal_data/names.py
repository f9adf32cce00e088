"""Names of persons: Chinese, Mongolian, Uyghur and Kazakh ones in Chinese characters, and names in other scripts."""

import re
from collections.abc import Iterator

from survey_app.complaints.personal_data import name_lists as lists
from survey_app.complaints.personal_data.patterns import behind
from survey_app.complaints.personal_data.readings import Reading, Readings
from survey_app.complaints.personal_data.spans import Personal, Span
from survey_app.complaints.personal_data.transcribed_names import transcribed_names

_HAN = "\u4e00-\u9fff"
_SURNAME = rf"(?:{lists.COMPOUND_SURNAMES}|[{lists.SURNAMES}])"
_FREQUENT = rf"(?:{lists.COMPOUND_SURNAMES}|[{lists.FREQUENT_SURNAMES}])"
_GOES_ON = f"(?!{lists.GOING_ON})"
_ANY_GIVEN = rf"(?![的了是说在都就又把被跟给很没吗呢吧不]){_GOES_ON}[{_HAN}]"
_GIVEN = rf"{_GOES_ON}[{lists.GIVEN_CHARACTERS}]"
_TITLES = lists.TITLES
_BOUNDARY = rf"(?=[，。,.;；、!！?？:：\s）)“”\"\[]|$|{_TITLES}|电话|手机|住|家|的|和|在|说|反映|身份证|地址|微信)"

# A second character that given names seldom have is taken for one where the name ends behind it.
_WHOLE_NAME = rf"{_SURNAME}(?:{_GIVEN}){{2}}|{_FREQUENT}(?:{_ANY_GIVEN}){{1,2}}{_BOUNDARY}"
_NAME = rf"{_WHOLE_NAME}|{_SURNAME}{_GIVEN}|{_FREQUENT}{_ANY_GIVEN}"
_SIGN = r"[是为叫:： 「“\"]{0,2}"
_NICKNAME = rf"(?:老|小|大|阿)[{lists.FREQUENT_SURNAMES}]"

_CHINESE = tuple(
    re.compile(pattern)
    for pattern in (
        # 王先生, 张建国师傅, 那木先生
        (
            rf"(?<!保)({_FREQUENT}(?:{_ANY_GIVEN}){{0,2}}?|{_SURNAME}(?:{_GIVEN}){{0,2}}?)"
            rf"(?=(?:{_TITLES})(?!们|部|室|岗|亭))"
        ),
        # 王姐, 吴总, but 付总额 and 张工资 are none
        (
            rf"(?<![老小大]){_FREQUENT}(?=[{lists.SHORT_TITLES}]"
            r"|工(?![作资地程人期具业种])|总(?![是算共要会数额量结之体价有觉在])|队(?![伍长友]))"
        ),
        # 我是王五, 姓名：王五
        rf"{behind(lists.EXPLICIT_CUES)}{_SIGN}({_NAME})",
        rf"(?<=叫)[ 「“\"]?({_NAME})",
        rf"{behind(lists.CUES)}{_SIGN}({_FREQUENT}(?:{_GIVEN}){{1,2}})",
        (
            rf"{behind(lists.STRONG_CUES)}[是为叫]?[:： ]{{1,2}}(?!保密|匿名|不详|不便|同上|物业|业主|无|略)"
            rf"([{_HAN}]{{2,4}}){_BOUNDARY}"
        ),
        # 我姓段
        rf"(?<=姓)(?<!百姓){_SIGN}({_SURNAME})(?!名)",
        # 小周, 老赵头
        rf"({_NICKNAME}(?:头|子|儿)?)(?={lists.BEHIND_NICKNAMES})",
        rf"{behind(lists.CUES + '|找|问|让|叫|跟|是|投诉')}({_NICKNAME}(?:头|儿)?)(?![{_HAN}]?子)",
        rf"({_FREQUENT}某{{1,2}})",
        # Three characters that stand for a name wherever they are: 高海燕
        rf"(?<![小老大])([{lists.FREQUENT_SURNAMES}](?:{_GIVEN}){{2}})(?![{lists.ENDS_OF_PLACES}])",
    )
)
# Mongolian, Cyrillic and Arabic script, in which residents of the city write names too.
_OTHER_SCRIPTS = tuple(rf"[{first}-{last}]{{2,30}}" for first, last in ("Ѐӿ", "᠀᢯", "؀ۿ"))
_WORD = r"[A-Za-z][A-Za-z'\-]{1,20}"
_LETTERED = re.compile(
    rf"{behind('我叫|姓名|名字|名叫|联系人|投诉人|反映人|我是')}[是为叫:： ]{{0,2}}"
    rf"({'|'.join(f'{word}(?:[ ·•.]{word}){{0,2}}' for word in (_WORD, *_OTHER_SCRIPTS))})"
    rf"|(?<![A-Za-z])([A-Z]?[a-z][a-z'\-]{{1,20}}|{'|'.join(_OTHER_SCRIPTS)})[ ]?(?=(?:{_TITLES}))"
)
_ENGLISH = re.compile(
    r"\b(?:[Mm](?:r|rs|s|iss)|[Dd]r|[Mm]ister)\b\.? +([A-Za-z][A-Za-z'\-]+(?: [A-Z][a-z'\-]+)?)"
    r"|\b[Mm]y name is +([A-Za-z'\-]+(?: [A-Za-z'\-]+)?)"
    r"|\b(?:I am|I'm|named|called) +([A-Z][a-z'\-]+(?: [A-Z][a-z'\-]+)?)"
)

_PLACES = re.compile(f"(?:{lists.PLACES})(?:[省市区县旗盟镇乡路街])?")
_BRANDS = re.compile(lists.BRANDS)
_LOOK_ALIKES = re.compile(
    f"{lists.LOOK_ALIKES}|周[一](?![鸣凡帆诺笑])|白云(?![飞龙霞鹏])|国庆(?=节|假|期|前|后|放|那|当)"
)


def names(readings: Readings) -> Iterator[Span]:
    """Yield names; places, brands and words that only look like names are blanked first."""
    for reading in (readings.plain, readings.joined):
        placeless = _blanked(reading.text, _PLACES, _BRANDS)
        yield from transcribed_names(reading, placeless)
        text = _blanked(placeless, _LOOK_ALIKES)
        for pattern in _CHINESE:
            yield from _groups(reading, pattern, text)
    for pattern in (_LETTERED, _ENGLISH):
        yield from _groups(readings.cased, pattern, readings.cased.text)


def _groups(reading: Reading, pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    """Yield the one group that took part in each match, or the whole match of a pattern without groups."""
    for match in pattern.finditer(text):
        yield reading.span(match, Personal.NAME, match.lastindex or 0)


def _blanked(text: str, *patterns: re.Pattern[str]) -> str:
    for pattern in patterns:
        text = pattern.sub(lambda word: "\0" * len(word[0]), text)
    return text
