"""What tells who somebody is does not get through, however it is typed; what is needed to fix things does."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from survey_app.complaints.personal_data.numbers import is_identity_number
from survey_app.complaints.personal_data.spans import Personal
from survey_app.complaints.redaction import redact, split
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
