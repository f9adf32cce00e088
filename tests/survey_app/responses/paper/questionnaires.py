"""The shipped questionnaires, and one with whatever the format allows."""

import yaml

from survey_app.config import DATA
from survey_app.rounds.questionnaires import load_questionnaire, parse_questionnaire

SHIPPED = [load_questionnaire(path) for path in sorted((DATA / "questionnaires").glob("*.yaml"))]


def both(text):
    return {"zh-Hans": text, "en": f"English {text}"}


def question(key, kind, text, **keys):
    return {"key": key, "type": kind, "label": both(text), "short": both(f"短{text}"), **keys}


def options(*labels, first=1, **missing):
    listed = [{"code": code, **both(label)} for code, label in enumerate(labels, first)]
    return [*listed, *({"code": int(code[1:]), **both(label), "missing": True} for code, label in missing.items())]


def odd():
    """Return a questionnaire with many choices, long labels, chains of conditions, photos and two more scales."""
    notice = "{bureau}[{telephone}][{evaluator}][{date}]{link}"
    seasons = [f"{year}年{season}" for year in range(2020, 2028) for season in ("春", "夏", "秋", "冬")]
    choices = [
        "本小区" + "物业服务企业的收费项目、收费标准和服务内容长期没有公示" * 3,
        "业主大会",
        "其他",
    ]
    document = {
        "format": "jiayuan-questionnaire-1",
        "key": "odd",
        "version": 7,
        "title": both("怪问卷"),
        "comparable_with": [],
        "tenure": "q03",
        "notice": {
            "household": dict.fromkeys(("zh-Hans", "en"), notice),
            "poster": dict.fromkeys(("zh-Hans", "en"), notice),
        },
        "scales": {
            "few": options("好", "坏", c9="不清楚"),
            "many": options(*(f"第{number}档" for number in range(1, 10))),
        },
        "sections": [
            {
                "key": "a",
                "heading": both("甲"),
                "questions": [
                    question("q01", "rating", "总体如何", scale="few", required=True),
                    question("q02", "photo", "请拍照", most_photos=2),
                    question("q03", "single", "您是谁", required=True, options=options("业主", "租户", "其他")),
                    question("q04", "rating", "租户满意吗", scale="few", show_if={"q03": [2]}),
                    question("q05", "rating", "细评", scale="many"),
                ],
            },
            {
                "key": "only_photos",
                "heading": both("只有照片"),
                "questions": [question("q06", "photo", "再拍", most_photos=1)],
            },
            {
                "key": "b",
                "heading": both("乙"),
                "questions": [
                    question("q07", "single", "何时入住", options=options(*seasons, first=10)),
                    question(
                        "q08",
                        "zero_to_ten",
                        "会推荐吗",
                        ends={"zero": both("绝不"), "ten": both("一定")},
                        dont_know=both("说不清"),
                    ),
                    question(
                        "q09", "multi", "为什么", show_if={"q08": [0, 1, 2, 3, 4, 5, 6]}, options=options(*choices)
                    ),
                    question("q10", "text", "请说明", max_length=60, show_if={"q09": [3]}),
                    question(
                        "q11",
                        "single",
                        "还有吗",
                        show_if={"q09": [1, 2], "q08": [0]},
                        options=options("有", "无", c3="不适用"),
                    ),
                    question("q12", "single", "哪里", show_if={"q11": [1]}, options=options("门口", "楼道")),
                    question("q13", "single", "谢谢推荐", show_if={"q08": [10]}, options=options("好", "不用")),
                    question("q14", "text", "意见", max_length=2000, show_if={"q03": [1]}),
                    question("q15", "single", "结束", show_if={"q03": [1], "q11": [1, 2]}, options=options("是", "否")),
                ],
            },
        ],
    }
    return parse_questionnaire(yaml.safe_dump(document, allow_unicode=True).encode(), "odd.yaml")


EVERY = [*SHIPPED, odd()]
