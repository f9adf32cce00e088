"""A household ticks boxes on paper, and a clerk types the form in by keyboard, from top to bottom."""

import json
import re
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from survey_app.config import DATA
from survey_app.models import Response
from survey_app.printing.typefaces import ChineseTypefaceMissing, installed_typefaces
from survey_app.rounds.questionnaires import QuestionType, load_questionnaire
from survey_app.security.check_digits import SLIP_DIGITS
from tests.accounts import PASSWORD, current_code, make_account
from tests.factories import make_community, make_district, make_round

pdfium = pytest.importorskip("pypdfium2")
pytestmark = pytest.mark.browser

# The one that rounds of tests ask.
QUESTIONNAIRE = load_questionnaire(DATA / "questionnaires" / "resident-satisfaction-1.yaml")
# What somebody ticks who had a problem, complained of it twice and writes a word: the words of the choices by question.
TICKED = {
    1: ["满意"],
    2: ["非常满意"],
    3: ["不了解"],
    5: ["非常不满意"],
    16: ["租户"],
    17: ["有"],
    18: ["投诉过"],
    19: ["社区", "12345热线"],
    20: ["部分解决"],
    22: ["其他"],
    23: ["不想回答"],
}
COMMENT = "电梯常坏"
STORED = {
    "q01": 4,
    "q02": 5,
    "q03": 9,
    "q05": 1,
    "q16": 2,
    "q17": 1,
    "q18": 1,
    "q19": [2, 4],
    "q20": 2,
    "q22": 7,
    "q23": 8,
    "q24": COMMENT,
}


@pytest.fixture
def desk(live_server, open_page, sqlite_database):
    """The clerk of a community, signed in while a round takes answers with slips."""
    try:
        installed_typefaces()
    except ChineseTypefaceMissing as error:
        pytest.skip(str(error))
    now = datetime.now(UTC)
    with sqlite_database.writing() as session:
        dates = {"opens_at": now - timedelta(days=10), "closes_at": now + timedelta(days=10)}
        make_round(session, accepts_posters=False, accepts_households=True, **dates)
        district = make_district(session, name="海勃湾区")
        make_community(session, district=district, name="阳光家园", number="7")
        make_account(session, "clerk", district=district, now=now)
    page = open_page(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page.goto(f"{live_server}/sign-in")
    page.get_by_label("用户名").fill("clerk")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="继续").click()
    page.get_by_label("验证码").fill(current_code())
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/staff/**")
    return page


def print_one(page, folder):
    """Print a questionnaire with a code, and return the text of its pages."""
    page.get_by_role("link", name="打印", exact=True).click()
    panel = page.locator("section[aria-labelledby=questionnaires]")
    panel.get_by_label("只打印一个小区（填小区编号）").fill("7")
    panel.get_by_label("份数（不填则每户一张）").fill("1")
    with page.expect_download() as download:
        panel.get_by_role("button", name="生成户码并下载问卷").click()
    archive = folder / "questionnaires.zip"
    download.value.save_as(archive)
    with ZipFile(archive) as files:
        [name] = files.namelist()
        with pdfium.PdfDocument(files.read(name)) as document:
            return [sheet.get_textpage().get_text_bounded() for sheet in document]


def code_beside(text, question, words):
    """Return the code that is printed beside the box of a choice: with its words, or in the column that they head."""
    _before, label, behind = text.partition(squeezed(question.label.zh_hans))
    assert label, question.key
    if question.scale is None:
        return re.search(rf"(\d){re.escape(words)}", behind)[1]
    heads = [option.label.zh_hans for option in question.options]
    assert "".join(heads) in text
    return re.match(r"(?:必答)?(\d{6})", behind)[1][heads.index(words)]


def squeezed(text):
    return re.sub(r"\s", "", text)


def test_what_was_ticked_on_a_printed_questionnaire_is_what_is_stored(desk, sqlite_database, tmp_path):
    text = squeezed("".join(print_one(desk, tmp_path)))
    digits = re.search(rf"户码数字(\d{{{SLIP_DIGITS}}})", text)[1]

    desk.get_by_role("link", name="录入答卷").click()
    desk.get_by_role("link", name="阳光家园: 纸质答卷").click()
    expect(desk.get_by_label("户码数字")).to_be_focused()
    desk.keyboard.type(digits)
    desk.keyboard.press("Enter")
    for number, question in enumerate(QUESTIONNAIRE.questions, 1):
        # The number on paper stands beside the field that waits to be typed in.
        expect(desk.locator(":focus")).to_have_attribute("name", question.key)
        expect(desk.locator(f"label[for={question.key}-field]")).to_contain_text(f"{number}.")
        assert f"{number}.{squeezed(question.label.zh_hans)}" in text
        ticked = TICKED.get(number, [])
        desk.keyboard.type("".join(code_beside(text, question, words) for words in ticked))
        if question.type is QuestionType.TEXT:
            desk.keyboard.type(COMMENT)
            desk.keyboard.press("Tab")
        elif not ticked or question.type is QuestionType.MULTI:
            desk.keyboard.press("Enter")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("status")).to_contain_text("今天已录入1份")
    # A household that waits for it gets what the part that it keeps has room for.
    expect(desk.get_by_role("status")).to_contain_text("回执号")
    desk.get_by_text("修改码（告知当面等候回执的居民）").click()

    with sqlite_database.reading() as session:
        [response] = session.scalars(select(Response))
        assert json.loads(response.answers) == STORED
        assert (response.mode, response.household_key is not None) == ("paper", True)
