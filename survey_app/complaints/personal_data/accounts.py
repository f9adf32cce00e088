"""Accounts at which somebody can be written to: e-mail, WeChat, QQ, Douyin and the like, in their nicknames too."""

import re
from collections.abc import Iterator

from survey_app.complaints.personal_data.numbers import OF_FILE
from survey_app.complaints.personal_data.patterns import behind
from survey_app.complaints.personal_data.readings import Readings
from survey_app.complaints.personal_data.spans import Personal, Span

_S = r"[ \n]{0,2}"
_AT = r"(?:@{1,2}|[(\[【{<]A[T]?[)\]】}>]|[ _]AT[ _]|艾特|爱特|圈A|小老鼠|[#*&在])"
_DOT = r"(?:[.。．·,，、]|[(\[【{<]DOT[)\]】}>]|[ ]DOT[ ]|点)"
_LABEL = r"[A-Z0-9][A-Z0-9\-]{0,40}"
_HOSTS = "163|126|139|189|188|QQ|VIP|SINA|SOHU|GMAIL|OUTLOOK|HOTMAIL|FOXMAIL|YEAH|ALIYUN|ICLOUD|MSN|LIVE|YAHOO|TOM|21CN"
_TOP = "COM|CN|NET|ORG|EDU|GOV|INFO|ME|CC|IO|HK|TW|RU|MN|KZ|康姆?|TOP|XYZ|VIP"
_LOCAL = r"(?<![A-Z0-9._%+\-])[A-Z0-9._%+\-]{1,64}"
_EMAILS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"((?:{_LOCAL}|[\u4e00-\u9fff]{{1,4}}){_S}@{{1,2}}{_S}{_LABEL}(?:{_S}{_DOT}{_S}{_LABEL}){{0,4}})",
        # liumei艾特163点com, liumei#163.com
        rf"({_LOCAL}{_S}{_AT}{_S}(?:{_LABEL}{_S}{_DOT}{_S}){{1,3}}(?:{_TOP}))(?![A-Z])",
        rf"({_LOCAL}{_S}(?![#*&在]){_AT}{_S}(?:{_HOSTS}))(?![A-Z0-9])",
        rf"({_LOCAL}[ ](?:{_HOSTS}){_S}{_DOT}{_S}(?:{_TOP}))(?![A-Z])",
        (
            rf"{behind('邮箱|邮件|EMAIL|E-MAIL|MAILBOX')}(?:地址|号)?[是为:：, ]{{0,3}}"
            r"([A-Z0-9][A-Z0-9._\-]{4,40})(?![A-Z0-9@])"
        ),
    )
)
_LINK = re.compile(
    r"HTTPS?[:：]//[!-~]{3,200}|(?:V\.DOUYIN|V\.KUAISHOU|XHSLINK|WEIBO|U\.WECHAT)\.(?:COM|CN)/[!-~]{2,100}"
)

# Services, as people name them, with spaces between the signs too: 微 信, V X.
_SERVICES = (
    "微信|薇❤|威❤|❤信|WEI信|微XIN|DOU音|抖YIN|加我微|加我威|加我薇|加我卫|薇信|威信|维信|徽信|徵信|卫星|喂信|V信|V❤|微❤|"
    "W信|VX|WX|V我|WECHAT|WEIXIN|VXIN|加V|➕V|+V|家V|佳V|加微|加薇|加威|加卫|+微|➕微|绿泡泡|绿色软件|QQ|扣扣|"
    "抠抠|叩叩|球球|秋秋|企鹅|加Q|➕Q|+Q|Q号|V号|抖音|斗音|抖Y|DOUYIN|DY|TIKTOK|快手|KUAISHOU|KS|小红书|"
    "小红薯|XHS|微博|围脖|WEIBO|B站|BILIBILI|知乎|贴吧|头条|西瓜视频|视频号|钉钉|DINGTALK|陌陌|探探|支付宝|"
    "ALIPAY|闲鱼|WHATSAPP|TELEGRAM|飞机|电报|SKYPE|FACEBOOK|INSTAGRAM|TWITTER|SNAPCHAT|SIGNAL:|LINE:|LINE ID|"
    "TG|INS:"
)


def _loosely(service: str) -> str:
    """Return a pattern for the name of a service with spaces or dots between its signs."""
    return r"[ .·\-_]?".join(map(re.escape, service))


_SERVICE = rf"(?<![A-Z])(?:{'|'.join(map(_loosely, _SERVICES.split('|')))})(?![A-Z]*群)"
_LABELS = (
    r"号码?|账号|帐号|帐户|账户|ID|名字?|昵称|用户名?|信|加|联系|联络|交流|沟通|搜索?|找|我|的|也?是|为|叫|就|IS|NAME"
)
_FILLERS = rf"(?:{_LABELS}|[:：=,，;；、→>\-~(（「“\"'@|/ \n]|[\U0001f300-\U0001faff☞➡])"
# Words that may follow the name of a service without being anybody's handle.
_WORDS_OF_SERVICES = (
    r"(?!(?:APP|WIFI|LOGO|PAY|OK|NFC|VIP|H5|GROUP|AND|OR|NOT|THE|ARE|WAS|TO|IN|ON|NOBODY|HAS|HAVE|DOES|FOR|WITH|CODE"
    r"|ID|NO|IS|NAME)(?![A-Z0-9_\-]))"
)
_BEHIND_SERVICE = re.compile(
    rf"{_SERVICE}{_FILLERS}{{0,8}}?{_WORDS_OF_SERVICES}"
    r"([A-Z0-9_][A-Z0-9_.\-]{0,29}(?:[ ](?:[A-Z](?![A-Z])|[A-Z]{0,4}[0-9][A-Z0-9_.\-]{0,7})(?![A-Z0-9_])){0,12})"
)
# What somebody did there is no part of the nickname: @乌海老张发过视频.
_NO_DEED = "(?!发[过了的布出]|说过?|上传|转发|评论|已经)"
_NAMED_IN_CHINESE = re.compile(
    rf"{_SERVICE}(?:[:：]|(?:{_LABELS}){{1,2}}[ ]?[:：「“\"叫]|(?:名|昵称|账号|用户名)[ ]?[叫是]|[ ]?@)[ 「“\"]?"
    rf"([\u4e00-\u9fff](?:{_NO_DEED}[\u4e00-\u9fffA-Z0-9_·\-]){{1,14}})"
)
# 头条号乌海老兵, but 抖音号被封了
_CHINESE_NUMBER = re.compile(
    rf"{_SERVICE}号[ ]?([^\W\d_A-Za-z了被没不的是有在叫封停更忘换加看查群]{{3,8}})(?=[，。,.!！？? \n]|$)"
)
_BEFORE_SERVICE = re.compile(
    r"(?<![A-Z0-9_])([A-Z0-9_][A-Z0-9_.\-]{4,29})[ ]?(?:[(（,，]|是|就是|这是|为)[ ]?(?:我的?|本人)?[ ]?"
    rf"(?:{'|'.join(map(re.escape, _SERVICES.split('|')))})"
)
_SHORTENED = tuple(
    re.compile(pattern)
    for pattern in (
        # 我vtuya8899, v: tuya8899, wxid_…, 加我tuya8899, but no version, 版本号v2.3.1
        (
            r"(?<=[\u4e00-\u9fff])[VQ](?![0-9]{1,3}(?:[.][0-9]{1,3})+(?![0-9A-Z]))号?[是:：为 ]{0,3}"
            r"(?=[A-Z_.\-]{0,20}[0-9])([A-Z0-9_][A-Z0-9_.\-]{4,29})"
        ),
        r"(?<![A-Z0-9])[VQ][ ]?[:：=\-][ ]?([A-Z0-9][A-Z0-9_.\-]{3,29})",
        r"[薇威微卫徽维][信号]?[:：=][ ]?([A-Z0-9_][A-Z0-9_.\-]{4,29})",
        r"(?<![A-Z0-9])(WXID_[A-Z0-9_]{4,30})",
        r"(?:加我|联系我|找我|搜索?)[:： ]{0,2}(?=[A-Z_]{1,20}[0-9_])([A-Z][A-Z0-9_.\-]{5,29})",
    )
)
_MENTION = re.compile(
    r"(?<![A-Z0-9])@(?!物业|管家|客服|所有人|全体|ALL\b|[·\-])"
    rf"(?:{_NO_DEED}[A-Z0-9_\u4e00-\u9fff·\-]){{2,20}}"
)


def accounts(readings: Readings) -> Iterator[Span]:
    """Yield e-mail addresses, links and handles."""
    plain = readings.plain
    for reading in (plain, readings.digits):
        for pattern in _EMAILS:
            yield from (reading.span(match, Personal.ACCOUNT, 1) for match in pattern.finditer(reading.text))
    for pattern in (_LINK, _MENTION):
        yield from (plain.span(match, Personal.ACCOUNT) for match in pattern.finditer(plain.text))
    for match in _BEHIND_SERVICE.finditer(plain.text):
        is_of_file = OF_FILE.search(plain.text, max(match.start() - 12, 0), match.start() + 2) is not None
        if not is_of_file and _is_handle(plain.text, match):
            yield plain.span(match, Personal.ACCOUNT, 1)
    for pattern in (_NAMED_IN_CHINESE, _CHINESE_NUMBER, _BEFORE_SERVICE, *_SHORTENED):
        yield from (plain.span(match, Personal.ACCOUNT, 1) for match in pattern.finditer(plain.text))


def _is_handle(text: str, match: re.Match[str]) -> bool:
    """Return whether signs behind a service are a handle and no year, sum, plain word or end of a longer word."""
    signs, before = match[1].replace(" ", ""), text[match.start(1) - 1]
    if signs.isdigit():
        return len(signs) >= 5 and text[match.end(1) : match.end(1) + 1] not in set("元块年月万人")
    if any(sign in "0123456789_-" for sign in signs):
        return len(signs) >= 4
    return len(signs) >= 6 and not (before.isascii() and before.isalpha())
