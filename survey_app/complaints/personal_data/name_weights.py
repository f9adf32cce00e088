"""Weights by which names are told from words: logarithms of how likely each character, part and neighbour makes one."""

import math
import re

from survey_app.complaints.personal_data import name_lists as lists

# From the most frequent on, as the register of residents publishes them.
_MOST_FREQUENT_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢"
    "姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施"
    "文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷"
    "盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤穆卓古吉缪简项芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏"
    "宗瞿桂佟臧闵苟邬边卞姬仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩佘池查麻苑迟邝封谈匡鞠惠荆乐冀郁胥储栗燕楚鄢谌奚"
    "皮粟冼蔺厉伊仝郜海阚花屠豆盖廉禹井祖漆巴丰支狄索宣晋云扈晁芮浦戈伏薄邸雍辜乌奇"
)
SURNAMES: dict[str, float] = (
    dict.fromkeys(lists.RARE_SURNAMES, math.log(0.0001))
    | dict.fromkeys(lists.SURNAMES, math.log(0.0002))
    | dict.fromkeys([*lists.FREQUENT_SURNAMES, *lists.COMPOUND_SURNAMES.split("|")], math.log(0.0006))
    | {surname: math.log(0.08 / (rank + 1) ** 0.8) for rank, surname in enumerate(_MOST_FREQUENT_SURNAMES)}
)
# The lists begin with the most frequent ones.
GIVEN = {
    character: math.log(0.25 / (rank + 30))
    for rank, character in enumerate(dict.fromkeys(lists.FREQUENT_GIVEN_CHARACTERS + lists.GIVEN_CHARACTERS))
}
OTHER_GIVEN = math.log(0.000005)
# The dots that part a name of several words.
DOTS = "·•・‧⋅∙"
SOUNDS = (
    dict.fromkeys(lists.RARE_SOUNDS + lists.BETWEEN_CHARACTERS, math.log(0.0008))
    | dict.fromkeys(lists.SOFT_SOUND_CHARACTERS, math.log(0.005))
    | dict.fromkeys(lists.SOUND_CHARACTERS, math.log(0.012))
    | dict.fromkeys(DOTS, math.log(0.4))
)
OTHER_SOUND = math.log(0.00003)
PARTS = dict.fromkeys(lists.WEAK_PARTS.split("|"), math.log(0.0003)) | dict.fromkeys(
    lists.STRONG_PARTS.split("|"), math.log(0.002)
)
NEVER_IN_NAMES = frozenset(lists.NEVER_IN_NAMES)
NEVER_FIRST = NEVER_IN_NAMES - set("于向")
# In this list a title may say what must not follow it.
_TITLES = re.sub(r"\(.*?\)", "", lists.TITLES)


def _weights(*weighted: tuple[float, str]) -> dict[str, float]:
    return {word: weight for weight, words in sorted(weighted) for word in words.split("|")}


WEIGHTS_BEFORE = _weights(
    (7, f"{lists.STRONG_CUES}|此致|敬礼"),
    (5, "叫"),
    (3.5, lists.CUES),
    (
        2.5,
        "举报|投诉|感谢|表扬|开除|通知|拜托|麻烦|希望|要求|代表|转给|交给|换成|批评|辛苦|辞退|找了|问了|骂了|打了|求求",
    ),
    (1.5, "找|问|让|是|和|跟|与|同|给|把|被|对|请|由|向|据|听|怪|及|见|谢|像"),
    (1.5, "楼|层|单元|栋|室|户|院"),
    (
        1.5,
        "刚才|昨天|今天|前天|昨晚|今早|早上|晚上|上午|下午|中午|上周|现在|后来|结果|因为|所以|但是|而且|如果|可是|然后",
    ),
    (1, "还有|就是|只有|当时|那天|每天|半夜|凌晨|上次|这次|有次|连|替|帮|跟着|陪|等|见到|看见|遇到|碰见|听见"),
    # 602的段誉
    (
        2.5,
        "0的|1的|2的|3的|4的|5的|6的|7的|8的|9的|室的|户的|号的|单元的|一楼的|二楼的|三楼的|四楼的|五楼的|六楼的|七楼的|顶楼的|东户的|西户的",
    ),
    (0.5, "的"),
)
WEIGHTS_BEHIND = _weights(
    (5, _TITLES),
    (6, "先生|女士"),
    (3, "他妈|他爸|他爹|他娘|她妈|她爸|他家|她家|他们家|她们家|他老婆|他媳妇|她老公|他儿子"),
    (3, "敬上|谨上|留言|副主任|副经理|副队长|副书记|副站长|同学|小朋友"),
    (2.5, "妈|爸|妈妈|爸爸|姥姥|姥爷"),
    (2, "家"),
    (1, "说|在|和|跟|也|又|都|还|就|把|被|让|给|来|是|住|打|没|不|收|要|会|答应|态度|有|去|已经|天天|经常|总是"),
    (1, "刚|先|才|再|今天|昨天|前天|半夜|开|租|合租|骑|带|办|装|修|养|堵|占|老|每|常|用|拿|叫|这|那|两|三"),
    (1, "偷|拦|踢|砸|推|撞|搬|扔|喊|敲|锁|拆|挖|逃|跑|躲|追|喝|抽|吃|唱|跳|吵|闹|睡|摔|躺|坐|站|走|回|进|出|上|下"),
    (1, "媳妇|老婆|老公|儿子|女儿|孩子|父亲|母亲|丈夫|妻子|两口子|夫妻"),
    (1, "总|人|你|他|她|滚|负责|反映|同意|电话|的|老人|值班|管|骂|欠|拒"),
)
# Beside a Chinese character that is no cue a name seldom begins.
NO_CUE = -1.5
COMMUNITY_WORDS = dict.fromkeys(f"{lists.COMMUNITY_WORDS}|{lists.CUES}|{_TITLES}".split("|"), -8.5)
LONGEST_CUE = max(map(len, WEIGHTS_BEFORE))
