"""One word per idea: offices read their own terms on every page, and the words these replaced nowhere."""

import re

import pytest

from tests.translations import PACKAGES, REPOSITORY, catalogue_path, read_catalogue

# What is not written any more, as a pattern, and what is written instead.
REPLACED = {
    "刷票": "异常答卷",
    "户码单": "入户通知单",
    "户码通知单": "入户通知单",
    "码单": "入户通知单",
    "入围线": "前5%界线",
    "评定": "评价",
    "轮次": "调查批次",
    "本轮": "本次调查",
    "上一轮": "上次调查",
    "复核": "提级办理",
    "不予受理": "不属受理范围",
    "旗区": "其他区",
    "区县": "区",
    "备用码": "恢复码",
    "动态验证码": "身份验证器",
    "隐私告知": "个人信息处理说明",
    "隐私说明": "个人信息处理说明",
    "工作台": "工作页面",
    "小票": "入户通知单",
    "先进小区": "“美好家园”小区",
    "美好小区": "“美好家园”小区",
    "名额能否用满": "名额测算",
    "不会知道您是谁": "看不到您的姓名和电话",
    "创建调查": "新建调查",
    # What residents are asked is 问卷, what they sent is 答卷; only the term of the field, 有效问卷, counts forms.
    "(待核实|收到的|还需|每日|录入的)问卷": "答卷",
    "(?<!有效)问卷(来源|收集|推算|不足|已够|份数)|答卷途径": "答卷来源、答卷收集、答卷不足",
    "作答|受访": "答卷",
    "位次|第 [^ ]+ 位": "名次、第几名",
    "参加排名": "参与排名",
    "(一同|参与同一)排名": "共同排名",
    "达标": "符合要求",
    "(进入|退出|离开)名单|没有可取": "新入围、落选、没有入围名额",
    "(?<!推荐|入围)名额(?!测算)": "推荐名额 of a district, 入围名额 of the first 5 %",
    "信号": "迹象",
    "概率": "可能性",
    "(?<!置信)(?<!小)区间": "可能范围",
    "(?<![以能])判定|正式结论": "评价结论; what data can do or not stays 能判定 and 难以判定",
    "把握程度|衡量证据": "数据支持程度",
    "上一批次|本批次": "上次调查、本次调查",
    "户·年": "累计户年数",
    "(尚未|正在)检查": "核查 by the site, 核实 by people",
    "作废(的)?二维码|二维码已作废": "停用",
    "(受理|投诉|该件)编号": "办件编号",
    "重新发送(?!邀请)": "重新上传",
    "有效答卷": "有效问卷",
    "量程|全距": "满分",
    "超出偶然(?!波动)": "超出偶然波动",
    "问题 {question}": "题目",
    "站得住|名列前茅|漏斗": "plain words",
}
# Rule files and questionnaires are frozen as they were issued: other words would be other files.
FROZEN = ("data/rules/", "data/questionnaires/")
PATTERNS = ("*/templates/**/*.html", "*/reports/templates/*", "**/*.typ", "data/**/*.yaml", "*/static/*.js")
FILES = sorted(
    name
    for pattern in PATTERNS
    for path in REPOSITORY.glob(pattern)
    if path.is_file() and not (name := str(path.relative_to(REPOSITORY))).startswith((*FROZEN, ".", "tests/"))
)


def replaced_in(text):
    return {term: instead for term, instead in REPLACED.items() if re.search(term, text)}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_catalogue_has_a_term_that_was_replaced(package):
    found = {}
    for message in read_catalogue(catalogue_path(package)):
        written = message.string if isinstance(message.string, str) else " ".join(message.string)
        if message.id and (replaced := replaced_in(written)):
            found[message.id] = replaced

    assert found == {}


def test_no_template_data_file_or_printed_page_has_a_term_that_was_replaced():
    texts = {name: (REPOSITORY / name).read_text("utf-8") for name in FILES}

    assert {name.partition("/")[0] for name in FILES} == {"analytics", "data", "survey_app"}
    assert {name: found for name, text in texts.items() if (found := replaced_in(text))} == {}
