"""Pinyin, whose dictionary is as large as half of the site."""

import subprocess
import sys

import pytest
from pypinyin import lazy_pinyin

from survey_app.pinyin import pinyin_of


def test_names_are_spelled_as_they_are_spoken():
    assert pinyin_of("重庆路2号") == ["chong", "qing", "lu", "2", "hao"]
    assert pinyin_of("") == []


@pytest.mark.parametrize(
    "name", ["长安银行2号院", "重阳·长乐里（A区）", "行政中心East Court", "朝阳重工音乐家属院", "𰻞𰻞里"]
)
def test_words_that_were_spelled_before_are_spelled_as_if_alone(name):
    assert pinyin_of(name) == pinyin_of(name) == lazy_pinyin(name)


def test_the_site_starts_without_its_dictionary():
    program = "import sys, survey_app.app.factory; print('pypinyin' in sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "False"
