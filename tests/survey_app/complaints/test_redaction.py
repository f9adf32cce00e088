"""What tells who somebody is does not get through, however it is typed; what is needed to fix things does."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from survey_app.complaints.personal_data.numbers import is_identity_number
from survey_app.complaints.personal_data.spans import Personal
from survey_app.complaints.redaction import hide_telephones, redact, split
from survey_app.security.text import without_unseen

MARK = "＊＊＊"
# Sentences of complaints in which nothing personal stands.
INNOCENT = (
    "电梯停了三天，没人管",
    "3号楼2单元的楼道灯不亮",
    "2026-11-20开始停水，已经10天",
    "物业费每平方米1.50元，一年交了1200元",
    "小区东门的路灯全坏了，晚上很黑",
    "业主委员会一直不公开账目",
    "项目经理不理人，物业公司主任也不接电话",
    "住户都说管道经常堵塞",
    "消防通道天天停满车，300户居民怎么逃生",
    "垃圾桶从来没有清运，夏天味道大",
    "保安任由车辆乱停",
    "请问维修资金怎么申请",
    "The lift in building 3 stops at floor 12 since 2026-11-20",
    "Nobody empties the bins; the smell is terrible",
)
FILLERS = ("反映", "，", "。", "楼道里", "天天", "没人管", " ", "！", "请处理", "lift ")

digits = st.text("0123456789", min_size=8, max_size=8)
mobiles = st.builds(lambda second, rest: f"1{second}{rest}0", st.sampled_from("3456789"), digits)
landlines = st.builds(
    lambda area, dash, number: f"{area}{dash}{number}",
    st.sampled_from(["0473", "010", "021", "0471"]),
    st.sampled_from(["", "-", " "]),
    st.text("123456789", min_size=7, max_size=8),
)
plates = st.builds(
    lambda province, letter, dot, rest: f"{province}{letter}{dot}{rest}",
    st.sampled_from("京蒙沪粤新"),
    st.sampled_from("ABCDEK"),
    st.sampled_from(["", "·", " ", "-"]),
    st.text("0123456789", min_size=5, max_size=5)
    | st.builds(
        lambda kind, number: kind + number, st.sampled_from("DF"), st.text("0123456789", min_size=5, max_size=5)
    )
    | st.builds(
        lambda number, kind: number + kind, st.text("0123456789", min_size=5, max_size=5), st.sampled_from("DF")
    ),
)
surnames = st.sampled_from(["王", "李", "张", "刘", "陈", "欧阳", "诸葛", "司马", "赵", "白", "高"])
given_names = st.sampled_from(["伟", "娜", "秀英", "建国", "小明", "四", "五", "志强", "丽"])
names = st.builds(lambda surname, given_name: surname + given_name, surnames, given_names)
flats = st.builds(lambda floor, door: f"{floor}0{door}", st.integers(1, 32), st.integers(1, 4))


@st.composite
def identities(draw):
    area, year = draw(st.sampled_from(["150302", "110105", "440524"])), draw(st.integers(1930, 1999))
    body = f"{area}{year}0{draw(st.integers(1, 9))}1{draw(st.integers(0, 9))}"
    body += f"{draw(st.integers(0, 999)):03}"
    return next(body + last for last in "0123456789X" if is_identity_number(body + last))


@st.composite
def typings(draw, texts):
    """The same text as people type it: wide, spaced, in small letters."""
    text = draw(texts)
    if draw(st.booleans()):
        gap = draw(st.sampled_from([" ", "-", "·", "  "]))
        text = "".join(
            character + (gap if character.isdigit() and draw(st.booleans()) else "") for character in text
        ).rstrip(" -·")
    if draw(st.booleans()):
        text = "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text)
    return text.lower() if draw(st.booleans()) else text


def around(personal):
    """A personal thing among innocent words that do not touch it with a digit."""
    return st.tuples(st.sampled_from(FILLERS), personal, st.sampled_from(FILLERS))


def plain_digits(text):
    return "".join(character for character in unicodedata.normalize("NFKC", text) if character.isdigit())


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_needed_to_fix_things_stays(text):
    assert redact(text) == text


@given(st.lists(st.sampled_from(INNOCENT), max_size=4).map("。".join))
def test_innocent_sentences_stay_together_too(text):
    assert redact(text) == text


@given(st.text() | st.lists(st.sampled_from([*INNOCENT, *FILLERS, "13800138000", "王先生", "501室"])).map("".join))
@example("①②③④⑤⑥⑦⑧")
@example("ﬁ½٣٤٥")
def test_the_pieces_are_the_text_that_is_seen_and_what_is_shown_needs_no_more_hiding_of_numbers(text):
    pieces = split(text)

    assert "".join(piece.text for piece in pieces) == without_unseen(text)
    assert all(piece.text for piece in pieces)
    shown = redact(text, mark="※")
    assert redact(shown, mark="※").count("※") >= shown.count("※")


@given(around(typings(mobiles)))
@example(("请回电", "138 0013 8000", "。"))
@example(("请回电", "+86 138-0013-8000", "。"))
@example(("请回电", "一三八零零一三八零零零", "。"))
@example(("请回电", "幺三八 零零幺三 八零零零", "。"))
def test_mobile_numbers_are_hidden_however_they_are_typed(parts):
    before, _number, after = parts
    shown = redact("".join(parts))

    assert plain_digits(shown) == plain_digits(before + after)
    assert MARK in shown


@given(around(landlines))
@example(("打", "(0473) 2012345", "没人接"))
@example(("打", "0473-2012345转8", "没人接"))
@example(("打", "400-800-1234", "没人接"))
def test_landlines_are_hidden(parts):
    before, _number, after = parts

    assert plain_digits(redact("".join(parts))) == plain_digits(before + after)


# Each landline is typed as somebody would who wants it to be read.
LANDLINES = (
    "请打0473-2012345",
    "（0473）201 2345",
    "(0473)2012345转8012",
    "0473-2012345-801",
    "0473-2012345*801",
    "０４７３－２０１２３４５",
    "〇四七三二〇一二三四五",
    "零四七三 二零一 二三四五",
    "+86 473 2012345",
    "O473-2O12345",
    "010-12345678",
    "400-800-1234",
    "800 810 1234",
    "四零零八零零一二三四",
    "座机2012345",
    "座機2012345",
    "电话：2012345",
    "电话\n2012345",
    "联系電話201-2345",
    "座机二零一二三四五",
    "打2012345没人接",
    "打过2012345也不通",
    "打给２０１２３４５",
    "拨了201 2345",
    "打电话2012345转801",
    "电话二〇一二三四五转八零一",
    "物业电话2012345转分机801",
    "2012345转801分机",
    "电话201、2345",
    "电话2012345、2012346",
    "电话2012345或2012346",
    "0473-2012345/2012346",
    "传真：2012345",
    "fax 2012345",
    "Tel 0473 2012345 ext 12",
    "联系人2012345",
    "回复20123456",
    "找我2012345",
    "2012345是物业电话",
    "2012345（座机）",
    "2012345这个座机打不通",
    "分机8012",
)
# What has as many digits, and is no telephone.
NO_LANDLINES = (
    "拨了2012345元维修款",
    "打了2012345.67元",
    "打过2012345 元",
    "每户400 800 1200元三档",
    "400-800户",
    "打12345没人管",
    "打0473-12345",
    "电话12345转3次",
    "拨打96119",
    "打电话2026-11-20没人接",
    "电话20261120停机",
    "打电话2026年11月20日没人接",
    "打了20次电话，每次10分钟",
    "电话打了2019-2025年",
    "找了3号楼2单元的物业",
    "转3号楼处理",
    "转了2次",
    "联系2000户居民",
    "合同编号2012345电话没人接",
    "工单编号20261103004518转物业",
    "8:00-20:00打电话",
    "面积2012345平方米",
    "12345热线",
)


def numerals(text):
    return plain_digits(text) + "".join(character for character in text if character in "〇零一二三四五六七八九")


@pytest.mark.parametrize("text", LANDLINES)
@pytest.mark.parametrize("hide", [redact, hide_telephones])
def test_no_digit_of_a_landline_is_left_however_it_is_typed(hide, text):
    assert MARK in hide(text)
    assert numerals(hide(text)) == ""


@pytest.mark.parametrize("text", NO_LANDLINES)
@pytest.mark.parametrize("hide", [redact, hide_telephones])
def test_sums_days_places_and_public_numbers_are_no_landlines(hide, text):
    assert hide(text) == text


locals_of_a_city = st.builds(
    lambda first, rest: first + rest, st.sampled_from("2345678"), st.text("0123456789", min_size=6, max_size=7)
).filter(lambda number: not re.fullmatch("20[0-4][0-9](0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])", number))
said_before = st.sampled_from(["座机", "电话：", "请打", "打了", "拨", "传真 ", "联系我", "物业办公室"])
extensions = (
    st.just("") | st.builds("转{}".format, st.integers(1, 99_999)) | st.builds("分机{}".format, st.integers(1, 999))
)


@example("座机", "2 2000 1 1", "", "")
@example("打了", "2000-1-1-2", "", "")
@given(said_before, typings(locals_of_a_city), extensions, st.sampled_from(["", "，没人接", "。", "不通"]))
def test_a_number_without_area_code_is_hidden_with_its_extension_behind_a_word_that_tells_it(
    before, number, extension, after
):
    assert hide_telephones(f"{before}{number}{extension}{after}") == f"{before}{MARK}{after}"


@given(said_before, locals_of_a_city, st.sampled_from(["元", "块", "平方米", "户", "人", "吨", "度", ".50元", " 元"]))
def test_a_count_of_something_is_no_number_without_area_code(before, number, unit):
    assert hide_telephones(f"{before}{number}{unit}") == f"{before}{number}{unit}"


@example("请打0473-2012345，3号楼2单元的楼道灯不亮")
@example("请打0473-2012345，2026-11-20开始停水，已经10天")
@example("０４７３－２０１２３４５，8:00-20:00打电话")
@example("打0473-12345，3号楼2单元的楼道灯不亮")
@example("打0473-12345，+86 473 2012345")
@given(st.lists(st.sampled_from([*INNOCENT, *FILLERS, *LANDLINES, *NO_LANDLINES, "王先生", "501室"])).map("，".join))
def test_where_telephones_alone_are_hidden_nothing_else_is(text):
    shown = hide_telephones(text)

    assert all(other in shown for other in ("王先生", "501室", *INNOCENT, *NO_LANDLINES) if other in text)
    assert not any(number in shown for number in LANDLINES)


@pytest.mark.parametrize(
    "number", ["0473-2012345", "0473 20123456", "010-62012345", "(0473)2012345", "+86 473 2012345", "2012345"]
)
@pytest.mark.parametrize("following", ["，3号楼停水", "。5户没电", " 2单元门坏", "、6层漏水", "，13号楼停水"])
def test_a_number_of_a_building_behind_a_landline_stays(number, following):
    assert hide_telephones(f"请打{number}{following}") == f"请打{MARK}{following}"


@pytest.mark.parametrize("number", ["0-4-7-3-2-0-1-2-3-4-5-6", "0473-2012345 6", "0473-2012345，6", "010 6201 234 5"])
def test_a_last_digit_that_stands_alone_is_hidden_where_it_counts_nothing(number):
    assert hide_telephones(f"请打{number}，谢谢") == f"请打{MARK}，谢谢"


@given(around(typings(identities())))
def test_identity_numbers_are_hidden(parts):
    before, _number, after = parts

    assert plain_digits(redact("".join(parts))) == plain_digits(before + after)


@given(identities())
def test_an_identity_number_is_told_by_its_check_digit(number):
    (piece,) = split(number)
    assert piece.hidden is Personal.IDENTITY

    slip = number[:-1] + ("1" if number[-1] != "1" else "2")
    assert not is_identity_number(slip)
    assert redact(slip) == MARK, "a slip of the hand still says who it is"


@given(around(typings(plates)))
@example(("占位的是", "蒙c·12345", "。"))
@example(("占位的是", "蒙CD12345", "。"))
@example(("占位的是", "粤B12345警", "。"))
def test_number_plates_are_hidden_new_energy_among_them(parts):
    before, plate, after = parts
    shown = redact("".join(parts))

    assert plain_digits(shown) == plain_digits(before + after)
    assert plate[0] not in shown


@given(
    names,
    st.sampled_from(
        [
            "{}先生说不管",
            "找过{}师傅",
            "{}女士家漏水",
            "我叫{}，",
            "本人{}，",
            "邻居{}天天吵",
            "业主{}反映",
            "联系人：{}",
            "姓名 {}",
        ]
    ),
)
def test_names_beside_a_word_that_tells_them_are_hidden(name, sentence):
    assert name not in redact(sentence.format(name))
    assert MARK in redact(sentence.format(name))


@given(surnames, st.sampled_from(["我姓{}。", "保安姓{}，", "{}师傅来过", "{}经理没来", "老{}家养狗"]))
def test_a_surname_is_hidden(surname, sentence):
    if len(surname) > 1 and sentence.startswith("老"):
        return
    assert surname not in redact(sentence.format(surname))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Mr. Smith shouts", f"Mr. {MARK} shouts"),
        ("my name is Wang Fang.", f"my name is {MARK}."),
        ("mail li.na@example.com", f"mail {MARK}"),
        ("微信号：abc_12345", f"微信号：{MARK}"),
        ("QQ 12345678", f"QQ {MARK}"),
        ("工资卡6222020200112233445", f"工资卡{MARK}"),
        ("办公室2012345", f"办公室{MARK}"),
    ],
)
def test_other_things_that_lead_to_somebody_are_hidden(text, shown):
    assert redact(text) == shown


@given(
    flats,
    st.sampled_from(
        [
            "3号楼2单元{}漏水",
            "三号楼二单元{}室",
            "12栋{}的狗",
            "{}室漏水",
            "5幢1单元 {}",
            "3-2-{}漏水",
            "住{}房",
            "room {} is noisy",
        ]
    ),
    st.booleans(),
)
def test_flat_numbers_are_hidden_and_building_and_entrance_stay(flat, sentence, is_wide):
    number = "".join(chr(ord(digit) + 0xFEE0) for digit in flat) if is_wide else flat
    shown = redact(sentence.format(number))

    assert number not in shown
    building = sentence.split("{}")[0]
    if "单元" in building:
        assert shown.startswith(building.rstrip())


@pytest.mark.parametrize("text", ["三号楼二单元五零一漏水", "5楼东户太吵", "2单元12层西门"])
def test_flats_without_plain_digits_are_hidden_too(text):
    assert MARK in redact(text)


def test_each_kind_is_named():
    text = (
        "我是3号楼2单元501的张三先生，身份证11010519491231002X，电话13800138000，卡号12345678，车牌蒙C12345，a@b.cn，"
        "生日1958-07-12"
    )

    assert {piece.hidden for piece in split(text)} - {None} == set(Personal)


@pytest.mark.parametrize(
    "text", ["1" * 5000, "1 " * 3000, "王" * 3000, "蒙C" * 2000, "叫" * 3000, "a@" * 2000, "a." * 2500]
)
def test_a_text_made_to_be_slow_is_read_in_one_pass(text):
    assert "".join(piece.text for piece in split(text)) == text


def test_nothing_in_an_empty_text():
    assert split("") == ()
    assert not re.search(r"\d", redact("13800138000"))
