"""Telephone numbers, whatever signs stand between their digits and whichever way the digits are written."""

import re
from collections.abc import Iterator
from itertools import pairwise

from survey_app.complaints.personal_data.numbers import OF_FILE
from survey_app.complaints.personal_data.patterns import MOMENT, behind, is_moment, is_public_number
from survey_app.complaints.personal_data.readings import Reading, Readings
from survey_app.complaints.personal_data.spans import Personal, Span

# Any few signs that are neither letters nor digits, line ends among them.
_GAP = r"[\W_]{0,3}"
_COUNTRY = r"(?:\(?(?:\+|00)?86[\W_]{0,2})?"
_MOBILE = re.compile(rf"(?<![0-9]){_COUNTRY}(1{_GAP}[3-9](?:{_GAP}[0-9]){{9}})(?![0-9])")
# Three groups may have a few words between them: 前三位138，中间4731，后面2345.
_WORDS = r"(?:[^0-9元年月日号楼层栋户万块点时分]|(?<![0-9])4位){1,8}"
_MOBILE_IN_WORDS = re.compile(rf"(?<![0-9])(1[3-9][0-9]{_WORDS}[0-9]{{4}}{_WORDS}[0-9]{{4}})(?![0-9])")
_MASKED = re.compile(r"(?<![0-9])1[3-9][0-9][*X×●•·○◯□?_]{2,6}[0-9]{2,4}(?![0-9])", re.IGNORECASE)
# 400 800 1200元 and 2012345.67元 are sums.
_NO_COUNT = r"(?![0-9]|\.[0-9]|[ ]?(?:元|块|万|千|百|平|度|吨|户|人|年|%))"
# A digit that stands alone and counts what follows, such as 3号楼 and 8:00, is no eighth digit of a number.
_NOT_OF_NEXT = r"(?!(?<=[^0-9][0-9])[ ]?(?:[号栋楼层幢室户人家次个台部点月年日天米元块]|单元|小时|分钟|:[0-9]{2}))"
# Without its area code a landline is any seven or eight digits, told by what stands beside it.
_LOCAL = rf"[2-8](?:[ \-—.·]{{0,2}}[0-9]){{6}}(?:[ \-—.·]{{0,2}}[0-9]{_NOT_OF_NEXT})?{_NO_COUNT}"
# Behind a day that more digits belong to: such a number only looks like one.
_LAST = r"(?![ \-—.·]{0,2}[0-9])"
# What comes behind a landline: 转8012, 分机801, *801 of a switchboard, or another number. 转3号楼 passes a case on.
_MORE = (
    r"(?:[ \-,，、(（]{0,2}(?:转|分机|内线|EXT\.?)(?:分机|内线)?号?[ :：是为]{0,2}[0-9]{1,6}+"
    r"(?!号[楼栋]|[栋楼次]|分(?!机))|[ ]?[*#\-—][ ]?[0-9]{1,5}+(?![ ]?[:：号栋楼年月]))?"
    rf"(?:[ ]?[、/,，;；或和及][ ]?(?!{MOMENT}{_LAST}){_LOCAL}){{0,4}}"
)
# No landline begins with 1 behind its area code: 0473-12345 is an office, and what follows it is another matter.
_NO_OFFICE = r"(?!0(?:10|2[0-9]|[3-9][0-9]{2})[\W_]{0,3}1[0-9]{2,4}(?![0-9]))"
_LANDLINE = re.compile(
    rf"(?<![0-9]){_COUNTRY}"
    rf"(?:{_NO_OFFICE}\(?0[1-9][0-9]{{1,2}}{_GAP}[2-9](?:{_GAP}[0-9]){{6}}(?:{_GAP}[0-9]{_NOT_OF_NEXT})?"
    rf"|\+?(?:00)?86[ \-]{{0,2}}\(?[1-9][0-9]{{1,2}}\)?[ \-]{{0,2}}[2-9](?:[ \-]?[0-9]){{6}}"
    rf"(?:[ \-]?[0-9]{_NOT_OF_NEXT})?"
    rf"|0[ \-.·]?[1-9](?:[ \-.·]?[0-9]){{8}}(?:[ \-.·]?[0-9]{_NOT_OF_NEXT}){{0,2}}"
    rf"|[48]00(?:[ \-_.·]{{0,2}}[0-9]){{7}}{_NO_COUNT})"
    rf"(?![0-9]){_MORE}"
)
_BEFORE = "[ ,，(（]{0,2}(?:是|这个?|那个?)?(?:我家?|物业)?的?(?:固定)?(?:电话|座机|固话|传真|总机)"
# Each with the number as its group.
_BY_NEIGHBOURS = tuple(
    re.compile(pattern + _MORE)
    for pattern in (
        behind("电话|手机|座机|固话|短号|小号|号码|联系方式|致电|回电|拨打|TEL|PHONE|MOBILE|CALL")
        + r"(?:号码?|NUMBER)?[是为打:：， ,(（.\n]{0,3}"
        + rf"([0-9](?:[ \-—/.·]{{0,2}}[0-9]){{4,14}}{_NO_COUNT})",
        behind("电话|座机|固话|号码|拨打|传真")
        + rf"[是为:：， ]{{0,2}}([2-8][0-9]{{2}}[\W_]{{1,3}}[0-9]{{4}}{_NO_COUNT})",
        behind(
            "打|拨|呼叫|联系|联系人|找|回|回复|传真|热线|总机|小灵通|值班室|办公室|单位|区号|家|家里|先生|女士|师傅|FAX"
        )
        + rf"[了过给通到个我他她:：是为， ,(（\n]{{0,3}}({_LOCAL})",
        rf"(?<![0-9])({_LOCAL})(?={_BEFORE})",
        rf"(?<![0-9])({_LOCAL})(?=[ \-,，、(（]{{0,2}}(?:转|分机|内线|EXT|[*#])[^0-9]{{0,4}}[0-9])",
        behind("分机|内线") + r"号?[ :：是为]{0,2}([0-9]{3,6}+(?![号栋楼元]))",
    )
)
_HOMOPHONES = re.compile(
    "[一幺要腰妖衣依医伊壹1I][三叁散伞山四死肆似五舞午武六溜留刘陆七期齐奇柒八吧爸捌九酒久玖3-9]"
    "[零灵另铃洞〇0O一幺衣依医伊壹1I二两耳贰2三叁散伞山3四死肆似4五舞午武5六溜留刘陆6七期齐奇柒7八吧爸捌8九酒久玖9]{9}"
)


def telephones(readings: Readings) -> Iterator[Span]:
    """Yield telephone numbers."""
    for reading in (readings.digits, readings.spoken):
        yield from _mobiles(reading)
        yield from (reading.span(match, Personal.TELEPHONE) for match in _LANDLINE.finditer(reading.text))
    plain, digits = readings.plain, readings.digits
    for match in (match for pattern in _BY_NEIGHBOURS for match in pattern.finditer(digits.text)):
        is_of_file = OF_FILE.search(digits.text, max(match.start() - 12, 0), match.start(1)) is not None
        if not (is_of_file or is_moment(match[1]) or is_public_number(match[1])):
            yield digits.between(match.start(1), match.end(), Personal.TELEPHONE)
    for pattern in (_MASKED, _HOMOPHONES):
        yield from (plain.span(match, Personal.TELEPHONE) for match in pattern.finditer(plain.text))


def _mobiles(reading: Reading) -> Iterator[Span]:
    for match in _MOBILE.finditer(reading.text):
        if _is_one_number(match[1]):
            yield reading.span(match, Personal.TELEPHONE)
    for match in _MOBILE_IN_WORDS.finditer(reading.text):
        yield reading.span(match, Personal.TELEPHONE, 1)


_SOFT = frozenset(" -_.·•‐‑‒–—―−\n()[]{}<>【】〔〕《》「」")
# How people group the eleven digits; in such groups any signs may stand between.
_GROUPS = frozenset(
    {
        (3, 4, 4),
        (3, 8),
        (7, 4),
        (3, 3, 5),
        (4, 4, 3),
        (4, 3, 4),
        (3, 5, 3),
        (5, 6),
        (6, 5),
        (4, 7),
        (8, 3),
        (2, 3, 3, 3),
    }
)


def _is_one_number(text: str) -> bool:
    """Return whether eleven digits with signs between are one number and no list, such as 1、3、5、6楼."""
    groups = re.findall("[0-9]+", text)
    values = [int(group) for group in groups]
    if len(values) > 3 and all(low < high for low, high in pairwise(values)):
        return False
    gaps = {gap.replace(" ", "") for gap in re.findall("[^0-9]+", text)}
    return len(gaps) <= 1 or set("".join(gaps)) <= _SOFT or tuple(map(len, groups)) in _GROUPS
