"""Pinyin, whose dictionary is as large as half of the site."""

import subprocess
import sys

from survey_app.pinyin import pinyin_of


def test_names_are_spelled_as_they_are_spoken():
    assert pinyin_of("重庆路2号") == ["chong", "qing", "lu", "2", "hao"]
    assert pinyin_of("") == []


def test_the_site_starts_without_its_dictionary():
    program = "import sys, survey_app.app.factory; print('pypinyin' in sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "False"
