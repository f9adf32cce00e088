"""Names and sentences that the simulated city is made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Named:
    """A part of a name, in both languages."""

    name: str
    english: str


@dataclass(frozen=True)
class NamedDistrict(Named):
    """A district, the administrative code that its communities' numbers begin with, its share, its subdistricts."""

    code: str
    share: float
    subdistricts: tuple[Named, ...]


DISTRICTS = (
    NamedDistrict(
        "海勃湾区",
        "Haibowan",
        "150302",
        0.5,
        (
            Named("凤凰岭街道", "Fenghuangling"),
            Named("海北街道", "Haibei"),
            Named("新华街道", "Xinhua"),
            Named("滨河街道", "Binhe"),
            Named("林荫街道", "Linyin"),
        ),
    ),
    NamedDistrict(
        "乌达区",
        "Wuda",
        "150304",
        0.25,
        (Named("三道坎街道", "Sandaokan"), Named("五虎山街道", "Wuhushan"), Named("巴音赛街道", "Bayinsai")),
    ),
    NamedDistrict(
        "海南区", "Hainan", "150303", 0.25, (Named("拉僧仲街道", "Lasengzhong"), Named("西卓子山街道", "Xizhuozishan"))
    ),
)
# Neighbourhoods are numbered, as new ones often are.
NEIGHBOURHOODS = tuple(
    Named(f"第{number}社区", f"No. {count} Neighbourhood") for count, number in enumerate("一二三四五六七八九", 1)
)

# Nobody's number: no line in that city begins with a zero.
TELEPHONE = "0473-0000000"
EVALUATOR = Named("示例第三方评估机构", "Example third-party evaluator")

NAMES = (
    *(
        "滨河",
        "海馨",
        "泰和",
        "学府",
        "锦绣",
        "金裕",
        "书香",
        "凤凰",
        "御景",
        "翰林",
        "祥和",
        "安泰",
        "福源",
        "瑞丰",
        "鑫源",
    ),
    *(
        "阳光",
        "绿洲",
        "龙腾",
        "丽景",
        "景秀",
        "世纪",
        "团结",
        "和平",
        "新华",
        "建设",
        "创业",
        "友谊",
        "光明",
        "长青",
        "春晖",
    ),
    *(
        "梧桐",
        "银杏",
        "桃源",
        "葡萄",
        "沙枣",
        "甘德尔",
        "黄河",
        "湖畔",
        "君悦",
        "天泽",
        "万和",
        "恒信",
        "康宁",
        "颐和",
        "东方",
    ),
    *(
        "碧水",
        "蓝湾",
        "枫林",
        "玉泉",
        "怡景",
        "温馨",
        "平安",
        "富民",
        "向阳",
        "晨光",
        "凯旋",
        "盛世",
        "名士",
        "都市",
        "星河",
    ),
)

KINDS = (
    Named("家园", "Homes"),
    Named("花园", "Gardens"),
    Named("小区", "Community"),
    Named("嘉园", "Residences"),
    Named("苑", "Court"),
    Named("新城", "New Town"),
    Named("华府", "Mansions"),
    Named("佳苑", "Fair Court"),
    Named("公馆", "House"),
    Named("里", "Lane"),
    Named("名邸", "Villas"),
)

COMPANY_NAMES = (
    *(
        "安居",
        "恒诚",
        "金管家",
        "万家",
        "诚信",
        "绿城源",
        "华宇",
        "德润",
        "鸿泰",
        "众合",
        "永安",
        "盛达",
        "嘉禾",
        "信达",
        "民生",
    ),
    *(
        "海晟",
        "蒙源",
        "昊天",
        "博雅",
        "宏远",
        "宜居",
        "同心",
        "和润",
        "千里",
        "正通",
        "佳和",
        "旭日",
        "开元",
        "聚源",
        "广厦",
    ),
)

COMPANY_SUFFIXES = (Named("物业服务有限公司", "Property Services"), Named("物业管理有限公司", "Property Management"))

PRAISE = (
    "物业师傅上门很及时，态度也好。",
    "小区比以前干净多了。",
    "新装的充电桩很方便，谢谢。",
    "门口保安认真负责。",
    "楼道灯坏了第二天就修好了。",
    "今年新种的树长得不错。",
    "物业经理常下来看看，有事能找到人。",
)

REQUESTS = (
    "希望多建几个电动车棚。",
    "希望增加休闲座椅和健身器材。",
    "建议垃圾桶每天清运两次。",
    "希望夜间加强巡逻。",
    "停车位太少，能不能重新规划。",
    "收费项目请在公示栏贴清楚。",
    "快递柜能不能再加一组。",
    "冬天扫雪能再早一点就好了。",
)

BLAME = (
    "电梯老坏，打电话没人管。",
    "报修半个月了没人来。",
    "消防通道天天停满车。",
    "物业费涨了，服务没见好。",
    "楼道里堆满杂物，没人清理。",
    "地下室常年漏水，味道很大。",
    "投诉过几次，都说在处理。",
    "公共收益从来没公布过。",
    "有人在楼道里给电动车充电，太危险了。",
)

COMPLAINT_OPENINGS = ("我们单元", "本小区", "楼下", "地下车库里", "小区南门附近", "三号楼旁边", "我家门口")
COMPLAINT_ENDINGS = (
    "的问题已经好几天了，请尽快处理。",
    "的情况反映过一次，还没有解决。",
    "的问题影响老人和孩子，希望重视。",
    "的情况最近又出现了，请派人来看看。",
    "的问题，请给一个答复。",
)
REPAIR_ENDINGS = ("需要维修，麻烦安排师傅上门。", "坏了，请帮忙报修。", "请尽快派人检查一下。")
ENQUIRY_ENDINGS = ("方面想咨询一下，应该找谁办理？", "的规定是什么，请问在哪里可以看到？", "的收费标准想了解一下。")
