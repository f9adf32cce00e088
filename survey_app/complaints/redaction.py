"""Redaction of personal data in a resident's words, before others see them.

Telephone and identity numbers, number plates, accounts, names and flat numbers are found by their form and hidden.
It is an aid and no guarantee: a name that has no title beside it stays readable, and the form says so. In doubt it
hides. A building and its entrance stay, since whoever repairs must find them.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Personal(StrEnum):
    """Kind of personal data that is hidden."""

    IDENTITY = "identity"
    TELEPHONE = "telephone"
    NUMBER = "number"
    PLATE = "plate"
    ACCOUNT = "account"
    NAME = "name"
    FLAT = "flat"


@dataclass(frozen=True)
class Piece:
    """Piece of a text; `hidden` says what stands in it, and nobody is to see it."""

    text: str
    hidden: Personal | None = None


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    kind: Personal


def split(text: str) -> tuple[Piece, ...]:
    """Split the text into pieces, which joined together are the text."""
    pieces, end = [], 0
    for span in _spans(_flattened(text)):
        if span.start > end:
            pieces.append(Piece(text[end : span.start]))
        pieces.append(Piece(text[span.start : span.end], span.kind))
        end = span.end
    if end < len(text):
        pieces.append(Piece(text[end:]))
    return tuple(pieces)


def redact(text: str, mark: str = "＊＊＊") -> str:
    """Return the text with a mark in place of whatever is hidden.

    >>> redact("我是3号楼2单元501的张三先生，电话138 0013 8000，车牌蒙C·12345")
    '我是3号楼2单元＊＊＊的＊＊＊先生，电话＊＊＊，车牌＊＊＊'
    """
    return "".join(mark if piece.hidden else piece.text for piece in split(text))


# ---- Every pattern is matched on a text of the same length, in which wide characters are plain, small ones capitals
# and Chinese digits digits. The plain text keeps its Chinese digits: 五 may be a number, and 王五 is a name. ----


@dataclass(frozen=True)
class _Flat:
    cased: str
    plain: str
    digits: str


_CHINESE_DIGITS = str.maketrans("〇零○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "0001234567891123456789")


def _flattened(text: str) -> _Flat:
    cased = "".join(map(_plain_character, text))
    plain = "".join(character.upper() if character.isascii() else character for character in cased)
    return _Flat(cased, plain, plain.translate(_CHINESE_DIGITS))


def _plain_character(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)
    if len(plain) != 1:
        return character
    return str(unicodedata.decimal(plain)) if plain.isdecimal() else plain


_SEPARATOR = r"[ \-‐-—_.·•]{0,2}"


def _spaced(pattern: str, count: int) -> str:
    """Return a pattern for so many repetitions with separators between them."""
    return rf"{pattern}(?:{_SEPARATOR}{pattern}){{{count - 1}}}"


_NOT_IN_NUMBER = r"(?<![0-9])"
_IDENTITY = re.compile(
    _NOT_IN_NUMBER + r"([1-9]" + _SEPARATOR + _spaced("[0-9]", 16) + _SEPARATOR + r"[0-9X])(?![0-9])"
)
_PHONE = re.compile(
    _NOT_IN_NUMBER
    + r"(?:\+?(?:00)?86[ \-]{0,2})?"
    + rf"(?:1{_SEPARATOR}[3-9]{_SEPARATOR}{_spaced('[0-9]', 9)}"
    + rf"|0{_SEPARATOR}[1-9](?:{_SEPARATOR}[0-9]){{1,2}}\)?(?:{_SEPARATOR}[0-9]){{7,8}}"
    + rf"|[48]00(?:{_SEPARATOR}[0-9]){{7}})"
    + r"(?![0-9])(?:[ \-]{0,2}(?:转|分机|EXT\.?)[ ]{0,2}[0-9]{1,6})?"
)
_LONG_NUMBER = re.compile(_NOT_IN_NUMBER + rf"[0-9](?:{_SEPARATOR}[0-9]){{6,}}+X?(?!元|块|万)")
_DATE = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12][0-9]|3[01])(?![0-9])")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使"
_PLATE = re.compile(
    rf"[{_PROVINCES}][ ]?[A-Z](?:[ ·•.\-]{{0,2}}[A-Z0-9]){{4}}(?:[ ·•.\-]{{0,2}}[A-Z0-9挂学警港澳]){{1,2}}"
    r"|(?<=车牌)(?:号码?)?[是为:： ]{0,2}[A-Z][ ·•.\-]?[A-Z0-9]{5,6}(?![A-Z0-9])"
)
_ACCOUNT = re.compile(
    r"[A-Z0-9._%+\-]+@[A-Z0-9\-]+(?:\.[A-Z0-9\-]+)+"
    r"|(?<=微信)号?[是为:： ]{0,3}[A-Z0-9][A-Z0-9_\-]{4,19}"
    r"|(?:(?<=QQ)|(?<=WX)|(?<=WECHAT))号?[是为:： ]{0,3}[A-Z0-9][A-Z0-9_\-]{4,19}"
)
# What follows a number that is no flat: 501室 is one, 501元 is not.
_MEASURE = r"(?![0-9]|[ ]?(?:年|月|日|元|块|天|米|个|次|人|度|瓦|户人|多|余|平|路|号文|公里|小时|分钟|%))"
_FLAT_NUMBER = r"[0-9]{3,4}"
_FLAT = re.compile(
    rf"(?:(?<=单元)|(?<=号楼)|(?<=号院)|(?<=栋)|(?<=幢)|(?<=座)|(?<=门洞)|(?<=[0-9]楼)|(?<=#)|(?<=#楼))"
    rf"[ \-,，的]{{0,2}}({_FLAT_NUMBER}{_MEASURE}(?:室|号房?|户|房|门)?)"
    rf"|(?<![0-9])({_FLAT_NUMBER})(?=[ ]?(?:室|房间|房(?!子|屋)|户(?!人|居)|号房|号门))"
    rf"|(?<=[0-9][\-‐-—])({_FLAT_NUMBER}){_MEASURE}"
    r"|(?<=[0-9]楼|[0-9]层)([东西南北中左右][边侧手]?[户门])"
    rf"|(?:(?<=FLAT )|(?<=ROOM )|(?<=APARTMENT ))({_FLAT_NUMBER})(?![0-9])"
)


def _spans(flat: _Flat) -> Iterator[_Span]:
    """Yield what is hidden, from left to right, no two overlapping: the first kind that claims a place has it."""
    taken = bytearray(len(flat.plain))
    claimed = []
    for span in _claims(flat):
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            claimed.append(span)
    yield from sorted(claimed, key=lambda span: span.start)


def _claims(flat: _Flat) -> Iterator[_Span]:
    for match in _IDENTITY.finditer(flat.digits):
        if is_identity_number(re.sub(r"[^0-9X]", "", match[1])):
            yield _Span(match.start(), match.end(), Personal.IDENTITY)
    for match in _PLATE.finditer(flat.plain):
        yield _Span(match.start(), match.end(), Personal.PLATE)
    for match in _ACCOUNT.finditer(flat.plain):
        yield _Span(match.start(), match.end(), Personal.ACCOUNT)
    for match in _PHONE.finditer(flat.digits):
        yield _Span(match.start(), match.end(), Personal.TELEPHONE)
    undated = _DATE.sub(lambda date: "年" * len(date[0]), flat.digits)
    for match in _LONG_NUMBER.finditer(undated):
        yield _Span(match.start(), match.end(), Personal.NUMBER)
    for match in _FLAT.finditer(flat.digits):
        yield _group_of(match, Personal.FLAT)
    yield from _names(flat.plain)
    for match in _ENGLISH.finditer(flat.cased):
        yield _group_of(match, Personal.NAME)


def _group_of(match: re.Match[str], kind: Personal) -> _Span:
    """Return the one group of several that took part."""
    group = match.lastindex or 0
    return _Span(match.start(group), match.end(group), kind)


def is_identity_number(digits: str) -> bool:
    """Return whether 18 characters are an identity number: its check digit is right (GB 11643, ISO 7064 MOD 11-2).

    >>> is_identity_number("11010519491231002X"), is_identity_number("110105194912310021")
    (True, False)
    """
    if len(digits) != 18:
        return False
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(digits[:17]))
    return "10X98765432"[total % 11] == digits[17]


# ---- Names: a surname and one or two characters, beside a word that says it is a name. ----

_COMPOUND = "欧阳|司马|上官|诸葛|夏侯|东方|皇甫|尉迟|公孙|慕容|长孙|宇文|司徒|令狐|呼延|端木|百里|南宫|独孤"
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于傅皮卞齐康伍余元顾孟黄穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪"
    "舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣邓"
    "郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊惠甄曲封芮储靳邴松井段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇"
    "栾暴甘厉祖武符刘景詹束龙叶幸司韶黎薄印宿白怀蒲从鄂索咸赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑"
    "桂濮牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧沃利蔚越"
    "夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾沙养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公付肖闫佟云苟涂代佘佴侴"
)
_SURNAME = rf"(?:{_COMPOUND}|[{_SURNAMES}])"
# As a surname these are rare and as an ordinary character before a title they are not: 物业公司主任, 工程师傅.
_TITLES = (
    "先生|女士|小姐|太太|师傅|阿姨|大爷|大妈|大娘|大姐|大哥|大叔|大婶|叔叔|奶奶|爷爷|伯伯|嫂子|同志|老师|医生|"
    "经理|主任|队长|班长|书记|会长|科长|局长|处长|总监|管家|会计|保安|保洁|老板|工程师"
)
# No given name holds these, and many a sentence goes on with them.
_GIVEN = r"(?![的了是说在都就又把被跟给很没吗呢吧不])[\u4e00-\u9fff]"
_BEFORE_TITLE = re.compile(rf"({_SURNAME}(?:{_GIVEN}){{0,2}}?)(?=(?:{_TITLES}))")
_AFTER_WORD = re.compile(
    rf"(?:(?<=叫做)|(?<=叫作)|(?<=我是)|(?<=本人)|(?<=姓名)|(?<=名字)|(?<=联系人)|(?<=业主)|(?<=住户)"
    rf"|(?<=租户)|(?<=邻居)|(?<=房东)|(?<=户主)|(?<=老板)|(?<=经理)|(?<=保安)|(?<=主任)|(?<=师傅))"
    rf"[是为叫:： 「“\"]{{0,2}}({_SURNAME}(?:{_GIVEN}){{1,2}})"
)
_CALLED = re.compile(rf"(?<=叫)[ 「“\"]?({_SURNAME}(?:{_GIVEN}){{1,2}})")
_SURNAMED = re.compile(rf"(?<=姓)[是为:： 「“\"]{{0,2}}({_SURNAME})")
_NICKNAME = re.compile(
    rf"((?:老|小|大)[{_SURNAMES}](?:头|子|儿)?)(?=(?:家|说|的|他|她|在|和|把|天天|经常|总是|[，。,.]|$))"
)
_ENGLISH = re.compile(
    r"\b(?:[Mm](?:r|rs|s|iss)|[Dd]r|[Mm]ister)\b\.? +([A-Za-z][A-Za-z'\-]+(?: [A-Z][a-z'\-]+)?)"
    r"|\b[Mm]y name is +([A-Za-z'\-]+(?: [A-Za-z'\-]+)?)"
    r"|\b(?:I am|I'm|named|called) +([A-Z][a-z'\-]+(?: [A-Z][a-z'\-]+)?)"
)
# Words that only look like a surname with something beside a title or after a word.
_NOT_NAMES = re.compile(
    "叫车|项目经理|安全经理|工程师傅|高级经理|总经理|常务经理|公司经理|公司主任|班组长|安保队长|"
    "管理员|车主|车辆|房子|房屋|房间|时候|高空|管道|管理|公共|公司|公示|公告|经常|经过|经理部|都是|都说|都不|别的|别人|"
    "安全|安装|方便|方面|路灯|路面|路边|水管|门口|东西|东边|全部|全都|全楼|应该|通知|通道|通过|都没|解决|解释|任何|任由|"
    "文明|明天|明显|连续|连接|相关|相应|后来|后面|关于|关门|广场|广告|单元|单位|国家|居民|成员|高层|高楼|能够|能不能|"
    "干什么|干净|从来|从去年|满意|空调|空地|双方|白天|温度|和谐|充电|养狗|计划|常年|常常|查看|查询|须知|易燃|边上|支持|万一"
)


def _names(plain: str) -> Iterator[_Span]:
    """Yield what looks like a name; words that only look like one are blanked first."""
    text = _NOT_NAMES.sub(lambda word: "\0" * len(word[0]), plain)
    for pattern in (_BEFORE_TITLE, _AFTER_WORD, _CALLED, _SURNAMED, _NICKNAME):
        for match in pattern.finditer(text):
            yield _Span(match.start(1), match.end(1), Personal.NAME)
