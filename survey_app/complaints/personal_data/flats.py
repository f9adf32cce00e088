"""Flat numbers. A building and its entrance stay where words name them, since whoever repairs must find them."""

import re
from collections.abc import Iterator

from survey_app.complaints.personal_data.patterns import behind
from survey_app.complaints.personal_data.readings import Readings
from survey_app.complaints.personal_data.spans import Personal, Span

# What follows a number that is no flat: 501室 is one, 501元 is not.
_MEASURE = (
    r"(?![0-9]|[.:][0-9]|[ ]?(?:年|月|日|元|块|天(?!天)|米|个|次|人|度|瓦|户人|户居|多|余|平|路|号文|公里|小时|分钟|%"
    r"|M2|万|千|百|亿|吨|斤|辆|台|部|棵|盏|张|份|条|栋|层|厘米|公分|毫米|级|届|页|种|分|秒|岁|期|套|家商|家企|家店|方))"
)
_NUMBER = r"(?:[A-Z][ \-]?)?[0-9]{3,4}(?:[ \-]?[A-Z](?![A-Z0-9]))?"
# Number that reads as floor and door: 501, 1203, A1502, but not 300 or 1860.
_ROOM = (
    r"(?<![0-9A-Z])(?<![0-9][.:])(?:[A-Z][ \-]?)?(?:0?[1-9]|[1-9][0-9])(?:0[1-9]|1[0-6])(?:[ \-]?[A-Z](?![A-Z0-9]))?"
)
_ROOM_BEHIND_DASH = _ROOM.replace("(?<![0-9A-Z])(?<![0-9][.:])", "")
_SIDE = r"(?:[东西南北中左右][边侧手首面]?(?:第?[0-9])?[户门家室间])"
_GAP = r"[ \n\-－‐-―,，、的_/]{0,2}"
_DASH = r"[ ]?[-/.~、,，#_\\|:：\-‐-―−－—·杠一横加+*][ ]?"
_HOME = (
    "我家|家住|我住|住|住在|家在|我们家|咱家|俺家|额家|我家是|我家在|楼上|楼下|隔壁|对门|对面|邻居|斜对门|"
    "房号|房间号|门牌|门牌号|室号|地址|我是|户主|业主|租户|我们|我|家是|房客|房东|房间|那户|这户|备注|回到|敲|"
    "漏到|漏水到|渗到|渗水到|流到|滴到|泡了|淹了|影响到|"
    "俺是|额是|咱是|老房子|现住|址|门号|号房|租的|买的"
)
_WHO = (
    "业主|住户|邻居|租户|租客|房东|老太太|老人|老头|大爷|大妈|大娘|阿姨|大姐|大哥|孩子|娃|夫妻|小两口|家|他家|"
    "她家|那家|那户|这户|这家|老|小"
)
_DOING = "又|也|总|天天|半夜|经常|漏|没|不|一直|装修|养|说|反映|投诉|报修|太吵|家|楼上|楼下|住户|业主|被|在|把|是|，"
# 11-03-2026 is a day; the twentieth floor ends with 2009.
_NO_YEAR = "(?!19[1-9][0-9]|20[1-9][0-9])"
_APART = r"(?<![0-9.\-/])(?<![0-9]:)"
_SUFFIX = "(?:[东西南北中左右]?(?:室|号房?|户|房间?|门)|[东西](?![边侧门墙街区面])|)"

_FLATS = tuple(
    re.compile(pattern)
    for pattern in (
        # The place field holds a flat alone
        rf"^[ ]?({_ROOM})[ ]?$",
        # 3号楼2单元501室, A座1502, 5层501
        behind("单元|号楼|号院|栋|幢|座|门洞|梯|#|#楼|[A-Z]区")
        + rf"{_GAP}((?:[0-9]{{1,2}}(?:{_DASH}|[层楼]{_GAP}))?{_NUMBER}{_MEASURE}(?![ ]?户){_SUFFIX})",
        # 2号楼501户, but not 17栋，2064户
        behind("单元|号楼|栋|幢|座|#") + rf"([ ]?{_ROOM_BEHIND_DASH}户)(?!人|居|业)",
        # 22层03, 顶层2601
        rf"((?<![0-9])[0-9]{{1,2}}[楼层]0[1-9](?:室|户|号)?)(?![0-9:.]){_MEASURE}",
        rf"(?<=[顶底][层楼])[ ]?({_ROOM_BEHIND_DASH}{_MEASURE}{_SUFFIX})",
        rf"(?<=[0-9][楼层门]){_GAP}({_NUMBER}{_MEASURE}{_SUFFIX})",
        rf"(?<=[0-9]号)[ ]?({_ROOM}{_MEASURE}{_SUFFIX})",
        # 501室, A501房
        rf"(?<![0-9])({_NUMBER}[ ]?(?:室|房间|房(?!子|屋|价|款)|号房|号门))",
        rf"(?:(?<=[。，,!！?？；;、\n 住是家])|^)({_ROOM}户)(?!人|居|业|没交|欠|未|联名|签名|反对|同意|家)",
        # 3-2-501, 3/2/501, 3 2 501, 三杠二杠五零一
        rf"{_APART}([A-Z]?[0-9]{{1,2}}{_DASH}[0-9]{{1,2}}{_DASH}{_NO_YEAR}{_NUMBER}{_MEASURE}{_SUFFIX})",
        rf"{_APART}([A-Z]?[0-9]{{1,2}} [0-9]{{1,2}} {_ROOM}){_MEASURE}",
        # 1-1203
        rf"{_APART}([A-Z]?[0-9]{{1,2}}{_DASH}{_ROOM_BEHIND_DASH}){_MEASURE}",
        # 501号, 501和502
        rf"(?<![0-9第])({_ROOM}号)(?![楼院线路文门车机电桩])",
        rf"({_ROOM}(?:[ ]?[和、与及,，/跟][ ]?{_ROOM})+){_MEASURE}",
        # 6楼东户, 顶楼西门
        rf"(?<!第)(?<![0-9])((?:[0-9]{{1,2}}|顶|底)[楼层][ ]?(?:靠)?{_SIDE})",
        rf"(?<=单元)[ ]?({_SIDE})(?!口|厅)",
        r"(?<=楼[上下])的?([东西南北中左右]户)",
        r"(?<!第)(?<![0-9])([0-9]{1,2}[楼层]的?[东西中左右][边侧面头手]?)(?=的?[这那]?[户家])",
        # As people name themselves in groups: 1203李梅：
        rf"(?:^|\n)[ ]?({_ROOM})(?=[ ]?[\u4e00-\u9fff]{{2,4}}[ ]?[:：])",
        r"(?<!号)(?<![0-9])([0-9]{1,2}[楼层][东西中左右])(?=[，。,. \n]|$)",
        # 我家501, 楼上802
        behind(_HOME) + rf"(?:了|在|是|的|着|[:： \n，,「“（(]){{0,2}}({_ROOM}{_MEASURE}{_SUFFIX})",
        # 501的业主, 802天天蹦跳
        rf"({_ROOM})(?=[ ]?的?(?:{_WHO}))(?![ ]?家商|[ ]?家企|[ ]?家店|[ ]?家单位)",
        rf"(?:(?<=[。，,!！?？；;、\n ])|^)({_ROOM}){_MEASURE}(?=[ ]?(?:{_DOING}))",
        rf"{behind('FLAT|ROOM|APARTMENT|APT|UNIT')}[.:#]?[ ]{{0,2}}(?:IS |NUMBER |NO[.]? ?){{0,2}}({_NUMBER})(?![0-9])",
    )
)


def flats(readings: Readings) -> Iterator[Span]:
    """Yield flat numbers."""
    counted = readings.counted
    for pattern in _FLATS:
        for match in pattern.finditer(counted.text):
            yield counted.span(match, Personal.FLAT, 1)
