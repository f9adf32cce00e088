"""Numbers that lead to somebody: of identity cards, births, bank cards, number plates, and long ones of any sort."""

import re
from collections.abc import Iterator

from survey_app.complaints.personal_data.patterns import behind, is_public_number, without_moments
from survey_app.complaints.personal_data.readings import Readings
from survey_app.complaints.personal_data.spans import Personal, Span

_SOFT = r"[ \-‐-―−_.·•]{0,2}"
_GAP = r"[\W_]{0,3}"
_IDENTITY = re.compile(rf"(?<![0-9])([1-9](?:{_GAP}[0-9]){{16}}{_GAP}[0-9X×])(?![0-9])")
_PARTS_OF_IDENTITY = re.compile(
    r"(?:身份证|证件)(?:号码?)?(?:[前后末尾][0-9]?[位号]?数?字?)?[是为:： ]{0,2}([0-9]{3,17}[0-9X])(?![0-9])"
)
_PASSPORT = re.compile(r"(?<![A-Z0-9])(?:[EGDPSH][A-Z]?[0-9]{7,8})(?![0-9])")
_CARD = re.compile(rf"(?<![0-9])[3-69][0-9]{{3}}(?:{_GAP}[0-9]{{4}}){{2,3}}(?:{_GAP}[0-9]{{1,4}})?(?![0-9])")
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9](?:{_SOFT}[0-9]){{6,}}+X?(?![ ]?(?:元|块|万|年|平|度|吨|%))")
# Files, contracts, standards and companies have long numbers too, with letters before them.
OF_FILE = re.compile(
    r"(?:编号|单号|工单|合同号?|文号|票号|发票号码?|标准号|代码|型号|GB(?:/T)?|DB(?:[0-9]{2})?(?:/T)?)"
    r"[是为:： ]{0,2}[A-Z0-9\-/_.]{0,12}$",
    re.IGNORECASE,
)
_MASKED = r"[*X×●•·○◯□?#_]"
_MASKED_IDENTITY = re.compile(
    rf"(?<![0-9A-Z])(?:[1-8][0-9]{{2,13}}{_MASKED}{{3,14}}[0-9]{{0,6}}[0-9X]|[1-8][0-9]{{5,15}}{_MASKED}{{2,12}})(?![0-9])"
)
_DAY = (
    r"(?:(?:19|20)?[0-9]{2}[年\-./ ][ ]?(?:1[0-2]|0?[1-9])(?:[月\-./ ][ ]?(?:3[01]|[12][0-9]|0?[1-9])[日号]?|月)?"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:19|20)?[0-9]{2}年[ ]?(?:闰?[0-9一二三四五六七八九十]{1,2}|[正冬腊])月(?:初?[0-9一二三四五六七八九十廿]{1,3})?"
    r"|(?:1[0-2]|0?[1-9])月(?:3[01]|[12][0-9]|0?[1-9])[日号]?)"
)
_BIRTH = re.compile(
    rf"{behind('出生日期|出生年月日|出生年月|出生于|出生时间|出生|生于|生日|生辰|BIRTHDAY|DATE OF BIRTH|BORN|DOB')}"
    rf"(?:阴历|农历|阳历|公历)?[是为在:： ISON]{{0,4}}({_DAY})(?![0-9])"
    rf"|(?<![0-9])({_DAY})(?=[ ]?(?:出?生人?(?!效|产|活|锈|意)|生日|的生日))"
)
_ENDING = re.compile(r"尾号(?:后[0-9]位)?[是为:： ]{0,2}([A-Z0-9]{3,6})(?![A-Z0-9])")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_MARK = r"[\W_]{0,2}"
_PLATE = re.compile(
    # Three digits at least: 新APP is no plate.
    rf"(?:[{_PROVINCES}]|MENG){_MARK}[A-Z](?=(?:[\W_A-Z]{{0,4}}[0-9]){{3}})"
    rf"(?:{_MARK}[A-Z0-9]){{4}}{_MARK}[A-Z0-9挂学警港澳]"
    # 蒙C12345 3号楼 goes on with a building.
    r"(?:[A-Z0-9挂学警港澳]|[ ·•.\-]{1,2}[A-Z0-9挂学警港澳](?![A-Z0-9]*[号栋幢座]))?"
    rf"|{behind('车牌|车牌号|车牌号码|车号|牌照')}[是为:： ]{{0,2}}([A-Z]{{0,2}}[ ·•.\-]?[A-Z0-9]{{4,6}})(?![A-Z0-9])"
)


def numbers(readings: Readings) -> Iterator[Span]:
    """Yield identity numbers, dates of birth, number plates, bank cards and other long numbers."""
    digits = readings.digits
    for match in _IDENTITY.finditer(digits.text):
        if looks_like_identity_number(re.sub(r"[^0-9X]", "", match[1].replace("×", "X"))):
            yield digits.span(match, Personal.IDENTITY)
    for pattern, kind, group in (
        (_PARTS_OF_IDENTITY, Personal.IDENTITY, 1),
        (_MASKED_IDENTITY, Personal.IDENTITY, 0),
        (_PASSPORT, Personal.IDENTITY, 0),
        (_CARD, Personal.NUMBER, 0),
        (_ENDING, Personal.NUMBER, 1),
    ):
        yield from (digits.span(match, kind, group) for match in pattern.finditer(digits.text))
    for match in _BIRTH.finditer(digits.text):
        yield digits.span(match, Personal.BIRTH, match.lastindex or 0)
    for match in _PLATE.finditer(digits.text):
        yield digits.span(match, Personal.PLATE, match.lastindex or 0)
    yield from _long_numbers(readings)


def _long_numbers(readings: Readings) -> Iterator[Span]:
    for reading in (readings.digits, readings.spoken):
        undated = without_moments(reading.text)
        for match in _LONG_NUMBER.finditer(undated):
            span = reading.span(match, Personal.NUMBER)
            is_of_file = OF_FILE.search(undated, max(match.start() - 24, 0), match.start()) is not None
            if not (is_of_file or is_public_number(match[0]) or _is_list(readings.shown[span.start : span.end])):
                yield span


def _is_list(text: str) -> bool:
    """Return whether Chinese digits only count up: 一二三四五六七楼."""
    return text in "一二三四五六七八九"


def looks_like_identity_number(digits: str) -> bool:
    """Return whether 18 characters hold a day of birth at its place, or a right check digit."""
    return is_identity_number(digits) or bool(
        re.fullmatch(r"[1-8][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]", digits)
    )


def is_identity_number(digits: str) -> bool:
    """Return whether 18 characters are an identity number: its check digit is right (GB 11643, ISO 7064 MOD 11-2).

    >>> is_identity_number("11010519491231002X"), is_identity_number("110105194912310021")
    (True, False)
    """
    if len(digits) != 18:
        return False
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(digits[:17]))
    return "10X98765432"[total % 11] == digits[17]
