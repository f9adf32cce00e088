"""Subjects are found by the words that residents type, as they type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.complaints.categories import categories
from survey_app.complaints.category_search import MOST_FOUND, find_categories

EVERYDAY_WORDS = (
    *(
        ("乱停", "PK01"),
        ("电梯", "EQ01"),
        ("lift", "EQ01"),
        ("parking", "PK01"),
        ("漏水", "BR01"),
        ("小区乱停车", "PK01"),
    ),
    *(("停暖", "EQ05"), ("暖气不热", "EQ05"), ("家里暖气不热怎么办", "EQ05"), ("供暖", "EQ05"), ("no heat", "EQ05")),
    *(("水管爆了", "EQ02"), ("burst pipe", "EQ02"), ("装修太吵", "GV04"), ("楼上装修太吵，睡不着", "GV04")),
    *(("renovation noise", "GV04"), ("蚊子", "CL03"), ("Mosquitoes", "CL03"), ("lifts", "EQ01"), ("ＬＩＦＴ", "EQ01")),
    *(("其他", "OT01"), ("狗叫", "GV04"), ("垃圾没人收", "CL02"), ("消防通道被堵", "FS01"), ("煤气味", "FS04")),
)


def codes_for(typed):
    return [category.code for _group, category in find_categories(categories(), typed)]


@pytest.mark.parametrize(("typed", "code"), EVERYDAY_WORDS)
def test_everyday_words_find_their_subject_first(typed, code):
    assert codes_for(typed)[0] == code


@pytest.mark.parametrize("typed", ["", "  ", "，", "is", "不存在的词语", "qqq"])
def test_what_is_no_word_of_any_subject_finds_none(typed):
    assert codes_for(typed) == []


def test_every_subject_is_found_by_each_of_its_everyday_words():
    for category in categories():
        for word in category.search:
            assert category.code in codes_for(word), word


@given(typed=st.text(max_size=60))
def test_any_text_finds_no_more_than_fit_on_a_phone_and_each_once(typed):
    found = codes_for(typed)
    assert len(found) <= MOST_FOUND
    assert len(set(found)) == len(found)
