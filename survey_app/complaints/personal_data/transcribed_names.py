"""Mongolian, Uyghur, Kazakh and Tibetan names in Chinese characters.

Such a name is a row of parts that recur (乌云 + 其其格) and of characters that serve for sounds. A row with a part
that is a name of its own, or mostly of characters seldom used for anything but sounds, is a name anywhere; a softer row
is one where a word for a person stands beside it, or where it begins and ends as a name does.
"""

import re
from collections.abc import Iterator

from survey_app.complaints.personal_data import name_lists as lists
from survey_app.complaints.personal_data.patterns import behind
from survey_app.complaints.personal_data.readings import Reading
from survey_app.complaints.personal_data.spans import Personal, Span

_DOT = "[ ]?[·•・‧⋅∙．.\\-–—][ ]?"
_PARTS = f"{lists.STRONG_PARTS}|{lists.WEAK_PARTS}"
_SOUNDS = lists.SOUND_CHARACTERS + lists.SOFT_SOUND_CHARACTERS + lists.BETWEEN_CHARACTERS
# The look-ahead spares the engine most of the parts.
_UNIT = rf"(?:(?=[{''.join(sorted({part[0] for part in _PARTS.split('|')}))}])(?:{_PARTS})|[{_SOUNDS}])"
_ROWS = re.compile(rf"{_UNIT}{{1,10}}+(?:{_DOT}{_UNIT}{{1,10}}+){{0,2}}")
_UNITS = re.compile(rf"{_UNIT}|{_DOT}")
_STRONG = frozenset(lists.STRONG_PARTS.split("|"))
_WEAK = frozenset(lists.WEAK_PARTS.split("|"))

_BEFORE = "叫|和|跟|与|是|给|问|找|让|听|被|把|由|向|对|请|及|谢|到|见|有|姓名|户主|写"
_BEGINS = re.compile(rf"(?<![\u4e00-\u9fff])|{behind(f'{lists.CUES}|{_BEFORE}')}")
_ENDS = re.compile(
    rf"(?:{lists.TITLES})|[家说在的和，。,、！!？?；;：:\s）)与跟]|$|您好|你好|反映|投诉|也|都|同意|可以|负责|已|没|天天|一直|总|老|不|让|"
    r"两|俩|等|叫|打|找|来|去|每|被|把|用|常|到|还|又|要|会|是|拿|自己|他|她|一|们|核|了|过|签|跑|住|开|联|作证|今|昨|上|下|从|向|给|收|修|[0-9一二三四五六七八九十]"
)
_TITLED = re.compile(f"(?:{lists.PERSONAL_TITLES})")
_NAMED = re.compile(behind("我叫|名叫|姓名|姓名:|姓名是|姓名 |联系人|联系人:|名字|名字是|户主:|人:"))
# Streets, inns and villages are called after nobody who lives there.
_OF_PLACE = re.compile(lists.NAMED_AFTER_PEOPLE)
# A last character that rather begins the next word: 莎日娜合租.
_OTHER_WORD = re.compile(
    "合[租同理格作住伙]|提[出醒供前交过到]|加[装上强了班]|热[水得天]|达[到不成]|那[个天么里边]|图[便省什]|木[头门板]|布[置告]|江[边水]|力[气度]|"
    "扩[建大]|胡[说乱闹]|登[记门]|增[加多]|买[了的菜]|卡[在住]|拉[着走住了来]|特[别意]|格[外]|赛[过]|玩[的]|扎[在]|托[人]|呼[吁叫]|加[以]|察[觉看]"
)
_CUE = re.compile(lists.CUES)
_SURNAMES = frozenset(lists.FREQUENT_SURNAMES)


def transcribed_names(reading: Reading, text: str) -> Iterator[Span]:
    """Yield such names of the text, which is that of the reading with places and brands blanked."""
    for row in _ROWS.finditer(text):
        start, end = _trimmed(text, row)
        if end - start >= 2 and not _OF_PLACE.match(text, end) and _is_name(text, start, end):
            if start and text[start - 1] in _SURNAMES and _BEGINS.match(text, start - 1):
                start -= 1
            yield reading.between(start, end, Personal.NAME)


def _trimmed(text: str, row: re.Match[str]) -> tuple[int, int]:
    """Return the row without what more likely belongs to the words around it."""
    start, end = row.span()
    if (cue := _CUE.match(text, start, end)) is not None and end - cue.end() >= 2:
        # 门卫 ends with a sound too.
        start = cue.end()
    units = [unit[0] for unit in _UNITS.finditer(text, start, end)]
    begins = _BEGINS.match(text, start) is not None
    while units and units[0] in lists.BETWEEN_CHARACTERS and not (begins and units[0] in lists.FIRST_CHARACTERS):
        start, begins = start + len(units.pop(0)), False
    while units and units[-1] in lists.BETWEEN_CHARACTERS:
        if units[-1] in lists.LAST_CHARACTERS and _ENDS.match(text, end):
            break
        end -= len(units.pop())
    # 格日乐阿姨: the title begins with a sound.
    is_absorbed = end - start > 2 and (_TITLED.match(text, end - 1) or _OTHER_WORD.match(text, end - 1))
    return start, end - 1 if is_absorbed else end


def _is_name(text: str, start: int, end: int) -> bool:
    name = text[start:end]
    units = [unit[0] for unit in _UNITS.finditer(name)]
    weight = sum(map(_weight, units))
    if any(unit in _STRONG for unit in units) or (weight >= 2 and 2 * weight >= len(name) >= 3):
        return True
    if _TITLED.match(text, end):
        return len(name) >= 3 or weight >= 1
    if re.search(_DOT, name):
        return weight >= 1 and len(name) >= 4
    if not (_BEGINS.match(text, start) and _ENDS.match(text, end)):
        return False
    if len(name) == 2:
        return weight >= 2 or units[0] in _WEAK
    return weight >= 1 or not set(name) & set(lists.BETWEEN_CHARACTERS) or _NAMED.match(text, start) is not None


def _weight(unit: str) -> int:
    """Return how many characters of a unit are seldom used for anything but sounds."""
    if unit in _STRONG:
        return len(unit)
    return 1 if unit in _WEAK else sum(character in lists.SOUND_CHARACTERS for character in unit)
