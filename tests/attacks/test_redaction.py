"""Personal data gets through no spelling that residents of the city would think of, and what must be read stays.

The corpus has two halves: `redaction_blind.txt` was written without sight of the patterns, `redaction_seen.txt` against
them; `redaction_later.txt` came when they were finished, to see what they are worth. The other tests vary one thing
through all its forms.
"""

import sys
import time
import timeit
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from survey_app.codes.codes import issue_poster_code
from survey_app.complaints.redaction import redact, split
from survey_app.models import Complaint
from tests.attacks.redaction_corpus import measure, read_corpus
from tests.factories import make_community
from tests.survey_app.responses.test_survey_views import Page

FOLDER = Path(__file__).parent
BLIND, SEEN, LATER = (read_corpus(FOLDER / f"redaction_{part}.txt") for part in ("blind", "seen", "later"))
MARK = "※"


def test_the_corpus_is_large_enough_and_half_of_it_was_written_without_the_patterns():
    assert len(BLIND) >= 300
    assert len({sentence.text for sentence in (*BLIND, *SEEN)}) >= 600
    assert all(sum(not sentence.marks for sentence in half) >= 90 for half in (BLIND, SEEN))


PARTS = {"blind": BLIND, "seen": SEEN, "later": LATER, "all": [*BLIND, *SEEN, *LATER]}


@pytest.mark.parametrize("part", PARTS)
def test_precision_and_recall_by_span_and_by_character(part):
    score = measure(PARTS[part], split)
    sys.stdout.write(f"{part}: {score}\n")

    assert min(score.precision, score.precision_by_character) >= 0.97, score.misses
    assert min(score.recall, score.recall_by_character) >= 0.95, score.misses
    assert min(map(score.recall_of, score.marked)) >= 0.90, score


# ---- Names that are in no corpus sentence, in every place where a name may stand. ----

NAMES = dict(
    line.split(": ")
    for line in (FOLDER / "redaction_names.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)
PLACES_OF_NAMES = (
    "{}家的狗老叫。",
    "我叫{}，租户。",
    "{}女士来过两次",
    "楼上{}天天吵",
    "我和{}都看见了",
    "物业{}说不管，",
    "请找{}核实",
    "{}让我来的",
    "姓名：{}",
    "这是{}的车",
    "门口保安{}，态度差",
)


@pytest.mark.parametrize("people", NAMES)
def test_names_are_hidden_whole_wherever_they_stand(people):
    names = NAMES[people].split()
    shown = [redact(place.format(name), MARK) for name in names for place in PLACES_OF_NAMES]
    wanted = [place.format(MARK) for _name in names for place in PLACES_OF_NAMES]
    missed = [
        text for text, whole in zip(shown, wanted, strict=True) if text.replace("女士", "") != whole.replace("女士", "")
    ]

    assert len(missed) <= 0.03 * len(wanted), missed


# ---- One telephone, and every sign of the first plane between its digits. ----

SIGNS = [
    sign
    for sign in map(chr, range(0x20, 0xFFFE))
    if unicodedata.category(sign)[0] in "PSZ"
    and not any(character.isalnum() for character in unicodedata.normalize("NFKC", sign))
]
UNSEEN = [
    sign
    for sign in map(chr, (*range(0x80, 0xFFFE), *range(0xE0001, 0xE0080)))
    if unicodedata.category(sign) in {"Cf", "Mn", "Me"}
]


def test_no_sign_between_its_groups_saves_a_telephone_from_being_hidden():
    typed = "请打138{0}4731{0}2345，或者138{0}{0}4731{0}{0}2345，或者138{0}47312345，或者1384731{0}2345。"
    assert len(SIGNS) > 3000

    assert [sign for sign in SIGNS if any(map(str.isdigit, redact(typed.format(sign), MARK)))] == []


def test_no_unseen_character_saves_anything_from_being_hidden():
    secrets = ("13847312345", "乌云其其格", "tuya8899@163.com", "蒙C12345", "6217000123456789012", "150302196305120021")
    assert len(UNSEEN) > 1000

    got_through = [
        f"U+{ord(sign):04X}"
        for sign in UNSEEN
        if redact("。".join(f"找我：{sign.join(secret)}" for secret in secrets), MARK)
        != "。".join(f"找我：{MARK}" for _secret in secrets)
    ]

    assert got_through == []


def test_the_text_that_is_shown_holds_no_unseen_characters_and_reads_in_one_direction():
    typed = "\u202e请打\u200b54321\u206037\ufeff4831\u202c，谢\u00ad谢"

    assert redact(typed, MARK) == f"请打{MARK}，谢谢"


def test_scripts_and_emoji_keep_the_joiners_that_they_need():
    for text in ("ᠨᠡᠷ\u180eᠡ", "👩\u200d🔧来过", "می\u200cخواهم", "❤\ufe0f"):
        assert redact(text) == text


def test_a_sentence_with_unseen_characters_is_hidden_like_the_same_without():
    for sentence in (*BLIND, *SEEN):
        assert redact("\u200b".join(sentence.text), MARK) == redact(sentence.text.replace("\u200b", ""), MARK)


# ---- Digits in every script and in Chinese ways of saying them. ----

DIGITS = [
    "".join(chr(first + digit) for digit in range(10))
    for first in range(0x660, 0x1FBF1)
    if unicodedata.decimal(chr(first), None) == 0
]
SPOKEN = (
    "零幺二三四五六七八九",
    "〇一二三四五六七八九",
    "洞幺两三四五六拐八勾",
    "零壹贰叁肆伍陆柒捌玖",
    "洞一二三四五六七八九",
)


@pytest.mark.parametrize("script", [*DIGITS, *SPOKEN])
def test_a_number_in_the_digits_of_any_script_is_hidden(script):
    for number in ("13804731295", "6217000123456789012", "150302196305120021"):
        typed = "".join(script[int(digit)] for digit in number)

        assert redact(f"号：{typed}。", MARK) == f"号：{MARK}。"
        assert redact(f"号：{typed[:3]} {typed[3:7]} {typed[7:]}。", MARK) == f"号：{MARK}。"


FLATS = ("五百零一", "五零一", "五〇一", "伍佰零壹", "５０１", "五零幺", "⑤⓪①", "一千二百零三", "一二零三", "１２０３")
PLACES_OF_FLATS = ("3号楼2单元{}", "三栋{}室", "我家住{}，漏水", "{}室的老人", "3/2/{}", "三-二-{}", "楼上{}天天吵")


@pytest.mark.parametrize("flat", FLATS)
@pytest.mark.parametrize("place", PLACES_OF_FLATS)
def test_a_flat_is_hidden_however_its_number_is_written(place, flat):
    shown = redact(place.format(flat), MARK)

    assert MARK in shown
    assert flat not in shown


# ---- A text made to be slow. ----

REPEATED = (
    *"0123456789aAzZ@._-/ \n,，。、：:()*~#+一二十百零洞幺微信QvV王马阿巴特尔格日勒乌云其木老小姓叫我是",
    *"家楼单元号栋室户东门层蒙京C·•⑩１年电话手机点艾",
    *(
        "1 ",
        "1-",
        "a.",
        "a@",
        "@a",
        "蒙C",
        "微信",
        "加v",
        "我叫",
        "巴特",
        "阿·",
        "3-2-",
        "一二",
        "yao ",
        "one ",
        "138 ",
    ),
    *("1、", "十百", "王先", "李总", "room ", "http://", "a at ", "艾特", "v: ", "姓名：", "微 信 ", "6217 ", "0473"),
    *("86", "(", "501的", "阿\u200b", "1\u0301", "a#a"),
)


@pytest.mark.parametrize("repeated", REPEATED)
def test_the_time_for_a_text_grows_with_its_length_and_not_with_its_square(repeated):
    def seconds(length):
        text = (repeated * length)[:length]
        return min(timeit.repeat(lambda: split(text), timer=time.process_time, repeat=3, number=1))

    # A pattern that looks back over all of the text takes sixteen times as long for a text four times as long.
    assert seconds(8_000) < 10 * max(seconds(2_000), 0.002)


# ---- The pages. ----


@pytest.fixture
def token(sqlite_database):
    with sqlite_database.writing() as session:
        return issue_poster_code(session, community=make_community(session), now=datetime.now(UTC)).token


CANARIES = {
    "乌云其其格女士家漏水": "乌云其其格",
    "阿依古丽·买买提来过": "阿依古丽",
    "打138/4731/2345": "4731",
    "打138\u200b4731\u200b2345": "4731",
    "打幺三八洞四七三幺二三": "四七三",
    "加V信tuya8899": "tuya8899",
    "tuya8899＠163。com": "163",
    "我家3/2/501": "501",
    "号楼A501": "501",
    "卡号6217 0001 2345 6789 012": "6789",
}


@pytest.mark.parametrize(("words", "canary"), CANARIES.items())
def test_neither_the_company_nor_a_neighbour_reads_it(client, token, sqlite_database, words, canary):
    def sent(address, given):
        key = Page(client.get(f"/c/{token}")).given["key"][0]
        return client.post(address, data={"category": "EQ01", "kind": "complaint", "key": key} | given)

    shown = sent(f"/c/{token}/check", {"text": words, "place": words}).text
    quoted = shown.split("<blockquote>")[1].split("</blockquote>")[0]
    assert canary not in quoted.replace("\u200b", "")

    sent(f"/c/{token}", {"text": words, "place": words})
    with sqlite_database.reading() as session:
        assert session.scalar(select(Complaint.text)) is not None
    neighbour = sent(f"/c/{token}/check", {"text": "电梯坏了", "place": "3号楼"}).text
    assert 'name="reference"' in neighbour, "the case is offered to the neighbour"
    assert canary not in neighbour.replace("\u200b", "")
